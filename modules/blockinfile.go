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

// Blockinfile manages a block of lines between two marker lines.
var Blockinfile = define("blockinfile", "manage a block of lines between two marker lines", blockinfileArgs{
	State: "present", Marker: "# {mark} ANSIBLE MANAGED BLOCK", MarkerBegin: "BEGIN", MarkerEnd: "END",
}, blockinfile).exclusive("insertbefore", "insertafter").
	gives("changed msg diff before after before_header after_header")

type blockinfileArgs struct {
	Path           string `arg:"path" alias:"dest,destfile,name" type:"path" required:"true" doc:"The file."`
	State          string `arg:"state" choices:"absent,present" doc:"Whether the block is to be there."`
	Marker         string `arg:"marker" doc:"The marker lines; {mark} is where marker_begin and marker_end go."`
	Block          string `arg:"block" alias:"content" doc:"The lines; none removes the block."`
	InsertAfter    string `arg:"insertafter" doc:"A regular expression, or EOF: where a new block goes."`
	InsertBefore   string `arg:"insertbefore" doc:"A regular expression, or BOF: where a new block goes."`
	Create         bool   `arg:"create" doc:"Make the file when it is not there."`
	Backup         bool   `arg:"backup" doc:"Keep a copy of what is there."`
	Validate       string `arg:"validate" doc:"A command that must accept the file before it is put in place; %s is its path."`
	MarkerBegin    string `arg:"marker_begin" doc:"What {mark} is before the block."`
	MarkerEnd      string `arg:"marker_end" doc:"What {mark} is after the block."`
	AppendNewline  bool   `arg:"append_newline" doc:"Have a blank line after the block."`
	PrependNewline bool   `arg:"prepend_newline" doc:"Have a blank line before the block."`
	fileAttrs
}

func blockinfile(ctx context.Context, c *Call, a blockinfileArgs) (Result, error) {
	data, err := readEditable(c, a.Path)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case missing && !a.Create:
		return nil, Fail(fmt.Sprintf("Path %s does not exist !", a.Path), Result{"rc": 257})
	case missing && a.State == "absent":
		return Result{"msg": fmt.Sprintf("File %s not present", a.Path)}, nil
	case err != nil && !missing:
		return nil, err
	}
	text, err := a.edit(data)
	if err != nil {
		return nil, err
	}
	msg := ""
	switch {
	case missing:
		msg = "File created"
	case text == data:
	case len(a.lines()) == 0:
		msg = "Block removed"
	default:
		msg = "Block inserted"
	}
	r := Result{}
	t := textFile{a.Path, a.fileAttrs, a.Backup, a.Validate, a.Path + " (content)", a.Path + " (file attributes)"}
	if r["diff"] = unshownDiff(a.Path); c.Check() {
		r["diff"] = unshownDiff(a.Path)[0]
	}
	attrs, err := t.put(ctx, c, []byte(text), r)
	r["msg"] = withAttrs(msg, attrs)
	return r, err
}

func (a blockinfileArgs) mark(word string) string {
	return strings.ReplaceAll(a.Marker, "{mark}", word) + "\n"
}

// lines are the block's with its markers; none when it is to go.
func (a blockinfileArgs) lines() []string {
	if a.State == "absent" || a.Block == "" {
		return nil
	}
	block := a.Block
	if !strings.HasSuffix(block, "\n") {
		block += "\n"
	}
	return slices.Concat([]string{a.mark(a.MarkerBegin)}, slices.Collect(strings.Lines(block)), []string{a.mark(a.MarkerEnd)})
}

func (a blockinfileArgs) edit(data string) (string, error) {
	lines := slices.Collect(strings.Lines(data))
	at, lines := a.cut(lines)
	if at < 0 {
		var err error
		if at, err = a.place(data, lines); err != nil {
			return "", err
		}
	}
	block := a.lines()
	if at > 0 && !strings.HasSuffix(lines[at-1], "\n") {
		lines[at-1] += "\n"
	}
	if block != nil && a.AppendNewline && at < len(lines) && lines[at] != "\n" {
		block = append(block, "\n")
	}
	if block != nil && a.PrependNewline && at > 0 && lines[at-1] != "\n" {
		block = append([]string{"\n"}, block...)
	}
	return strings.Join(slices.Insert(lines, at, block...), ""), nil
}

// cut takes the old block out, and says where it was; -1 for nowhere.
func (a blockinfileArgs) cut(lines []string) (int, []string) {
	begin, end := -1, -1
	for i, l := range lines {
		switch strings.TrimSuffix(l, "\n") + "\n" {
		case a.mark(a.MarkerBegin):
			begin = i
		case a.mark(a.MarkerEnd):
			end = i
		}
	}
	if begin < 0 || end < 0 {
		return -1, lines
	}
	first, last := min(begin, end), max(begin, end)
	return first, slices.Delete(lines, first, last+1)
}

// place is the number of the line before which a new block goes.
func (a blockinfileArgs) place(data string, lines []string) (int, error) {
	re, err := insertPoint(a.InsertAfter, a.InsertBefore)
	if err != nil {
		return 0, err
	}
	if re == nil {
		if a.InsertBefore == "BOF" || a.InsertAfter == "BOF" {
			return 0, nil
		}
		return len(lines), nil
	}
	at, err := a.match(re, data, lines)
	if at < 0 || err != nil {
		return len(lines), err
	}
	if a.InsertAfter != "" {
		at++
	}
	return min(at, len(lines)), nil
}

// match is the last line that matches; an expression with (?m) may span
// lines. -1 is none.
func (a blockinfileArgs) match(re *pyregex.Regexp, data string, lines []string) (int, error) {
	if re.Flags()&pyregex.Multiline == 0 {
		for i, l := range slices.Backward(lines) {
			if found, err := pyregex.Found(re.Search(l)); found || err != nil {
				return i, err
			}
		}
		return -1, nil
	}
	m, err := re.Search(data)
	if m == nil {
		return -1, err
	}
	before := m.Before(0)
	if a.InsertAfter != "" {
		text, _ := m.Group(0)
		before += text
	}
	return strings.Count(before, "\n"), nil
}
