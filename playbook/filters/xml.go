package filters

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"gplay/jinja"
)

var xmlFilters = map[string]jinja.Filter{"from_xml": fromXML, "to_xml": toXML}

// The keys of what is no element.
const (
	attributeMark = "@"
	textKey       = "#text"
)

func checkEngine(p *params, i int) error {
	if engine := p.text(i, "xmltodict"); p.err == nil && engine != "xmltodict" {
		return fmt.Errorf("engine: %s is not supported", engine)
	}
	return p.err
}

// fromXML gives JSON of XML: elements are dicts, repeated ones lists,
// attributes have keys that begin with @.
func fromXML(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	if err := checkEngine(bind(args, "engine="), 0); err != nil {
		return nil, fmt.Errorf("Error when using plugin 'from_xml': %w", err)
	}
	s, err := text(v)
	if err != nil {
		return nil, err
	}
	decoder := xml.NewDecoder(strings.NewReader(s))
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is text already
	root, err := readXML(decoder)
	if err != nil {
		return nil, errors.New("Error when using plugin 'from_xml': Input Xml is not valid")
	}
	return jinja.JSON(root, jinja.JSONOptions{ASCII: true})
}

// element is one that is being read.
type element struct {
	name string
	body *jinja.Dict
	text strings.Builder
}

func rawName(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}

func readXML(d *xml.Decoder) (*jinja.Dict, error) {
	stack := []*element{{body: jinja.NewDict()}}
	for {
		token, err := d.RawToken()
		top := stack[len(stack)-1]
		switch {
		case errors.Is(err, io.EOF) && len(stack) == 1 && top.body.Len() == 1:
			return top.body, nil
		case err != nil:
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if len(stack) == 1 && top.body.Len() > 0 {
				return nil, errors.New("there are two roots")
			}
			e := &element{name: rawName(token.Name), body: jinja.NewDict()}
			for _, a := range token.Attr {
				e.body.Set(attributeMark+rawName(a.Name), a.Value)
			}
			stack = append(stack, e)
		case xml.EndElement:
			if len(stack) == 1 || top.name != rawName(token.Name) {
				return nil, errors.New("an element is not closed")
			}
			stack = stack[:len(stack)-1]
			add(stack[len(stack)-1].body, top.name, top.value())
		case xml.CharData:
			if len(stack) == 1 && strings.TrimSpace(string(token)) != "" {
				return nil, errors.New("there is text outside of the root")
			}
			top.text.Write(token)
		}
	}
}

// value is None, a text, or a dict.
func (e *element) value() any {
	text := strings.TrimSpace(e.text.String())
	switch {
	case e.body.Len() == 0 && text == "":
		return nil
	case e.body.Len() == 0:
		return text
	case text != "":
		e.body.Set(textKey, text)
	}
	return e.body
}

// add gives a key another value: the second one makes a list of them.
func add(d *jinja.Dict, key string, value any) {
	old, ok := d.Get(key)
	switch l, isList := old.(*jinja.List); {
	case !ok:
		d.Set(key, value)
	case isList:
		l.Items = append(l.Items, value)
	default:
		d.Set(key, jinja.NewList(old, value))
	}
}

func toXML(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "engine=", "indent=", "indent_width=", "full_document=")
	indent := "\t"
	switch kind := p.text(1, "tabs"); kind {
	case "tabs":
	case "spaces":
		indent = strings.Repeat(" ", max(p.int(2, 4), 0))
	default:
		return nil, fmt.Errorf("indent is tabs or spaces, not %s", jinja.Repr(kind))
	}
	w := &xmlWriter{indent: indent, document: p.truth(3, true)}
	if err := checkEngine(p, 0); err != nil {
		return nil, fmt.Errorf("Error when using plugin 'to_xml': %w", err)
	}
	m, ok := v.(jinja.Mapping)
	if !ok || w.document && m.Len() != 1 {
		return nil, errors.New("Error when using plugin 'to_xml': Input json is not valid: a dict of one root element is expected")
	}
	if w.document {
		w.out.WriteString("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n")
	}
	for _, key := range m.Keys() {
		value, _ := m.Get(key)
		if err := w.element(jinja.Str(key), value, 0); err != nil {
			return nil, fmt.Errorf("Error when using plugin 'to_xml': Input json is not valid: %w", err)
		}
	}
	return w.out.String(), nil
}

type xmlWriter struct {
	out      strings.Builder
	indent   string
	document bool
}

// element writes one element for each item of a list, and one for all else.
func (w *xmlWriter) element(name string, v any, depth int) error {
	items, ok := sequence(v)
	if !ok {
		items = []any{v}
	}
	if w.document && depth == 0 && len(items) > 1 {
		return errors.New("a document has one root")
	}
	for _, item := range items {
		if err := w.one(name, item, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *xmlWriter) one(name string, v any, depth int) error {
	margin := strings.Repeat(w.indent, depth)
	w.out.WriteString(margin + "<" + name)
	var body any
	var children []any
	m, isDict := v.(jinja.Mapping)
	if !isDict {
		body = v
	} else {
		for _, key := range m.Keys() {
			value, _ := m.Get(key)
			switch k := jinja.Str(key); {
			case k == textKey:
				body = value
			case strings.HasPrefix(k, attributeMark):
				w.out.WriteString(" " + k[1:] + "=" + quoteAttribute(xmlText(value, false)))
			default:
				children = append(children, key)
			}
		}
	}
	w.out.WriteString(">")
	if len(children) > 0 {
		w.out.WriteString("\n")
	}
	for _, key := range children {
		value, _ := m.Get(key)
		if err := w.element(jinja.Str(key), value, depth+1); err != nil {
			return err
		}
	}
	if body != nil {
		w.out.WriteString(escapeXML.Replace(xmlText(body, !isDict)))
	}
	if len(children) > 0 {
		w.out.WriteString(margin)
	}
	w.out.WriteString("</" + name + ">")
	if depth > 0 {
		w.out.WriteString("\n")
	}
	return nil
}

// xmlText is a value as text; booleans of elements are in lower case.
func xmlText(v any, ofElement bool) string {
	if b, ok := v.(bool); ok && ofElement {
		if b {
			return "true"
		}
		return "false"
	}
	return jinja.Str(v)
}

var (
	escapeXML       = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	escapeAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\n", "&#10;", "\r", "&#13;", "\t", "&#9;")
)

func quoteAttribute(s string) string {
	s = escapeAttribute.Replace(s)
	switch {
	case !strings.Contains(s, `"`):
		return `"` + s + `"`
	case !strings.Contains(s, "'"):
		return "'" + s + "'"
	}
	return `"` + strings.ReplaceAll(s, `"`, "&quot;") + `"`
}
