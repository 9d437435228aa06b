package callback

import (
	"regexp"
	"strings"

	"gplay/internal/pyyaml"
	"gplay/jinja"
	"gplay/playbook/runner"
)

// asYAML is a result as result_format=yaml shows it.
func (d *display) asYAML(data *jinja.Dict, indent int) string {
	lossy := d.Pretty == nil || *d.Pretty
	block := keptBlock
	if lossy {
		omitLines(data)
		block = readableBlock
	}
	by := indent
	if by == 0 {
		by = 4
	}
	text, err := pyyaml.Dump(data, pyyaml.Format{Flow: pyyaml.FlowNever, Indent: indent, Block: block})
	if err != nil {
		return jinja.Repr(data)
	}
	return "\n" + indentLines(text, strings.Repeat(" ", by))
}

// indentLines indents the lines that are not blank, as Python's textwrap.
func indentLines(text, by string) string {
	lines := jinja.SplitLines(text, true)
	for i, line := range lines {
		if strings.TrimFunc(line, jinja.IsSpace) != "" {
			lines[i] = by + line
		}
	}
	return strings.Join(lines, "")
}

// omitLines leaves out the lines of what is there as one text.
func omitLines(data *jinja.Dict) {
	for _, name := range []string{"stdout", "stderr"} {
		_, whole := data.Get(name)
		if _, lines := data.Get(name + "_lines"); whole && lines {
			data.Set(name+"_lines", "<omitted>")
		}
	}
}

var (
	spacesAtEnd = regexp.MustCompile(` +([\n\x{85}\x{2028}\x{2029}])`)
	spacesAtNL  = regexp.MustCompile(` +\n`)
	moreSpace   = strings.NewReplacer("\v", "", "\f", "", "\r", "")
)

// keptBlock makes texts of several lines blocks, as they are.
func keptBlock(s string) (string, bool) {
	return s, strings.ContainsAny(s, "\n\u0085\u2028\u2029")
}

// readableBlock makes texts of several lines ones that YAML can show as blocks:
// without tabs, space at the ends of lines and what is not printable.
func readableBlock(s string) (string, bool) {
	if _, ok := keptBlock(s); !ok {
		return s, false
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 && r != 0x85 || r == 0xfeff || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, expandTabs(strings.TrimRightFunc(s, jinja.IsSpace)))
	return spacesAtEnd.ReplaceAllString(s, "$1"), true
}

// communityBlock is what community.general's output makes of such texts.
func communityBlock(s string) (string, bool) {
	if !strings.ContainsAny(s, "\n\r\x1c\x1d\x1e\u0085\u2028\u2029") {
		return s, false
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' && !strings.ContainsRune("\t\n\r\v\f", r) || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, strings.TrimRightFunc(s, jinja.IsSpace))
	return spacesAtNL.ReplaceAllString(moreSpace.Replace(expandTabs(s)), "\n"), true
}

// newYAML is the default output with results as YAML.
func newYAML(d *display) runner.Callback {
	d.blocksOnly = true
	return &standard{display: d, format: func(r *runner.Result) string { return communityYAML(d.shown(r)) }}
}

// communityYAML is community.general's output: the default one with results as
// YAML, and changed and skipped in a line before them.
func communityYAML(data *jinja.Dict) string {
	text := ""
	for _, name := range []string{"changed", "skipped"} {
		if v, ok := data.Get(name); ok {
			text += name + "=" + strings.ToLower(jinja.Str(v)) + " "
			data.Delete(name)
		}
	}
	omitLines(data)
	if data.Len() > 0 {
		dump, err := pyyaml.Dump(data, pyyaml.Format{Flow: pyyaml.FlowNever, Width: 1000, Block: communityBlock})
		if err != nil {
			dump = jinja.Repr(data)
		}
		text += "\n" + dump
	}
	return strings.TrimRight(strings.ReplaceAll(text, "\n", "\n  "), " \n")
}
