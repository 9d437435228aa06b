package jinja

import (
	"math/big"
	"strings"
)

// Markup is text that is known to be safe in HTML: what the filters escape
// and safe give.
type Markup string

// Range is Python's range.
type Range struct{ Start, Stop, Step int }

// Len is the number of items.
func (r *Range) Len() int {
	switch {
	case r.Step > 0 && r.Start < r.Stop:
		return (r.Stop-r.Start-1)/r.Step + 1
	case r.Step < 0 && r.Start > r.Stop:
		return (r.Start-r.Stop-1)/-r.Step + 1
	}
	return 0
}

// At is the item at index i.
func (r *Range) At(i int) int { return r.Start + i*r.Step }

// Attr gives start, stop and step.
func (r *Range) Attr(name string) (any, bool) {
	switch name {
	case "start":
		return r.Start, true
	case "stop":
		return r.Stop, true
	case "step":
		return r.Step, true
	}
	return nil, false
}

// view is what dict.keys(), values() and items() give.
type view struct {
	kind string // dict_keys, dict_values, dict_items
	of   Mapping
}

func (v *view) items() ([]any, error) {
	if d, ok := v.of.(*Dict); ok && v.kind == "dict_items" {
		out := make([]any, 0, d.Len())
		for k, value := range d.All() {
			out = append(out, Tuple{d.Typed(k), d.Typed(value)})
		}
		return out, nil
	}
	keys := typedKeys(v.of)
	if v.kind == "dict_keys" {
		return keys, nil
	}
	out := make([]any, len(keys))
	for i, k := range keys {
		value, _, err := mappingGet(v.of, k)
		if err != nil {
			return nil, err
		}
		if v.kind == "dict_items" {
			value = Tuple{k, value}
		}
		out[i] = value
	}
	return out, nil
}

// Unroll makes lists of what Python computes lazily: ranges and the views of
// dicts. Other values stay as they are.
func Unroll(v any) any {
	switch v.(type) {
	case *Range, *view:
		if items, err := Iterate(v); err == nil {
			return &List{Items: append([]any(nil), items...)}
		}
	}
	return v
}

func mappingGet(m Mapping, key any) (any, bool, error) {
	key = bare(key)
	if g, ok := m.(Getter); ok {
		value, ok, err := g.Lookup(key)
		return normal(value), ok, err
	}
	value, ok := m.Get(key)
	if d, isDict := m.(*Dict); isDict {
		return d.Typed(value), ok, nil
	}
	return normal(value), ok, nil
}

// Namespace is what namespace() gives: the one object whose attributes
// templates can set.
type Namespace struct{ attrs *Dict }

// Attr is an attribute's value.
func (n *Namespace) Attr(name string) (any, bool) { return n.attrs.Get(name) }

// cycler is what cycler() gives.
type cycler struct {
	items []any
	at    int
}

func (c *cycler) Attr(name string) (any, bool) {
	switch name {
	case "current":
		return c.items[c.at], true
	case "items":
		return Tuple(c.items), true
	case "pos":
		return c.at, true
	case "next":
		return builtin(func(*Context, *Args) (any, error) { return c.next(), nil }), true
	case "reset":
		return builtin(func(*Context, *Args) (any, error) { c.at = 0; return nil, nil }), true
	}
	return nil, false
}

func (c *cycler) next() any {
	item := c.items[c.at]
	c.at = (c.at + 1) % len(c.items)
	return item
}

// joiner is what joiner() gives: nothing at the first call, then its separator.
type joiner struct {
	sep  any
	used bool
}

func (j *joiner) Call(c *Context, args *Args) (any, error) {
	if _, err := args.Bind(); err != nil {
		return nil, err
	}
	if !j.used {
		j.used = true
		return "", nil
	}
	return j.sep, nil
}

// Attr gives the separator, and whether it is used from now on.
func (j *joiner) Attr(name string) (any, bool) {
	switch name {
	case "sep":
		return j.sep, true
	case "used":
		return j.used, true
	}
	return nil, false
}

// bound is a method of a value: what `x.upper` gives without a call.
type bound struct {
	self any
	name string
	fn   method
}

// method is a Python method of a builtin type.
type method func(c *Context, self any, args *Args) (any, error)

func (b *bound) Call(c *Context, args *Args) (any, error) { return b.fn(c, b.self, args) }

// typeName is Python's name of v's type.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case Markup:
		return "Markup"
	case Text:
		return v.Class
	case []byte:
		return "bytes"
	case Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Range:
		return "range"
	case *view:
		return v.kind
	case interface{ TypeName() string }:
		return v.TypeName()
	case Mapping:
		return "dict"
	case *Undefined:
		return "AnsibleUndefined"
	case *bound:
		return "builtin_function_or_method"
	case *Macro:
		return "Macro"
	case *Namespace:
		return "Namespace"
	case *group:
		return "_GroupTuple"
	case *loop:
		return "LoopContext"
	case *Module:
		return "TemplateModule"
	case *cycler:
		return "Cycler"
	case *joiner:
		return "Joiner"
	case Callable:
		return "function"
	}
	return "object"
}

// ClassName is TypeName without the module's: Python's __name__ of the class.
func ClassName(v any) string {
	name := typeName(v)
	return name[strings.LastIndexByte(name, '.')+1:]
}

// TypeName is Python's name of v's type: int, str, NoneType, list, dict …
func TypeName(v any) string { return typeName(v) }

// ownerName is the type's name as it stands in messages about missing
// attributes.
func ownerName(v any) string {
	switch v := v.(type) {
	case interface{ Class() string }:
		return v.Class() + " object"
	case nil:
		return "None"
	case *Namespace, *cycler, *joiner:
		return "jinja2.utils." + typeName(v) + " object"
	case *Module:
		return "jinja2.environment.TemplateModule object"
	case Markup:
		return "markupsafe.Markup object"
	case *selfObject:
		return "jinja2.runtime.TemplateReference object"
	case *Macro, *loop:
		return "jinja2.runtime." + typeName(v) + " object"
	}
	return typeName(v) + " object"
}
