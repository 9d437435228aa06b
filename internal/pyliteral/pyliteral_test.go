package pyliteral

import (
	"reflect"
	"testing"

	"gplay/jinja"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want any
	}{
		{"1", 1},
		{"-1_000", -1000},
		{"0x1f", 31},
		{"0o17", 15},
		{"1.5e3", 1500.0},
		{".5", 0.5},
		{"True", true},
		{" None ", nil},
		{`'a' "b"`, "ab"},
		{`'\x41é\n\q'`, "Aé\n\\q"},
		{`r'\n'`, `\n`},
		{`"""a
b"""`, "a\nb"},
		{"b'x'", []byte("x")},
		{"(1,)", jinja.Tuple{1}},
		{"(1)", 1},
		{"[1, 'x', [None]]", jinja.NewList(1, "x", jinja.NewList(nil))},
		{"{'a': 1, 2: (3, 4),}", jinja.NewDict("a", 1, 2, jinja.Tuple{3, 4})},
	} {
		got, ok := Parse(c.text)
		if !ok || !reflect.DeepEqual(got, c.want) {
			t.Errorf("Parse(%q) = %#v, %v; want %#v", c.text, got, ok, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "x", "1 2", "[1", "{1}", "{[]: 1}", "'a", "012", "Truex", "1..2", "inf", "[1,,2]", "'a\nb'"} {
		if v, ok := Parse(text); ok {
			t.Errorf("Parse(%q) = %#v, want none", text, v)
		}
	}
}
