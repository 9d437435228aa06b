package jinja

import (
	"fmt"
	"slices"
	"strings"
)

// body parses up to one of the tags in ends, which it takes; the rest of that
// tag is left. With no ends it parses to the end of the template.
func (p *parser) body(ends ...string) ([]stmt, string, error) {
	if err := p.enter(); err != nil {
		return nil, "", err
	}
	defer p.leave()
	if len(ends) > 0 {
		p.ends = append(p.ends, strings.Join(ends, "' or '"))
		defer func() { p.ends = p.ends[:len(p.ends)-1] }()
	}
	var out []stmt
	for {
		t := p.tok()
		switch t.kind {
		case tokEOF:
			if len(ends) > 0 {
				return nil, "", p.unclosed(t)
			}
			return out, "", nil
		case tokData:
			p.i++
			out = append(out, &textStmt{t.text})
		case tokVariableBegin:
			s, err := p.output()
			if err != nil {
				return nil, "", err
			}
			out = append(out, s)
		case tokBlockBegin:
			p.i++
			if name := p.tok(); name.kind == tokName && slices.Contains(ends, name.text) {
				p.i++
				return out, name.text, nil
			}
			s, err := p.statement(t)
			if err != nil {
				return nil, "", err
			}
			out = append(out, s)
		default:
			return nil, "", t.pos.errorf("unexpected %s", Repr(t.what()))
		}
	}
}

func (p *parser) unclosed(t *token) error {
	return t.pos.error("Unexpected end of template." + p.lookingFor())
}

// lookingFor says which tags could come.
func (p *parser) lookingFor() string {
	if len(p.ends) == 0 {
		return ""
	}
	return fmt.Sprintf(" Jinja was looking for the following tags: '%s'. The innermost block that needs to be closed is '%s'.",
		p.ends[len(p.ends)-1], p.tags[len(p.tags)-1])
}

func (p *parser) output() (stmt, error) {
	p.i++
	start := p.tok()
	x, err := p.tuple(true, false)
	if err != nil {
		return nil, err
	}
	at := p.span(start)
	return &outputStmt{at, x}, p.expect(tokVariableEnd)
}

func (p *parser) endTag() error { return p.expect(tokBlockEnd) }

// enclosed parses the body of a block from after its opening tag's content.
func (p *parser) enclosed(end string) ([]stmt, error) {
	p.skipOp(":")
	if err := p.endTag(); err != nil {
		return nil, err
	}
	body, _, err := p.body(end)
	if err != nil {
		return nil, err
	}
	return body, p.endTag()
}

// scoped runs parse with a new scope of the same frame.
func (p *parser) scoped(parse func() error) (*scope, error) {
	s := newScope(p.scope, p.scope.fn)
	p.scope = s
	err := parse()
	p.scope = s.parent
	return s, err
}

// inFunction runs parse with a new frame, which sees the present one.
func (p *parser) inFunction(parent *scope, fn *function, parse func() error) (*scope, error) {
	outer := p.scope
	p.scope = newScope(parent, fn)
	s := p.scope
	err := parse()
	p.scope = outer
	return s, err
}

func (p *parser) statement(begin *token) (stmt, error) {
	t := p.tok()
	if t.kind != tokName {
		return nil, t.pos.error("tag name expected")
	}
	p.i++
	p.tags = append(p.tags, t.text)
	defer func() { p.tags = p.tags[:len(p.tags)-1] }()
	switch t.text {
	case "if":
		return p.ifStatement(t)
	case "for":
		return p.forStatement(t)
	case "set":
		return p.set(t)
	case "macro":
		return p.macroStatement(t)
	case "call":
		return p.callStatement(t)
	case "filter":
		return p.filterStatement(t)
	case "with":
		return p.with(t)
	case "include":
		return p.include(t)
	case "import":
		return p.importStatement(t)
	case "from":
		return p.from(t)
	case "extends":
		x, err := p.expression()
		if err != nil {
			return nil, err
		}
		return &extendsStmt{p.span(t), x}, p.endTag()
	case "block":
		return p.blockStatement(t)
	case "autoescape":
		return p.autoescape(t)
	case "do":
		x, err := p.tuple(true, false)
		if err != nil {
			return nil, err
		}
		return &doStmt{p.span(t), x}, p.endTag()
	case "break", "continue":
		return p.jump(t)
	case "print":
		return p.print()
	}
	p.tags = p.tags[:len(p.tags)-1]
	err := p.unknownTag(t)
	p.tags = append(p.tags, t.text)
	return nil, err
}

func (p *parser) unknownTag(t *token) error {
	msg := "Encountered unknown tag " + Repr(t.text) + "."
	for _, ends := range p.ends {
		if slices.Contains(strings.Split(ends, "' or '"), t.text) {
			rest := strings.TrimPrefix(p.lookingFor(), " Jinja was looking for the following tags: ")
			return t.pos.error(msg + " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for " + rest)
		}
	}
	return t.pos.error(msg + p.lookingFor())
}

func (p *parser) print() (stmt, error) {
	s := &printStmt{}
	for p.tok().kind != tokBlockEnd {
		if len(s.outputs) > 0 {
			if err := p.expectOp(","); err != nil {
				return nil, err
			}
		}
		start := p.tok()
		x, err := p.expression()
		if err != nil {
			return nil, err
		}
		s.outputs = append(s.outputs, &outputStmt{p.span(start), x})
	}
	return s, p.endTag()
}

func (p *parser) jump(t *token) (stmt, error) {
	for s := p.scope; !s.loop; s = s.parent {
		if s.parent == nil || s.parent.fn != s.fn {
			return nil, t.pos.errorf("'%s' stands outside of a loop", t.text)
		}
	}
	if t.text == "break" {
		return &breakStmt{t.pos}, p.endTag()
	}
	return &continueStmt{t.pos}, p.endTag()
}

func (p *parser) ifStatement(t *token) (stmt, error) {
	p.soft++
	outer := p.branches
	p.branches = p.scope
	defer func() { p.soft, p.branches = p.soft-1, outer }()
	s := &ifStmt{pos: t.pos}
	for {
		test, err := p.tuple(false, false)
		if err != nil {
			return nil, err
		}
		p.skipOp(":")
		if err := p.endTag(); err != nil {
			return nil, err
		}
		body, end, err := p.body("elif", "else", "endif")
		if err != nil {
			return nil, err
		}
		s.tests, s.bodies = append(s.tests, test), append(s.bodies, body)
		if end == "elif" {
			continue
		}
		if end == "else" {
			if s.els, err = p.enclosed("endif"); err != nil {
				return nil, err
			}
			return s, nil
		}
		return s, p.endTag()
	}
}

// setTarget parses what set assigns to: names, or an attribute of a namespace.
func (p *parser) setTarget() (target, error) {
	next := p.tokens[min(p.i+1, len(p.tokens)-1)]
	if p.tok().kind != tokName || next.kind != tokOperator || next.text != "." {
		return p.targetNames()
	}
	t := p.next()
	p.i++
	attr, err := p.expectName()
	if err != nil {
		return nil, err
	}
	return &attrTarget{p.span(t), p.name(t), attr.text}, nil
}

// targetNames parses names that are assigned to, without declaring them.
func (p *parser) targetNames() (target, error) {
	start := p.tok()
	var items []target
	comma := false
	for {
		if len(items) > 0 {
			if !p.skipOp(",") {
				break
			}
			comma = true
		}
		if p.tupleEnd() {
			break
		}
		item, err := p.targetName()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	if len(items) == 1 && !comma {
		return items[0], nil
	}
	if len(items) == 0 && !p.isOp(")") {
		return nil, p.unexpected("'name'")
	}
	return &tupleTarget{p.span(start), items}, nil
}

func (p *parser) targetName() (target, error) {
	if p.skipOp("(") {
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		t, err := p.targetNames()
		if err != nil {
			return nil, err
		}
		return t, p.expectOp(")")
	}
	t, err := p.expectName()
	if err != nil {
		return nil, err
	}
	return &nameTarget{t.pos, t.text, -1}, assignable(t)
}

func assignable(t *token) error {
	if slices.Contains([]string{"true", "false", "none", "True", "False", "None"}, t.text) {
		return t.pos.errorf("can't assign to '%s'", t.text)
	}
	return nil
}

// declare gives the names of a target slots in the present scope.
func (p *parser) declare(t target, param bool) {
	switch t := t.(type) {
	case *nameTarget:
		t.slot = p.scope.declare(t.name, param)
		p.scope.use(t.name, p.branches != p.scope)
	case *tupleTarget:
		for _, item := range t.items {
			p.declare(item, param)
		}
	}
}

func (p *parser) forStatement(t *token) (stmt, error) {
	s := &forStmt{pos: t.pos, loopSlot: -1}
	var err error
	if s.target, err = p.targetNames(); err != nil {
		return nil, err
	}
	if !p.skipName("in") {
		return nil, p.unexpected("'in'")
	}
	if s.iter, err = p.tuple(false, false); err != nil {
		return nil, err
	}
	fn := p.scope.fn
	filterAt := -1
	s.recursive = p.isName("recursive")
	if p.isName("if") {
		// The filter is parsed in the loop's scope, after recursive is known.
		filterAt = p.i + 1
		if s.recursive, err = p.loopIsRecursive(); err != nil {
			return nil, err
		}
	}
	if s.recursive {
		fn = &function{}
	}
	s.fn = fn
	s.scope, err = p.inFunction(p.scope, fn, func() error { return p.loopBody(s, filterAt) })
	if err != nil {
		return nil, err
	}
	return s, p.endTag()
}

// loopIsRecursive looks ahead in the for tag.
func (p *parser) loopIsRecursive() (bool, error) {
	for i := p.i; p.tokens[i].kind != tokEOF; i++ {
		if p.tokens[i].kind == tokBlockEnd {
			last := p.tokens[i-1]
			return last.kind == tokName && last.text == "recursive", nil
		}
	}
	return false, p.unclosedTag()
}

func (p *parser) unclosedTag() error {
	return p.tokens[len(p.tokens)-1].pos.error("unexpected end of template, expected 'end of statement block'.")
}

func (p *parser) loopBody(s *forStmt, filterAt int) error {
	p.scope.loop = true
	p.declare(s.target, true)
	var err error
	if filterAt >= 0 {
		p.i = filterAt
		if s.filter, err = p.unconditional(); err != nil {
			return err
		}
	}
	p.skipName("recursive")
	p.skipOp(":")
	if err := p.endTag(); err != nil {
		return err
	}
	if p.scope.names["loop"].param {
		return s.pos.error("Can't assign to special loop variable in for-loop target")
	}
	s.loopSlot = p.scope.declare("loop", false)
	var end string
	if s.body, end, err = p.body("endfor", "else"); err != nil {
		return err
	}
	if end == "else" {
		inner := p.scope
		p.scope = inner.parent
		if s.recursive {
			p.scope = newScope(inner.parent, inner.fn)
		}
		if err := p.endTag(); err != nil {
			return err
		}
		s.elsScope, err = p.scoped(func() (err error) {
			s.els, _, err = p.body("endfor")
			return err
		})
		p.scope = inner
	}
	return err
}

// unconditional parses an expression without inline if.
func (p *parser) unconditional() (expr, error) { return p.conditional(false) }

func (p *parser) set(t *token) (stmt, error) {
	target, err := p.setTarget()
	if err != nil {
		return nil, err
	}
	if p.skipOp("=") {
		x, err := p.tuple(true, false)
		if err != nil {
			return nil, err
		}
		p.declare(target, false)
		return &setStmt{p.span(t), target, x}, p.endTag()
	}
	p.declare(target, false)
	s := &setBlockStmt{pos: t.pos, target: target}
	s.scope, err = p.scoped(func() (err error) {
		if s.filters, err = p.filterChain(p.skipOp("|")); err != nil {
			return err
		}
		s.body, err = p.enclosed("endset")
		return err
	})
	return s, err
}

// filterChain parses the filters of a block, which see the names of its body.
func (p *parser) filterChain(more bool) (filters []*filterExpr, err error) {
	for ; more; more = p.skipOp("|") {
		f, err := p.filter(nil)
		if err != nil {
			return nil, err
		}
		filters = append(filters, f)
	}
	return filters, nil
}

// signature parses the parameters of a macro or call block into m.
func (p *parser) signature(m *macro) error {
	if err := p.expectOp("("); err != nil {
		return err
	}
	for !p.isOp(")") {
		if len(m.params) > 0 {
			if err := p.expectOp(","); err != nil {
				return err
			}
			if p.isOp(")") {
				break
			}
		}
		t, err := p.expectName()
		if err != nil {
			return err
		}
		if err := assignable(t); err != nil {
			return err
		}
		if slices.Contains(m.params, t.text) {
			return t.pos.errorf("duplicate argument '%s' in the signature", t.text)
		}
		switch {
		case p.skipOp("="):
			x, err := p.expression()
			if err != nil {
				return err
			}
			m.defaults = append(m.defaults, x)
		case len(m.defaults) > 0:
			return t.pos.error("non-default argument follows default argument")
		}
		m.params = append(m.params, t.text)
		m.slots = append(m.slots, p.scope.declare(t.text, true))
	}
	if i := slices.Index(m.params, "caller"); i >= 0 && i < len(m.params)-len(m.defaults) {
		return m.pos.error(`When defining macros or call blocks the special "caller" argument must be omitted or be given a default.`)
	}
	return p.expectOp(")")
}

// special declares varargs, kwargs and caller where they are no parameters,
// and forgets them again where the body does not use them.
func (p *parser) special(m *macro, body func() error) error {
	places := map[string]*int{"varargs": &m.varargs, "kwargs": &m.kwargs, "caller": &m.caller}
	for name, place := range places {
		*place = -1
		if !slices.Contains(m.params, name) {
			*place = p.scope.declare(name, true)
		}
	}
	first := len(p.names)
	if err := body(); err != nil {
		return err
	}
	for name, place := range places {
		used := slices.ContainsFunc(p.names[first:], func(n *nameExpr) bool { return n.name == name })
		if i := slices.Index(m.params, name); i >= 0 && name == "caller" {
			m.caller = m.slots[i]
		} else if !used {
			*place = -1
		}
	}
	return nil
}

func (p *parser) macroStatement(t *token) (stmt, error) {
	name, err := p.expectName()
	if err != nil {
		return nil, err
	}
	if err := assignable(name); err != nil {
		return nil, err
	}
	target := &nameTarget{name.pos, name.text, -1}
	p.declare(target, false)
	m := &macro{pos: t.pos, fn: &function{}, name: name.text}
	_, err = p.inFunction(p.scope, m.fn, func() error {
		if err := p.signature(m); err != nil {
			return err
		}
		return p.macroBody(m, "endmacro")
	})
	return &macroStmt{t.pos, target, m}, err
}

func (p *parser) macroBody(m *macro, end string) error {
	return p.special(m, func() (err error) {
		m.body, err = p.enclosed(end)
		return err
	})
}

func (p *parser) callStatement(t *token) (stmt, error) {
	m := &macro{pos: t.pos, fn: &function{}, name: "caller"}
	s := &callStmt{pos: t.pos, macro: m}
	outer := p.scope
	_, err := p.inFunction(p.scope, m.fn, func() error {
		if p.isOp("(") {
			if err := p.signature(m); err != nil {
				return err
			}
		}
		inner := p.scope
		p.scope = outer
		start := p.tok()
		x, err := p.expression()
		p.scope = inner
		if err != nil {
			return err
		}
		call, ok := x.(*callExpr)
		if !ok {
			return start.pos.error("expected call")
		}
		s.call = call
		return p.macroBody(m, "endcall")
	})
	return s, err
}

func (p *parser) filterStatement(t *token) (stmt, error) {
	s := &filterStmt{pos: t.pos}
	var err error
	outer, first := p.scope, len(p.names)
	s.scope, err = p.scoped(func() (err error) {
		if s.filters, err = p.filterChain(true); err != nil {
			return err
		}
		for _, n := range p.names[first:] {
			outer.use(n.name, false)
		}
		s.body, err = p.enclosed("endfilter")
		return err
	})
	return s, err
}

func (p *parser) with(t *token) (stmt, error) {
	s := &withStmt{pos: t.pos}
	for p.tok().kind != tokBlockEnd {
		if len(s.targets) > 0 {
			if err := p.expectOp(","); err != nil {
				return nil, err
			}
		}
		name, err := p.targetNames()
		if err != nil {
			return nil, err
		}
		if err := p.expectOp("="); err != nil {
			return nil, err
		}
		x, err := p.expression()
		if err != nil {
			return nil, err
		}
		s.targets, s.values = append(s.targets, name), append(s.values, x)
	}
	var err error
	s.scope, err = p.scoped(func() (err error) {
		for _, name := range s.targets {
			p.declare(name, true)
		}
		s.body, err = p.enclosed("endwith")
		return err
	})
	return s, err
}

func (p *parser) autoescape(t *token) (stmt, error) {
	s := &autoescapeStmt{pos: t.pos}
	var err error
	if s.on, err = p.expression(); err != nil {
		return nil, err
	}
	s.scope, err = p.scoped(func() (err error) {
		s.body, err = p.enclosed("endautoescape")
		return err
	})
	return s, err
}

// context parses "with context" or "without context".
func (p *parser) context(otherwise bool) bool {
	t := p.tok()
	next := p.tokens[min(p.i+1, len(p.tokens)-1)]
	if t.kind == tokName && (t.text == "with" || t.text == "without") && next.kind == tokName && next.text == "context" {
		p.i += 2
		return t.text == "with"
	}
	return otherwise
}

func (p *parser) include(t *token) (stmt, error) {
	s := &includeStmt{pos: t.pos, scope: p.scope}
	var err error
	if s.name, err = p.expression(); err != nil {
		return nil, err
	}
	if p.isName("ignore") && p.tokens[p.i+1].text == "missing" {
		p.i += 2
		s.ignoreMissing = true
	}
	s.withContext = p.context(true)
	s.pos = p.span(t)
	p.fixups = append(p.fixups, func() { s.visible = s.scope.visible() })
	return s, p.endTag()
}

func (p *parser) importStatement(t *token) (stmt, error) {
	s := &importStmt{pos: t.pos, scope: p.scope}
	var err error
	if s.name, err = p.expression(); err != nil {
		return nil, err
	}
	if !p.skipName("as") {
		return nil, p.unexpected("'as'")
	}
	if s.target, err = p.importTarget(); err != nil {
		return nil, err
	}
	s.withContext = p.context(false)
	s.pos = p.span(t)
	p.fixups = append(p.fixups, func() { s.visible = s.scope.visible() })
	return s, p.endTag()
}

func (p *parser) importTarget() (*nameTarget, error) {
	t, err := p.expectName()
	if err != nil {
		return nil, err
	}
	if err := assignable(t); err != nil {
		return nil, err
	}
	target := &nameTarget{t.pos, t.text, -1}
	p.declare(target, false)
	return target, nil
}

func (p *parser) from(t *token) (stmt, error) {
	s := &importStmt{pos: t.pos, scope: p.scope}
	var err error
	if s.name, err = p.expression(); err != nil {
		return nil, err
	}
	if !p.skipName("import") {
		return nil, p.unexpected("'import'")
	}
	for p.tok().kind != tokBlockEnd {
		if len(s.names) > 0 {
			if err := p.expectOp(","); err != nil {
				return nil, err
			}
		}
		before := p.i
		s.withContext = p.context(false)
		if p.i > before {
			break
		}
		if err := p.importedName(s); err != nil {
			return nil, err
		}
		before = p.i
		s.withContext = p.context(false)
		if p.i > before {
			break
		}
	}
	if len(s.names) == 0 {
		return nil, p.unexpected("'name'")
	}
	s.pos = p.span(t)
	p.fixups = append(p.fixups, func() { s.visible = s.scope.visible() })
	return s, p.endTag()
}

func (p *parser) importedName(s *importStmt) error {
	t, err := p.expectName()
	if err != nil {
		return err
	}
	if strings.HasPrefix(t.text, "_") {
		return t.pos.error("names starting with an underline can not be imported")
	}
	s.names = append(s.names, t.text)
	if p.skipName("as") {
		target, err := p.importTarget()
		s.targets = append(s.targets, target)
		return err
	}
	target := &nameTarget{t.pos, t.text, -1}
	p.declare(target, false)
	s.targets = append(s.targets, target)
	return nil
}

func (p *parser) blockStatement(t *token) (stmt, error) {
	name, err := p.expectName()
	if err != nil {
		return nil, err
	}
	if p.blocks[name.text] != nil {
		return nil, name.pos.errorf("block %s defined twice", Repr(name.text))
	}
	b := &block{pos: t.pos, name: name.text, fn: &function{}, tmpl: p.tmpl}
	b.scoped = p.skipName("scoped")
	b.required = p.skipName("required")
	if p.isOp("-") {
		return nil, p.tok().pos.error("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.")
	}
	p.blocks[b.name] = b
	s := &blockStmt{pos: t.pos, block: b, scope: p.scope}
	p.fixups = append(p.fixups, func() { s.visible = s.scope.visible() })
	_, err = p.inFunction(nil, b.fn, func() error { return p.blockBody(b) })
	if err != nil {
		return nil, err
	}
	return s, p.endTag()
}

func (p *parser) blockBody(b *block) (err error) {
	b.superSlot = p.scope.declare("super", true)
	b.selfSlot = p.scope.declare("self", true)
	if err := p.endTag(); err != nil {
		return err
	}
	if b.body, _, err = p.body("endblock"); err != nil {
		return err
	}
	if b.required {
		for _, s := range b.body {
			if text, ok := s.(*textStmt); !ok || strings.TrimSpace(text.text) != "" {
				return b.pos.error("Required blocks can only contain comments or whitespace")
			}
		}
	}
	if p.isName(b.name) {
		p.i++
	}
	return nil
}
