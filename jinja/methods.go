package jinja

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// The methods of Python's containers and numbers. A table maps each name to
// its parameters as Args.Bind takes them.

var listMethods, tupleMethods, dictMethods, mappingMethods, intMethods, floatMethods, rangeMethods map[string]method

// bind makes a method of a function that gets its arguments in order.
func bind[T any](fn func(c *Context, self T, a []any) (any, error), params ...string) method {
	return func(c *Context, self any, args *Args) (any, error) {
		bound, err := args.bindMethod(params)
		if err != nil {
			return nil, err
		}
		return fn(c, self.(T), bound)
	}
}

// bindMethod binds the arguments of a method, most of which take no keywords.
func (a *Args) bindMethod(params []string) ([]any, error) {
	if a.Keywords.Len() > 0 && !slices.ContainsFunc(params, func(p string) bool { return slices.Contains(methodKeywords, p) }) {
		return nil, argumentErrorf("takes no keyword arguments")
	}
	return a.Bind(params...)
}

var methodKeywords = []string{"sep=", "maxsplit=", "keepends=", "encoding=", "errors=", "tabsize=", "key=", "reverse=", "signed="}

func init() {
	listMethods = map[string]method{
		"append":  bind(listAppend, "object"),
		"clear":   bind(func(_ *Context, l *List, _ []any) (any, error) { l.Items = nil; return nil, nil }),
		"copy":    bind(func(_ *Context, l *List, _ []any) (any, error) { return NewList(slices.Clone(l.Items)...), nil }),
		"count":   bind(func(_ *Context, l *List, a []any) (any, error) { return countItems(l.Items, a[0]) }, "value"),
		"extend":  bind(listExtend, "iterable"),
		"index":   bind(func(_ *Context, l *List, a []any) (any, error) { return indexItem("list", l.Items, a) }, "value", "start=", "stop="),
		"insert":  bind(listInsert, "index", "object"),
		"pop":     bind(listPop, "index="),
		"remove":  bind(listRemove, "value"),
		"reverse": bind(func(_ *Context, l *List, _ []any) (any, error) { l.Items = reversed(l.Items); return nil, nil }),
		"sort":    bind(listSort, "key=", "reverse="),
	}
	tupleMethods = map[string]method{
		"count": bind(func(_ *Context, t Tuple, a []any) (any, error) { return countItems(t, a[0]) }, "value"),
		"index": bind(func(_ *Context, t Tuple, a []any) (any, error) { return indexItem("tuple", t, a) }, "value", "start=", "stop="),
	}
	rangeMethods = map[string]method{
		"count": bind(func(_ *Context, r *Range, a []any) (any, error) {
			in, err := contains(r, a[0])
			return normalBig(toBig(in)), err
		}, "value"),
	}
	rangeMethods["index"] = bind(rangeIndex, "value")
	mappingMethods = map[string]method{
		"get":    bind(mappingGetMethod, "key", "default="),
		"items":  bind(func(_ *Context, m Mapping, _ []any) (any, error) { return &view{"dict_items", m}, nil }),
		"keys":   bind(func(_ *Context, m Mapping, _ []any) (any, error) { return &view{"dict_keys", m}, nil }),
		"values": bind(func(_ *Context, m Mapping, _ []any) (any, error) { return &view{"dict_values", m}, nil }),
	}
	dictMethods = map[string]method{
		"__setitem__": bind(dictSetItem, "key", "value"),
		"clear":       bind(func(_ *Context, d *Dict, _ []any) (any, error) { d.Clear(); return nil, nil }),
		"copy":        bind(func(_ *Context, d *Dict, _ []any) (any, error) { return d.Copy(), nil }),
		"fromkeys":    bind(dictFromKeys, "iterable", "value="),
		"pop":         bind(dictPop, "key", "default="),
		"popitem":     bind(dictPopItem),
		"setdefault":  bind(dictSetDefault, "key", "default="),
		"update":      func(_ *Context, self any, args *Args) (any, error) { return nil, update(self.(*Dict), args) },
	}
	for name, m := range mappingMethods {
		dictMethods[name] = m
	}
	intMethods = map[string]method{
		"bit_length":       bind(func(_ *Context, v any, _ []any) (any, error) { return toBig(v).BitLen(), nil }),
		"bit_count":        bind(bitCount),
		"conjugate":        bind(func(_ *Context, v any, _ []any) (any, error) { return normalBig(toBig(v)), nil }),
		"as_integer_ratio": bind(func(_ *Context, v any, _ []any) (any, error) { return Tuple{normalBig(toBig(v)), 1}, nil }),
		"to_bytes":         bind(intToBytes, "length=", "byteorder=", "signed="),
	}
	floatMethods = map[string]method{
		"is_integer":       bind(func(_ *Context, f float64, _ []any) (any, error) { return f == math.Trunc(f) && !math.IsInf(f, 0), nil }),
		"conjugate":        bind(func(_ *Context, f float64, _ []any) (any, error) { return f, nil }),
		"hex":              bind(func(_ *Context, f float64, _ []any) (any, error) { return hexFloat(f), nil }),
		"as_integer_ratio": bind(floatRatio),
	}
}

func listAppend(_ *Context, l *List, a []any) (any, error) {
	if len(l.Items) > maxItems {
		return nil, errTooLarge
	}
	l.Items = append(l.Items, a[0])
	return nil, nil
}

func listExtend(_ *Context, l *List, a []any) (any, error) {
	items, err := Iterate(a[0])
	if err != nil {
		return nil, err
	}
	if len(l.Items)+len(items) > maxItems {
		return nil, errTooLarge
	}
	l.Items = append(l.Items, items...)
	return nil, nil
}

func listInsert(_ *Context, l *List, a []any) (any, error) {
	i, err := index(a[0])
	if err != nil {
		return nil, err
	}
	if i < 0 {
		i = max(0, i+len(l.Items))
	}
	l.Items = slices.Insert(slices.Clone(l.Items), min(i, len(l.Items)), a[1])
	return nil, nil
}

func listPop(_ *Context, l *List, a []any) (any, error) {
	i := -1
	if a[0] != Missing {
		var err error
		if i, err = index(a[0]); err != nil {
			return nil, err
		}
	}
	if len(l.Items) == 0 {
		return nil, Exceptionf("IndexError", "pop from empty list")
	}
	v, ok := at(l.Items, i)
	if !ok {
		return nil, Exceptionf("IndexError", "pop index out of range")
	}
	if i < 0 {
		i += len(l.Items)
	}
	l.Items = slices.Delete(slices.Clone(l.Items), i, i+1)
	return v, nil
}

func listRemove(_ *Context, l *List, a []any) (any, error) {
	for i, item := range l.Items {
		eq, err := equal(item, a[0], 0)
		if err != nil {
			return nil, err
		}
		if eq {
			l.Items = slices.Delete(slices.Clone(l.Items), i, i+1)
			return nil, nil
		}
	}
	return nil, valueErrorf("list.remove(x): x not in list")
}

func listSort(c *Context, l *List, a []any) (any, error) {
	var key func(any) (any, error)
	if a[0] != Missing && a[0] != nil {
		key = func(v any) (any, error) { return call(c, a[0], &Args{Positional: []any{v}}) }
	}
	reverse := a[1] != Missing && Truth(a[1])
	items, err := sortBy(l.Items, key, reverse)
	if err != nil {
		return nil, err
	}
	l.Items = items
	return nil, nil
}

// sortBy gives the items in the order of their keys, equal ones as they were.
func sortBy(items []any, key func(any) (any, error), reverse bool) ([]any, error) {
	return sortItems(items, key, less, reverse)
}

// less is Python's < as an order.
func less(a, b any) (int, error) { return compare(a, b, "<", 0) }

func sortItems(items []any, key func(any) (any, error), order func(a, b any) (int, error), reverse bool) ([]any, error) {
	type keyed struct{ key, item any }
	sorted := make([]keyed, len(items))
	for i, item := range items {
		sorted[i] = keyed{item, item}
		if key == nil {
			continue
		}
		var err error
		if sorted[i].key, err = key(item); err != nil {
			return nil, err
		}
	}
	var fault error
	slices.SortStableFunc(sorted, func(x, y keyed) int {
		a, b := x.key, y.key
		if reverse {
			a, b = b, a
		}
		c, err := order(a, b)
		if err != nil && fault == nil {
			fault = err
		}
		return c
	})
	if fault != nil {
		return nil, fault
	}
	out := make([]any, len(items))
	for i := range sorted {
		out[i] = sorted[i].item
	}
	return out, nil
}

func reversed(items []any) []any {
	out := slices.Clone(items)
	slices.Reverse(out)
	return out
}

func countItems(items []any, v any) (any, error) {
	n := 0
	for _, item := range items {
		eq, err := equal(item, v, 0)
		if err != nil {
			return nil, err
		}
		if eq {
			n++
		}
	}
	return n, nil
}

func indexItem(kind string, items []any, a []any) (any, error) {
	from, to := any(nil), any(nil)
	if a[1] != Missing {
		from = a[1]
	}
	if a[2] != Missing {
		to = a[2]
	}
	r, err := sliceRange(len(items), from, to, nil)
	if err != nil {
		return nil, typeErrorf("slice indices must be integers or have an __index__ method")
	}
	for i := r.Start; i < r.Stop; i++ {
		eq, err := equal(items[i], a[0], 0)
		if err != nil {
			return nil, err
		}
		if eq {
			return i, nil
		}
	}
	if kind == "tuple" {
		return nil, valueErrorf("tuple.index(x): x not in tuple")
	}
	return nil, valueErrorf("%s is not in list", Repr(a[0]))
}

func rangeIndex(_ *Context, r *Range, a []any) (any, error) {
	if in, err := contains(r, a[0]); !in {
		if _, whole := toInt(a[0]); err == nil && whole {
			err = valueErrorf("%s is not in range", Repr(a[0]))
		} else if err == nil {
			err = valueErrorf("sequence.index(x): x not in sequence")
		}
		return nil, err
	}
	n, _ := toFloat(a[0])
	return (int(n) - r.Start) / r.Step, nil
}

func mappingGetMethod(_ *Context, m Mapping, a []any) (any, error) {
	if err := hashable(a[0]); err != nil {
		return nil, err
	}
	v, ok, err := mappingGet(m, a[0])
	if ok || err != nil {
		return v, err
	}
	return orNone(a[1]), nil
}

func orNone(v any) any {
	if v == Missing {
		return nil
	}
	return v
}

func dictFromKeys(_ *Context, _ *Dict, a []any) (any, error) {
	keys, err := Iterate(a[0])
	if err != nil {
		return nil, err
	}
	d := &Dict{}
	for _, k := range keys {
		if err := hashable(k); err != nil {
			return nil, err
		}
		d.Set(k, orNone(a[1]))
	}
	return d, nil
}

func dictPop(_ *Context, d *Dict, a []any) (any, error) {
	if d.Len() > 0 { // an empty one does not look at the key
		if err := hashable(a[0]); err != nil {
			return nil, err
		}
		if v, ok := d.Get(a[0]); ok {
			d.Delete(a[0])
			return v, nil
		}
	}
	if a[1] == Missing {
		return nil, Exceptionf("KeyError", "%s", Repr(a[0]))
	}
	return a[1], nil
}

func dictPopItem(_ *Context, d *Dict, _ []any) (any, error) {
	keys := d.Keys()
	if len(keys) == 0 {
		return nil, Exceptionf("KeyError", "'popitem(): dictionary is empty'")
	}
	k := keys[len(keys)-1]
	v, _ := d.Get(k)
	d.Delete(k)
	return Tuple{k, v}, nil
}

// dictSetItem is what templates write that have no assignment to d[key].
func dictSetItem(_ *Context, d *Dict, a []any) (any, error) {
	if err := hashable(a[0]); err != nil {
		return nil, err
	}
	d.Set(a[0], a[1])
	return nil, nil
}

func dictSetDefault(_ *Context, d *Dict, a []any) (any, error) {
	if err := hashable(a[0]); err != nil {
		return nil, err
	}
	if v, ok := d.Get(a[0]); ok {
		return v, nil
	}
	d.Set(a[0], orNone(a[1]))
	return orNone(a[1]), nil
}

// update adds a mapping or pairs, and keywords, as dict() and dict.update do.
func update(d *Dict, args *Args) error {
	if len(args.Positional) > 1 {
		return typeErrorf("update expected at most 1 argument, got %d", len(args.Positional))
	}
	for _, from := range args.Positional {
		if m, ok := from.(Mapping); ok {
			for _, k := range m.Keys() {
				v, _, err := mappingGet(m, k)
				if err != nil {
					return err
				}
				d.Set(k, v)
			}
			continue
		}
		if err := updatePairs(d, from); err != nil {
			return err
		}
	}
	for k, v := range args.Keywords.All() {
		d.Set(k, v)
	}
	return nil
}

func updatePairs(d *Dict, from any) error {
	items, err := Iterate(from)
	if err != nil {
		return err
	}
	for i, item := range items {
		pair, err := Iterate(item)
		if err != nil {
			return typeErrorf("cannot convert dictionary update sequence element #%d to a sequence", i)
		}
		if len(pair) != 2 {
			return valueErrorf("dictionary update sequence element #%d has length %d; 2 is required", i, len(pair))
		}
		if err := hashable(pair[0]); err != nil {
			return err
		}
		d.Set(pair[0], pair[1])
	}
	return nil
}

func bitCount(_ *Context, v any, _ []any) (any, error) {
	n := 0
	for _, digit := range new(big.Int).Abs(toBig(v)).Text(2) {
		n += int(digit - '0')
	}
	return n, nil
}

func intToBytes(_ *Context, v any, a []any) (any, error) {
	length, err := number(a[0], 1)
	if err != nil {
		return nil, err
	}
	b := toBig(v)
	signed := enabled(a[2], false)
	bits := length * 8
	switch {
	case length < 0:
		return nil, valueErrorf("length argument must be non-negative")
	case length > maxWidth:
		return nil, errTooLarge
	case b.Sign() < 0 && !signed:
		return nil, Exceptionf("OverflowError", "can't convert negative int to unsigned")
	case b.BitLen() > bits, signed && b.Sign() >= 0 && b.BitLen() >= bits && b.Sign() > 0, signed && b.Sign() < 0 && new(big.Int).Not(b).BitLen() >= bits:
		return nil, Exceptionf("OverflowError", "int too big to convert")
	}
	if b.Sign() < 0 {
		b = new(big.Int).Add(b, new(big.Int).Lsh(big.NewInt(1), uint(bits)))
	}
	out := b.FillBytes(make([]byte, length))
	switch given(a[1], "big") {
	case "big":
	case "little":
		slices.Reverse(out)
	default:
		return nil, valueErrorf("byteorder must be either 'little' or 'big'")
	}
	return out, nil
}

func floatRatio(_ *Context, f float64, _ []any) (any, error) {
	r := new(big.Rat).SetFloat64(f)
	if r == nil {
		name := "Infinity"
		if math.IsNaN(f) {
			name = "NaN"
		}
		return nil, valueErrorf("cannot convert %s to integer ratio", name)
	}
	return Tuple{normalBig(r.Num()), normalBig(r.Denom())}, nil
}

// hexFloat is Python's float.hex.
func hexFloat(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return formatFloat(f)
	}
	if f == 0 {
		if math.Signbit(f) {
			return "-0x0.0p+0"
		}
		return "0x0.0p+0"
	}
	if math.Abs(f) < 0x1p-1022 { // too small for a leading 1
		sign := ""
		if f < 0 {
			sign = "-"
		}
		return fmt.Sprintf("%s0x0.%013xp-1022", sign, math.Float64bits(math.Abs(f)))
	}
	s := strconv.FormatFloat(f, 'x', 13, 64)
	at := slices.Index([]byte(s), 'p')
	exponent, _ := strconv.Atoi(s[at+1:])
	return fmt.Sprintf("%sp%+d", s[:at], exponent)
}
