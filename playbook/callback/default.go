package callback

import (
	"fmt"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/runner"
)

// standard is Ansible's default output.
type standard struct {
	*display
	shownTask string // the task whose banner came last
	free      bool   // banners wait for results
	format    func(r *runner.Result) string
}

func newStandard(d *display) *standard { return &standard{display: d, format: d.dump} }

func (c *standard) marker(check bool) string {
	if check && c.CheckMarkers {
		return " [CHECK MODE]"
	}
	return ""
}

func (c *standard) PlaybookStart(pb *playbook.Playbook) {
	if c.Verbosity > 1 {
		c.banner("PLAYBOOK: " + pb.Name())
	}
	if c.Check && c.CheckMarkers {
		c.banner("DRY RUN")
	}
}

func (c *standard) PlayStart(play *runner.PlayInfo) {
	c.free = !play.Lockstep
	text := "PLAY"
	if name := strings.TrimSpace(play.Name); name != "" {
		text += " [" + name + "]"
	}
	c.banner(text + c.marker(play.Check))
}

func (c *standard) NoHostsMatched(*runner.PlayInfo) { c.line("skipping: no hosts matched", colorSkip) }

func (c *standard) NoHostsRemaining(*runner.PlayInfo) { c.banner("NO MORE HOSTS LEFT") }

func (c *standard) TaskStart(task *runner.TaskInfo) {
	if !c.HideOK && !c.HideSkipped && !c.free {
		c.taskBanner(task)
	}
}

func (c *standard) taskBanner(task *runner.TaskInfo) {
	prefix := "TASK"
	if task.Handler {
		prefix = "RUNNING HANDLER"
	}
	args := ""
	if c.ShowArgs && !task.NoLog {
		args = " " + argsText(task.Task)
	}
	c.banner(prefix + " [" + strings.TrimSpace(task.Name) + args + "]" + c.marker(task.Check))
	if c.Verbosity > 1 {
		c.taskPath(task)
	}
	c.shownTask = task.UUID
}

func (c *standard) taskPath(task *runner.TaskInfo) {
	if task.Pos.IsValid() {
		c.line("task path: "+place(task.Pos), colorDebug)
	}
}

// place is where something stands, as Ansible writes it.
func place(p source.Pos) string {
	if !p.IsValid() {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// begin shows the task's banner where another task's came in between.
func (c *standard) begin(r *runner.Result) {
	if c.shownTask != r.Task.UUID {
		c.taskBanner(r.Task)
	}
}

// isInclude reports whether a result is of an include that went well, which
// Included tells of.
func isInclude(r *runner.Result) bool {
	switch r.Task.Action {
	case "include", "include_tasks", "include_role", "import_tasks", "import_role":
		return r.Status == runner.OK || r.Status == runner.Changed
	}
	return false
}

func label(r *runner.Result) string {
	if censored(r) {
		return "None"
	}
	return r.Label
}

// censored reports whether no_log hides the result.
func censored(r *runner.Result) bool {
	_, hidden := r.Data.Get("censored")
	return hidden
}

func (c *standard) ItemResult(r *runner.Result) {
	if isInclude(r) || c.hidden(r) {
		return
	}
	c.begin(r)
	c.diffs(r)
	switch r.Status {
	case runner.Failed, runner.Unreachable:
		c.warn(r)
		c.failure(fmt.Sprintf("failed: [%s] (item=%s) => %s", hostLabel(r), label(r), c.format(r)))
	case runner.Skipped:
		text := fmt.Sprintf("skipping: [%s] => (item=%s) ", r.Host, label(r))
		c.line(text+c.detail(r), colorSkip)
	default:
		word, color := outcome(r)
		c.line(fmt.Sprintf("%s: [%s] => (item=%s)", word, hostLabel(r), label(r))+c.detail(r), color)
	}
}

func (c *standard) hidden(r *runner.Result) bool {
	return r.Status == runner.OK && c.HideOK || r.Status == runner.Skipped && c.HideSkipped
}

func outcome(r *runner.Result) (word, color string) {
	if r.Status == runner.Changed {
		return "changed", colorChanged
	}
	return "ok", colorOK
}

// detail is the result itself where it is to be seen.
func (c *standard) detail(r *runner.Result) string {
	if !c.verbose(r) {
		return ""
	}
	return " => " + c.format(r)
}

func (c *standard) Retry(r *runner.Result) {
	name := r.Task.Title
	if name == "" {
		name = r.Task.Name
	}
	text := fmt.Sprintf("FAILED - RETRYING: [%s]: %s (%d retries left).", hostLabel(r), name, r.Left)
	if (c.Verbosity > 2 || flag(r, verboseAlways)) && !flag(r, verboseOverride) {
		text += "Result was: " + c.format(r)
	}
	c.line(text, colorDebug)
}

func (c *standard) Result(r *runner.Result) {
	if isInclude(r) {
		c.begin(r)
		return
	}
	if c.hidden(r) {
		return
	}
	c.begin(r)
	c.diffs(r)
	switch r.Status {
	case runner.Failed:
		c.failed(r)
	case runner.Unreachable:
		c.unreachable(r)
	case runner.Skipped:
		c.line("skipping: ["+r.Host+"]"+c.detail(r), colorSkip)
	default:
		c.warn(r)
		if !itemsShown(r) {
			word, color := outcome(r)
			c.line(word+": ["+hostLabel(r)+"]"+c.detail(r), color)
		}
	}
}

// itemsShown reports whether r sums up items that were shown before.
func itemsShown(r *runner.Result) bool {
	_, ok := r.Data.Get("results")
	return r.Loop && ok
}

func (c *standard) failed(r *runner.Result) {
	c.warn(r)
	if !itemsShown(r) || r.Task.Action == "debug" { // of debug Ansible shows msg, and the items go
		if c.PathOnFailure && c.Verbosity < 2 {
			c.taskPath(r.Task)
		}
		c.failure(fmt.Sprintf("fatal: [%s]: FAILED! => %s", hostLabel(r), c.format(r)))
	}
	c.ignored(r)
}

func (c *standard) unreachable(r *runner.Result) {
	text := fmt.Sprintf("fatal: [%s]: UNREACHABLE! => %s", hostLabel(r), c.format(r))
	if c.FailedToErr {
		c.lineTo(c.Err, text, colorUnreachable)
	} else {
		c.line(text, colorUnreachable)
	}
	c.ignored(r)
}

func (c *standard) ignored(r *runner.Result) {
	if r.Ignored {
		c.line("...ignoring", colorSkip)
	}
}

func (c *standard) HostStart(task *runner.TaskInfo, host string) {
	if c.PerHostStart {
		c.line(" [started "+task.Task.String()+" on "+host+"]", colorOK)
	}
}

func (c *standard) Included(_ *runner.TaskInfo, file string, hosts []string, item string) {
	text := fmt.Sprintf("included: %s for %s", file, strings.Join(hosts, ", "))
	if item != "" {
		text += " => (item=" + item + ")"
	}
	c.line(text, colorSkip)
}

func (c *standard) Async(msg string) { c.line(msg, colorDebug) }

func (c *standard) Notified(handler, host string) {
	if c.Verbosity > 1 {
		c.screen(c.paint(fmt.Sprintf("NOTIFIED HANDLER %s for %s", handler, host), colorVerbose) + "\n")
	}
}

func (c *standard) Stats(s *runner.Stats) {
	c.banner("PLAY RECAP")
	for _, host := range s.Hosts {
		c.line(c.recap(host, s.Counts[host], true), "")
	}
	c.screen("\n")
	if c.CustomStats && len(s.Custom) > 0 {
		c.customStats(s)
	}
	if c.Check && c.CheckMarkers {
		c.banner("DRY RUN")
	}
}

// recap is a host's line of the recap; some outputs leave out what was skipped.
func (c *standard) recap(host string, n *runner.Counts, skipped bool) string {
	color, width := colorOK, 26
	switch {
	case n.Failed > 0 || n.Unreachable > 0:
		color = colorError
	case n.Changed > 0:
		color = colorChanged
	}
	if c.Color {
		host, width = c.paint(host, color), 37
	}
	counts := []string{
		c.count("ok", n.OK, colorOK),
		c.count("changed", n.Changed, colorChanged),
		c.count("unreachable", n.Unreachable, colorUnreachable),
		c.count("failed", n.Failed, colorError),
		c.count("skipped", n.Skipped, colorSkip),
		c.count("rescued", n.Rescued, colorOK),
		c.count("ignored", n.Ignored, colorWarn),
	}
	if !skipped {
		counts = slices.Delete(counts, 4, 5)
	}
	return fmt.Sprintf("%-*s : %s", width, host, strings.Join(counts, " "))
}

// stats are custom stats in the format of results.
func (c *standard) stats(d *jinja.Dict) string {
	if c.blocksOnly {
		return communityYAML(d.Copy())
	}
	return c.formatted(d.Copy(), 1)
}

func (c *standard) customStats(s *runner.Stats) {
	c.banner("CUSTOM STATS: ")
	flat := func(d *jinja.Dict) string { return strings.ReplaceAll(c.stats(d), "\n", "") }
	for _, host := range s.Hosts {
		if d := s.Custom[host]; d != nil {
			c.line("\t"+host+": "+flat(d), "")
		}
	}
	if run := s.Custom[""]; run != nil {
		c.screen("\n")
		c.line("\tRUN: "+flat(run), "")
	}
	c.screen("\n")
}
