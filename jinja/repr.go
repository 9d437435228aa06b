package jinja

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDataDepth is how deep lists and dicts may be nested.
const maxDataDepth = 500

// Repr is Python's repr(v).
func Repr(v any) string {
	p := printer{lenient: true}
	p.repr(v, 0)
	return string(p.buf)
}

// Str is Python's str(v).
func Str(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case Markup:
		return string(v)
	case Text:
		return v.Value
	}
	p := printer{lenient: true}
	p.str(v)
	return string(p.buf)
}

// strOf is str(v) where an Undefined in v is an error.
func strOf(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case Markup:
		return string(v), nil
	case Text:
		return v.Value, nil
	case int:
		return strconv.Itoa(v), nil
	}
	p := printer{}
	p.str(v)
	return string(p.buf), p.err
}

func reprOf(v any) (string, error) {
	p := printer{}
	p.repr(v, 0)
	return string(p.buf), p.err
}

// printer makes Python's text of values. Unless it is lenient, undefined
// values and mappings that fail are errors.
type printer struct {
	buf     []byte
	lenient bool
	err     error
	path    []any // the containers being printed, for those that hold themselves
}

func (p *printer) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *printer) add(s string) { p.buf = append(p.buf, s...) }

func (p *printer) str(v any) {
	switch v := v.(type) {
	case string:
		p.add(v)
	case Markup:
		p.add(string(v))
	case Text:
		p.add(v.Value)
	case *Undefined:
		if !p.lenient && !v.soft {
			p.fail(&undefinedError{v})
		}
	default:
		p.repr(v, 0)
	}
}

func (p *printer) repr(v any, depth int) {
	if p.err != nil {
		return
	}
	if depth > maxDataDepth {
		p.fail(typeErrorf("maximum recursion depth exceeded while getting the repr of an object"))
		return
	}
	switch v := v.(type) {
	case nil:
		p.add("None")
	case bool:
		if v {
			p.add("True")
		} else {
			p.add("False")
		}
	case int:
		p.buf = strconv.AppendInt(p.buf, int64(v), 10)
	case *big.Int:
		p.buf = v.Append(p.buf, 10)
	case float64:
		p.add(formatFloat(v))
	case string:
		p.buf = appendQuoted(p.buf, v)
	case Text:
		p.buf = appendQuoted(p.buf, v.Value)
	case Markup:
		p.add("Markup(")
		p.buf = appendQuoted(p.buf, string(v))
		p.add(")")
	case []byte:
		p.buf = appendBytes(p.buf, v)
	case Tuple:
		p.sequence("(", v, ")", depth)
	case *List:
		if p.enter(v, "[...]") {
			p.sequence("[", v.Items, "]", depth)
			p.leave()
		}
	case Mapping:
		if p.enter(v, "{...}") {
			p.mapping(v, depth)
			p.leave()
		}
	case *Undefined:
		if !p.lenient && !v.soft {
			p.fail(&undefinedError{v})
			return
		}
		p.add("Undefined")
	default:
		p.object(v, depth)
	}
}

func (p *printer) object(v any, depth int) {
	switch v := v.(type) {
	case *Range:
		fmt.Fprintf(p, "range(%d, %d", v.Start, v.Stop)
		if v.Step != 1 {
			fmt.Fprintf(p, ", %d", v.Step)
		}
		p.add(")")
	case *view:
		if !p.enter(v, "...") {
			return
		}
		defer p.leave()
		items, err := v.items()
		if err != nil {
			p.fail(err)
			return
		}
		p.add(v.kind + "(")
		p.sequence("[", items, "]", depth)
		p.add(")")
	case *group:
		p.sequence("(", v.Pair(), ")", depth)
	case *Namespace:
		p.add("<Namespace ")
		p.repr(v.attrs, depth+1)
		p.add(">")
	case *Macro:
		fmt.Fprintf(p, "<Macro %s>", Repr(v.name))
	case *Module:
		fmt.Fprintf(p, "<TemplateModule %s>", Repr(v.name))
		if depth == 0 {
			p.buf = append(p.buf[:0], v.text...)
		}
	case *loop:
		fmt.Fprintf(p, "<LoopContext %d/%d>", v.index+1, v.length())
	case *selfObject:
		fmt.Fprintf(p, "<TemplateReference %s>", reprName(v.frame.tmpl.name))
	case *bound:
		fmt.Fprintf(p, "<built-in method %s of %s object>", v.name, typeName(v.self))
	case fmt.Stringer:
		if r, ok := v.(interface{ Repr() string }); ok && depth > 0 {
			p.add(r.Repr())
			return
		}
		p.add(v.String())
	default:
		fmt.Fprintf(p, "<%s>", typeName(v))
	}
}

// reprName is the repr of a template's name, None where it has none.
func reprName(name string) string {
	if name == "" {
		return "None"
	}
	return Repr(name)
}

func (p *printer) Write(b []byte) (int, error) {
	p.buf = append(p.buf, b...)
	return len(b), nil
}

func (p *printer) enter(container any, again string) bool {
	for _, c := range p.path {
		if c == container {
			p.add(again)
			return false
		}
	}
	p.path = append(p.path, container)
	return true
}

func (p *printer) leave() { p.path = p.path[:len(p.path)-1] }

func (p *printer) sequence(open string, items []any, end string, depth int) {
	p.add(open)
	for i, item := range items {
		if i > 0 {
			p.add(", ")
		}
		p.repr(item, depth+1)
		if len(p.buf) > maxSize {
			p.fail(errTooLarge)
			return
		}
	}
	if open == "(" && len(items) == 1 {
		p.add(",")
	}
	p.add(end)
}

func (p *printer) mapping(m Mapping, depth int) {
	p.add("{")
	for i, k := range m.Keys() {
		if i > 0 {
			p.add(", ")
		}
		value, _, err := mappingGet(m, k)
		if err != nil {
			p.fail(err)
			return
		}
		p.repr(k, depth+1)
		p.add(": ")
		p.repr(value, depth+1)
		if len(p.buf) > maxSize {
			p.fail(errTooLarge)
			return
		}
	}
	p.add("}")
}

// formatFloat is Python's repr of a float.
func formatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f == 0:
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	}
	if a := math.Abs(f); a >= 1e16 || a < 1e-4 {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		return s
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// appendQuoted appends Python's repr of a string.
func appendQuoted(b []byte, s string) []byte {
	quote := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		quote = '"'
	}
	b = append(b, quote)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			// What Python's surrogateescape makes of a byte that is no UTF-8.
			b = fmt.Appendf(b, "\\udc%02x", s[i])
		case r == rune(quote) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r == '\t':
			b = append(b, '\\', 't')
		case r >= ' ' && r < 0x7f || r > 0x7f && unicode.IsPrint(r):
			b = append(b, s[i:i+n]...)
		case r <= 0xff:
			b = fmt.Appendf(b, "\\x%02x", r)
		case r <= 0xffff:
			b = fmt.Appendf(b, "\\u%04x", r)
		default:
			b = fmt.Appendf(b, "\\U%08x", r)
		}
		i += n
	}
	return append(b, quote)
}

// appendBytes appends Python's repr of bytes.
func appendBytes(b, data []byte) []byte {
	quote := byte('\'')
	if strings.IndexByte(string(data), '\'') >= 0 && strings.IndexByte(string(data), '"') < 0 {
		quote = '"'
	}
	b = append(b, 'b', quote)
	for _, c := range data {
		switch {
		case c == quote || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c >= ' ' && c < 0x7f:
			b = append(b, c)
		default:
			b = fmt.Appendf(b, "\\x%02x", c)
		}
	}
	return append(b, quote)
}
