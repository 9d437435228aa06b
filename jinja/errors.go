package jinja

import (
	"errors"
	"fmt"
)

// Error is a fault in a template, at a place in its text.
type Error struct {
	Line, Col int // of the expression, from 1
	Len       int
	Template  string // the template's name, "" for the one that was rendered
	Msg       string
	Undefined *Undefined // what was undefined, when that is the fault
	// Wanted is the name that there is not, when that is the fault, and Known
	// are those that there are; a variable's are the scope's to tell.
	Wanted string
	Known  []string
	Err    error // the cause, when it has one

	// Users are the places in other templates that used this one, innermost
	// first: by include, import or extends, or by calling a macro of it.
	Users []User
}

// User is a place in a template; its name is "" for the one that was rendered.
type User struct {
	Template  string
	Line, Col int
}

func (e *Error) Error() string { return e.Msg }
func (e *Error) Unwrap() error { return e.Err }

// ErrNotFound is what a Loader's error wraps when there is no such template.
var ErrNotFound = errors.New("template not found")

// NotFound is the fault of a template that includes, imports or extends one
// that there is not.
type NotFound struct {
	Words string // of Jinja2 for it: the name, where one was asked for
	class string
}

func (e *NotFound) Error() string { return ErrNotFound.Error() + ": " + e.Words }
func (e *NotFound) Unwrap() error { return ErrNotFound }

const (
	templateNotFound  = "jinja2.exceptions.TemplateNotFound"
	templatesNotFound = "jinja2.exceptions.TemplatesNotFound"
)

// undefinedError is the use of an undefined value.
type undefinedError struct{ u *Undefined }

func (e *undefinedError) Error() string { return e.u.Message() }

// UndefinedError is the error that using u gives, for filters and callables.
func UndefinedError(u *Undefined) error { return &undefinedError{u} }

// IsUndefined reports whether err is the use of an undefined value.
func IsUndefined(err error) bool {
	var used *undefinedError
	var fault *Error
	return errors.As(err, &used) || errors.As(err, &fault) && fault.Undefined != nil
}

// NoSuch is the error of a filter or test that there is not.
type NoSuch struct{ Kind, Name string }

func (e *NoSuch) Error() string { return "No " + e.Kind + " named " + Repr(e.Name) + "." }

// argumentError is a fault in how something is called; whoever knows its name
// puts it in front.
type argumentError struct {
	msg    string
	named  bool     // msg says what was called
	wanted string   // a keyword that there is not
	known  []string // those that there are
}

func (e *argumentError) Error() string { return e.msg }

func argumentErrorf(format string, args ...any) error {
	return &argumentError{msg: fmt.Sprintf(format, args...)}
}

// typeError and valueError are Python's TypeError and ValueError where
// something treats them differently from other faults.
type (
	typeError  struct{ msg string }
	valueError struct{ class, msg string }
)

func (e *typeError) Error() string  { return e.msg }
func (e *valueError) Error() string { return e.msg }

// IsTypeError reports whether err is what Python calls a TypeError.
func IsTypeError(err error) bool {
	var kind *typeError
	var args *argumentError
	return errors.As(err, &kind) || errors.As(err, &args)
}

// IsValueError reports whether err is what Python calls a ValueError.
func IsValueError(err error) bool {
	var kind *valueError
	return errors.As(err, &kind)
}

// IsException reports whether err is an exception of Python's that is no
// TypeError.
func IsException(err error) bool {
	var exception *Exception
	return errors.As(err, &exception) || IsValueError(err)
}

func typeErrorf(format string, args ...any) error {
	return &typeError{fmt.Sprintf(format, args...)}
}

// TypeErrorf is the error of an Object, a filter or a callable where Python
// raises a TypeError.
func TypeErrorf(format string, args ...any) error { return typeErrorf(format, args...) }

// ValueErrorf is the error of a filter or callable where Python raises a
// ValueError.
func ValueErrorf(format string, args ...any) error { return valueErrorf(format, args...) }

func valueErrorf(format string, args ...any) error {
	return ValueErrorOf("ValueError", format, args...)
}

// ValueErrorOf is the error of a filter or callable where Python raises an
// exception of a class that is derived from ValueError.
func ValueErrorOf(class, format string, args ...any) error {
	return &valueError{class, fmt.Sprintf(format, args...)}
}

// Exception is a fault that is neither Python's TypeError nor its ValueError:
// arithmetic that has no result, a key or an index that there is not.
type Exception struct {
	class string // Python's name for it, with its module
	msg   string
}

func (e *Exception) Error() string { return e.msg }

// Exceptionf is the error of a filter or callable where Python raises neither
// a TypeError nor a ValueError, but an exception of the class.
func Exceptionf(class, format string, args ...any) error {
	return &Exception{class, fmt.Sprintf(format, args...)}
}

// ExceptionClass is Python's name for what err is, "" where it is no exception
// of Python's own.
func ExceptionClass(err error) string {
	var exception *Exception
	var value *valueError
	var template *NotFound
	switch {
	case errors.As(err, &template):
		return template.class
	case errors.As(err, &exception):
		return exception.class
	case errors.As(err, &value):
		return value.class
	case IsTypeError(err):
		return "TypeError"
	}
	return ""
}

// Signals that loops catch.
var (
	errBreak    = errors.New("break outside of a loop")
	errContinue = errors.New("continue outside of a loop")
)

// pos is the place of a node in the template's text.
type pos struct{ line, col, len int32 }

// fail puts a fault at the node's place, unless it has one already.
func (p pos) fail(f *frame, err error) error {
	if err == errBreak || err == errContinue {
		return err
	}
	var placed *Error
	if errors.As(err, &placed) {
		placed.passes(f, p)
		return err
	}
	e := p.error(err.Error())
	e.Err = err
	e.Template = f.templateName()
	var undefined *undefinedError
	if errors.As(err, &undefined) {
		u := undefined.u
		e.Undefined, e.Wanted, e.Known = u, u.Name, u.known()
		if f != nil && u.tmpl == f.tmpl && u.place.line > 0 {
			e.Line, e.Col, e.Len = int(u.place.line), int(u.place.col), int(u.place.len)
		}
	}
	var argument *argumentError
	if errors.As(err, &argument) {
		e.Wanted, e.Known = argument.wanted, argument.known
	}
	return e
}

// passes notes that e comes through a place of f's template.
func (e *Error) passes(f *frame, p pos) {
	if f == nil {
		return
	}
	from, name := e.Template, f.templateName()
	if n := len(e.Users); n > 0 {
		from = e.Users[n-1].Template
	}
	if from != name {
		e.Users = append(e.Users, User{name, int(p.line), int(p.col)})
	}
}

// templateName is "" for the template that is rendered.
func (f *frame) templateName() string {
	if f == nil || f.tmpl == f.c.tmpl {
		return ""
	}
	return f.tmpl.name
}

func (p pos) error(msg string) *Error {
	return &Error{Line: int(p.line), Col: int(p.col), Len: int(p.len), Msg: msg}
}

func (p pos) errorf(format string, args ...any) *Error {
	return p.error(fmt.Sprintf(format, args...))
}
