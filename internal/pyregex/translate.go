package pyregex

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// translation is a Python expression in .NET's syntax. Named groups become
// numbered ones: .NET counts them last, Python where they stand.
type translation struct {
	text   string
	flags  Flags
	groups int
	names  map[string]int
}

type translator struct {
	src   string
	out   strings.Builder
	named map[string]int
	count int
	flags Flags
	// anchored: what came last is an anchor, which Python does not repeat.
	anchored bool
}

func translate(src string, flags Flags) (translation, error) {
	t := &translator{src: src, named: map[string]int{}, flags: flags}
	for t.src != "" {
		if t.anchored && quantifier.MatchString(t.src) {
			return translation{}, errors.New("nothing to repeat")
		}
		t.anchored = anchor.MatchString(t.src)
		if err := t.next(); err != nil {
			return translation{}, err
		}
	}
	return translation{t.out.String(), t.flags, t.count, t.named}, nil
}

var (
	anchor     = regexp.MustCompile(`^(?:\^|\$|\\[bBAZ])`)
	quantifier = regexp.MustCompile(`^(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})`)
)

// emit writes text and takes n bytes off the source.
func (t *translator) emit(text string, n int) {
	t.out.WriteString(text)
	t.src = t.src[n:]
}

func (t *translator) next() error {
	switch t.src[0] {
	case '\\':
		return t.escape(false)
	case '[':
		return t.class()
	case '(':
		return t.group()
	case '{':
		t.repeat()
		return nil
	case '#':
		if t.flags&Verbose != 0 {
			line, _, _ := strings.Cut(t.src, "\n")
			t.src = t.src[len(line):]
			return nil
		}
		t.emit(`\#`, 1)
		return nil
	}
	_, n := utf8.DecodeRuneInString(t.src)
	t.emit(string(decode(t.src[:n])), n)
	return nil
}

// repeat: Python's {,3} is {0,3}; braces that are no count are literal.
func (t *translator) repeat() {
	inner, _, closed := strings.Cut(t.src[1:], "}")
	low, high, comma := strings.Cut(inner, ",")
	if !closed || !digits(low) || !digits(high) || low == "" && !comma {
		t.emit(`\{`, 1)
		return
	}
	if low == "" {
		t.emit("{0,"+high+"}", len(inner)+2)
		return
	}
	t.emit("{"+inner+"}", len(inner)+2)
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func (t *translator) group() error {
	switch {
	case !strings.HasPrefix(t.src, "(?"):
		t.count++
		t.emit("(", 1)
		return nil
	case strings.HasPrefix(t.src, "(?P<"):
		return t.namedGroup()
	case strings.HasPrefix(t.src, "(?P="):
		name, _, closed := strings.Cut(t.src[4:], ")")
		n, known := t.named[name]
		if !closed || !known {
			return fmt.Errorf("unknown group name %q", name)
		}
		t.emit(fmt.Sprintf(`(?:\%d)`, n), len(name)+5)
		return nil
	case strings.HasPrefix(t.src, "(?#"):
		comment, _, closed := strings.Cut(t.src, ")")
		if !closed {
			return errors.New("missing ), unterminated comment")
		}
		t.src = t.src[len(comment)+1:]
		return nil
	case strings.HasPrefix(t.src, "(?("):
		return t.conditional()
	}
	for _, open := range []string{"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"} {
		if strings.HasPrefix(t.src, open) {
			t.emit(open, len(open))
			return nil
		}
	}
	return t.inlineFlags()
}

var groupName = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)

func (t *translator) namedGroup() error {
	name, _, closed := strings.Cut(t.src[4:], ">")
	if !closed || name == "" {
		return errors.New("missing >, unterminated name")
	}
	if !groupName.MatchString(name) {
		return fmt.Errorf("bad character in group name '%s'", name)
	}
	if _, twice := t.named[name]; twice {
		return fmt.Errorf("redefinition of group name %q", name)
	}
	t.count++
	t.named[name] = t.count
	t.emit("(", len(name)+5)
	return nil
}

// conditional is (?(1)yes|no) or (?(name)yes|no).
func (t *translator) conditional() error {
	ref, _, closed := strings.Cut(t.src[3:], ")")
	if !closed {
		return errors.New("missing ), unterminated name")
	}
	n, known := t.named[ref]
	if !known {
		var err error
		if n, err = strconv.Atoi(ref); err != nil {
			return fmt.Errorf("unknown group name %q", ref)
		}
	}
	t.emit(fmt.Sprintf("(?(%d)", n), len(ref)+4)
	return nil
}

// inlineFlags are (?im) for all of the expression and (?i-s:…) for a part.
// a, u and L choose what \w means, which is Unicode here.
func (t *translator) inlineFlags() error {
	end := strings.IndexAny(t.src, ":)")
	if end < 0 || strings.Trim(t.src[2:end], "aiLmsux-") != "" || end == 2 {
		_, n := utf8.DecodeRuneInString(t.src[min(2, len(t.src)):])
		return fmt.Errorf("unknown extension %s", t.src[1:min(len(t.src), 2+n)])
	}
	letters := t.src[2:end]
	if t.src[end] == ':' {
		kept := strings.TrimSuffix(strings.NewReplacer("a", "", "u", "", "L", "").Replace(letters), "-")
		t.emit("(?"+kept+":", end+1)
		return nil
	}
	for letter, f := range map[string]Flags{"i": IgnoreCase, "m": Multiline, "s": DotAll, "x": Verbose} {
		if strings.Contains(letters, letter) {
			t.flags |= f
		}
	}
	t.src = t.src[end+1:]
	return nil
}

// class is [...]: a [ in it is literal in Python.
func (t *translator) class() error {
	t.emit("[", 1)
	if strings.HasPrefix(t.src, "^") {
		t.emit("^", 1)
	}
	for first := true; ; first = false {
		switch {
		case t.src == "":
			return errors.New("unterminated character set")
		case t.src[0] == ']' && !first:
			t.emit("]", 1)
			return nil
		case t.src[0] == ']' || t.src[0] == '[':
			t.emit(`\`+t.src[:1], 1)
		case t.src[0] == '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		default:
			_, n := utf8.DecodeRuneInString(t.src)
			t.emit(string(decode(t.src[:n])), n)
		}
	}
}

func (t *translator) escape(inClass bool) error {
	if len(t.src) < 2 {
		return errors.New("bad escape (end of pattern)")
	}
	c := t.src[1]
	switch {
	case c == 'x', c == 'u', c == 'U':
		return t.hex(map[byte]int{'x': 2, 'u': 4, 'U': 8}[c])
	case c == '0' || inClass && c >= '1' && c <= '7':
		return t.octal()
	case c >= '1' && c <= '9':
		return t.backreference()
	case c == 'Z' && !inClass:
		t.emit(`\z`, 2)
	case strings.IndexByte("abfnrtvdDsSwW", c) >= 0, !inClass && strings.IndexByte("AB", c) >= 0:
		t.emit(t.src[:2], 2)
	case c < utf8.RuneSelf && (c|0x20 >= 'a' && c|0x20 <= 'z'):
		return fmt.Errorf(`bad escape \%c`, c)
	default:
		_, n := utf8.DecodeRuneInString(t.src[1:])
		t.emit(`\`+t.src[1:1+n], 1+n)
	}
	return nil
}

func (t *translator) hex(length int) error {
	if len(t.src) < 2+length {
		return fmt.Errorf("incomplete escape %s", t.src)
	}
	n, err := strconv.ParseUint(t.src[2:2+length], 16, 32)
	if err != nil || n > utf8.MaxRune {
		return fmt.Errorf("incomplete escape %s", t.src[:2+length])
	}
	t.emit(literal(rune(n)), 2+length)
	return nil
}

func (t *translator) octal() error {
	end := 1
	for end < len(t.src) && end < 4 && t.src[end] >= '0' && t.src[end] <= '7' {
		end++
	}
	n, err := strconv.ParseUint(t.src[1:end], 8, 32)
	if err != nil {
		return err
	}
	t.emit(literal(rune(n)), end)
	return nil
}

func literal(r rune) string {
	if r < utf8.RuneSelf {
		return fmt.Sprintf(`\x%02x`, r)
	}
	return string(r)
}

func (t *translator) backreference() error {
	end := 2
	if len(t.src) > 2 && t.src[2] >= '0' && t.src[2] <= '9' {
		end = 3
	}
	n, _ := strconv.Atoi(t.src[1:end])
	if n > t.count {
		return fmt.Errorf("invalid group reference %d", n)
	}
	t.emit(fmt.Sprintf(`(?:\%d)`, n), end)
	return nil
}
