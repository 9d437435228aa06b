package callback

import (
	"fmt"
	"time"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/runner"
)

// jsonReport writes one JSON document when the run is over.
type jsonReport struct {
	*display
	plays []*jinja.Dict
	tasks *jinja.List // of the last play
	play  *jinja.Dict // the last play's own part
	task  *jinja.Dict // the last task's own part
	hosts *jinja.Dict // of the last task
}

func newJSON(d *display) *jsonReport { return &jsonReport{display: d} }

func stamp() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z") }

// begun is what a play or a task says about itself.
func begun(name, id string, pos source.Pos) *jinja.Dict {
	d := jinja.NewDict("name", name, "id", id, "duration", jinja.NewDict("start", stamp()))
	if pos.IsValid() {
		d.Set("path", fmt.Sprintf("%s:%d", pos.File, pos.Line))
	}
	return d
}

func ended(d *jinja.Dict) {
	duration, _ := d.Get("duration")
	if duration, ok := duration.(*jinja.Dict); ok {
		duration.Set("end", stamp())
	}
}

func (j *jsonReport) PlaybookStart(*playbook.Playbook) {}

func (j *jsonReport) PlayStart(play *runner.PlayInfo) {
	j.play, j.tasks = begun(play.Name, play.Pos.String(), play.Pos), jinja.NewList()
	j.plays = append(j.plays, jinja.NewDict("play", j.play, "tasks", j.tasks))
}

func (j *jsonReport) NoHostsMatched(*runner.PlayInfo)   {}
func (j *jsonReport) NoHostsRemaining(*runner.PlayInfo) {}

func (j *jsonReport) TaskStart(task *runner.TaskInfo) {
	j.task, j.hosts = begun(task.Name, task.UUID, task.Pos), &jinja.Dict{}
	j.tasks.Items = append(j.tasks.Items, jinja.NewDict("task", j.task, "hosts", j.hosts))
}

func (j *jsonReport) ItemResult(*runner.Result)         {}
func (j *jsonReport) Retry(*runner.Result)              {}
func (j *jsonReport) Included(string, []string, string) {}
func (j *jsonReport) Notified(string, string)           {}
func (j *jsonReport) Verbose(int, string)               {}

func (j *jsonReport) Result(r *runner.Result) {
	data := r.Data.Copy()
	data.Delete(verboseAlways)
	data.Delete(verboseOverride)
	data.Set("action", r.Task.Action)
	j.hosts.Set(r.Host, data)
	ended(j.task)
	ended(j.play)
}

func (j *jsonReport) Stats(s *runner.Stats) {
	plays := &jinja.List{}
	for _, p := range j.plays {
		plays.Items = append(plays.Items, p)
	}
	stats, custom := &jinja.Dict{}, &jinja.Dict{}
	for _, host := range s.Hosts {
		n := s.Counts[host]
		stats.Set(host, jinja.NewDict("ok", n.OK, "changed", n.Changed, "unreachable", n.Unreachable,
			"failures", n.Failed, "skipped", n.Skipped, "rescued", n.Rescued, "ignored", n.Ignored))
		if d := s.Custom[host]; d != nil {
			custom.Set(host, d)
		}
	}
	global := &jinja.Dict{}
	if d := s.Custom[""]; d != nil {
		global = d
	}
	report := jinja.NewDict("plays", plays, "stats", stats, "custom_stats", custom, "global_custom_stats", global)
	j.line(j.encode(report, 4), "")
}
