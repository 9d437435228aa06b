package callback

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

const minColumns = 79

// The uses of colours, which the section colors of ansible.cfg has, too.
const (
	colorOK          = "ok"
	colorChanged     = "changed"
	colorError       = "error"
	colorUnreachable = "unreachable"
	colorSkip        = "skip"
	colorVerbose     = "verbose"
	colorDebug       = "debug"
	colorWarn        = "warn"
	colorDeprecate   = "deprecate"
	colorDiffAdd     = "diff_add"
	colorDiffRemove  = "diff_remove"
	colorDiffLines   = "diff_lines"
)

// Colors are the names of the colours that a use has when nothing is set.
var Colors = map[string]string{
	colorOK: "green", colorChanged: "yellow", colorError: "red", colorUnreachable: "bright red", colorSkip: "cyan",
	colorVerbose: "blue", colorDebug: "dark gray", colorWarn: "bright purple", colorDeprecate: "purple",
	colorDiffAdd: "green", colorDiffRemove: "red", colorDiffLines: "cyan",
}

// sgr are the colours by their names in Ansible, as SGR parameters.
var sgr = map[string]string{
	"normal": "0", "black": "0;30", "red": "0;31", "green": "0;32", "yellow": "0;33", "blue": "0;34",
	"purple": "0;35", "magenta": "0;35", "cyan": "0;36", "bright gray": "0;37",
	"dark gray": "1;30", "bright red": "1;31", "bright green": "1;32", "bright yellow": "1;33", "bright blue": "1;34",
	"bright purple": "1;35", "bright magenta": "1;35", "bright cyan": "1;36", "white": "1;37",
}

// ColorNames are the names that a colour may have.
func ColorNames() []string { return slices.Sorted(maps.Keys(sgr)) }

// display writes lines, coloured where that is wanted.
type display struct {
	Options
	told       map[string]bool // warnings that were shown
	blocksOnly bool            // diffs are of YAML as community.general has it
}

func newDisplay(o Options) *display {
	o.Columns = max(o.Columns, minColumns)
	return &display{Options: o, told: map[string]bool{}}
}

// paint gives each line of text by itself the colour of a use.
func (d *display) paint(text, use string) string {
	if !d.Color || use == "" {
		return text
	}
	color := sgr[cmp.Or(d.Colors[use], Colors[use])]
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = "\x1b[" + color + "m" + line + "\x1b[0m"
	}
	return strings.Join(lines, "\n")
}

func (d *display) line(text, use string) { d.lineTo(d.Out, text, use) }

// lineTo writes text and one newline, in one write.
func (d *display) lineTo(w io.Writer, text, use string) {
	text = d.Secrets.hide(strings.ToValidUTF8(text, "?"))
	// Output that cannot be written is no reason to stop changing hosts.
	_, _ = io.WriteString(w, d.paint(strings.TrimSuffix(text, "\n"), use)+"\n")
	if d.Log != nil && use != colorDebug { // that is for debugging
		d.Log(strings.TrimLeft(colors.ReplaceAllString(text, ""), "\n"))
	}
}

var colors = regexp.MustCompile("\x1b\\[[0-9;]*m")

// screen writes text that no log needs.
func (d *display) screen(text string) { _, _ = io.WriteString(d.Out, d.Secrets.hide(text)) }

func (d *display) failure(text string) {
	if d.FailedToErr {
		d.lineTo(d.Err, text, colorError)
		return
	}
	d.line(text, colorError)
}

// banner writes a headline filled up with stars.
func (d *display) banner(text string) {
	text = strings.TrimSpace(text)
	stars := max(d.Columns-runewidth.StringWidth(text), 3)
	d.line("\n"+text+" "+strings.Repeat("*", stars), "")
}

// Verbose shows text that is only worth it from that many -v on; with none it
// is a task's own words.
func (d *display) Verbose(level int, msg string) {
	switch {
	case level == 0:
		d.line(msg, "")
	case d.Verbosity >= level && d.VerboseToErr:
		d.lineTo(d.Err, msg, colorVerbose)
	case d.Verbosity >= level:
		d.line(msg, colorVerbose)
	}
}

// Banner writes a headline.
func (d *display) Banner(text string) { d.banner(text) }

// Warning shows a warning, once.
func (d *display) Warning(msg string) {
	d.once(strings.Join(wrap("[WARNING]: "+d.Secrets.hide(msg), d.Columns, true), "\n")+"\n", colorWarn)
}

// Deprecated shows a deprecation, once.
func (d *display) Deprecated(msg string) {
	if d.NoDeprecations {
		return
	}
	d.once(strings.TrimSpace(strings.Join(wrap("[DEPRECATION WARNING]: "+sentence(msg), d.Columns, false), "\n")), colorDeprecate)
}

func sentence(msg string) string {
	msg = strings.TrimSpace(msg)
	if msg == "" || strings.ContainsAny(msg[len(msg)-1:], "!?.") {
		return msg
	}
	return msg + "."
}

func (d *display) once(text, color string) {
	if !d.told[text] {
		d.told[text] = true
		d.lineTo(d.Err, text, color)
	}
}

// wrap breaks text into lines of at most width characters, at spaces and after
// hyphens between letters, as Python's textwrap does. With drop, spaces at the
// ends of lines go.
func wrap(text string, width int, drop bool) []string {
	parts := wrapParts(strings.Map(plainSpace, expandTabs(text)))
	var lines []string
	for len(parts) > 0 {
		if drop && len(lines) > 0 && strings.TrimSpace(parts[0]) == "" {
			parts = parts[1:]
		}
		var line string
		line, parts = wrapLine(parts, width)
		if drop {
			line = strings.TrimRight(line, " ")
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// wrapLine takes as many parts as fit. A part that fits no line is cut.
func wrapLine(parts []string, width int) (line string, rest []string) {
	length := 0
	for len(parts) > 0 {
		n := utf8.RuneCountInString(parts[0])
		if length+n > width {
			break
		}
		line, length, parts = line+parts[0], length+n, parts[1:]
	}
	if len(parts) == 0 || utf8.RuneCountInString(parts[0]) <= width {
		return line, parts
	}
	runes := []rune(parts[0])
	cut := max(width-length, 1)
	if hyphen := strings.LastIndex(string(runes[:cut]), "-"); hyphen > 0 && strings.Trim(string(runes[:cut])[:hyphen], "-") != "" {
		cut = utf8.RuneCountInString(string(runes[:cut])[:hyphen+1])
	}
	return line + string(runes[:cut]), append([]string{string(runes[cut:])}, parts[1:]...)
}

func expandTabs(text string) string {
	var b strings.Builder
	column := 0
	for _, r := range text {
		switch r {
		case '\t':
			n := 8 - column%8
			b.WriteString(strings.Repeat(" ", n))
			column += n
			continue
		case '\n', '\r':
			column = -1
		}
		b.WriteRune(r)
		column++
	}
	return b.String()
}

func plainSpace(r rune) rune {
	if strings.ContainsRune("\n\v\f\r", r) {
		return ' '
	}
	return r
}

var words = regexp.MustCompile(` +|[^ ]+`)

// wrapParts are the pieces between which a line may break.
func wrapParts(text string) []string {
	var parts []string
	for _, word := range words.FindAllString(text, -1) {
		runes := []rune(word)
		start := 0
		for i, r := range runes {
			if r == '-' && breaksAfter(runes, i) {
				parts = append(parts, string(runes[start:i+1]))
				start = i + 1
			}
		}
		parts = append(parts, string(runes[start:]))
	}
	return parts
}

// breaksAfter reports whether a line may end after the hyphen at i: two
// letters before it, or a letter and another hyphen with its letter, and a
// letter and one more after it.
func breaksAfter(s []rune, i int) bool {
	letter := func(i int) bool { return i >= 0 && i < len(s) && (unicode.IsLetter(s[i]) || s[i] == '_') }
	before := letter(i-1) && (letter(i-2) || i >= 3 && s[i-2] == '-' && letter(i-3))
	after := letter(i+1) && (letter(i+2) || i+2 < len(s) && s[i+2] == '-' && letter(i+3))
	return before && after
}

// count is one number of the recap: ok=3.
func (d *display) count(name string, n int, color string) string {
	s := fmt.Sprintf("%s=%-4d", name, n)
	if n == 0 {
		return s
	}
	return d.paint(s, color)
}
