package jinja

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

// JSONOptions say how JSON is written; the zero value is Python's json.dumps
// with ensure_ascii off.
type JSONOptions struct {
	Indent   string // of one level; "" writes all on one line
	Lines    bool   // new lines even where Indent is ""
	SortKeys bool
	ASCII    bool // escape everything beyond ASCII
	SkipKeys bool // leave out keys that JSON has no form for
	NoNaN    bool // NaN and the infinities are errors
	// Default gives a value that JSON has a form for in place of one that it
	// has none for.
	Default func(v any) (any, error)
	// Separators between items and behind keys; "" means ", " (or "," before a
	// new line) and ": ".
	Item, Key string
}

// JSON writes a value as Python's json.dumps does.
func JSON(v any, opt JSONOptions) (string, error) {
	w := jsonWriter{opt: opt}
	if w.opt.Item == "" {
		w.opt.Item = ", "
		if w.lines() {
			w.opt.Item = ","
		}
	}
	if w.opt.Key == "" {
		w.opt.Key = ": "
	}
	err := w.write(v, 0)
	return string(w.buf), err
}

type jsonWriter struct {
	opt JSONOptions
	buf []byte
}

func (w *jsonWriter) add(s string) { w.buf = append(w.buf, s...) }

func (w *jsonWriter) lines() bool { return w.opt.Lines || w.opt.Indent != "" }

func (w *jsonWriter) line(depth int) {
	if w.lines() {
		w.buf = append(w.buf, '\n')
		for range depth {
			w.add(w.opt.Indent)
		}
	}
}

func (w *jsonWriter) write(v any, depth int) error {
	if depth > maxDataDepth {
		return valueErrorf("Circular reference detected")
	}
	if len(w.buf) > maxSize {
		return errTooLarge
	}
	switch v := v.(type) {
	case nil:
		w.add("null")
	case bool:
		w.add(keyText(v))
	case int, *big.Int:
		w.add(Str(v))
	case float64:
		if w.opt.NoNaN && (math.IsNaN(v) || math.IsInf(v, 0)) {
			return valueErrorf("Out of range float values are not JSON compliant")
		}
		w.add(jsonFloat(v))
	case string:
		w.quote(v)
	case Markup:
		w.quote(string(v))
	case Text:
		w.quote(v.Value)
	case Mapping:
		return w.object(v, depth)
	case *List, Tuple, *group:
		items, _ := Iterate(v)
		return w.array(items, depth)
	case *Undefined:
		return &undefinedError{v}
	default:
		if w.opt.Default == nil {
			return typeErrorf("Object of type %s is not JSON serializable", ClassName(v))
		}
		other, err := w.opt.Default(v)
		if err != nil {
			return err
		}
		return w.write(other, depth+1)
	}
	return nil
}

func jsonFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return formatFloat(f)
}

func (w *jsonWriter) array(items []any, depth int) error {
	if len(items) == 0 {
		w.add("[]")
		return nil
	}
	w.add("[")
	for i, item := range items {
		if i > 0 {
			w.add(w.opt.Item)
		}
		w.line(depth + 1)
		if err := w.write(item, depth+1); err != nil {
			return err
		}
	}
	w.line(depth)
	w.add("]")
	return nil
}

func (w *jsonWriter) object(m Mapping, depth int) error {
	keys, err := w.keys(m)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		w.add("{}")
		return nil
	}
	w.add("{")
	for i, k := range keys {
		if i > 0 {
			w.add(w.opt.Item)
		}
		w.line(depth + 1)
		w.quote(keyText(k))
		w.add(w.opt.Key)
		value, _, err := mappingGet(m, k)
		if err == nil {
			err = w.write(value, depth+1)
		}
		if err != nil {
			return err
		}
	}
	w.line(depth)
	w.add("}")
	return nil
}

// keys are m's keys in the order they are written.
func (w *jsonWriter) keys(m Mapping) (keys []any, err error) {
	for _, k := range m.Keys() {
		switch k.(type) {
		case nil, bool, int, *big.Int, float64, string, Markup, Text:
			keys = append(keys, k)
		default:
			if !w.opt.SkipKeys {
				return nil, typeErrorf("keys must be str, int, float, bool or None, not %s", w.className(k))
			}
		}
	}
	if w.opt.SortKeys {
		return sortBy(keys, nil, false)
	}
	return keys, nil
}

// className is what Python calls v's class in a fault: its encoder in C, which
// takes no indentation, has the module's name, too.
func (w *jsonWriter) className(v any) string {
	if w.lines() {
		return ClassName(v)
	}
	return TypeName(v)
}

func (w *jsonWriter) quote(s string) {
	w.buf = append(w.buf, '"')
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			w.buf = fmt.Appendf(w.buf, "\\udc%02x", s[i])
		case r == '"' || r == '\\':
			w.buf = append(w.buf, '\\', byte(r))
		case r == '\n':
			w.add(`\n`)
		case r == '\r':
			w.add(`\r`)
		case r == '\t':
			w.add(`\t`)
		case r == '\b':
			w.add(`\b`)
		case r == '\f':
			w.add(`\f`)
		case r < ' ' || w.opt.ASCII && r == 0x7f:
			w.buf = fmt.Appendf(w.buf, "\\u%04x", r)
		case w.opt.ASCII && r > 0xffff:
			r -= 0x10000
			w.buf = fmt.Appendf(w.buf, "\\u%04x\\u%04x", 0xd800+r>>10, 0xdc00+r&0x3ff)
		case w.opt.ASCII && r > 0x7f:
			w.buf = fmt.Appendf(w.buf, "\\u%04x", r)
		default:
			w.buf = append(w.buf, s[i:i+n]...)
		}
		i += n
	}
	w.buf = append(w.buf, '"')
}

// MarshalJSON writes the dict with its keys in order.
func (d *Dict) MarshalJSON() ([]byte, error) { return marshal(d) }

// MarshalJSON writes the list's items.
func (l *List) MarshalJSON() ([]byte, error) { return marshal(l) }

// MarshalJSON writes the tuple as an array.
func (t Tuple) MarshalJSON() ([]byte, error) { return marshal(t) }

func marshal(v any) ([]byte, error) {
	s, err := JSON(v, JSONOptions{Item: ",", Key: ":", Default: Marshaled})
	return []byte(s), err
}

// Marshaled is the text that an Object has in JSON, such as a date.
func Marshaled(v any) (any, error) {
	m, ok := v.(encoding.TextMarshaler)
	if !ok {
		return nil, typeErrorf("Object of type %s is not JSON serializable", ClassName(v))
	}
	text, err := m.MarshalText()
	return string(text), err
}

var _ = []json.Marshaler{(*Dict)(nil), (*List)(nil), Tuple(nil)}

var jsonInHTML = strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`, "'", `\u0027`)

func filterToJSON(_ *Context, v any, a []any) (any, error) {
	opt := JSONOptions{SortKeys: true, ASCII: true}
	if a[0] != Missing && a[0] != nil {
		n, err := index(a[0])
		if err != nil {
			return nil, err
		}
		opt.Indent, opt.Lines = strings.Repeat(" ", max(0, min(n, maxWidth))), true
	}
	s, err := JSON(v, opt)
	return Markup(jsonInHTML.Replace(s)), err
}

// filterPprint is Python's pprint.pformat with lines of 80 characters.
func filterPprint(_ *Context, v any, _ []any) (any, error) {
	p := pretty{}
	p.format(v, 0, 0, 0)
	return strings.TrimRight(string(p.buf), "\n"), p.err
}

type pretty struct {
	buf []byte
	err error
}

func (p *pretty) add(s string) { p.buf = append(p.buf, s...) }

// format writes v, which begins at column indent and is followed by after
// more characters on its last line.
func (p *pretty) format(v any, indent, after, depth int) {
	s, err := prettyRepr(v, depth)
	if err != nil {
		p.err = err
		return
	}
	if runeLen(s) <= 80-indent-after || depth > maxDataDepth {
		p.add(s)
		return
	}
	switch v := bare(v).(type) {
	case Mapping:
		p.dict(v, indent, after, depth)
	case *List:
		p.add("[")
		p.items(v.Items, indent+1, after+1, depth)
		p.add("]")
	case Tuple:
		p.add("(")
		end := ")"
		if len(v) == 1 {
			end = ",)"
		}
		p.items(v, indent+1, after+len(end), depth)
		p.add(end)
	case string:
		p.text(v, indent, after, depth)
	default:
		p.add(s)
	}
}

// prettyRepr is repr with dicts sorted by their keys.
func prettyRepr(v any, depth int) (string, error) {
	s, err := reprOf(v)
	if err != nil || depth > maxDataDepth {
		return s, err
	}
	return reprOf(sortedDicts(v, 0))
}

func sortedDicts(v any, depth int) any {
	if depth > maxDataDepth {
		return v
	}
	switch v := v.(type) {
	case Mapping:
		d := &Dict{}
		for _, k := range prettyKeys(v) {
			value, _, _ := mappingGet(v, k)
			d.Set(k, sortedDicts(value, depth+1))
		}
		return d
	case *List:
		items := make([]any, len(v.Items))
		for i, item := range v.Items {
			items[i] = sortedDicts(item, depth+1)
		}
		return &List{Items: items}
	case Tuple:
		items := make(Tuple, len(v))
		for i, item := range v {
			items[i] = sortedDicts(item, depth+1)
		}
		return items
	}
	return v
}

// prettyKeys are the keys sorted; those that have no order, by their types.
func prettyKeys(m Mapping) []any {
	keys := slices.Clone(m.Keys())
	slices.SortStableFunc(keys, func(a, b any) int {
		c, err := compare(a, b, "<", 0)
		if err != nil {
			return strings.Compare(typeName(a), typeName(b))
		}
		return c
	})
	return keys
}

func (p *pretty) dict(m Mapping, indent, after, depth int) {
	p.add("{")
	keys := prettyKeys(m)
	for i, k := range keys {
		if i > 0 {
			p.add(",\n" + strings.Repeat(" ", indent+1))
		}
		key, err := reprOf(k)
		if err != nil {
			p.err = err
			return
		}
		value, _, err := mappingGet(m, k)
		if err != nil {
			p.err = err
			return
		}
		p.add(key + ": ")
		rest := 1
		if i == len(keys)-1 {
			rest = after + 1
		}
		p.format(value, indent+1+runeLen(key)+2, rest, depth+1)
	}
	p.add("}")
}

func (p *pretty) items(items []any, indent, after, depth int) {
	for i, item := range items {
		if i > 0 {
			p.add(",\n" + strings.Repeat(" ", indent))
		}
		rest := 1
		if i == len(items)-1 {
			rest = after
		}
		p.format(item, indent, rest, depth+1)
	}
}

// text writes a long string as several literals, broken behind spaces.
func (p *pretty) text(s string, indent, after, depth int) {
	top := depth == 0
	if top {
		indent++
		after++
	}
	var parts []string
	lines := SplitLines(s, true)
	for i, line := range lines {
		room := 80 - indent
		if i == len(lines)-1 {
			room -= after
		}
		if runeLen(Repr(line)) <= room {
			parts = append(parts, Repr(line))
			continue
		}
		parts = append(parts, brokenText(line, 80-indent, after, i == len(lines)-1)...)
	}
	if len(parts) == 1 {
		p.add(parts[0])
		return
	}
	if top {
		p.add("(")
	}
	p.add(strings.Join(parts, "\n"+strings.Repeat(" ", indent)))
	if top {
		p.add(")")
	}
}

func brokenText(line string, room, after int, lastLine bool) []string {
	var out []string
	words := spaced(line)
	current := ""
	for i, w := range words {
		limit := room
		if i == len(words)-1 && lastLine {
			limit -= after
		}
		if current != "" && runeLen(Repr(current+w)) > limit {
			out = append(out, Repr(current))
			current = ""
		}
		current += w
	}
	if current != "" {
		out = append(out, Repr(current))
	}
	return out
}

// spaced splits text into words with the white space behind them.
func spaced(s string) []string {
	var out []string
	for s != "" {
		end := strings.IndexFunc(s, IsSpace)
		if end < 0 {
			return append(out, s)
		}
		end += len(s[end:]) - len(strings.TrimLeftFunc(s[end:], IsSpace))
		out = append(out, s[:end])
		s = s[end:]
	}
	return out
}
