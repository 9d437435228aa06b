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
	v := any(data)
	if lossy {
		omitLines(data)
		v = readable(data)
	}
	by := indent
	if by == 0 {
		by = 4
	}
	text, err := pyyaml.Dump(v, pyyaml.Format{Flow: pyyaml.FlowNever, Indent: indent, Blocks: true})
	if err != nil {
		return jinja.Repr(data)
	}
	return "\n" + indentLines(text, strings.Repeat(" ", by))
}

// indentLines indents the lines that are not blank, as Python's textwrap.
func indentLines(text, by string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
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

var spacesAtEnd = regexp.MustCompile(` +\n`)

// readable makes texts of several lines ones that YAML can show as they are:
// without tabs, space at the ends of lines and what is not printable.
func readable(v any) any {
	switch v := v.(type) {
	case *jinja.Dict:
		out := jinja.NewDict()
		for k, e := range v.All() {
			out.Set(k, readable(e))
		}
		return out
	case *jinja.List:
		out := &jinja.List{}
		for _, e := range v.Items {
			out.Items = append(out.Items, readable(e))
		}
		return out
	case string:
		if strings.ContainsAny(v, "\n\r\x1c\x1d\x1e\u0085\u2028\u2029") {
			return readableText(v)
		}
	}
	return v
}

func readableText(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\v', r == '\f', r == '\r', r < ' ' && r != '\n' && r != '\t', r >= 0x7f && r < 0xa0:
			return -1
		}
		return r
	}, strings.TrimRight(s, " \t\r\n\v\f"))
	return spacesAtEnd.ReplaceAllString(expandTabs(s), "\n")
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
		dump, err := pyyaml.Dump(readable(data), pyyaml.Format{Flow: pyyaml.FlowNever, Width: 1000, Blocks: true})
		if err != nil {
			dump = jinja.Repr(data)
		}
		text += "\n" + dump
	}
	return strings.TrimRight(strings.ReplaceAll(text, "\n", "\n  "), " \n")
}
