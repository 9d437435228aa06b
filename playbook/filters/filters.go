// Package filters holds Ansible's filters and tests.
package filters

import (
	"fmt"
	"maps"
	"slices"

	"gplay/jinja"
)

// Filters are Ansible's filters by their short names and their full ones
// (ansible.builtin.to_json). Those of 1.x that are tests today are among them.
func Filters() map[string]jinja.Filter {
	all := map[string]jinja.Filter{}
	for _, c := range collections {
		for name, f := range c.filters {
			all[c.name+"."+name] = f
			if all[name] == nil {
				all[name] = f
			}
		}
	}
	tests := Tests()
	for _, name := range testsAsFilters {
		if all[name] == nil {
			all[name] = asFilter(tests[name])
		}
	}
	return all
}

// Tests are Ansible's tests by their short names and their full ones.
func Tests() map[string]jinja.Test {
	all := map[string]jinja.Test{}
	for _, c := range collections {
		for name, t := range c.tests {
			all[c.name+"."+name] = t
			if all[name] == nil {
				all[name] = t
			}
		}
	}
	return all
}

// collection is the filters and tests that come under one name. They are
// known without it, too.
type collection struct {
	name    string
	filters map[string]jinja.Filter
	tests   map[string]jinja.Test
}

var collections = []collection{
	{"ansible.builtin", merged(
		textFilters, dataFilters, regexFilters, pathFilters, hashFilters, serialFilters, setFilters,
		numberFilters, combinatoryFilters, randomFilters, timeFilters, urlFilters, vaultFilters), merged(
		resultTests, regexTests, versionTests, truthTests, setTests, fileTests, urlTests)},
	{"community.general", merged(generalFilters, listFilters, timeUnitFilters), nil},
	{"ansible.netcommon", ipFilters, nil},
	{"ansible.utils", merged(ipFilters, keyFilters, xmlFilters, accessFilters), addressTests},
	{"community.general", listKeyFilters, nil}, // by their full names
}

// ipFilters have been in two collections.
var ipFilters = merged(addressFilters, networkFilters, macFilters)

// testsAsFilters were filters until Ansible 2.9: result|changed.
var testsAsFilters = []string{
	"failed", "failure", "success", "succeeded", "successful", "reachable", "unreachable", "changed", "change",
	"skipped", "skip", "finished", "started", "match", "search", "regex", "version", "version_compare",
	"issubset", "issuperset", "isnan", "is_dir", "is_file", "is_link", "exists", "link_exists", "is_abs",
	"is_same_file", "is_mount", "any", "all", "contains", "subset", "superset", "nan",
}

func merged[T any](maps_ ...map[string]T) map[string]T {
	all := map[string]T{}
	for _, m := range maps_ {
		maps.Copy(all, m)
	}
	return all
}

func asFilter(test jinja.Test) jinja.Filter {
	return func(c *jinja.Context, v any, args *jinja.Args) (any, error) { return test(c, v, args) }
}

// Lenient are the filters and tests that have something to say about a value
// that is not there, or that may not use one; jinja refuses it for the others.
// Their text keeps its class, too.
var Lenient = lenient(slices.AppendSeq([]string{"extract", "from_yaml", "from_yaml_all", "mandatory", "ternary", "type_debug", "unvault", "uri", "url", "urn", "vault_encrypted"}, maps.Keys(resultTests))...)

func lenient(names ...string) map[string]bool {
	all := map[string]bool{}
	for _, name := range names {
		all[name], all["ansible.builtin."+name] = true, true
	}
	return all
}

// params are a call's arguments by position. The first argument of a wrong
// type is kept in err, and the ones after it are zero values.
type params struct {
	values []any
	err    error
}

// bind puts args in the order of names; a name that ends in = is optional.
func bind(args *jinja.Args, names ...string) *params {
	values, err := args.Bind(names...)
	if err != nil {
		values = make([]any, len(names))
		for i := range values {
			values[i] = jinja.Missing
		}
	}
	return &params{values, err}
}

func (p *params) given(i int) bool { return p.values[i] != jinja.Missing }

// value is argument i, or otherwise.
func (p *params) value(i int, otherwise any) any {
	if !p.given(i) {
		return otherwise
	}
	if u, ok := p.values[i].(*jinja.Undefined); ok && p.err == nil {
		p.err = jinja.UndefinedError(u)
	}
	return p.values[i]
}

// set reports whether argument i is given and not None.
func (p *params) set(i int) bool { return p.given(i) && p.values[i] != nil }

func (p *params) text(i int, otherwise string) string {
	if !p.set(i) {
		return otherwise
	}
	s, err := text(p.value(i, nil))
	if p.err == nil {
		p.err = err
	}
	return s
}

func (p *params) truth(i int, otherwise bool) bool {
	if !p.given(i) {
		return otherwise
	}
	return jinja.Truth(p.value(i, nil))
}

func (p *params) int(i, otherwise int) int {
	if !p.set(i) {
		return otherwise
	}
	n, ok := integer(p.value(i, nil))
	if !ok && p.err == nil {
		p.err = fmt.Errorf("wants a whole number, not %s", jinja.Repr(p.values[i]))
	}
	return n
}

// text is v as text, as Ansible takes the input of its text filters.
func text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case *jinja.Undefined:
		return "", jinja.UndefinedError(v)
	}
	return jinja.Str(v), nil
}

func integer(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case interface{ Float64() (float64, int) }:
		f, _ := v.Float64()
		return f, true
	}
	i, ok := integer(v)
	return float64(i), ok
}

// sequence gives the items of a list or a tuple.
func sequence(v any) ([]any, bool) {
	switch v := v.(type) {
	case *jinja.List:
		return v.Items, true
	case jinja.Tuple:
		return v, true
	case *jinja.Range:
		items, err := jinja.Iterate(v)
		return items, err == nil
	}
	return nil, false
}

// in is Python's `item in container`.
func in(item, container any) (bool, error) {
	if m, ok := container.(jinja.Mapping); ok {
		_, ok := m.Get(item)
		return ok, nil
	}
	if s, ok := container.(string); ok {
		return inText(item, s)
	}
	items, err := jinja.Iterate(container)
	if err != nil {
		return false, err
	}
	return indexOf(items, item) >= 0, nil
}

func indexOf(items []any, v any) int {
	for i, item := range items {
		if jinja.Equal(item, v) {
			return i
		}
	}
	return -1
}

func list(items []any) *jinja.List { return jinja.NewList(items...) }

// simple is a filter without arguments.
func simple(f func(v any) (any, error)) jinja.Filter {
	return func(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
		if p := bind(args); p.err != nil {
			return nil, p.err
		}
		return f(v)
	}
}

// ofText is a filter of text without arguments.
func ofText(f func(s string) any) jinja.Filter {
	return simple(func(v any) (any, error) {
		s, err := text(v)
		return f(s), err
	})
}
