package filters

import (
	"fmt"
	"slices"
	"strings"

	"gplay/internal/pyregex"
	"gplay/jinja"
)

var keyFilters = map[string]jinja.Filter{
	"keep_keys":    keysFilter("keep_keys"),
	"remove_keys":  keysFilter("remove_keys"),
	"replace_keys": replaceKeys,
}

// keyMatch says whether a key fits a wanted one.
func keyMatch(kind string) (func(key, want string) (bool, error), error) {
	switch kind {
	case "equality":
		return func(key, want string) (bool, error) { return key == want, nil }, nil
	case "starts_with":
		return func(key, want string) (bool, error) { return strings.HasPrefix(key, want), nil }, nil
	case "ends_with":
		return func(key, want string) (bool, error) { return strings.HasSuffix(key, want), nil }, nil
	case "regex":
		return func(key, want string) (bool, error) {
			re, err := compile(want, false, false)
			if err != nil {
				return false, err
			}
			return pyregex.Found(re.Match(key))
		}, nil
	}
	return nil, fmt.Errorf("matching_parameter is equality, starts_with, ends_with or regex, not %q", kind)
}

// anyMatch reports whether a key fits one of the targets.
func anyMatch(matches func(key, want string) (bool, error), key any, targets []any) (bool, error) {
	for _, target := range targets {
		ok, err := matches(jinja.Str(key), jinja.Str(target))
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func keysFilter(name string) jinja.Filter {
	keep := name == "keep_keys"
	return func(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
		p := bind(args, "target", "matching_parameter=")
		targets, ok := sequence(p.value(0, nil))
		matches, err := keyMatch(p.text(1, "equality"))
		switch {
		case p.err != nil || err != nil:
			return nil, fmt.Errorf("%s: %w", name, oneError(p.err, err))
		case !ok:
			return nil, fmt.Errorf("%s: target must be a list", name)
		}
		match := func(key any) (bool, error) { return anyMatch(matches, key, targets) }
		if keep {
			return keepKeys(v, match)
		}
		v, err = removeKeys(v, match)
		return withoutEmpty(v), err
	}
}

// withoutEmpty drops the items of lists that are false: empty dicts, zeros.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case *jinja.Dict:
		for k, item := range v.All() {
			v.Set(k, withoutEmpty(item))
		}
	case *jinja.List:
		v.Items = slices.DeleteFunc(v.Items, func(item any) bool { return !jinja.Truth(item) })
		for i, item := range v.Items {
			v.Items[i] = withoutEmpty(item)
		}
	}
	return v
}

func oneError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func removeKeys(v any, match func(any) (bool, error)) (any, error) {
	return eachKey(v, func(d *jinja.Dict, k, value any) error {
		drop, err := match(k)
		if err != nil || drop {
			return err
		}
		value, err = removeKeys(value, match)
		d.Set(k, value)
		return err
	})
}

// keepKeys keeps the scalars whose keys match, and the way to them. A list of
// nothing but strings is none.
func keepKeys(v any, match func(any) (bool, error)) (any, error) {
	return eachKey(v, func(d *jinja.Dict, k, value any) error {
		_, isDict := value.(jinja.Mapping)
		_, isList := value.(*jinja.List)
		if !isDict && !isList {
			keep, err := match(k)
			if keep {
				d.Set(k, value)
			}
			return err
		}
		value, err := keepKeys(value, match)
		if err != nil {
			return err
		}
		if isList {
			l := value.(*jinja.List)
			l.Items = slices.DeleteFunc(l.Items, isEmptyContainer)
			if !slices.ContainsFunc(l.Items, func(item any) bool { _, isText := item.(string); return !isText }) {
				return nil
			}
		}
		if !isEmptyContainer(value) {
			d.Set(k, value)
		}
		return nil
	})
}

func isEmptyContainer(v any) bool {
	switch v := v.(type) {
	case *jinja.Dict:
		return v.Len() == 0
	case *jinja.List:
		return len(v.Items) == 0
	}
	return false
}

// eachKey rebuilds v: each dict in it by what add puts into a new one.
func eachKey(v any, add func(d *jinja.Dict, k, value any) error) (any, error) {
	switch v := v.(type) {
	case *jinja.List:
		out := jinja.NewList()
		for _, item := range v.Items {
			item, err := eachKey(item, add)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, item)
		}
		return out, nil
	case jinja.Mapping:
		out := jinja.NewDict()
		for _, k := range v.Keys() {
			value, _ := v.Get(k)
			if err := add(out, k, value); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

func replaceKeys(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "target", "matching_parameter=")
	targets, ok := sequence(p.value(0, nil))
	matches, err := keyMatch(p.text(1, "equality"))
	if err = oneError(p.err, err); err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("replace_keys: target must be a list of dicts with before and after")
	}
	return renamed(v, func(d *jinja.Dict) error {
		for _, target := range targets {
			m, ok := target.(jinja.Mapping)
			if !ok {
				return fmt.Errorf("replace_keys: target must be a list of dicts with before and after")
			}
			before, _ := m.Get("before")
			after, _ := m.Get("after")
			for _, k := range d.Keys() {
				ok, err := matches(jinja.Str(k), jinja.Str(before))
				if err != nil {
					return err
				}
				if value, _ := d.Get(k); ok {
					d.Delete(k)
					d.Set(after, value)
				}
			}
		}
		return nil
	})
}

// renamed copies v and lets rename change each dict of the copy.
func renamed(v any, rename func(d *jinja.Dict) error) (any, error) {
	v, err := eachKey(v, func(d *jinja.Dict, k, value any) error {
		value, err := renamed(value, rename)
		d.Set(k, value)
		return err
	})
	if err != nil {
		return nil, err
	}
	if l, ok := v.(*jinja.List); ok {
		for i, item := range l.Items {
			if l.Items[i], err = renamed(item, rename); err != nil {
				return nil, err
			}
		}
	}
	if d, ok := v.(*jinja.Dict); ok {
		return d, rename(d)
	}
	return v, nil
}
