package jinja

import (
	"errors"
	"fmt"
	"slices"
)

func (x *constExpr) eval(*frame) (any, error) { return x.value, nil }

func (n *nameExpr) eval(f *frame) (any, error) {
	if n.cache >= 0 {
		if v := f.slots[n.cache]; v != unset {
			return v, nil
		}
		v, err := n.lookup(f)
		// As in Python, each use of what is undefined makes another value.
		if _, undefined := v.(*Undefined); err == nil && !undefined {
			f.slots[n.cache] = v
		}
		return v, err
	}
	for _, s := range n.slots {
		if v := f.slot(s); v != unset {
			return v, nil
		}
	}
	if n.local {
		return n.undefined(f), nil
	}
	return n.lookup(f)
}

func (n *nameExpr) lookup(f *frame) (any, error) {
	v, ok, err := f.vars.Lookup(n.name)
	if err != nil {
		return nil, n.fail(f, err)
	}
	if !ok {
		return n.undefined(f), nil
	}
	return v, nil
}

func (n *nameExpr) undefined(f *frame) *Undefined {
	return &Undefined{Name: n.name, place: n.pos, tmpl: f.tmpl}
}

// placed notes where an attribute or item was asked for that there is not.
func (p pos) placed(f *frame, v any) any {
	if u, ok := v.(*Undefined); ok && u.owner != "" && u.tmpl == nil {
		u.place, u.tmpl = p, f.tmpl
	}
	return v
}

func evalAll(f *frame, xs []expr) ([]any, error) {
	out := make([]any, len(xs))
	for i, x := range xs {
		v, err := x.eval(f)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (x *tupleExpr) eval(f *frame) (any, error) {
	items, err := evalAll(f, x.items)
	return Tuple(items), err
}

func (x *listExpr) eval(f *frame) (any, error) {
	items, err := evalAll(f, x.items)
	return &List{Items: items}, err
}

func (x *dictExpr) eval(f *frame) (any, error) {
	d := &Dict{items: make([]entry, 0, len(x.keys))}
	for i := range x.keys {
		k, err := x.keys[i].eval(f)
		if err != nil {
			return nil, err
		}
		if err := hashable(k); err != nil {
			return nil, x.keys[i].at().fail(f, err)
		}
		v, err := x.values[i].eval(f)
		if err != nil {
			return nil, err
		}
		d.Set(k, v)
	}
	return d, nil
}

func (x *attrExpr) eval(f *frame) (any, error) {
	object, err := x.object.eval(f)
	if err != nil {
		return nil, err
	}
	if d, ok := object.(*Dict); ok && !x.method {
		if v, ok := d.named(x.name); ok {
			return d.Typed(v), nil
		}
	}
	v, err := attributeOf(object, x.name, x.key)
	if err != nil {
		return nil, x.fail(f, err)
	}
	return x.placed(f, v), nil
}

func (x *itemExpr) eval(f *frame) (any, error) {
	object, err := x.object.eval(f)
	if err != nil {
		return nil, err
	}
	key, err := x.key.eval(f)
	if err != nil {
		return nil, err
	}
	v, err := item(object, key)
	if err != nil {
		return nil, x.fail(f, err)
	}
	return x.placed(f, v), nil
}

func (x *sliceExpr) eval(f *frame) (any, error) {
	object, err := x.object.eval(f)
	if err != nil {
		return nil, err
	}
	var bounds [3]any
	for i, b := range [3]expr{x.from, x.to, x.step} {
		if b == nil {
			continue
		}
		if bounds[i], err = b.eval(f); err != nil {
			return nil, err
		}
	}
	v, err := slice(object, bounds[0], bounds[1], bounds[2])
	if err != nil {
		return nil, x.fail(f, err)
	}
	return v, nil
}

var noArgs = &Args{}

// givenArgs are arguments with room for what most filters take.
type givenArgs struct {
	Args
	few [3]any
}

func newArgs(written *argList) *Args {
	n := len(written.positional)
	g := &givenArgs{few: [3]any{Missing, Missing, Missing}}
	g.written, g.padded = written, g.few[:]
	if n > len(g.few) {
		g.padded = make([]any, n)
	}
	g.Positional = g.padded[:n:n]
	return &g.Args
}

func (a *argList) eval(f *frame) (*Args, error) {
	switch {
	case a == nil:
		return noArgs, nil
	case a.constant != nil:
		return a.constant, nil
	}
	args := newArgs(a)
	for i, x := range a.positional {
		v, err := x.eval(f)
		if err != nil {
			return nil, err
		}
		args.Positional[i] = v
	}
	if a.star != nil {
		v, err := a.star.eval(f)
		if err != nil {
			return nil, err
		}
		items, err := Iterate(v)
		if _, undefined := v.(*Undefined); err != nil && !undefined {
			err = typeErrorf("Value after * must be an iterable, not %s", typeName(v))
		}
		if err != nil {
			return nil, a.star.at().fail(f, err)
		}
		args.Positional, args.padded = append(args.Positional, items...), nil
	}
	if len(a.names) == 0 && a.stars == nil {
		return args, nil
	}
	args.Keywords = &Dict{items: make([]entry, 0, len(a.names))}
	for i, name := range a.names {
		v, err := a.named[i].eval(f)
		if err != nil {
			return nil, err
		}
		args.Keywords.Set(name, v)
	}
	if a.stars != nil {
		return args, a.keywords(f, args.Keywords)
	}
	return args, nil
}

// blame is the place of the keyword that err is about, else that of the call.
func (a *argList) blame(call pos, err error) pos {
	var fault *argumentError
	if a != nil && errors.As(err, &fault) {
		if i := slices.Index(a.names, fault.wanted); i >= 0 {
			return a.places[i]
		}
	}
	return call
}

// keywords adds the items of **x.
func (a *argList) keywords(f *frame, to *Dict) error {
	v, err := a.stars.eval(f)
	if err != nil {
		return err
	}
	at := a.stars.at()
	m, ok := v.(Mapping)
	if !ok {
		if u, undefined := v.(*Undefined); undefined {
			return at.fail(f, &undefinedError{u})
		}
		return at.errorf("argument after ** must be a mapping, not %s", typeName(v))
	}
	for _, k := range m.Keys() {
		name, ok := text(k)
		if !ok {
			return at.error("keywords must be strings")
		}
		if _, double := to.Get(name); double {
			return at.errorf("got multiple values for keyword argument '%s'", name)
		}
		value, _, err := mappingGet(m, k)
		if err != nil {
			return at.fail(f, err)
		}
		to.Set(name, value)
	}
	return nil
}

func (x *callExpr) eval(f *frame) (any, error) {
	attr, isAttr := x.fn.(*attrExpr)
	if !isAttr {
		fn, err := x.fn.eval(f)
		if err != nil {
			return nil, err
		}
		return x.call(f, fn)
	}
	object, err := attr.object.eval(f)
	if err != nil {
		return nil, err
	}
	if m, ok := methodOf(object, attr.name); ok {
		args, err := x.args.eval(f)
		if err != nil {
			return nil, err
		}
		v, err := m(f.c, object, args)
		if err == nil {
			err = f.c.spend(object, v)
		}
		if err != nil {
			return nil, x.fail(f, namedCall(attr.name, err))
		}
		return v, nil
	}
	fn, err := attribute(object, attr.name)
	if err != nil {
		return nil, attr.fail(f, err)
	}
	return x.call(f, fn)
}

func (x *callExpr) call(f *frame, fn any) (any, error) {
	if u, ok := fn.(*Undefined); ok {
		return nil, x.fn.at().fail(f, &undefinedError{u})
	}
	args, err := x.args.eval(f)
	if err != nil {
		return nil, err
	}
	v, err := call(f.c, fn, args)
	if err != nil {
		err = namedCall(x.calledName(), err)
		return nil, x.args.blame(x.pos, err).fail(f, err)
	}
	return v, nil
}

func (x *callExpr) calledName() string {
	switch fn := x.fn.(type) {
	case *nameExpr:
		return fn.name
	case *attrExpr:
		return fn.name
	}
	return "function"
}

// namedCall puts the name of what was called before a fault in its arguments.
func namedCall(name string, err error) error {
	var a *argumentError
	if errors.As(err, &a) && !a.named {
		return &argumentError{name + "() " + a.msg, true, a.wanted, a.known}
	}
	return err
}

func call(c *Context, fn any, args *Args) (any, error) {
	callable, ok := fn.(Callable)
	if !ok {
		if u, undefined := fn.(*Undefined); undefined {
			return nil, &undefinedError{u}
		}
		return nil, typeErrorf("'%s' object is not callable", typeName(fn))
	}
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	if _, foreign := fn.(Func); foreign {
		args = plainArgs(args)
	}
	v, err := callable.Call(c, args)
	return normal(v), err
}

func (x *filterExpr) eval(f *frame) (any, error) {
	v, err := x.value.eval(f)
	if err != nil {
		return nil, err
	}
	return x.apply(f, v)
}

func (x *filterExpr) apply(f *frame, v any) (any, error) {
	if x.fn == nil {
		return nil, x.errorf("No filter named %s found.", Repr(x.name))
	}
	args, err := x.args.eval(f)
	if err != nil {
		return nil, err
	}
	if u, ok := v.(*Undefined); ok && !x.lenient && !(u.soft && !x.foreign) {
		return nil, x.undefined(f, u)
	}
	v, err = applyFilter(f.c, x.name, x.fn, x.lenient, x.foreign, v, args)
	if err != nil {
		return nil, x.args.blame(x.pos, err).fail(f, err)
	}
	return v, nil
}

// undefined blames the filter's value, not the filter.
func (x *filterExpr) undefined(f *frame, u *Undefined) error {
	at := x.pos
	if x.value != nil {
		at = x.value.at()
	}
	return at.fail(f, &undefinedError{u})
}

func applyFilter(c *Context, name string, fn Filter, lenient, foreign bool, v any, args *Args) (any, error) {
	if !lenient {
		if err := defined(v, args, foreign); err != nil {
			return nil, err
		}
	}
	switch {
	case lenient: // which may pass on what it is given
	case foreign:
		v, args = Plain(v), plainArgs(args)
	default:
		v, args = bare(v), bareArgs(args)
	}
	if err := c.spend(v); err != nil {
		return nil, err
	}
	v, err := fn(c, v, args)
	if err == nil {
		err = c.spend(v)
	}
	if err != nil {
		return nil, namedCall(name, err)
	}
	if foreign {
		v = normal(v)
	}
	if class := c.Env.TextClasses[name]; class != "" {
		return Text{Str(v), class}, nil
	}
	if view, ok := v.(*view); ok {
		return Unroll(view), nil
	}
	return v, nil
}

func applyTest(c *Context, name string, fn Test, lenient, foreign bool, v any, args *Args) (bool, error) {
	if !lenient {
		if err := defined(v, args, foreign); err != nil {
			return false, err
		}
	}
	switch {
	case foreign && !lenient:
		v, args = Plain(v), plainArgs(args)
	case !foreign:
		v, args = bare(v), bareArgs(args)
	}
	ok, err := fn(c, v, args)
	if err != nil {
		return false, namedCall(name, err)
	}
	return ok, nil
}

// defined is an error where one of the values is undefined. Soft ones and
// undefined arguments are Jinja2's own filters' business.
func defined(v any, args *Args, foreign bool) error {
	check := func(v any) error {
		if u, ok := v.(*Undefined); ok && (foreign || !u.soft) {
			return &undefinedError{u}
		}
		return nil
	}
	if err := check(v); err != nil || !foreign {
		return err
	}
	for _, v := range args.Positional {
		if err := check(v); err != nil {
			return err
		}
	}
	for _, v := range args.Keywords.All() {
		if err := check(v); err != nil {
			return err
		}
	}
	return nil
}

func (x *testExpr) eval(f *frame) (any, error) {
	v, err := x.value.eval(f)
	if err != nil {
		return nil, err
	}
	if x.fn == nil {
		return nil, x.errorf("No test named %s found.", Repr(x.name))
	}
	args, err := x.args.eval(f)
	if err != nil {
		return nil, err
	}
	ok, err := applyTest(f.c, x.name, x.fn, x.lenient, x.foreign, v, args)
	if err != nil {
		return nil, x.fail(f, err)
	}
	return ok != x.negate, nil
}

func (x *unaryExpr) eval(f *frame) (any, error) {
	v, err := x.x.eval(f)
	if err != nil {
		return nil, err
	}
	if v, err = unary(x.op, v); err != nil {
		return nil, x.fail(f, err)
	}
	return v, nil
}

func (x *binaryExpr) eval(f *frame) (any, error) {
	a, err := x.a.eval(f)
	if err != nil {
		return nil, err
	}
	b, err := x.b.eval(f)
	if err != nil {
		return nil, err
	}
	v, err := arithmetic(f.c, x.op, a, b)
	if err == nil {
		err = f.c.spend(v)
	}
	if err != nil {
		return nil, x.fail(f, err)
	}
	return v, nil
}

func (x *compareExpr) eval(f *frame) (any, error) {
	a, err := x.first.eval(f)
	if err != nil {
		return nil, err
	}
	for i, op := range x.ops {
		b, err := x.rest[i].eval(f)
		if err != nil {
			return nil, err
		}
		if err := f.c.spend(b); err != nil {
			return nil, x.fail(f, err)
		}
		ok, err := relation(op, a, b)
		if err != nil {
			return nil, x.fail(f, err)
		}
		if !ok {
			return false, nil
		}
		a = b
	}
	return true, nil
}

func (x *concatExpr) eval(f *frame) (any, error) {
	values, texts := make([]any, 0, 4), make([]string, 0, 4) // on the stack, mostly
	marked := false
	for _, part := range x.parts {
		v, err := part.eval(f)
		if err != nil {
			return nil, err
		}
		_, m := v.(Markup)
		marked = marked || m && f.c.autoescape
		values = append(values, v)
	}
	// As in Jinja2, texts are escaped only when one of them is safe.
	for i, v := range values {
		s, err := joined(v, marked)
		if err != nil {
			return nil, x.parts[i].at().fail(f, err)
		}
		texts = append(texts, s)
	}
	text, err := joinStrings(texts, "")
	if err != nil {
		return nil, x.fail(f, err)
	}
	if marked {
		return Markup(text), nil
	}
	return text, nil
}

func truthOf(f *frame, x expr) (bool, any, error) {
	v, err := x.eval(f)
	if err != nil {
		return false, nil, err
	}
	t, err := truth(v)
	if err != nil {
		return false, nil, x.at().fail(f, err)
	}
	return t, v, nil
}

func (x *notExpr) eval(f *frame) (any, error) {
	t, _, err := truthOf(f, x.x)
	return !t, err
}

func (x *logicExpr) eval(f *frame) (any, error) {
	t, v, err := truthOf(f, x.a)
	if err != nil || t == x.or {
		return v, err
	}
	return x.b.eval(f)
}

func (x *condExpr) eval(f *frame) (any, error) {
	t, _, err := truthOf(f, x.test)
	switch {
	case err != nil:
		return nil, err
	case t:
		return x.then.eval(f)
	case x.els != nil:
		return x.els.eval(f)
	}
	hint := fmt.Sprintf("the inline if-expression on line %d evaluated to false and no else section was defined.", x.line)
	return &Undefined{Hint: hint, soft: true}, nil
}
