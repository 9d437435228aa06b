package vars

import (
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
		return v.Class == filters.UnsafeText
	case *jinja.Dict:
		return v.Class == filters.UnsafeText
	}
	return false
}

// unsafe is v, as unsafe text where it is text.
func unsafe(v any) any {
	switch v := v.(type) {
	case string:
		return jinja.Text{Value: v, Class: filters.UnsafeText}
	case jinja.Text:
		if filters.StaysText(v) {
			return jinja.Text{Value: v.Value, Class: filters.UnsafeNativeText}
		}
		return jinja.Text{Value: v.Value, Class: filters.UnsafeText}
	}
	return v
}

// Unsafe are the items with the texts among them unsafe.
func Unsafe(items []any) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = unsafe(item)
	}
	return out
}
