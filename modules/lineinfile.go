package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"gplay/internal/pyregex"
)

// Lineinfile makes sure that a line is in a file, or is not.
var Lineinfile = define("lineinfile", "make sure that a line is in a file, or is not", lineinfileArgs{State: "present"}, lineinfile).
	exclusive("insertbefore", "insertafter").exclusive("regexp", "search_string").exclusive("backrefs", "search_string").
	gives("changed found msg backup diff before after before_header after_header")

type lineinfileArgs struct {
	Path         string  `arg:"path" alias:"dest,destfile,name" type:"path" required:"true" doc:"The file."`
	State        string  `arg:"state" choices:"absent,present" doc:"Whether the line is to be there."`
	Regexp       *string `arg:"regexp" alias:"regex" doc:"The line to replace, or the lines to remove."`
	SearchString *string `arg:"search_string" doc:"As regexp, but plain text."`
	Line         *string `arg:"line" alias:"value" doc:"The line."`
	InsertAfter  string  `arg:"insertafter" doc:"A regular expression, or EOF: where a new line goes."`
	InsertBefore string  `arg:"insertbefore" doc:"A regular expression, or BOF: where a new line goes."`
	Backrefs     bool    `arg:"backrefs" doc:"Fill groups of regexp into the line; without a match the file stays."`
	Create       bool    `arg:"create" doc:"Make the file when it is not there."`
	Backup       bool    `arg:"backup" doc:"Keep a copy of what is there."`
	FirstMatch   bool    `arg:"firstmatch" doc:"Use the first line that matches, not the last."`
	Validate     string  `arg:"validate" doc:"A command that must accept the file before it is put in place; %s is its path."`
	fileAttrs
}

func lineinfile(ctx context.Context, c *Call, a lineinfileArgs) (Result, error) {
	a.warnOfEmpty(c)
	data, err := readEditable(c, a.Path)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case missing && a.State == "absent":
		return Result{"msg": "file not present"}, nil
	case missing && !a.Create:
		return nil, Fail(fmt.Sprintf("Destination %s does not exist !", a.Path), Result{"rc": 257})
	case err != nil && !missing:
		return nil, err
	}
	e, err := a.editor(data)
	if err != nil {
		return nil, err
	}
	r := Result{"backup": ""}
	if a.State == "absent" {
		n := e.remove()
		r["found"] = n
		if n > 0 {
			e.msg = fmt.Sprintf("%d line(s) removed", n)
		}
	} else if err := e.place(); err != nil {
		return nil, err
	}
	if e.fault != nil {
		return nil, e.fault
	}
	if missing && e.msg == "" {
		return r, nil
	}
	t := textFile{a.Path, a.fileAttrs, a.Backup, a.Validate, a.Path + " (content)", a.Path + " (file attributes)"}
	r["diff"] = unshownDiff(a.Path)
	attrs, err := t.put(ctx, c, []byte(strings.Join(e.lines, "")), r)
	if copied, ok := r["backup_file"]; ok {
		r["backup"] = copied
		delete(r, "backup_file")
	}
	r["msg"] = withAttrs(e.msg, attrs)
	return r, err
}

// readEditable reads a file that is to be edited.
func readEditable(c *Call, p string) (string, error) {
	if info, err := c.Stat(p); err == nil && info.IsDir() {
		return "", Fail(fmt.Sprintf("Path %s is a directory !", p), Result{"rc": 256})
	}
	data, err := c.ReadFile(p)
	return string(data), err
}

func (a lineinfileArgs) warnOfEmpty(c *Call) {
	const text = "The %s is an empty string, which will match every line in the file. This may have unintended consequences, such as replacing the last line in the file rather than appending.%s"
	switch {
	case a.Regexp != nil && *a.Regexp == "":
		c.Warn(fmt.Sprintf(text, "regular expression", " If this is desired, use '^' to match every line in the file and avoid this warning."))
	case a.SearchString != nil && *a.SearchString == "":
		c.Warn(fmt.Sprintf(text, "search string", ""))
	}
}

// lineEditor changes the lines of a file.
type lineEditor struct {
	lineinfileArgs
	lines       []string // with their line breaks
	msg         string   // what was done
	regexp      *pyregex.Regexp
	insertPoint *pyregex.Regexp // nil for BOF and EOF
	fault       error           // of an expression that takes too long
}

// search looks for re unless a search took too long before.
func (e *lineEditor) search(re *pyregex.Regexp, l string) (m *pyregex.Match) {
	if e.fault == nil {
		m, e.fault = re.Search(l)
	}
	return m
}

func (a lineinfileArgs) editor(data string) (*lineEditor, error) {
	e := &lineEditor{lineinfileArgs: a, lines: slices.Collect(strings.Lines(data))}
	switch {
	case a.State == "present" && a.Backrefs && a.Regexp == nil:
		return nil, errors.New("regexp is required with backrefs=true")
	case a.State == "present" && a.Line == nil:
		return nil, errors.New("line is required with state=present")
	case a.Regexp == nil && a.SearchString == nil && a.Line == nil:
		return nil, errors.New("one of line, search_string, or regexp is required with state=absent")
	}
	var err error
	if a.Regexp != nil {
		if e.regexp, err = pyregex.Compile(*a.Regexp, 0); err != nil {
			return nil, err
		}
	}
	e.insertPoint, err = insertPoint(a.InsertAfter, a.InsertBefore)
	return e, err
}

// insertPoint is the expression of insertafter or insertbefore; nil for the
// file's ends.
func insertPoint(after, before string) (*pyregex.Regexp, error) {
	switch {
	case after != "" && after != "EOF" && after != "BOF":
		return pyregex.Compile(after, 0)
	case before != "" && before != "BOF":
		return pyregex.Compile(before, 0)
	}
	return nil, nil
}

func (e *lineEditor) isLine(l string) bool {
	return e.Line != nil && strings.TrimRight(l, "\r\n") == *e.Line
}

// remove takes out the lines that match, and counts them.
func (e *lineEditor) remove() int {
	before := len(e.lines)
	e.lines = slices.DeleteFunc(e.lines, func(l string) bool {
		switch {
		case e.regexp != nil:
			return e.search(e.regexp, l) != nil
		case e.SearchString != nil:
			return strings.Contains(l, *e.SearchString)
		}
		return e.isLine(l)
	})
	return before - len(e.lines)
}

// place puts the line where it belongs.
func (e *lineEditor) place() error {
	at, match := e.find()
	if at >= 0 {
		return e.replace(at, match)
	}
	if e.Backrefs {
		return nil
	}
	same, insert := e.scan()
	switch {
	case same >= 0:
		return e.replace(same, nil)
	case e.InsertBefore == "BOF" || e.InsertAfter == "BOF":
		e.insert(0)
	case insert < 0:
		e.insert(len(e.lines))
	case e.InsertBefore == "" && insert < len(e.lines) && e.isLine(e.lines[insert]):
	default:
		e.insert(insert)
	}
	return nil
}

// find gives the line that regexp or search_string match, -1 for none.
func (e *lineEditor) find() (at int, match *pyregex.Match) {
	at = -1
	for i, l := range e.lines {
		var m *pyregex.Match
		switch {
		case e.regexp != nil:
			if m = e.search(e.regexp, l); m == nil {
				continue
			}
		case e.SearchString == nil || !strings.Contains(l, *e.SearchString):
			continue
		}
		at, match = i, m
		if e.FirstMatch {
			break
		}
	}
	return at, match
}

// scan looks for the line itself and for the place to insert it; -1 for none.
func (e *lineEditor) scan() (same, insert int) {
	same, insert = -1, -1
	for i, l := range e.lines {
		switch {
		case e.isLine(l):
			same = i
			continue
		case e.insertPoint == nil || e.search(e.insertPoint, l) == nil:
			continue
		}
		insert = i
		if e.InsertAfter != "" {
			insert = i + 1
		}
		if e.FirstMatch {
			break
		}
	}
	return same, insert
}

func (e *lineEditor) replace(at int, match *pyregex.Match) error {
	line := *e.Line
	if e.Backrefs && match != nil {
		var err error
		if line, err = match.Expand(line); err != nil {
			return err
		}
	}
	if !strings.HasSuffix(line, "\n") {
		line += "\n"
	}
	if e.lines[at] != line {
		e.lines[at] = line
		e.msg = "line replaced"
	}
	return nil
}

func (e *lineEditor) insert(at int) {
	if last := len(e.lines) - 1; at > last && last >= 0 && !strings.HasSuffix(e.lines[last], "\n") {
		e.lines[last] += "\n"
	}
	e.lines = slices.Insert(e.lines, at, *e.Line+"\n")
	e.msg = "line added"
}
