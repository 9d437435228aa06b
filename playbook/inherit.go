package playbook

import (
	"slices"
	"strings"

	"gplay/internal/yaml"
	"gplay/jinja"
)

// chain are b and the blocks around it, innermost first.
func (b *Block) chain() []*Block {
	var all []*Block
	for ; b != nil; b = b.Parent {
		all = append(all, b)
	}
	return all
}

// Scopes are the nodes whose keywords and vars reach b, nearest first: the
// block, those around it, the use of its role and of the roles that depend on
// it, the play, the imports the play came through.
func (b *Block) Scopes() []*Node {
	var nodes []*Node
	for _, c := range b.chain() {
		nodes = append(nodes, &c.Node)
		if c.IsRole {
			nodes = append(nodes, c.Role.uses()...)
		}
	}
	// A role that is imported by another is reached on two ways.
	return append(compact(nodes), b.Play.Scopes()...)
}

// uses are where r is used and where the roles are that depend on it.
func (r *Role) uses() []*Node {
	nodes := []*Node{r.Use}
	for _, d := range slices.Backward(r.Dependents) {
		nodes = append(nodes, d.Use)
	}
	return nodes
}

// compact leaves of a node that is there twice the outer one.
func compact(nodes []*Node) []*Node {
	seen := make(map[*Node]bool, len(nodes))
	kept := make([]*Node, 0, len(nodes))
	for _, n := range slices.Backward(nodes) {
		if !seen[n] {
			seen[n] = true
			kept = append(kept, n)
		}
	}
	slices.Reverse(kept)
	return kept
}

// Scopes are the play and the imports it came through, nearest first.
func (p *Play) Scopes() []*Node {
	nodes := []*Node{&p.Node}
	for _, n := range slices.Backward(p.Imports) {
		nodes = append(nodes, n)
	}
	return nodes
}

// Scopes are the nodes whose keywords and vars reach t, nearest first,
// beginning with t itself.
func (t *Task) Scopes() []*Node {
	nodes := []*Node{&t.Node}
	if t.Parent != nil {
		return append(nodes, t.Parent.Scopes()...)
	}
	if t.Role != nil {
		nodes = append(nodes, t.Role.uses()...)
	}
	return append(nodes, t.Play.Scopes()...)
}

// Inherited is a keyword's value for t: its own, or that of the nearest node
// around it.
func (t *Task) Inherited(name string) (Keyword, bool) { return nearest(t.Scopes(), name) }

// Expected reports whether the playbook itself says what to do when t fails:
// then what is wrong with t is for it to find when t runs.
func (t *Task) Expected() bool {
	if kw, ok := t.Inherited("ignore_errors"); ok && kw.Value != false {
		return true
	}
	for b := t.Parent; b != nil; b = b.Parent {
		if len(b.Rescue) > 0 || b.rescued {
			return true
		}
	}
	return false
}

// Inherited is a keyword's value for b.
func (b *Block) Inherited(name string) (Keyword, bool) { return nearest(b.Scopes(), name) }

// Inherited is a keyword's value for the play.
func (p *Play) Inherited(name string) (Keyword, bool) { return nearest(p.Scopes(), name) }

// Chain is a keyword wherever it reaches t from, outermost first, for those
// that add up: when, tags, environment, module_defaults, collections.
func (t *Task) Chain(name string) []Keyword { return chain(t.Scopes(), name) }

// Chain is a keyword wherever it reaches b from, outermost first.
func (b *Block) Chain(name string) []Keyword { return chain(b.Scopes(), name) }

// Chain is a keyword of the play and of what imports it, outermost first.
func (p *Play) Chain(name string) []Keyword { return chain(p.Scopes(), name) }

func nearest(nodes []*Node, name string) (Keyword, bool) {
	for _, n := range nodes {
		if kw, ok := n.Keywords[name]; ok {
			return kw, true
		}
	}
	return Keyword{}, false
}

func chain(nodes []*Node, name string) []Keyword {
	var all []Keyword
	for _, n := range slices.Backward(nodes) {
		if kw, ok := n.Keywords[name]; ok {
			all = append(all, kw)
		}
	}
	return all
}

// Tags are the tags of t and of all around it: texts, and templates as they
// are. "a, b" are two.
func (t *Task) Tags() []any { return tags(t.Chain("tags")) }

// Tags are the tags of b and of all around it.
func (b *Block) Tags() []any { return tags(b.Chain("tags")) }

func tags(chain []Keyword) []any {
	var all []any
	add := func(tag any) {
		if !slices.Contains(all, tag) {
			all = append(all, tag)
		}
	}
	for _, kw := range chain {
		for _, tag := range listed(kw.Value) {
			if t, ok := tag.(*yaml.Template); ok {
				add(t)
				continue
			}
			for part := range strings.SplitSeq(jinja.Str(tag), ",") {
				if part = strings.TrimSpace(part); part != "" {
					add(part)
				}
			}
		}
	}
	return all
}
