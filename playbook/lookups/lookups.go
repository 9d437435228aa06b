// Package lookups holds Ansible's lookups: what `lookup()`, `query()` and the
// with_ family read from the controller.
package lookups

import (
	"context"

	"gplay/internal/vault"
	"gplay/jinja"
)

// Lookup gives a list of values for its terms. Terms and options are already
// templated. What it returns is data and is never templated.
type Lookup func(c *Context, terms []any, options *jinja.Dict) ([]any, error)

// Context is what a lookup may ask of the playbook that runs.
type Context struct {
	context.Context
	// Dirs are where relative files are looked for, best first: the role's,
	// the tasks file's and the playbook's directory. Subdirectories such as
	// files/ and templates/ of each are tried before the directory itself.
	Dirs []string
	// Subdir is where first_found looks in each of Dirs: templates for the task
	// that takes a template, and so on; files when empty.
	Subdir string
	// Var is a variable's templated value.
	Var func(name string) (value any, ok bool, err error)
	// VarNames are the names of all variables.
	VarNames func() []string
	// Render templates the text of a trusted template file, which the lookup was
	// given by its name, with extra variables; newlines at its end are kept.
	Render func(name, file, text string, extra *jinja.Dict, options jinja.Options) (any, error)
	// Hosts are the names of the hosts that match inventory patterns together.
	Hosts func(patterns []string) ([]string, error)
	// Settings are those of the run, by Ansible's names; the others have their
	// defaults.
	Settings map[string]any
	// Native is set where what a template gives keeps its type.
	Native bool
	// Warn is told of what is wrong with a lookup and stops nothing; it may be nil.
	Warn func(msg string)
	// Vault has the passwords of encrypted files.
	Vault *vault.Keys
}
