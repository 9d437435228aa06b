package jinja

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"
)

func compile(t testing.TB, e *Environment, text string) *Template {
	t.Helper()
	tmpl, err := e.Compile("", text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return tmpl
}

// TestErrorPlaces checks where faults are said to be.
func TestErrorPlaces(t *testing.T) {
	templates := map[string]string{"inner": "a\n{{ nope }}", "bad": "x\n {% if %}", "macros": "{% macro m() %}\n{{ gone }}{% endmacro %}"}
	cases := []struct {
		template       string
		name           string
		line, col, len int
		msg            string
		undefined      string
	}{
		{"a\n  {{ foo }}", "", 2, 6, 3, "'foo' is undefined", "foo"},
		{"{{ conf.missing | upper }}", "", 1, 4, 12, "'dict object' has no attribute 'missing'", "missing"},
		{"é {{ 1 + 'a' }}", "", 1, 6, 7, "unsupported operand type(s) for +: 'int' and 'str'", ""},
		{"{% if x %}\n{{ word | nosuch }}{% endif %}", "", 1, 7, 1, "'x' is undefined", "x"},
		{"{{ word | nosuch }}", "", 1, 11, 6, "No filter named 'nosuch'.", ""},
		{"{{ word is nosuch }}", "", 1, 12, 6, "No test named 'nosuch'.", ""},
		{"{{ word | replace('a') }}", "", 1, 11, 12, "replace() missing 1 required positional argument: 'new'", ""},
		{"{{ word | upper(1) }}", "", 1, 11, 8, "upper() takes no arguments (1 given)", ""},
		{"{{ word | default(foo=1) }}", "", 1, 19, 3, "default() got an unexpected keyword argument 'foo'", ""},
		{"{{ word | center(3, width=4) }}", "", 1, 11, 18, "center() got multiple values for argument 'width'", ""},
		{"{{ 1 +\n }}", "", 2, 2, 0, "unexpected 'end of print statement'", ""},
		{"{% for x in 5 %}{% endfor %}", "", 1, 13, 1, "'int' object is not iterable", ""},
		{"{% include 'inner' %}", "inner", 2, 4, 4, "'nope' is undefined", "nope"},
		{"{% include 'bad' %}", "bad", 2, 8, 0, "Expected an expression, got 'end of statement block'", ""},
		{"{% from 'macros' import m %}\n{{ m() }}", "macros", 2, 4, 4, "'gone' is undefined", "gone"},
		{"x {% include 'absent' %}", "", 1, 6, 16, "template not found: absent", ""},
		{"{% include ['a', 'b'] %}", "", 1, 4, 18, "template not found: none of the templates given were found: a, b", ""},
		{"{% set true = 1 %}", "", 1, 8, 4, "can't assign to 'true'", ""},
		{"{% macro w() %}x{% endmacro %}{% call w() %}{% endcall %}", "", 1, 39, 3, "macro 'w' takes no keyword argument 'caller'", ""},
		{`{{ "\N{BULLET}" }}`, "", 1, 4, 12, `\N{...} is not understood in a string, write the character itself or \uXXXX`, ""},
		{"{% break %}", "", 1, 4, 5, "'break' stands outside of a loop", ""},
		{"{{ failing }}", "", 1, 4, 7, "the definition of failing is wrong", ""},
	}
	for _, c := range cases {
		e := caseEnvironment(nil, templates)
		err := func() error {
			tmpl, err := e.Compile("", c.template)
			if err != nil {
				return err
			}
			_, err = tmpl.Render(context.Background(), failing{Vars{"word": "w", "conf": NewDict()}})
			return err
		}()
		var fault *Error
		if !errors.As(err, &fault) {
			t.Errorf("%s: got %v, want an *Error", c.template, err)
			continue
		}
		undefined := ""
		if fault.Undefined != nil {
			undefined = fault.Undefined.Name
		}
		got := fmt.Sprint(fault.Template, " ", fault.Line, ":", fault.Col, "+", fault.Len, " ", fault.Msg, " ", undefined)
		want := fmt.Sprint(c.name, " ", c.line, ":", c.col, "+", c.len, " ", c.msg, " ", c.undefined)
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.template, got, want)
		}
	}
}

// failing is a scope with a variable whose definition is wrong.
type failing struct{ Vars }

func (f failing) Lookup(name string) (any, bool, error) {
	if name == "failing" {
		return nil, false, errors.New("the definition of failing is wrong")
	}
	return f.Vars.Lookup(name)
}

func TestEval(t *testing.T) {
	list := NewList(1, 2)
	vars := Vars{"list": list, "n": 5}
	cases := []struct {
		template string
		want     string // repr
		single   bool
	}{
		{"{{ list }}", "[1, 2]", true},
		{"{{ n + 1 }}", "6", true},
		{"{{ n + 1 }}\n", "6", true},
		{" {{ n }}", "' 5'", false},
		{"{{ n }}{{ n }}", "'55'", false},
		{"{% if n %}{{ n }}{% endif %}", "'5'", false},
		{"plain", "'plain'", false},
		{"", "''", false},
		{"{{ none }}", "None", true},
		{"{{ '<' | escape }}", "'&lt;'", true},
		{"{{ 'x' if n == 1 }}", "''", true},
		{"{{ n, n }}", "(5, 5)", true},
		{"{{ range(2) }}", "range(0, 2)", true},
	}
	for _, c := range cases {
		tmpl := compile(t, &Environment{}, c.template)
		v, single, err := tmpl.Eval(context.Background(), vars)
		if err != nil || Repr(v) != c.want || single != c.single {
			t.Errorf("%q: got %s, %t, %v", c.template, Repr(v), single, err)
		}
	}
	v, _, _ := compile(t, &Environment{}, "{{ list }}").Eval(context.Background(), vars)
	if v != any(list) {
		t.Error("a list that is evaluated is the list itself")
	}
	v, _, err := compile(t, &Environment{}, "{{ foo.bar }}").Eval(context.Background(), vars)
	if u, ok := v.(*Undefined); !ok || err != nil || u.Message() != "'foo' is undefined" {
		t.Errorf("undefined: got %v, %v", v, err)
	}
}

func TestCompileExpr(t *testing.T) {
	x, err := (&Environment{}).CompileExpr("n > 1 and s is defined or missing")
	if err != nil {
		t.Fatal(err)
	}
	v, err := x.Eval(context.Background(), Vars{"n": 2, "s": ""})
	if v != true || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
	if got := fmt.Sprint(x.Names()); got != "[n s missing]" {
		t.Errorf("names: %s", got)
	}
	for _, bad := range []string{"", "a b", "a }}", "{{ a }}", "a |", "(", "a if"} {
		if _, err := (&Environment{}).CompileExpr(bad); err == nil {
			t.Errorf("%q compiles", bad)
		}
	}
}

func TestTemplateShape(t *testing.T) {
	e := &Environment{}
	if text, ok := compile(t, e, "a\n").IsText(); text != "a" || !ok {
		t.Error("text is text")
	}
	tmpl := compile(t, e, "{% set a = b %}{{ a }}{% for c in d %}{{ c }}{{ loop.index }}{% endfor %}{% macro m(x) %}{{ x }}{{ y }}{% endmacro %}{{ m(z) }}")
	if got := fmt.Sprint(tmpl.Names()); got != "[b d y z]" {
		t.Errorf("names: %s", got)
	}
}

// TestForeign checks what the caller's filters, tests and callables get.
func TestForeign(t *testing.T) {
	seen := func(c *Context, v any, args *Args) (any, error) {
		return fmt.Sprintf("%T%v", v, args.Positional), nil
	}
	e := &Environment{
		Filters: map[string]Filter{
			"seen": seen, "lenient": seen, "my.ns.seen": seen,
			"golist": func(*Context, any, *Args) (any, error) { return []any{1, map[string]any{"b": 1, "a": int64(2)}}, nil },
			"var": func(c *Context, v any, _ *Args) (any, error) {
				value, _, err := c.Lookup(v.(string))
				return value, err
			},
		},
		Tests: map[string]Test{"my.ns.big": func(_ *Context, v any, _ *Args) (bool, error) { return v.(int) > 10, nil }},
		Globals: map[string]any{
			"add": Func(func(_ *Context, a *Args) (any, error) {
				bound, err := a.Bind("x", "y=")
				if err != nil {
					return nil, err
				}
				return bound[0], nil
			}),
			"conf": "global",
		},
		Lenient: map[string]bool{"lenient": true},
	}
	cases := []struct{ template, want string }{
		{"{{ 'a' | escape | seen('b' | safe) }}", "string[b]"},
		{"{{ missing | seen }}", "error: 'missing' is undefined"},
		{"{{ 1 | seen(missing) }}", "error: 'missing' is undefined"},
		{"{{ missing | lenient }}", "*jinja.Undefined[]"},
		{"{{ 1 | my.ns.seen }} {{ 11 is my.ns.big }} {{ 1 is not my.ns.big }}", "int[] True True"},
		{"{{ [1] | map('my.ns.seen') }}", "['int[]']"},
		{"{{ 1 | golist }}", "[1, {'a': 2, 'b': 1}]"},
		{"{{ 'v' | var }} {{ 'conf' | var }}", "value global"},
		{"{% set conf = 'own' %}{{ 'conf' | var }} {{ conf }}", "own own"},
		{"{{ add(1) }} {{ add(x=2) }} {{ add() }}", "error: add() missing 1 required positional argument: 'x'"},
		{"{{ hosts.h.ip }} {{ hosts['h']['ip'] }} {{ hosts | length }} {{ 'h' in hosts }} {{ hosts.get('x', 'd') }} {{ hosts }}", "1 1 2 True d {'h': {'ip': 1}, 'bad': 'never'}"},
		{"{{ hosts.keys() | list }} {% for h in hosts %}{{ h }} {% endfor %}{{ hosts is mapping }}", "['h', 'bad'] h bad True"},
		{"{{ lazy.h }} {{ lazy.bad }}", "error: computed in vain"},
		{"{{ lazy }}", "error: computed in vain"},
		{"{{ object.colour }} {{ object['colour'] }} {{ object.missing is defined }}", "blue blue False"},
		{"{{ object.Attr is defined }} {{ hosts.Get is defined }} {{ 'a'.Len is defined }} {{ when.Year is defined }} {{ when.wall is defined }}", "False False False False False"},
	}
	inner := staticMap{"h": NewDict("ip", 1), "bad": "never"}
	vars := Vars{"v": "value", "hosts": inner, "lazy": lazyMap{inner}, "object": colour{}, "when": time.Time{}}
	for _, c := range cases {
		if got := renderOurs(e, c.template, vars); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.template, got, c.want)
		}
	}
}

type staticMap map[string]any

func (m staticMap) Get(key any) (any, bool) { s, _ := key.(string); v, ok := m[s]; return v, ok }
func (m staticMap) Keys() []any             { return []any{"h", "bad"} }
func (m staticMap) Len() int                { return len(m) }

type lazyMap struct{ staticMap }

func (m lazyMap) Lookup(key any) (any, bool, error) {
	if key == "bad" {
		return nil, false, errors.New("computed in vain")
	}
	v, ok := m.Get(key)
	return v, ok, nil
}

type colour struct{}

func (colour) Attr(name string) (any, bool) { return "blue", name == "colour" }

// TestLimits checks that no template takes the program down.
func TestLimits(t *testing.T) {
	templates := map[string]string{"self": "{% include 'self' %}", "loop": "{% extends 'loop' %}", "macro": "{% from 'macro' import m %}"}
	deep := strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000)
	long := "1" + strings.Repeat("+1", 100000)
	cases := []struct{ template, want string }{
		{"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"},
		{"{% include 'self' %}", "recursion"},
		{"{% extends 'loop' %}", "recursion"},
		{"{% from 'macro' import m %}", "recursion"},
		{"{% block a %}{{ self.a() }}{% endblock %}", "recursion"},
		{"{% for x in [l] recursive %}{{ loop([l]) }}{% endfor %}", "recursion"},
		{"{{ " + deep + " }}", "nested too deeply"},
		{"{{ " + long + " }}", "too long"},
		{strings.Repeat("{% if 1 %}", 5000), "nested too deeply"},
		{"{{ x" + strings.Repeat(".a", 100000) + " }}", "too long"},
		{"{{ x" + strings.Repeat("|list", 100000) + " }}", "too long"},
		{"{{ " + strings.Repeat("not ", 100000) + "x }}", "nested too deeply"},
		{"{{ " + strings.Repeat("-", 100000) + "1 }}", "nested too deeply"},
		{"{{ 9 ** (9 ** (9 ** 9)) }}", "too large"},
		{"{{ 'a' * 10 ** 12 }}", "too large"},
		{"{{ [0] * 10 ** 12 }}", "too large"},
		{"{{ range(10 ** 15) | list }}", "too large"},
		{"{{ 'a'.ljust(10 ** 15) }}", "too large"},
		{"{{ '%*d' % (10 ** 9, 1) }}", "too large"},
		{"{{ '{:999999999999}'.format(1) }}", "Too many decimal digits"},
		{"{% for i in range(10 ** 9) %}{{ 'aaaaaaaaaaaaaaaa' }}{% endfor %}", "more than 1000 bytes"},
		{"{% set a = [] %}{% set b = [a] %}{% do a.append(b) %}{{ a == b }}", "recursion"},
		{"{% set a = [] %}{% do a.append(a) %}{{ a | tojson }}", "Circular"},
		{"{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}", "recursion"},
		{"{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}", "Circular"},
		{"{% for i in range(10 ** 10) %}{% endfor %}", "deadline"},
		{"{% for i in range(10 ** 10) %}{% endfor %}", "does not end"},
		{"{% set l = range(10 ** 5) | list %}{% for i in range(10 ** 6) %}{% if -1 in l %}{% endif %}{% endfor %}", "does not end"},
		{"{% set l = range(10 ** 5) | list %}{% for i in range(10 ** 6) %}{% set m = l | sum %}{% endfor %}", "does not end"},
		{"{% set b = 3 ** 100000 %}{% for i in range(10 ** 7) %}{% set m = b * 7 %}{% endfor %}", "does not end"},
		{"{% set s = 'x' * 10 ** 6 %}{% for i in range(10 ** 7) %}{% set m = s.replace('x', 'y') %}{% endfor %}", "does not end"},
		{"{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}", "too large"},
		{"{% set l = [1] %}{% for x in l %}{% do l.append(x) %}{% endfor %}", "does not end"},
		{"{% set ns = namespace(l=[1]) %}{% for i in range(100) %}{% set ns.l = ns.l + ns.l %}{% endfor %}", "too large"},
		{"{% set ns = namespace(n=7) %}{% for i in range(100) %}{% set ns.n = ns.n * ns.n %}{% endfor %}", "too large"},
		{"{{ '{:{w}}'.format(1, w=10 ** 9) }}", "Too many decimal digits"},
		{"{{ 1.5 | round(10 ** 6) }}", "too large"},
		{"{{ 'a' | indent(10 ** 9) }}", "too large"},
		{"{{ 'a' | center(10 ** 9) }}", "too large"},
		{"{{ [1] | batch(10 ** 9, 'x') }}", "too large"},
		{"{{ [1] | slice(10 ** 9) }}", "too large"},
		{"{{ 5.to_bytes(10 ** 9, 'big') }}", "too large"},
		{strings.Repeat("{% for x in [1] %}", 1000), "nested too deeply"},
		{"{{ " + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + " }}", "nested too deeply"},
		{"{{ " + strings.Repeat("{1:", 1000) + "1" + strings.Repeat("}", 1000) + " }}", "nested too deeply"},
		{"{{ " + strings.Repeat("a(", 1000) + strings.Repeat(")", 1000) + " }}", "nested too deeply"},
		{"{{ a" + strings.Repeat("[b", 1000) + strings.Repeat("]", 1000) + " }}", "nested too deeply"},
		{"{{ " + strings.Repeat("1 if 1 else ", 1000) + "1 }}", "nested too deeply"},
		{"{% set " + strings.Repeat("(", 1000) + "a" + strings.Repeat(")", 1000) + " = 1 %}", "nested too deeply"},
	}
	for _, c := range cases {
		e := caseEnvironment(nil, templates)
		e.MaxOutput = 1000
		if c.want == "does not end" {
			e.MaxSteps = 1_000_000
		}
		err := func() error {
			tmpl, err := e.Compile("", c.template)
			if err != nil {
				return err
			}
			patience := time.Hour
			if c.want == "deadline" {
				patience = 10 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			_, err = tmpl.Render(ctx, Vars{"l": NewList(1)})
			return err
		}()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60s: got %.200v, want %q", c.template, err, c.want)
		}
	}
	if got := renderOurs(&Environment{}, "{% set a = [1] %}{% do a.append(a) %}{% set d = {} %}{% do d.update(d=d) %}{{ a }} {{ d }}", nil); got != "[1, [...]] {'d': {...}}" {
		t.Errorf("containers in themselves: %s", got)
	}
}

func TestConcurrentRenders(t *testing.T) {
	tmpl := compile(t, &Environment{}, "{% macro m(x) %}{% set y = x * 2 %}{{ y }}{% endmacro %}{% for i in range(n) %}{% set z = i %}{{ m(z) }},{% endfor %}")
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			var want strings.Builder
			for i := range n * 10 {
				fmt.Fprintf(&want, "%d,", i*2)
			}
			for range 20 {
				got, err := tmpl.Render(context.Background(), Vars{"n": n * 10})
				if err != nil || got != want.String() {
					t.Errorf("got %q, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}

func TestFinalize(t *testing.T) {
	e := &Environment{Finalize: func(v any) any {
		if v == nil {
			return ""
		}
		return Unroll(v)
	}}
	if got := renderOurs(e, "[{{ none }}|{{ range(2) }}|{{ {'a': 1}.items() }}|{{ 'x' }}]", nil); got != "[|[0, 1]|[('a', 1)]|x]" {
		t.Error(got)
	}
}

func TestGoValues(t *testing.T) {
	huge, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	in := map[string]any{
		"s": "x", "i": int64(1), "u": uint8(2), "f": float32(0.5), "b": true, "n": nil,
		"l": []any{1, []string{"a"}}, "m": map[string]int{"k": 1}, "num": json.Number("12"),
		"float": json.Number("1.0"), "huge": json.Number(huge.String()),
	}
	v := FromGo(in)
	if got, want := Repr(v), "{'b': True, 'f': 0.5, 'float': 1.0, 'huge': 123456789012345678901234567890, 'i': 1, 'l': [1, ['a']], 'm': {'k': 1}, 'n': None, 'num': 12, 's': 'x', 'u': 2}"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	back, err := json.Marshal(ToGo(v))
	if err != nil || string(back) != `{"b":true,"f":0.5,"float":1,"huge":123456789012345678901234567890,"i":1,"l":[1,["a"]],"m":{"k":1},"n":null,"num":12,"s":"x","u":2}` {
		t.Errorf("%s %v", back, err)
	}
	ordered, err := json.Marshal(NewDict("z", 1, "a", NewList(Tuple{1, huge}, "<é>"), 2, nil))
	if err != nil || string(ordered) != `{"z":1,"a":[[1,123456789012345678901234567890],"\u003cé\u003e"],"2":null}` {
		t.Errorf("%s %v", ordered, err)
	}
}

// TestDict checks the dict against a plain list of pairs, small and large,
// with deletions.
func TestDict(t *testing.T) {
	d := NewDict()
	var order []int
	for i := range 40 {
		d.Set(i, i)
		order = append(order, i)
		if i%3 == 0 {
			d.Delete(i / 2)
			for j, k := range order {
				if k == i/2 {
					order = append(order[:j], order[j+1:]...)
					break
				}
			}
		}
		if got := fmt.Sprint(d.Keys()); got != fmt.Sprint(order) || d.Len() != len(order) {
			t.Fatalf("after %d: %s, want %v", i, got, order)
		}
	}
	for _, same := range [][2]any{{1, true}, {1, 1.0}, {Tuple{1, "a"}, Tuple{1.0, "a"}}, {"x", Markup("x")}, {1e20, mustBig("100000000000000000000")}} {
		d := NewDict(same[0], "first")
		if v, ok := d.Get(same[1]); !ok || v != "first" {
			t.Errorf("%v and %v are two keys", same[0], same[1])
		}
	}
	for _, other := range [][2]any{{1, "1"}, {0, nil}, {Tuple{1}, Tuple{"1"}}, {[]byte("a"), "a"}, {1, 1.5}} {
		if _, ok := NewDict(other[0], 1).Get(other[1]); ok {
			t.Errorf("%v and %v are one key", other[0], other[1])
		}
	}
}

func mustBig(s string) *big.Int {
	b, ok := new(big.Int).SetString(s, 10)
	if !ok {
		panic(s)
	}
	return b
}

func BenchmarkLoop(b *testing.B) {
	tmpl := compile(b, &Environment{}, "{% for u in users %}{% if u.age > 20 and u.name is defined %}{{ loop.index }}. {{ u.name | upper }} {{ u.age + 1 }}\n{% endif %}{% endfor %}")
	users := NewList()
	for i := range 100 {
		users.Items = append(users.Items, NewDict("name", fmt.Sprint("user", i), "age", i))
	}
	vars := Vars{"users": users}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tmpl.Render(context.Background(), vars); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExpression(b *testing.B) {
	x, err := (&Environment{}).CompileExpr("inventory_hostname in group and port | int > 1024 and not skip")
	if err != nil {
		b.Fatal(err)
	}
	vars := Vars{"inventory_hostname": "a", "group": NewList("b", "a"), "port": "8080", "skip": false}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Eval(context.Background(), vars); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	e := &Environment{}
	text := "{% for u in users %}{% if u.age > 20 and u.name is defined %}{{ loop.index }}. {{ u.name | upper }} {{ u.age + 1 }}\n{% endif %}{% endfor %}"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Compile("", text); err != nil {
			b.Fatal(err)
		}
	}
}
