package jinja

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
)

// Dict is a Python dict: keys are any hashable value, equal as in Python
// (1, 1.0 and True are one key), and keep the order they came in.
type Dict struct {
	// Class is that of the texts among its keys and values, as of a List.
	Class string

	items []entry
	dead  int
	index map[any]int // hash key → position in items; nil while there are few
}

type entry struct {
	hash, key, value any
	dead             bool
}

// few is how many entries are found faster by looking at each of them.
const few = 8

// NewDict makes a dict of alternating keys and values.
func NewDict(pairs ...any) *Dict {
	d := &Dict{items: make([]entry, 0, len(pairs)/2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		d.Set(pairs[i], pairs[i+1])
	}
	return d
}

// Len is the number of keys. A nil dict is empty.
func (d *Dict) Len() int {
	if d == nil {
		return 0
	}
	return len(d.items) - d.dead
}

func (d *Dict) find(hash any) int {
	if d == nil {
		return -1
	}
	if d.index != nil {
		if i, ok := d.index[hash]; ok {
			return i
		}
		return -1
	}
	if s, ok := hash.(string); ok {
		return d.findString(s)
	}
	for i := range d.items {
		if e := &d.items[i]; !e.dead && e.hash == hash {
			return i
		}
	}
	return -1
}

func (d *Dict) findString(s string) int {
	for i := range d.items {
		if k, ok := d.items[i].hash.(string); ok && k == s && !d.items[i].dead {
			return i
		}
	}
	return -1
}

// Get is the value of key.
func (d *Dict) Get(key any) (any, bool) {
	i := d.find(hashKey(key))
	if i < 0 {
		return nil, false
	}
	return d.items[i].value, true
}

// named is Get of a text, which as a value costs to make.
func (d *Dict) named(key string) (any, bool) {
	if d == nil {
		return nil, false
	}
	if d.index != nil {
		return d.Get(key)
	}
	i := d.findString(key)
	if i < 0 {
		return nil, false
	}
	return d.items[i].value, true
}

// Set gives key a value; a new key goes to the end.
func (d *Dict) Set(key, value any) {
	h := hashKey(key)
	if i := d.find(h); i >= 0 {
		d.items[i].value = value
		return
	}
	d.items = append(d.items, entry{hash: h, key: key, value: value})
	switch {
	case d.index != nil:
		d.index[h] = len(d.items) - 1
	case len(d.items) > few:
		d.reindex()
	}
}

func (d *Dict) reindex() {
	d.index = make(map[any]int, 2*len(d.items))
	for i := range d.items {
		if e := &d.items[i]; !e.dead {
			d.index[e.hash] = i
		}
	}
}

// Delete removes key and reports whether it was there.
func (d *Dict) Delete(key any) bool {
	h := hashKey(key)
	i := d.find(h)
	if i < 0 {
		return false
	}
	if d.index != nil {
		delete(d.index, h)
	}
	d.items[i] = entry{dead: true}
	d.dead++
	if d.dead > len(d.items)/2 {
		d.compact()
	}
	return true
}

func (d *Dict) compact() {
	// A new slice: someone may be iterating over the old one.
	live := make([]entry, 0, d.Len()+1)
	for _, e := range d.items {
		if !e.dead {
			live = append(live, e)
		}
	}
	d.items, d.dead = live, 0
	if d.index != nil {
		d.reindex()
	}
}

// Clear removes all keys.
func (d *Dict) Clear() { *d = Dict{Class: d.Class} }

// Keys are the keys in order.
func (d *Dict) Keys() []any {
	keys := make([]any, 0, d.Len())
	for k := range d.All() {
		keys = append(keys, k)
	}
	return keys
}

// All iterates over keys and values in order.
func (d *Dict) All() iter.Seq2[any, any] {
	return func(yield func(key, value any) bool) {
		if d == nil {
			return
		}
		for _, e := range d.items {
			if !e.dead && !yield(e.key, e.value) {
				return
			}
		}
	}
}

// Copy is a shallow copy.
func (d *Dict) Copy() *Dict {
	if d == nil {
		return &Dict{}
	}
	c := &Dict{Class: d.Class, items: slices.Clone(d.items), index: maps.Clone(d.index), dead: d.dead}
	if c.dead > 0 {
		c.compact()
	}
	return c
}

type (
	bigKey   string
	bytesKey string
	tupleKey string
	// opaqueKey stands for a Go value that no map takes as a key.
	opaqueKey string
)

// hashKey maps keys that Python holds equal to one comparable Go value.
func hashKey(key any) any {
	switch k := key.(type) {
	case string, int:
		return k
	case Markup:
		return string(k)
	case Text:
		return k.Value
	case bool:
		if k {
			return 1
		}
		return 0
	case float64:
		return hashFloat(k)
	case *big.Int:
		if n, ok := normalBig(k).(int); ok {
			return n
		}
		return bigKey(k.String())
	case []byte:
		return bytesKey(k)
	case Tuple:
		return hashTuple(k)
	case *group:
		return hashTuple(k.Pair())
	case nil, *List, *Dict, *Undefined:
		return k
	}
	if !reflect.ValueOf(key).Comparable() {
		return opaqueKey(fmt.Sprintf("%T", key))
	}
	return key
}

func hashFloat(f float64) any {
	if f != math.Trunc(f) || math.IsInf(f, 0) {
		return f
	}
	if f >= -1<<62 && f <= 1<<62 {
		return int(f)
	}
	b, _ := big.NewFloat(f).Int(nil)
	return hashKey(b)
}

func hashTuple(t Tuple) tupleKey {
	var b strings.Builder
	for _, v := range t {
		h := hashKey(v)
		item := fmt.Sprintf("%T:%v", h, h)
		fmt.Fprintf(&b, "%d:%s", len(item), item)
	}
	return tupleKey(b.String())
}

// hashable is nil for what can be a key of a dict.
func hashable(v any) error { return hashableAt(v, 0) }

func hashableAt(v any, depth int) error {
	if depth > maxDataDepth {
		return typeErrorf("maximum recursion depth exceeded while hashing an object")
	}
	switch v := v.(type) {
	case *List, *Dict, Mapping:
		return typeErrorf("unhashable type: '%s'", typeName(v))
	case *view:
		if v.kind != "dict_values" {
			return typeErrorf("unhashable type: '%s'", v.kind)
		}
	case *Undefined:
		if !v.soft {
			return &undefinedError{v}
		}
	case *group:
		return hashableAt(v.Pair(), depth+1)
	case Tuple:
		for _, item := range v {
			if err := hashableAt(item, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// MergeDicts lets the second dict win, and goes into dicts of both.
func MergeDicts(low, high *Dict) *Dict {
	out := low.Copy()
	for k, v := range high.All() {
		was, _ := out.Get(k)
		a, inner := was.(*Dict)
		if b, ok := v.(*Dict); ok && inner {
			v = MergeDicts(a, b)
		}
		out.Set(k, v)
	}
	return out
}
