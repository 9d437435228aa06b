package lookups

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"gplay/jinja"
	"gplay/playbook/filters"
)

func asList(v any) []any {
	switch v := v.(type) {
	case *jinja.List:
		return v.Items
	case jinja.Tuple:
		return v
	}
	return []any{v}
}

// flat takes lists in items apart, one level deep.
func flat(items []any) []any {
	out := []any{}
	for _, item := range items {
		out = append(out, asList(item)...)
	}
	return out
}

func plain(f func(terms []any) ([]any, error)) Lookup {
	return func(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
		read(c, options)
		return f(terms)
	}
}

func items(terms []any) ([]any, error) { return flat(terms), nil }

func list(terms []any) ([]any, error) { return terms, nil }

func indexedItems(terms []any) ([]any, error) {
	var out []any
	for i, item := range flat(terms) {
		out = append(out, jinja.Tuple{i, item})
	}
	return out, nil
}

// flattened takes lists apart at any depth; a null ends what follows.
func flattened(terms []any) ([]any, error) {
	var out []any
	for _, term := range terms {
		l, ok := term.(*jinja.List)
		for ok && len(l.Items) == 1 {
			term = l.Items[0]
			l, ok = term.(*jinja.List)
		}
		if term == "None" || term == "null" {
			break
		}
		if !ok {
			out = append(out, term)
			continue
		}
		inner, err := flattened(l.Items)
		if err != nil {
			return nil, err
		}
		out = append(out, inner...)
	}
	return out, nil
}

func dict(terms []any) ([]any, error) {
	var out []any
	for _, term := range terms {
		if l, ok := term.(*jinja.List); ok {
			more, err := dict(l.Items)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
			continue
		}
		m, ok := term.(jinja.Mapping)
		if !ok {
			return nil, errors.New("with_dict expects a dict")
		}
		for _, k := range m.Keys() {
			v, _ := m.Get(k)
			out = append(out, jinja.NewDict("key", k, "value", v))
		}
	}
	return out, nil
}

func nested(terms []any) ([]any, error) {
	if len(terms) == 0 {
		return nil, errors.New("with_nested requires at least one element in the nested list")
	}
	if len(terms) == 1 {
		return eachIterated(iterated(terms[0]))
	}
	rows, err := product(terms)
	for i, row := range rows {
		rows[i] = jinja.Tuple(flat(row.(jinja.Tuple)))
	}
	return flatRows(rows), err
}

func cartesian(terms []any) ([]any, error) {
	if len(terms) == 0 {
		return nil, errors.New("with_cartesian requires at least one element in each list")
	}
	rows, err := product(terms)
	return flatRows(rows), err
}

func product(terms []any) ([]any, error) {
	pools := make([][]any, len(terms))
	for i, term := range terms {
		pools[i] = iterated(term)
	}
	return filters.Product(pools)
}

// iterated are the items of a term: of a dict its keys, of what has none itself.
func iterated(term any) []any {
	switch term := term.(type) {
	case jinja.Mapping:
		return term.Keys()
	case string:
		return []any{strings.TrimSpace(term)}
	}
	return asList(term)
}

// eachIterated are the rows of one list: as there is nothing that they are put
// together with, each item is taken apart, texts too.
func eachIterated(items []any) ([]any, error) {
	rows := make([]any, len(items))
	for i, item := range items {
		parts, err := jinja.Iterate(item)
		if err != nil {
			return nil, notIterable(item)
		}
		rows[i] = jinja.NewList(flat(parts)...)
	}
	return rows, nil
}

func together(terms []any) ([]any, error) {
	if len(terms) == 0 {
		return nil, errors.New("with_together requires at least one element in each list")
	}
	lists, n := make([][]any, len(terms)), 0
	for i, term := range terms {
		lists[i] = iterated(term)
		n = max(n, len(lists[i]))
	}
	return flatRows(filters.Rows(lists, n, nil)), nil
}

// flatRows makes lists of tuples, with the lists in them taken apart.
func flatRows(rows []any) []any {
	out := make([]any, len(rows))
	for i, row := range rows {
		out[i] = jinja.NewList(flat(row.(jinja.Tuple))...)
	}
	return out
}

func subelements(terms []any) ([]any, error) {
	const want = "subelements lookup expects a list of two or three items, "
	if len(terms) < 2 || len(terms) > 3 {
		return nil, errors.New(want)
	}
	path, ok := terms[1].(string)
	elements, err := elementsOf(terms[0])
	if err != nil || !ok {
		return nil, errors.New(want + "first a dict or a list, second a string pointing to the subkey")
	}
	skipMissing := false
	if len(terms) == 3 {
		flags, ok := terms[2].(*jinja.Dict)
		if !ok {
			return nil, errors.New(want + "the optional third item must be a dict with flags skip_missing")
		}
		o := &settings{given: flags}
		if skipMissing = o.truth("skip_missing", false); o.err != nil {
			return nil, o.err
		}
	}
	var out []any
	for _, element := range elements {
		pairs, err := subelementsOf(element, strings.Split(path, "."), skipMissing)
		if err != nil {
			return nil, err
		}
		out = append(out, pairs...)
	}
	return out, nil
}

func elementsOf(v any) ([]any, error) {
	switch v := v.(type) {
	case *jinja.List:
		return v.Items, nil
	case jinja.Mapping:
		if skipped(v) {
			return nil, nil
		}
		var out []any
		for _, k := range v.Keys() {
			item, _ := v.Get(k)
			out = append(out, item)
		}
		return out, nil
	}
	return []any{v}, nil
}

func skipped(m jinja.Mapping) bool {
	v, ok := m.Get("skipped")
	return ok && v != false
}

// subelementsOf pairs an element, without the list at the path, with each
// item of that list.
func subelementsOf(element any, path []string, skipMissing bool) ([]any, error) {
	m, ok := element.(jinja.Mapping)
	if !ok {
		return nil, fmt.Errorf("subelements lookup expects a dictionary, got '%s'", jinja.Str(element))
	}
	if skipped(m) {
		return nil, nil
	}
	rest, values, err := takeOut(m, path, skipMissing)
	if err != nil {
		return nil, err
	}
	var pairs []any
	for _, value := range values {
		pairs = append(pairs, jinja.Tuple{rest, value})
	}
	return pairs, nil
}

// takeOut gives a copy of m without the list at the path, and the list.
func takeOut(m jinja.Mapping, path []string, skipMissing bool) (*jinja.Dict, []any, error) {
	rest := jinja.NewDict()
	for _, k := range m.Keys() {
		v, _ := m.Get(k)
		rest.Set(k, v)
	}
	v, ok := rest.Get(path[0])
	if !ok {
		if skipMissing {
			return rest, nil, nil
		}
		return nil, nil, fmt.Errorf("could not find '%s' key in iterated item '%s'", path[0], jinja.Str(m))
	}
	if len(path) > 1 {
		inner, ok := v.(jinja.Mapping)
		if !ok {
			if skipMissing {
				return rest, nil, nil
			}
			return nil, nil, fmt.Errorf("the key %s should point to a dictionary, got '%s'", path[0], jinja.Str(v))
		}
		d, values, err := takeOut(inner, path[1:], skipMissing)
		rest.Set(path[0], d)
		return rest, values, err
	}
	l, ok := v.(*jinja.List)
	if !ok {
		return nil, nil, fmt.Errorf("the key %s should point to a list, got '%s'", path[0], jinja.Str(v))
	}
	rest.Delete(path[0])
	return rest, l.Items, nil
}

func randomChoice(terms []any) ([]any, error) {
	if len(terms) == 0 {
		return terms, nil
	}
	i, err := rand.Int(rand.Reader, big.NewInt(int64(len(terms))))
	if err != nil {
		return nil, err
	}
	return []any{terms[i.Int64()]}, nil
}
