package jmespath

import "fmt"

// node computes a part of an expression for a value.
type node func(v any) (any, error)

// powers say how strongly what stands between two expressions binds them.
var powers = map[kind]int{
	"|": 1, "||": 2, "&&": 3, "==": 5, "!=": 5, "<": 5, "<=": 5, ">": 5, ">=": 5,
	"[]": 9, "*": 20, "[?": 21, ".": 40, "!": 45, "{": 50, "[": 55, "(": 60,
}

// endsProjection is the power below which an operator takes a projection's
// whole result.
const endsProjection = 10

// maxDepth bounds how deeply expressions stand in each other.
const maxDepth = 200

type parser struct {
	tokens []token
	at     int
	depth  int
}

func (p *parser) kind() kind { return p.tokens[p.at].kind }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

func (p *parser) wrong(t token, want string) error {
	return fmt.Errorf("Parse error at column %d: %s is expected, not %s", t.at, want, t.kind)
}

func (p *parser) expect(k kind) error {
	if t := p.take(); t.kind != k {
		return p.wrong(t, string(k))
	}
	return nil
}

// part is an expression, and the name it is where it is nothing but that.
type part struct {
	node node
	name string
	// ref is set for &expression.
	ref bool
}

func (p *parser) expression(power int) (part, error) {
	if p.depth++; p.depth > maxDepth {
		return part{}, fmt.Errorf("the expression is nested too deeply")
	}
	defer func() { p.depth-- }()
	left, err := p.prefix(p.take())
	for err == nil && power < powers[p.kind()] {
		left, err = p.infix(p.take(), left)
	}
	return left, err
}

func (p *parser) prefix(t token) (part, error) {
	switch t.kind {
	case literal:
		return part{node: func(any) (any, error) { return t.value, nil }}, nil
	case name, quotedName:
		s, _ := t.value.(string)
		if t.kind == quotedName {
			if p.kind() == "(" {
				return part{}, p.wrong(t, "the name of a function without quotes")
			}
			return part{node: field(s)}, nil
		}
		return part{node: field(s), name: s}, nil
	case "@":
		return part{node: identity}, nil
	case "*":
		return p.valueProjection(identity, powers["*"])
	case "[?":
		return p.filter(identity)
	case "[]":
		return p.projection(flatten(identity), powers["[]"])
	case "{":
		return p.multiHash()
	case "(":
		inner, err := p.expression(0)
		if err == nil {
			err = p.expect(")")
		}
		return part{node: inner.node}, err
	case "!":
		inner, err := p.expression(powers["!"])
		return part{node: not(inner.node)}, err
	case "&":
		inner, err := p.expression(0)
		return part{node: inner.node, ref: true}, err
	case "[":
		if k := p.kind(); k == number || k == ":" {
			return p.index(identity)
		}
		if p.kind() == "*" && p.tokens[p.at+1].kind == "]" {
			p.at += 2
			return p.projection(identity, powers["*"])
		}
		return p.multiList()
	}
	return part{}, p.wrong(t, "an expression")
}

func (p *parser) infix(t token, left part) (part, error) {
	switch t.kind {
	case ".":
		if p.kind() == "*" {
			p.take()
			return p.valueProjection(left.node, powers["."])
		}
		right, err := p.afterDot(powers["."])
		return part{node: chain(left.node, right.node)}, err
	case "|":
		right, err := p.expression(powers["|"])
		return part{node: chain(left.node, right.node)}, err
	case "||", "&&":
		right, err := p.expression(powers[t.kind])
		return part{node: either(left.node, right.node, t.kind == "||")}, err
	case "==", "!=", "<", "<=", ">", ">=":
		right, err := p.expression(powers[t.kind])
		return part{node: compare(t.kind, left.node, right.node)}, err
	case "[]":
		return p.projection(flatten(left.node), powers["[]"])
	case "[?":
		return p.filter(left.node)
	case "(":
		return p.call(t, left)
	case "[":
		if k := p.kind(); k == number || k == ":" {
			return p.index(left.node)
		}
		if err := p.expect("*"); err != nil {
			return part{}, err
		}
		if err := p.expect("]"); err != nil {
			return part{}, err
		}
		return p.projection(left.node, powers["*"])
	}
	return part{}, p.wrong(t, "an operator")
}

// afterProjection is what is done with each item of a projection.
func (p *parser) afterProjection(power int) (node, error) {
	switch k := p.kind(); {
	case powers[k] < endsProjection:
		return identity, nil
	case k == "[" || k == "[?":
		right, err := p.expression(power)
		return right.node, err
	case k == ".":
		p.take()
		right, err := p.afterDot(power)
		return right.node, err
	}
	return nil, p.wrong(p.tokens[p.at], "the end of the projection")
}

func (p *parser) afterDot(power int) (part, error) {
	switch p.kind() {
	case name, quotedName, "*":
		return p.expression(power)
	case "[":
		p.take()
		return p.multiList()
	case "{":
		p.take()
		return p.multiHash()
	}
	return part{}, p.wrong(p.tokens[p.at], "a name, *, [ or {")
}

func (p *parser) projection(left node, power int) (part, error) {
	right, err := p.afterProjection(power)
	return part{node: project(left, right)}, err
}

func (p *parser) valueProjection(left node, power int) (part, error) {
	if p.kind() == "]" {
		return part{node: project(valuesOf(left), identity)}, nil
	}
	return p.projection(valuesOf(left), power)
}

func (p *parser) filter(left node) (part, error) {
	condition, err := p.expression(0)
	if err == nil {
		err = p.expect("]")
	}
	right := node(identity)
	if err == nil && p.kind() != "[]" {
		right, err = p.afterProjection(powers["[?"])
	}
	return part{node: project(filtered(left, condition.node), right)}, err
}

// index is [n] or a slice, which is a projection.
func (p *parser) index(left node) (part, error) {
	var bounds [3]*int
	colons := 0
	for {
		switch t := p.take(); {
		case t.kind == number && bounds[colons] == nil:
			n := t.value.(int)
			bounds[colons] = &n
		case t.kind == ":" && colons < 2:
			colons++
		case t.kind == "]" && colons == 0:
			return part{node: chain(left, item(*bounds[0]))}, nil
		case t.kind == "]":
			return p.projection(chain(left, slice(bounds)), powers["*"])
		default:
			return part{}, p.wrong(t, "a number, : or ]")
		}
	}
}

func (p *parser) multiList() (part, error) {
	var items []node
	for {
		inner, err := p.expression(0)
		if err != nil {
			return part{}, err
		}
		items = append(items, inner.node)
		switch t := p.take(); t.kind {
		case ",":
		case "]":
			return part{node: listOf(items)}, nil
		default:
			return part{}, p.wrong(t, ", or ]")
		}
	}
}

func (p *parser) multiHash() (part, error) {
	var keys []string
	var values []node
	for {
		t := p.take()
		key, isName := t.value.(string)
		if t.kind != name && t.kind != quotedName || !isName {
			return part{}, p.wrong(t, "a name")
		}
		if err := p.expect(":"); err != nil {
			return part{}, err
		}
		inner, err := p.expression(0)
		if err != nil {
			return part{}, err
		}
		keys, values = append(keys, key), append(values, inner.node)
		switch t := p.take(); t.kind {
		case ",":
		case "}":
			return part{node: hashOf(keys, values)}, nil
		default:
			return part{}, p.wrong(t, ", or }")
		}
	}
}

func (p *parser) call(t token, left part) (part, error) {
	if left.name == "" {
		return part{}, p.wrong(t, "the name of a function before it")
	}
	var args []part
	for p.kind() != ")" {
		arg, err := p.expression(0)
		if err != nil {
			return part{}, err
		}
		args = append(args, arg)
		if p.kind() == "," {
			p.take()
		} else if p.kind() != ")" {
			return part{}, p.wrong(p.tokens[p.at], ", or )")
		}
	}
	p.take()
	return part{node: invoke(left.name, args)}, nil
}
