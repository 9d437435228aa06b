package yaml

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"gplay/internal/source"
)

// text is a file that was read. Its line is what is added to the lines the
// parser counts, for a text that begins further down in its file.
type text struct {
	file string
	data []byte
	line int

	once  sync.Once
	lines []string
}

func (t *text) lineAt(line int) string {
	t.once.Do(func() { t.lines = strings.Split(string(t.data), "\n") })
	line -= t.line
	if line < 1 || line > len(t.lines) {
		return ""
	}
	return t.lines[line-1]
}

// offsetAt is the byte offset of a line and column (in characters) of s.
func offsetAt(s string, line, col int) int {
	offset := 0
	for ; line > 1; line-- {
		nl := strings.IndexByte(s[offset:], '\n')
		if nl < 0 {
			return len(s)
		}
		offset += nl + 1
	}
	for ; col > 1 && offset < len(s) && s[offset] != '\n'; col-- {
		_, size := utf8.DecodeRuneInString(s[offset:])
		offset += size
	}
	return offset
}

// locate finds where the byte at offset of a scalar's value stands in the
// file. Value and source hold the same characters in the same order but for
// white space and escapes, so it walks along both.
func (t *text) locate(pos source.Pos, value string, offset int) source.Pos {
	w := t.walk(pos)
	found := w.pos()
	for i, r := range value {
		if i > offset {
			break
		}
		if isSpace(r) {
			// Inside of a run of spaces the place is right where the run begins.
			found = source.Pos{File: pos.File, Line: found.Line, Col: found.Col + 1}
			continue
		}
		at, ok := w.find(r)
		if !ok {
			return pos
		}
		found = at
	}
	return found
}

func isSpace(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' }

// walker steps through the source of one scalar.
type walker struct {
	t     *text
	file  string
	line  int
	rest  []rune
	col   int // of rest[0], from 1
	quote rune
}

// walk begins at the first character of the scalar at pos: past its tag,
// anchor and quote, or on the line after the header of a block.
func (t *text) walk(pos source.Pos) *walker {
	w := &walker{t: t, file: pos.File, line: pos.Line, rest: []rune(t.lineAt(pos.Line)), col: 1}
	w.skip(pos.Col - 1)
	for len(w.rest) > 0 && (w.rest[0] == '!' || w.rest[0] == '&') {
		for len(w.rest) > 0 && !isSpace(w.rest[0]) {
			w.skip(1)
		}
		for len(w.rest) > 0 && isSpace(w.rest[0]) {
			w.skip(1)
		}
	}
	switch {
	case len(w.rest) == 0:
	case w.rest[0] == '"' || w.rest[0] == '\'':
		w.quote = w.rest[0]
		w.skip(1)
	case w.rest[0] == '|' || w.rest[0] == '>':
		w.nextLine()
	}
	return w
}

func (w *walker) pos() source.Pos { return source.Pos{File: w.file, Line: w.line, Col: w.col} }

func (w *walker) skip(n int) {
	n = min(n, len(w.rest))
	w.rest, w.col = w.rest[n:], w.col+n
}

func (w *walker) nextLine() {
	w.line++
	w.rest, w.col = []rune(w.t.lineAt(w.line)), 1
}

// find steps to the next character that is no white space, which has to be r,
// and past it.
func (w *walker) find(r rune) (source.Pos, bool) {
	for {
		for len(w.rest) == 0 {
			if w.line-w.t.line >= len(w.t.lines) {
				return source.Pos{}, false
			}
			w.nextLine()
		}
		at := w.pos()
		got, size := w.decode()
		w.skip(size)
		if isSpace(got) {
			continue
		}
		return at, got == r
	}
}

// decode gives the character at w and how many it is written with.
func (w *walker) decode() (rune, int) {
	c := w.rest[0]
	switch {
	case w.quote == '\'' && c == '\'' && len(w.rest) > 1 && w.rest[1] == '\'':
		return c, 2
	case w.quote == '"' && c == '\\':
		return unescape(w.rest)
	}
	return c, 1
}

func unescape(s []rune) (rune, int) {
	if len(s) == 1 {
		return '\n', 1 // an escaped line break
	}
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	if digits > 0 && len(s) >= 2+digits {
		if n, err := strconv.ParseUint(string(s[2:2+digits]), 16, 32); err == nil {
			return rune(n), 2 + digits
		}
	}
	switch s[1] {
	case 'n', 't', 'r', ' ', '\t', 'N', '_', 'L', 'P':
		return ' ', 2
	}
	if at := strings.IndexRune("0abvfe", s[1]); at >= 0 {
		return []rune("\x00\a\b\v\f\x1b")[at], 2
	}
	return s[1], 2
}
