// Package jmespath finds things in template values by JMESPath expressions, as
// Python's jmespath does: dicts keep their order and numbers their kind.
package jmespath

import (
	"strings"

	"gplay/jinja"
)

// Expression is a compiled expression.
type Expression struct{ node node }

// Compile reads an expression.
func Compile(text string) (*Expression, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	whole, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if t := p.take(); t.kind != end {
		return nil, p.wrong(t, "the end")
	}
	return &Expression{whole.node}, nil
}

// Search evaluates the expression for a value.
func (e *Expression) Search(v any) (any, error) { return e.node(v) }

func identity(v any) (any, error) { return v, nil }

func items(v any) ([]any, bool) {
	switch v := v.(type) {
	case *jinja.List:
		return v.Items, true
	case jinja.Tuple:
		return v, true
	}
	return nil, false
}

// truth is JMESPath's: 0 is true.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case jinja.Mapping:
		return v.Len() > 0
	}
	list, ok := items(v)
	return !ok || len(list) > 0
}

func field(name string) node {
	return func(v any) (any, error) {
		if g, ok := v.(jinja.Getter); ok {
			found, _, err := g.Lookup(name)
			return found, err
		}
		if m, ok := v.(jinja.Mapping); ok {
			found, _ := m.Get(name)
			return found, nil
		}
		return nil, nil
	}
}

func chain(first, second node) node {
	return func(v any) (any, error) {
		v, err := first(v)
		if err != nil {
			return nil, err
		}
		return second(v)
	}
}

func not(inner node) node {
	return func(v any) (any, error) {
		v, err := inner(v)
		return !truth(v), err
	}
}

// either gives the left value where its truth is that of stop, else the right.
func either(left, right node, stop bool) node {
	return func(v any) (any, error) {
		first, err := left(v)
		if err != nil || truth(first) == stop {
			return first, err
		}
		return right(v)
	}
}

func item(i int) node {
	return func(v any) (any, error) {
		list, _ := items(v)
		at := i
		if at < 0 {
			at += len(list)
		}
		if at < 0 || at >= len(list) {
			return nil, nil
		}
		return list[at], nil
	}
}

func listOf(parts []node) node {
	return func(v any) (any, error) {
		if v == nil {
			return nil, nil
		}
		out := jinja.NewList()
		for _, part := range parts {
			found, err := part(v)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, found)
		}
		return out, nil
	}
}

func hashOf(keys []string, values []node) node {
	return func(v any) (any, error) {
		if v == nil {
			return nil, nil
		}
		out := jinja.NewDict()
		for i, key := range keys {
			found, err := values[i](v)
			if err != nil {
				return nil, err
			}
			out.Set(key, found)
		}
		return out, nil
	}
}

// project applies right to each item of the list that left gives, and drops
// nothings.
func project(left, right node) node {
	return func(v any) (any, error) {
		base, err := left(v)
		list, ok := items(base)
		if err != nil || !ok {
			return nil, err
		}
		out := jinja.NewList()
		for _, element := range list {
			found, err := right(element)
			if err != nil {
				return nil, err
			}
			if found != nil {
				out.Items = append(out.Items, found)
			}
		}
		return out, nil
	}
}

func valuesOf(left node) node {
	return func(v any) (any, error) {
		base, err := left(v)
		m, ok := base.(jinja.Mapping)
		if err != nil || !ok {
			return nil, err
		}
		out := jinja.NewList()
		for _, key := range m.Keys() {
			value, _ := m.Get(key)
			out.Items = append(out.Items, value)
		}
		return out, nil
	}
}

func filtered(left, condition node) node {
	return func(v any) (any, error) {
		base, err := left(v)
		list, ok := items(base)
		if err != nil || !ok {
			return nil, err
		}
		out := jinja.NewList()
		for _, element := range list {
			holds, err := condition(element)
			if err != nil {
				return nil, err
			}
			if truth(holds) {
				out.Items = append(out.Items, element)
			}
		}
		return out, nil
	}
}

func flatten(left node) node {
	return func(v any) (any, error) {
		base, err := left(v)
		list, ok := items(base)
		if err != nil || !ok {
			return nil, err
		}
		out := jinja.NewList()
		for _, element := range list {
			if inner, ok := items(element); ok {
				out.Items = append(out.Items, inner...)
			} else {
				out.Items = append(out.Items, element)
			}
		}
		return out, nil
	}
}

func compare(op kind, left, right node) node {
	return func(v any) (any, error) {
		a, err := left(v)
		if err != nil {
			return nil, err
		}
		b, err := right(v)
		switch {
		case err != nil:
			return nil, err
		case op == "==":
			return equal(a, b), nil
		case op == "!=":
			return !equal(a, b), nil
		case typeName(a) != "number" || typeName(b) != "number":
			return nil, nil
		}
		c, err := jinja.Compare(a, b)
		return c < 0 && strings.HasPrefix(string(op), "<") || c > 0 && strings.HasPrefix(string(op), ">") || c == 0 && strings.HasSuffix(string(op), "="), err
	}
}

// equal tells true from 1, which Python does not.
func equal(a, b any) bool {
	return (typeName(a) == "boolean") == (typeName(b) == "boolean") && jinja.Equal(a, b)
}

func slice(bounds [3]*int) node {
	return func(v any) (any, error) {
		list, ok := items(v)
		if !ok {
			return nil, nil
		}
		step := 1
		if bounds[2] != nil {
			step = *bounds[2]
		}
		if step == 0 {
			return nil, errStep
		}
		low, high := 0, len(list)
		if step < 0 {
			low, high = -1, len(list)-1
		}
		first, last := low, high
		if step < 0 {
			first, last = high, low
		}
		if bounds[0] != nil {
			first = within(*bounds[0], len(list), low, high)
		}
		if bounds[1] != nil {
			last = within(*bounds[1], len(list), low, high)
		}
		out := jinja.NewList()
		for i := first; step > 0 && i < last || step < 0 && i > last; i += step {
			out.Items = append(out.Items, list[i])
		}
		return out, nil
	}
}

func within(i, n, low, high int) int {
	if i < 0 {
		i += n
	}
	return min(max(i, low), high)
}
