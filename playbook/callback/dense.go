package callback

import (
	"fmt"
	"strings"

	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/runner"
)

// The terminal's own orders.
const (
	vtReset     = "\x1b[0;0m"
	vtBold      = "\x1b[1m"
	vtUnderline = "\x1b[4m"
	vtClear     = "\x1b[2K"
	vtSave      = "\x1b[s"
	vtRestore   = "\x1b[u"
	vtWrap      = "\x1b[7h"
	vtNoWrap    = "\x1b[7l"
)

// rewrite begins the line again; nextLine leaves it on the screen.
const (
	rewrite  = vtRestore + vtReset
	nextLine = rewrite + "\n" + vtSave + vtClear
)

// dense shows a task in one line, which the next task overwrites unless there
// was something to see. From -vv on it is the default output.
type dense struct {
	*standard
	kind         string // task or handler
	counts       map[string]int
	hosts        []*denseHost
	task         *runner.TaskInfo
	titled, keep bool
}

type denseHost struct{ name, delegate, state string }

// denseStates are a host's states in a task, the one that counts most last,
// and their colours.
var denseStates = []struct{ name, color string }{
	{"skipped", sgr["cyan"]}, {"ok", sgr["green"]}, {"changed", sgr["yellow"]}, {"ignored", "46m\x1b[1;31"}, {"failed", sgr["red"]}, {"unreachable", sgr["bright red"]},
}

func denseRank(state string) int {
	for i, s := range denseStates {
		if s.name == state {
			return i
		}
	}
	return -1
}

func denseColor(state string) string { return "\x1b[" + denseStates[denseRank(state)].color + "m" }

func newDense(s *standard) runner.Callback {
	if s.Verbosity > 1 {
		return s
	}
	return &dense{standard: s, counts: map[string]int{}}
}

// clear makes room for what comes next.
func (c *dense) clear() {
	if c.Verbosity == 0 && c.keep {
		c.screen(nextLine)
	} else {
		c.screen(rewrite + vtClear)
	}
	c.keep = false
}

func (c *dense) PlaybookStart(*playbook.Playbook) { c.screen(vtReset + vtSave + vtClear) }

func (c *dense) PlayStart(play *runner.PlayInfo) {
	c.clear()
	c.counts["task"], c.counts["handler"] = 0, 0
	c.counts["play"]++
	c.screen(vtBold + fmt.Sprintf("PLAY %d: %s", c.counts["play"], strings.ToUpper(strings.TrimSpace(play.Name))) + nextLine)
}

func (c *dense) TaskStart(task *runner.TaskInfo) {
	c.kind = "task"
	if task.Handler {
		c.kind = "handler"
	}
	switch {
	case c.Verbosity == 0 && c.keep:
		c.screen(nextLine)
	case task.Handler:
		c.screen(rewrite + vtClear)
	default:
		c.screen(rewrite)
	}
	c.keep, c.titled, c.hosts, c.task = false, false, nil, task
	if task.Name != "setup" {
		c.counts[c.kind]++
	}
	c.screen(vtUnderline + fmt.Sprintf("%s %d.", c.kind, c.counts[c.kind]) + vtReset)
}

func (c *dense) NoHostsMatched(*runner.PlayInfo) { c.line("skipping: no hosts matched", colorSkip) }

func (c *dense) NoHostsRemaining(*runner.PlayInfo) {
	c.clear()
	c.screen("\x1b[1;37m\x1b[41mNO MORE HOSTS LEFT" + nextLine)
}

func (c *dense) HostStart(*runner.TaskInfo, string)                  {}
func (c *dense) Included(*runner.TaskInfo, string, []string, string) {}
func (c *dense) Notified(string, string)                             {}

func (c *dense) ItemResult(r *runner.Result) { c.result(itemOutcome(r), r.Diff) }

func (c *dense) Result(r *runner.Result) {
	_, diff := r.Data.Get("diff")
	c.result(r, r.Diff && diff)
}

// showDiff shows what a result changed, below the task's banner.
func (c *dense) showDiff(r *runner.Result) {
	if text := c.diffText(r); text != "" {
		c.begin(r)
		c.line(text, "")
	}
}

func (c *dense) result(r *runner.Result, diff bool) {
	if diff && (r.Status == runner.OK || r.Status == runner.Changed) {
		c.screen(vtBold)
		c.showDiff(r)
		c.screen(vtReset)
	}
	state := map[runner.Status]string{runner.OK: "ok", runner.Changed: "changed", runner.Skipped: "skipped", runner.Failed: "failed", runner.Unreachable: "unreachable"}[r.Status]
	if r.Status == runner.Failed && r.Ignored {
		state = "ignored"
	}
	c.note(r, state)
	c.progress()
	if state == "changed" || state == "failed" || state == "unreachable" {
		c.keep = true
		if c.Verbosity == 1 {
			c.title()
			c.details(r, state)
		}
	}
}

// note remembers the state of a host.
func (c *dense) note(r *runner.Result, state string) {
	for _, h := range c.hosts {
		if h.name == r.Host {
			if denseRank(h.state) < denseRank(state) {
				h.state = state
			}
			return
		}
	}
	c.hosts = append(c.hosts, &denseHost{name: r.Host, delegate: delegatedTo(r), state: state})
}

func (c *dense) progress() {
	var b strings.Builder
	b.WriteString(rewrite + vtClear + vtNoWrap + vtUnderline)
	fmt.Fprintf(&b, "%s %d:%s", c.kind, c.counts[c.kind], vtReset)
	for _, h := range c.hosts {
		b.WriteByte(' ')
		if h.delegate != "" {
			b.WriteString(h.delegate + ">")
		}
		b.WriteString(denseColor(h.state) + h.name + vtReset)
	}
	c.screen(b.String() + vtWrap)
}

// title shows the task's name before its first result.
func (c *dense) title() {
	if c.titled {
		c.screen(rewrite + vtClear)
	} else {
		c.titled = true
		c.screen(rewrite + vtClear + vtUnderline + fmt.Sprintf("%s %d: %s", c.kind, c.counts[c.kind], strings.TrimSpace(c.task.Name)) + nextLine)
	}
	c.keep = false
}

func (c *dense) details(r *runner.Result, state string) {
	c.screen(rewrite + vtClear)
	if itemsShown(r) {
		return
	}
	host := r.Host
	if to := delegatedTo(r); to != "" {
		host = vtReset + r.Host + ">" + denseColor(state) + to
	}
	text := c.encode(denseData(c.stripped(r.Data)), 0)
	if r.Status == runner.Unreachable {
		msg, _ := r.Data.Get("msg")
		text = jinja.Str(msg)
	}
	c.screen(denseColor(state) + state + ": " + host + ": " + text + "\n" + vtReset + vtSave + vtClear)
	if state == "changed" {
		c.warn(r)
	}
}

// denseData leaves out what says little.
func denseData(d *jinja.Dict) *jinja.Dict {
	for _, key := range []string{"delta", "end", "failed", "failed_when_result", "start", "stdout_lines"} {
		d.Delete(key)
	}
	for _, key := range d.Keys() {
		switch v, _ := d.Get(key); v.(type) {
		case string, *jinja.List, *jinja.Dict:
			if !jinja.Truth(v) {
				d.Delete(key)
			}
		}
	}
	return d
}

func (c *dense) Stats(s *runner.Stats) {
	c.clear()
	if c.Verbosity > 0 {
		c.screen(vtBold + vtUnderline + "SUMMARY" + nextLine)
		for _, host := range s.Hosts {
			c.line(c.recap(host, s.Counts[host], false), "")
		}
	}
	c.screen(nextLine)
}
