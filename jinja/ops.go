package jinja

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"math/big"
	"strings"
)

// Limits on what one operation may make.
const (
	maxSize  = 1 << 26 // bytes
	maxItems = 1 << 23
)

var errTooLarge = errors.New("the result is too large")

// Truth is Python's bool(v). An Undefined is false here.
func Truth(v any) bool {
	t, _ := truth(v)
	return t
}

// truth is bool(v) where an Undefined is an error.
func truth(v any) (bool, error) {
	switch v := v.(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	case int:
		return v != 0, nil
	case *big.Int:
		return v.Sign() != 0, nil
	case float64:
		return v != 0, nil
	case string:
		return v != "", nil
	case Markup:
		return v != "", nil
	case Text:
		return v.Value != "", nil
	case []byte:
		return len(v) > 0, nil
	case Tuple:
		return len(v) > 0, nil
	case *List:
		return len(v.Items) > 0, nil
	case Mapping:
		return v.Len() > 0, nil
	case *Range:
		return v.Len() > 0, nil
	case *view:
		return v.of.Len() > 0, nil
	case *Undefined:
		if v.soft {
			return false, nil
		}
		return false, &undefinedError{v}
	}
	return true, nil
}

// normalBig gives an int where b fits in one.
func normalBig(b *big.Int) any {
	if b.IsInt64() {
		return int(b.Int64())
	}
	return b
}

// toBig is an integer (or bool) as a big one; nil for anything else.
func toBig(v any) *big.Int {
	switch v := v.(type) {
	case int:
		return big.NewInt(int64(v))
	case *big.Int:
		return v
	case bool:
		if v {
			return big.NewInt(1)
		}
		return new(big.Int)
	}
	return nil
}

// toInt is the int of an int or a bool.
func toInt(v any) (int, bool) {
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

// toFloat is the value of any number.
func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, true
	}
	return 0, false
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, float64, bool, *big.Int:
		return true
	}
	return false
}

// text is the string of a str or Markup.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case Markup:
		return string(v), true
	case Text:
		return v.Value, true
	}
	return "", false
}

// Equal is Python's ==. An Undefined equals nothing.
func Equal(a, b any) bool {
	eq, err := equal(a, b, 0)
	return eq && err == nil
}

func equal(a, b any, depth int) (bool, error) {
	if depth > maxDataDepth {
		return false, typeErrorf("maximum recursion depth exceeded in comparison")
	}
	if g, ok := a.(*group); ok {
		a = g.Pair()
	}
	if g, ok := b.(*group); ok {
		b = g.Pair()
	}
	u, undefined := a.(*Undefined)
	v, alsoUndefined := b.(*Undefined)
	switch {
	case undefined && u == v && depth > 0:
		return true, nil // as Python, which asks no item whether it is itself
	case undefined && !u.soft:
		return false, &undefinedError{u}
	case alsoUndefined && !v.soft:
		return false, &undefinedError{v}
	case undefined:
		return alsoUndefined, nil
	}
	switch x := a.(type) {
	case nil:
		return b == nil, nil
	case string, Markup, Text:
		s, _ := text(a)
		t, ok := text(b)
		return ok && s == t, nil
	case int:
		if y, ok := b.(int); ok {
			return x == y, nil
		}
		return equalNumbers(a, b), nil
	case bool, float64, *big.Int:
		return equalNumbers(a, b), nil
	case []byte:
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y), nil
	case Object:
		c, err := x.Compare(b)
		return err == nil && c == 0, nil
	case Tuple:
		y, ok := b.(Tuple)
		if !ok {
			return false, nil
		}
		return equalItems(x, y, depth)
	case *List:
		y, ok := b.(*List)
		if !ok {
			return false, nil
		}
		if x == y {
			return true, nil
		}
		return equalItems(x.Items, y.Items, depth)
	case Mapping:
		y, ok := b.(Mapping)
		if !ok {
			return false, nil
		}
		if d, ok := x.(*Dict); ok && b == any(d) {
			return true, nil
		}
		return equalMappings(x, y, depth)
	case *Range, *view:
		return equalLazy(a, b, depth)
	case *bound:
		y, ok := b.(*bound)
		return ok && x.name == y.name && same(x.self, y.self), nil
	}
	return hashKey(a) == hashKey(b), nil
}

func equalNumbers(a, b any) bool {
	if !isNumber(b) {
		return false
	}
	c, ok := compareNumbers(a, b)
	return ok && c == 0
}

func equalItems(a, b []any, depth int) (bool, error) {
	if len(a) != len(b) {
		return false, nil
	}
	for i := range a {
		if eq, err := equal(a[i], b[i], depth+1); !eq || err != nil {
			return false, err
		}
	}
	return true, nil
}

func equalMappings(a, b Mapping, depth int) (bool, error) {
	if a.Len() != b.Len() {
		return false, nil
	}
	for _, k := range a.Keys() {
		x, _, err := mappingGet(a, k)
		if err != nil {
			return false, err
		}
		y, ok, err := mappingGet(b, k)
		if !ok || err != nil {
			return false, err
		}
		if eq, err := equal(x, y, depth+1); !eq || err != nil {
			return false, err
		}
	}
	return true, nil
}

// equalLazy compares ranges and views: those of keys and items as sets are.
func equalLazy(a, b any, depth int) (bool, error) {
	if typeName(a) != typeName(b) {
		return false, nil
	}
	if v, ok := a.(*view); ok {
		w := b.(*view)
		if v.kind == "dict_values" || v.of.Len() != w.of.Len() {
			return v == w, nil
		}
		if v.kind == "dict_items" {
			return equalMappings(v.of, w.of, depth)
		}
		for _, k := range v.of.Keys() {
			if _, in, err := mappingGet(w.of, k); !in || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	x, err := Iterate(a)
	if err != nil {
		return false, err
	}
	y, err := Iterate(b)
	if err != nil {
		return false, err
	}
	return equalItems(x, y, depth)
}

// compareNumbers compares two numbers exactly; ok is false where one is NaN.
func compareNumbers(a, b any) (order int, ok bool) {
	x, xInt := toInt(a)
	y, yInt := toInt(b)
	if xInt && yInt {
		return cmp.Compare(x, y), true
	}
	xf, xFloat := a.(float64)
	yf, yFloat := b.(float64)
	if !xFloat && !yFloat {
		return toBig(a).Cmp(toBig(b)), true
	}
	if xFloat && yFloat {
		return cmp.Compare(xf, yf), !math.IsNaN(xf) && !math.IsNaN(yf)
	}
	if xFloat {
		order, ok = compareNumbers(b, a)
		return -order, ok
	}
	switch {
	case math.IsNaN(yf):
		return 0, false
	case math.IsInf(yf, 0):
		return -int(math.Copysign(1, yf)), true
	}
	return new(big.Float).SetInt(toBig(a)).Cmp(big.NewFloat(yf)), true
}

// Compare orders two values as Python's < does, negative where a comes first;
// it fails for types that have no order.
func Compare(a, b any) (int, error) { return compare(a, b, "<", 0) }

func compare(a, b any, op string, depth int) (int, error) {
	if depth > maxDataDepth {
		return 0, typeErrorf("maximum recursion depth exceeded in comparison")
	}
	for _, v := range [2]any{a, b} {
		if u, ok := v.(*Undefined); ok {
			return 0, &undefinedError{u}
		}
	}
	if isNumber(a) && isNumber(b) {
		c, _ := compareNumbers(a, b)
		return c, nil
	}
	if s, ok := text(a); ok {
		if t, ok := text(b); ok {
			return strings.Compare(s, t), nil
		}
	}
	if g, ok := a.(*group); ok {
		a = g.Pair()
	}
	if g, ok := b.(*group); ok {
		b = g.Pair()
	}
	switch x := a.(type) {
	case *view:
		if y, ok := b.(*view); ok && x.kind != "dict_values" && y.kind != "dict_values" {
			less, err := viewRelation("<", x, y)
			if less || err != nil {
				return -1, err
			}
			more, err := viewRelation(">", x, y)
			if more {
				return 1, err
			}
			return 0, err
		}
	case *List:
		if y, ok := b.(*List); ok {
			return compareItems(x.Items, y.Items, op, depth)
		}
	case Tuple:
		if y, ok := b.(Tuple); ok {
			return compareItems(x, y, op, depth)
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Compare(x, y), nil
		}
	case Object:
		c, err := x.Compare(b)
		if err == nil || !errors.Is(err, ErrNoOrder) {
			return c, err
		}
	}
	return 0, typeErrorf("'%s' not supported between instances of '%s' and '%s'", op, typeName(a), typeName(b))
}

func compareItems(a, b []any, op string, depth int) (int, error) {
	for i := range min(len(a), len(b)) {
		eq, err := equal(a[i], b[i], depth+1)
		if err != nil {
			return 0, err
		}
		if !eq {
			return compare(a[i], b[i], op, depth+1)
		}
	}
	return cmp.Compare(len(a), len(b)), nil
}

// relation is a op b for one of Python's comparison operators.
func relation(op string, a, b any) (bool, error) {
	switch op {
	case "==":
		return equal(a, b, 0)
	case "!=":
		eq, err := equal(a, b, 0)
		return !eq, err
	case "in":
		return contains(b, a)
	case "not in":
		in, err := contains(b, a)
		return !in, err
	}
	if x, ok := a.(float64); ok && math.IsNaN(x) && isNumber(b) {
		return false, nil
	}
	if y, ok := b.(float64); ok && math.IsNaN(y) && isNumber(a) {
		return false, nil
	}
	if v, ok := a.(*view); ok {
		if w, ok := b.(*view); ok && v.kind != "dict_values" && w.kind != "dict_values" {
			return viewRelation(op, v, w)
		}
	}
	c, err := compare(a, b, op, 0)
	if err != nil {
		return false, err
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}

// viewRelation compares the keys or items of dicts as sets.
func viewRelation(op string, a, b *view) (bool, error) {
	if op == ">" || op == ">=" {
		a, b = b, a
	}
	if a.of.Len() > b.of.Len() || a.of.Len() == b.of.Len() && (op == "<" || op == ">") {
		return false, nil
	}
	items, err := a.items()
	if err != nil {
		return false, err
	}
	for _, item := range items {
		if in, err := contains(b, item); !in || err != nil {
			return false, err
		}
	}
	return true, nil
}

// contains is Python's item in container.
func contains(container, item any) (bool, error) {
	switch c := container.(type) {
	case string, Markup, Text:
		s, _ := text(c)
		t, ok := text(item)
		if u, undefined := item.(*Undefined); undefined {
			return false, &undefinedError{u}
		}
		if !ok {
			return false, typeErrorf("'in <string>' requires string as left operand, not %s", typeName(item))
		}
		return strings.Contains(s, t), nil
	case Mapping:
		if err := hashable(item); err != nil {
			return false, err
		}
		_, ok, err := mappingGet(c, item)
		return ok, err
	case []byte:
		switch item := item.(type) {
		case []byte:
			return bytes.Contains(c, item), nil
		case int, bool:
		case *Undefined:
			return false, &undefinedError{item}
		default:
			return false, typeErrorf("a bytes-like object is required, not '%s'", typeName(item))
		}
	case *Range:
		if u, ok := item.(*Undefined); ok && !u.soft && c.Len() > 0 {
			return false, &undefinedError{u}
		}
		n, ok := hashKey(item).(int)
		return ok && c.has(n), nil
	}
	items, err := Iterate(container)
	if err != nil {
		if _, ok := container.(*Undefined); ok {
			return false, err
		}
		return false, typeErrorf("argument of type '%s' is not iterable", typeName(container))
	}
	for _, x := range items {
		if eq, err := equal(x, item, 0); eq || err != nil {
			return eq, err
		}
	}
	return false, nil
}

func (r *Range) has(n int) bool {
	if r.Step > 0 {
		return n >= r.Start && n < r.Stop && (n-r.Start)%r.Step == 0
	}
	return n <= r.Start && n > r.Stop && (r.Start-n)%-r.Step == 0
}

// Iterate gives the items that Python's iter() gives (dict: keys; str:
// characters). The slice may be the value's own: do not change it.
func Iterate(v any) ([]any, error) {
	switch v := v.(type) {
	case *List:
		return v.Items, nil
	case Tuple:
		return v, nil
	case string:
		return characters(v), nil
	case Markup:
		return characters(string(v)), nil
	case Text:
		return characters(v.Value), nil
	case []byte:
		items := make([]any, len(v))
		for i, b := range v {
			items[i] = int(b)
		}
		return items, nil
	case Mapping:
		return typedKeys(v), nil
	case *Range:
		n := v.Len()
		if n > maxItems {
			return nil, errTooLarge
		}
		items := make([]any, n)
		for i := range items {
			items[i] = v.At(i)
		}
		return items, nil
	case *view:
		return v.items()
	case *group:
		return v.Pair(), nil
	case *loop:
		return v.rest(), v.err
	case *Undefined:
		if v.soft {
			return nil, nil
		}
		return nil, &undefinedError{v}
	}
	return nil, typeErrorf("'%s' object is not iterable", typeName(v))
}

// Len is Python's len(v).
func Len(v any) (int, error) {
	switch v := v.(type) {
	case string:
		return runeLen(v), nil
	case Markup:
		return runeLen(string(v)), nil
	case Text:
		return runeLen(v.Value), nil
	case []byte:
		return len(v), nil
	case Tuple:
		return len(v), nil
	case *List:
		return len(v.Items), nil
	case Mapping:
		return v.Len(), nil
	case *Range:
		return v.Len(), nil
	case *view:
		return v.of.Len(), nil
	case *group:
		return 2, nil
	case *loop:
		return v.length(), v.err
	case *Undefined:
		if v.soft {
			return 0, nil
		}
		return 0, &undefinedError{v}
	}
	return 0, typeErrorf("object of type '%s' has no len()", typeName(v))
}

func unsupported(op string, a, b any) error {
	for _, v := range [2]any{a, b} {
		if u, ok := v.(*Undefined); ok {
			return &undefinedError{u}
		}
	}
	if op == "**" {
		op = "** or pow()"
	}
	return typeErrorf("unsupported operand type(s) for %s: '%s' and '%s'", op, typeName(a), typeName(b))
}

// index is a value used as an index or a count.
func index(v any) (int, error) {
	switch n := v.(type) {
	case int:
		return n, nil
	case bool:
		i, _ := toInt(v)
		return i, nil
	case *big.Int:
		return 0, Exceptionf("OverflowError", "Python int too large to convert to C ssize_t")
	case *Undefined:
		return 0, &undefinedError{n}
	}
	return 0, typeErrorf("'%s' object cannot be interpreted as an integer", typeName(v))
}
