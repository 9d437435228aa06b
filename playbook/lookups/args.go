package lookups

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gplay/internal/pyjson"
	"gplay/internal/pyliteral"
	"gplay/internal/source"
	"gplay/jinja"
)

// settings are a lookup's options. The first one that is wrong is kept in err.
type settings struct {
	given *jinja.Dict
	err   error
}

// read takes options. Those that are not among the names change nothing, as in
// Ansible, but are warned of.
func read(c *Context, options *jinja.Dict, names ...string) *settings {
	for _, name := range unknown(options, names) {
		msg := fmt.Sprintf("it has no option %q", name)
		if near := source.Nearest(name, names); near != "" {
			msg += fmt.Sprintf(", did you mean %q?", near)
		}
		if c.Warn != nil {
			c.Warn(msg)
		}
	}
	return &settings{given: options}
}

// unknown are the names of options that are not among names.
func unknown(options *jinja.Dict, names []string) []string {
	var others []string
	for _, key := range options.Keys() {
		if name := jinja.Str(key); !slices.Contains(names, name) {
			others = append(others, name)
		}
	}
	return others
}

func (s *settings) value(name string, otherwise any) any {
	v, ok := s.given.Get(name)
	if !ok || v == nil {
		return otherwise
	}
	if u, undefined := v.(*jinja.Undefined); undefined && s.err == nil {
		s.err = jinja.UndefinedError(u)
	}
	return v
}

func (s *settings) text(name, otherwise string) string {
	return jinja.Str(s.value(name, otherwise))
}

// truth is whether an option is set: to one of Ansible's words for it. Others
// are no fault.
func (s *settings) truth(name string, otherwise bool) bool {
	switch v := s.value(name, otherwise).(type) {
	case string:
		return slices.Contains([]string{"yes", "on", "1", "true", "y", "t"}, strings.ToLower(strings.TrimSpace(v)))
	case *jinja.List, *jinja.Dict:
		s.fail(name, v, "true or false")
		return otherwise
	default:
		return v == true || v == 1 || v == 1.0
	}
}

// dict is an option that is a dict; nil where it is not given.
func (s *settings) dict(lookup, name string) *jinja.Dict {
	v := s.value(name, nil)
	d, ok := v.(*jinja.Dict)
	if !ok && v != nil {
		s.wrongType(lookup, name, "dictionary", v)
	}
	return d
}

func (s *settings) wrongType(lookup, name, kind string, v any) {
	if s.err == nil {
		s.err = fmt.Errorf("Invalid type for configuration option plugin_type: lookup plugin: %s setting: %s (from Direct): Invalid type provided for %q: %s",
			lookup, name, kind, jinja.Str(v))
	}
}

// choice is one of some texts, which are sorted.
func (s *settings) choice(lookup, name, otherwise string, texts ...string) string {
	v := s.text(name, otherwise)
	if !slices.Contains(texts, v) && s.err == nil {
		s.err = fmt.Errorf("Invalid value %q for configuration option \"plugin_type: lookup plugin: %s setting: %s \", valid values are: %s",
			v, lookup, name, strings.Join(texts, ", "))
	}
	return v
}

func (s *settings) int(name string, otherwise int) int {
	v := s.value(name, otherwise)
	switch v := v.(type) {
	case int:
		return v
	case float64:
		return int(v)
	case bool:
		if v {
			return 1
		}
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(jinja.Str(v)))
	if err != nil {
		s.fail(name, v, "a whole number")
	}
	return n
}

func (s *settings) seconds(name string, otherwise time.Duration) time.Duration {
	v := s.value(name, nil)
	if v == nil {
		return otherwise
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(jinja.Str(v)), 64)
	if err != nil {
		s.fail(name, v, "a number of seconds")
	}
	return time.Duration(n * float64(time.Second))
}

func (s *settings) fail(name string, v any, want string) {
	if s.err == nil {
		s.err = fmt.Errorf("the option %s must be %s, not %s", name, want, jinja.Repr(v))
	}
}

// inline reads a term such as `key file=x.csv col=2`: the words without = are
// the key, the others are options that override those of the lookup.
func inline(term string) (key string, own *jinja.Dict, err error) {
	words, err := splitWords(term)
	if err != nil {
		return "", nil, err
	}
	own = jinja.NewDict()
	var keys []string
	for _, word := range words {
		name, value, found := strings.Cut(word, "=")
		if !found || name == "" {
			keys = append(keys, word)
			continue
		}
		own.Set(name, unquote(value))
	}
	return strings.Join(keys, " "), own, nil
}

// overlaid are options with those of a term over them.
func overlaid(options, own *jinja.Dict) *jinja.Dict {
	merged := options.Copy()
	for name, value := range own.All() {
		merged.Set(name, value)
	}
	return merged
}

// splitWords splits at white space outside of quotes, which stay.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	for _, r := range text {
		switch {
		case quote == 0 && unicode.IsSpace(r):
			if word.Len() > 0 {
				words = append(words, word.String())
				word.Reset()
			}
			continue
		case quote == 0 && (r == '"' || r == '\'') && strings.HasSuffix(word.String(), "="):
			quote = r
		case r == quote:
			quote = 0
		}
		word.WriteRune(r)
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote is not closed in %q", text)
	}
	if word.Len() > 0 {
		words = append(words, word.String())
	}
	return words, nil
}

func unquote(s string) string {
	if n := len(s); n > 1 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

// noText is the fault of a term that is no text.
type noText func(term any) error

// lacks is what Python says of a term that has not the method of a text that
// Ansible calls.
func lacks(method string) noText {
	return func(term any) error {
		return jinja.Exceptionf("AttributeError", "'%s' object has no attribute '%s'", jinja.TypeName(term), method)
	}
}

func noPath(term any) error {
	return jinja.Exceptionf("TypeError", "expected str, bytes or os.PathLike object, not %s", jinja.TypeName(term))
}

// each runs a lookup term by term. Each has to be a text.
func each(terms []any, wrong noText, one func(term string) ([]any, error)) ([]any, error) {
	var all []any
	for _, term := range terms {
		s, ok := term.(string)
		if u, undefined := term.(*jinja.Undefined); undefined {
			return nil, jinja.UndefinedError(u)
		}
		if !ok {
			return nil, wrong(term)
		}
		values, err := one(s)
		if err != nil {
			return nil, err
		}
		all = append(all, values...)
	}
	return all, nil
}

func asValues(texts []string) []any {
	values := make([]any, len(texts))
	for i, s := range texts {
		values[i] = s
	}
	return values
}

func isSpace(r rune) bool { return unicode.IsSpace(r) }

// converted gives the list or dict that a text is the literal of.
func converted(s string) any {
	t := strings.TrimSpace(s)
	if !strings.HasPrefix(t, "{") && !strings.HasPrefix(t, "[") {
		return s
	}
	if v, err := pyjson.Decode(t); err == nil {
		return v
	}
	if v, ok := pyliteral.Parse(t); ok {
		return v
	}
	return s
}
