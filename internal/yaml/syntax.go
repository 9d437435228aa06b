package yaml

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gplay/internal/source"
)

var lineOfError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntaxError makes one positioned sentence, with a hint where the cause can
// be seen, of what the YAML parser says.
func syntaxError(src *text, err error) error {
	m := lineOfError.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
	if m == nil {
		return source.Errorf(source.Pos{File: src.file}, "%v", err)
	}
	line, _ := strconv.Atoi(m[1])
	line = max(line, 1) + src.line
	switch {
	case strings.HasPrefix(m[2], "did not find expected"):
		line++ // these count from 0
	case strings.Contains(m[2], "found unexpected end of stream"):
		line = lastOpenQuote(src, line)
	case unknownAnchor.MatchString(m[2]):
		return anchorError(src, unknownAnchor.FindStringSubmatch(m[2])[1])
	}
	for _, look := range []func(*text, int) *source.Error{tabError, bareBracesError, quotedThenText, colonError, quoteError, spaceError} {
		// The parser notices some faults only on the line after.
		for _, l := range []int{line, line - 1} {
			if e := look(src, l); e != nil {
				return e
			}
		}
	}
	return source.Errorf(source.Pos{File: src.file, Line: line, Col: firstCol(src.lineAt(line))}, "%s", plainWords(m[2]))
}

var unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)

func anchorError(src *text, name string) error {
	e := source.Errorf(source.Pos{File: src.file}, "the alias *%s refers to nothing: no &%[1]s stands above it", name)
	use := regexp.MustCompile(`(?:^|[\s\[{,])(\*` + regexp.QuoteMeta(name) + `)(?:$|[\s\]},])`)
	for i := range strings.Count(string(src.data), "\n") + 1 {
		line := src.lineAt(i + 1 + src.line)
		if m := use.FindStringSubmatchIndex(line); m != nil {
			e.Pos.Line, e.Pos.Col, e.Len = i+1+src.line, utf8.RuneCountInString(line[:m[2]])+1, len(name)+1
			break
		}
	}
	return e
}

// lastOpenQuote is the line of the last quote that is not closed on its line.
func lastOpenQuote(src *text, from int) int {
	for line := from; line > src.line; line-- {
		if quoteError(src, line) != nil {
			return line
		}
	}
	return from
}

// plainWords puts the parser's wording into a sentence that needs no knowledge
// of its insides.
func plainWords(msg string) string {
	switch {
	case strings.Contains(msg, "did not find expected key"):
		return "this line does not fit the lines above it: check its indentation"
	case strings.Contains(msg, "did not find expected '-' indicator"):
		return "a list goes on here with something that is no item of it: check its indentation"
	case strings.Contains(msg, "mapping values are not allowed in this context"):
		return "a key: value is not allowed here: check the indentation of this line and the one above"
	case strings.Contains(msg, "did not find expected ',' or"):
		return "a list or dict in brackets is not closed, or a comma is missing"
	case strings.Contains(msg, "found character that cannot start any token"):
		return "this character cannot begin a value: put the value in quotes"
	}
	return "this is no valid YAML: " + strings.TrimPrefix(msg, "yaml: ")
}

func firstCol(line string) int {
	return utf8.RuneCountInString(line) - utf8.RuneCountInString(strings.TrimLeft(line, " \t")) + 1
}

func at(src *text, line, bytes int, msg, hint string) *source.Error {
	return &source.Error{Pos: source.Pos{File: src.file, Line: line, Col: utf8.RuneCountInString(src.lineAt(line)[:bytes]) + 1}, Msg: msg, Hint: hint}
}

func tabError(src *text, line int) *source.Error {
	l := src.lineAt(line)
	indent := l[:len(l)-len(strings.TrimLeft(l, " \t-"))]
	tab := strings.IndexByte(indent, '\t')
	if tab < 0 {
		return nil
	}
	return at(src, line, tab, "a tab stands in the indentation, where YAML allows only spaces", "replace the tab with spaces")
}

var bareBraces = regexp.MustCompile(`^\s*(?:- +)*(?:[^\s"'#][^"'#]*?: +)?(?:- +)*(\{\{|\{%)`)

func bareBracesError(src *text, line int) *source.Error {
	if m := bareBraces.FindStringSubmatchIndex(src.lineAt(line)); m != nil {
		return bracesError(src, line)
	}
	return nil
}

// bracesError is about a line with {{ that is not in quotes.
func bracesError(src *text, line int) *source.Error {
	l := src.lineAt(line)
	start := strings.Index(l, "{{")
	if m := bareBraces.FindStringSubmatchIndex(l); m != nil {
		start = m[2]
	}
	value := strings.TrimRight(l[start:], " \r")
	e := at(src, line, start, "a value that begins with a template has to be in quotes", "write "+quoted(value))
	e.Len = utf8.RuneCountInString(value)
	return e
}

func quoted(value string) string {
	if !strings.Contains(value, `"`) {
		return `"` + value + `"`
	}
	return "'" + strings.ReplaceAll(value, "'", "''") + "'"
}

var quotedText = regexp.MustCompile(`^\s*(?:- +)*[^\s"'#][^"'#]*?: +((?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')[ \t]*([^\s#,\]}][^#]*))$`)

func quotedThenText(src *text, line int) *source.Error {
	l := strings.TrimRight(src.lineAt(line), " \r")
	m := quotedText.FindStringSubmatchIndex(l)
	if m == nil {
		return nil
	}
	return at(src, line, m[4], "a value that begins with a quote has to end with it, but text follows",
		"put the whole value in quotes: "+quoted(l[m[2]:m[3]]))
}

var secondColon = regexp.MustCompile(`^\s*(?:- +)*[^\s"'#{\[][^"'#]*?: +([^\s"'|>&*!{\[#].*?(:)(?: .*|$))`)

func colonError(src *text, line int) *source.Error {
	l := strings.TrimRight(src.lineAt(line), " \r")
	m := secondColon.FindStringSubmatchIndex(l)
	if m == nil {
		return nil
	}
	return at(src, line, m[4], "a colon followed by a space stands inside a value that is not in quotes",
		"write "+quoted(l[m[2]:m[3]]))
}

// quoteError finds a quote that is never closed.
func quoteError(src *text, line int) *source.Error {
	l := src.lineAt(line)
	value := l
	if _, v, ok := strings.Cut(l, ": "); ok {
		value = v
	}
	value = strings.TrimLeft(value, " -")
	if value == "" || value[0] != '"' && value[0] != '\'' {
		return nil
	}
	bare := strings.ReplaceAll(strings.ReplaceAll(value, `\\`, ""), `\"`, "")
	if strings.Count(bare, value[:1])%2 == 0 {
		return nil
	}
	return at(src, line, len(l)-len(value), "this quote is not closed", "")
}

var noSpace = regexp.MustCompile(`^\s*(?:- +)?([A-Za-z_][A-Za-z0-9_.]*):[^\s:/]`)

// spaceError finds key:value without the space.
func spaceError(src *text, line int) *source.Error {
	l := src.lineAt(line)
	m := noSpace.FindStringSubmatchIndex(l)
	if m == nil {
		return nil
	}
	return at(src, line, m[3], "the colon after "+strconv.Quote(l[m[2]:m[3]])+" has no space behind it", "write "+l[m[2]:m[3]]+": "+strings.TrimSpace(l[m[3]+1:]))
}

func notUTF8(src *text) error {
	for i := range strings.Split(string(src.data), "\n") {
		l := src.lineAt(i + 1)
		for j, r := range l {
			if r == utf8.RuneError {
				if _, size := utf8.DecodeRuneInString(l[j:]); size == 1 {
					return source.Errorf(source.Pos{File: src.file, Line: i + 1, Col: utf8.RuneCountInString(l[:j]) + 1}, "this is no UTF-8 text")
				}
			}
		}
	}
	return source.Errorf(source.Pos{File: src.file}, "this is no UTF-8 text")
}
