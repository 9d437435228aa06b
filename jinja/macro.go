package jinja

import (
	"fmt"
	"slices"
	"strings"
)

// Macro is a macro, or the caller of a call block.
type Macro struct {
	*macro
	frame *frame // where it was defined
	name  string
}

// Attr gives what templates may know of a macro.
func (m *Macro) Attr(name string) (any, bool) {
	switch name {
	case "name":
		return m.name, true
	case "arguments":
		out := make(Tuple, len(m.params))
		for i, p := range m.params {
			out[i] = p
		}
		return out, true
	case "catch_kwargs":
		return m.kwargs >= 0, true
	case "catch_varargs":
		return m.varargs >= 0, true
	case "caller":
		return m.caller >= 0, true
	}
	return nil, false
}

// Call runs the macro and gives its text.
func (m *Macro) Call(c *Context, args *Args) (any, error) {
	up := m.frame
	f := newFrame(m.fn, up, c, up.tmpl, up.vars, &output{})
	if err := m.bind(f, args); err != nil {
		return nil, err
	}
	if err := execAll(f, m.body); err != nil {
		return nil, err
	}
	return c.text(string(f.out.buf)), nil
}

func (m *Macro) bind(f *frame, args *Args) error {
	n := len(m.params)
	used := 0
	for i, name := range m.params {
		slot := m.slots[i]
		if i < len(args.Positional) {
			f.slots[slot] = args.Positional[i]
			continue
		}
		if v, ok := args.Keywords.Get(name); ok {
			f.slots[slot] = v
			used++
			continue
		}
		if d := i - (n - len(m.defaults)); d >= 0 {
			v, err := m.defaults[d].eval(f)
			if err != nil {
				return err
			}
			f.slots[slot] = v
			continue
		}
		f.slots[slot] = &Undefined{Name: name, Hint: fmt.Sprintf("parameter %s was not provided", Repr(name))}
	}
	if m.caller >= 0 && !slices.Contains(m.params, "caller") {
		v, ok := args.Keywords.Get("caller")
		if ok {
			used++
		} else {
			v = &Undefined{Name: "caller", Hint: "No caller defined"}
		}
		f.slots[m.caller] = v
	}
	if err := m.bindKeywords(f, args, used); err != nil {
		return err
	}
	rest := Tuple{}
	if len(args.Positional) > n {
		rest = Tuple(args.Positional[n:])
	}
	switch {
	case m.varargs >= 0:
		f.slots[m.varargs] = rest
	case len(rest) > 0:
		return typeErrorf("macro %s takes not more than %d argument(s)", Repr(m.name), n)
	}
	return nil
}

// bindKeywords takes the keywords that are no parameters.
func (m *Macro) bindKeywords(f *frame, args *Args, used int) error {
	if m.kwargs < 0 && args.Keywords.Len() == used {
		return nil
	}
	rest := &Dict{}
	for k, v := range args.Keywords.All() {
		i := slices.Index(m.params, Str(k))
		if i >= len(args.Positional) || k == "caller" && m.caller >= 0 {
			continue
		}
		if m.kwargs < 0 {
			return typeErrorf("macro %s takes no keyword argument %s", Repr(m.name), Repr(k))
		}
		rest.Set(k, v)
	}
	if m.kwargs >= 0 {
		f.slots[m.kwargs] = rest
	}
	return nil
}

// Module is an imported template: what it set and its macros.
type Module struct {
	name   string
	text   string
	layers []layer
}

// Attr is what the template exports under a name.
func (m *Module) Attr(name string) (any, bool) {
	if strings.HasPrefix(name, "_") {
		return nil, false
	}
	for i := len(m.layers) - 1; i >= 0; i-- {
		l := m.layers[i]
		if n, ok := l.names[name]; ok && !n.param {
			if v := l.frame.slots[n.slot]; v != unset {
				return v, true
			}
		}
	}
	return nil, false
}

// loop is the variable loop.
type loop struct {
	stmt  *forStmt
	frame *frame
	seq   sequence
	index int
	depth int
	last  []any // of changed
	asked bool  // changed was called
}

func (l *loop) Attr(name string) (any, bool) {
	switch name {
	case "index":
		return l.index + 1, true
	case "index0":
		return l.index, true
	case "revindex":
		return l.seq.n - l.index, true
	case "revindex0":
		return l.seq.n - l.index - 1, true
	case "first":
		return l.index == 0, true
	case "last":
		return l.index == l.seq.n-1, true
	case "length":
		return l.seq.n, true
	case "depth":
		return l.depth + 1, true
	case "depth0":
		return l.depth, true
	case "previtem":
		if l.index == 0 {
			return &Undefined{Name: "previtem", Hint: "there is no previous item"}, true
		}
		return l.seq.at(l.index - 1), true
	case "nextitem":
		if l.index >= l.seq.n-1 {
			return &Undefined{Name: "nextitem", Hint: "there is no next item"}, true
		}
		return l.seq.at(l.index + 1), true
	case "cycle":
		return Func(l.cycle), true
	case "changed":
		return Func(l.changed), true
	}
	return nil, false
}

func (l *loop) cycle(_ *Context, args *Args) (any, error) {
	if len(args.Positional) == 0 {
		return nil, typeErrorf("no items for cycling given")
	}
	return args.Positional[l.index%len(args.Positional)], nil
}

func (l *loop) changed(_ *Context, args *Args) (any, error) {
	same, err := equalItems(l.last, args.Positional, 0)
	if err != nil {
		return nil, err
	}
	same = same && l.asked
	l.asked, l.last = true, args.Positional
	return !same, nil
}

// Call runs a recursive loop on the items of a level below.
func (l *loop) Call(c *Context, args *Args) (any, error) {
	if !l.stmt.recursive {
		return nil, typeErrorf("The loop must have the 'recursive' marker to be called recursively.")
	}
	bound, err := args.Bind("iterable")
	if err != nil {
		return nil, err
	}
	out := &output{}
	if err := l.stmt.recurse(l.frame.up, bound[0], l.depth+1, out); err != nil {
		return nil, err
	}
	return c.text(string(out.buf)), nil
}

// rest are the items that are still to come.
func (l *loop) rest() ([]any, error) {
	var out []any
	for i := l.index + 1; i < l.seq.n && len(out) < maxItems; i++ {
		out = append(out, l.seq.at(i))
	}
	return out, nil
}

// selfObject is the variable self: self.name() is a block's text.
type selfObject struct{ frame *frame }

func (s *selfObject) Attr(name string) (any, bool) {
	chain := s.frame.vars.blocks[name]
	if len(chain) == 0 {
		return nil, false
	}
	return &blockText{s.frame, chain}, true
}

// blockText is self.name or super: called, it gives the block's text.
type blockText struct {
	frame *frame
	chain []*block
}

func (b *blockText) Call(c *Context, args *Args) (any, error) {
	if _, err := args.Bind(); err != nil {
		return nil, err
	}
	out := &output{}
	if err := runBlock(c, b.chain, b.frame.vars, out); err != nil {
		return nil, err
	}
	return c.text(string(out.buf)), nil
}

func (b *blockText) Attr(name string) (any, bool) {
	if name == "super" {
		return superOf(b.frame, b.chain), true
	}
	return nil, false
}

func superOf(f *frame, chain []*block) any {
	if len(chain) < 2 {
		return &Undefined{Name: "super", Hint: fmt.Sprintf("there is no parent block called %s.", Repr(chain[0].name))}
	}
	return &blockText{f, chain[1:]}
}
