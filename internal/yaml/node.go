package yaml

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"unicode/utf8"

	yamlv3 "gopkg.in/yaml.v3"

	"gplay/internal/pytime"
	"gplay/internal/source"
	"gplay/internal/vault"
	"gplay/jinja"
)

// Kind is what a node is.
type Kind int

const (
	Scalars Kind = iota
	Map
	List
)

// Node is a value as written, with its place.
type Node struct {
	Kind  Kind
	Pos   source.Pos
	Len   int    // how many characters of a scalar stand on its first line
	Value any    // of a scalar: nil, bool, int, *big.Int, float64, string, []byte, pytime.Date, pytime.DateTime, *Template
	Pairs []Pair // of a map, in order, each key once, merged keys first
	Items []*Node

	value any // of a map or a list, once it was asked for
	class string
	src   *text

	whole  *Node // the scalar that this is a part of
	offset int   // where in its text
}

// PosAt is the place in the file of the byte at offset of a string's or a
// template's text.
func (n *Node) PosAt(offset int) source.Pos {
	if n.whole != nil {
		n, offset = n.whole, n.offset+offset
	}
	s, ok := n.String()
	if !ok || n.src == nil {
		return n.Pos
	}
	return n.src.locate(n.Pos, s, offset)
}

// At is the place in the file of a line and a column, both from 1, of a
// string's or a template's own text.
func (n *Node) At(line, col int) source.Pos {
	s, _ := n.String()
	return n.PosAt(offsetAt(s, line, col))
}

// Item is item i of a list, and n itself where it is none.
func (n *Node) Item(i int) *Node {
	if n == nil || n.Kind != List {
		return n
	}
	if i >= len(n.Items) {
		return nil
	}
	return n.Items[i]
}

// Pair is a key of a map and its value. Keys are never templates.
type Pair struct{ Key, Value *Node }

// Get is the value of key in a map, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, p := range n.Pairs {
		if p.Key.Value == key {
			return p.Value
		}
	}
	return nil
}

// Key is the node of a key in a map, or nil.
func (n *Node) Key(key string) *Node {
	for _, p := range n.Pairs {
		if p.Key.Value == key {
			return p.Key
		}
	}
	return nil
}

// Null reports whether n is absent or null.
func (n *Node) Null() bool { return n == nil || n.Kind == Scalars && n.Value == nil }

// String is the text of a string or template node.
func (n *Node) String() (string, bool) {
	if n == nil || n.Kind != Scalars {
		return "", false
	}
	switch v := n.Value.(type) {
	case string:
		return v, true
	case *Template:
		return v.Text, true
	}
	return "", false
}

// Describe names what n is, for error messages: "a list", "the number 5".
func (n *Node) Describe() string {
	switch {
	case n.Null():
		return "nothing"
	case n.Kind == Map:
		return "a dict"
	case n.Kind == List:
		return "a list"
	}
	switch v := n.Value.(type) {
	case bool:
		if v {
			return "true"
		}
		return "false"
	case string:
		return fmt.Sprintf("the string %q", v)
	case *Template:
		return fmt.Sprintf("the template %q", v.Text)
	case int, float64, *big.Int:
		return fmt.Sprintf("the number %v", v)
	case pytime.Date, pytime.DateTime:
		return fmt.Sprintf("the date %v", v)
	}
	return "binary data"
}

// Any is n as a template value: *jinja.Dict, *jinja.List or a scalar. The
// parts that an alias shares are shared here too.
func (n *Node) Any() any {
	if n == nil {
		return nil
	}
	switch {
	case n.Kind == Scalars:
		if text, ok := n.Value.(string); ok && n.class != "" {
			return jinja.Text{Value: text, Class: n.class}
		}
		return n.Value
	case n.value != nil:
		return n.value
	case n.Kind == Map:
		d := &jinja.Dict{Class: n.class}
		n.value = d
		for _, p := range n.Pairs {
			d.Set(p.Key.Value, p.Value.Any())
		}
	default:
		l := &jinja.List{Items: make([]any, len(n.Items)), Class: n.class}
		n.value = l
		for i, item := range n.Items {
			l.Items[i] = item.Any()
		}
	}
	return n.value
}

// converter makes Nodes of what the YAML parser gives.
type converter struct {
	src  *text
	opts Options
	// plain is above 0 inside of !unsafe.
	plain   int
	anchors map[*yamlv3.Node]*Node // nil while its own content is converted
}

func (c *converter) pos(y *yamlv3.Node) source.Pos {
	return source.Pos{File: c.src.file, Line: y.Line + c.src.line, Col: y.Column}
}

func (c *converter) convert(y *yamlv3.Node) (*Node, error) {
	if y.Kind == yamlv3.AliasNode {
		return c.alias(y)
	}
	if y.Anchor != "" {
		if c.anchors == nil {
			c.anchors = map[*yamlv3.Node]*Node{}
		}
		c.anchors[y] = nil
	}
	n, err := c.tagged(y)
	if err == nil && y.Anchor != "" {
		c.anchors[y] = n
	}
	return n, err
}

func (c *converter) alias(y *yamlv3.Node) (*Node, error) {
	n := c.anchors[y.Alias]
	if n == nil {
		return nil, source.Errorf(c.pos(y), "the alias *%s contains itself", y.Value)
	}
	return n, nil
}

func (c *converter) tagged(y *yamlv3.Node) (*Node, error) {
	tag := ""
	if y.Style&yamlv3.TaggedStyle != 0 {
		tag = y.ShortTag()
	}
	switch tag {
	case "!vault", "!vault-encrypted":
		return c.vaulted(y, tag)
	case "!unsafe":
		c.plain++
		defer func() { c.plain-- }()
		tag = ""
	case "!!omap", "!!pairs":
		return c.pairs(y)
	}
	switch y.Kind {
	case yamlv3.MappingNode:
		return c.mapping(y, tag)
	case yamlv3.SequenceNode:
		return c.sequence(y, tag)
	}
	return c.scalar(y, tag)
}

// vaulted is a value that is decrypted when it is used.
func (c *converter) vaulted(y *yamlv3.Node, tag string) (*Node, error) {
	text := []byte(strings.TrimSpace(y.Value))
	if c.opts.Data || y.Kind != yamlv3.ScalarNode {
		return nil, c.unknownTag(y, tag)
	}
	if !vault.IsEncrypted(text) {
		return nil, &source.Error{Pos: c.pos(y), Len: len(tag), Msg: "the value of " + tag + " must be text that was encrypted with Ansible Vault"}
	}
	open := sync.OnceValues(func() (string, error) { return c.opts.Vault.Value(text) })
	return &Node{Pos: c.pos(y), Len: len(tag), Value: &Template{Text: string(text) + "\n", Pos: c.pos(y), Open: open}}, nil
}

// shortestHidden is how long a text of an encrypted file has to be to be kept
// from all output: shorter ones are numbers and words that stand in anything.
const shortestHidden = 8

// Hide lets no output show the texts in n.
func (n *Node) Hide(keys *vault.Keys) {
	if text, ok := n.Value.(string); ok && len(text) >= shortestHidden {
		keys.Hide(text)
	}
	for _, p := range n.Pairs {
		p.Value.Hide(keys)
	}
	for _, item := range n.Items {
		item.Hide(keys)
	}
}

func (c *converter) sequence(y *yamlv3.Node, tag string) (*Node, error) {
	if tag != "" && tag != "!!seq" && tag != "!!python/tuple" {
		return nil, c.unknownTag(y, tag)
	}
	n := &Node{Kind: List, Pos: c.pos(y), class: c.class(), Items: make([]*Node, 0, len(y.Content))}
	for _, child := range y.Content {
		item, err := c.convert(child)
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, item)
	}
	return n, nil
}

// pairs reads a list of one-key maps, which PyYAML gives as a list of pairs.
func (c *converter) pairs(y *yamlv3.Node) (*Node, error) {
	n := &Node{Kind: List, Pos: c.pos(y)}
	for _, child := range y.Content {
		m, err := c.convert(child)
		if err != nil {
			return nil, err
		}
		if m.Kind != Map || len(m.Pairs) != 1 {
			return nil, source.Errorf(m.Pos, "an item of an ordered map wants one key and its value, not %s", m.Describe())
		}
		p := m.Pairs[0]
		n.Items = append(n.Items, &Node{Kind: List, Pos: m.Pos, Items: []*Node{p.Key, p.Value}})
	}
	return n, nil
}

func (c *converter) mapping(y *yamlv3.Node, tag string) (*Node, error) {
	if tag != "" && tag != "!!map" && tag != "!!set" {
		return nil, c.unknownTag(y, tag)
	}
	n := &Node{Kind: Map, Pos: c.pos(y), class: c.class(), Pairs: make([]Pair, 0, len(y.Content)/2)}
	m := pairing{c: c, n: n}
	for i := 0; i+1 < len(y.Content); i += 2 {
		if k := y.Content[i]; isMerge(k) {
			if err := m.merge(k, y.Content[i+1]); err != nil {
				return nil, err
			}
		}
	}
	for i := 0; i+1 < len(y.Content); i += 2 {
		if isMerge(y.Content[i]) {
			continue
		}
		if err := m.add(y.Content[i], y.Content[i+1]); err != nil {
			return nil, err
		}
	}
	if tag == "!!set" {
		return setOf(n), nil
	}
	return n, nil
}

// TextClass is the class of texts that stand in a trusted file.
const TextClass = "AnsibleUnicode"

// UnsafeClass is the class of texts that are tagged so there.
const UnsafeClass = "AnsibleUnsafeText"

func (c *converter) class() string {
	switch {
	case c.opts.Data:
		return ""
	case c.plain > 0:
		return UnsafeClass
	}
	return TextClass
}

// setOf shows a set as the list of what it holds.
func setOf(n *Node) *Node {
	l := &Node{Kind: List, Pos: n.Pos}
	for _, p := range n.Pairs {
		l.Items = append(l.Items, p.Key)
	}
	return l
}

func isMerge(k *yamlv3.Node) bool {
	return k.Kind == yamlv3.ScalarNode && k.Value == "<<" && k.Style == 0
}

// pairing collects the pairs of one map.
type pairing struct {
	c     *converter
	n     *Node
	index jinja.Dict // where in n's pairs a key is
	own   jinja.Dict // the keys that are not merged
}

func (m *pairing) merge(key, y *yamlv3.Node) error {
	from, err := m.c.convert(y)
	if err != nil {
		return err
	}
	sources := []*Node{from}
	if from.Kind == List {
		sources = from.Items
	}
	// The first of several wins.
	for i := len(sources) - 1; i >= 0; i-- {
		if sources[i].Kind != Map {
			return &source.Error{Pos: m.c.pos(key), Len: 2, Msg: "<< wants a dict or a list of dicts to merge, not " + sources[i].Describe()}
		}
		for _, p := range sources[i].Pairs {
			m.set(p)
		}
	}
	return nil
}

func (m *pairing) set(p Pair) {
	if i, ok := m.index.Get(p.Key.Value); ok {
		old := m.n.Pairs[i.(int)].Key
		if jinja.TypeName(old.Value) != jinja.TypeName(p.Key.Value) {
			p.Key = old // 1 and true are one key, as it was written first
		}
		m.n.Pairs[i.(int)] = p
		return
	}
	m.index.Set(p.Key.Value, len(m.n.Pairs))
	m.n.Pairs = append(m.n.Pairs, p)
}

func (m *pairing) add(ky, vy *yamlv3.Node) error {
	if ky.Value == "=" { // which is text as a key
		ky.Style |= yamlv3.SingleQuotedStyle
	}
	m.c.plain++
	key, err := m.c.convert(ky)
	m.c.plain--
	if err != nil {
		return err
	}
	if key.Kind != Scalars {
		return m.c.badKey(key)
	}
	key.class = ""
	value, err := m.c.convert(vy)
	if err != nil {
		return err
	}
	_, again := m.own.Get(key.Value)
	switch {
	case !again || m.c.opts.DuplicateKeys == "ignore":
	case m.c.opts.DuplicateKeys == "error":
		e := source.Errorf(key.Pos, "found a duplicate dict key (%s)", jinja.Str(key.Value))
		e.Len = key.Len
		return e
	case m.c.opts.Warn != nil:
		m.c.opts.Warn(fmt.Sprintf("While constructing a mapping from %s, line %d, column %d, found a duplicate dict key (%s). Using last defined value only.",
			m.n.Pos.File, m.n.Pos.Line, m.n.Pos.Col, jinja.Str(key.Value)))
	}
	m.own.Set(key.Value, nil)
	m.set(Pair{key, value})
	return nil
}

// badKey explains {{ x }} without quotes, which YAML reads as a dict whose
// key is a dict.
func (c *converter) badKey(key *Node) error {
	if key.Kind == Map && strings.Contains(c.src.lineAt(key.Pos.Line), "{{") {
		return bracesError(c.src, key.Pos.Line)
	}
	return source.Errorf(key.Pos, "%s cannot be the key of a dict", key.Describe())
}

func (c *converter) unknownTag(y *yamlv3.Node, tag string) error {
	return &source.Error{Pos: c.pos(y), Len: len(tag), Msg: fmt.Sprintf("the tag %s has no meaning here", tag),
		Hint: "quote the value if it is meant to begin with an exclamation mark"}
}

func (c *converter) scalar(y *yamlv3.Node, tag string) (*Node, error) {
	n := &Node{Pos: c.pos(y), src: c.src, Len: max(utf8.RuneCountInString(firstLine(y.Value)), 1)}
	quoted := y.Style & (yamlv3.SingleQuotedStyle | yamlv3.DoubleQuotedStyle | yamlv3.LiteralStyle | yamlv3.FoldedStyle)
	switch tag {
	case "":
		if quoted == 0 && y.Style&yamlv3.TaggedStyle == 0 {
			if y.Value == "=" {
				return nil, &source.Error{Pos: n.Pos, Len: 1, Msg: "an = alone has a meaning of its own, which is not supported", Hint: "quote the value"}
			}
			if n.Value = Scalar(y.Value); n.Value == y.Value && isTime(y.Value) {
				return nil, &source.Error{Pos: n.Pos, Len: n.Len, Msg: y.Value + " is a time that no calendar has", Hint: "quote the value if it is meant as text"}
			}
		} else {
			n.Value = y.Value
		}
	case "!!str", "!!python/unicode", "!!python/str":
		n.Value = y.Value
	case "!!int", "!!float", "!!bool", "!!null", "!!timestamp":
		return n, c.forced(n, y, tag)
	case "!!binary":
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(y.Value), ""))
		if err != nil {
			return nil, source.Errorf(n.Pos, "!!binary wants base64")
		}
		n.Value = data
	default:
		return nil, c.unknownTag(y, tag)
	}
	switch s, ok := n.Value.(string); {
	case c.opts.Data:
	case c.plain > 0:
		n.class = UnsafeClass
	case ok && IsTemplate(s):
		n.Value = &Template{Text: s, Pos: n.Pos, Block: quoted&(yamlv3.LiteralStyle|yamlv3.FoldedStyle) != 0, src: c.src}
	}
	return n, nil
}

// forced reads a scalar whose type is given by a tag.
func (c *converter) forced(n *Node, y *yamlv3.Node, tag string) error {
	n.Value = Scalar(y.Value)
	ok := true
	switch v := n.Value.(type) {
	case int, *big.Int:
		if i, small := v.(int); small && tag == "!!float" {
			n.Value = float64(i)
		} else {
			ok = tag == "!!int"
		}
	case float64:
		ok = tag == "!!float"
	case bool:
		ok = tag == "!!bool"
	case nil:
		ok = tag == "!!null"
	case pytime.Date, pytime.DateTime:
		ok = tag == "!!timestamp"
	default:
		ok = false
	}
	if !ok {
		return source.Errorf(n.Pos, "%s does not fit the value %q", tag, y.Value)
	}
	return nil
}

// IsTemplate reports whether text holds Jinja2.
func IsTemplate(text string) bool {
	for i := 0; ; i++ {
		at := strings.IndexByte(text[i:], '{')
		if at < 0 || i+at+1 >= len(text) {
			return false
		}
		i += at
		switch text[i+1] {
		case '{', '%', '#':
			return true
		}
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// Part is the node of a text that was cut out of n's at a byte offset.
func (n *Node) Part(part string, offset int) *Node {
	p := &Node{Pos: n.PosAt(offset), Len: max(utf8.RuneCountInString(firstLine(part)), 1), Value: part, src: n.src, whole: n, offset: offset}
	if n.whole != nil {
		p.whole, p.offset = n.whole, n.offset+offset
	}
	if t, ok := n.Value.(*Template); ok && IsTemplate(part) {
		p.Value = t.Part(part, offset)
	}
	return p
}
