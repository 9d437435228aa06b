package jinja

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// textFilter makes a filter of a function from text to text; Markup stays
// Markup.
func textFilter(fn func(string) string) builtinFilter {
	return simple(func(_ *Context, v any, _ []any) (any, error) {
		s, err := strOf(v)
		if err != nil {
			return nil, err
		}
		return like(v, fn(s)), nil
	})
}

// like gives s as Markup where v is; v itself where that is s.
func like(v any, s string) any {
	switch t := v.(type) {
	case Markup:
		return Markup(s)
	case string:
		if t == s {
			return v
		}
	}
	return s
}

func filterTitle(_ *Context, v any, _ []any) (any, error) {
	s, err := strOf(v)
	return titleWords(s), err
}

// titleWords begins each word with an upper case letter and has the rest of
// it in lower case.
func titleWords(s string) string {
	var b strings.Builder
	word := func(w string) {
		n := len(cut(w, 0, 1))
		b.WriteString(upper(w[:n]))
		b.WriteString(lower(w[n:]))
	}
	at := 0
	for i, r := range s {
		if IsSpace(r) || strings.ContainsRune("-({[<", r) {
			word(s[at:i])
			b.WriteRune(r)
			at = i + utf8.RuneLen(r)
		}
	}
	word(s[at:])
	return b.String()
}

func filterCenter(_ *Context, v any, a []any) (any, error) {
	width, err := number(a[0], 80)
	if err != nil {
		return nil, err
	}
	if width > maxSize {
		return nil, errTooLarge
	}
	s, err := strOf(v)
	return like(v, center(s, width, " ")), err
}

func filterFormat(c *Context, v any, args *Args) (any, error) {
	if len(args.Positional) > 0 && args.Keywords.Len() > 0 {
		return nil, fmt.Errorf("can't handle positional and keyword arguments at the same time")
	}
	s, err := strOf(v)
	if err != nil {
		return nil, err
	}
	var values any = Tuple(args.Positional)
	if args.Keywords.Len() > 0 {
		values = args.Keywords
	}
	return arithmetic(c, "%", like(v, s), values)
}

func filterIndent(_ *Context, v any, a []any) (any, error) {
	indent, isText := text(a[0])
	if !isText {
		width, err := number(a[0], 4)
		if err != nil {
			return nil, typeErrorf("can't multiply sequence by non-int of type '%s'", typeName(a[0]))
		}
		if width > maxWidth {
			return nil, errTooLarge
		}
		indent = strings.Repeat(" ", max(width, 0))
	}
	s, ok := text(v)
	if !ok {
		return nil, typeErrorf("unsupported operand type(s) for +=: '%s' and 'str'", typeName(v))
	}
	lines := SplitLines(s+"\n", false)
	blank := enabled(a[2], false)
	size := len(s) + len(lines)*len(indent)
	if size > maxSize {
		return nil, errTooLarge
	}
	for i := 1; i < len(lines); i++ {
		if blank || lines[i] != "" {
			lines[i] = indent + lines[i]
		}
	}
	s = strings.Join(lines, "\n")
	if enabled(a[1], false) {
		s = indent + s
	}
	return like(v, s), nil
}

func filterReplace(c *Context, v any, a []any) (any, error) {
	n := -1
	if a[2] != Missing && a[2] != nil {
		var err error
		if n, err = index(a[2]); err != nil {
			return nil, err
		}
	}
	s, err := strOf(v)
	if err != nil {
		return nil, err
	}
	old, err := strOf(a[0])
	if err != nil {
		return nil, err
	}
	with, err := strOf(a[1])
	if err != nil {
		return nil, err
	}
	_, marked := v.(Markup)
	_, oldMarked := a[0].(Markup)
	_, withMarked := a[1].(Markup)
	if !c.autoescape || !marked && !oldMarked && !withMarked {
		return replaceText(s, old, with, n)
	}
	if !marked {
		s = string(escape(s))
	}
	if !oldMarked {
		old = string(escape(old))
	}
	if !withMarked {
		with = string(escape(with))
	}
	out, err := replaceText(s, old, with, n)
	return asMarkup(out), err
}

func filterString(_ *Context, v any, _ []any) (any, error) {
	switch v.(type) {
	case string, Markup:
		return v, nil
	}
	return strOf(v)
}

func filterTrim(_ *Context, v any, a []any) (any, error) {
	s, err := strOf(v)
	if err != nil {
		return nil, err
	}
	out, err := stripper(true, true)(s, a)
	if err != nil {
		return nil, err
	}
	return like(v, out.(string)), nil
}

func filterTruncate(_ *Context, v any, a []any) (any, error) {
	length, err := number(a[0], 255)
	if err != nil {
		return nil, err
	}
	end := "..."
	if a[2] != Missing {
		if end, err = needText(a[2]); err != nil {
			return nil, err
		}
	}
	leeway := 5
	if a[3] != Missing && a[3] != nil {
		if leeway, err = index(a[3]); err != nil {
			return nil, err
		}
	}
	if length < runeLen(end) {
		return nil, fmt.Errorf("expected length >= %d, got %d", runeLen(end), length)
	}
	if leeway < 0 {
		return nil, fmt.Errorf("expected leeway >= 0, got %d", leeway)
	}
	size, err := Len(v)
	if err != nil || size <= length+leeway {
		return v, err
	}
	s, ok := text(v)
	if !ok {
		return nil, typeErrorf("'%s' object has no attribute 'rsplit'", typeName(v))
	}
	kept := cut(s, 0, length-runeLen(end))
	if !enabled(a[1], false) {
		if i := strings.LastIndexByte(kept, ' '); i >= 0 {
			kept = kept[:i]
		}
	}
	if _, marked := v.(Markup); marked {
		if _, safe := a[2].(Markup); !safe {
			end = string(escape(end))
		}
	}
	return like(v, kept+end), nil
}

var word = regexp.MustCompile(`[\pL\pN_]+`)

func filterWordCount(_ *Context, v any, _ []any) (any, error) {
	s, err := strOf(v)
	return len(word.FindAllStringIndex(s, -1)), err
}

func filterWordWrap(c *Context, v any, a []any) (any, error) {
	width, err := number(a[0], 79)
	if err != nil {
		return nil, err
	}
	s, ok := text(v)
	if b, isBytes := v.([]byte); isBytes && len(b) > 0 {
		return nil, typeErrorf("cannot use a string pattern on a bytes-like object")
	} else if !ok && !isBytes {
		return nil, typeErrorf("'%s' object has no attribute 'splitlines'", typeName(v))
	}
	newline := c.Env.Options.withDefaults().NewlineSequence
	if a[2] != Missing && a[2] != nil {
		if newline, err = needText(a[2]); err != nil {
			return nil, err
		}
	}
	w := wrapper{width: width, breakLong: enabled(a[1], true), hyphens: enabled(a[3], true)}
	var lines []string
	for _, line := range SplitLines(s, false) {
		if width <= 0 {
			return nil, valueErrorf("invalid width %d (must be > 0)", width)
		}
		wrapped := w.wrap(line)
		lines = append(lines, strings.Join(wrapped, newline))
	}
	return strings.Join(lines, newline), nil
}

// wrapper breaks a line at white space and behind hyphens.
type wrapper struct {
	width              int
	breakLong, hyphens bool
}

func (w *wrapper) wrap(s string) []string {
	chunks := w.chunks(s)
	var lines []string
	for len(chunks) > 0 {
		if len(lines) > 0 && strings.TrimSpace(chunks[0]) == "" {
			chunks = chunks[1:]
			if len(chunks) == 0 {
				break
			}
		}
		var line []string
		room := w.width
		for len(chunks) > 0 && runeLen(chunks[0]) <= room {
			room -= runeLen(chunks[0])
			line = append(line, chunks[0])
			chunks = chunks[1:]
		}
		if len(chunks) > 0 && runeLen(chunks[0]) > w.width {
			line, chunks = w.long(line, chunks, room)
		}
		if n := len(line); n > 0 && strings.TrimSpace(line[n-1]) == "" {
			line = line[:n-1]
		}
		if len(line) > 0 {
			lines = append(lines, strings.Join(line, ""))
		}
	}
	return lines
}

// long puts on a line what fits of a chunk that is longer than any line.
func (w *wrapper) long(line, chunks []string, room int) ([]string, []string) {
	switch {
	case w.breakLong:
		part := cut(chunks[0], 0, room)
		if i := strings.LastIndexByte(part, '-'); w.hyphens && i > 0 && strings.Trim(part[:i], "-") != "" {
			part = part[:i+1]
		}
		rest := slices.Clone(chunks)
		rest[0] = chunks[0][len(part):]
		return append(line, part), rest
	case len(line) == 0:
		return chunks[:1:1], chunks[1:]
	}
	return line, chunks
}

// chunks splits a line into words and white space.
func (w *wrapper) chunks(s string) []string {
	var out []string
	runes := []rune(s)
	for i := 0; i < len(runes); {
		end := w.chunkEnd(runes, i)
		out = append(out, string(runes[i:end]))
		i = end
	}
	return out
}

// chunkEnd is the end of the chunk that begins at i: of a run of white space,
// a dash of several hyphens between words, or a word up to white space, such a
// dash, or behind a hyphen between letters.
func (w *wrapper) chunkEnd(s []rune, i int) int {
	end := i
	for end < len(s) && isBlank(s[end]) {
		end++
	}
	if end > i {
		return end
	}
	if w.hyphens && followsWord(s, i) {
		if n := dashes(s, i); n > 0 {
			return i + n
		}
	}
	for end = i + 1; end < len(s) && !isBlank(s[end]); end++ {
		if w.hyphens && (followsWord(s, end) && dashes(s, end) > 0) {
			break
		}
		if w.hyphens && s[end] == '-' && hyphenated(s, end) {
			return end + 1
		}
	}
	return end
}

func isBlank(r rune) bool { return strings.ContainsRune("\t\n\v\f\r ", r) }

func isLetter(s []rune, i int) bool {
	return i >= 0 && i < len(s) && (s[i] == '_' || unicode.IsLetter(s[i]))
}

func isWordChar(s []rune, i int) bool {
	return isLetter(s, i) || i >= 0 && i < len(s) && unicode.IsNumber(s[i])
}

// followsWord tells that a word's letter or punctuation stands before i.
func followsWord(s []rune, i int) bool {
	return isWordChar(s, i-1) || i > 0 && strings.ContainsRune(`!"'&.,?`, s[i-1])
}

// dashes is the length of a dash at i that a word follows, 0 for none.
func dashes(s []rune, i int) int {
	end := i
	for end < len(s) && s[end] == '-' {
		end++
	}
	if end-i < 2 || !isWordChar(s, end) {
		return 0
	}
	return end - i
}

// hyphenated tells that a line may break behind the hyphen at i.
func hyphenated(s []rune, i int) bool {
	before := isLetter(s, i-1) && isLetter(s, i-2) || followsWord(s, i) && i >= 3 && s[i-2] == '-' && isLetter(s, i-3)
	after := isLetter(s, i+1) && (isLetter(s, i+2) || i+2 < len(s) && s[i+2] == '-' && isLetter(s, i+3))
	return before && after
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

func filterURLEncode(_ *Context, v any, _ []any) (any, error) {
	if s, ok := text(v); ok {
		return quoteURL(s, "/"), nil
	}
	var pairs []string
	add := func(k, v any) error {
		key, err := textOf(k)
		if err != nil {
			return err
		}
		value, err := textOf(v)
		pairs = append(pairs, quotePlus(key)+"="+quotePlus(value))
		return err
	}
	if m, ok := v.(Mapping); ok {
		for _, k := range m.Keys() {
			value, _, err := mappingGet(m, k)
			if err == nil {
				err = add(k, value)
			}
			if err != nil {
				return nil, err
			}
		}
		return strings.Join(pairs, "&"), nil
	}
	items, err := Iterate(v)
	if err != nil {
		s, err := strOf(v)
		return quoteURL(s, "/"), err
	}
	for _, item := range items {
		pair, err := Iterate(item)
		if err != nil {
			return nil, typeErrorf("cannot unpack non-iterable %s object", typeName(item))
		}
		if err := unpackable(pair, 2); err != nil {
			return nil, err
		}
		if err := add(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	return strings.Join(pairs, "&"), nil
}

// textOf is the text of a value, or bytes as they are.
func textOf(v any) (string, error) {
	if b, ok := v.([]byte); ok {
		return string(b), nil
	}
	return strOf(v)
}

// quoteURL is urllib's quote.
func quoteURL(s, safe string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("_.-~", c) >= 0, strings.IndexByte(safe, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func quotePlus(s string) string { return url.QueryEscape(s) }
