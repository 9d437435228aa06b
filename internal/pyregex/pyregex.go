// Package pyregex matches Python's regular expressions: the syntax and the
// meaning of the module re, on text whose invalid UTF-8 is kept as it is.
package pyregex

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2"
)

// Flags are those of Python's re.
type Flags int

const (
	IgnoreCase Flags = 1 << iota
	Multiline
	DotAll
	Verbose
)

// Regexp is a compiled expression. It may be used by many at the same time.
type Regexp struct {
	search, match, full func() *regexp2.Regexp
	pattern             string
	limit               time.Duration
	groups              int
	names               map[string]int
	flags               Flags
}

// patience is how long one use of an expression may take: a bad one backtracks
// for years.
const patience = 10 * time.Second

// Compile reads a Python regular expression. Its uses fail after ten seconds.
func Compile(pattern string, flags Flags) (*Regexp, error) {
	t, err := translate(pattern, flags)
	if err != nil {
		return nil, fmt.Errorf("invalid regular expression %q: %w", pattern, err)
	}
	if pattern != "" && strings.Contains("*+?", pattern[:1]) {
		return nil, errors.New("nothing to repeat at position 0") // Python's words, which some know it by
	}
	if _, err := regexp2.Compile(t.text, options(t.flags)); err != nil {
		return nil, fmt.Errorf("invalid regular expression %q: %w", pattern, err)
	}
	// In verbose mode a comment may end the expression; the line break ends it.
	end := ")"
	if t.flags&Verbose != 0 {
		end = "\n)"
	}
	r := &Regexp{pattern: pattern, limit: patience, groups: t.groups, names: t.names, flags: t.flags}
	lazy := func(text string) func() *regexp2.Regexp {
		return sync.OnceValue(func() *regexp2.Regexp {
			re := regexp2.MustCompile(text, options(t.flags))
			re.MatchTimeout = r.limit
			return re
		})
	}
	r.search = lazy(t.text)
	r.match = lazy(`\A(?:` + t.text + end)
	r.full = lazy(`\A(?:` + t.text + end + `\z`)
	return r, nil
}

// Within sets how long one use of r may take, before the first one.
func (r *Regexp) Within(limit time.Duration) *Regexp {
	r.limit = limit
	return r
}

func (r *Regexp) tooLong() error {
	return fmt.Errorf("the regular expression %q found no end within %v: it backtracks too much", r.pattern, r.limit)
}

func options(flags Flags) regexp2.RegexOptions {
	o := regexp2.None
	for f, opt := range map[Flags]regexp2.RegexOptions{
		IgnoreCase: regexp2.IgnoreCase, Multiline: regexp2.Multiline,
		DotAll: regexp2.Singleline, Verbose: regexp2.IgnorePatternWhitespace,
	} {
		if flags&f != 0 {
			o |= opt
		}
	}
	return o
}

// Flags are those it was compiled with, and those in it, such as (?m).
func (r *Regexp) Flags() Flags { return r.flags }

// Groups is how many groups the expression has.
func (r *Regexp) Groups() int { return r.groups }

// Names are the named groups' numbers.
func (r *Regexp) Names() map[string]int { return r.names }

// Search finds the first match anywhere in s, nil when there is none.
func (r *Regexp) Search(s string) (*Match, error) { return first(r, r.search(), s) }

// Match finds a match at the start of s.
func (r *Regexp) Match(s string) (*Match, error) { return first(r, r.match(), s) }

// FullMatch finds a match of all of s.
func (r *Regexp) FullMatch(s string) (*Match, error) { return first(r, r.full(), s) }

// Found reports whether there is a match.
func Found(m *Match, err error) (bool, error) { return m != nil, err }

func first(r *Regexp, re *regexp2.Regexp, s string) (*Match, error) {
	m, err := re.FindRunesMatch(decode(s))
	switch {
	case err != nil: // it is always the time
		return nil, r.tooLong()
	case m == nil:
		return nil, nil
	}
	return &Match{r, m, decode(s)}, nil
}

// FindAll finds all matches, from left to right; with limit > 0 at most that
// many.
func (r *Regexp) FindAll(s string, limit int) ([]*Match, error) {
	re, text := r.search(), decode(s)
	end := time.Now().Add(r.limit)
	var all []*Match
	m, err := re.FindRunesMatch(text)
	for ; m != nil && err == nil; m, err = re.FindNextMatch(m) {
		all = append(all, &Match{r, m, text})
		if len(all) == limit {
			break
		}
		if time.Now().After(end) {
			return nil, r.tooLong()
		}
	}
	if err != nil {
		return nil, r.tooLong()
	}
	return all, nil
}

// Sub replaces matches (with limit > 0 at most that many) by a template with
// \1, \g<name> and escapes, and says how many there were.
func (r *Regexp) Sub(template, s string, limit int) (string, int, error) {
	parts, err := r.template(template)
	if err != nil {
		return "", 0, err
	}
	return r.SubFunc(s, limit, func(m *Match) string { return m.fill(parts) })
}

// SubFunc replaces matches by what f gives for them.
func (r *Regexp) SubFunc(s string, limit int, f func(*Match) string) (string, int, error) {
	text := decode(s)
	var out []byte
	end := 0
	all, err := r.FindAll(s, limit)
	if err != nil {
		return "", 0, err
	}
	for _, m := range all {
		out = append(append(out, encode(text[end:m.Start(0)])...), f(m)...)
		end = m.End(0)
	}
	return string(append(out, encode(text[end:])...)), len(all), nil
}

// Split splits s at the matches (with limit > 0 at most that many); groups
// of the expression become elements of their own, nil when they took no part.
func (r *Regexp) Split(s string, limit int) ([]*string, error) {
	all, err := r.FindAll(s, limit)
	if err != nil {
		return nil, err
	}
	text := decode(s)
	var out []*string
	add := func(runes []rune) {
		part := encode(runes)
		out = append(out, &part)
	}
	end := 0
	for _, m := range all {
		add(text[end:m.Start(0)])
		for i := 1; i <= r.groups; i++ {
			if g, ok := m.Group(i); ok {
				out = append(out, &g)
			} else {
				out = append(out, nil)
			}
		}
		end = m.End(0)
	}
	add(text[end:])
	return out, nil
}

// Match is one match.
type Match struct {
	r    *Regexp
	m    *regexp2.Match
	text []rune
}

// Group is the text of a group, 0 for all of the match; false when the group
// took no part.
func (m *Match) Group(i int) (string, bool) {
	g := m.m.GroupByNumber(i)
	if g == nil || len(g.Captures) == 0 {
		return "", false
	}
	return encode(m.text[g.Index : g.Index+g.Length]), true
}

// Named is the text of a named group; false when it took no part or is not
// there.
func (m *Match) Named(name string) (string, bool) {
	i, ok := m.r.names[name]
	if !ok {
		return "", false
	}
	return m.Group(i)
}

// Start is where a group begins, in characters; -1 when it took no part.
func (m *Match) Start(i int) int {
	g := m.m.GroupByNumber(i)
	if g == nil || len(g.Captures) == 0 {
		return -1
	}
	return g.Index
}

// End is where a group ends, in characters; -1 when it took no part.
func (m *Match) End(i int) int {
	g := m.m.GroupByNumber(i)
	if g == nil || len(g.Captures) == 0 {
		return -1
	}
	return g.Index + g.Length
}

// Before is the text in front of a group; all of it when the group took no
// part.
func (m *Match) Before(i int) string {
	if start := m.Start(i); start >= 0 {
		return encode(m.text[:start])
	}
	return encode(m.text)
}

// Expand fills a template with \1, \g<name> and escapes.
func (m *Match) Expand(template string) (string, error) {
	parts, err := m.r.template(template)
	if err != nil {
		return "", err
	}
	return m.fill(parts), nil
}
