package jinja

import (
	"cmp"
	"encoding/json"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
)

// normal makes a template value of what a scope, filter or callable gave; the
// usual types cost nothing.
func normal(v any) any {
	switch v.(type) {
	case nil, bool, int, float64, string, *List, *Dict, Tuple, *Undefined, Markup, Text, *big.Int, []byte, Mapping, Callable, Attributer:
		return v
	}
	return FromGo(v)
}

// FromGo makes a template value of what encoding/json, yaml or a module gives:
// map[string]any (keys sorted), []any, json.Number, every size of integer, and
// slices and maps of other types. What has no counterpart stays as it is.
func FromGo(v any) any { return FromGoOrdered(v, nil) }

// FromGoOrdered is FromGo with the keys of all dicts in the order of keys. An
// empty one among them stands for those that are not there, which come sorted;
// else they come last.
func FromGoOrdered(v any, keys []string) any {
	rank := make(map[string]int, len(keys))
	for i, k := range slices.Backward(keys) { // so that a key's first place counts
		rank[k] = i + 1
	}
	others, ok := rank[""]
	if !ok {
		others = len(keys) + 1
	}
	return fromGo(v, func(key string) int { return cmp.Or(rank[key], others) })
}

func fromGo(v any, rank func(key string) int) any {
	switch v := v.(type) {
	case nil, bool, int, float64, string, *List, *Dict, Tuple, *Undefined, Markup, Text, []byte, Mapping, Callable, Attributer:
		return v
	case *big.Int:
		return normalBig(v)
	case map[string]any:
		d := &Dict{items: make([]entry, 0, len(v))}
		byRank := func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b)) }
		for _, k := range slices.SortedFunc(maps.Keys(v), byRank) {
			d.Set(k, fromGo(v[k], rank))
		}
		return d
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = fromGo(item, rank)
		}
		return &List{Items: items}
	case []string:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = item
		}
		return &List{Items: items}
	case json.Number:
		return fromNumber(v)
	}
	return fromReflect(v)
}

func fromNumber(n json.Number) any {
	s := string(n)
	if !strings.ContainsAny(s, ".eE") {
		if b, ok := new(big.Int).SetString(s, 10); ok {
			return normalBig(b)
		}
	}
	f, err := n.Float64()
	if err != nil && f == 0 {
		return s
	}
	return f
}

func fromReflect(v any) any {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Bool:
		return r.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return normalBig(new(big.Int).SetUint64(r.Uint()))
	case reflect.Float32, reflect.Float64:
		return r.Float()
	case reflect.String:
		return r.String()
	case reflect.Slice, reflect.Array:
		items := make([]any, r.Len())
		for i := range items {
			items[i] = FromGo(r.Index(i).Interface())
		}
		return &List{Items: items}
	case reflect.Map:
		if r.Type().Key().Kind() == reflect.String {
			m := make(map[string]any, r.Len())
			for _, k := range r.MapKeys() {
				m[k.String()] = r.MapIndex(k).Interface()
			}
			return FromGo(m)
		}
	}
	return v
}

// ToGo is the reverse: *Dict → map[string]any, *List, Tuple, ranges and views
// → []any, an Object its text in JSON. Keys that are no strings become text as
// Python's json does it. Values of a Getter that fail are left out.
func ToGo(v any) any { return toGo(v, 0) }

func toGo(v any, depth int) any {
	if depth > maxDataDepth {
		return nil
	}
	switch v := v.(type) {
	case Markup:
		return string(v)
	case Text:
		return v.Value
	case Mapping:
		out := make(map[string]any, v.Len())
		for _, k := range v.Keys() {
			value, _, err := mappingGet(v, k)
			if err == nil {
				out[keyText(k)] = toGo(value, depth+1)
			}
		}
		return out
	case *List, Tuple, *Range, *view, *group:
		items, _ := Iterate(v)
		out := make([]any, len(items))
		for i, item := range items {
			out[i] = toGo(item, depth+1)
		}
		return out
	case Object:
		if text, err := Marshaled(v); err == nil {
			return text
		}
	}
	return v
}

// keyText is a dict key as a JSON object's key.
func keyText(k any) string {
	switch k := k.(type) {
	case string:
		return k
	case nil:
		return "null"
	case bool:
		if k {
			return "true"
		}
		return "false"
	}
	return Str(k)
}
