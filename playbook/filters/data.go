package filters

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gplay/jinja"
)

var dataFilters = map[string]jinja.Filter{
	"combine":         combine,
	"dict2items":      dictToItems,
	"extract":         extract,
	"flatten":         flattenFilter,
	"items2dict":      itemsToDict,
	"rekey_on_member": rekeyOnMember,
	"subelements":     subelements,
}

// flatten takes lists in items apart, levels deep; a negative number is all.
func flatten(items []any, levels int, skipNulls bool) []any {
	var out []any
	for _, item := range items {
		if skipNulls && (item == nil || item == "None" || item == "null") {
			continue
		}
		inner, ok := sequence(item)
		if !ok || levels == 0 {
			out = append(out, item)
			continue
		}
		out = append(out, flatten(inner, levels-1, skipNulls)...)
	}
	return out
}

func flattenFilter(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "levels=", "skip_nulls=")
	levels, skip := p.int(0, -1), p.truth(1, true)
	items, err := jinja.Iterate(v)
	if err = errors.Join(p.err, err); err != nil {
		return nil, err
	}
	return list(flatten(items, levels, skip)), nil
}

func combine(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	recursive, lists := false, "replace"
	for k, value := range args.Keywords.All() {
		switch k {
		case "recursive":
			recursive = jinja.Truth(value)
		case "list_merge":
			lists, _ = value.(string)
		default:
			return nil, errors.New("'recursive' and 'list_merge' are the only valid keyword arguments")
		}
	}
	if mergeLists[lists] == nil {
		return nil, errors.New("merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', 'append', 'prepend', 'append_rp' or 'prepend_rp'")
	}
	dicts := flatten(append([]any{v}, args.Positional...), 1, true)
	if len(dicts) == 0 {
		return jinja.NewDict(), nil
	}
	result := dicts[len(dicts)-1]
	if m, ok := result.(jinja.Mapping); ok {
		result = copyOf(m)
	}
	for _, d := range slices.Backward(dicts[:len(dicts)-1]) {
		low, ok := d.(jinja.Mapping)
		high, both := result.(*jinja.Dict)
		if !ok || !both {
			return nil, uncombinable(d, result)
		}
		result = merge(copyOf(low), high, recursive, lists)
	}
	return result, undefined(result)
}

// uncombinable is the error of two values of which one is no dict.
func uncombinable(values ...any) error {
	var types, texts []string
	for _, v := range values {
		if err := undefined(v); err != nil {
			return err
		}
		text, err := jinja.JSON(v, jinja.JSONOptions{})
		if err != nil {
			text = jinja.Str(v)
		}
		types, texts = append(types, "a '"+jinja.TypeName(v)+"'"), append(texts, text)
	}
	return fmt.Errorf("failed to combine variables, expected dicts but got %s: \n%s", strings.Join(types, " and "), strings.Join(texts, "\n"))
}

func copyOf(m jinja.Mapping) *jinja.Dict {
	d := jinja.NewDict()
	for _, k := range m.Keys() {
		v, _ := m.Get(k)
		d.Set(k, v)
	}
	return d
}

// mergeLists say what becomes of two lists under one key.
var mergeLists = map[string]func(x, y []any) []any{
	"replace":    func(_, y []any) []any { return y },
	"keep":       func(x, _ []any) []any { return x },
	"append":     func(x, y []any) []any { return concat(x, y) },
	"prepend":    func(x, y []any) []any { return concat(y, x) },
	"append_rp":  func(x, y []any) []any { return concat(without(x, y), y) },
	"prepend_rp": func(x, y []any) []any { return concat(y, without(x, y)) },
}

func concat(a, b []any) []any { return append(append([]any{}, a...), b...) }

func without(items, out []any) []any {
	var kept []any
	for _, item := range items {
		if indexOf(out, item) < 0 {
			kept = append(kept, item)
		}
	}
	return kept
}

// merge gives a copy of x with y over it.
func merge(x, y *jinja.Dict, recursive bool, lists string) *jinja.Dict {
	if x.Len() == 0 || jinja.Equal(x, y) {
		return y.Copy()
	}
	x = x.Copy()
	if !recursive && lists == "replace" {
		for k, v := range y.All() {
			x.Set(k, v)
		}
		return x
	}
	for k, yv := range y.All() {
		xv, ok := x.Get(k)
		xd, isDict := xv.(*jinja.Dict)
		yd, isDict2 := yv.(*jinja.Dict)
		xl, isList := xv.(*jinja.List)
		yl, isList2 := yv.(*jinja.List)
		switch {
		case ok && isDict && isDict2 && recursive:
			x.Set(k, merge(xd, yd, recursive, lists))
		case ok && isDict && isDict2:
			x.Set(k, yv)
		case ok && isList && isList2:
			x.Set(k, list(mergeLists[lists](xl.Items, yl.Items)))
		default:
			x.Set(k, yv)
		}
	}
	return x
}

func dictToItems(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "key_name=", "value_name=")
	m, ok := v.(jinja.Mapping)
	if !ok {
		return nil, jinja.TypeErrorf("dict2items requires a dictionary, got %s instead.", typeOf(v))
	}
	keyName, valueName := p.value(0, "key"), p.value(1, "value")
	items := jinja.NewList()
	for _, k := range m.Keys() {
		value, _ := m.Get(k)
		items.Items = append(items.Items, jinja.NewDict(keyName, k, valueName, value))
	}
	return items, p.err
}

// typeOf is a type as Python prints it.
func typeOf(v any) string { return "<class '" + jinja.TypeName(v) + "'>" }

func itemsToDict(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "key_name=", "value_name=")
	items, ok := sequence(v)
	if !ok {
		return nil, jinja.TypeErrorf("items2dict requires a list, got %s instead.", typeOf(v))
	}
	keyName, valueName := p.value(0, "key"), p.value(1, "value")
	if p.err != nil {
		return nil, p.err
	}
	d := jinja.NewDict()
	for _, item := range items {
		m, ok := item.(jinja.Mapping)
		if !ok {
			return nil, jinja.TypeErrorf("items2dict requires a list of dictionaries, got %s instead.", jinja.Repr(v))
		}
		key, ok1 := m.Get(keyName)
		value, ok2 := m.Get(valueName)
		if !ok1 || !ok2 {
			return nil, jinja.TypeErrorf("items2dict requires each dictionary in the list to contain the keys '%v' and '%v', got %s instead.",
				keyName, valueName, jinja.Repr(v))
		}
		if err := jinja.Hashable(key); err != nil {
			return nil, err
		}
		d.Set(key, value)
	}
	return d, nil
}

// lacking is what a container gives for a key that it does not have.
func lacking(container, key any) *jinja.Undefined {
	hint := fmt.Sprintf("%s object has no element %s", jinja.TypeName(container), jinja.Repr(key))
	if _, isText := key.(string); isText {
		hint = fmt.Sprintf("'%s object' has no attribute %s", jinja.TypeName(container), jinja.Repr(key))
	}
	return &jinja.Undefined{Name: jinja.Str(key), Hint: hint}
}

// extract looks value up in a container, and more keys in what it finds.
func extract(c *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "container", "morekeys=")
	if p.err != nil {
		return nil, p.err
	}
	keys := []any{v}
	if more, ok := p.value(1, nil).(*jinja.List); ok {
		keys = append(keys, more.Items...)
	} else if p.set(1) {
		keys = append(keys, p.values[1])
	}
	value := p.value(0, nil)
	for _, key := range keys {
		if u, ok := value.(*jinja.Undefined); ok {
			return u, nil
		}
		found, ok, err := item(value, key)
		if err != nil {
			return nil, err
		}
		if !ok {
			return lacking(value, key), nil
		}
		value = found
	}
	return value, p.err
}

// item is container[key].
func item(container, key any) (v any, ok bool, err error) {
	switch container := container.(type) {
	case jinja.Getter:
		if err := undefined(key); err != nil {
			return nil, false, err
		}
		return container.Lookup(key)
	case jinja.Mapping:
		v, ok = container.Get(key)
		return v, ok, undefined(key)
	}
	items, ok := sequence(container)
	if s, isText := container.(string); isText {
		items, err = jinja.Iterate(s)
		ok = err == nil
	}
	i, isInt := integer(key)
	if i < 0 {
		i += len(items)
	}
	if !ok || !isInt || i < 0 || i >= len(items) {
		return nil, false, err
	}
	return items[i], true, nil
}

func rekeyOnMember(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "key", "duplicates=")
	key, duplicates := p.value(0, nil), p.text(1, "error")
	if p.err != nil {
		return nil, p.err
	}
	if duplicates != "error" && duplicates != "overwrite" {
		return nil, fmt.Errorf("duplicates parameter to rekey_on_member has unknown value: %s", duplicates)
	}
	items, ok := sequence(v)
	if m, isDict := v.(jinja.Mapping); isDict {
		ok = true
		for _, k := range m.Keys() {
			value, _ := m.Get(k)
			items = append(items, value)
		}
	}
	if !ok {
		return nil, jinja.TypeErrorf("Type is not a valid list, set, or dict")
	}
	d := jinja.NewDict()
	for _, item := range items {
		m, ok := item.(jinja.Mapping)
		if !ok {
			return nil, jinja.TypeErrorf("List item is not a valid dict")
		}
		member, ok := m.Get(key)
		if !ok {
			return nil, fmt.Errorf("Key %s was not found", jinja.Str(key))
		}
		if err := jinja.Hashable(member); err != nil {
			return nil, err
		}
		if _, double := d.Get(member); double && duplicates == "error" {
			return nil, fmt.Errorf("Key %s is not unique, cannot correctly turn into dict", jinja.Str(member))
		}
		d.Set(member, item)
	}
	return d, nil
}

func subelements(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "subelements", "skip_missing=")
	skip := p.truth(1, false)
	path := p.value(0, nil)
	if p.err != nil {
		return nil, p.err
	}
	pairs, err := Subelements(v, path, skip)
	if err != nil {
		return nil, err
	}
	return list(pairs), nil
}

// Subelements pairs each element of v, a list or a dict, with each item of
// the list that the path (a dotted string or a list of keys) leads to in it.
func Subelements(v, path any, skipMissing bool) ([]any, error) {
	var elements []any
	switch v := v.(type) {
	case jinja.Mapping:
		for _, k := range v.Keys() {
			value, _ := v.Get(k)
			elements = append(elements, value)
		}
	case *jinja.List:
		elements = v.Items
	default:
		return nil, errors.New("obj must be a list of dicts or a nested dict")
	}
	var keys []any
	switch path := path.(type) {
	case *jinja.List:
		keys = path.Items
	case string:
		for _, key := range strings.Split(path, ".") {
			keys = append(keys, key)
		}
	default:
		return nil, jinja.TypeErrorf("subelements must be a list or a string")
	}
	var pairs []any
	for _, element := range elements {
		values, err := follow(element, keys, skipMissing)
		if err != nil {
			return nil, err
		}
		for _, value := range values {
			pairs = append(pairs, jinja.Tuple{element, value})
		}
	}
	return pairs, nil
}

// follow goes down the keys to a list.
func follow(element any, keys []any, skipMissing bool) ([]any, error) {
	value := element
	for _, key := range keys {
		m, ok := value.(jinja.Mapping)
		if !ok {
			return nil, jinja.TypeErrorf("the key %s should point to a dictionary, got '%s'", jinja.Str(key), jinja.Str(value))
		}
		found, ok := m.Get(key)
		if !ok && skipMissing {
			return nil, nil
		}
		if !ok {
			return nil, fmt.Errorf("could not find %s key in iterated item %s", jinja.Repr(key), jinja.Repr(value))
		}
		value = found
	}
	l, ok := value.(*jinja.List)
	if !ok {
		return nil, jinja.TypeErrorf("the key %s should point to a list, got %s", jinja.Repr(keys[len(keys)-1]), jinja.Repr(value))
	}
	return l.Items, nil
}
