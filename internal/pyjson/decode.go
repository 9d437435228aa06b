// Package pyjson reads JSON as Python's json module does: keys keep their
// order, integers have any size, NaN and Infinity are numbers. jinja.JSON
// writes it.
package pyjson

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"gplay/jinja"
)

// maxDepth bounds nesting, so that hostile text cannot exhaust the stack.
const maxDepth = 1000

// SyntaxError is a fault in JSON text. Its message is Python's.
type SyntaxError struct {
	Msg       string
	Line, Col int // from 1
	Offset    int // characters before it
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s: line %d column %d (char %d)", e.Msg, e.Line, e.Col, e.Offset)
}

// Decode reads one JSON value.
func Decode(text string) (any, error) {
	d := &decoder{in: text}
	d.space()
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	d.space()
	if d.at < len(d.in) {
		return nil, d.fault("Extra data", d.at)
	}
	return v, nil
}

type decoder struct {
	in string
	at int
}

func (d *decoder) fault(msg string, at int) error {
	before := d.in[:at]
	line := strings.Count(before, "\n")
	col := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return &SyntaxError{msg, line + 1, col + 1, utf8.RuneCountInString(before)}
}

func (d *decoder) space() {
	for d.at < len(d.in) && strings.IndexByte(" \t\r\n", d.in[d.at]) >= 0 {
		d.at++
	}
}

var words = []struct {
	text  string
	value any
}{
	{"null", nil}, {"true", true}, {"false", false},
	{"NaN", math.NaN()}, {"Infinity", math.Inf(1)}, {"-Infinity", math.Inf(-1)},
}

func (d *decoder) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, d.fault("Too deeply nested", d.at)
	}
	if d.at < len(d.in) {
		switch d.in[d.at] {
		case '{':
			return d.object(depth)
		case '[':
			return d.array(depth)
		case '"':
			return d.text()
		}
	}
	for _, w := range words {
		if strings.HasPrefix(d.in[d.at:], w.text) {
			d.at += len(w.text)
			return w.value, nil
		}
	}
	return d.number()
}

func (d *decoder) object(depth int) (any, error) {
	dict := jinja.NewDict()
	d.at++
	d.space()
	if d.take('}') {
		return dict, nil
	}
	for {
		if d.at >= len(d.in) || d.in[d.at] != '"' {
			return nil, d.fault("Expecting property name enclosed in double quotes", d.at)
		}
		key, err := d.text()
		if err != nil {
			return nil, err
		}
		d.space()
		if !d.take(':') {
			return nil, d.fault("Expecting ':' delimiter", d.at)
		}
		d.space()
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		dict.Set(key, v)
		d.space()
		if d.take('}') {
			return dict, nil
		}
		if !d.take(',') {
			return nil, d.fault("Expecting ',' delimiter", d.at)
		}
		d.space()
	}
}

func (d *decoder) array(depth int) (any, error) {
	list := jinja.NewList()
	d.at++
	d.space()
	if d.take(']') {
		return list, nil
	}
	for {
		d.space()
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, v)
		d.space()
		if d.take(']') {
			return list, nil
		}
		if !d.take(',') {
			return nil, d.fault("Expecting ',' delimiter", d.at)
		}
	}
}

func (d *decoder) take(c byte) bool {
	if d.at < len(d.in) && d.in[d.at] == c {
		d.at++
		return true
	}
	return false
}

func (d *decoder) number() (any, error) {
	start, at := d.at, d.at
	digits := func() int {
		from := at
		for at < len(d.in) && d.in[at] >= '0' && d.in[at] <= '9' {
			at++
		}
		return at - from
	}
	if at < len(d.in) && d.in[at] == '-' {
		at++
	}
	if at < len(d.in) && d.in[at] == '0' {
		at++
	} else if digits() == 0 {
		return nil, d.fault("Expecting value", start)
	}
	end, float := at, false
	if at < len(d.in) && d.in[at] == '.' {
		at++
		if digits() > 0 {
			end, float = at, true
		}
	}
	at = end
	if at < len(d.in) && (d.in[at] == 'e' || d.in[at] == 'E') {
		at++
		if at < len(d.in) && (d.in[at] == '+' || d.in[at] == '-') {
			at++
		}
		if digits() > 0 {
			end, float = at, true
		}
	}
	d.at = end
	text := d.in[start:end]
	if float {
		f, _ := strconv.ParseFloat(text, 64) // out of range is ±Inf, as in Python
		return f, nil
	}
	if i, err := strconv.Atoi(text); err == nil {
		return i, nil
	}
	i, _ := new(big.Int).SetString(text, 10)
	return i, nil
}

func (d *decoder) text() (string, error) {
	start := d.at
	d.at++
	var out strings.Builder
	for d.at < len(d.in) {
		switch c := d.in[d.at]; {
		case c == '"':
			d.at++
			return out.String(), nil
		case c < ' ':
			return "", d.fault("Invalid control character at", d.at)
		case c == '\\':
			if err := d.escape(&out, start); err != nil {
				return "", err
			}
		default:
			out.WriteByte(c)
			d.at++
		}
	}
	return "", d.fault("Unterminated string starting at", start)
}

func (d *decoder) escape(out *strings.Builder, start int) error {
	if d.at+1 >= len(d.in) {
		return d.fault("Unterminated string starting at", start)
	}
	c := d.in[d.at+1]
	if c != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			return d.fault("Invalid \\escape", d.at)
		}
		out.WriteByte("\"\\/\b\f\n\r\t"[i])
		d.at += 2
		return nil
	}
	r, err := d.hex()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) && strings.HasPrefix(d.in[d.at:], `\u`) {
		before := d.at
		second, err := d.hex()
		if err != nil {
			return err
		}
		if pair := utf16.DecodeRune(r, second); pair != utf8.RuneError {
			r = pair
		} else {
			d.at = before
		}
	}
	out.WriteRune(r)
	return nil
}

// hex reads \uXXXX.
func (d *decoder) hex() (rune, error) {
	at := d.at + 2
	if at+4 > len(d.in) {
		return 0, d.fault("Invalid \\uXXXX escape", d.at+1)
	}
	v, err := strconv.ParseUint(d.in[at:at+4], 16, 16)
	if err != nil {
		return 0, d.fault("Invalid \\uXXXX escape", d.at+1)
	}
	d.at = at + 4
	return rune(v), nil
}
