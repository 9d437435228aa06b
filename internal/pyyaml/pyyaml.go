// Package pyyaml writes YAML as PyYAML does with libyaml: the same quotes,
// folds and indentation.
package pyyaml

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"gplay/internal/yaml"
	"gplay/jinja"
)

// Flow says which lists and dicts are written on one line.
type Flow int

// FlowLeaves writes those that hold only scalars on one line, FlowNever none
// but empty ones, FlowAlways all.
const (
	FlowLeaves Flow = iota
	FlowNever
	FlowAlways
)

// Format is the arguments of yaml.dump.
type Format struct {
	Indent        int // 2 when 0
	Width         int // 80 when 0
	Flow          Flow
	KeepOrder     bool // sort_keys=False
	ExplicitStart bool
	ExplicitEnd   bool
	ASCII         bool   // allow_unicode=False
	Quote         string // default_style: ' or ", which every scalar then has
	// Block says which texts are to be literal blocks, and what is written of
	// them. Those that cannot be blocks are in double quotes.
	Block func(text string) (string, bool)
}

// maxDepth bounds nesting, so that a list that holds itself ends.
const maxDepth = 200

// Dump writes v as one document. Values that appear twice are written twice.
func Dump(v any, f Format) (string, error) {
	n, err := represent(v, f, 0)
	if err != nil {
		return "", err
	}
	e := newEmitter(f)
	if f.ExplicitStart {
		e.indicator("---", true, false, false)
		if n.kind != scalar && !e.inFlow(n) {
			e.writeIndent()
		}
	}
	e.node(n, place{})
	e.writeIndent()
	if f.ExplicitEnd || e.openEnded {
		e.indicator("...", true, false, false)
		e.writeIndent()
	}
	return e.out.String(), nil
}

type kind int

const (
	scalar kind = iota
	sequence
	mapping
)

// node is a value as YAML has it.
type node struct {
	kind   kind
	text   string
	plain  bool // the text without quotes means the same
	isText bool // a string
	block  bool // to be a literal block
	flow   bool
	items  []*node // of a mapping: key, value, key, value
}

func represent(v any, f Format, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the value is nested too deeply for YAML, or holds itself")
	}
	switch v := v.(type) {
	case nil:
		return &node{text: "null", plain: true}, nil
	case bool:
		return &node{text: strconv.FormatBool(v), plain: true}, nil
	case int:
		return &node{text: strconv.Itoa(v), plain: true}, nil
	case *big.Int:
		return &node{text: v.String(), plain: true}, nil
	case float64:
		return &node{text: floatText(v), plain: true}, nil
	case string:
		return textNode(v, f), nil
	case jinja.Text:
		return textNode(v.Value, f), nil
	case *yaml.Template:
		return textNode(v.Text, f), nil
	case *jinja.Undefined:
		return nil, jinja.UndefinedError(v)
	case Timestamp:
		return &node{text: v.YAMLTimestamp(), plain: true}, nil
	case jinja.Tuple:
		return representItems(sequence, v, f, depth)
	case *jinja.List:
		return representItems(sequence, v.Items, f, depth)
	case jinja.Mapping:
		return representItems(mapping, pairs(v, f), f, depth)
	}
	return nil, fmt.Errorf("cannot represent an object: %s", jinja.Repr(v))
}

func textNode(text string, f Format) *node {
	n := &node{isText: true}
	if f.Block != nil {
		text, n.block = f.Block(text)
	}
	n.text, n.plain = text, isText(text)
	return n
}

// Timestamp is a value that YAML has as a timestamp.
type Timestamp interface{ YAMLTimestamp() string }

func representItems(k kind, items []any, f Format, depth int) (*node, error) {
	n := &node{kind: k}
	leaves := true
	for _, item := range items {
		child, err := represent(item, f, depth+1)
		if err != nil {
			return nil, err
		}
		leaves = leaves && child.kind == scalar && f.Quote == ""
		n.items = append(n.items, child)
	}
	n.flow = len(items) == 0 || f.Flow == FlowAlways || f.Flow == FlowLeaves && leaves
	return n, nil
}

// pairs are the keys and values in turn, sorted where the keys can be.
func pairs(m jinja.Mapping, f Format) []any {
	keys := m.Keys()
	if !f.KeepOrder {
		sorted := append([]any(nil), keys...)
		comparable := true
		sort.SliceStable(sorted, func(i, j int) bool {
			c, err := jinja.Compare(sorted[i], sorted[j])
			comparable = comparable && err == nil
			return c < 0
		})
		if comparable {
			keys = sorted
		}
	}
	var all []any
	for _, k := range keys {
		v, _ := m.Get(k)
		all = append(all, k, v)
	}
	return all
}

func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return ".nan"
	case math.IsInf(f, 1):
		return ".inf"
	case math.IsInf(f, -1):
		return "-.inf"
	}
	s := strings.ToLower(jinja.Repr(f))
	if !strings.Contains(s, ".") {
		s = strings.Replace(s, "e", ".0e", 1)
	}
	return s
}

var (
	timestamp = regexp.MustCompile(`^(?:\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)$`)
	special   = regexp.MustCompile(`^(?:<<|=|!|&|\*)$`)
)

// isText reports whether text without quotes is read back as text.
func isText(text string) bool {
	if text == "" || timestamp.MatchString(text) || special.MatchString(text) {
		return false
	}
	s, ok := yaml.Scalar(text).(string)
	return ok && s == text
}

// place is where a node stands.
type place struct {
	inMapping bool
	isKey     bool // of a simple key: on one line, without ?
}

type emitter struct {
	Format
	out    strings.Builder
	column int
	indent int // -1 before the first
	depth  int // of flow collections
	// space: the last character was white; atIndent: only indentation and
	// indicators stand on this line.
	space, atIndent bool
	// openEnded: the last block ends in blank lines, which would go on after
	// the document if nothing marked its end.
	openEnded bool
}

func newEmitter(f Format) *emitter {
	if f.Indent < 2 || f.Indent > 9 {
		f.Indent = 2
	}
	if f.Width == 0 {
		f.Width = 80
	}
	if f.Width > 0 && f.Width <= 2*f.Indent {
		f.Width = 80
	}
	if f.Width < 0 {
		f.Width = math.MaxInt
	}
	return &emitter{Format: f, indent: -1, space: true, atIndent: true}
}

func (e *emitter) put(s string) {
	e.out.WriteString(s)
	e.column += utf8.RuneCountInString(s)
}

func (e *emitter) newline(r rune) {
	e.out.WriteRune(r)
	e.column = 0
}

func (e *emitter) writeIndent() {
	indent := max(e.indent, 0)
	if !e.atIndent || e.column > indent || e.column == indent && !e.space {
		e.newline('\n')
	}
	if n := indent - e.column; n > 0 {
		e.put(strings.Repeat(" ", n))
	}
	e.space, e.atIndent = true, true
}

func (e *emitter) indicator(s string, needSpace, isSpace, isIndent bool) {
	if needSpace && !e.space {
		e.put(" ")
	}
	e.put(s)
	e.space = isSpace
	e.atIndent = e.atIndent && isIndent
}

// deeper indents further and gives what to restore.
func (e *emitter) deeper(flow, indentless bool) int {
	was := e.indent
	switch {
	case e.indent < 0 && flow:
		e.indent = e.Indent
	case e.indent < 0:
		e.indent = 0
	case !indentless:
		e.indent += e.Indent
	}
	return was
}

func (e *emitter) inFlow(n *node) bool { return e.depth > 0 || n.flow }

func (e *emitter) node(n *node, at place) {
	switch {
	case n.kind == scalar:
		was := e.deeper(true, false)
		e.scalar(n, at)
		e.indent = was
	case e.inFlow(n):
		e.flow(n)
	case n.kind == sequence:
		e.blockSequence(n, at)
	default:
		e.blockMapping(n)
	}
}

func (e *emitter) flow(n *node) {
	open, end := "[", "]"
	if n.kind == mapping {
		open, end = "{", "}"
	}
	e.indicator(open, true, true, false)
	was := e.deeper(true, false)
	e.depth++
	step := 1
	if n.kind == mapping {
		step = 2
	}
	for i := 0; i < len(n.items); i += step {
		if i > 0 {
			e.indicator(",", false, false, false)
		}
		if e.column > e.Width {
			e.writeIndent()
		}
		if n.kind == sequence {
			e.node(n.items[i], place{})
			continue
		}
		e.flowPair(n.items[i], n.items[i+1])
	}
	e.depth--
	e.indent = was
	e.indicator(end, false, false, false)
}

func (e *emitter) flowPair(key, value *node) {
	if simpleKey(key) {
		e.node(key, place{inMapping: true, isKey: true})
		e.indicator(":", false, false, false)
	} else {
		e.indicator("?", true, false, false)
		e.node(key, place{inMapping: true})
		if e.column > e.Width {
			e.writeIndent()
		}
		e.indicator(":", true, false, false)
	}
	e.node(value, place{inMapping: true})
}

func (e *emitter) blockSequence(n *node, at place) {
	was := e.deeper(false, at.inMapping && !e.atIndent)
	for _, item := range n.items {
		e.writeIndent()
		e.indicator("-", true, false, true)
		e.node(item, place{})
	}
	e.indent = was
}

func (e *emitter) blockMapping(n *node) {
	was := e.deeper(false, false)
	for i := 0; i < len(n.items); i += 2 {
		key, value := n.items[i], n.items[i+1]
		e.writeIndent()
		if simpleKey(key) {
			e.node(key, place{inMapping: true, isKey: true})
			e.indicator(":", false, false, false)
		} else {
			e.indicator("?", true, false, true)
			e.node(key, place{inMapping: true})
			e.writeIndent()
			e.indicator(":", true, false, true)
		}
		e.node(value, place{inMapping: true})
	}
	e.indent = was
}

// maxSimpleKey is how many bytes a key without ? may have.
const maxSimpleKey = 128

func simpleKey(n *node) bool {
	if n.kind != scalar {
		return len(n.items) == 0
	}
	return len(n.text) <= maxSimpleKey && !strings.ContainsAny(n.text, "\n\r\u0085\u2028\u2029")
}
