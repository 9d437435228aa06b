package filters

import (
	"errors"
	"fmt"
	"strings"

	"gplay/jinja"
)

var setFilters = map[string]jinja.Filter{
	"difference":           setFilter(func(a, b []any) []any { return without(a, b) }),
	"intersect":            setFilter(func(a, b []any) []any { return without(a, without(a, b)) }),
	"symmetric_difference": setFilter(func(a, b []any) []any { return concat(without(a, b), without(b, a)) }),
	"union":                union,
	"unique":               uniqueFilter,
}

func setFilter(f func(a, b []any) []any) jinja.Filter {
	return func(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
		p := bind(args, "b")
		a, err := jinja.Iterate(v)
		other := p.value(0, nil)
		if err = errors.Join(err, p.err); err != nil {
			return nil, err
		}
		b, err := jinja.Iterate(other)
		if err != nil {
			return nil, err
		}
		return list(unique(f(a, b), func(v any) any { return v })), nil
	}
}

// union takes lists only with each other, as Python adds them.
func union(c *jinja.Context, v any, args *jinja.Args) (any, error) {
	_, isList := v.(*jinja.List)
	other := bind(args, "b").value(0, nil)
	if _, ok := other.(*jinja.List); isList && !ok {
		return nil, jinja.TypeErrorf("can only concatenate list (not \"%s\") to list", jinja.TypeName(other))
	}
	return setFilter(concat)(c, v, args)
}

// unique keeps the first of the items whose keys are equal.
func unique(items []any, key func(any) any) []any {
	var kept, keys []any
	for _, item := range items {
		if k := key(item); indexOf(keys, k) < 0 {
			kept, keys = append(kept, item), append(keys, k)
		}
	}
	return kept
}

func uniqueFilter(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "case_sensitive=", "attribute=")
	sensitive := p.truth(0, false)
	attribute := p.value(1, nil)
	items, err := jinja.Iterate(v)
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	var failed error
	kept := unique(items, func(v any) any {
		if attribute != nil {
			found, err := attributeOf(v, attribute)
			if err != nil {
				failed = err
			}
			v = found
		}
		if s, ok := v.(string); ok && !sensitive {
			return strings.ToLower(s)
		}
		return v
	})
	return list(kept), failed
}

// attributeOf follows a dotted path of keys and indexes.
func attributeOf(v, attribute any) (any, error) {
	path := []any{attribute}
	if s, ok := attribute.(string); ok {
		path = nil
		for _, part := range strings.Split(s, ".") {
			path = append(path, indexOrName(part))
		}
	}
	for _, key := range path {
		found, ok, err := item(v, key)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("%s has no attribute %s", jinja.TypeName(v), jinja.Repr(key))
		}
		v = found
	}
	return v, nil
}

var setTests = map[string]jinja.Test{
	"contains": func(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
		p := bind(args, "value")
		value := p.value(0, nil)
		if err := errors.Join(p.err, undefined(v)); err != nil {
			return false, err
		}
		return in(value, v)
	},
	"isnan": isNaN, "nan": isNaN,
	"issubset": subset(false), "subset": subset(false),
	"issuperset": subset(true), "superset": subset(true),
}

// subset tests whether all of one is in the other; the other way round when turned.
func subset(turned bool) jinja.Test {
	return func(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
		p := bind(args, "b")
		part, whole := v, p.value(0, nil)
		if turned {
			part, whole = whole, part
		}
		if p.err != nil {
			return false, p.err
		}
		a, err := jinja.Iterate(part)
		b, err2 := jinja.Iterate(whole)
		return len(without(a, b)) == 0, errors.Join(err, err2)
	}
}
