// Package yaml reads YAML as Ansible does: YAML 1.1 scalars, dicts in their
// order, and text that is a template marked as such, with its place.
package yaml

import (
	"sync/atomic"

	"gplay/internal/source"
)

// Template is text from a trusted source file that holds Jinja2. Only values
// of this type are ever templated: a plain string, wherever it came from, is
// data.
type Template struct {
	Text string
	Pos  source.Pos // of the scalar in its file
	// Block is set for a literal or folded scalar, whose text begins on the
	// line after Pos.
	Block bool

	// Open decrypts a value that is encrypted with Ansible Vault, which Text is
	// then; nil for a template. What it gives is never templated.
	Open func() (string, error)

	// Compiled is the program of Text, kept by whoever compiles it first.
	Compiled atomic.Value

	src    *text     // the file it stands in, nil when it is not known
	whole  *Template // the scalar that it is a part of
	offset int       // in bytes, where in the scalar's text it begins
}

func (t *Template) String() string { return t.Text }

// Part is text that was cut out of t at a byte offset: an argument of
// "module: key={{ value }}".
func (t *Template) Part(text string, offset int) *Template {
	if t.whole != nil {
		offset += t.offset
		t = t.whole
	}
	p := &Template{Text: text, Pos: t.Pos, Block: t.Block, src: t.src, whole: t, offset: offset}
	p.Pos = p.PosAt(1, 1)
	return p
}

// PosAt is the place in the file of a line and a column of the template's own
// text, both from 1, whatever the scalar's style: quoted, folded, literal.
func (t *Template) PosAt(line, col int) source.Pos {
	offset := offsetAt(t.Text, line, col)
	scalar := t
	if t.whole != nil {
		offset += t.offset
		scalar = t.whole
	}
	if scalar.src == nil {
		if line > 1 || !t.Pos.IsValid() || t.Pos.Col == 0 {
			return t.Pos
		}
		p := t.Pos
		p.Col += col - 1
		return p
	}
	return scalar.src.locate(scalar.Pos, scalar.Text, offset)
}
