// Package actions holds what runs on the controller. Some actions are all of
// their task (debug, set_fact); others prepare what a module then does on the
// host (copy, template, script).
package actions

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/vars"
)

// Action is one action.
type Action struct {
	Name string
	Doc  string // one line; the module's where Module is set
	// Module is set when the task's arguments are those of the module of the
	// same name.
	Module bool
	// Params are the arguments it takes, besides the module's; "*" takes any.
	Params []string
	// FreeForm is set when it takes free text.
	FreeForm bool
	// Variables is set when its arguments become variables.
	Variables bool
	// ForAll is set when one run serves all hosts of the play.
	ForAll bool
	// Async is set when it can be a job of its own. All modules can.
	Async bool
	Run   func(ctx context.Context, c *Call) (*jinja.Dict, error)
}

// Sends reports whether the action puts a file on the host. An error of such an
// action is a result like any other, which until and failed_when judge.
func (a *Action) Sends() bool { return a.Module && a != fetch || a == template }

// All are the actions, by name. include_*, import_* and meta are the
// runner's.
var All = []*Action{
	addHost,
	assemble,
	assert,
	consulTemplate,
	copyFiles,
	debug,
	fail,
	fetch,
	gatherFacts,
	groupBy,
	includeVars,
	pause,
	raw,
	script,
	setFact,
	setStats,
	template,
	unarchive,
	uri,
	validateArgumentSpec,
	waitForConnection,
}

var byName = func() map[string]*Action {
	m := map[string]*Action{}
	for _, a := range All {
		m[a.Name] = a
	}
	return m
}()

// Find gives the action of that name, or nil.
func Find(name string) *Action { return byName[name] }

// Call is one task on one host, as an action sees it.
type Call struct {
	Task  *playbook.Task
	Args  *jinja.Dict // templated
	Scope *vars.Scope
	Host  string
	// Dirs are where files of the playbook are looked for, best first.
	Dirs        []string
	Check, Diff bool
	Verbosity   int

	// Module runs a module on the task's host and gives its result.
	Module func(ctx context.Context, name string, args *jinja.Dict, files map[string]File) (*jinja.Dict, error)
	// Exec runs a command line there without gplay's help.
	Exec func(ctx context.Context, command string, stdin io.Reader) (code int, stdout, stderr []byte, err error)
	// NoAgent says whether Module failed because the host cannot run gplay.
	// Exec and Upload may work there all the same.
	NoAgent func(err error) bool
	// Upload puts a program on the host without gplay's help. remove takes it
	// away.
	Upload func(ctx context.Context, name string, content io.Reader) (path string, remove func() error, err error)
	// Environment is the task's. Module sets it by itself, Exec does not.
	Environment map[string]string
	// Reset ends the connection, so that the next task makes a new one.
	Reset func() error
	// SplitPort takes a host's name and the port behind it apart.
	SplitPort func(name string) (host string, port int)
	// AddHost and GroupBy change the inventory when the task is known not to have
	// failed, and its result then.
	AddHost func(name string, groups []string, variables *jinja.Dict)
	GroupBy func(group string, parents []string)
	Warn    func(msg string)
	Say     func(verbosity int, msg string) // shows a line from -v on, -vv …
	// Keys opens the terminal, and shows what is typed if echo is set; nil when
	// there is nobody.
	Keys func(echo bool) (Keys, error)
}

// Unrunnable is an error of what could not be run at all: nothing is tried
// again, nothing judges it, and a loop ends.
type Unrunnable struct{ Err error }

func (u Unrunnable) Error() string { return u.Err.Error() }
func (u Unrunnable) Unwrap() error { return u.Err }

// File is a file of the controller that a module may read or write.
type File struct {
	Open   func() (io.ReadCloser, error)
	Create func() (io.WriteCloser, error)
}

// text is an argument as text, "" when it is not given.
func (c *Call) text(names ...string) string {
	for _, n := range names {
		if v, ok := c.Args.Get(n); ok && v != nil {
			return jinja.Str(v)
		}
	}
	return ""
}

// hasAny reports whether one of the arguments is given.
func (c *Call) hasAny(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, ok := c.Args.Get(name)
		return ok
	})
}

// truths are Ansible's words for yes and no.
var truths = map[string]bool{
	"yes": true, "on": true, "1": true, "true": true, "t": true, "y": true,
	"no": false, "off": false, "0": false, "false": false, "f": false, "n": false,
}

// bool is an argument as a boolean.
func (c *Call) bool(name string, otherwise bool) (bool, error) {
	v, ok := c.Args.Get(name)
	if !ok || v == nil {
		return otherwise, nil
	}
	word := strings.ToLower(jinja.Str(v))
	if yes, ok := truths[word]; ok || word == "" {
		return yes, nil
	}
	return false, fmt.Errorf("%s is %s; it must be yes or no", name, jinja.Repr(v))
}

// list is an argument as a list: its items, or text split at commas.
func (c *Call) list(name string) []any {
	switch v, _ := c.Args.Get(name); v := v.(type) {
	case nil:
		return nil
	case *jinja.List:
		return v.Items
	case string:
		var out []any
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
		return out
	default:
		return []any{v}
	}
}

// find gives the path of a file of the playbook: in the subdirectory kind
// (files, templates, vars) of each search directory, then in the directory.
func (c *Call) find(kind, name string) (string, error) {
	if path := expandHome(name); filepath.IsAbs(path) {
		_, err := os.Stat(path)
		return path, missing(err, name, nil)
	}
	var tried []string
	for _, dir := range c.Dirs {
		for _, path := range candidates(dir, kind, name) {
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
			tried = append(tried, path)
		}
	}
	if len(c.Dirs) == 1 { // Ansible looks beside the playbook once more, and says so
		tried = append(tried, tried...)
	}
	return "", missing(os.ErrNotExist, name, tried)
}

// candidates are where a file may be of a directory, with the name as it is
// written.
func candidates(dir, kind, name string) []string {
	return []string{dir + "/" + kind + "/" + name, dir + "/" + name}
}

func missing(err error, name string, tried []string) error {
	if err == nil {
		return nil
	}
	if len(tried) == 0 {
		return fmt.Errorf("Could not find or access '%s' on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option", name)
	}
	return fmt.Errorf("Could not find or access '%s'\nSearched in:\n\t%s on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option", name, strings.Join(tried, "\n\t"))
}

// notDir is the error of a directory where a file is to be.
func notDir(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return missing(fs.ErrExist, path, nil)
	}
	return nil
}

func expandHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}

// local offers a file of the controller.
func local(path string) File {
	return File{Open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

// memory offers text.
func memory(text string) File {
	return File{Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

// with is args with more of them, and without those named.
func with(args *jinja.Dict, without []string, pairs ...any) *jinja.Dict {
	out := args.Copy()
	for _, name := range without {
		out.Delete(name)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}
