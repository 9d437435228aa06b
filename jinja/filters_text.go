package jinja

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
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

// like gives s as Markup where v is.
func like(v any, s string) any {
	if _, ok := v.(Markup); ok {
		return Markup(s)
	}
	return s
}

var wordStart = regexp.MustCompile(`[-\s({\[<]+`)

// titleWords begins each word with an upper case letter and has the rest of
// it in lower case.
func titleWords(s string) string {
	var b strings.Builder
	word := func(w string) { b.WriteString(capitalize(w)) }
	at := 0
	for _, m := range wordStart.FindAllStringIndex(s, -1) {
		word(s[at:m[0]])
		b.WriteString(s[m[0]:m[1]])
		at = m[1]
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
			return nil, err
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
	lines := splitLines(s+"\n", false)
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
	if m, ok := v.(Markup); ok {
		return m, nil
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
	s, err := needText(v)
	if err != nil {
		return nil, typeErrorf("object of type '%s' has no len()", typeName(v))
	}
	if runeLen(s) <= length+leeway {
		return v, nil
	}
	kept := cut(s, 0, length-runeLen(end))
	if !enabled(a[1], false) {
		if i := strings.LastIndexByte(kept, ' '); i >= 0 {
			kept = kept[:i]
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
	if width <= 0 {
		return nil, valueErrorf("invalid width %d (must be > 0)", width)
	}
	s, err := needText(v)
	if err != nil {
		return nil, err
	}
	newline := c.Env.Options.withDefaults().NewlineSequence
	if a[2] != Missing && a[2] != nil {
		if newline, err = needText(a[2]); err != nil {
			return nil, err
		}
	}
	w := wrapper{width: width, breakLong: enabled(a[1], true), hyphens: enabled(a[3], true)}
	var lines []string
	for _, line := range splitLines(s, false) {
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
		room = max(room, 1)
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
	for s != "" {
		n := strings.IndexFunc(s, func(r rune) bool { return isSpace(r) != isSpace(firstRune(s)) })
		if n < 0 {
			n = len(s)
		}
		if part := s[:n]; w.hyphens && !isSpace(firstRune(part)) {
			out = append(out, hyphenated(part)...)
		} else {
			out = append(out, part)
		}
		s = s[n:]
	}
	return out
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

// hyphenated splits a word behind the hyphens that stand between letters.
func hyphenated(s string) []string {
	var out []string
	runes := []rune(s)
	letter := func(i int) bool { return i >= 0 && i < len(runes) && unicode.IsLetter(runes[i]) }
	wordy := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]) || strings.ContainsRune(`_!"'&.,?`, runes[i]))
	}
	start := 0
	for i, r := range runes {
		if r != '-' {
			continue
		}
		dash := i+1 < len(runes) && runes[i+1] == '-' && wordy(i-1)
		if dash {
			// A dash of several hyphens is a chunk of its own.
			end := i
			for end < len(runes) && runes[end] == '-' {
				end++
			}
			if end < len(runes) && wordy(end) && i > start {
				out = append(out, string(runes[start:i]), string(runes[i:end]))
				start = end
			}
			continue
		}
		if letter(i-1) && (letter(i-2) || i-2 >= start && runes[i-2] == '-') && letter(i+1) && (letter(i+2) || i+2 < len(runes) && runes[i+2] == '-') {
			out = append(out, string(runes[start:i+1]))
			start = i + 1
		}
	}
	return append(out, string(runes[start:]))
}

func filterURLEncode(_ *Context, v any, _ []any) (any, error) {
	if s, ok := text(v); ok {
		return quoteURL(s, "/"), nil
	}
	var pairs []string
	add := func(k, v any) error {
		key, err := strOf(k)
		if err != nil {
			return err
		}
		value, err := strOf(v)
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
		if len(pair) != 2 {
			return nil, valueErrorf("not enough values to unpack (expected 2, got %d)", len(pair))
		}
		if err := add(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	return strings.Join(pairs, "&"), nil
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
