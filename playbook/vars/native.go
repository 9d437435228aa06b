package vars

import (
	"strings"

	"gplay/internal/pyliteral"
	"gplay/jinja"
	"gplay/playbook/filters"
)

// Native has templates give what Ansible's jinja2_native has them give: the
// value of an expression as it is, and of text that reads as a literal what it
// says. It is set before the first template is compiled.
func (t *Templar) Native() {
	t.native = true
	for _, env := range []*jinja.Environment{t.env, t.wary} {
		env.Finalize = jinja.Unroll
	}
}

// nativeValue is what a template gives in native mode.
func nativeValue(v any, single bool, template string) (any, error) {
	v = jinja.Unroll(v)
	switch v := v.(type) {
	case *jinja.Undefined:
		return nil, undefinedError(v)
	case jinja.Text:
		if v.Class == filters.VaultText {
			return v.Value, nil
		}
		return ended(v, template, nativeText), nil
	case string:
		if v == "" && !single && !strings.Contains(template, "{{") {
			return nil, nil // nothing was put out, not even an empty text
		}
		return nativeText(endLike(v, template, "\n")), nil
	}
	return v, definedAll(v)
}

// nativeText reads a text as Python reads a literal. One that does not begin
// with it is none, and that of a string keeps its quotes.
func nativeText(text string) any {
	if strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\t") {
		return text
	}
	value, ok := pyliteral.Parse(text)
	if !ok {
		return text
	}
	if s, ok := value.(string); ok {
		return text[:1] + s + text[:1]
	}
	return value
}
