// Package source says where in a file something stands, and what is wrong there.
package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Pos is a place in a source file. Line and Col count from 1; 0 is unknown.
type Pos struct {
	File      string
	Line, Col int
}

// String gives file:line:col, as far as they are known. The file is relative
// to the working directory when it is below it.
func (p Pos) String() string {
	file := Rel(p.File)
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return file
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", file, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", file, p.Line, p.Col)
}

// Rel gives file relative to the working directory when it is below it, else
// as it is.
func Rel(file string) string {
	wd, err := os.Getwd()
	if err != nil || !filepath.IsAbs(file) {
		return file
	}
	rel, err := filepath.Rel(wd, file)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return file
	}
	return rel
}

// IsValid reports whether p names a file.
func (p Pos) IsValid() bool { return p.File != "" }

// Error is a fault at a place in a source file.
type Error struct {
	Pos    Pos
	Len    int    // how many characters to underline; 0 underlines one
	Msg    string // one sentence, no position
	Hint   string // what to do, e.g. `did you mean "state"?`
	Known  string // Ansible's words for it, by which people and programs know it
	Within []Note // the enclosing role, play, file …, innermost first
	Err    error  // the cause, when there is one
}

// Note is one line of what encloses an error: `in role web (site.yml:4:7)`.
type Note struct {
	Text string
	Pos  Pos
}

// Error gives the fault on one line: position, colon, message.
func (e *Error) Error() string {
	if e.Pos.IsValid() {
		return e.Pos.String() + ": " + e.Msg
	}
	return e.Msg
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error at pos.
func Errorf(pos Pos, format string, args ...any) *Error {
	return &Error{Pos: pos, Msg: fmt.Sprintf(format, args...)}
}

// Known is what Ansible calls err, "" where it has no words of its own.
func Known(err error) string {
	var placed *Error
	if errors.As(err, &placed) {
		return placed.Known
	}
	return ""
}
