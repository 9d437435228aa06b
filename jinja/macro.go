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
	// autoescape is whether its text escapes what it puts in.
	autoescape bool
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
	f := newFrame(m.fn, up, c, up.tmpl, up.vars, nil)
	f.out = &f.text
	f.out.Grow(64)
	err := c.escaping(m.autoescape, func() error {
		if err := m.bind(f, args); err != nil {
			return err
		}
		return execAll(f, m.body)
	})
	if err != nil {
		return nil, err
	}
	return c.text(f.out.String()), nil
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
		if v, ok := args.Keywords.named(name); ok {
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
	return c.text(out.String()), nil
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
