package jmespath

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gplay/internal/pyjson"
)

type kind string

const (
	end        kind = "the end"
	name       kind = "a name"
	quotedName kind = "a quoted name"
	literal    kind = "a literal"
	number     kind = "a number"
)

type token struct {
	kind  kind // of the above, or the operator itself
	value any
	at    int
}

var (
	nameForm   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	numberForm = regexp.MustCompile(`^-?\d+`)
	quotedForm = regexp.MustCompile(`^"(?:[^"\\]|\\[\s\S])*"`)
	rawForm    = regexp.MustCompile(`^'(?:[^'\\]|\\[\s\S])*'`)
	jsonForm   = regexp.MustCompile("^`(?:[^`\\\\]|\\\\[\\s\\S])*`")
	operator   = regexp.MustCompile(`^(?:\[\?|\[\]|&&|\|\||<=|>=|==|!=|[][.*,:@(){}&|<>!])`)
)

func lex(text string) ([]token, error) {
	var tokens []token
	for at := 0; at < len(text); {
		rest := text[at:]
		if strings.IndexByte(" \t\n\r", rest[0]) >= 0 {
			at++
			continue
		}
		t, n, err := next(rest)
		if err != nil {
			return nil, fmt.Errorf("%w at column %d of %q", err, at, text)
		}
		t.at = at
		tokens = append(tokens, t)
		at += n
	}
	return append(tokens, token{kind: end, at: len(text)}), nil
}

func next(rest string) (token, int, error) {
	if s := nameForm.FindString(rest); s != "" {
		return token{kind: name, value: s}, len(s), nil
	}
	if s := numberForm.FindString(rest); s != "" {
		n, err := strconv.Atoi(s)
		return token{kind: number, value: n}, len(s), err
	}
	if s := quotedForm.FindString(rest); s != "" {
		v, err := pyjson.Decode(s)
		return token{kind: quotedName, value: v}, len(s), err
	}
	if s := rawForm.FindString(rest); s != "" {
		return token{kind: literal, value: strings.ReplaceAll(s[1:len(s)-1], `\'`, "'")}, len(s), nil
	}
	if s := jsonForm.FindString(rest); s != "" {
		v, err := jsonLiteral(strings.ReplaceAll(s[1:len(s)-1], "\\`", "`"))
		return token{kind: literal, value: v}, len(s), err
	}
	if s := operator.FindString(rest); s != "" {
		return token{kind: kind(s)}, len(s), nil
	}
	return token{}, 0, fmt.Errorf("unknown or unclosed token %q", rest[:1])
}

// jsonLiteral takes a bare word for a string, as people wrote it in 2015.
func jsonLiteral(s string) (any, error) {
	v, err := pyjson.Decode(strings.TrimSpace(s))
	if err == nil {
		return v, nil
	}
	if v, err := pyjson.Decode(`"` + strings.TrimLeft(s, " \t\n\r") + `"`); err == nil {
		return v, nil
	}
	return nil, fmt.Errorf("bad token: the literal %q is no JSON", s)
}
