package callback

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/runner"
	"gplay/playbook/vars"
)

// tree writes each host's last result to a file of the host's name.
type tree struct {
	silent
	dir string
}

func newTree(d *display) *tree {
	return &tree{silent{d}, expandHome(d.setting("ANSIBLE_CALLBACK_TREE_DIR", "callback_tree", "directory", "~/.ansible/tree"))}
}

func (t *tree) Result(r *runner.Result) {
	if r.Status == runner.Skipped {
		return
	}
	indent := 0
	if flag(r, verboseAlways) || t.Verbosity > 2 {
		indent = 4
	}
	t.put(t.dir, r.Host, t.encode(t.stripped(r.Data), indent), os.O_TRUNC)
}

// put writes to a file of dir.
func (d *display) put(dir, name, text string, mode int) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		d.Warning(fmt.Sprintf("Unable to access or create the configured directory (%s): %v", dir, err))
		return
	}
	f, err := os.OpenFile(filepath.Join(dir, filepath.Base(name)), os.O_CREATE|os.O_WRONLY|mode, 0o666)
	if err == nil {
		_, err = f.WriteString(d.Secrets.hide(text))
		if closed := f.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		d.Warning(fmt.Sprintf("Unable to write to %s's file: %v", name, err))
	}
}

// logPlays appends each host's results to a file of the host's name.
type logPlays struct {
	silent
	dir, book string
}

func newLogPlays(d *display) *logPlays {
	return &logPlays{silent: silent{d}, dir: expandHome(d.setting("ANSIBLE_LOG_FOLDER", "callback_log_plays", "log_folder", "/var/log/ansible/hosts"))}
}

func (l *logPlays) PlaybookStart(pb *playbook.Playbook) {
	if l.book = source.Rel(pb.File); pb.Text {
		l.book = pb.Name()
	}
}

func (l *logPlays) Result(r *runner.Result) {
	word := "OK"
	switch r.Status {
	case runner.Failed:
		word = "FAILED"
	case runner.Skipped:
		word = "SKIPPED"
	case runner.Unreachable:
		word = "UNREACHABLE"
	}
	now := time.Now().Format("Jan 02 2006 15:04:05")
	line := strings.Join([]string{now, l.book, taskName(r), r.Task.Task.ActionAs, word, l.data(r)}, " - ")
	l.put(l.dir, r.Host, line+"\n\n", os.O_APPEND)
}

// taskName is a task's own name: as it is written where the task was skipped,
// or only what it is made of was run, items or an included file.
func taskName(r *runner.Result) string {
	name := r.Task.Task.Name
	switch {
	case name == nil:
		return ""
	case r.Status == runner.Skipped, r.Loop, isInclude(r):
		return writtenText(name)
	}
	return r.Task.Title
}

func (l *logPlays) data(r *runner.Result) string {
	if flag(r, verboseOverride) {
		return "omitted"
	}
	data := vars.Public(r.Data)
	invocation, invoked := data.Get("invocation")
	data.Delete("invocation")
	o := jinja.JSONOptions{ASCII: true, Default: asText}
	text, err := jinja.JSON(data, o)
	if err != nil {
		return jinja.Repr(data)
	}
	if before, err := jinja.JSON(invocation, o); err == nil && invoked {
		return before + " => " + text + " "
	}
	return text
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func expandHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}
