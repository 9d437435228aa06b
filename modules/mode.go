package modules

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Mode is a file's permissions as an argument: octal text or a number,
// symbolic (u=rwX,g-w), or preserve. The zero Mode is none given.
type Mode struct {
	spec     string
	bits     int
	clauses  []clause // set for a symbolic mode
	preserve bool
}

// Octal is the Mode of permission bits.
func Octal(bits int) Mode { return Mode{spec: fmt.Sprintf("%04o", bits), bits: bits} }

// Given reports whether there is a mode.
func (m Mode) Given() bool { return m.spec != "" }

// Preserve reports whether the source's permissions are to be kept.
func (m Mode) Preserve() bool { return m.preserve }

func (m Mode) String() string { return m.spec }

// ParseMode reads a mode as it stands in a playbook: a number is taken as it
// is (YAML reads 0644 as 420), text as octal or symbolic.
func ParseMode(v any) (Mode, error) {
	switch v := v.(type) {
	case Mode:
		return v, nil
	case string:
		return parseModeText(v)
	}
	bits, err := toInt(v)
	if err != nil || bits < 0 {
		return Mode{}, errors.New("mode must be in octal or symbolic form")
	}
	return Octal(bits & 0o7777), nil
}

func parseModeText(s string) (Mode, error) {
	switch {
	case s == "":
		return Mode{}, nil
	case s == "preserve":
		return Mode{spec: s, preserve: true}, nil
	}
	if bits, err := strconv.ParseInt(strings.TrimPrefix(s, "0o"), 8, 32); err == nil && bits >= 0 {
		return Mode{spec: s, bits: int(bits) & 0o7777}, nil
	}
	m := Mode{spec: s}
	for _, text := range strings.Split(s, ",") {
		c := clausePattern.FindStringSubmatch(text)
		if c == nil {
			return Mode{}, fmt.Errorf("mode must be in octal or symbolic form: bad symbolic permission for mode: %s", s)
		}
		for _, op := range opPattern.FindAllStringSubmatch(c[2], -1) {
			m.clauses = append(m.clauses, clause{strings.ReplaceAll(c[1], "a", "ugo"), op[1][0], op[2]})
		}
	}
	return m, nil
}

var (
	clausePattern = regexp.MustCompile(`^([augo]*)((?:[-+=][rwxXstugo]*)+)$`)
	opPattern     = regexp.MustCompile(`([-+=])([rwxXstugo]*)`)
)

// clause is one `u+rw` of a symbolic mode.
type clause struct {
	who   string // of "ugo"; "" is all, less the umask
	op    byte
	perms string
}

// Apply gives the permissions that a file with the permissions old is to have.
func (m Mode) Apply(old int, isDir bool, umask int) int {
	if m.clauses == nil {
		return m.bits
	}
	x := isDir || old&0o111 != 0
	for _, c := range m.clauses {
		old = c.apply(old, x, umask)
	}
	return old
}

var shift = map[rune]int{'u': 6, 'g': 3, 'o': 0}

func (c clause) apply(old int, x bool, umask int) int {
	who := c.who
	if who == "" {
		who = "ugo"
	}
	bits, mask := 0, 0
	for _, w := range who {
		mask |= 7 << shift[w]
		bits |= c.bits(old, w, x)
	}
	if c.who == "" {
		bits &^= umask
	}
	switch c.op {
	case '+':
		return old | bits
	case '-':
		return old &^ bits
	}
	for w, special := range map[rune]int{'u': 0o4000, 'g': 0o2000, 'o': 0o1000} {
		if strings.ContainsRune(who, w) {
			mask |= special
		}
	}
	return old&^mask | bits
}

// bits are the clause's permissions for one of u, g and o.
func (c clause) bits(old int, w rune, x bool) int {
	n := 0
	for _, p := range c.perms {
		switch p {
		case 'r':
			n |= 4 << shift[w]
		case 'w':
			n |= 2 << shift[w]
		case 'x':
			n |= 1 << shift[w]
		case 'X':
			if x {
				n |= 1 << shift[w]
			}
		case 's':
			n |= map[rune]int{'u': 0o4000, 'g': 0o2000}[w]
		case 't':
			if w == 'o' {
				n |= 0o1000
			}
		case 'u', 'g', 'o':
			n |= old >> shift[p] & 7 << shift[w]
		}
	}
	return n
}
