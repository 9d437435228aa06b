package pyregex

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// part is a piece of a replacement: text, or a group's number.
type part struct {
	text  string
	group int // -1 for text
}

func (m *Match) fill(parts []part) string {
	var out strings.Builder
	for _, p := range parts {
		if p.group < 0 {
			out.WriteString(p.text)
			continue
		}
		text, _ := m.Group(p.group)
		out.WriteString(text)
	}
	return out.String()
}

var templateEscapes = map[byte]string{
	'n': "\n", 't': "\t", 'r': "\r", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", '\\': `\`,
}

func (r *Regexp) template(s string) ([]part, error) {
	var parts []part
	for {
		before, after, found := strings.Cut(s, `\`)
		parts = append(parts, part{before, -1})
		if !found {
			return parts, nil
		}
		if after == "" {
			return nil, errors.New("bad escape (end of pattern)")
		}
		p, n, err := r.templateEscape(after)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
		s = after[n:]
	}
}

// templateEscape reads what follows a backslash, and says how long it is.
func (r *Regexp) templateEscape(s string) (part, int, error) {
	c := s[0]
	text, known := templateEscapes[c]
	switch {
	case known:
		return part{text, -1}, 1, nil
	case c == 'g':
		return r.groupReference(s)
	case c >= '0' && c <= '9':
		return r.numbered(s)
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return part{}, 0, fmt.Errorf(`bad escape \%c`, c)
	}
	return part{`\`, -1}, 0, nil
}

// numbered is a group's number of one or two digits; three octal digits, or a
// leading 0, are a character.
func (r *Regexp) numbered(s string) (part, int, error) {
	n := 1
	for n < len(s) && n < 3 && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	octal := strings.Trim(s[:n], "01234567") == ""
	if s[0] == '0' || n == 3 && octal && s[0] <= '3' {
		for strings.Trim(s[:n], "01234567") != "" {
			n--
		}
		code, err := strconv.ParseUint(s[:n], 8, 8)
		return part{string(rune(code)), -1}, n, err
	}
	n = min(n, 2)
	group, _ := strconv.Atoi(s[:n])
	if group > r.groups {
		return part{}, 0, fmt.Errorf("invalid group reference %d", group)
	}
	return part{"", group}, n, nil
}

// groupReference is g<1> or g<name>.
func (r *Regexp) groupReference(s string) (part, int, error) {
	if !strings.HasPrefix(s, "g<") {
		return part{}, 0, errors.New("missing <")
	}
	name, _, closed := strings.Cut(s[2:], ">")
	if !closed || name == "" {
		return part{}, 0, errors.New("missing group name")
	}
	group, known := r.names[name]
	if !known {
		var err error
		if group, err = strconv.Atoi(name); err != nil {
			return part{}, 0, fmt.Errorf("unknown group name %q", name)
		}
	}
	if group < 0 || group > r.groups {
		return part{}, 0, fmt.Errorf("invalid group reference %d", group)
	}
	return part{"", group}, len(name) + 3, nil
}
