package jinja

import "errors"

// A template value is one of
//
//	nil         None
//	bool        True, False
//	int         an integer that fits
//	*big.Int    an integer that does not
//	float64
//	string
//	[]byte      bytes
//	Tuple       a tuple
//	*List       a list, shared by reference as in Python
//	*Dict       a dict, insertion-ordered, shared by reference
//	*Undefined  a name that has no value
//
// or an object of this package or of the caller's: a Mapping, a Callable, an
// Attributer. Anything else is opaque: it can be passed on and compared.
type Tuple []any

// List is a Python list.
type List struct {
	Items []any
	// Class is that of the texts in it which are plain strings; templates see
	// each as a Text. It is empty where they are str.
	Class string
}

// NewList makes a list of items.
func NewList(items ...any) *List { return &List{Items: items} }

// Mapping is what templates can index by key. *Dict is one; callers bring
// their own for mappings that are computed when used, such as hostvars.
type Mapping interface {
	Get(key any) (value any, ok bool)
	Keys() []any
	Len() int
}

// Getter is a Mapping whose values may fail to be computed.
type Getter interface {
	Mapping
	Lookup(key any) (value any, ok bool, err error)
}

// Attributer is an object with attributes: object.name in a template.
type Attributer interface {
	Attr(name string) (value any, ok bool)
}

// Object is a value of the caller's own type, such as a date. It is shown by
// its method String, and by Repr, if it has that, within a list or a dict.
type Object interface {
	// TypeName is Python's name of the type, with its module's.
	TypeName() string
	// Operate is the object op other, for + - * / and the like.
	Operate(op string, other any) (any, error)
	// Compare orders the object before (negative) or after other. Its error
	// says why there is no order: ErrNoOrder, that there is none between their
	// types.
	Compare(other any) (int, error)
}

// ErrNoOrder is the error of comparing an Object with a value of a type that
// it has no order with.
var ErrNoOrder = errors.New("not supported between these types")

// Undefined is the value of a name that has none. It remembers how it was
// reached, so that using it can say what was missing.
type Undefined struct {
	Name string // "foo", or the attribute's name
	Hint string // the whole message, where the plain one would say too little
	// Cause is the fault in the variable's own definition, or nil.
	Cause error
	// Failing is set where there is a value that cannot be had, which is no case
	// for default and defined: using it is the fault in Cause.
	Failing bool
	// owner is the type of what lacks the attribute or item key.
	owner string
	key   any
	of    any // the owner
	// place is where it was asked for, in tmpl; nil where that is not known.
	place pos
	tmpl  *Template
	// soft is set for what an inline if without else gives: it prints as
	// nothing, is false and empty.
	soft bool
}

// Fault is the error of using u, at the place where it was asked for.
func (u *Undefined) Fault() *Error {
	e := u.place.error(u.Message())
	e.Undefined, e.Wanted, e.Known = u, u.Name, u.known()
	return e
}

// known are the names that u's could have been; none where u is a variable.
func (u *Undefined) known() (names []string) {
	m, ok := u.of.(Mapping)
	if !ok {
		return nil
	}
	for _, k := range m.Keys() {
		if name, ok := text(k); ok {
			names = append(names, name)
		}
	}
	return names
}

// Message says what is undefined, in Ansible's words.
func (u *Undefined) Message() string {
	switch {
	case u.Hint != "":
		return u.Hint
	case u.owner == "":
		return Repr(u.Name) + " is undefined"
	}
	if _, ok := text(u.key); ok {
		return Repr(u.owner) + " has no attribute " + Repr(u.key)
	}
	return u.owner + " has no element " + Repr(u.key)
}
