package callback

import (
	"fmt"
	"strings"

	"github.com/pmezard/go-difflib/difflib"

	"gplay/internal/pyyaml"
	"gplay/jinja"
	"gplay/playbook/runner"
)

// diffs shows what a result changed.
func (d *display) diffs(r *runner.Result) {
	if text := d.diffText(r); text != "" {
		d.line(text, "")
	}
}

// diffText is what a result changed, as text.
func (d *display) diffText(r *runner.Result) string {
	changed, _ := r.Data.Get("changed")
	if !r.Diff || changed != true || r.Status != runner.OK && r.Status != runner.Changed {
		return ""
	}
	v, _ := r.Data.Get("diff")
	return d.diff(v)
}

// diff is one diff, or a list of them, as text.
func (d *display) diff(v any) string {
	items := []any{v}
	if l, ok := v.(*jinja.List); ok {
		items = l.Items
	}
	var b strings.Builder
	for _, item := range items {
		if one, ok := item.(*jinja.Dict); ok {
			d.oneDiff(&b, one)
		}
	}
	return b.String()
}

func (d *display) oneDiff(b *strings.Builder, one *jinja.Dict) {
	for _, skip := range []struct{ key, msg string }{
		{"dst_binary", "destination file appears to be binary"},
		{"src_binary", "source file appears to be binary"},
		{"dst_larger", "destination file size is greater than %v"},
		{"src_larger", "source file size is greater than %v"},
	} {
		if limit, ok := one.Get(skip.key); ok {
			msg := skip.msg
			if strings.Contains(msg, "%v") {
				msg = fmt.Sprintf(msg, limit)
			}
			b.WriteString("diff skipped: " + msg + "\n")
		}
	}
	before, isBefore := one.Get("before")
	after, isAfter := one.Get("after")
	if isBefore && isAfter {
		d.unified(b, header(one, "before"), header(one, "after"), d.sideText(before), d.sideText(after))
	}
	if prepared, ok := one.Get("prepared"); ok {
		b.WriteString(jinja.Str(prepared))
	}
}

func header(one *jinja.Dict, side string) string {
	if h, ok := one.Get(side + "_header"); ok {
		return side + ": " + jinja.Str(h)
	}
	return side
}

// sideText is one side of a diff; what is no text is compared in the format of
// results.
func (d *display) sideText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, err := d.state(v)
	if err != nil {
		return jinja.Str(v)
	}
	return text
}

func (d *display) state(v any) (string, error) {
	data, ok := v.(*jinja.Dict)
	switch {
	case d.blocksOnly:
		return pyyaml.Dump(v, pyyaml.Format{Flow: pyyaml.FlowNever, Width: 1000})
	case ok && d.YAML:
		return strings.TrimPrefix(d.asYAML(data, 4), "\n") + "\n", nil
	}
	text, err := jinja.JSON(v, jinja.JSONOptions{Indent: "    ", SortKeys: true, ASCII: true, Default: asText})
	return text + "\n", err
}

func (d *display) unified(b *strings.Builder, beforeName, afterName, before, after string) {
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: diffLines(before), B: diffLines(after), FromFile: beforeName, ToFile: afterName, Context: d.DiffContext,
	})
	if err != nil || text == "" {
		return
	}
	for _, line := range diffRows(text) {
		color := ""
		switch {
		case strings.HasPrefix(line, "+"):
			color = colorDiffAdd
		case strings.HasPrefix(line, "-"):
			color = colorDiffRemove
		case strings.HasPrefix(line, "@@"):
			color = colorDiffLines
		}
		b.WriteString(d.paint(line, color))
	}
	b.WriteString("\n")
}

const noNewline = "\\ No newline at end of file\n"

// diffRows are the lines of a diff. What is said about a line belongs to it.
func diffRows(text string) []string {
	var rows []string
	for _, line := range strings.SplitAfter(text, "\n") {
		if line == noNewline {
			rows[len(rows)-1] += line
			continue
		}
		rows = append(rows, line)
	}
	return rows
}

// diffLines are the lines of text, each with its end.
func diffLines(text string) []string {
	lines := jinja.SplitLines(text, true)
	if last := len(lines) - 1; last >= 0 && !strings.HasSuffix(lines[last], "\n") {
		lines[last] += "\n" + noNewline
	}
	return lines
}
