package jinja

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
type caseFile struct {
	path    string
	options map[string]any
	header  string
	cases   []renderCase
}

type renderCase struct {
	template, want string
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
			template, want, _ := strings.Cut(block, "\n--->\n")
			f.cases = append(f.cases, renderCase{template, want, line})
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
		b.WriteString(c.template + "\n--->\n" + results[i] + "\n===\n")
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
	for _, f := range readCases(t) {
		e := caseEnvironment(f.options, templates)
		for _, c := range f.cases {
			if got := renderOurs(e, c.template, freshVars(t, data)); got != c.want {
				t.Errorf("%s:%d:\n%s\ngot:  %q\nwant: %q", f.path, c.line, c.template, got, c.want)
			}
		}
	}
}

// TestOracle has Python's Jinja2 render every case: what the files say is what
// it gives.
func TestOracle(t *testing.T) {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import jinja2").Run(); err != nil {
		missing := "needs /usr/bin/python3 with jinja2 (Debian package python3-jinja2)"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	files := readCases(t)
	type request struct {
		Template string         `json:"template"`
		Options  map[string]any `json:"options"`
	}
	var cases []request
	for _, f := range files {
		for _, c := range f.cases {
			cases = append(cases, request{c.template, f.options})
		}
	}
	vars, _ := readVars(t)
	input, err := json.Marshal(map[string]any{"cases": cases, "templates": readTemplates(t), "vars": vars})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "testdata/oracle.py")
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var results []string
	if err := json.Unmarshal(out, &results); err != nil {
		t.Fatal(err)
	}
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
