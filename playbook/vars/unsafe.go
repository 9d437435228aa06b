package vars

import (
	"strings"

	"gplay/internal/yaml"
	"gplay/jinja"
	"gplay/playbook/filters"
)

// UnsafeText is the class of texts that came from a host.
const UnsafeText = filters.UnsafeText

// isUnsafe tells whether v is, or holds, text from a place that no template is
// taken from.
func isUnsafe(v any) bool {
	switch v := v.(type) {
	case jinja.Text:
		return v.Class == filters.UnsafeText || v.Class == filters.UnsafeNativeText || v.Class == filters.VaultText
	case *jinja.List:
		return v.Class == filters.UnsafeText || anyUnsafe(v.Items)
	case jinja.Tuple:
		return anyUnsafe(v)
	case *jinja.Dict:
		if v.Class == filters.UnsafeText {
			return true
		}
		for _, item := range v.All() {
			if isUnsafe(item) {
				return true
			}
		}
	}
	return false
}

func anyUnsafe(items []any) bool {
	for _, item := range items {
		if isUnsafe(item) {
			return true
		}
	}
	return false
}

// unsafe is v with the texts in it unsafe.
func unsafe(v any) any {
	switch v := v.(type) {
	case string:
		return jinja.Text{Value: v, Class: filters.UnsafeText}
	case jinja.Text:
		if filters.StaysText(v) {
			return jinja.Text{Value: v.Value, Class: filters.UnsafeNativeText}
		}
		return jinja.Text{Value: v.Value, Class: filters.UnsafeText}
	case *jinja.List:
		if v.Class != filters.UnsafeText {
			return &jinja.List{Items: Unsafe(v.Items), Class: filters.UnsafeText}
		}
	case jinja.Tuple:
		return jinja.Tuple(Unsafe(v))
	case *jinja.Dict:
		if v.Class != filters.UnsafeText {
			return mapped(v, filters.UnsafeText, unsafe)
		}
	}
	return v
}

func mapped(d *jinja.Dict, class string, change func(any) any) *jinja.Dict {
	out := &jinja.Dict{Class: class}
	for k, item := range d.All() {
		out.Set(k, change(item))
	}
	return out
}

// Unsafe are the items with the texts among them unsafe.
func Unsafe(items []any) []any { return each(items, unsafe) }

func each(items []any, change func(any) any) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = change(item)
	}
	return out
}

func looksTemplated(v any) bool {
	s, ok := v.(string)
	return ok && (strings.Contains(s, "{{") || strings.Contains(s, "{%") || strings.Contains(s, "{#"))
}

// templateLike is v, where a text that looks like a template has a class. One
// that templates made of nothing unsafe is a str, and will be a template where
// it is a variable's value; of others it is not known and they never will be.
func templateLike(v any, class string) any {
	if !holds(v, looksTemplated) {
		return v
	}
	return changed(v, func(v any) any {
		if looksTemplated(v) {
			return jinja.Text{Value: v.(string), Class: class}
		}
		return v
	})
}

// Data are variables of which no text is ever a template.
func Data(variables *jinja.Dict) *jinja.Dict {
	return templateLike(variables, filters.UnsafeText).(*jinja.Dict)
}

// Again is v, which templates gave, as the value of a variable: what looks like
// a template is one, unless it is made of what is unsafe.
func Again(v any) any {
	if !holds(v, isAgain) {
		return v
	}
	return changed(v, func(v any) any {
		if isAgain(v) {
			return &yaml.Template{Text: jinja.Str(v)}
		}
		return v
	})
}

func isAgain(v any) bool {
	t, ok := v.(jinja.Text)
	return ok && (t.Class == "str" || t.Class == yaml.TextClass) && looksTemplated(any(t.Value))
}

// holds tells whether v is, or is made of, what is asked for.
func holds(v any, is func(any) bool) bool {
	switch v := v.(type) {
	case *jinja.List:
		return holds(jinja.Tuple(v.Items), is)
	case jinja.Tuple:
		for _, item := range v {
			if holds(item, is) {
				return true
			}
		}
		return false
	case *jinja.Dict:
		for _, item := range v.All() {
			if holds(item, is) {
				return true
			}
		}
		return false
	}
	return is(v)
}

// changed is v with all that is no list or dict in it changed.
func changed(v any, change func(any) any) any {
	all := func(item any) any { return changed(item, change) }
	switch v := v.(type) {
	case *jinja.List:
		return &jinja.List{Items: each(v.Items, all), Class: v.Class}
	case jinja.Tuple:
		return jinja.Tuple(each(v, all))
	case *jinja.Dict:
		if v == nil {
			return jinja.NewDict()
		}
		return mapped(v, v.Class, all)
	}
	return change(v)
}
