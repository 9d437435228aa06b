package jinja

import (
	"errors"
	"fmt"
	"strings"
)

func execAll(f *frame, body []stmt) error {
	for _, s := range body {
		if err := s.exec(f); err != nil {
			return err
		}
	}
	return nil
}

func (s *textStmt) exec(f *frame) error {
	if f.silent() {
		return nil
	}
	return f.write(s.text)
}

func (s *outputStmt) exec(f *frame) error {
	if f.silent() {
		return nil
	}
	v, err := s.x.eval(f)
	if err != nil {
		return err
	}
	if finalize := f.c.Env.Finalize; finalize != nil {
		v = normal(finalize(v))
	}
	if err := f.print(v); err != nil {
		return s.fail(f, err)
	}
	return nil
}

func (s *ifStmt) exec(f *frame) error {
	for i, test := range s.tests {
		t, _, err := truthOf(f, test)
		if err != nil {
			return err
		}
		if t {
			return execAll(f, s.bodies[i])
		}
	}
	return execAll(f, s.els)
}

func (s *forStmt) exec(f *frame) error {
	v, err := s.iter.eval(f)
	if err != nil {
		return err
	}
	if s.recursive {
		return s.recurse(f, v, 0, f.out)
	}
	return s.run(f, v, 0)
}

// recurse runs one level of a recursive loop in a frame of its own.
func (s *forStmt) recurse(f *frame, v any, depth int, out *output) error {
	inner := newFrame(s.fn, f, f.c, f.tmpl, f.vars, out)
	inner.silenced = f.silenced
	return s.run(inner, v, depth)
}

func (s *forStmt) run(f *frame, v any, depth int) error {
	seq, err := sequenceOf(v)
	if err != nil {
		return s.iter.at().fail(f, err)
	}
	// As in Jinja2, else also runs where break or continue ended every turn.
	completed := false
	l := &loop{stmt: s, frame: f, seq: seq, index: -1, depth: depth, count: -1}
	for {
		more, err := l.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		f.clear(s.scope)
		f.slots[s.loopSlot] = l
		if err := s.target.assign(f, l.item); err != nil {
			return s.fail(f, err)
		}
		err = execAll(f, s.body)
		if err == errBreak {
			break
		}
		if err != nil && err != errContinue {
			return err
		}
		completed = completed || err == nil
	}
	if completed || s.elsScope == nil {
		return nil
	}
	f.clear(s.elsScope)
	return execAll(f, s.els)
}

func (s *setStmt) exec(f *frame) error {
	v, err := s.value.eval(f)
	if err != nil {
		return err
	}
	if err := s.target.assign(f, v); err != nil {
		return s.fail(f, err)
	}
	return nil
}

func (t *nameTarget) assign(f *frame, v any) error {
	f.slots[t.slot] = v
	return nil
}

func (t *tupleTarget) assign(f *frame, v any) error {
	items, err := Iterate(v)
	if err != nil {
		if _, ok := v.(*Undefined); ok {
			return err
		}
		return typeErrorf("cannot unpack non-iterable %s object", typeName(v))
	}
	if err := unpackable(items, len(t.items)); err != nil {
		return err
	}
	for i, target := range t.items {
		if err := target.assign(f, items[i]); err != nil {
			return err
		}
	}
	return nil
}

// unpackable is an error where there are not n items.
func unpackable(items []any, n int) error {
	switch {
	case len(items) < n:
		return valueErrorf("not enough values to unpack (expected %d, got %d)", n, len(items))
	case len(items) > n:
		return valueErrorf("too many values to unpack (expected %d)", n)
	}
	return nil
}

func (t *attrTarget) assign(f *frame, v any) error {
	object, err := t.object.eval(f)
	if err != nil {
		return err
	}
	ns, ok := object.(*Namespace)
	if !ok {
		return fmt.Errorf("cannot assign attribute on non-namespace object")
	}
	ns.attrs.Set(t.name, v)
	return nil
}

func (s *setBlockStmt) exec(f *frame) error {
	silenced := f.silenced
	f.silenced = nil
	v, err := filteredBody(f, s.scope, s.body, s.filters)
	f.silenced = silenced
	if err == nil && f.c.autoescape {
		v, err = safe(v)
	}
	if err != nil {
		return err
	}
	if err := s.target.assign(f, v); err != nil {
		return s.fail(f, err)
	}
	return nil
}

func filteredBody(f *frame, scope *scope, body []stmt, filters []*filterExpr) (any, error) {
	f.clear(scope)
	text, err := f.capture(body)
	if err != nil {
		return nil, err
	}
	v := f.c.text(text)
	for _, filter := range filters {
		if v, err = filter.apply(f, v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (s *filterStmt) exec(f *frame) error {
	v, err := filteredBody(f, s.scope, s.body, s.filters)
	if err != nil {
		return err
	}
	text, err := strOf(v)
	if err == nil {
		err = f.write(text)
	}
	if err != nil {
		return s.fail(f, err)
	}
	return nil
}

func (s *macroStmt) exec(f *frame) error {
	return s.target.assign(f, &Macro{s.macro, f, s.macro.name, f.c.autoescape})
}

func (s *callStmt) exec(f *frame) error {
	fn, err := s.call.fn.eval(f)
	if err != nil {
		return err
	}
	args, err := s.call.args.eval(f)
	if err != nil {
		return err
	}
	given := &Args{Positional: args.Positional, Keywords: args.Keywords.Copy()}
	given.Keywords.Set("caller", &Macro{s.macro, f, "caller", f.c.autoescape})
	v, err := call(f.c, fn, given)
	if err != nil {
		return s.call.fail(f, namedCall(s.call.calledName(), err))
	}
	text, err := strOf(v)
	if err == nil {
		err = f.write(text)
	}
	if err != nil {
		return s.fail(f, err)
	}
	return nil
}

func (s *withStmt) exec(f *frame) error {
	values, err := evalAll(f, s.values)
	if err != nil {
		return err
	}
	f.clear(s.scope)
	for i, target := range s.targets {
		if err := target.assign(f, values[i]); err != nil {
			return s.fail(f, err)
		}
	}
	return execAll(f, s.body)
}

func (s *autoescapeStmt) exec(f *frame) error {
	on, _, err := truthOf(f, s.on)
	if err != nil {
		return err
	}
	f.clear(s.scope)
	return f.c.escaping(on, func() error { return execAll(f, s.body) })
}

func (s *printStmt) exec(f *frame) error { return execAll(f, s.outputs) }

func (s *doStmt) exec(f *frame) error {
	_, err := s.x.eval(f)
	return err
}

func (s *breakStmt) exec(*frame) error    { return errBreak }
func (s *continueStmt) exec(*frame) error { return errContinue }

// load finds the template of a name.
func (f *frame) load(name any) (*Template, error) {
	if f.c.Env.Loader == nil {
		return nil, fmt.Errorf("no loader for this environment specified")
	}
	s, ok := text(name)
	if u, undefined := name.(*Undefined); undefined {
		return nil, &undefinedError{u}
	}
	if !ok {
		return nil, typeErrorf("the name of a template has to be a string, not %s", typeName(name))
	}
	t, err := f.c.Env.Loader(f.c, s)
	if errors.Is(err, ErrNotFound) {
		err = &NotFound{s, templateNotFound}
	}
	return t, err
}

// loadFirst finds the first template that there is of a name or several.
func (f *frame) loadFirst(v any) (*Template, error) {
	var names []any
	switch v.(type) {
	case *List, Tuple:
		names, _ = Iterate(v)
	default:
		return f.load(v)
	}
	var tried []string
	for _, n := range names {
		t, err := f.load(n)
		if !errors.Is(err, ErrNotFound) {
			return t, err
		}
		tried = append(tried, Str(n))
	}
	if len(tried) == 0 {
		return nil, &NotFound{"Tried to select from an empty list of templates.", templatesNotFound}
	}
	return nil, &NotFound{"none of the templates given were found: " + strings.Join(tried, ", "), templatesNotFound}
}

// seen is the scope of a template that is included or imported here.
func (f *frame) seen(withContext bool, names visible) *variables {
	v := &variables{env: f.c.Env}
	if withContext {
		v.outer = &local{names, f}
	}
	return v
}

func (s *includeStmt) exec(f *frame) error {
	name, err := s.name.eval(f)
	if err != nil {
		return err
	}
	t, err := f.loadFirst(name)
	if err != nil {
		if s.ignoreMissing && errors.Is(err, ErrNotFound) {
			return nil
		}
		return s.fail(f, err)
	}
	if err := f.c.enter(); err != nil {
		return s.fail(f, err)
	}
	defer f.c.leave()
	if err := t.run(f.c, f.seen(s.withContext, s.visible), f.out); err != nil {
		return s.fail(f, err)
	}
	return nil
}

func (s *importStmt) exec(f *frame) error {
	m, err := s.module(f)
	if err != nil {
		return s.fail(f, err)
	}
	if s.target != nil {
		return s.target.assign(f, m)
	}
	for i, name := range s.names {
		v, ok := m.Attr(name)
		if !ok {
			v = &Undefined{Name: name, Hint: fmt.Sprintf("the template %s (imported on line %d) does not export the requested name %s", Repr(m.name), s.line, Repr(name))}
		}
		if err := s.targets[i].assign(f, v); err != nil {
			return err
		}
	}
	return nil
}

func (s *importStmt) module(f *frame) (*Module, error) {
	name, err := s.name.eval(f)
	if err != nil {
		return nil, err
	}
	t, err := f.load(name)
	if err != nil {
		return nil, err
	}
	if err := f.c.enter(); err != nil {
		return nil, err
	}
	defer f.c.leave()
	vars := f.seen(s.withContext, s.visible)
	out := &output{}
	if err := t.run(f.c, vars, out); err != nil {
		return nil, err
	}
	return &Module{name: t.name, text: out.String(), layers: vars.layers}, nil
}

func (s *extendsStmt) exec(f *frame) error {
	if !f.root {
		return s.error("extends stands inside of a block or macro")
	}
	if f.parent != nil {
		return s.error("extended multiple times")
	}
	name, err := s.name.eval(f)
	if err != nil {
		return err
	}
	t, err := f.load(name)
	if err != nil {
		return s.fail(f, err)
	}
	f.parent = t
	return nil
}

func (s *blockStmt) exec(f *frame) error {
	if f.root && f.parent != nil && s.scope.root {
		return nil
	}
	chain := f.vars.blocks[s.block.name]
	if len(chain) == 0 {
		chain = []*block{s.block}
	}
	if s.block.required && len(chain) <= 1 {
		return s.errorf("Required block %s not found", Repr(s.block.name))
	}
	vars := f.vars
	if s.block.scoped {
		vars = &variables{outer: &local{s.visible, f}, env: vars.env, blocks: vars.blocks}
	}
	if err := runBlock(f.c, chain, vars, f.out); err != nil {
		return s.fail(f, err)
	}
	return nil
}

// runBlock runs the first block of a chain; the others are what super gives.
func runBlock(c *Context, chain []*block, vars *variables, out *output) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	b := chain[0]
	f := newFrame(b.fn, nil, c, b.tmpl, vars, out)
	f.slots[b.selfSlot] = &selfObject{f}
	f.slots[b.superSlot] = superOf(f, chain)
	return c.escaping(c.Env.Options.Autoescape, func() error { return execAll(f, b.body) })
}
