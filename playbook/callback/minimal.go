package callback

import (
	"fmt"
	"strings"

	"gplay/jinja"
	"gplay/playbook/runner"
)

// minimal shows results and nothing else, as for one task: over several lines,
// or each on one line.
type minimal struct {
	silent
	oneline bool
}

// textActions are the actions whose result is the output of a command.
var textActions = map[string]bool{"command": true, "shell": true, "raw": true, "script": true, "win_command": true, "win_shell": true}

// diffs shows a line for a diff in which there is nothing to see, too.
func (m *minimal) diffs(r *runner.Result) {
	diff, _ := r.Data.Get("diff")
	if r.Diff && jinja.Truth(diff) && (r.Status == runner.OK || r.Status == runner.Changed) {
		m.line(m.diff(diff), "")
	}
}

func (m *minimal) ItemResult(r *runner.Result) {
	if !m.oneline {
		m.diffs(r)
	}
}

func (m *minimal) Result(r *runner.Result) {
	if !m.oneline {
		m.diffs(r)
		m.warn(r)
	}
	switch r.Status {
	case runner.Skipped:
		m.line(r.Host+" | SKIPPED", colorSkip)
	case runner.Unreachable:
		if m.oneline {
			m.line(r.Host+" | UNREACHABLE!: "+text(r, "msg"), colorUnreachable)
		} else {
			m.line(r.Host+" | UNREACHABLE! => "+m.json(r), colorUnreachable)
		}
	case runner.Failed:
		m.result(r, "FAILED", "FAILED!", colorError)
	case runner.Changed:
		if r.Task.Action == "debug" && !m.oneline { // that it changed anything goes with all but the message
			m.result(r, "SUCCESS", "SUCCESS", colorOK)
			return
		}
		m.result(r, "CHANGED", "CHANGED", colorChanged)
	default:
		m.result(r, "SUCCESS", "SUCCESS", colorOK)
	}
}

func (m *minimal) result(r *runner.Result, word, jsonWord, color string) {
	_, async := r.Data.Get("ansible_job_id")
	_, broken := r.Data.Get("module_stderr")
	switch {
	case !textActions[r.Task.Action] || async || broken || m.oneline && r.Status == runner.Failed:
		m.line(r.Host+" | "+jsonWord+" => "+m.json(r), color)
	case m.oneline:
		m.line(m.onlyOutput(r, word), color)
	default:
		m.line(m.output(r, word)+"\n", color)
	}
}

func (m *minimal) json(r *runner.Result) string {
	if m.oneline {
		return strings.ReplaceAll(m.lines(r.Data), "\n", "")
	}
	data := m.stripped(r.Data)
	data.Delete("warnings")
	data.Delete("deprecations")
	if r.Task.Action == "debug" && r.Status != runner.Failed {
		debugOnly(data)
	}
	return m.encode(data, 4)
}

func text(r *runner.Result, key string) string {
	if v, ok := r.Data.Get(key); ok {
		return jinja.Str(v)
	}
	return ""
}

func rc(r *runner.Result) string {
	if s := text(r, "rc"); s != "" {
		return s
	}
	return "-1"
}

func (m *minimal) output(r *runner.Result, word string) string {
	return fmt.Sprintf("%s | %s | rc=%s >>\n%s%s%s", r.Host, word, rc(r), text(r, "stdout"), text(r, "stderr"), text(r, "msg"))
}

func (m *minimal) onlyOutput(r *runner.Result, word string) string {
	flat := strings.NewReplacer("\n", `\n`, "\r", `\r`)
	line := fmt.Sprintf("%s | %s | rc=%s | (stdout) %s", r.Host, word, rc(r), flat.Replace(text(r, "stdout")))
	if stderr := text(r, "stderr"); stderr != "" {
		line += " (stderr) " + flat.Replace(stderr)
	}
	return line
}
