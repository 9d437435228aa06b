package vars

import (
	"regexp"
	"strings"
)

// tags are what a template is made of besides text: expressions, statements,
// comments.
var tags = regexp.MustCompile(`(?s){{.*?}}|{%.*?%}|{#.*?#}`)

var quoted = regexp.MustCompile(`(?s)'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"`)

var rawBlock = regexp.MustCompile(`{%[-+]?\s*raw\b`)

// literalBackslashes makes the backslashes in strings of {{ }} ones that stay:
// in YAML, \1 is a group of a regular expression and \n two characters.
// Statements, and files of the template module, have Jinja2's escapes.
func literalBackslashes(text string) string {
	if !strings.Contains(text, `\`) || rawBlock.MatchString(text) {
		return text
	}
	return tags.ReplaceAllStringFunc(text, func(tag string) string {
		if !strings.HasPrefix(tag, "{{") {
			return tag
		}
		return quoted.ReplaceAllStringFunc(tag, func(s string) string { return strings.ReplaceAll(s, `\`, `\\`) })
	})
}
