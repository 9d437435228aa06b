// Package modules holds what gplay can do on a host. A module is a value of
// type Module; All lists them.
package modules

import (
	"bytes"
	"context"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"

	"gplay/modules/host"
)

// Module does one kind of thing on a host. It gets decoded arguments, in a
// process that already runs as the right user, and knows nothing of
// playbooks, variables, templates or become.
type Module struct {
	Name     string // Ansible's short name
	Aliases  []string
	Doc      string // one line: "make sure that a directory exists"
	FreeForm string // the argument that takes free text (`command: ls -l`), or ""
	// NoCheck is set for a module that says nothing of use in check mode: it
	// is skipped there.
	NoCheck bool

	// keys are those of its results in the order in which Ansible's module gives
	// them, however deep; "changed" is not among them where that module leaves
	// it to Ansible.
	keys []string

	// params are read from args when they are first asked for; public are those
	// that a playbook may give.
	params, public func() []Param
	args           any // the arguments' defaults, a struct
	rules          []rule
	run            func(ctx context.Context, c *Call, args map[string]any) (Result, error)
	// standIn gives the module that does the work on the host of the call, and
	// the arguments that it takes; nil where m does it.
	standIn func(c *Call, args map[string]any) (*Module, map[string]any, error)
}

// TakesAny reports whether the arguments are those of another module, which
// only the host tells.
func (m *Module) TakesAny() bool { return m.standIn != nil }

// Result is what a task registers, beside changed, diff, failed and msg,
// which Run fills in. With "skipped": true nothing counts as changed.
type Result map[string]any

// Call is one run of a module: the host to look at, and the only way to
// change it.
type Call struct {
	host.Reader
	Controller Controller

	writer  host.Writer
	check   bool
	diff    bool // show diffs
	anyDiff bool // register them in any case
	changed bool
	diffs   []Diff
	warns   []string
	// elsewhere is set where the file that the result names is not on this host.
	elsewhere bool
	given     map[string]any
}

// Controller is what a module may ask of the machine that runs the playbook,
// over the channel it was called on.
type Controller interface {
	// Open reads a file that the action offered with the call (copy's source,
	// a script, an archive).
	Open(name string) (io.ReadCloser, error)
	// Create writes to a place that the action offered with the call (fetch).
	Create(name string) (io.WriteCloser, error)
}

// Diff is one change: what was before and what is after. Values that are no
// strings are shown as JSON.
type Diff struct {
	Path          string // shown in the headers; may be empty
	Before, After any
}

// Prepared as a Diff's After is text that is a diff already.
type Prepared string

// Titled as a Diff's Before or After has a header of its own.
type Titled struct {
	Header string
	Value  any
}

// Unshown as a Diff's Before or After is content that no diff shows: binary,
// or larger than MaxDiff bytes.
type Unshown struct{ Larger bool }

// MaxDiff is how many bytes a file may have to be shown in a diff.
const MaxDiff = 104448

// Content is a file's content as a Diff shows it.
func Content(data []byte) any {
	switch {
	case len(data) > MaxDiff:
		return Unshown{Larger: true}
	case bytes.IndexByte(data[:min(len(data), 8192)], 0) >= 0:
		return Unshown{}
	}
	return string(data)
}

// Check reports whether this is a dry run. Only modules whose result says
// something of its own in check mode ask.
func (c *Call) Check() bool { return c.check }

// WantDiff reports whether the user asked for diffs, for modules to which
// making one is dear.
func (c *Call) WantDiff() bool { return c.diff }

// Given reports whether the argument was given, by its name or an alias, with
// a value that is not null.
func (c *Call) Given(arg string) bool { return c.given[arg] != nil }

// AlwaysDiff puts the diff into the result although nobody asked to see it,
// where Ansible does.
func (c *Call) AlwaysDiff() { c.anyDiff = true }

// Change makes one change: it records d (nothing, when d is zero), sets
// changed, and calls do, except in check mode. NoDiff is for what has nothing to show.
func (c *Call) Change(d Diff, do func(w host.Writer) error) error {
	c.record(d)
	if c.check {
		return nil
	}
	return do(c.writer)
}

func (c *Call) record(d Diff) {
	c.changed = true
	if d != NoDiff {
		c.diffs = append(c.diffs, d)
	}
}

// NoDiff is a change of which a diff would tell nothing.
var NoDiff = Diff{}

// Upkeep does what no playbook counts as a change: a daemon rereads its files,
// a list of packages is refreshed. do is not called in check mode.
func (c *Call) Upkeep(do func(w host.Writer) error) error {
	if c.check {
		return nil
	}
	return do(c.writer)
}

// Attempt is Change for what only tells afterwards whether it changed
// anything: do says what it changed, nil for nothing. Check mode does not call
// it: a module that can predict the change calls Change there.
func (c *Call) Attempt(do func(w host.Writer) (*Diff, error)) error {
	if c.check {
		return nil
	}
	d, err := do(c.writer)
	if d != nil {
		c.record(*d)
	}
	return err
}

// Changed reports whether something was changed so far.
func (c *Call) Changed() bool { return c.changed }

// Warn adds a warning to the result.
func (c *Call) Warn(msg string) { c.warns = append(c.warns, msg) }

// define makes a Module whose arguments are a struct, with its defaults.
//
// Fields carry tags: arg (the name), alias (comma-separated), required,
// choices (comma-separated), secret (true: never shown; content: not shown with
// the task's arguments), default (for suboptions,
// which have no default struct), doc, and type for what Go has no type for:
// path (~ and $VAR are expanded), bytes ("10M"), json (text, or data that
// becomes text). A field of type any takes the value as it is, a pointer is
// nil when the argument is not given, Mode takes permissions, structs and
// slices of structs take suboptions. Embedded structs add their fields.
func define[A any](name, doc string, defaults A, run func(context.Context, *Call, A) (Result, error)) *Module {
	m := &Module{Name: name, Doc: doc, args: defaults}
	m.params = sync.OnceValue(func() []Param { return paramsOf(reflect.ValueOf(defaults)) })
	m.public = sync.OnceValue(func() []Param {
		return slices.DeleteFunc(slices.Clone(m.params()), Param.internal)
	})
	m.run = func(ctx context.Context, c *Call, args map[string]any) (Result, error) {
		a := defaults
		if err := fill(&a, args); err != nil {
			return nil, err
		}
		return run(ctx, c, a)
	}
	return m
}

// gives names the keys of the results, in Ansible's order.
func (m *Module) gives(keys string) *Module {
	m.keys = strings.Fields(keys)
	return m
}

// alias adds names that the module answers to.
func (m *Module) alias(names ...string) *Module {
	m.Aliases = append(m.Aliases, names...)
	return m
}

// freeForm names the argument that takes free text.
func (m *Module) freeForm(arg string) *Module {
	m.FreeForm = arg
	return m
}

// standsFor sets who chooses the module that does the work on a host.
func (m *Module) standsFor(choose func(c *Call, args map[string]any) (*Module, map[string]any, error)) *Module {
	m.standIn = choose
	return m
}

// noCheck marks a module that is skipped in check mode.
func (m *Module) noCheck() *Module {
	m.NoCheck = true
	return m
}
