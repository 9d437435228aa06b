package lookups

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gplay/jinja"
)

var shortSequence = regexp.MustCompile(`(?i)^(?:(0?x?[0-9a-f]+)-)?(0?x?[0-9a-f]+)(?:/(0?x?[0-9a-f]+))?(?::(.+))?$`)

// maxSequence bounds a sequence, against a slip of the keyboard eating the memory.
const maxSequence = 1 << 22

var sequenceOptions = []string{"start", "end", "count", "stride", "format"}

// sequence counts: start-end/stride:format, or start= end= count= stride= format=.
// It has no options beside its terms.
func sequence(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	read(c, options)
	return each(terms, noSequence, func(term string) ([]any, error) {
		own := jinja.NewDict()
		if m := shortSequence.FindStringSubmatch(term); m != nil {
			for i, name := range []string{"start", "end", "stride", "format"} {
				if m[i+1] != "" {
					own.Set(name, m[i+1])
				}
			}
		} else {
			words, given, err := inline(term)
			if err != nil {
				return nil, err
			}
			if words != "" {
				return nil, errors.New("unrecognized arguments to with_sequence: ['_raw_params']")
			}
			own = given
		}
		if others := unknown(own, sequenceOptions); len(others) > 0 {
			return nil, fmt.Errorf("unrecognized arguments to with_sequence: %s", jinja.Repr(jinja.NewList(asValues(others)...)))
		}
		return count(c, &settings{given: own})
	})
}

func noSequence(term any) error {
	return fmt.Errorf("unknown error parsing with_sequence arguments: %s. Error was: expected string or bytes-like object, got '%s'", jinja.Str(term), jinja.TypeName(term))
}

func count(c *Context, o *settings) ([]any, error) {
	if o.err != nil {
		return nil, o.err
	}
	start, stride := o.number("start", 1), o.number("stride", 1)
	format := o.text("format", "%d")
	_, hasEnd := o.given.Get("end")
	_, hasCount := o.given.Get("count")
	end := o.number("end", 0)
	n := o.number("count", 0)
	switch {
	case o.err != nil:
		return nil, o.err
	case !hasEnd && !hasCount:
		return nil, errors.New("must specify count or end in with_sequence")
	case hasEnd && hasCount:
		return nil, errors.New("can't specify both count and end in with_sequence")
	case hasCount && n == 0, stride == 0:
		return nil, nil
	case hasCount:
		end = start + n*stride - 1
	}
	switch {
	case stride > 0 && end < start:
		return nil, errors.New("to count backwards make stride negative")
	case stride < 0 && end > start:
		return nil, errors.New("to count forward don't make stride negative")
	case strings.Count(format, "%") != 1:
		return nil, fmt.Errorf("bad formatting string: %s", format)
	case (end-start)/stride > maxSequence:
		return nil, fmt.Errorf("the sequence has more than %d items", maxSequence)
	}
	return numbers(c, start, end, stride, format)
}

func numbers(c *Context, start, end, stride int, format string) ([]any, error) {
	// Jinja's % is Python's.
	expr, err := formatter.CompileExpr("format % n")
	if err != nil {
		return nil, err
	}
	var out []any
	for i := start; stride > 0 && i <= end || stride < 0 && i >= end; i += stride {
		v, err := expr.Eval(c, jinja.Vars{"format": format, "n": i})
		if err != nil {
			return nil, fmt.Errorf("problem formatting %d with %s", i, jinja.Repr(format))
		}
		out = append(out, v)
	}
	return out, nil
}

var formatter = &jinja.Environment{}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// number is an integer in any of Python's notations: 10, 0x0f, 0o17.
func (s *settings) number(name string, otherwise int) int {
	v := s.value(name, otherwise)
	if n, ok := v.(int); ok {
		return n
	}
	text := strings.TrimSpace(jinja.Str(v))
	n, err := strconv.ParseInt(text, 0, 64)
	if len(text) > 1 && text[0] == '0' && isDigits(text) {
		err = strconv.ErrSyntax // neither octal nor decimal, says Python
	}
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("can't parse %s=%s as integer", name, jinja.Str(v))
	}
	return int(n)
}
