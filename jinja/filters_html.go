package jinja

import (
	"fmt"
	"html"
	"regexp"
	"strings"
)

func filterEscape(_ *Context, v any, _ []any) (any, error) { return escapeValue(v) }

func filterForceEscape(_ *Context, v any, _ []any) (any, error) {
	s, err := strOf(v)
	return escape(s), err
}

func filterSafe(_ *Context, v any, _ []any) (any, error) { return safe(v) }

// safe is markupsafe's Markup(v).
func safe(v any) (any, error) {
	s, err := strOf(v)
	return Markup(s), err
}

var (
	htmlComment = regexp.MustCompile(`(?s)<!--.*?-->`)
	htmlTag     = regexp.MustCompile(`(?s)<.*?>`)
)

func filterStripTags(_ *Context, v any, _ []any) (any, error) {
	s, err := strOf(v)
	if err != nil {
		return nil, err
	}
	s = htmlComment.ReplaceAllString(s, "")
	s = htmlTag.ReplaceAllString(s, "")
	return html.UnescapeString(strings.Join(strings.FieldsFunc(s, IsSpace), " ")), nil
}

func filterXMLAttr(c *Context, v any, a []any) (any, error) {
	m, ok := v.(Mapping)
	if !ok {
		return nil, fmt.Errorf("'%s' object has no attribute 'items'", typeName(v))
	}
	var parts []string
	for _, k := range m.Keys() {
		value, _, err := mappingGet(m, k)
		if err != nil {
			return nil, err
		}
		if _, undefined := value.(*Undefined); undefined || value == nil {
			continue
		}
		if _, isText := text(k); !isText {
			return nil, typeErrorf("expected string or bytes-like object, got '%s'", typeName(k))
		}
		name, err := escapeValue(k)
		if err != nil {
			return nil, err
		}
		if strings.ContainsAny(Str(k), " \t\n\r\f\v/>=") {
			return nil, valueErrorf("Invalid character in attribute name: %s", Repr(k))
		}
		text, err := escapeValue(value)
		if err != nil {
			return nil, err
		}
		parts = append(parts, fmt.Sprintf(`%s="%s"`, name, text))
	}
	out := strings.Join(parts, " ")
	if out != "" && enabled(a[0], true) {
		out = " " + out
	}
	return c.text(out), nil
}

var (
	urlLead  = regexp.MustCompile(`^([(<]|&lt;)+`)
	urlTrail = regexp.MustCompile(`([)>.,\n]|&gt;)+$`)
	urlWord  = regexp.MustCompile(`(?i)^(https?://|www\.)(([\w%-]+\.)+)?([a-z]{2,63}|xn--[\w%]{2,59})(?:[:/?#].*)?$|` +
		`(?i)^([\w%-]{2,63}\.)+(com|net|int|edu|gov|org|info|mil)([/?#]\S*)?$|` +
		`(?i)^(https?://)((([\d]{1,3})(\.[\d]{1,3}){3})|(\[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}\]))(?::[\d]{1,5})?(?:[/?#]\S*)?$`)
	schemePattern = regexp.MustCompile(`^[\pL\pN_.+-]{2,}:/{0,2}$`)
	mailWord      = regexp.MustCompile(`^\S+@\w[\w.-]*\.\w+$`)
)

func filterURLize(c *Context, v any, a []any) (any, error) {
	s, err := escapeValue(v)
	if err != nil {
		return nil, err
	}
	l := linker{limit: -1}
	if a[0] != Missing && a[0] != nil {
		if l.limit, err = index(a[0]); err != nil {
			return nil, err
		}
	}
	l.attributes = relAndTarget(a[3], enabled(a[1], false), a[2])
	if a[4] != Missing && a[4] != nil {
		schemes, err := Iterate(a[4])
		if err != nil {
			return nil, err
		}
		for _, scheme := range schemes {
			if !schemePattern.MatchString(Str(scheme)) {
				return nil, fmt.Errorf("%s is not a valid URI scheme prefix.", Repr(scheme))
			}
			l.schemes = append(l.schemes, Str(scheme))
		}
	}
	var b strings.Builder
	rest := string(s)
	for rest != "" {
		n := strings.IndexFunc(rest, IsSpace)
		if n < 0 {
			n = len(rest)
		}
		b.WriteString(l.word(rest[:n]))
		rest = rest[n:]
		n = len(rest) - len(strings.TrimLeftFunc(rest, IsSpace))
		b.WriteString(rest[:n])
		rest = rest[n:]
	}
	return c.text(b.String()), nil
}

// relAndTarget are the attributes of a link; rel is noopener and what was
// asked for, sorted.
func relAndTarget(rel any, nofollow bool, target any) string {
	parts := map[string]bool{"noopener": true}
	for _, p := range strings.Fields(Str(orEmpty(rel))) {
		parts[p] = true
	}
	if nofollow {
		parts["nofollow"] = true
	}
	out := ` rel="` + string(escape(strings.Join(sortedKeys(parts), " "))) + `"`
	if t := Str(orEmpty(target)); t != "" {
		out += ` target="` + string(escape(t)) + `"`
	}
	return out
}

func orEmpty(v any) any {
	if v == Missing || v == nil {
		return ""
	}
	return v
}

// linker makes links of the words that are addresses.
type linker struct {
	limit      int // of the text's characters; -1 none
	attributes string
	schemes    []string
}

func (l *linker) word(w string) string {
	head := urlLead.FindString(w)
	middle, tail := w[len(head):], ""
	if at := urlTrail.FindStringIndex(middle); at != nil {
		middle, tail = middle[:at[0]], middle[at[0]:]
	}
	middle, tail = balance(middle, tail)
	return head + l.link(middle) + tail
}

// balance gives back to an address the closing brackets that it opened.
func balance(middle, tail string) (string, string) {
	for _, pair := range [][2]string{{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}} {
		open := strings.Count(middle, pair[0])
		if open <= strings.Count(middle, pair[1]) {
			continue
		}
		for range min(open, strings.Count(tail, pair[1])) {
			end := strings.Index(tail, pair[1]) + len(pair[1])
			middle, tail = middle+tail[:end], tail[end:]
		}
	}
	return middle, tail
}

func (l *linker) link(s string) string {
	anchor := func(href string) string {
		shown := s
		if l.limit >= 0 && runeLen(s) > l.limit {
			shown = cut(s, 0, l.limit) + "..."
		}
		return `<a href="` + href + `"` + l.attributes + `>` + shown + `</a>`
	}
	address, isMail := strings.CutPrefix(s, "mailto:")
	switch {
	case urlWord.MatchString(s):
		if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
			return anchor(s)
		}
		return anchor("https://" + s)
	case isMail && mailWord.MatchString(address):
		return `<a href="` + s + `">` + address + `</a>`
	case !isMail && !strings.HasPrefix(s, "www.") && !strings.Contains(s, ":") && mailWord.MatchString(s):
		return `<a href="mailto:` + s + `">` + s + `</a>`
	}
	for _, scheme := range l.schemes {
		if s != scheme && strings.HasPrefix(s, scheme) {
			return `<a href="` + s + `"` + l.attributes + `>` + s + `</a>`
		}
	}
	return s
}
