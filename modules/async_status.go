package modules

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"gplay/modules/host"
)

// AsyncStatus says how a job that runs by itself is getting on.
var AsyncStatus = define("async_status", "say how a job that runs by itself is getting on", asyncStatusArgs{Mode: "status"}, asyncStatus)

type asyncStatusArgs struct {
	JID  string `arg:"jid" required:"true" doc:"The job: ansible_job_id of the task that started it."`
	Mode string `arg:"mode" choices:"cleanup,status" doc:"cleanup removes what is kept of the job."`
}

func asyncStatus(_ context.Context, c *Call, a asyncStatusArgs) (Result, error) {
	dir, ok := c.Getenv("ANSIBLE_ASYNC_DIR")
	if !ok || dir == "" {
		dir = "~/.ansible_async"
	}
	file := path.Join(expansion{c.Getenv, c.Home}.path(dir), path.Base(a.JID))
	about := Result{"ansible_job_id": a.JID, "started": 1, "finished": 1}
	data, err := c.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Fail("could not find job", about)
	}
	if err != nil {
		return nil, Fail(err.Error(), about)
	}
	if a.Mode == "cleanup" {
		err := c.Upkeep(func(w host.Writer) error { return w.Remove(file) })
		return Result{"ansible_job_id": a.JID, "erased": file}, err
	}
	state, err := parseJSON(string(data))
	job, isDict := state.(map[string]any)
	if err != nil || !isDict {
		about["results_file"] = file
		return nil, Fail("Could not parse job output: "+string(data), about)
	}
	r := Result(job)
	if r["started"] == nil {
		r["started"], r["finished"] = 1, 1
	}
	if r["finished"] == nil {
		r["finished"] = 0
	}
	r["ansible_job_id"], r["results_file"] = a.JID, file
	return r, nil
}
