// Package pyliteral reads Python literals: what ast.literal_eval accepts,
// less complex numbers and arithmetic.
package pyliteral

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"gplay/jinja"
)

// maxDepth bounds nesting, so that hostile text cannot exhaust the stack.
const maxDepth = 100

// Parse gives the value of text, or false when it is no literal.
func Parse(text string) (any, bool) { return parse(text, nil) }

// ParseWith is Parse where some names stand for values, too.
func ParseWith(text string, names map[string]any) (any, bool) { return parse(text, names) }

func parse(text string, names map[string]any) (any, bool) {
	p := &parser{s: text, names: names}
	p.space()
	v, ok := p.value(0)
	p.space()
	if !ok || p.s != "" {
		return nil, false
	}
	return v, true
}

type parser struct {
	s     string
	names map[string]any
}

func (p *parser) space() { p.s = strings.TrimLeft(p.s, " \t\r\n") }

func (p *parser) take(prefix string) bool {
	if strings.HasPrefix(p.s, prefix) {
		p.s = p.s[len(prefix):]
		p.space()
		return true
	}
	return false
}

func (p *parser) value(depth int) (any, bool) {
	if p.s == "" || depth > maxDepth {
		return nil, false
	}
	switch c := p.s[0]; {
	case c == '[':
		items, _, ok := p.items("[", "]", depth)
		return jinja.NewList(items...), ok
	case c == '(':
		items, commas, ok := p.items("(", ")", depth)
		if ok && len(items) == 1 && commas == 0 {
			return items[0], true
		}
		return jinja.Tuple(items), ok
	case c == '{':
		return p.dict(depth)
	case c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.':
		return p.number()
	}
	for _, words := range []map[string]any{constants, p.names} {
		for word, v := range words {
			if strings.HasPrefix(p.s, word) && !identRune(p.s[len(word):]) {
				p.s = p.s[len(word):]
				return v, true
			}
		}
	}
	return p.strings()
}

var constants = map[string]any{"True": true, "False": false, "None": nil}

func identRune(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && (r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127)
}

func (p *parser) items(open, end string, depth int) (items []any, commas int, ok bool) {
	p.take(open)
	for !p.take(end) {
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, 0, false
		}
		items = append(items, v)
		p.space()
		if p.take(",") {
			commas++
		} else if !strings.HasPrefix(p.s, end) {
			return nil, 0, false
		}
	}
	return items, commas, true
}

func (p *parser) dict(depth int) (any, bool) {
	d := jinja.NewDict()
	p.take("{")
	for !p.take("}") {
		k, ok := p.value(depth + 1)
		if p.space(); !ok || !hashable(k) || !p.take(":") {
			return nil, false
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		d.Set(k, v)
		if p.space(); !p.take(",") && !strings.HasPrefix(p.s, "}") {
			return nil, false
		}
	}
	return d, true
}

func hashable(k any) bool {
	switch k.(type) {
	case *jinja.Dict, *jinja.List:
		return false
	}
	return true
}

func (p *parser) number() (any, bool) {
	n := 0
	for n < len(p.s) && (identRune(p.s[n:n+1]) || p.s[n] == '.' ||
		(p.s[n] == '-' || p.s[n] == '+') && (n == 0 || (p.s[n-1]|0x20) == 'e' && !strings.HasPrefix(p.s, "0x"))) {
		n++
	}
	word := p.s[:n]
	v, ok := Number(word)
	if ok {
		p.s = p.s[n:]
	}
	return v, ok
}

// Number reads one Python number: int of any size, or float.
func Number(word string) (any, bool) {
	digits := strings.TrimLeft(word, "+-")
	if digits == "" || len(word)-len(digits) > 1 {
		return nil, false
	}
	decimal := digits[0] != '0' || strings.Trim(digits, "0_") == "" || len(digits) > 1 && strings.ContainsRune("xXoObB", rune(digits[1]))
	if i, ok := new(big.Int).SetString(word, 0); ok && decimal {
		if i.IsInt64() {
			return int(i.Int64()), true
		}
		return i, true
	}
	if strings.ContainsAny(digits, "xXpPiInN") || digits[0] == '_' {
		return nil, false
	}
	if !strings.ContainsAny(digits, ".eE") {
		return nil, false
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(word, "_", ""), 64)
	return f, err == nil || f != 0
}

// strings reads one or more adjacent string literals.
func (p *parser) strings() (any, bool) {
	var out strings.Builder
	isBytes, n := false, 0
	for ; ; n++ {
		rest, raw, b := prefix(p.s)
		if rest == "" || rest[0] != '"' && rest[0] != '\'' {
			break
		}
		if isBytes = b; !readString(p, rest, raw, &out) {
			return nil, false
		}
		p.space()
	}
	if isBytes {
		return []byte(out.String()), n > 0
	}
	return out.String(), n > 0
}

func prefix(s string) (rest string, raw, isBytes bool) {
	for len(s) > 0 && strings.ContainsRune("rRbBuU", rune(s[0])) {
		raw = raw || s[0]|0x20 == 'r'
		isBytes = isBytes || s[0]|0x20 == 'b'
		s = s[1:]
	}
	return s, raw, isBytes
}

func readString(p *parser, s string, raw bool, out *strings.Builder) bool {
	quote := s[:1]
	if strings.HasPrefix(s, quote+quote+quote) {
		quote = s[:3]
	}
	s = s[len(quote):]
	for s != "" {
		switch {
		case strings.HasPrefix(s, quote):
			p.s = s[len(quote):]
			return true
		case s[0] == '\n' && len(quote) == 1:
			return false
		case s[0] == '\\' && len(s) > 1 && raw:
			out.WriteString(s[:2])
			s = s[2:]
		case s[0] == '\\' && len(s) > 1:
			s = escape(s[1:], out)
		default:
			out.WriteByte(s[0])
			s = s[1:]
		}
	}
	return false
}

var simple = map[byte]string{'\n': "", '\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}

// escape writes what the escape at the start of s (after its backslash) means
// and returns the rest; one that Python does not know stays as written.
func escape(s string, out *strings.Builder) string {
	if text, ok := simple[s[0]]; ok {
		out.WriteString(text)
		return s[1:]
	}
	base, n, skip := 16, 0, 1
	switch s[0] {
	case 'x':
		n = 2
	case 'u':
		n = 4
	case 'U':
		n = 8
	case '0', '1', '2', '3', '4', '5', '6', '7':
		base, skip = 8, 0
		for n < 3 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
			n++
		}
	}
	if n > 0 && skip+n <= len(s) {
		if r, err := strconv.ParseUint(s[skip:skip+n], base, 32); err == nil {
			out.WriteRune(rune(r))
			return s[skip+n:]
		}
	}
	out.WriteByte('\\')
	return s
}
