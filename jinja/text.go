package jinja

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// isASCII tells that every byte of s is one character.
func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// runeLen is Python's len of a string: its characters.
func runeLen(s string) int {
	return utf8.RuneCountInString(s)
}

// ascii holds the strings of one byte, so that taking one costs nothing.
var ascii = func() (table [utf8.RuneSelf]any) {
	for i := range table {
		table[i] = string(rune(i))
	}
	return
}()

// characters are the characters of s, each a string.
func characters(s string) []any {
	out := make([]any, 0, len(s))
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			out = append(out, ascii[s[i]])
			i++
			continue
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		out = append(out, s[i:i+n])
		i += n
	}
	return out
}

// offset is where in s its character number n begins; len(s) past the end.
func offset(s string, n int) int {
	if n <= 0 {
		return 0
	}
	for i := 0; i < len(s); n-- {
		if n == 0 {
			return i
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return len(s)
}

// cut is Python's s[from:to] for indexes that are in order and not negative.
func cut(s string, from, to int) string {
	if isASCII(s) {
		from, to = min(from, len(s)), min(to, len(s))
		return s[from:max(from, to)]
	}
	start := offset(s, from)
	return s[start : start+offset(s[start:], to-from)]
}

// lower, upper and title change the case by Unicode's full rules: ß becomes SS.
func lower(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return cases.Lower(language.Und).String(s)
}

func upper(s string) string {
	if isASCII(s) {
		return strings.ToUpper(s)
	}
	return cases.Upper(language.Und).String(s)
}

func title(s string) string {
	if isASCII(s) {
		return strings.ToUpper(s)
	}
	return cases.Title(language.Und).String(s)
}

// escape makes text safe in HTML.
func escape(s string) Markup {
	if !strings.ContainsAny(s, `&<>'"`) {
		return Markup(s)
	}
	return Markup(htmlEscaper.Replace(s))
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&#39;", `"`, "&#34;")

// escapeValue is markupsafe's escape: Markup stays as it is.
func escapeValue(v any) (Markup, error) {
	if m, ok := v.(Markup); ok {
		return m, nil
	}
	s, err := strOf(v)
	return escape(s), err
}
