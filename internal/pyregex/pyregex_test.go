package pyregex

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// operation is one call of Python's re; Got is what it gives.
type operation struct {
	Op, Pattern, Text, Template string
	Flags                       Flags
	Limit                       int
}

var operations = []operation{
	{Op: "search", Pattern: `(?P<key>\w+)=(?P<value>.*)$`, Text: "a b=c d"},
	{Op: "search", Pattern: `(a)(?P<n>b)(c)`, Text: "xabcx"},
	{Op: "search", Pattern: `(?P<q>['"]).*?(?P=q)1`, Text: `say "it's"1`},
	{Op: "search", Pattern: `end\Z`, Text: "end\n"},
	{Op: "search", Pattern: `end$`, Text: "end\n"},
	{Op: "search", Pattern: `^b$`, Text: "a\nb\nc", Flags: Multiline},
	{Op: "search", Pattern: `a.b`, Text: "a\nb", Flags: DotAll},
	{Op: "search", Pattern: `a.b`, Text: "a\nb"},
	{Op: "search", Pattern: `(?i)HELLO`, Text: "say hello"},
	{Op: "search", Pattern: `(?is)H.LLO`, Text: "say h\nllo"},
	{Op: "search", Pattern: `x{,2}y`, Text: "xxxy"},
	{Op: "search", Pattern: `a{b}{,}`, Text: "a{b}{,}"},
	{Op: "search", Pattern: `{{ *(\w+) *}}`, Text: "is {{ name }} ok"},
	{Op: "search", Pattern: `[[a-z-[aeiou]]+`, Text: "b[-e]x"},
	{Op: "search", Pattern: `[]x]+`, Text: "a]x]"},
	{Op: "search", Pattern: `[^]]+`, Text: "]ab]"},
	{Op: "search", Pattern: `[\d\-\]]+`, Text: "a1-]b"},
	{Op: "search", Pattern: `\x41\u0042\U00000043\07`, Text: "ABC\a"},
	{Op: "search", Pattern: `[\101\x42]+`, Text: "xABx"},
	{Op: "search", Pattern: `(a)?(?(1)b|c)`, Text: "c"},
	{Op: "search", Pattern: `(?P<x>a)?(?(x)b|c)`, Text: "ab"},
	{Op: "search", Pattern: `(?<=a)b(?!c)`, Text: "abcab"},
	{Op: "search", Pattern: `a (?# nothing )b # c`, Text: "a b # c"},
	{Op: "search", Pattern: " a  # (first\n b\\ c [ ] # last", Text: "ab c ", Flags: Verbose},
	{Op: "search", Pattern: `(?u)\w+`, Text: "größe"},
	{Op: "search", Pattern: `(?i:A)b`, Text: "ab aB"},
	{Op: "search", Pattern: `(((((((((((x)))))))))))\11`, Text: "xx"},
	{Op: "search", Pattern: `größe`, Text: "die größe"},
	{Op: "search", Pattern: `\-\/\ \#\"\'`, Text: `-/ #"'`},
	{Op: "match", Pattern: `b`, Text: "ab"},
	{Op: "match", Pattern: `a|b`, Text: "ab"},
	{Op: "fullmatch", Pattern: `a|ab`, Text: "ab"},
	{Op: "fullmatch", Pattern: `a`, Text: "a\n"},
	{Op: "fullmatch", Pattern: "a # x", Text: "a", Flags: Verbose},
	{Op: "sub", Pattern: `x*`, Template: "-", Text: "abxd"},
	{Op: "sub", Pattern: `(\w+) (\w+)`, Template: `\2 \1`, Text: "a b c d"},
	{Op: "sub", Pattern: `(?P<x>a)(b)?`, Template: `<\g<x>\g<2>\g<0>>`, Text: "ab a"},
	{Op: "sub", Pattern: `a`, Template: `\n\t\\`, Text: "bab"},
	{Op: "sub", Pattern: `(a)`, Template: `\g<1>0\101\0`, Text: "a"},
	{Op: "sub", Pattern: `a`, Template: `\.\-`, Text: "a"},
	{Op: "sub", Pattern: `a`, Template: `$1${x}$$`, Text: "a"},
	{Op: "sub", Pattern: `a`, Template: "b", Text: "aaaa", Limit: 2},
	{Op: "sub", Pattern: `^`, Template: "# ", Text: "a\nb\n", Flags: Multiline},
	{Op: "findall", Pattern: `a*`, Text: "baac"},
	{Op: "split", Pattern: `(,)|;`, Text: "a,b;c"},
	{Op: "split", Pattern: `\s*`, Text: "a b", Limit: 2},
	// Faults.
	{Op: "search", Pattern: `(`},
	{Op: "search", Pattern: `(?<x>a)`},
	{Op: "search", Pattern: `(?P<x>a)(?P<x>b)`},
	{Op: "search", Pattern: `[a`},
	{Op: "search", Pattern: `\p{L}`},
	{Op: "search", Pattern: `\z`},
	{Op: "search", Pattern: `\2(a)`},
	{Op: "search", Pattern: `*a`},
	{Op: "search", Pattern: `a\`},
	{Op: "sub", Pattern: `a`, Template: `\1`, Text: "a"},
	{Op: "sub", Pattern: `a`, Template: `\g<x>`, Text: "a"},
	{Op: "sub", Pattern: `a`, Template: `\q`, Text: "a"},
	{Op: "sub", Pattern: `a`, Template: `\`, Text: "a"},
}

const oracle = `
import json, re, sys
def run(o):
    try:
        r = re.compile(o["Pattern"], sum(f for b, f in ((1, re.I), (2, re.M), (4, re.S), (8, re.X)) if o["Flags"] & b))
        if o["Op"] == "sub": return r.sub(o["Template"], o["Text"], o["Limit"])
        if o["Op"] == "findall": return [m.group() for m in r.finditer(o["Text"])]
        if o["Op"] == "split": return r.split(o["Text"], o["Limit"])
        m = getattr(r, o["Op"])(o["Text"])
        return m and [[m.group(i), m.start(i), m.end(i)] for i in range(r.groups + 1)] + [r.groupindex and dict(r.groupindex)]
    except (re.error, IndexError):
        return "error"
print(json.dumps([run(o) for o in json.load(sys.stdin)]))
`

// TestPython holds every operation against Python's own re.
func TestPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		missing(t, "python3, whose module re is the reference, is not installed")
	}
	input, err := json.Marshal(operations)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-W", "ignore", "-c", oracle)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		stdin.Write(input)
		stdin.Close()
	}()
	output, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []json.RawMessage
	if err := json.Unmarshal(output, &want); err != nil {
		t.Fatal(err)
	}
	for i, o := range operations {
		got, err := json.Marshal(run(o))
		if err != nil {
			t.Fatal(err)
		}
		if !equalJSON(t, got, want[i]) {
			t.Errorf("%+v:\n got %s\nwant %s", o, got, want[i])
		}
	}
}

func missing(t *testing.T, what string) {
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func equalJSON(t *testing.T, a, b []byte) bool {
	var va, vb any
	if err := json.Unmarshal(a, &va); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &vb); err != nil {
		t.Fatal(err)
	}
	na, err := json.Marshal(va)
	if err != nil {
		t.Fatal(err)
	}
	nb, err := json.Marshal(vb)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Equal(na, nb)
}

func run(o operation) any {
	r, err := Compile(o.Pattern, o.Flags)
	if err != nil {
		return "error"
	}
	switch o.Op {
	case "sub":
		s, _, err := r.Sub(o.Template, o.Text, o.Limit)
		if err != nil {
			return "error"
		}
		return s
	case "findall":
		var all []string
		found, err := r.FindAll(o.Text, 0)
		if err != nil {
			return err.Error()
		}
		for _, m := range found {
			s, _ := m.Group(0)
			all = append(all, s)
		}
		return all
	case "split":
		parts, err := r.Split(o.Text, o.Limit)
		if err != nil {
			return err.Error()
		}
		return parts
	}
	m, err := map[string]func(string) (*Match, error){"search": r.Search, "match": r.Match, "fullmatch": r.FullMatch}[o.Op](o.Text)
	if err != nil {
		return err.Error()
	}
	if m == nil {
		return nil
	}
	var out []any
	for i := range r.Groups() + 1 {
		var text any
		if s, ok := m.Group(i); ok {
			text = s
		}
		out = append(out, []any{text, m.Start(i), m.End(i)})
	}
	return append(out, r.Names())
}

// An expression that backtracks without end is given up, by all that use it.
func TestLimit(t *testing.T) {
	text := strings.Repeat("a", 50) + "!"
	re := func() *Regexp {
		r, err := Compile("(a+)+$", 0)
		if err != nil {
			t.Fatal(err)
		}
		return r.Within(50 * time.Millisecond)
	}
	for name, use := range map[string]func() error{
		"search":    func() error { _, err := re().Search(text); return err },
		"match":     func() error { _, err := re().Match(text); return err },
		"fullmatch": func() error { _, err := re().FullMatch(text); return err },
		"findall":   func() error { _, err := re().FindAll(text, 0); return err },
		"split":     func() error { _, err := re().Split(text, 0); return err },
		"sub":       func() error { _, _, err := re().Sub("x", text, 0); return err },
	} {
		if err := use(); err == nil || !strings.Contains(err.Error(), `"(a+)+$" found no end within 50ms`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m, err := re().Search("aaa"); m == nil || err != nil {
		t.Errorf("what ends gave %v %v", m, err)
	}
}

func TestInvalidUTF8IsKept(t *testing.T) {
	r, err := Compile("b", 0)
	if err != nil {
		t.Fatal(err)
	}
	got, n, err := r.Sub("x", "a\xffb\xc3", 0)
	if got != "a\xffx\xc3" || n != 1 || err != nil {
		t.Errorf("got %q, %d, %v", got, n, err)
	}
}
