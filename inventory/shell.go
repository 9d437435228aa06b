package inventory

import (
	"errors"
	"strings"
	"unicode/utf8"

	"gplay/internal/pyliteral"
	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// token is a word of a line, and how many characters stand before it.
type token struct {
	text string
	at   int
}

// splitShell splits a line into words as a POSIX shell does; # begins a comment.
func splitShell(line string) ([]token, error) {
	s := splitter{in: []rune(line)}
	for s.at < len(s.in) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	s.end()
	return s.tokens, nil
}

type splitter struct {
	in     []rune
	at     int
	word   strings.Builder
	begun  bool // a word is being read
	start  int
	tokens []token
}

func (s *splitter) next() error {
	c := s.in[s.at]
	switch {
	case c == '#':
		s.at = len(s.in)
		return nil
	case strings.ContainsRune(" \t\r\n", c):
		s.end()
		s.at++
		return nil
	}
	if !s.begun {
		s.begun, s.start = true, s.at
	}
	s.at++
	switch c {
	case '\'', '"':
		return s.quoted(c)
	case '\\':
		if s.at == len(s.in) {
			return errors.New("no escaped character")
		}
		c = s.in[s.at]
		s.at++
	}
	s.word.WriteRune(c)
	return nil
}

func (s *splitter) quoted(quote rune) error {
	for s.at < len(s.in) {
		c := s.in[s.at]
		s.at++
		if c == quote {
			return nil
		}
		if c == '\\' && quote == '"' && s.at < len(s.in) && (s.in[s.at] == '"' || s.in[s.at] == '\\') {
			c = s.in[s.at]
			s.at++
		}
		s.word.WriteRune(c)
	}
	return errors.New("no closing quotation")
}

func (s *splitter) end() {
	if s.begun {
		s.tokens = append(s.tokens, token{s.word.String(), s.start})
	}
	s.word.Reset()
	s.begun = false
}

// parseLiteral gives the Python value that text is a literal of, else text.
func parseLiteral(text string) any {
	if v, ok := pyliteral.Parse(text); ok {
		return v
	}
	if v, ok := pyliteral.Parse(withoutComment(text)); ok {
		return v
	}
	if strings.Contains(text, ",") && text[0] != ',' {
		if v, ok := pyliteral.Parse("(" + text + ")"); ok {
			return v
		}
	}
	return text
}

// withoutComment cuts off what follows a # outside of quotes.
func withoutComment(text string) string {
	var quote rune
	for i, c := range text {
		switch {
		case quote == 0 && c == '#':
			return strings.TrimSpace(text[:i])
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	return text
}

// trust makes templates of the text in v that holds Jinja2.
func trust(v any, pos source.Pos) any {
	switch v := v.(type) {
	case string:
		if yaml.IsTemplate(v) {
			return &yaml.Template{Text: v, Pos: pos}
		}
	case *jinja.List:
		for i, item := range v.Items {
			v.Items[i] = trust(item, pos)
		}
	case jinja.Tuple:
		for i, item := range v {
			v[i] = trust(item, pos)
		}
	case *jinja.Dict:
		for _, key := range v.Keys() {
			item, _ := v.Get(key)
			v.Set(key, trust(item, pos))
		}
	}
	return v
}

func runes(s string) int { return utf8.RuneCountInString(s) }
