package jinja

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

func sortedKeys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }

func filterDefault(_ *Context, v any, a []any) (any, error) {
	if isUndefined(v) || enabled(a[1], false) && !Truth(v) {
		return given(a[0], ""), nil
	}
	return v, nil
}

func filterAttr(_ *Context, v any, a []any) (any, error) {
	name, ok := text(a[0])
	if !ok {
		return nil, typeErrorf("attribute name must be string, not '%s'", typeName(a[0]))
	}
	if u, ok := v.(*Undefined); ok {
		return u.deeper()
	}
	if value, ok := attributeOnly(v, name); ok {
		return value, nil
	}
	return &Undefined{Name: name, owner: ownerName(v), key: name}, nil
}

func filterLength(_ *Context, v any, _ []any) (any, error) { return Len(v) }

func filterList(_ *Context, v any, _ []any) (any, error) {
	items, err := Iterate(v)
	if err != nil {
		return nil, err
	}
	return &List{Items: slices.Clone(items)}, nil
}

func filterItems(_ *Context, v any, _ []any) (any, error) {
	if _, undefined := v.(*Undefined); undefined {
		return NewList(), nil
	}
	m, ok := v.(Mapping)
	if !ok {
		return nil, typeErrorf("Can only get item pairs from a mapping.")
	}
	items, err := (&view{"dict_items", m}).items()
	return &List{Items: items}, err
}

func filterFirst(_ *Context, v any, _ []any) (any, error) {
	items, err := typedItems(v)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return &Undefined{Hint: "No first item, sequence was empty."}, nil
	}
	return items[0], nil
}

func filterLast(_ *Context, v any, _ []any) (any, error) {
	items, err := typedItems(v)
	if err != nil {
		return nil, typeErrorf("'%s' object is not reversible", typeName(v))
	}
	if len(items) == 0 {
		return &Undefined{Hint: "No last item, sequence was empty."}, nil
	}
	last := items[len(items)-1]
	if s, ok := last.(string); ok {
		return like(v, s), nil
	}
	return last, nil
}

func filterRandom(_ *Context, v any, _ []any) (any, error) {
	if _, err := Len(v); err != nil {
		return nil, err
	}
	items, err := Iterate(v)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return &Undefined{Hint: "No random item, sequence was empty."}, nil
	}
	n := rand.IntN(len(items))
	if m, ok := v.(Mapping); ok {
		return item(m, n)
	}
	return items[n], nil
}

func filterReverse(_ *Context, v any, _ []any) (any, error) {
	if s, ok := text(v); ok {
		runes := []rune(s)
		slices.Reverse(runes)
		return like(v, string(runes)), nil
	}
	items, err := Iterate(v)
	if err != nil {
		return nil, fmt.Errorf("argument must be iterable")
	}
	return &List{Items: reversed(items)}, nil
}

// getter makes a function that takes an attribute, such as "a.b.0", of an
// item. A nil attribute is the item itself.
func getter(attribute, otherwise any, fold bool) func(any) (any, error) {
	path := attributePath(attribute)
	return func(v any) (any, error) {
		for _, part := range path {
			var err error
			if v, err = item(v, part); err != nil {
				return nil, err
			}
			if _, undefined := v.(*Undefined); undefined && otherwise != Missing && otherwise != nil {
				v = otherwise
			}
		}
		if fold {
			v = folded(v)
		}
		return v, nil
	}
}

// folded is a text in lower case, for comparing.
func folded(v any) any {
	if s, ok := text(v); ok {
		return strings.ToLower(s)
	}
	return v
}

func attributePath(attribute any) []any {
	switch a := attribute.(type) {
	case nil:
		return nil
	case string, Markup:
		var path []any
		s, _ := text(a)
		if !strings.ContainsAny(s, ".0123456789") {
			return []any{s}
		}
		for _, part := range strings.Split(s, ".") {
			if n, err := strconv.Atoi(part); err == nil && isASCII(part) && part[0] != '-' && part[0] != '+' {
				path = append(path, n)
			} else {
				path = append(path, part)
			}
		}
		return path
	}
	if attribute == Missing {
		return nil
	}
	return []any{attribute}
}

func filterJoin(c *Context, v any, a []any) (any, error) {
	items, err := Iterate(v)
	if err != nil {
		return nil, err
	}
	sep := given(a[0], "")
	get := getter(a[1], Missing, false)
	safe := false
	values := make([]any, len(items))
	for i, item := range items {
		if values[i], err = get(item); err != nil {
			return nil, err
		}
		_, marked := values[i].(Markup)
		safe = safe || marked
	}
	_, marked := sep.(Markup)
	safe = c.autoescape && (safe || marked)
	parts := make([]string, len(values))
	for i, value := range values {
		if parts[i], err = joined(value, safe); err != nil {
			return nil, err
		}
	}
	between, err := joined(sep, safe)
	if err != nil {
		return nil, err
	}
	out, err := joinStrings(parts, between)
	if safe {
		return Markup(out), err
	}
	return out, err
}

func joined(v any, safe bool) (string, error) {
	if safe {
		m, err := escapeValue(v)
		return string(m), err
	}
	return strOf(v)
}

func filterBatch(_ *Context, v any, a []any) (any, error) {
	items, err := Iterate(v)
	if err != nil {
		return nil, err
	}
	n, err := index(a[0])
	if err != nil {
		return nil, err
	}
	// As in Jinja2, none in a row is an empty row and one with all.
	var out []any
	if n <= 0 {
		if n == 0 && len(items) > 0 {
			out = append(out, NewList())
		}
		n = max(len(items), 1)
	}
	for from := 0; from < len(items); from += n {
		part := slices.Clone(items[from:min(from+n, len(items))])
		if fill := given(a[1], nil); fill != nil {
			if n > maxItems {
				return nil, errTooLarge
			}
			for len(part) < n {
				part = append(part, fill)
			}
		}
		out = append(out, &List{Items: part})
	}
	return &List{Items: out}, nil
}

func filterSlice(_ *Context, v any, a []any) (any, error) {
	items, err := Iterate(v)
	if err != nil {
		return nil, err
	}
	n, err := index(a[0])
	if err != nil {
		return nil, err
	}
	switch {
	case n == 0:
		return nil, fmt.Errorf("integer division or modulo by zero")
	case n < 0:
		return NewList(), nil
	case n > maxSize/64:
		return nil, errTooLarge
	}
	each, more := len(items)/n, len(items)%n
	out := make([]any, n)
	at := 0
	for i := range out {
		size := each
		if i < more {
			size++
		}
		part := slices.Clone(items[at : at+size])
		at += size
		if fill := given(a[1], nil); fill != nil && i >= more {
			part = append(part, fill)
		}
		out[i] = &List{Items: part}
	}
	return &List{Items: out}, nil
}

func filterDictSort(_ *Context, v any, a []any) (any, error) {
	m, ok := v.(Mapping)
	if !ok {
		return nil, fmt.Errorf("'%s' object has no attribute 'items'", typeName(v))
	}
	at := 0
	switch by := given(a[1], "key"); by {
	case "key":
	case "value":
		at = 1
	default:
		return nil, Exceptionf("jinja2.exceptions.FilterArgumentError", `You can only sort by either "key" or "value"`)
	}
	items, err := (&view{"dict_items", m}).items()
	if err != nil {
		return nil, err
	}
	fold := !enabled(a[0], false)
	sorted, err := sortBy(items, func(v any) (any, error) {
		key := v.(Tuple)[at]
		if fold {
			key = folded(key)
		}
		return key, nil
	}, enabled(a[2], false))
	return &List{Items: sorted}, err
}

func filterSort(_ *Context, v any, a []any) (any, error) {
	items, err := Iterate(v)
	if err != nil {
		return nil, err
	}
	key, order := getters(given(a[2], nil), !enabled(a[1], false))
	reverse, err := number(a[0], 0)
	if err != nil {
		return nil, err
	}
	sorted, err := sortItems(items, key, order, reverse != 0)
	return &List{Items: sorted}, err
}

// getters takes one attribute or several, separated by commas, and gives their
// order: that of lists of them, in which equal values need none.
func getters(attributes any, fold bool) (key func(any) (any, error), order func(a, b any) (int, error)) {
	parts := []any{attributes}
	if s, ok := text(attributes); ok {
		parts = stringList(strings.Split(s, ",")).Items
	}
	var gets []func(any) (any, error)
	for _, a := range parts {
		gets = append(gets, getter(a, Missing, fold))
	}
	if len(gets) == 1 {
		return gets[0], func(a, b any) (int, error) { return compareItems([]any{a}, []any{b}, "<", 0) }
	}
	return func(v any) (any, error) {
		key := make([]any, len(gets))
		for i, get := range gets {
			var err error
			if key[i], err = get(v); err != nil {
				return nil, err
			}
		}
		return &List{Items: key}, nil
	}, less
}

func filterUnique(_ *Context, v any, a []any) (any, error) {
	items, err := Iterate(v)
	if err != nil {
		return nil, err
	}
	get := getter(a[1], Missing, !enabled(a[0], false))
	seen := &Dict{}
	out := []any{}
	for _, item := range items {
		key, err := get(item)
		if err != nil {
			return nil, err
		}
		if err := hashable(key); err != nil {
			return nil, err
		}
		if _, ok := seen.Get(key); !ok {
			seen.Set(key, nil)
			out = append(out, item)
		}
	}
	return &List{Items: out}, nil
}

// filterExtreme is max (sign 1) and min (-1).
func filterExtreme(sign int) func(*Context, any, []any) (any, error) {
	return func(_ *Context, v any, a []any) (any, error) {
		items, err := Iterate(v)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			return &Undefined{Hint: "No aggregated item, sequence was empty."}, nil
		}
		get := getter(a[1], Missing, !enabled(a[0], false))
		best := items[0]
		bestKey, err := get(best)
		if err != nil {
			return nil, err
		}
		op := map[int]string{1: ">", -1: "<"}[sign]
		for _, item := range items[1:] {
			key, err := get(item)
			if err != nil {
				return nil, err
			}
			c, err := compare(key, bestKey, op, 0)
			if err != nil {
				return nil, err
			}
			if c*sign > 0 {
				best, bestKey = item, key
			}
		}
		return best, nil
	}
}

func filterSum(c *Context, v any, a []any) (any, error) {
	items, err := Iterate(v)
	if err != nil {
		return nil, err
	}
	get := getter(a[0], Missing, false)
	sum := given(a[1], 0)
	if _, isText := text(sum); isText {
		return nil, typeErrorf("sum() can't sum strings [use ''.join(seq) instead]")
	}
	for _, item := range items {
		value, err := get(item)
		if err != nil {
			return nil, err
		}
		if sum, err = arithmetic(c, "+", sum, value); err != nil {
			return nil, err
		}
	}
	return sum, nil
}

func filterGroupBy(_ *Context, v any, a []any) (any, error) {
	items, err := Iterate(v)
	if err != nil {
		return nil, err
	}
	plain := getter(a[0], a[1], false)
	get := getter(a[0], a[1], !enabled(a[2], false))
	sorted, err := sortBy(items, get, false)
	if err != nil {
		return nil, err
	}
	var groups []any
	var last any
	for i, item := range sorted {
		key, err := get(item)
		if err != nil {
			return nil, err
		}
		if i == 0 || !Equal(key, last) {
			shown, err := plain(item)
			if err != nil {
				return nil, err
			}
			groups = append(groups, &group{shown, NewList()})
		}
		last = key
		g := groups[len(groups)-1].(*group)
		g.list.Items = append(g.list.Items, item)
	}
	return &List{Items: groups}, nil
}

// group is what groupby gives for each value: a pair with names.
type group struct {
	grouper any
	list    *List
}

func (g *group) Attr(name string) (any, bool) {
	switch name {
	case "grouper":
		return g.grouper, true
	case "list":
		return g.list, true
	}
	return nil, false
}

// Pair is the group as the tuple that it is.
func (g *group) Pair() Tuple { return Tuple{g.grouper, g.list} }

// filterMap applies the filter that the first of args names, or takes an
// attribute. As in Jinja2, everything false maps to an empty list.
func filterMap(c *Context, v any, args *Args) (any, error) {
	if !Truth(v) {
		return NewList(), nil
	}
	fn, err := mapped(c, args)
	if err != nil {
		return nil, err
	}
	items, err := typedItems(v)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(items))
	for i, item := range items {
		if err := c.step(); err != nil {
			return nil, err
		}
		if out[i], err = fn(item); err != nil {
			return nil, err
		}
	}
	return &List{Items: out}, nil
}

// mapped is what map does with each item.
func mapped(c *Context, args *Args) (func(any) (any, error), error) {
	if len(args.Positional) == 0 {
		attribute, ok := args.Keywords.Get("attribute")
		if !ok {
			return nil, fmt.Errorf("map requires a filter argument")
		}
		otherwise := Missing
		for k, v := range args.Keywords.All() {
			switch k {
			case "attribute":
			case "default":
				otherwise = v
			default:
				return nil, fmt.Errorf("Unexpected keyword argument %s", Repr(k))
			}
		}
		return getter(attribute, otherwise, false), nil
	}
	name, ok := text(args.Positional[0])
	if !ok {
		return nil, fmt.Errorf("No filter named %s.", Repr(args.Positional[0]))
	}
	rest := &Args{Positional: args.Positional[1:], Keywords: args.Keywords}
	return func(v any) (any, error) { return c.Filter(name, v, rest) }, nil
}

// selector makes select, reject, selectattr and rejectattr.
func selector(keep, attribute bool) Filter {
	return func(c *Context, v any, args *Args) (any, error) {
		if !Truth(v) {
			return NewList(), nil
		}
		get := getter(nil, Missing, false)
		rest := args.Positional
		if attribute {
			if len(rest) == 0 {
				return nil, fmt.Errorf("Missing parameter for attribute name")
			}
			get, rest = getter(rest[0], Missing, false), rest[1:]
		}
		holds := func(v any) (bool, error) { return truth(v) }
		if len(rest) > 0 {
			name, ok := text(rest[0])
			if !ok {
				return nil, fmt.Errorf("No test named %s.", Repr(rest[0]))
			}
			given := &Args{Positional: rest[1:], Keywords: args.Keywords}
			holds = func(v any) (bool, error) { return c.Test(name, v, given) }
		}
		items, err := Iterate(v)
		if err != nil {
			return nil, err
		}
		out := make([]any, 0, min(len(items), 64))
		for _, item := range items {
			if err := c.step(); err != nil {
				return nil, err
			}
			value, err := get(item)
			if err != nil {
				return nil, err
			}
			ok, err := holds(value)
			if err != nil {
				return nil, err
			}
			if ok == keep {
				out = append(out, item)
			}
		}
		return &List{Items: out}, nil
	}
}
