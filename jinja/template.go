package jinja

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
)

// Template is a compiled template. It may be used by many at once.
type Template struct {
	env     *Environment
	name    string
	body    []stmt
	fn      *function
	scope   *scope
	self    int // slot
	blocks  map[string]*block
	free    []string
	changes bool         // it may change lists or dicts
	unknown []error      // filters and tests that do not exist
	size    atomic.Int64 // of the last text, for the next one
}

// Expr is a compiled expression.
type Expr struct {
	tmpl *Template
	x    expr
}

// Compile parses and compiles a template; name is for error messages.
func (e *Environment) Compile(name, text string) (t *Template, err error) {
	defer guard(&err)
	opt := e.Options.withDefaults()
	tokens, unread := lex(opt, text)
	p := e.parser(name, tokens)
	p.tmpl.body, _, err = p.body()
	if err = p.firstOf(err, unread); err == nil {
		err = p.finish()
	}
	if err != nil {
		return nil, named(err, name)
	}
	return p.tmpl, nil
}

// CompileExpr compiles one expression, without its delimiters.
func (e *Environment) CompileExpr(text string) (compiled *Expr, err error) {
	defer guard(&err)
	tokens, unread := lexExpression(e.Options.withDefaults(), text)
	p := e.parser("", tokens)
	if p.tok().kind == tokEOF && unread == nil {
		return nil, p.tok().pos.error("an expression is expected")
	}
	x, err := p.tuple(true, false)
	if err = p.firstOf(err, unread); err == nil && p.tok().kind != tokEOF {
		err = p.tok().pos.errorf("unexpected %s after the expression", Repr(p.tok().what()))
	}
	if err == nil {
		err = p.finish()
	}
	if err != nil {
		return nil, err
	}
	return &Expr{p.tmpl, x}, nil
}

// named gives a fault in the text of a template its name.
func named(err error, name string) error {
	var e *Error
	if errors.As(err, &e) && e.Template == "" {
		e.Template = name
	}
	return err
}

func (e *Environment) parser(name string, tokens []token) *parser {
	fn := &function{}
	t := &Template{env: e, name: name, fn: fn, scope: newScope(nil, fn), blocks: map[string]*block{}}
	t.scope.root = true
	t.self = t.scope.declare("self", true)
	return &parser{env: e, tmpl: t, tokens: tokens, scope: t.scope, blocks: t.blocks}
}

// finish resolves names, which are all declared now.
func (p *parser) finish() error {
	if len(p.tmpl.unknown) > 0 {
		return p.tmpl.unknown[0]
	}
	for _, fix := range p.fixups {
		fix()
	}
	caches := map[*function]map[string]int{}
	for _, n := range p.names {
		slots, local := n.scope.resolve(n.name)
		n.slots, n.local = slots, local
		inLoop := n.name == "loop" && len(slots) > 0
		if !local && !inLoop && !slices.Contains(p.tmpl.free, n.name) {
			p.tmpl.free = append(p.tmpl.free, n.name)
		}
		if len(slots) > 0 {
			continue
		}
		fn := n.scope.fn
		if caches[fn] == nil {
			caches[fn] = map[string]int{}
		}
		cache, ok := caches[fn][n.name]
		if !ok {
			cache = fn.slots
			fn.slots++
			caches[fn][n.name] = cache
		}
		n.cache = cache
	}
	return nil
}

// Names are the variables that t may take from its scope, in the order of their
// first use. Includes and imports may use others.
func (t *Template) Names() []string { return slices.Clone(t.free) }

// Names are the variables that x may take from its scope.
func (x *Expr) Names() []string { return slices.Clone(x.tmpl.free) }

// IsText reports whether t is plain text, and gives it.
func (t *Template) IsText() (string, bool) {
	switch len(t.body) {
	case 0:
		return "", true
	case 1:
		if s, ok := t.body[0].(*textStmt); ok {
			return s.text, true
		}
	}
	return "", false
}

func (t *Template) single() expr {
	if len(t.body) == 1 {
		if out, ok := t.body[0].(*outputStmt); ok {
			return out.x
		}
	}
	return nil
}

// Render gives the template's text.
func (t *Template) Render(ctx context.Context, scope Scope) (text string, err error) {
	defer guard(&err)
	c := newContext(ctx, t, scope)
	out := &output{}
	out.Grow(int(t.size.Load()))
	if err := t.run(c, c.vars, out); err != nil {
		return "", err
	}
	t.size.Store(int64(out.Len()))
	return out.String(), nil
}

// Eval gives the value of a template: the value itself (any type, Undefined
// too) where the template is one expression and nothing else, else its text.
func (t *Template) Eval(ctx context.Context, scope Scope) (value any, single bool, err error) {
	x := t.single()
	if x == nil {
		value, err = t.Render(ctx, scope)
		return value, false, err
	}
	value, err = (&Expr{t, x}).Eval(ctx, scope)
	return value, true, err
}

// Eval gives its value; it may be *Undefined.
func (x *Expr) Eval(ctx context.Context, scope Scope) (value any, err error) {
	defer guard(&err)
	c := newContext(ctx, x.tmpl, scope)
	f := x.tmpl.frame(c, c.vars, &output{})
	value, err = x.x.eval(f)
	switch v := value.(type) {
	case Markup:
		value = string(v)
	case *Undefined:
		if v.soft {
			value = ""
		}
	}
	return value, err
}

// guard makes an error of a panic: a fault of this package must not end the
// program that uses it.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the template engine failed: %v", r)
	}
}

func (t *Template) frame(c *Context, vars *variables, out *output) *frame {
	if t.changes && c.vars.copies == nil {
		c.vars.copies = map[string]any{}
	}
	f := newFrame(t.fn, nil, c, t, vars, out)
	f.slots[t.self] = &selfObject{f}
	if t.scope.exports() {
		vars.layers = append(vars.layers, layer{t.scope.names, f})
	}
	return f
}

// exports tells whether the template sets variables of its own.
func (s *scope) exports() bool { return len(s.names) > 1 }

// run executes the template, then the one it extends.
func (t *Template) run(c *Context, vars *variables, out *output) error {
	for n := 0; t != nil; n++ {
		if n > maxCalls {
			return errTooDeep
		}
		for name, b := range t.blocks {
			if vars.blocks == nil {
				vars.blocks = map[string][]*block{}
			}
			vars.blocks[name] = append(vars.blocks[name], b)
		}
		f := t.frame(c, vars, out)
		f.root, f.silenced = true, f
		err := c.escaping(t.env.Options.Autoescape, func() error { return execAll(f, t.body) })
		if err != nil {
			return err
		}
		t = f.parent
	}
	return nil
}
