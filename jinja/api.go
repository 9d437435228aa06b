// Package jinja is Jinja2 for Go: templates give what Python's Jinja2 gives,
// to the character. It knows nothing of Ansible.
package jinja

import (
	"fmt"
	"strings"
)

// Environment holds what templates are compiled with. Its fields are set
// before the first Compile and not changed after.
type Environment struct {
	Filters map[string]Filter
	Tests   map[string]Test
	Globals map[string]any

	// Lenient names the filters and tests of Filters and Tests that take
	// undefined values. For all others these end the template.
	Lenient map[string]bool

	Options Options
	// Loader gives the template for include, import and extends; its error
	// wraps ErrNotFound where there is none of that name.
	Loader func(c *Context, name string) (*Template, error)
	// TextClasses names filters and the class that the text has which they give.
	TextClasses map[string]string
	// Finalize is applied to what {{ }} gives before it becomes text.
	Finalize func(value any) any
	// MaxOutput ends a template that makes more bytes than this; 0 is 64 MiB.
	MaxOutput int
	// MaxSteps ends a template that does more than this many operations, of
	// which those on large values count as several; 0 is 50 million.
	MaxSteps int
}

// Options are the lexer's; the zero value is Jinja2's default.
type Options struct {
	BlockStart, BlockEnd       string // {% %}
	VariableStart, VariableEnd string // {{ }}
	CommentStart, CommentEnd   string // {# #}
	LineStatement, LineComment string
	TrimBlocks, LstripBlocks   bool
	KeepTrailingNewline        bool
	NewlineSequence            string
	Autoescape                 bool
}

// Scope gives variables their values. An error is a fault in the variable's
// own definition and ends the template.
type Scope interface {
	Lookup(name string) (value any, ok bool, err error)
}

// Vars is a Scope of fixed values.
type Vars map[string]any

func (v Vars) Lookup(name string) (any, bool, error) { value, ok := v[name]; return value, ok, nil }

// Filter is a filter: value|name(args).
type Filter func(c *Context, value any, args *Args) (any, error)

// Test is a test: value is name(args).
type Test func(c *Context, value any, args *Args) (bool, error)

// Callable is a value that templates can call.
type Callable interface {
	Call(c *Context, args *Args) (any, error)
}

// Func is a Callable made of a Go function.
type Func func(c *Context, args *Args) (any, error)

// Call calls f.
func (f Func) Call(c *Context, args *Args) (any, error) { return f(c, args) }

// builtin is a Func of Jinja2's own: it keeps its arguments as they are, where
// the caller's Funcs see plain texts.
type builtin func(c *Context, args *Args) (any, error)

// Call calls f.
func (f builtin) Call(c *Context, args *Args) (any, error) { return f(c, args) }

// Args are the arguments of a call.
type Args struct {
	Positional []any
	Keywords   *Dict // nil when none
	written    *argList
	// padded is Positional, and Missing for what may follow. Renderings share
	// those of constants, so nobody writes to them.
	padded []any
}

// Constant reports whether positional argument i stands in the template itself:
// no variable and nothing that was computed is in it.
func (a *Args) Constant(i int) bool {
	return a.written != nil && i < len(a.written.positional) && allConstant(a.written.positional[i])
}

func allConstant(exprs ...expr) bool {
	for _, x := range exprs {
		switch x := x.(type) {
		case *constExpr:
		case *listExpr:
			if !allConstant(x.items...) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// Bind puts the arguments in the order of params, each "name" (required) or
// "name=" (optional, absent ones are Missing), and refuses what fits none, in
// Python's words.
func (a *Args) Bind(params ...string) ([]any, error) {
	if len(a.Positional) > len(params) {
		return nil, a.tooMany(len(params))
	}
	n := len(a.Positional)
	out, missing := a.pad(len(params)), []string(nil)
	for i, p := range params[n:] {
		name, optional := strings.CutSuffix(p, "=")
		if v, ok := a.Keywords.named(name); ok {
			out[n+i] = v
		} else if !optional {
			missing = append(missing, "'"+name+"'")
		}
	}
	if len(missing) > 0 {
		return nil, argumentErrorf("missing %d required positional argument%s: %s", len(missing), strings.Repeat("s", min(len(missing)-1, 1)), listed(missing))
	}
	for k := range a.Keywords.All() {
		switch i := parameter(params, k); {
		case i < 0:
			return nil, &argumentError{fmt.Sprintf("got an unexpected keyword argument '%s'", Str(k)), false, Str(k), names(params)}
		case i < n:
			return nil, argumentErrorf("got multiple values for argument '%s'", Str(k))
		}
	}
	return out, nil
}

// listed are names as Python lists them in a sentence.
func listed(names []string) string {
	last := len(names) - 1
	switch last {
	case 0:
		return names[0]
	case 1:
		return names[0] + " and " + names[1]
	}
	return strings.Join(names[:last], ", ") + ", and " + names[last]
}

// pad gives the positional arguments, and Missing up to n.
func (a *Args) pad(n int) []any {
	if a.Keywords == nil && len(a.padded) >= n {
		return a.padded[:n]
	}
	out := make([]any, n)
	for i := copy(out, a.Positional); i < n; i++ {
		out[i] = Missing
	}
	return out
}

// names are those of parameters.
func names(params []string) []string {
	out := make([]string, len(params))
	for i, p := range params {
		out[i] = strings.TrimSuffix(p, "=")
	}
	return out
}

func (a *Args) tooMany(most int) error {
	if most == 0 {
		return argumentErrorf("takes no arguments (%d given)", len(a.Positional))
	}
	plural := "s"
	if most == 1 {
		plural = ""
	}
	return argumentErrorf("takes at most %d argument%s (%d given)", most, plural, len(a.Positional))
}

func parameter(params []string, name any) int {
	for i, p := range params {
		if strings.TrimSuffix(p, "=") == name {
			return i
		}
	}
	return -1
}

type missing struct{}

// Missing stands for an optional argument that was not given.
var Missing any = missing{}
