package jinja

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var updateCases = flag.Bool("update", false, "write what Python's Jinja2 gives into testdata/cases")

// A case file holds templates and what they give, between lines "--->" and
// "===". Its first line may be "## " and the environment's options as JSON.
// Where gplay means to differ, a line "---x " with the reason and what gplay
// gives follow what Python gives.
type caseFile struct {
	path    string
	options map[string]any
	header  string
	cases   []renderCase
}

type renderCase struct {
	template, want string
	reason, ours   string
	line           int
}

func readCases(t testing.TB) []*caseFile {
	paths, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no case files", err)
	}
	var files []*caseFile
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := &caseFile{path: path}
		text := string(data)
		line := 1
		if strings.HasPrefix(text, "## ") {
			f.header, text, _ = strings.Cut(text, "\n")
			line++
			if err := json.Unmarshal([]byte(f.header[3:]), &f.options); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		}
		for _, block := range strings.Split(text, "\n===\n") {
			if strings.TrimSpace(block) == "" {
				continue
			}
			c := renderCase{line: line}
			c.template, c.want, _ = strings.Cut(block, "\n--->\n")
			c.want, c.ours, _ = strings.Cut(c.want, "\n---x ")
			c.reason, c.ours, _ = strings.Cut(c.ours, "\n")
			f.cases = append(f.cases, c)
			line += strings.Count(block, "\n") + 2
		}
		files = append(files, f)
	}
	return files
}

func (f *caseFile) write(t *testing.T, results []string) {
	var b strings.Builder
	if f.header != "" {
		b.WriteString(f.header + "\n")
	}
	for i, c := range f.cases {
		b.WriteString(c.template + "\n--->\n" + results[i] + "\n")
		if c.reason != "" {
			b.WriteString("---x " + c.reason + "\n" + c.ours + "\n")
		}
		b.WriteString("===\n")
	}
	if err := os.WriteFile(f.path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readTemplates(t testing.TB) map[string]string {
	out := map[string]string{}
	paths, _ := filepath.Glob("testdata/templates/*.txt")
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(path)] = string(data)
	}
	return out
}

func readVars(t testing.TB) (string, Vars) {
	data, err := os.ReadFile("testdata/vars.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(data), freshVars(t, data)
}

// freshVars reads the variables with their dicts in the order of the file.
func freshVars(t testing.TB, data []byte) Vars {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decodeOrdered(d)
	if err != nil {
		t.Fatal(err)
	}
	vars := Vars{}
	for k, value := range v.(*Dict).All() {
		vars[k.(string)] = value
	}
	return vars
}

func decodeOrdered(d *json.Decoder) (any, error) {
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('{'):
		out := NewDict()
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := decodeOrdered(d)
			if err != nil {
				return nil, err
			}
			out.Set(k, v)
		}
		_, err = d.Token()
		return out, err
	case json.Delim('['):
		out := NewList()
		for d.More() {
			v, err := decodeOrdered(d)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, v)
		}
		_, err = d.Token()
		return out, err
	}
	return FromGo(tok), nil
}

func caseEnvironment(options map[string]any, templates map[string]string) *Environment {
	str := func(k string) string { s, _ := options[k].(string); return s }
	is := func(k string) bool { b, _ := options[k].(bool); return b }
	e := &Environment{Options: Options{
		BlockStart: str("block_start_string"), BlockEnd: str("block_end_string"),
		VariableStart: str("variable_start_string"), VariableEnd: str("variable_end_string"),
		CommentStart: str("comment_start_string"), CommentEnd: str("comment_end_string"),
		LineStatement: str("line_statement_prefix"), LineComment: str("line_comment_prefix"),
		TrimBlocks: is("trim_blocks"), LstripBlocks: is("lstrip_blocks"),
		KeepTrailingNewline: is("keep_trailing_newline"), NewlineSequence: str("newline_sequence"),
		Autoescape: is("autoescape"),
	}}
	e.Loader = func(c *Context, name string) (*Template, error) {
		text, ok := templates[name]
		if !ok {
			return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
		}
		return e.Compile(name, text)
	}
	return e
}

func renderOurs(e *Environment, template string, vars Vars) string {
	t, err := e.Compile("", template)
	if err != nil {
		return "error: " + err.Error()
	}
	out, err := t.Render(context.Background(), vars)
	if err != nil {
		return "error: " + err.Error()
	}
	return out
}

// TestCases renders every case and compares it with what the file says.
func TestCases(t *testing.T) {
	templates := readTemplates(t)
	data, err := os.ReadFile("testdata/vars.json")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, f := range readCases(t) {
		e := caseEnvironment(f.options, templates)
		for _, c := range f.cases {
			place := fmt.Sprintf("%s:%d", f.path, c.line)
			if first := seen[f.header+c.template]; first != "" {
				t.Errorf("%s is %s again", place, first)
			}
			seen[f.header+c.template] = place
			want := c.want
			if c.reason != "" {
				want = c.ours
			}
			if got := renderOurs(e, c.template, freshVars(t, data)); got != want {
				t.Errorf("%s:\n%s\ngot:  %q\nwant: %q", place, c.template, got, want)
			}
			if c.reason != "" && c.want == c.ours {
				t.Errorf("%s: no longer differs: %s", place, c.reason)
			}
		}
	}
}

// TestOracle has Python's Jinja2 render every case: what the files say is what
// it gives.
func TestOracle(t *testing.T) {
	files := readCases(t)
	var cases []oracleCase
	for _, f := range files {
		for _, c := range f.cases {
			cases = append(cases, oracleCase{Template: c.template, Options: f.options})
		}
	}
	var results []string
	askPython(t, cases, func(i int, text *string) {
		if text == nil {
			t.Fatalf("Python does not end: %s", cases[i].Template)
		}
		results = append(results, *text)
	})
	for _, f := range files {
		mine := results[:len(f.cases)]
		results = results[len(f.cases):]
		if *updateCases {
			f.write(t, mine)
			continue
		}
		for i, c := range f.cases {
			if mine[i] != c.want {
				t.Errorf("%s:%d:\n%s\nPython: %q\nfile:   %q", f.path, c.line, c.template, mine[i], c.want)
			}
		}
	}
}

// oracleCase is a template for Python to render, with the environment's options.
type oracleCase struct {
	Template string         `json:"template"`
	Options  map[string]any `json:"options"`
	Parse    bool           `json:"parse,omitempty"` // only parse it: the answer is empty, or the error
}

// needPython is the Python that has Ansible's Jinja2.
func needPython(t testing.TB) string {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import jinja2").Run(); err != nil {
		missing := "needs /usr/bin/python3 with jinja2 (Debian package python3-jinja2)"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return python
}

// askPython has one Python process render the cases. Each answer is given to
// answer as it comes: the text, or nil where Python gave up.
func askPython(t testing.TB, cases []oracleCase, answer func(i int, text *string)) {
	cmd := exec.Command(needPython(t), "testdata/oracle.py")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	vars, _ := readVars(t)
	templates := readTemplates(t)
	go func() {
		defer in.Close()
		e := json.NewEncoder(in)
		e.Encode(map[string]any{"templates": templates, "vars": vars})
		for _, c := range cases {
			if e.Encode(c) != nil {
				return // Python ended, which Wait reports
			}
		}
	}()
	d := json.NewDecoder(out)
	for i := range cases {
		var text *string
		if err := d.Decode(&text); err != nil {
			t.Fatalf("after %d cases: %v\n%s", i, err, stderr.Bytes())
		}
		answer(i, text)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
}
