package jinja

import (
	"regexp"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	tokEOF kind = iota
	tokData
	tokVariableBegin
	tokVariableEnd
	tokBlockBegin
	tokBlockEnd
	tokName
	tokString
	tokInteger
	tokFloat
	tokOperator
)

type token struct {
	kind kind
	text string // the name, operator or number as written; of strings and data the value
	pos  pos
	end  int // offset of its end in the source
	from int // offset of its start
}

// what names a token in messages.
func (t token) what() string {
	switch t.kind {
	case tokEOF:
		return "end of template"
	case tokData:
		return "template data / text"
	case tokVariableBegin:
		return "begin of print statement"
	case tokVariableEnd:
		return "end of print statement"
	case tokBlockBegin:
		return "begin of statement block"
	case tokBlockEnd:
		return "end of statement block"
	case tokString:
		return "string"
	case tokInteger:
		return "integer"
	case tokFloat:
		return "float"
	}
	return t.text
}

// A marker is one of the delimiters that end text.
type marker struct {
	kind    kind // tokBlockBegin, tokVariableBegin; tokData for comments
	text    string
	line    bool // a line statement or line comment
	next    int  // where its next match begins; len(src) when there is none
	nextEnd int  // the end of the delimiter there
}

type lexer struct {
	opt     Options
	src     string
	at      int
	markers []marker
	tokens  []token
	// lineStart is set where the text that follows begins a line.
	lineStart bool

	// The place of the last token, for counting on from there.
	counted   int
	line, col int32
}

func (o Options) withDefaults() Options {
	set := func(p *string, d string) {
		if *p == "" {
			*p = d
		}
	}
	set(&o.BlockStart, "{%")
	set(&o.BlockEnd, "%}")
	set(&o.VariableStart, "{{")
	set(&o.VariableEnd, "}}")
	set(&o.CommentStart, "{#")
	set(&o.CommentEnd, "#}")
	set(&o.NewlineSequence, "\n")
	return o
}

// lex splits a template into tokens. With an error it gives those before what
// cannot be read.
func lex(opt Options, src string) ([]token, error) {
	src = normalizeNewlines(src, "\n")
	if !opt.KeepTrailingNewline {
		src = strings.TrimSuffix(src, "\n")
	}
	l := &lexer{opt: opt, src: src, lineStart: true, line: 1, col: 1}
	l.markers = []marker{
		{kind: tokData, text: opt.CommentStart, next: -1},
		{kind: tokBlockBegin, text: opt.BlockStart, next: -1},
		{kind: tokVariableBegin, text: opt.VariableStart, next: -1},
	}
	if opt.LineStatement != "" {
		l.markers = append(l.markers, marker{kind: tokBlockBegin, text: opt.LineStatement, line: true, next: -1})
	}
	if opt.LineComment != "" {
		l.markers = append(l.markers, marker{kind: tokData, text: opt.LineComment, line: true, next: -1})
	}
	sort.SliceStable(l.markers, func(i, j int) bool { return len(l.markers[i].text) > len(l.markers[j].text) })
	var err error
	for l.at < len(l.src) && err == nil {
		err = l.text()
	}
	l.emit(tokEOF, "", len(l.src), len(l.src))
	return l.tokens, err
}

// lexExpression splits one expression, as lex does.
func lexExpression(opt Options, src string) ([]token, error) {
	l := &lexer{opt: opt, src: src, line: 1, col: 1}
	err := l.expression(nil)
	l.emit(tokEOF, "", len(l.src), len(l.src))
	return l.tokens, err
}

func normalizeNewlines(s, newline string) string {
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.ReplaceAll(s, "\r", "\n")
	}
	if newline != "\n" {
		s = strings.ReplaceAll(s, "\n", newline)
	}
	return s
}

func (l *lexer) place(from, to int) pos {
	part := l.src[l.counted:from]
	if n := strings.Count(part, "\n"); n > 0 {
		l.line += int32(n)
		l.col = 1
		part = part[strings.LastIndexByte(part, '\n')+1:]
	}
	l.col += int32(utf8.RuneCountInString(part))
	l.counted = from
	return pos{l.line, l.col, int32(utf8.RuneCountInString(l.src[from:to]))}
}

func (l *lexer) emit(k kind, text string, from, to int) {
	l.tokens = append(l.tokens, token{k, text, l.place(from, to), to, from})
}

func (l *lexer) emitData(text string, from int) {
	if text != "" {
		l.emit(tokData, normalizeNewlines(text, l.opt.NewlineSequence), from, from)
	}
}

// find looks for the marker's next match at or after l.at.
func (l *lexer) find(m *marker) {
	for p := l.at; ; {
		i := strings.Index(l.src[p:], m.text)
		if i < 0 {
			m.next, m.nextEnd = len(l.src), len(l.src)
			return
		}
		p += i
		m.next, m.nextEnd = p, p+len(m.text)
		if !m.line {
			return
		}
		for m.next > l.at && strings.IndexByte(" \t\v\f", l.src[m.next-1]) >= 0 {
			m.next--
		}
		begins := m.next == 0 || l.src[m.next-1] == '\n'
		if begins || m.kind == tokData && strings.IndexByte(" \t\v\f", l.src[m.next-1]) < 0 {
			return
		}
		p++
	}
}

// text takes the text up to the next delimiter, and what that begins.
func (l *lexer) text() error {
	var m *marker
	for i := range l.markers {
		c := &l.markers[i]
		if c.next < l.at {
			l.find(c)
		}
		if m == nil || c.next < m.next {
			m = c
		}
	}
	if m.next >= len(l.src) {
		l.emitData(l.src[l.at:], l.at)
		l.at = len(l.src)
		return nil
	}
	start, end := m.next, m.nextEnd
	data := l.src[l.at:start]
	if m.line && m.kind == tokData {
		l.emitData(data, l.at)
		l.at = end
		if i := strings.IndexByte(l.src[end:], '\n'); i >= 0 {
			l.at = end + i
		} else {
			l.at = len(l.src)
		}
		l.lineStart = false
		return nil
	}
	sign := byte(0)
	if end < len(l.src) && (l.src[end] == '-' || l.src[end] == '+') {
		sign = l.src[end]
		end++
	}
	l.emitData(l.strip(data, sign, m.kind == tokVariableBegin), l.at)
	open := token{kind: m.kind, from: start, end: end}
	l.at = end
	switch {
	case m.kind == tokData:
		return l.comment(start)
	case m.kind == tokVariableBegin:
		l.emit(tokVariableBegin, m.text, start, end)
		return l.expression(&open)
	case m.line:
		l.emit(tokBlockBegin, m.text, start, end)
		return l.lineStatement()
	}
	if done, err := l.raw(start); done || err != nil {
		return err
	}
	l.emit(tokBlockBegin, m.text, start, end)
	return l.expression(&open)
}

// strip removes the white space that a delimiter takes from before it.
func (l *lexer) strip(data string, sign byte, variable bool) string {
	if sign == '-' {
		return strings.TrimRightFunc(data, IsSpace)
	}
	if sign == '+' || !l.opt.LstripBlocks || variable {
		return data
	}
	begin := strings.LastIndexByte(data, '\n') + 1
	if (begin > 0 || l.lineStart) && strings.TrimLeftFunc(data[begin:], IsSpace) == "" {
		return data[:begin]
	}
	return data
}

// IsSpace is Python's str.isspace.
func IsSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// closed ends a tag whose end delimiter stands at l.at: it takes the sign,
// the delimiter, and the white space or newline after it.
func (l *lexer) closed(delimiter string, trim bool) bool {
	rest := l.src[l.at:]
	switch {
	case strings.HasPrefix(rest, "-"+delimiter):
		after := strings.TrimLeftFunc(rest[1+len(delimiter):], IsSpace)
		l.lineStart = strings.HasSuffix(l.src[:len(l.src)-len(after)], "\n")
		l.at = len(l.src) - len(after)
		return true
	case trim && strings.HasPrefix(rest, "+"+delimiter):
		l.at += 1 + len(delimiter)
		l.lineStart = false
		return true
	case strings.HasPrefix(rest, delimiter):
		l.at += len(delimiter)
		l.lineStart = false
		if trim && l.opt.TrimBlocks && l.at < len(l.src) && l.src[l.at] == '\n' {
			l.at++
			l.lineStart = true
		}
		return true
	}
	return false
}

func (l *lexer) comment(start int) error {
	i := strings.Index(l.src[l.at:], l.opt.CommentEnd)
	if i < 0 {
		return l.place(start, start+len(l.opt.CommentStart)).error("Missing end of comment tag")
	}
	end := l.at + i
	if end > l.at && (l.src[end-1] == '-' || l.src[end-1] == '+') {
		end--
	}
	l.at = end
	l.closed(l.opt.CommentEnd, true)
	return nil
}

// raw takes a raw block whose opening delimiter ends at l.at.
func (l *lexer) raw(start int) (bool, error) {
	body, ok := l.keyword(l.at, "raw", false)
	if !ok {
		return false, nil
	}
	l.at = body
	for p := body; ; {
		i := strings.Index(l.src[p:], l.opt.BlockStart)
		if i < 0 {
			return true, l.place(start, start+len(l.opt.BlockStart)).error("Missing end of raw directive")
		}
		open := p + i
		p = open + len(l.opt.BlockStart)
		sign := byte(0)
		if p < len(l.src) && (l.src[p] == '-' || l.src[p] == '+') {
			sign = l.src[p]
		}
		after := p
		if sign != 0 {
			after++
		}
		if end, ok := l.keyword(after, "endraw", true); ok {
			l.emitData(l.strip(l.src[body:open], sign, false), body)
			l.at = end
			return true, nil
		}
	}
}

// keyword matches a word and the end of its block at p, and gives where the
// text after it begins.
func (l *lexer) keyword(p int, word string, trim bool) (int, bool) {
	rest := strings.TrimLeftFunc(l.src[p:], IsSpace)
	if !strings.HasPrefix(rest, word) {
		return 0, false
	}
	rest = strings.TrimLeftFunc(rest[len(word):], IsSpace)
	saved, savedStart := l.at, l.lineStart
	l.at = len(l.src) - len(rest)
	ok := l.closed(l.opt.BlockEnd, trim)
	end := l.at
	l.at = saved
	if !ok {
		l.lineStart = savedStart
	}
	return end, ok
}

var (
	floatPattern   = regexp.MustCompile(`^(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?[eE][+\-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)`)
	integerPattern = regexp.MustCompile(`^(?:0[bB](?:_?[0-1])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*)`)
)

var operators = []string{
	"//", "**", "==", "!=", ">=", "<=",
	"+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";",
}

// expression takes tokens up to the end of the tag that open began, or of the
// source when there is none.
func (l *lexer) expression(open *token) error {
	return l.inside(func() (bool, error) {
		switch {
		case open == nil:
			return false, nil
		case open.kind == tokVariableBegin:
			from := l.at
			if l.closed(l.opt.VariableEnd, false) {
				l.emitEnd(tokVariableEnd, from)
				return true, nil
			}
		default:
			from := l.at
			if l.closed(l.opt.BlockEnd, true) {
				l.emitEnd(tokBlockEnd, from)
				return true, nil
			}
		}
		return false, nil
	})
}

func (l *lexer) emitEnd(k kind, from int) {
	end := l.at
	l.tokens = append(l.tokens, token{kind: k, pos: l.place(from, from), from: from, end: end})
}

// lineStatement takes tokens up to the end of the line.
func (l *lexer) lineStatement() error {
	err := l.inside(func() (bool, error) {
		rest := strings.TrimLeftFunc(l.src[l.at:], func(r rune) bool { return r != '\n' && IsSpace(r) })
		if rest != "" && rest[0] != '\n' {
			return false, nil
		}
		from := l.at
		// White space goes up to the last newline before other text.
		after := strings.TrimLeftFunc(rest, IsSpace)
		blank := rest[:len(rest)-len(after)]
		l.at = len(l.src) - len(rest) + strings.LastIndexByte(blank, '\n') + 1
		if after == "" && blank == "" {
			l.at = len(l.src)
		}
		l.emitEnd(tokBlockEnd, from)
		l.lineStart = true
		return true, nil
	})
	return err
}

// inside takes tokens until end says that the tag is over, which is asked
// only outside of brackets.
func (l *lexer) inside(end func() (bool, error)) error {
	var open []byte
	for {
		if len(open) == 0 {
			if over, err := end(); over || err != nil {
				return err
			}
		}
		if l.at >= len(l.src) {
			return nil
		}
		r, size := utf8.DecodeRuneInString(l.src[l.at:])
		if IsSpace(r) {
			l.at += size
			continue
		}
		if err := l.token(r, &open); err != nil {
			return err
		}
	}
}

func (l *lexer) token(r rune, open *[]byte) error {
	from := l.at
	rest := l.src[from:]
	switch {
	case r == '_' || unicode.IsLetter(r):
		for i, c := range rest {
			if c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.Is(unicode.M, c) {
				rest = rest[:i]
				break
			}
		}
		l.at += len(rest)
		l.emit(tokName, rest, from, l.at)
		return nil
	case r >= '0' && r <= '9':
		return l.number(rest)
	case r == '\'' || r == '"':
		return l.quoted(rest)
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			l.at += len(op)
			if err := l.balance(op, open, from); err != nil {
				return err
			}
			l.emit(tokOperator, op, from, l.at)
			return nil
		}
	}
	return l.place(from, from+1).errorf("unexpected char %s at %d", Repr(string(r)), from)
}

func (l *lexer) balance(op string, open *[]byte, from int) error {
	switch op {
	case "(", "[", "{":
		*open = append(*open, map[string]byte{"(": ')', "[": ']', "{": '}'}[op])
	case ")", "]", "}":
		n := len(*open)
		if n == 0 {
			return l.place(from, from+1).errorf("unexpected '%s'", op)
		}
		if expected := (*open)[n-1]; expected != op[0] {
			return l.place(from, from+1).errorf("unexpected '%s', expected '%c'", op, expected)
		}
		*open = (*open)[:n-1]
	}
	return nil
}

func (l *lexer) number(rest string) error {
	from := l.at
	afterDot := from > 0 && l.src[from-1] == '.'
	if m := floatPattern.FindString(rest); m != "" && !afterDot {
		l.at += len(m)
		l.emit(tokFloat, strings.ReplaceAll(m, "_", ""), from, l.at)
		return nil
	}
	m := integerPattern.FindString(rest)
	l.at += len(m)
	l.emit(tokInteger, strings.ReplaceAll(m, "_", ""), from, l.at)
	return nil
}

func (l *lexer) quoted(rest string) error {
	from := l.at
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case rest[0]:
			value, err := unescape(normalizeNewlines(rest[1:i], l.opt.NewlineSequence))
			if err != nil {
				return l.place(from, from+i+1).error(err.Error())
			}
			l.at += i + 1
			l.emit(tokString, value, from, l.at)
			return nil
		}
	}
	return l.place(from, from+1).errorf("unexpected char %s at %d", Repr(rest[:1]), from)
}

// unescape replaces Python's escape sequences.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if simple := strings.IndexByte("abfnrtv\\'\"", s[i]); simple >= 0 {
			b.WriteByte("\a\b\f\n\r\t\v\\'\""[simple])
			continue
		}
		switch c := s[i]; {
		case c == '\n':
		case c >= '0' && c <= '7':
			n, value := 0, rune(0)
			for n < 3 && i+n < len(s) && s[i+n] >= '0' && s[i+n] <= '7' {
				value = value*8 + rune(s[i+n]-'0')
				n++
			}
			b.WriteRune(value)
			i += n - 1
		case c == 'x' || c == 'u' || c == 'U':
			digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
			value, ok := hexValue(s[i+1:], digits)
			if !ok {
				return "", valueErrorf("truncated \\%c%s escape", c, strings.Repeat("X", digits))
			}
			if value > unicode.MaxRune {
				return "", valueErrorf("illegal Unicode character")
			}
			b.WriteRune(value)
			i += digits
		case c == 'N':
			return "", valueErrorf("\\N{...} is not understood in a string, write the character itself or \\uXXXX")
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func hexValue(s string, digits int) (rune, bool) {
	if len(s) < digits {
		return 0, false
	}
	var value rune
	for _, c := range []byte(s[:digits]) {
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if d < 0 {
			return 0, false
		}
		value = min(value, unicode.MaxRune+1)<<4 | rune(d)
	}
	return value, true
}
