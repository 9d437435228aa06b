package pyyaml

import (
	"fmt"
	"strconv"
	"strings"
)

// analysis is how a text may be written.
type analysis struct {
	multiline                     bool
	flowPlain, blockPlain, single bool
	block                         bool
}

func isBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' || r == 0 || isBreak(r) }

// isPrintable is libyaml's notion: no tab, nothing beyond 16 bits.
func isPrintable(r rune) bool {
	return r == '\n' || r >= 0x20 && r <= 0x7e || r >= 0xa0 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd && r != 0xfeff
}

func analyze(text string, ascii bool) analysis {
	if text == "" {
		return analysis{blockPlain: true, single: true}
	}
	runes := []rune(text)
	at := func(i int) rune {
		if i < 0 || i >= len(runes) {
			return 0
		}
		return runes[i]
	}
	var flowMark, blockMark, odd, breaks, breakSpace, spaceBreak bool
	if strings.HasPrefix(text, "---") || strings.HasPrefix(text, "...") {
		flowMark, blockMark = true, true
	}
	for i, r := range runes {
		afterBlank, beforeBlank := i == 0 || isBlank(at(i-1)), isBlank(at(i+1))
		f, b := marks(r, i == 0, afterBlank, beforeBlank)
		flowMark, blockMark = flowMark || f, blockMark || b
		odd = odd || !isPrintable(r) || ascii && r > 127
		breaks = breaks || isBreak(r)
		breakSpace = breakSpace || r == ' ' && i > 0 && isBreak(at(i-1))
		spaceBreak = spaceBreak || isBreak(r) && i > 0 && at(i-1) == ' '
	}
	first, last := at(0), at(len(runes)-1)
	edges := first == ' ' || last == ' ' || isBreak(first) || isBreak(last)
	a := analysis{multiline: breaks, single: !breakSpace && !spaceBreak && !odd}
	plain := !edges && a.single && !breaks
	a.block = !spaceBreak && !odd && last != ' '
	a.flowPlain = plain && !flowMark
	a.blockPlain = plain && !blockMark
	return a
}

// marks says whether a character would mean something else without quotes, in
// flow collections and elsewhere.
func marks(r rune, first, afterBlank, beforeBlank bool) (flow, block bool) {
	switch {
	case first && strings.ContainsRune("#,[]{}&*!|>'\"%@`", r):
		return true, true
	case first && (r == '?' || r == ':'):
		return true, beforeBlank
	case first && r == '-':
		return beforeBlank, beforeBlank
	case first:
	case strings.ContainsRune(",?[]{}", r):
		return true, false
	case r == ':':
		return true, beforeBlank
	case r == '#':
		return afterBlank, afterBlank
	}
	return false, false
}

func (e *emitter) scalar(n *node, at place) {
	a := analyze(n.text, e.ASCII)
	fold := !at.isKey
	plain := n.plain
	if e.depth > 0 {
		plain = plain && a.flowPlain
	} else {
		plain = plain && a.blockPlain
	}
	if !n.isText && (e.Quote != "" || !plain) {
		e.indicator("!", true, false, false)
	}
	switch {
	case n.block && a.block && e.depth == 0 && !at.isKey:
		e.literal(n.text)
	case n.block || e.Quote == `"`:
		e.double(n.text, fold)
	case plain && e.Quote == "" && !(a.multiline && at.isKey):
		e.plain(n.text, fold)
	case a.single && !(a.multiline && at.isKey):
		e.single(n.text, fold)
	default:
		e.double(n.text, fold)
	}
}

// literal writes text as a block behind a "|" that says how it begins and ends.
func (e *emitter) literal(text string) {
	runes := []rune(text)
	hints, last := "", len(runes)-1
	if runes[0] == ' ' || isBreak(runes[0]) {
		hints = strconv.Itoa(e.Indent)
	}
	e.openEnded = isBreak(runes[last]) && (last == 0 || isBreak(runes[last-1]))
	switch {
	case e.openEnded:
		hints += "+"
	case !isBreak(runes[last]):
		hints += "-"
	}
	e.indicator("|"+hints, true, false, false)
	e.newline('\n')
	e.space, e.atIndent = true, true
	breaks := true
	for _, r := range runes {
		if isBreak(r) {
			e.newline(r)
			e.atIndent, breaks = true, true
			continue
		}
		if breaks {
			e.writeIndent()
		}
		e.put(string(r))
		e.atIndent, breaks = false, false
	}
}

func (e *emitter) plain(text string, fold bool) {
	if !e.space {
		e.put(" ")
	}
	runes, spaces := []rune(text), false
	for i, r := range runes {
		if r != ' ' {
			e.put(string(r))
			spaces = false
			continue
		}
		if fold && !spaces && e.column > e.Width && (i+1 == len(runes) || runes[i+1] != ' ') {
			e.writeIndent()
		} else {
			e.put(" ")
		}
		spaces = true
	}
	e.space, e.atIndent = false, false
}

func (e *emitter) single(text string, fold bool) {
	e.indicator("'", true, false, false)
	runes, spaces, breaks := []rune(text), false, false
	for i, r := range runes {
		switch {
		case r == ' ':
			edge := i == 0 || i == len(runes)-1
			if fold && !spaces && e.column > e.Width && !edge && runes[i+1] != ' ' {
				e.writeIndent()
			} else {
				e.put(" ")
			}
			spaces = true
		case isBreak(r):
			if !breaks && r == '\n' {
				e.newline('\n')
			}
			e.newline(r)
			e.atIndent, breaks = true, true
		default:
			if breaks {
				e.writeIndent()
			}
			if r == '\'' {
				e.put("'")
			}
			e.put(string(r))
			e.atIndent, spaces, breaks = false, false, false
		}
	}
	if breaks {
		e.writeIndent()
	}
	e.indicator("'", false, false, false)
	e.space, e.atIndent = false, false
}

var escapes = map[rune]string{
	0: `\0`, 7: `\a`, 8: `\b`, 9: `\t`, 10: `\n`, 11: `\v`, 12: `\f`, 13: `\r`, 27: `\e`, '"': `\"`, '\\': `\\`,
	0x85: `\N`, 0xa0: `\_`, 0x2028: `\L`, 0x2029: `\P`,
}

func (e *emitter) double(text string, fold bool) {
	e.indicator(`"`, true, false, false)
	runes, spaces := []rune(text), false
	for i, r := range runes {
		switch {
		case !isPrintable(r) || e.ASCII && r > 127 || isBreak(r) || r == '"' || r == '\\':
			e.put(escape(r))
			spaces = false
		case r == ' ':
			edge := i == 0 || i == len(runes)-1
			if fold && !spaces && e.column > e.Width && !edge {
				e.writeIndent()
				if runes[i+1] == ' ' {
					e.put(`\`)
				}
			} else {
				e.put(" ")
			}
			spaces = true
		default:
			e.put(string(r))
			spaces = false
		}
	}
	e.indicator(`"`, false, false, false)
	e.space, e.atIndent = false, false
}

func escape(r rune) string {
	if s, ok := escapes[r]; ok {
		return s
	}
	switch {
	case r <= 0xff:
		return fmt.Sprintf(`\x%02X`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04X`, r)
	}
	return fmt.Sprintf(`\U%08X`, r)
}
