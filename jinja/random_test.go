package jinja

import (
	"flag"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	randomCount = flag.Int("random", 500, "how many random templates to compare with Python")
	randomSeed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "where random templates begin")
)

// grammar maps a symbol to what it may be.
type grammar struct {
	rules map[string][]production
	// least is how deep the shallowest tree of a symbol is.
	least map[string]int
}

// A production is text and symbols in turn: the first is text.
type production []string

var symbolPattern = regexp.MustCompile(`<([a-z]+[0-9]?)>`)

func readGrammar(t testing.TB) *grammar {
	data, err := os.ReadFile("testdata/grammar.txt")
	if err != nil {
		t.Fatal(err)
	}
	g := &grammar{map[string][]production{}, map[string]int{}}
	type rule struct{ symbol, text string }
	var rules []rule
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if symbol, text, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, "#") {
			rules = append(rules, rule{symbol, text})
			g.rules[symbol] = nil
		}
	}
	for _, r := range rules {
		text := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t").Replace(r.text)
		var p production
		at := 0
		for _, m := range symbolPattern.FindAllStringSubmatchIndex(text, -1) {
			if _, known := g.rules[text[m[2]:m[3]]]; known {
				p = append(p, text[at:m[0]], text[m[2]:m[3]])
				at = m[1]
			}
		}
		g.rules[r.symbol] = append(g.rules[r.symbol], append(p, text[at:]))
	}
	for changed := true; changed; {
		changed = false
		for symbol, ps := range g.rules {
			for _, p := range ps {
				d := g.depth(p)
				if old, known := g.least[symbol]; d > 0 && (!known || d < old) {
					g.least[symbol] = d
					changed = true
				}
			}
		}
	}
	return g
}

// depth is how deep the shallowest tree of a production is, 0 where unknown.
func (g *grammar) depth(p production) int {
	deepest := 1
	for i := 1; i < len(p); i += 2 {
		d := g.least[p[i]]
		if d == 0 {
			return 0
		}
		deepest = max(deepest, d+1)
	}
	return deepest
}

// write makes a text of a symbol whose tree is at most depth deep, or as
// shallow as can be.
func (g *grammar) write(b *strings.Builder, r *rand.Rand, symbol string, depth int) {
	var fit []production
	limit := max(depth, g.least[symbol])
	for _, p := range g.rules[symbol] {
		if g.depth(p) <= limit {
			fit = append(fit, p)
		}
	}
	p := fit[r.IntN(len(fit))]
	for i, part := range p {
		if i%2 == 0 {
			b.WriteString(part)
		} else {
			g.write(b, r, part, limit-1)
		}
	}
}

// randomOptions are the environments that random templates are for. Jinja2's
// optimizer is off: it raises the errors of constants that are never used, and
// escapes constants by what holds outside of an autoescape block.
var randomOptions = []map[string]any{
	{"optimized": false},
	{"optimized": false, "trim_blocks": true, "keep_trailing_newline": true}, // Ansible's
	{"optimized": false, "trim_blocks": true, "lstrip_blocks": true},
	{"optimized": false, "lstrip_blocks": true},
	{"optimized": false, "autoescape": true},
	{"optimized": false, "line_statement_prefix": "%", "line_comment_prefix": "##"},
	{"optimized": false, "line_statement_prefix": "%", "trim_blocks": true, "lstrip_blocks": true},
	{
		"optimized": false, "block_start_string": "<%", "block_end_string": "%>", "variable_start_string": "${",
		"variable_end_string": "}", "comment_start_string": "<!--", "comment_end_string": "-->",
	},
}

func (g *grammar) template(r *rand.Rand) oracleCase {
	opt := randomOptions[r.IntN(len(randomOptions))]
	start := "template"
	if opt["line_statement_prefix"] != nil && r.IntN(2) == 0 {
		start = "lines"
	}
	var b strings.Builder
	g.write(&b, r, start, 4+r.IntN(4))
	o := caseEnvironment(opt, nil).Options.withDefaults()
	text := strings.NewReplacer("«", o.VariableStart, "»", o.VariableEnd, "‹", o.BlockStart, "›", o.BlockEnd,
		"⌈", o.CommentStart, "⌉", o.CommentEnd).Replace(b.String())
	return oracleCase{Template: text, Options: opt}
}

var (
	// jinjaFault is what shows that Jinja2 itself is at fault: its compiler
	// loses track of names in the filters of a set block, and of the text
	// around an include in a macro.
	jinjaFault = regexp.MustCompile(`Tried to resolve a name to a reference that was unknown to the frame|<generator object root\.<locals>`)
	// repr is what shows an undefined value as Ansible does; Python's raises here.
	repr = regexp.MustCompile(`%[^%a-z]*[ra]`)
	// address is the place in memory that Python shows with a method.
	address = regexp.MustCompile(`(?i)at(\s|%20|\+)+0x[0-9a-f]|x0 ta`)
)

// rounded shortens the floats in a text by their last digits. C's pow, which
// Python uses, is off in the last one of 500 powers.
func rounded(text string) string {
	return manyDigits.ReplaceAllStringFunc(text, func(s string) string {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return s
		}
		return strconv.FormatFloat(f, 'g', 14, 64)
	})
}

var manyDigits = regexp.MustCompile(`[0-9]+\.[0-9]+(e[-+][0-9]+)?`)

// TestRandom makes templates from the grammar and compares what they give
// with what Python's Jinja2 gives. Where one of them ends in an error the
// other has to, too.
func TestRandom(t *testing.T) {
	t.Logf("-seed %d -random %d", *randomSeed, *randomCount)
	r := rand.New(rand.NewPCG(*randomSeed, 0))
	g := readGrammar(t)
	cases := make([]oracleCase, *randomCount)
	for i := range cases {
		cases[i] = g.template(r)
	}
	templates := readTemplates(t)
	vars, err := os.ReadFile("testdata/vars.json")
	if err != nil {
		t.Fatal(err)
	}
	failed, unanswered, broken, different := 0, 0, 0, 0
	askPython(t, cases, func(i int, want *string) {
		if want == nil {
			unanswered++
			return
		}
		if jinjaFault.MatchString(*want) || address.MatchString(*want) {
			broken++
			return
		}
		c := cases[i]
		e := caseEnvironment(c.Options, templates)
		got := renderOurs(e, c.Template, freshVars(t, vars))
		isError := strings.HasPrefix(*want, "error: ")
		if isError {
			failed++
		}
		if got == *want || isError && strings.HasPrefix(got, "error: ") || isError && repr.MatchString(c.Template) ||
			strings.Contains(c.Template, "**") && rounded(got) == rounded(*want) {
			return
		}
		different++
		if different <= 50 {
			t.Errorf("%v %q\ngot:    %q\nPython: %q", c.Options, c.Template, got, *want)
		}
	})
	t.Logf("%d templates, %d of them errors, %d too large for Python, %d that say nothing, %d differences",
		len(cases), failed, unanswered, broken, different)
}
