package filters

import (
	"fmt"

	"gplay/jinja"
)

// listKeyFilters are community.general's, for lists of dicts. Those of
// ansible.utils have the same names, go into all that is nested, and are meant
// where no collection is named.
var listKeyFilters = map[string]jinja.Filter{
	"keep_keys":    keysOfItems(true),
	"remove_keys":  keysOfItems(false),
	"replace_keys": replaceKeysOfItems,
}

func keysOfItems(keep bool) jinja.Filter {
	return func(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
		p := bind(args, "target=", "matching_parameter=")
		matches, kind, err := itemKeyMatch(p)
		targets, isList := sequence(p.value(0, nil))
		if text, ok := p.value(0, nil).(string); ok {
			targets, isList = []any{text}, true
		}
		switch {
		case err != nil:
			return nil, err
		case !isList || len(targets) == 0:
			return nil, fmt.Errorf("target has to be a string or a list of them")
		case kind == "regex" && len(targets) > 1:
			return nil, fmt.Errorf("target has to be one regular expression, not %d", len(targets))
		}
		return eachDict(v, func(out *jinja.Dict, key string, value any) error {
			found, err := anyMatch(matches, key, targets)
			if err == nil && found == keep {
				out.Set(key, value)
			}
			return err
		})
	}
}

func replaceKeysOfItems(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "target=", "matching_parameter=")
	matches, _, err := itemKeyMatch(p)
	if err != nil {
		return nil, err
	}
	targets, ok := sequence(p.value(0, nil))
	for _, target := range targets {
		m, isDict := target.(jinja.Mapping)
		ok = ok && isDict && has("before")(m) && has("after")(m)
	}
	if !ok || len(targets) == 0 {
		return nil, fmt.Errorf("target has to be a list of dicts with before and after")
	}
	return eachDict(v, func(out *jinja.Dict, key string, value any) error {
		name := any(key)
		for _, target := range targets {
			before, _ := target.(jinja.Mapping).Get("before")
			found, err := matches(key, jinja.Str(before))
			if err != nil {
				return err
			}
			if found {
				name, _ = target.(jinja.Mapping).Get("after")
				break
			}
		}
		out.Set(name, value)
		return nil
	})
}

// itemKeyMatch is keyMatch by the words of these filters.
func itemKeyMatch(p *params) (matches func(key, want string) (bool, error), kind string, err error) {
	switch kind = p.text(1, "equal"); kind {
	case "equal":
		matches, err = keyMatch("equality")
	case "starts_with", "ends_with", "regex":
		matches, err = keyMatch(kind)
	default:
		err = fmt.Errorf("matching_parameter is equal, starts_with, ends_with or regex, not %q", kind)
	}
	return matches, kind, oneError(p.err, err)
}

// eachDict makes a dict of each one in a list, by what add puts into it.
func eachDict(v any, add func(out *jinja.Dict, key string, value any) error) (any, error) {
	items, ok := sequence(v)
	if !ok {
		return nil, fmt.Errorf("a list of dicts is expected, not %s", jinja.TypeName(v))
	}
	out := jinja.NewList()
	for _, item := range items {
		m, ok := item.(jinja.Mapping)
		if !ok {
			return nil, fmt.Errorf("a list of dicts is expected, and this item is %s", jinja.TypeName(item))
		}
		d := jinja.NewDict()
		for _, k := range m.Keys() {
			key, ok := k.(string)
			if !ok {
				return nil, fmt.Errorf("the keys have to be text, not %s", jinja.Repr(k))
			}
			value, _ := m.Get(k)
			if err := add(d, key, value); err != nil {
				return nil, err
			}
		}
		out.Items = append(out.Items, d)
	}
	return out, nil
}
