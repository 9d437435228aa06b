package callback

import (
	"strconv"
	"strings"
	"time"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/playbook/runner"
	"gplay/playbook/vars"
)

// jsonReport writes one JSON document when the run is over, or with lines one
// for each event.
type jsonReport struct {
	silent
	lines    bool
	indent   int
	lockstep bool // of the last play
	plays    *jinja.List
	play     *jinja.Dict            // the last play's own part
	tasks    *jinja.List            // of the last play
	entries  map[string]*jinja.Dict // of tasks, by what they are looked up by
}

func newJSON(d *display, lines bool) *jsonReport {
	otherwise := "4"
	if lines {
		otherwise = "0"
	}
	n, err := strconv.Atoi(d.setting("ANSIBLE_JSON_INDENT", "defaults", "json_indent", otherwise))
	if err != nil {
		d.Warning("json_indent has to be a whole number")
	}
	return &jsonReport{silent: silent{d}, lines: lines, indent: max(n, 0), plays: &jinja.List{}, entries: map[string]*jinja.Dict{}}
}

func stamp() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z") }

// begun is what a play or a task says about itself.
func begun(name, id string, pos source.Pos) *jinja.Dict {
	return jinja.NewDict("name", strings.TrimSpace(name), "id", id, "path", place(pos), "duration", jinja.NewDict("start", stamp()))
}

func ended(d *jinja.Dict) {
	duration, _ := d.Get("duration")
	if duration, ok := duration.(*jinja.Dict); ok {
		duration.Set("end", stamp())
	}
}

func (j *jsonReport) PlayStart(play *runner.PlayInfo) {
	j.play, j.tasks, j.lockstep = begun(play.Name, play.UUID, play.Pos), jinja.NewList(), play.Lockstep
	entry := jinja.NewDict("play", j.play, "tasks", j.tasks)
	j.plays.Items = append(j.plays.Items, entry)
	j.event("v2_playbook_on_play_start", entry)
}

// key is what a task's entry is found by: with the strategy free there is one
// for each host.
func (j *jsonReport) key(task *runner.TaskInfo, host string) string {
	if j.lockstep {
		return task.UUID
	}
	return task.UUID + " " + host
}

func (j *jsonReport) begin(event, key string, task *runner.TaskInfo) {
	entry := jinja.NewDict("task", begun(task.Name, task.UUID, task.Pos), "hosts", jinja.NewDict())
	j.entries[key] = entry
	j.tasks.Items = append(j.tasks.Items, entry)
	j.event(event, entry)
}

func (j *jsonReport) TaskStart(task *runner.TaskInfo) {
	event := "v2_playbook_on_task_start"
	if task.Handler {
		event = "v2_playbook_on_handler_task_start"
	}
	if j.lockstep {
		j.begin(event, j.key(task, ""), task)
	}
}

func (j *jsonReport) HostStart(task *runner.TaskInfo, host string) {
	if !j.lockstep {
		j.begin("v2_runner_on_start", j.key(task, host), task)
	}
}

func (j *jsonReport) Result(r *runner.Result) {
	data := vars.Public(r.Data)
	data.Set("action", r.Task.Task.ActionAs)
	event := "v2_runner_on_ok"
	switch r.Status {
	case runner.Failed:
		event = "v2_runner_on_failed"
		data.Set("failed", true)
	case runner.Skipped:
		event = "v2_runner_on_skipped"
		data.Set("skipped", true)
	case runner.Unreachable:
		event = "v2_runner_on_unreachable"
	}
	entry := j.entries[j.key(r.Task, r.Host)]
	if entry == nil {
		return
	}
	task, _ := entry.Get("task")
	ended(task.(*jinja.Dict))
	ended(j.play)
	if j.lines {
		j.event(event, jinja.NewDict("task", task, "hosts", jinja.NewDict(r.Host, data)))
		return
	}
	hosts, _ := entry.Get("hosts")
	hosts.(*jinja.Dict).Set(r.Host, data)
}

// event writes a line about what happened.
func (j *jsonReport) event(name string, about *jinja.Dict) {
	if !j.lines {
		return
	}
	about = about.Copy()
	about.Set("_event", name)
	about.Set("_timestamp", stamp())
	o := j.options()
	o.Item, o.Key = ",", ":"
	j.show(about, o)
}

func (j *jsonReport) options() jinja.JSONOptions {
	o := jsonOptions(strings.Repeat(" ", j.indent))
	o.ASCII = true
	return o
}

func (j *jsonReport) show(v *jinja.Dict, o jinja.JSONOptions) {
	text, err := jinja.JSON(v, o)
	if err != nil {
		text = j.encode(v, j.indent)
	}
	j.line(text, "")
}

func (j *jsonReport) Stats(s *runner.Stats) {
	stats, custom, global := jinja.NewDict(), jinja.NewDict(), jinja.NewDict()
	for _, host := range s.Hosts {
		n := s.Counts[host]
		stats.Set(host, jinja.NewDict("ok", n.OK, "changed", n.Changed, "unreachable", n.Unreachable,
			"failures", n.Failed, "skipped", n.Skipped, "rescued", n.Rescued, "ignored", n.Ignored))
		if d := s.Custom[host]; d != nil && j.CustomStats {
			custom.Set(host, d)
		}
	}
	if d := s.Custom[""]; d != nil && j.CustomStats {
		global = d
	}
	report := jinja.NewDict("stats", stats, "custom_stats", custom, "global_custom_stats", global)
	if j.lines {
		j.event("v2_playbook_on_stats", report)
		return
	}
	report.Set("plays", j.plays)
	j.show(report, j.options())
}
