package source

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/mattn/go-runewidth"
)

const maxExcerptFile = 16 << 20

// Describe gives err as it is shown to a user: for each Error in it the place
// and the message, the line of the source with what is meant underlined, the
// hint, and what encloses it. It ends with a newline.
func Describe(err error) string {
	var b strings.Builder
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			b.WriteString(Describe(e))
		}
		return b.String()
	}
	var e *Error
	if !errors.As(err, &e) {
		return err.Error() + "\n"
	}
	// A wrapper may say more than the error itself does.
	b.WriteString(err.Error() + "\n")
	b.WriteString(excerpt(e))
	if e.Hint != "" {
		b.WriteString("hint: " + e.Hint + "\n")
	}
	for _, n := range e.Within {
		b.WriteString("  " + n.String() + "\n")
	}
	return b.String()
}

// String gives the note's text and, in parentheses, its place.
func (n Note) String() string {
	if !n.Pos.IsValid() {
		return n.Text
	}
	return fmt.Sprintf("%s (%s)", n.Text, n.Pos)
}

// excerpt shows the line e is about and underlines what is meant; it is empty
// when the line cannot be read.
func excerpt(e *Error) string {
	line, ok := readLine(e.Pos)
	if !ok {
		return ""
	}
	number := fmt.Sprint(e.Pos.Line)
	out := number + " |" + line + "\n"
	if e.Pos.Col == 0 {
		return out
	}
	return out + strings.Repeat(" ", len(number)) + " |" + underline(line, e.Pos.Col, e.Len) + "\n"
}

// underline makes the row of ^ below line. Tabs are kept and wide characters
// counted as two, so that it stands right below what it means.
func underline(line string, col, length int) string {
	runes := []rune(line)
	start := min(col-1, len(runes))
	end := min(start+max(length, 1), len(runes))
	var b strings.Builder
	for _, r := range runes[:start] {
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteString(strings.Repeat(" ", runewidth.RuneWidth(r)))
		}
	}
	width := 0
	for _, r := range runes[start:end] {
		width += max(runewidth.RuneWidth(r), 1)
	}
	b.WriteString(strings.Repeat("^", max(width, 1)))
	return b.String()
}

func readLine(p Pos) (string, bool) {
	info, err := os.Stat(p.File)
	if err != nil || p.Line < 1 || !info.Mode().IsRegular() || info.Size() > maxExcerptFile {
		return "", false
	}
	text, err := os.ReadFile(p.File)
	if err != nil {
		return "", false
	}
	if bytes.HasPrefix(text, []byte("$ANSIBLE_VAULT")) {
		return "", false // the place is one of the decrypted text
	}
	lines := bytes.SplitN(text, []byte("\n"), p.Line+1)
	if p.Line > len(lines) {
		return "", false
	}
	return printable(strings.TrimSuffix(string(lines[p.Line-1]), "\r")), true
}

// printable keeps a source file from sending control sequences to the terminal.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '·'
		}
		return r
	}, line)
}
