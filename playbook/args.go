package playbook

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"gplay/internal/yaml"
	"gplay/jinja"
)

// word is one part of a "key=value free text" string: its text with the white
// space that follows it but for the one space that separates it from the next,
// and where it begins.
type word struct {
	text   string
	offset int
}

var (
	errUnbalanced = errors.New("a quote or a template ({{, {%) is opened here and not closed")
	errBlank      = errors.New("arguments cannot begin with more than one space")
)

// splitter cuts argument strings into words: at white space that is in no
// quotes and no template.
type splitter struct {
	words  []word
	quote  byte
	depths [3]int // of {{, {% and {#
}

// splitWords splits text as Ansible does. A backslash that stands alone joins
// its line with the next.
func splitWords(text string) ([]word, error) {
	var s splitter
	offset := 0
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		joined, err := s.line(line, offset)
		if err != nil {
			return nil, err
		}
		if i < len(lines)-1 && !joined && len(s.words) > 0 {
			s.extend("\n")
		}
		offset += len(line) + 1
	}
	if s.open() {
		return nil, errUnbalanced
	}
	return s.words, nil
}

func (s *splitter) extend(text string) { s.words[len(s.words)-1].text += text }

func (s *splitter) inTemplate() bool { return s.depths[0]+s.depths[1]+s.depths[2] > 0 }
func (s *splitter) open() bool       { return s.quote != 0 || s.inTemplate() }

// line takes in one line and reports whether it goes on in the next.
func (s *splitter) line(line string, offset int) (joined bool, err error) {
	tokens := strings.Split(line, " ")
	for i, token := range tokens {
		switch {
		case token == "" && i > 0:
			if len(s.words) == 0 {
				return false, errBlank
			}
			s.extend(" ")
		case token == `\` && s.quote == 0:
			joined = true
		default:
			s.token(token, i, len(tokens), offset)
		}
		offset += len(token) + 1
	}
	return joined, nil
}

// token takes in what stands between two spaces: it goes on with the last word
// when that is still open, else it begins one.
func (s *splitter) token(token string, i, tokens, offset int) {
	wasQuoted, wasTemplate := s.quote != 0, s.inTemplate()
	s.quotes(token)
	switch {
	case wasTemplate || wasQuoted:
		switch {
		case i == 0 && wasQuoted:
			s.extend(token)
		case i > 0:
			s.extend(" " + token)
		case tokens > 1:
			s.extend(token)
		default:
			s.extend("\n" + token)
		}
		s.braces(token)
	default:
		s.braces(token)
		if token != "" {
			s.words = append(s.words, word{token, offset})
		}
	}
}

func (s *splitter) quotes(token string) {
	for i := 0; i < len(token); i++ {
		c := token[i]
		if c != '"' && c != '\'' || i > 0 && token[i-1] == '\\' {
			continue
		}
		switch s.quote {
		case 0:
			s.quote = c
		case c:
			s.quote = 0
		}
	}
}

func (s *splitter) braces(token string) {
	for i, pair := range [3][2]string{{"{{", "}}"}, {"{%", "%}"}, {"{#", "#}"}} {
		s.depths[i] = max(s.depths[i]+strings.Count(token, pair[0])-strings.Count(token, pair[1]), 0)
	}
}

// joinWords puts words back into the text they came from.
func joinWords(words []string) string {
	var b strings.Builder
	last := byte('\n')
	for _, w := range words {
		if last != '\n' {
			b.WriteByte(' ')
		}
		b.WriteString(w)
		if w != "" {
			last = w[len(w)-1]
		}
	}
	return b.String()
}

// pair is one key=value.
type pair struct {
	key, value       string
	keyAt, valueFrom int // offsets in the text; of the value inside its quotes
}

// commandOptions are the key=value arguments that command, shell, raw and
// script take out of their free text; all others are text.
var commandOptions = map[string]bool{
	"creates": true, "removes": true, "chdir": true, "executable": true, "warn": true,
	"stdin": true, "stdin_add_newline": true, "strip_empty_ends": true,
}

// parsePairs splits "key=value key2='value 2' free text". With command set
// only the options of commands are pairs. free is the rest, freeAt where it
// begins.
func parsePairs(text string, command bool) (pairs []pair, free string, freeAt int, err error) {
	words, err := splitWords(text)
	if err != nil {
		return nil, "", 0, err
	}
	var rest []string
	keep := func(w word, text string) {
		if rest == nil {
			freeAt = w.offset
		}
		rest = append(rest, text)
	}
	for _, w := range words {
		decoded := decodeEscapes(w.text)
		eq := equalsSign(decoded)
		switch {
		case eq == 0:
			if strings.Contains(decoded, "=") {
				keep(w, strings.ReplaceAll(decoded, `\=`, "="))
			} else {
				keep(w, w.text)
			}
		case command && !commandOptions[decoded[:eq]]:
			keep(w, w.text)
		default:
			value := strings.TrimSpace(decoded[eq+1:])
			bare := unquote(value)
			at := w.offset + eq + 1
			if bare != value {
				at++
			}
			pairs = append(pairs, pair{strings.TrimSpace(decoded[:eq]), bare, w.offset, at})
		}
	}
	return pairs, joinWords(rest), freeAt, nil
}

// equalsSign is where the = of key=value stands: the first that is not the
// first character and not escaped. 0 is none.
func equalsSign(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] == '=' && s[i-1] != '\\' {
			return i
		}
	}
	return 0
}

func unquote(s string) string {
	if n := len(s); n > 1 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] && s[n-2] != '\\' {
		return s[1 : n-1]
	}
	return s
}

var escape = regexp.MustCompile(`\\(U[0-9a-fA-F]{8}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\\'"abfnrtv])`)

// decodeEscapes replaces Python's escapes, \n and the like.
func decodeEscapes(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		switch e[1] {
		case 'U', 'u', 'x':
			n, _ := strconv.ParseUint(e[2:], 16, 32)
			return string(rune(n))
		case '\\', '\'', '"':
			return e[1:]
		}
		return string("\a\b\f\n\r\t\v"[strings.IndexByte("abfnrtv", e[1])])
	})
}

// ParseKeyValues reads "key=value key2='value 2'", as -e takes it: values are
// text, and templates where they have Jinja2 in them.
func ParseKeyValues(text string) (vars *jinja.Dict, rest string, err error) {
	pairs, rest, _, err := parsePairs(text, false)
	if err != nil {
		return nil, "", err
	}
	out := jinja.NewDict()
	for _, p := range pairs {
		if yaml.IsTemplate(p.value) {
			out.Set(p.key, &yaml.Template{Text: p.value})
		} else {
			out.Set(p.key, p.value)
		}
	}
	return out, rest, nil
}
