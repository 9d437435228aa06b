package vars

import (
	"strings"

	"gplay/jinja"
)

// Public is a result without what is there for callbacks alone, at any depth:
// the keys that begin with _ansible_.
func Public(data *jinja.Dict) *jinja.Dict { return PublicValue(data).(*jinja.Dict) }

// PublicValue is v without the same, where v is part of a result.
func PublicValue(v any) any {
	switch v := v.(type) {
	case *jinja.Dict:
		out := &jinja.Dict{Class: v.Class}
		for k, e := range v.All() {
			if name, ok := k.(string); !ok || !strings.HasPrefix(name, "_ansible_") {
				out.Set(k, PublicValue(e))
			}
		}
		return out
	case *jinja.List:
		out := &jinja.List{Items: make([]any, len(v.Items)), Class: v.Class}
		for i, e := range v.Items {
			out.Items[i] = PublicValue(e)
		}
		return out
	}
	return v
}
