package filters

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gplay/jinja"
)

// accessFilters find things in nested data.
var accessFilters = map[string]jinja.Filter{
	"get_path": getPath,
	"index_of": indexOfFilter,
	"to_paths": toPaths,
}

var plainKey = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func toPaths(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "prepend=", "wantlist=")
	prepend, wantlist := p.text(0, ""), p.truth(1, false)
	if p.err != nil {
		return nil, p.err
	}
	out := jinja.NewDict()
	flattenPaths(out, prepend, v)
	if wantlist {
		return jinja.NewList(out), nil
	}
	return out, nil
}

func flattenPaths(out *jinja.Dict, name string, v any) {
	switch data := v.(type) {
	case jinja.Mapping:
		for _, k := range data.Keys() {
			key := jinja.Str(k)
			value, _ := data.Get(k)
			switch {
			case name == "":
			case plainKey.MatchString(key):
				key = name + "." + key
			default:
				key = name + "['" + key + "']"
			}
			flattenPaths(out, key, value)
		}
		if data.Len() == 0 && name != "" {
			out.Set(name, v)
		}
	case *jinja.List:
		for i, item := range data.Items {
			flattenPaths(out, fmt.Sprintf("%s[%d]", name, i), item)
		}
		if len(data.Items) == 0 && name != "" {
			out.Set(name, v)
		}
	default:
		out.Set(name, v)
	}
}

// pathStep is one step of a path: a name, or what stands in brackets.
var pathStep = regexp.MustCompile(`^(?:\.?([a-zA-Z_][a-zA-Z0-9_]*)|\.?(\d+)|\[(-?\d+)\]|\['([^']*)'\]|\["([^"]*)"\])`)

// getPath takes a path for what it is, names and indexes, and not for an
// expression: it may come from a host.
func getPath(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "path", "wantlist=")
	path, wantlist := strings.TrimSpace(p.text(0, "")), p.truth(1, false)
	if p.err != nil {
		return nil, p.err
	}
	for rest := path; rest != ""; {
		m := pathStep.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("get_path wants a path such as a.b[0]['c d'], not %s", jinja.Repr(path))
		}
		rest = rest[len(m[0]):]
		var key any = m[1] + m[4] + m[5]
		if digits := m[2] + m[3]; digits != "" {
			key, _ = strconv.Atoi(digits)
		}
		found, ok, err := item(v, key)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, jinja.UndefinedError(&jinja.Undefined{Name: path, Hint: fmt.Sprintf("%s has no element %s of the path %s", jinja.TypeName(v), jinja.Repr(key), path)})
		}
		v = found
	}
	switch v.(type) {
	case *jinja.List, *jinja.Dict:
	default:
		v = jinja.Str(v) // as a template gives it
	}
	if wantlist {
		return jinja.NewList(v), nil
	}
	return v, nil
}

func indexOfFilter(c *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "test", "value=", "key=", "fail_on_missing=", "wantlist=")
	test, key := p.text(0, ""), p.value(2, nil)
	strict, wantlist := p.truth(3, false), p.truth(4, false)
	data, ok := sequence(v)
	switch {
	case p.err != nil:
		return nil, p.err
	case !ok:
		return nil, fmt.Errorf("Error when using plugin 'index_of': a list is expected, not %s", jinja.TypeName(v))
	}
	found := jinja.NewList()
	for i, entry := range data {
		if key != nil {
			m, ok := entry.(jinja.Mapping)
			if !ok {
				return nil, errors.New("Error when using plugin 'index_of': When a key name is provided, all list entries are required to be dictionaries")
			}
			if entry, ok = m.Get(key); !ok && strict {
				return nil, fmt.Errorf("Error when using plugin 'index_of': %s was not found at [%d]", jinja.Repr(key), i)
			}
			if !ok {
				continue
			}
		}
		holds, err := holds(c, test, entry, p)
		if err != nil {
			return nil, fmt.Errorf("Error when using plugin 'index_of': %w", err)
		}
		if holds {
			found.Items = append(found.Items, i)
		}
	}
	if len(found.Items) == 1 && !wantlist {
		return found.Items[0], nil
	}
	return found, nil
}

// holds runs a test by its name, which may be negated by ! or not.
func holds(c *jinja.Context, test string, entry any, p *params) (bool, error) {
	name, negated := strings.CutPrefix(test, "!")
	if !negated {
		name, negated = strings.CutPrefix(test, "not ")
	} else if name == "=" {
		name = "=="
	}
	args := &jinja.Args{}
	if p.set(1) {
		value := p.values[1]
		if _, isList := value.(*jinja.List); name == "in" && !isList {
			value = jinja.NewList(value)
		}
		args.Positional = []any{value}
	}
	ok, err := c.Test(name, entry, args)
	return ok != negated, err
}
