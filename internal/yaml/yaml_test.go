package yaml

import (
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gplay/internal/source"
	"gplay/jinja"
)

// The values were checked with PyYAML 6.0.
func TestScalar(t *testing.T) {
	large, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	for text, want := range map[string]any{
		"": nil, "~": nil, "null": nil, "NULL": nil, "nUll": "nUll",
		"yes": true, "No": false, "on": true, "OFF": false, "y": "y", "n": "n", "true": true, "tRUE": "tRUE",
		"0": 0, "5": 5, "+5": 5, "-5": -5, "0644": 420, "-0644": -420, "0o644": "0o644", "08": "08", "00": 0,
		"1_000": 1000, "_1": "_1", "0b101": 5, "0xff": 255, "0xFF_FF": 65535,
		"12:30:45": 45045, "-1:30": -90, "1:60": "1:60", "22:22": 1342, "8080:8080": "8080:8080", "80:80": "80:80",
		"1.": 1.0, ".5": 0.5, "1.5": 1.5, "1e3": "1e3", "1.5e3": "1.5e3", "1.5e+3": 1500.0, "1:30.5": 90.5,
		".inf": math.Inf(1), "-.INF": math.Inf(-1), "inf": "inf", ".": ".", "-": "-", "+": "+",
		"123456789012345678901234567890": large, "9223372036854775807": math.MaxInt64,
		"1.2.3": "1.2.3", "10.100.199.200": "10.100.199.200",
		"2020-1-2": "2020-1-2", "2020-02-31": "2020-02-31", "2001-12-14 24:59:43": "2001-12-14 24:59:43",
		"x": "x", "a b": "a b",
	} {
		if got := Scalar(text); !reflect.DeepEqual(got, want) {
			t.Errorf("Scalar(%q) = %v (%T), want %v (%T)", text, got, got, want, want)
		}
	}
	if f, ok := Scalar(".nan").(float64); !ok || !math.IsNaN(f) {
		t.Errorf("Scalar(.nan) = %v", Scalar(".nan"))
	}
	for text, want := range map[string]string{
		"2020-01-02":                   "datetime.date(2020, 1, 2)",
		"2001-12-14 21:59:43":          "datetime.datetime(2001, 12, 14, 21, 59, 43)",
		"2001-12-14t21:59:43.10-05:00": "datetime.datetime(2001, 12, 14, 21, 59, 43, 100000, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=68400)))",
		"2001-12-14T21:59:43Z":         "datetime.datetime(2001, 12, 14, 21, 59, 43, tzinfo=datetime.timezone.utc)",
	} {
		if got := jinja.Repr(jinja.NewList(Scalar(text))); got != "["+want+"]" {
			t.Errorf("Scalar(%q) = %s, want %s", text, got, want)
		}
	}
}

// show writes a value with its types in one line.
func show(v any) string {
	switch v := v.(type) {
	case *jinja.Dict:
		var parts []string
		for k, e := range v.All() {
			parts = append(parts, show(k)+": "+show(e))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *jinja.List:
		return showAll(v.Items)
	case *Template:
		return fmt.Sprintf("template %q", v.Text)
	case string:
		return fmt.Sprintf("%q", v)
	case []byte:
		return fmt.Sprintf("bytes %q", v)
	case jinja.Text:
		return fmt.Sprintf("%s %q", v.Class, v.Value)
	}
	return fmt.Sprint(v)
}

func showAll(items []any) string {
	var parts []string
	for _, e := range items {
		parts = append(parts, show(e))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func TestLoad(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", "<nil>"},
		{"only a comment", "# nothing\n", "<nil>"},
		{"only a marker", "---\n", "<nil>"},
		{"byte order mark", "\ufeffa: 1\n", `{"a": 1}`},
		{"order", "z: 1\na: 2\nm: 3\n", `{"z": 1, "a": 2, "m": 3}`},
		{"templates", "a: '{{ x }}'\nb: x {% if y %}\nc: '{# no #}'\nd: '{ {'\n", `{"a": template "{{ x }}", "b": template "x {% if y %}", "c": template "{# no #}", "d": "{ {"}`},
		{"keys are no templates", "'{{ k }}': 1\n", `{"{{ k }}": 1}`},
		{"keys of every kind", "5: a\nyes: b\n1.5: c\n", `{5: "a", true: "b", 1.5: "c"}`},
		{"unsafe", "a: !unsafe '{{ x }}'\nb: !unsafe ['{{ x }}']\nc: '{{ x }}'\n", `{"a": AnsibleUnsafeText "{{ x }}", "b": [AnsibleUnsafeText "{{ x }}"], "c": template "{{ x }}"}`},
		{"quoted numbers are text", "a: '1'\nb: \"yes\"\nc: |\n  5\n", `{"a": "1", "b": "yes", "c": "5\n"}`},
		{"tags", "a: !!str 0644\nb: !!int '5'\nc: !!float 1\nd: !!binary aGk=\ne: !!set {x, y}\nf: !!omap [a: 1]\n", `{"a": "0644", "b": 5, "c": 1, "d": bytes "hi", "e": ["x", "y"], "f": [["a", 1]]}`},
		{"merge", "b: &b {x: 1, y: 2}\nm:\n  <<: *b\n  y: 3\n", `{"b": {"x": 1, "y": 2}, "m": {"x": 1, "y": 3}}`},
		{"merge of several", "m:\n  <<: [{x: 1}, {x: 2, y: 3}]\n", `{"m": {"x": 1, "y": 3}}`},
		{"duplicate keys", "a: 1\nb: 2\na: 3\n", `{"a": 3, "b": 2}`},
		{"JSON", `{"a": [1, 1e3, true, null, "\ud83d\ude00"], "t": "{{ x }}"}`, `{"a": [1, 1000, true, <nil>, "😀"], "t": template "{{ x }}"}`},
		{"flow YAML is no JSON", "{a: yes, b: [0644]}", `{"a": true, "b": [420]}`},
		{"windows lines", "a: 1\r\nb: x\r\n", `{"a": 1, "b": "x"}`},
	}
	for _, tt := range tests {
		v, err := Load("f.yml", []byte(tt.in), Options{})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got := show(v); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestLoadData(t *testing.T) {
	v, err := Load("f.yml", []byte("a: '{{ x }}'\n"), Options{Data: true})
	if got := show(v); err != nil || got != `{"a": "{{ x }}"}` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestDuplicateKeysWarn(t *testing.T) {
	var warned []string
	opts := Options{Warn: func(msg string) { warned = append(warned, msg) }}
	if _, err := Load("/x/f.yml", []byte("- a: 1\n  a: 2\n- b: &b {c: 1}\n- <<: *b\n  c: 2\n- {yes: 1, on: 2}\n"), opts); err != nil {
		t.Fatal(err)
	}
	want := []string{"While constructing a mapping from /x/f.yml, line 1, column 3, found a duplicate dict key (a). Using last defined value only.",
		"While constructing a mapping from /x/f.yml, line 6, column 3, found a duplicate dict key (True). Using last defined value only."}
	if !reflect.DeepEqual(warned, want) {
		t.Errorf("got %q", warned)
	}
}

func TestAliasesShare(t *testing.T) {
	v, err := Load("f.yml", []byte("a: &x [1]\nb: *x\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := v.(*jinja.Dict)
	a, _ := d.Get("a")
	b, _ := d.Get("b")
	if a != b {
		t.Error("an alias makes a second list")
	}
}

// Each case is a text and what is printed about it, byte for byte.
func TestErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"tab", "a:\n\tb: 1\n", `f.yml:2:1: a tab stands in the indentation, where YAML allows only spaces
2 |` + "\t" + `b: 1
  |^
hint: replace the tab with spaces
`},
		{"braces alone", "- debug:\n    msg: {{ x }}\n", `f.yml:2:10: a value that begins with a template has to be in quotes
2 |    msg: {{ x }}
  |         ^^^^^^^
hint: write "{{ x }}"
`},
		{"braces and text", "a:\n  b: {{ x }}/foo\n", `f.yml:2:6: a value that begins with a template has to be in quotes
2 |  b: {{ x }}/foo
  |     ^^^^^^^^^^^
hint: write "{{ x }}/foo"
`},
		{"text after a quote", "a: \"x\" y\n", `f.yml:1:8: a value that begins with a quote has to end with it, but text follows
1 |a: "x" y
  |       ^
hint: put the whole value in quotes: '"x" y'
`},
		{"colon in a value", "a: see: this\n", `f.yml:1:7: a colon followed by a space stands inside a value that is not in quotes
1 |a: see: this
  |      ^
hint: write "see: this"
`},
		{"no space", "a:\n  b:1\n  c: 2\n", `f.yml:2:4: the colon after "b" has no space behind it
2 |  b:1
  |   ^
hint: write b: 1
`},
		{"open quote", "a: \"x\nb: 1\n", `f.yml:1:4: this quote is not closed
1 |a: "x
  |   ^
`},
		{"indentation", "a:\n  b: 1\n c: 2\n", `f.yml:3:2: this line does not fit the lines above it: check its indentation
3 | c: 2
  | ^
`},
		{"second document", "a: 1\n---\nb: 2\n", `f.yml:2:1: a second YAML document begins here, but a file may hold only one
2 |---
  |^
hint: remove the --- line before it, or move it to a file of its own
`},
		{"unknown anchor", "a: 1\nb: *nope\n", `f.yml:2:4: the alias *nope refers to nothing: no &nope stands above it
2 |b: *nope
  |   ^^^^^
`},
		{"no day", "a: 2020-13-45\n", `f.yml:1:4: 2020-13-45 is a time that no calendar has
1 |a: 2020-13-45
  |   ^^^^^^^^^^
hint: quote the value if it is meant as text
`},
		{"unknown tag", "a: !foo x\n", `f.yml:1:4: the tag !foo has no meaning here
1 |a: !foo x
  |   ^^^^
hint: quote the value if it is meant to begin with an exclamation mark
`},
		{"vault", "a: !vault |\n  secret\n", `f.yml:1:4: the value of !vault must be text that was encrypted with Ansible Vault
1 |a: !vault |
  |   ^^^^^^
`},
		{"an alias of itself", "a: &x [*x]\n", `f.yml:1:8: the alias *x contains itself
1 |a: &x [*x]
  |       ^
`},
		{"a dict as key", "a: {{b: c}: d}\n", `f.yml:1:4: a value that begins with a template has to be in quotes
1 |a: {{b: c}: d}
  |   ^^^^^^^^^^^
hint: write "{{b: c}: d}"
`},
		{"a list as key", "a:\n  ? [x, y]\n  : d\n", `f.yml:2:5: a list cannot be the key of a dict
2 |  ? [x, y]
  |    ^
`},
		{"merge of no dict", "a:\n  <<: 5\n", `f.yml:2:3: << wants a dict or a list of dicts to merge, not the number 5
2 |  <<: 5
  |  ^^
`},
		{"no UTF-8", "a: 1\nb: \xff\n", "f.yml:2:4: this is no UTF-8 text\n2 |b: \ufffd\n  |   ^\n"},
		{"wrong tag", "a: !!int x\n", "f.yml:1:4: !!int does not fit the value \"x\"\n1 |a: !!int x\n  |   ^\n"},
		{"open bracket", "a: [1, 2\nb: 3\n", "f.yml:2:1: a list or dict in brackets is not closed, or a comma is missing\n2 |b: 3\n  |^\n"},
		{"a list in a dict", "a: 1\n- b\n", "f.yml:2:1: this line does not fit the lines above it: check its indentation\n2 |- b\n  |^\n"},
		{"a character", "a: @b\n", "f.yml:1:1: this character cannot begin a value: put the value in quotes\n1 |a: @b\n  |^\n"},
	}
	t.Chdir(t.TempDir())
	wd, _ := os.Getwd()
	file := filepath.Join(wd, "f.yml")
	for _, tt := range tests {
		if err := os.WriteFile(file, []byte(tt.in), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ReadFile(file, Options{})
		if err == nil {
			t.Errorf("%s: no error", tt.name)
		} else if got := source.Describe(err); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// Each text has a template in which X stands; PosAt has to find that X.
func TestPosAt(t *testing.T) {
	for name, in := range map[string]string{
		"plain":             "a: foo {{ X }}\n",
		"plain, folded":     "a: foo\n   bar\n\n   {{ X }}\n",
		"single quotes":     "a: 'it''s {{ X }}'\n",
		"double quotes":     "a: \"\\\"q\\\" \\u00e9 \\n {{ X }}\"\n",
		"double, folded":    "a: \"foo \\\n   bar {{\n  X }}\"\n",
		"literal":           "a: |\n  one\n\n    two\n  {{ X }}\n",
		"literal, stripped": "a: |-\n\n  {{ X }}\n",
		"folded":            "a: >\n  one\n  two\n\n  {{ X }} z\n",
		"in a list":         "- - [1, \"{{ X }}\"]\n",
		"anchored":          "a: &anchor '{{ X }}'\n",
		"tagged":            "a: !!str \"{{ X }}\"\n",
		"wide":              "a: 名前 {{ X }}\n",
		"JSON":              "{\n  \"a\": \"é {{ X }}\"}\n",
	} {
		n, err := Parse("f", []byte(in), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		tmpl := find(n.Any())
		line, col := place(tmpl.Text, 'X')
		wantLine, wantCol := place(in, 'X')
		if got := tmpl.PosAt(line, col); got != (source.Pos{File: "f", Line: wantLine, Col: wantCol}) {
			t.Errorf("%s: X is at %v, want line %d, column %d", name, got, wantLine, wantCol)
		}
		part := tmpl.Part(tmpl.Text[strings.IndexByte(tmpl.Text, '{'):], strings.IndexByte(tmpl.Text, '{'))
		line, col = place(part.Text, 'X')
		if got := part.PosAt(line, col); got.Line != wantLine || got.Col != wantCol {
			t.Errorf("%s: in a part X is at %v, want line %d, column %d", name, got, wantLine, wantCol)
		}
	}
}

func find(v any) *Template {
	switch v := v.(type) {
	case *Template:
		return v
	case *jinja.Dict:
		a, _ := v.Get("a")
		return find(a)
	case *jinja.List:
		return find(v.Items[len(v.Items)-1])
	}
	return nil
}

// place is where mark stands in text: line and column from 1.
func place(text string, mark rune) (line, col int) {
	line, col = 1, 1
	for _, r := range text {
		switch r {
		case mark:
			return line, col
		case '\n':
			line, col = line+1, 1
		default:
			col++
		}
	}
	return 0, 0
}
