package jinja

import (
	"math/big"
)

// attribute is object.name: an attribute or method, else an item.
func attribute(object any, name string) (any, error) { return attributeOf(object, name, name) }

// attributeOf is attribute with the name as a value, too, which costs to make.
func attributeOf(object any, name string, key any) (any, error) {
	switch o := object.(type) {
	case *Dict:
		if m, ok := dictMethods[name]; ok {
			return &bound{o, name, m}, nil
		}
		if name == "__class__" {
			return class{typeName(o)}, nil
		}
		if i := o.find(key); i >= 0 {
			return o.Typed(o.items[i].value), nil
		}
		return &Undefined{Name: name, owner: "dict object", key: key, of: o}, nil
	case *Undefined:
		return o.deeper()
	}
	if v, ok := attributeOnly(object, name); ok {
		return v, nil
	}
	if m, ok := object.(Mapping); ok {
		v, ok, err := mappingGet(m, key)
		if ok || err != nil {
			return v, err
		}
	}
	return lacking(object, name, key), nil
}

// Lacker is a Mapping that says itself what a key is that it lacks.
type Lacker interface {
	Lacks(key any) *Undefined
}

func lacking(object any, name string, key any) *Undefined {
	if l, ok := object.(Lacker); ok {
		return l.Lacks(key)
	}
	return &Undefined{Name: name, owner: ownerName(object), key: key, of: object}
}

// deeper is an attribute or item of an undefined value: as undefined as that.
func (u *Undefined) deeper() (any, error) {
	if u.soft {
		return nil, &undefinedError{u}
	}
	return u, nil
}

// attributeOnly is Python's getattr.
func attributeOnly(object any, name string) (any, bool) {
	if m, ok := methodOf(object, name); ok {
		return &bound{object, name, m}, true
	}
	if a, ok := object.(Attributer); ok && name != "__class__" {
		v, ok := a.Attr(name)
		return normal(v), ok
	}
	if name == "__class__" {
		return class{typeName(object)}, true
	}
	switch o := object.(type) {
	case int, bool, *big.Int:
		switch name {
		case "real", "numerator":
			return normalBig(toBig(o)), true
		case "imag":
			return 0, true
		case "denominator":
			return 1, true
		}
	case float64:
		switch name {
		case "real":
			return o, true
		case "imag":
			return 0.0, true
		}
	}
	return nil, false
}

// methodOf finds a Python method of a builtin type.
func methodOf(object any, name string) (m method, ok bool) {
	switch object.(type) {
	case string, Markup, Text:
		m, ok = strMethods[name]
	case *List:
		m, ok = listMethods[name]
	case *Dict:
		m, ok = dictMethods[name]
	case Tuple:
		m, ok = tupleMethods[name]
	case int, bool, *big.Int:
		m, ok = intMethods[name]
	case float64:
		m, ok = floatMethods[name]
	case []byte:
		m, ok = bytesMethods[name]
	case Mapping:
		m, ok = mappingMethods[name]
	case *Range:
		m, ok = rangeMethods[name]
	}
	return m, ok
}

// item is object[key]: an item, else an attribute.
func item(object, key any) (any, error) {
	switch o := object.(type) {
	case *Undefined:
		return o.deeper()
	case Mapping:
		if err := hashable(key); err != nil {
			// As in Jinja2, what cannot be a key is one that is not there.
			if _, unusable := err.(*typeError); unusable {
				break
			}
			return nil, err
		}
		v, ok, err := mappingGet(o, key)
		if ok || err != nil {
			return v, err
		}
	default:
		if v, ok := itemAt(object, key); ok {
			return v, nil
		}
	}
	name, ok := text(key)
	if ok {
		if v, ok := attributeOnly(object, name); ok {
			return v, nil
		}
	}
	return lacking(object, Str(key), key), nil
}

func itemAt(object, key any) (any, bool) {
	i, ok := toInt(key)
	if !ok {
		return nil, false
	}
	if s, ok := text(object); ok {
		return charAt(object, s, i)
	}
	switch o := object.(type) {
	case *List:
		v, ok := at(o.Items, i)
		return o.Typed(v), ok
	case Tuple:
		return at(o, i)
	case *group:
		return at(o.Pair(), i)
	case []byte:
		if i < 0 {
			i += len(o)
		}
		if i < 0 || i >= len(o) {
			return nil, false
		}
		return int(o[i]), true
	case *Range:
		n := o.Len()
		if i < 0 {
			i += n
		}
		if i < 0 || i >= n {
			return nil, false
		}
		return o.At(i), true
	}
	return nil, false
}

func at(items []any, i int) (any, bool) {
	if i < 0 {
		i += len(items)
	}
	if i < 0 || i >= len(items) {
		return nil, false
	}
	return items[i], true
}

func charAt(object any, s string, i int) (any, bool) {
	if i < 0 {
		i += runeLen(s)
	}
	if i < 0 || i >= len(s) {
		return nil, false
	}
	char := cut(s, i, i+1)
	if char == "" {
		return nil, false
	}
	if _, ok := object.(Markup); ok {
		return Markup(char), true
	}
	return char, true
}

// slice is object[from:to:step]; nil stands for what is left out.
func slice(object, from, to, step any) (any, error) {
	if u, ok := object.(*Undefined); ok {
		return u.deeper()
	}
	object = bare(object)
	n, err := Len(object)
	if _, isMapping := object.(Mapping); isMapping {
		return nil, typeErrorf("unhashable type: 'slice'")
	}
	if err != nil {
		return nil, typeErrorf("'%s' object is not subscriptable", typeName(object))
	}
	r, err := sliceRange(n, from, to, step)
	if err != nil {
		return nil, err
	}
	switch o := object.(type) {
	case string:
		return sliceText(o, r), nil
	case Markup:
		return Markup(sliceText(string(o), r)), nil
	case *List:
		return &List{pick(o.Items, r), o.Class}, nil
	case Tuple:
		return Tuple(pick(o, r)), nil
	case []byte:
		out := make([]byte, r.Len())
		for i := range out {
			out[i] = o[r.At(i)]
		}
		return out, nil
	case *Range:
		stop := o.Start + r.Stop*o.Step
		return &Range{o.Start + r.Start*o.Step, stop, o.Step * r.Step}, nil
	}
	return nil, typeErrorf("'%s' object is not subscriptable", typeName(object))
}

// sliceRange gives the indexes a slice of a sequence of n items takes.
func sliceRange(n int, from, to, step any) (*Range, error) {
	by := 1
	if step != nil {
		var err error
		if by, err = sliceIndex(step); err != nil {
			return nil, err
		}
		if by == 0 {
			return nil, valueErrorf("slice step cannot be zero")
		}
		by = max(-maxSize, min(by, maxSize))
	}
	low, high := 0, n
	start, stop := 0, n
	if by < 0 {
		low, high = -1, n-1
		start, stop = n-1, -1
	}
	clamp := func(v any, to *int) error {
		if v == nil {
			return nil
		}
		i, err := sliceIndex(v)
		if err != nil {
			return err
		}
		if i < 0 {
			i += n
		}
		*to = max(low, min(i, high))
		return nil
	}
	if err := clamp(from, &start); err != nil {
		return nil, err
	}
	if err := clamp(to, &stop); err != nil {
		return nil, err
	}
	return &Range{start, stop, by}, nil
}

func sliceIndex(v any) (int, error) {
	switch v := v.(type) {
	case *big.Int:
		return v.Sign() * maxSize * 16, nil
	case *Undefined:
		return 0, &undefinedError{v}
	}
	i, ok := toInt(v)
	if !ok {
		return 0, typeErrorf("slice indices must be integers or None or have an __index__ method")
	}
	return i, nil
}

func sliceText(s string, r *Range) string {
	if r.Step == 1 {
		return cut(s, r.Start, max(r.Start, r.Stop))
	}
	chars := []rune(s)
	out := make([]rune, r.Len())
	for i := range out {
		out[i] = chars[r.At(i)]
	}
	return string(out)
}

func pick(items []any, r *Range) []any {
	out := make([]any, r.Len())
	for i := range out {
		out[i] = items[r.At(i)]
	}
	return out
}
