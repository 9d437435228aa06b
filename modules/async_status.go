package modules

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"gplay/modules/host"
)

// AsyncStatus says how a job that runs by itself is getting on.
var AsyncStatus = define("async_status", "say how a job that runs by itself is getting on", asyncStatusArgs{Mode: "status"}, asyncStatus).
	gives("failed started finished stdout stderr stdout_lines stderr_lines ansible_job_id results_file changed rc cmd start end delta msg")

type asyncStatusArgs struct {
	JID  string `arg:"jid" required:"true" doc:"The job: ansible_job_id of the task that started it."`
	Mode string `arg:"mode" choices:"status,cleanup" doc:"cleanup removes what is kept of the job."`
}

func asyncStatus(_ context.Context, c *Call, a asyncStatusArgs) (Result, error) {
	dir, ok := c.Getenv("ANSIBLE_ASYNC_DIR")
	if !ok || dir == "" {
		dir = "~/.ansible_async"
	}
	file := path.Join(expansion{c.Getenv, c.Home}.path(dir), path.Base(a.JID))
	about := Result{"ansible_job_id": a.JID, "started": 1, "finished": 1, "results_file": file}
	if a.Mode == "cleanup" {
		delete(about, "results_file")
		about["erased"] = file
	}
	if c.check {
		about["finished"], about["skipped"] = 0, true
		about["msg"] = "remote module (ansible.legacy.async_status) does not support check mode"
		return withStreams(about), nil
	}
	data, err := c.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Fail("could not find job", withStreams(about))
	}
	if err != nil {
		return nil, Fail(err.Error(), withStreams(about))
	}
	if a.Mode == "cleanup" {
		about["started"], about["finished"] = 0, 0
		return withStreams(about), c.Upkeep(func(w host.Writer) error { return w.Remove(file) })
	}
	state, err := parseJSON(string(data))
	job, isDict := state.(map[string]any)
	if err != nil || !isDict {
		return nil, Fail("Could not parse job output: "+string(data), withStreams(about))
	}
	r := Result(job)
	switch {
	case r["started"] == nil:
		r["started"], r["finished"] = 1, 1
	case r["finished"] == nil:
		r["finished"] = 0
	}
	r["ansible_job_id"], r["results_file"] = a.JID, file
	return withStreams(r), nil
}

// withStreams adds the output that a job has not, as empty.
func withStreams(r Result) Result {
	for _, stream := range []string{"stdout", "stderr"} {
		if r[stream] == nil {
			r[stream] = ""
		}
	}
	return r
}
