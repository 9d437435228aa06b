package runner

import (
	"strings"
	"testing"

	"gplay/playbook"
)

func task(name string) *playbook.Task {
	return &playbook.Task{Node: playbook.Node{Name: name}}
}

func tasks(names string) []playbook.Item {
	var items []playbook.Item
	for _, n := range strings.Fields(names) {
		items = append(items, task(n))
	}
	return items
}

// walk runs a block for one host; tasks whose name ends in ! fail.
func walk(b *playbook.Block) (ran string, failed bool) {
	c := newCursor("h", b)
	c.selected = func(t *playbook.Task) bool { return !strings.HasPrefix(t.Name.(string), "-") }
	var names []string
	for t := c.peek(); t != nil; t = c.peek() {
		name := t.Name.(string)
		names = append(names, name)
		c.advance()
		if strings.HasSuffix(name, "!") {
			c.fail()
		}
	}
	return strings.Join(names, " "), c.failed
}

func TestCursor(t *testing.T) {
	inner := &playbook.Block{Items: tasks("b c! d"), Always: tasks("x")}
	for _, c := range []struct {
		name   string
		block  *playbook.Block
		want   string
		failed bool
	}{
		{"plain", &playbook.Block{Items: tasks("a b")}, "a b", false},
		{"not selected", &playbook.Block{Items: tasks("a -b c")}, "a c", false},
		{"failure ends", &playbook.Block{Items: tasks("a! b")}, "a!", true},
		{"rescue", &playbook.Block{Items: tasks("a! b"), Rescue: tasks("r"), Always: tasks("x")}, "a! r x", false},
		{"rescue fails", &playbook.Block{Items: tasks("a! b"), Rescue: tasks("r! s"), Always: tasks("x")}, "a! r! x", true},
		{"always fails", &playbook.Block{Items: tasks("a"), Rescue: tasks("r"), Always: tasks("x! y")}, "a x!", true},
		{"outer rescue", &playbook.Block{Items: []playbook.Item{task("a"), inner, task("e")}, Rescue: tasks("r")}, "a b c! x r", false},
		{"outer none", &playbook.Block{Items: []playbook.Item{task("a"), inner, task("e")}}, "a b c! x", true},
	} {
		ran, failed := walk(c.block)
		if ran != c.want || failed != c.failed {
			t.Errorf("%s: ran %q failed %v, want %q %v", c.name, ran, failed, c.want, c.failed)
		}
	}
}

func TestCompareIncluded(t *testing.T) {
	root := &playbook.Block{Items: tasks("inc after")}
	a, b, c := newCursor("a", root), newCursor("b", root), newCursor("c", root)
	for _, x := range []*cursor{a, b, c} {
		x.peek()
		x.advance()
	}
	one, two := &playbook.Block{Items: tasks("one")}, &playbook.Block{Items: tasks("two")}
	both := &playbook.Block{Items: []playbook.Item{one, two}}
	a.enter(both, map[*playbook.Block]bool{one: true, two: true})
	b.enter(both, map[*playbook.Block]bool{two: true})
	for _, x := range []*cursor{a, b, c} {
		x.peek()
	}
	if a.compare(b) >= 0 || b.compare(c) >= 0 || a.compare(c) >= 0 {
		t.Errorf("order: a/b %d, b/c %d, a/c %d; want all negative", a.compare(b), b.compare(c), a.compare(c))
	}
}
