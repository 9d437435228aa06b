package jinja

// builtinFilter and builtinTest are Jinja2's own.
type builtinFilter struct {
	fn      Filter
	lenient bool // takes undefined values
}

type builtinTest struct {
	fn      Test
	lenient bool
}

// filter finds a filter: the caller's, else Jinja2's own. Foreign ones see no
// Markup.
func (e *Environment) filter(name string) (fn Filter, lenient, foreign, ok bool) {
	if fn, ok := e.Filters[name]; ok {
		return fn, e.Lenient[name], true, true
	}
	b, ok := filters[name]
	return b.fn, b.lenient, false, ok
}

func (e *Environment) test(name string) (fn Test, lenient, foreign, ok bool) {
	if fn, ok := e.Tests[name]; ok {
		return fn, e.Lenient[name], true, true
	}
	b, ok := tests[name]
	return b.fn, b.lenient, false, ok
}

// HasFilter tells whether templates can use the filter name.
func (e *Environment) HasFilter(name string) bool {
	_, _, _, ok := e.filter(name)
	return ok
}

// HasTest tells whether templates can use the test name.
func (e *Environment) HasTest(name string) bool {
	_, _, _, ok := e.test(name)
	return ok
}

// globals are what every template sees.
var globals = map[string]any{
	"range":     builtin(newRange),
	"dict":      builtin(newDict),
	"cycler":    builtin(newCycler),
	"joiner":    builtin(newJoiner),
	"namespace": builtin(newNamespace),
}

func newRange(_ *Context, args *Args) (any, error) {
	bound, err := args.Bind("start", "stop=", "step=")
	if err != nil {
		return nil, err
	}
	n := [3]int{0, 0, 1}
	for i, v := range bound {
		if v == Missing {
			continue
		}
		if n[i], err = index(v); err != nil {
			return nil, err
		}
	}
	if bound[1] == Missing {
		n[0], n[1] = 0, n[0]
	}
	if n[2] == 0 {
		return nil, valueErrorf("range() arg 3 must not be zero")
	}
	for i := range n {
		n[i] = max(-1<<60, min(n[i], 1<<60))
	}
	return &Range{n[0], n[1], n[2]}, nil
}

func newDict(_ *Context, args *Args) (any, error) {
	if len(args.Positional) > 1 {
		return nil, typeErrorf("dict expected at most 1 argument, got %d", len(args.Positional))
	}
	d := &Dict{}
	if err := update(d, args); err != nil {
		return nil, err
	}
	return d, nil
}

func newCycler(_ *Context, args *Args) (any, error) {
	if len(args.Positional) == 0 {
		return nil, typeErrorf("at least one item has to be provided")
	}
	return &cycler{items: args.Positional}, nil
}

func newJoiner(_ *Context, args *Args) (any, error) {
	bound, err := args.Bind("sep=")
	if err != nil {
		return nil, err
	}
	if bound[0] == Missing {
		return &joiner{sep: ", "}, nil
	}
	return &joiner{sep: bound[0]}, nil
}

func newNamespace(c *Context, args *Args) (any, error) {
	d, err := newDict(c, args)
	if err != nil {
		return nil, err
	}
	return &Namespace{d.(*Dict)}, nil
}
