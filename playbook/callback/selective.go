package callback

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"

	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/runner"
)

// selective shows only tasks that failed or have the tag print_action, and a
// dot for every other one.
type selective struct {
	silent
	plain   bool
	task    string
	titled  bool // the task's name was shown
	skipped bool // the last thing shown is a dot
}

const selectiveWidth = 120

func newSelective(d *display) *selective {
	plain := d.setting("ANSIBLE_SELECTIVE_DONT_COLORIZE", "defaults", "nocolor", d.setting("ANSIBLE_NOCOLOR", "", "", ""))
	return &selective{silent: silent{d}, plain: isTrue(plain)}
}

func (c *selective) color(text, code string) string {
	if c.plain {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

const (
	boldCode = "1"
	hostCode = "1m\x1b[34"
)

func (c *selective) PlaybookStart(*playbook.Playbook) {}

func (c *selective) TaskStart(task *runner.TaskInfo) { c.task, c.titled = task.Name, false }

func (c *selective) title(name string) {
	if c.titled {
		return
	}
	c.titled = true
	if c.skipped {
		c.screen("\n")
	}
	c.screen(c.color("# "+name+" "+strings.Repeat("*", max(selectiveWidth-len([]rune(name)), 0)), boldCode) + "\n")
}

func (c *selective) Result(r *runner.Result) {
	failed := r.Status == runner.Failed || r.Status == runner.Unreachable
	switch {
	case r.Status == runner.Skipped:
		if c.Verbosity > 1 {
			c.skip(r)
		}
		return
	case !failed && c.Verbosity < 2 && !slices.Contains(r.Task.Task.Tags(), any("print_action")):
		c.skipped = true
		c.screen(".")
		return
	}
	c.title(c.task)
	c.skipped = false
	msg := text(r, "msg")
	if msg == "" {
		msg = text(r, "reason")
	}
	c.host(r.Data, 0, c.color(r.Host, hostCode), msg, failed)
	for _, item := range listOf(r.Data, "results") {
		if data, ok := item.(*jinja.Dict); ok {
			c.item(data)
		}
	}
}

func (c *selective) item(data *jinja.Dict) {
	name, _ := data.Get("item")
	if d, ok := name.(*jinja.Dict); ok {
		if key, ok := d.Get("key"); ok {
			name = key
		}
	}
	failed, _ := data.Get("failed")
	msg, ok := data.Get("msg")
	if !ok {
		msg = ""
	}
	c.host(data, 4, c.color(jinja.Str(name), boldCode), jinja.Str(msg), failed == true)
}

// host shows one result, or one item of it.
func (c *selective) host(data *jinja.Dict, indent int, name, msg string, failed bool) {
	changed, _ := data.Get("changed")
	color, change := sgr["green"], fmt.Sprintf("changed=%s", jinja.Str(jinja.Truth(changed)))
	switch {
	case failed:
		color, change = sgr["red"], "FAILED!!!"
	case jinja.Truth(changed):
		color = sgr["yellow"]
	}
	spaces := strings.Repeat(" ", max(40-len([]rune(name))-indent, 0))
	line := fmt.Sprintf("%s  * %s%s- %s", strings.Repeat(" ", indent), name, spaces, c.color(change, color))
	c.dashes(line, c.color(msg, color), indent)
	if diff, ok := data.Get("diff"); ok {
		c.diffOf(diff, indent+4)
	}
	for _, key := range []string{"module_stdout", "module_stderr"} {
		if v, _ := data.Get(key); jinja.Truth(v) {
			c.screen(indented(c.color(strings.TrimSpace(jinja.Str(v)), sgr["red"]), indent+4) + "\n")
		}
	}
}

// dashes ends a line with its message, or puts a long one below it.
func (c *selective) dashes(line, msg string, indent int) {
	long := len([]rune(msg)) >= 50
	if !long {
		line += " -- " + msg
	}
	line = line + " " + strings.Repeat("-", max(selectiveWidth-len([]rune(line)), 0))
	if long {
		c.screen(line + "\n" + indented(msg, indent+4) + "\n")
	} else {
		c.screen(line + "---------\n")
	}
}

func indented(text string, by int) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.Repeat(" ", by) + line
	}
	return strings.Join(lines, "\n")
}

// diffOf shows a diff: of two texts as usual, of two dicts what is not the
// same in them, and anything else as it is.
func (c *selective) diffOf(v any, indent int) {
	text := jinja.Str(v)
	if d, ok := v.(*jinja.Dict); ok {
		before, _ := d.Get("before")
		after, _ := d.Get("after")
		if states, ok := before.(*jinja.Dict); ok {
			text = jinja.Repr(unlike(states, after))
		} else {
			text = plainDiff(d, jinja.Str(before), jinja.Str(after))
		}
	}
	if jinja.Truth(v) && text != "" {
		c.screen(indented(c.color(text, sgr["yellow"]), indent) + "\n")
	}
}

// unlike are the keys whose values differ, with both values.
func unlike(before *jinja.Dict, v any) *jinja.Dict {
	out := jinja.NewDict()
	after, _ := v.(*jinja.Dict)
	for _, side := range []*jinja.Dict{before, after} {
		for _, key := range side.Keys() {
			was, _ := before.Get(key)
			is, _ := after.Get(key)
			if !jinja.Equal(was, is) {
				out.Set(key, jinja.Tuple{was, is})
			}
		}
	}
	return out
}

// plainDiff is a diff whose headings are followed by empty lines.
func plainDiff(d *jinja.Dict, before, after string) string {
	from, ok := d.Get("before_header")
	if !ok {
		from = "new_file"
	}
	to, _ := d.Get("after_header")
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: diffLines(wholeLines(before)), B: diffLines(wholeLines(after)), FromFile: jinja.Str(from), ToFile: jinja.Str(to), Context: 3, Eol: "\n\n",
	})
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(text, "\n")
}

// wholeLines is text whose last line has an end.
func wholeLines(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

func (c *selective) skip(r *runner.Result) {
	c.title(c.task)
	c.skipped = false
	reason := text(r, "skipped_reason")
	if reason == "" {
		reason = text(r, "skip_reason")
	}
	line := fmt.Sprintf("  * %s%s- %s", c.color(r.Host, hostCode), strings.Repeat(" ", max(31-len(r.Host)-4, 0)), c.color("skipped", sgr["cyan"]))
	c.dashes(line, reason, 4)
}

func (c *selective) Stats(s *runner.Stats) {
	c.screen("\n")
	c.titled = false
	c.title("STATS")
	for _, host := range s.Hosts {
		n := s.Counts[host]
		color := sgr["green"]
		switch {
		case n.Failed > 0 || n.Unreachable > 0:
			color = sgr["red"]
		case n.Changed > 0:
			color = sgr["yellow"]
		}
		c.screen(c.color(fmt.Sprintf("%s    : ok=%d\tchanged=%d\tfailed=%d\tunreachable=%d\trescued=%d\tignored=%d",
			host, n.OK, n.Changed, n.Failed, n.Unreachable, n.Rescued, n.Ignored), color) + "\n")
	}
}
