package yaml

import (
	"errors"
	"testing"

	"gplay/internal/source"
)

// FuzzParse holds that no text ends the program, that every fault has a place
// or is about the whole file, and that places lie in the text.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a: {{ x }}\n", "- &a [*a]\n", "{\"a\": \"\\ud83d\"}", "a: !vault |\n  x\n", "? [a]\n: b\n", "a: \"\\x\n", "<<: [*b]\n", "a: |\n  {{ x\n", "%YAML 1.1\n---\n\t"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		n, err := Parse("f", []byte(in), Options{})
		var e *source.Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		n.Any()
		walk(t, n, map[*Node]bool{})
	})
}

func walk(t *testing.T, n *Node, seen map[*Node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	if n.Pos.Line < 1 || n.Pos.Col < 1 {
		t.Fatalf("a node at %d:%d", n.Pos.Line, n.Pos.Col)
	}
	if tmpl, ok := n.Value.(*Template); ok {
		if p := tmpl.PosAt(1, 3); p.Line < 1 || p.Col < 1 {
			t.Fatalf("a place in a template at %d:%d", p.Line, p.Col)
		}
	}
	for _, p := range n.Pairs {
		walk(t, p.Key, seen)
		walk(t, p.Value, seen)
	}
	for _, item := range n.Items {
		walk(t, item, seen)
	}
}
