package jinja

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// maxCalls is how deep macros, includes, blocks and recursive loops may call
// each other.
const maxCalls = 500

// Context is one rendering: what filters, tests and callables see of it.
type Context struct {
	context.Context
	Env *Environment

	tmpl       *Template // the one that is rendered
	vars       *variables
	autoescape bool
	depth      int // of calls
	steps      int
	pause      int // the step at which the limits are looked at
	most       int // steps
	written    int
	limit      int
}

func newContext(ctx context.Context, t *Template, scope Scope) *Context {
	if ctx == nil {
		ctx = context.Background()
	}
	c := &Context{Context: ctx, Env: t.env, tmpl: t, autoescape: t.env.Options.Autoescape, limit: t.env.MaxOutput}
	c.vars = &variables{outer: scope, env: t.env}
	if c.limit <= 0 {
		c.limit = maxSize
	}
	if c.most = t.env.MaxSteps; c.most <= 0 {
		c.most = maxSteps
	}
	return c
}

// Scope is what the template was rendered with, for the caller's own filters
// and callables.
func (c *Context) Scope() Scope { return c.vars.outer }

// Lookup gives a variable as the template sees it from outside of its loops.
func (c *Context) Lookup(name string) (value any, ok bool, err error) {
	return c.vars.Lookup(name)
}

// Filter applies a filter by its name.
func (c *Context) Filter(name string, value any, args *Args) (any, error) {
	fn, lenient, foreign, ok := c.Env.filter(name)
	if !ok {
		return nil, &NoSuch{"filter", name}
	}
	return applyFilter(c, name, fn, lenient, foreign, value, args)
}

// Test applies a test by its name.
func (c *Context) Test(name string, value any, args *Args) (bool, error) {
	fn, lenient, foreign, ok := c.Env.test(name)
	if !ok {
		return false, &NoSuch{"test", name}
	}
	return applyTest(c, name, fn, lenient, foreign, value, args)
}

// Call calls a value as the template would.
func (c *Context) Call(fn any, args *Args) (any, error) { return call(c, fn, args) }

// Attribute is object.name as the template would see it; it may be Undefined.
func (c *Context) Attribute(object any, name string) (any, error) { return attribute(object, name) }

// step counts work, and ends it when the context is done.
func (c *Context) step() error {
	c.steps++
	if c.steps < c.pause {
		return nil
	}
	c.pause = c.steps + 64
	if c.steps > c.most {
		return fmt.Errorf("the template does not end: it went through %d steps", c.most)
	}
	return c.Err()
}

// spend counts the work on values, which is more for large ones.
func (c *Context) spend(values ...any) error {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			c.steps += len(v) >> 6
		case Markup:
			c.steps += len(v) >> 6
		case Text:
			c.steps += len(v.Value) >> 6
		case *List:
			c.steps += len(v.Items) >> 3
		case Tuple:
			c.steps += len(v) >> 3
		case *Dict:
			c.steps += v.Len() >> 3
		case *big.Int:
			c.steps += v.BitLen() >> 3
		}
	}
	return c.step()
}

// maxSteps is more than any template of use takes, and over in a minute.
const maxSteps = 50_000_000

var errTooDeep = errors.New("maximum recursion depth exceeded")

func (c *Context) enter() error {
	c.depth++
	if c.depth > maxCalls {
		c.depth--
		return errTooDeep
	}
	return c.step()
}

func (c *Context) leave() { c.depth-- }

// variables are what a template's free names are looked up in: what it and
// its children set at their top level, the scope, the globals.
type variables struct {
	layers []layer
	outer  Scope
	env    *Environment
	blocks map[string][]*block // by name, the most derived first
	copies map[string]any      // of the scope's values, where a template may change them
}

// layer is the top level of one template.
type layer struct {
	names map[string]variable
	frame *frame
}

// Lookup gives a variable's value.
func (v *variables) Lookup(name string) (any, bool, error) {
	for i := len(v.layers) - 1; i >= 0; i-- {
		l := v.layers[i]
		if n, ok := l.names[name]; ok && !n.param {
			if value := l.frame.slots[n.slot]; value != unset {
				return value, true, nil
			}
		}
	}
	if v.outer != nil {
		value, ok, err := v.outer.Lookup(name)
		if ok || err != nil {
			return v.own(name, normal(value)), ok, err
		}
	}
	if value, ok := v.env.Globals[name]; ok {
		return normal(value), true, nil
	}
	value, ok := globals[name]
	return value, ok, nil
}

// local is the scope of an included template: what can be seen from the place
// of the include.
type local struct {
	names visible
	frame *frame
}

func (l *local) Lookup(name string) (any, bool, error) {
	for _, s := range l.names[name] {
		if v := l.frame.slot(s); v != unset {
			return v, true, nil
		}
	}
	return l.frame.vars.Lookup(name)
}

// unset is what a slot holds that has no value.
var unset any = new(struct{ _ byte })

// frame is one run of a function.
type frame struct {
	slots  []any
	few    [6]any // what slots are of, where they are enough
	text   output // what out is in macros
	up     *frame // of the function it stands in
	c      *Context
	tmpl   *Template
	vars   *variables
	out    *output
	root   bool      // a template's own
	parent *Template // the template that this one extends
	// silenced is the root frame whose parent drops the text of this one; nil
	// in macros and blocks.
	silenced *frame
}

func newFrame(fn *function, up *frame, c *Context, t *Template, vars *variables, out *output) *frame {
	f := &frame{up: up, c: c, tmpl: t, vars: vars, out: out}
	if fn.slots <= len(f.few) {
		f.slots = f.few[:fn.slots]
	} else {
		f.slots = make([]any, fn.slots)
	}
	for i := range f.slots {
		f.slots[i] = unset
	}
	return f
}

func (f *frame) slot(s slot) any {
	for range s.up {
		f = f.up
	}
	return f.slots[s.index]
}

func (f *frame) clear(s *scope) {
	for _, i := range s.sets {
		f.slots[i] = unset
	}
}

// output collects text.
type output struct{ strings.Builder }

// silent tells that text is dropped, as that of a template which extends
// another one is outside of its blocks.
func (f *frame) silent() bool { return f.silenced != nil && f.silenced.parent != nil }

func (f *frame) write(s string) error {
	if err := f.account(len(s)); err != nil {
		return err
	}
	f.out.WriteString(s)
	return nil
}

// account is an error where n more bytes are too many.
func (f *frame) account(n int) error {
	f.c.written += n
	if f.c.written > f.c.limit {
		return fmt.Errorf("the template makes more than %d bytes", f.c.limit)
	}
	return nil
}

// print writes what {{ }} gives.
func (f *frame) print(v any) error {
	if n, ok := v.(int); ok {
		var room [20]byte
		digits := strconv.AppendInt(room[:0], int64(n), 10)
		if err := f.account(len(digits)); err != nil {
			return err
		}
		f.out.Write(digits)
		return nil
	}
	s, err := joined(v, f.c.autoescape)
	if err != nil {
		return err
	}
	return f.write(s)
}

// capture runs a body and gives its text.
func (f *frame) capture(body []stmt) (string, error) {
	saved := f.out
	f.out = &output{}
	err := execAll(f, body)
	text := f.out.String()
	f.out = saved
	return text, err
}

// escaping runs a part of a template that escapes what it puts in, or not.
func (c *Context) escaping(on bool, run func() error) error {
	saved := c.autoescape
	c.autoescape = on
	err := run()
	c.autoescape = saved
	return err
}

// text is captured text as a value: safe where it was escaped already.
func (c *Context) text(s string) any {
	if c.autoescape {
		return Markup(s)
	}
	return s
}
