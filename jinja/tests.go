package jinja

import (
	"fmt"
	"math/big"
	"strings"
	"unicode"
)

// tests are Jinja2's own.
var tests map[string]builtinTest

func init() {
	tests = map[string]builtinTest{
		"boolean":     is(func(v any) bool { _, ok := v.(bool); return ok }),
		"callable":    is(isCallable),
		"defined":     is(func(v any) bool { return !isUndefined(v) }),
		"undefined":   is(isUndefined),
		"escaped":     is(func(v any) bool { _, ok := v.(Markup); return ok }),
		"false":       is(func(v any) bool { return v == false }),
		"true":        is(func(v any) bool { return v == true }),
		"float":       is(func(v any) bool { _, ok := v.(float64); return ok }),
		"integer":     is(isInteger),
		"number":      is(isNumber),
		"mapping":     is(func(v any) bool { _, ok := v.(Mapping); return ok }),
		"none":        is(func(v any) bool { return v == nil }),
		"sequence":    is(isSequence),
		"string":      is(func(v any) bool { _, ok := text(v); return ok }),
		"iterable":    {noArguments(func(v any) (bool, error) { return isIterable(v), nil }), false},
		"even":        {noArguments(func(v any) (bool, error) { return hasRemainder(v, 2, 0) }), false},
		"odd":         {noArguments(func(v any) (bool, error) { return hasRemainder(v, 2, 1) }), false},
		"lower":       {noArguments(isLowerText), false},
		"upper":       {noArguments(isUpperText), false},
		"divisibleby": {testDivisibleBy, false},
		"filter":      {testFilter, false},
		"test":        {testTest, false},
		"sameas":      {testSameAs, true},
	}
	for op, names := range map[string][]string{
		"==": {"==", "eq", "equalto"},
		"!=": {"!=", "ne"},
		"<":  {"<", "lt", "lessthan"},
		"<=": {"<=", "le"},
		">":  {">", "gt", "greaterthan"},
		">=": {">=", "ge"},
		"in": {"in"},
	} {
		for _, name := range names {
			tests[name] = builtinTest{compares(op), true}
		}
	}
}

// is makes a test of a question about a value's type.
func is(holds func(v any) bool) builtinTest {
	return builtinTest{noArguments(func(v any) (bool, error) { return holds(v), nil }), true}
}

func noArguments(holds func(v any) (bool, error)) Test {
	return func(_ *Context, v any, args *Args) (bool, error) {
		if _, err := args.Bind(); err != nil {
			return false, err
		}
		return holds(v)
	}
}

func compares(op string) Test {
	return func(_ *Context, v any, args *Args) (bool, error) {
		bound, err := args.Bind("other")
		if err != nil {
			return false, err
		}
		return relation(op, v, bound[0])
	}
}

// isCallable is true of what is undefined, too: calling it is what says so.
func isCallable(v any) bool {
	switch v.(type) {
	case Callable, *Undefined:
		return true
	}
	return false
}

// isUndefined tells that there is no value.
func isUndefined(v any) bool {
	u, ok := v.(*Undefined)
	return ok && !u.Failing
}

func isInteger(v any) bool {
	switch v.(type) {
	case int, *big.Int:
		return true
	}
	return false
}

func isSequence(v any) bool {
	switch v := v.(type) {
	case string, Markup, []byte, Tuple, *List, Mapping, *Range, *group:
		return true
	case *Undefined:
		return v.soft
	}
	return false
}

func isIterable(v any) bool {
	switch v.(type) {
	case *view, *loop:
		return true
	}
	return isSequence(v)
}

func hasRemainder(v any, by, remainder int) (bool, error) {
	m, err := arithmetic(nil, "%", v, by)
	if err != nil {
		return false, err
	}
	return equal(m, remainder, 0)
}

func testDivisibleBy(c *Context, v any, args *Args) (bool, error) {
	bound, err := args.Bind("num")
	if err != nil {
		return false, err
	}
	m, err := arithmetic(c, "%", v, bound[0])
	if err != nil {
		return false, err
	}
	return equal(m, 0, 0)
}

func isLowerText(v any) (bool, error) {
	s, err := strOf(v)
	return isLower(s), err
}

func isUpperText(v any) (bool, error) {
	s, err := strOf(v)
	return isUpper(s), err
}

func isLowerRune(r rune) bool { return unicode.IsLower(r) || unicode.Is(unicode.Other_Lowercase, r) }
func isUpperRune(r rune) bool { return unicode.IsUpper(r) || unicode.Is(unicode.Other_Uppercase, r) }

// isLower is Python's str.islower: cased, and no letter is upper case.
func isLower(s string) bool {
	return strings.ContainsFunc(s, isLowerRune) && !strings.ContainsFunc(s, func(r rune) bool { return isUpperRune(r) || unicode.IsTitle(r) })
}

func isUpper(s string) bool {
	return strings.ContainsFunc(s, isUpperRune) && !strings.ContainsFunc(s, func(r rune) bool { return isLowerRune(r) || unicode.IsTitle(r) })
}

func testFilter(c *Context, v any, args *Args) (bool, error) {
	if _, err := args.Bind(); err != nil {
		return false, err
	}
	name, ok := text(v)
	if !ok {
		return false, hashable(v)
	}
	return c.Env.HasFilter(name), nil
}

func testTest(c *Context, v any, args *Args) (bool, error) {
	if _, err := args.Bind(); err != nil {
		return false, err
	}
	name, ok := text(v)
	if !ok {
		return false, hashable(v)
	}
	return c.Env.HasTest(name), nil
}

func testSameAs(_ *Context, v any, args *Args) (bool, error) {
	bound, err := args.Bind("other")
	if err != nil {
		return false, err
	}
	return same(v, bound[0]), nil
}

// same is Python's is, as far as values have an identity here.
func same(a, b any) bool {
	if typeName(a) != typeName(b) {
		return false
	}
	switch a.(type) {
	case *Undefined:
		return false
	case Tuple, []byte, *big.Int:
		return Equal(a, b)
	}
	return fmt.Sprintf("%T", a) == fmt.Sprintf("%T", b) && hashKey(a) == hashKey(b)
}
