package filters_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gplay/internal/oracle"
	"gplay/jinja"
)

var (
	randomCases = flag.Int("random", 400, "how many random expressions to compare with Ansible")
	randomSeed  = flag.Uint64("seed", 0, "of the random expressions; 0 takes the clock's")
)

// TestRandomExpressionsAsAnsible gives random values to the filters that have
// the most to get wrong.
func TestRandomExpressionsAsAnsible(t *testing.T) {
	oracle.Need(t)
	seed := *randomSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed=%d -random=%d", seed, *randomCases)
	g := generator{rand.New(rand.NewPCG(seed, 0))}
	exprs := make([]string, *randomCases)
	for i := range exprs {
		exprs[i] = g.expression()
	}
	file, err := filepath.Abs("testdata/vars.yml")
	if err != nil {
		t.Fatal(err)
	}
	eval := evaluator(t, file)
	for i, want := range oracle.Expressions(t, oracle.World{Dir: t.TempDir(), Vars: file}, exprs) {
		got := eval(exprs[i])
		if got.Text != want.Text || (got.Error == "") != (want.Error == "") {
			t.Errorf("%s\n got %s\nwant %s", exprs[i], got, want)
		}
	}
}

type generator struct{ *rand.Rand }

func (g generator) oneOf(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g generator) expression() string {
	switch g.IntN(12) {
	case 0, 1:
		return jinja.Repr(g.value(3)) + "|to_json" + g.options("sort_keys=true", "ensure_ascii=false", "indent=2", "indent=0", "separators=(',', ':')")
	case 2:
		return jinja.Repr(g.value(3)) + "|to_nice_json" + g.options("sort_keys=false", "ensure_ascii=false", "indent=1")
	case 3, 4, 5:
		return jinja.Repr(g.value(4)) + "|to_yaml" + g.options("default_flow_style=false", "default_flow_style=true", "width=20", "width=60", "indent=4", "indent=3", "sort_keys=false")
	case 6, 7:
		return jinja.Repr(g.value(4)) + "|to_nice_yaml" + g.options("width=20", "width=60", "indent=2", "indent=3", "sort_keys=false", "explicit_start=true")
	case 8:
		return jinja.Repr(g.yaml()) + "|from_yaml"
	case 9:
		return jinja.Repr(g.text()) + g.oneOf("|regex_findall(", "|regex_search(", "|regex_replace(") + jinja.Repr(g.pattern()) + g.oneOf("", ", ignorecase=true", ", multiline=true") + ")"
	case 10:
		return fmt.Sprintf("'%s'|format(%s)", g.oneOf("%5d", "%-8s|", "%08.3f", "%x", "%e", "%g", "%+d", "%r", "%.2f", "%o", "%c", "%5.1f%%", "%s", "%-5d|", "% d", "%#x"), g.oneOf(jinja.Repr(g.number()), jinja.Repr(g.text())))
	}
	return g.collection()
}

// options calls with some of the choices, or with none.
func (g generator) options(choices ...string) string {
	var some []string
	seen := map[string]bool{}
	for range g.IntN(3) {
		choice := g.oneOf(choices...)
		if name, _, _ := strings.Cut(choice, "="); !seen[name] {
			some, seen[name] = append(some, choice), true
		}
	}
	if len(some) == 0 {
		return ""
	}
	return "(" + strings.Join(some, ", ") + ")"
}

func (g generator) collection() string {
	a, b := jinja.Repr(g.list(2)), jinja.Repr(g.list(2))
	switch g.IntN(8) {
	case 0:
		return a + "|" + g.oneOf("union", "intersect", "difference", "symmetric_difference") + "(" + b + ")"
	case 1:
		return a + "|unique" + g.options("case_sensitive=true")
	case 2:
		return a + "|flatten" + g.options("levels=1", "levels=0", "skip_nulls=false")
	case 3:
		return jinja.Repr(g.dict(3)) + "|combine(" + jinja.Repr(g.dict(3)) + ", recursive=" + g.oneOf("true", "false") +
			", list_merge='" + g.oneOf("replace", "keep", "append", "prepend", "append_rp", "prepend_rp") + "')"
	case 4:
		return jinja.Repr(g.text()) + "|" + g.oneOf("b64encode", "quote", "urlencode", "regex_escape", "urldecode", "basename", "dirname", "splitext", "to_uuid", "hash('sha256')", "comment", "comment('xml')", "split", "urlsplit", "bool")
	case 5:
		return a + "|" + g.oneOf("zip(", "zip_longest(", "product(") + b + ")|list"
	case 6:
		return fmt.Sprint(g.IntN(1<<30)) + "|" + g.oneOf("human_readable", "human_readable(true)", "log", "root(3)", "pow(1.5)", "root", "log(10)", "human_readable(unit='M')")
	}
	return jinja.Repr(g.dict(2)) + "|dict2items"
}

var letters = []string{
	"a", "b", "c", "Z", "0", "1", "9", " ", " ", "-", ":", ": ", "#", " #", "'", "\"", "\\", "\n", "\t", ",", ".", "{", "}", "[", "]", "&", "*", "?", "!",
	"|", ">", "%", "@", "`", "~", "=", "/", "_", "ü", "é", "€", "😀", "\x7f", "\u00a0", "\u2028", "\x01", "word", "longer word ", "true", "null", "yes", "1e5", "<",
}

func (g generator) text() string {
	if g.IntN(4) == 0 {
		return g.oneOf("", "yes", "no", "null", "~", "1", "1.5", "0x1f", "1_000", "12:30:45", "2020-01-01", "on", "y", "-", "- x", "a: b", "=", "<<", "-1", "1.", ".5",
			"0o7", "017", "08", "1e3", "1.0e+3", ".inf", ".nan", "true", "2020-01-01 10:00:00", strings.Repeat("many words ", 12), strings.Repeat("x", 90))
	}
	var b strings.Builder
	for range g.IntN(12) {
		b.WriteString(g.oneOf(letters...))
	}
	return b.String()
}

func (g generator) number() any {
	switch g.IntN(5) {
	case 0:
		return g.IntN(200) - 100
	case 1:
		return int(g.Int64()) >> g.IntN(60)
	case 2:
		return float64(g.IntN(2000)-1000) / 8
	case 3:
		return math.Ldexp(g.NormFloat64(), g.IntN(200)-100)
	}
	return float64(g.IntN(100))
}

func (g generator) value(depth int) any {
	switch n := g.IntN(10); {
	case n < 2 && depth > 0:
		return g.list(depth - 1)
	case n < 5 && depth > 0:
		return g.dict(depth - 1)
	case n == 5:
		return g.number()
	case n == 6:
		return []any{nil, true, false}[g.IntN(3)]
	}
	return g.text()
}

func (g generator) list(depth int) *jinja.List {
	l := jinja.NewList()
	for range g.IntN(5) {
		l.Items = append(l.Items, g.value(depth))
	}
	return l
}

func (g generator) dict(depth int) *jinja.Dict {
	d := jinja.NewDict()
	for range g.IntN(5) {
		d.Set(g.oneOf("a", "b", "c", "key", "a b", "x: y", "1", "", "ü"), g.value(depth))
	}
	return d
}

// yaml is a text that may be YAML.
func (g generator) yaml() string {
	var b strings.Builder
	for i := range 1 + g.IntN(4) {
		text := g.text()
		switch {
		case slices.Contains([]string{"=", "<<"}, strings.TrimSpace(text)) || strings.HasPrefix(strings.TrimSpace(text), "!") || strings.HasPrefix(strings.TrimSpace(text), "2020-"): // see the table
		case g.IntN(3) == 0:
			fmt.Fprintf(&b, "- %s\n", text)
		default:
			fmt.Fprintf(&b, "k%d: %s\n", i, text)
		}
	}
	return b.String()
}

func (g generator) pattern() string {
	pieces := []string{"a", "b", "\\w", "\\d+", "\\s", ".", "[a-z]", "[^a]", "(a|b)", "(?:x|y)", "(w)(o)", "^", "$", "\\b", "o*", "o+?", "(?=o)", "(?!w)", "(?<=w)", "(?P<n>\\w)", "\\W", "{2}", "ü", "\\.", "\\S+"}
	var b strings.Builder
	for range 1 + g.IntN(4) {
		b.WriteString(g.oneOf(pieces...))
	}
	return b.String()
}
