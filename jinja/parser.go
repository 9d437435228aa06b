package jinja

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
)

// Limits on the source that keep every walk of the tree shallow.
const (
	maxNesting = 150  // brackets and blocks in each other
	maxChain   = 3000 // operators, attributes, filters in a row
)

type parser struct {
	env    *Environment
	tmpl   *Template
	tokens []token
	i      int
	depth  int
	soft   int // how many conditions enclose this place
	scope  *scope
	// branches is the scope in which the innermost if stands.
	branches *scope
	names    []*nameExpr
	// fixups run when all names are declared.
	fixups []func()
	blocks map[string]*block
	// tags are the open blocks, ends the tags that could end each, for messages.
	tags, ends []string
}

func (p *parser) tok() *token { return &p.tokens[p.i] }

func (p *parser) next() *token {
	t := &p.tokens[p.i]
	if t.kind != tokEOF {
		p.i++
	}
	return t
}

func (p *parser) isOp(op string) bool {
	t := p.tok()
	return t.kind == tokOperator && t.text == op
}

func (p *parser) isName(name string) bool {
	t := p.tok()
	return t.kind == tokName && t.text == name
}

func (p *parser) skipOp(op string) bool {
	if p.isOp(op) {
		p.i++
		return true
	}
	return false
}

func (p *parser) skipName(name string) bool {
	if p.isName(name) {
		p.i++
		return true
	}
	return false
}

func (p *parser) expectOp(op string) error {
	if !p.skipOp(op) {
		return p.unexpected(Repr(op))
	}
	return nil
}

func (p *parser) expectName() (*token, error) {
	if p.tok().kind != tokName {
		return nil, p.unexpected("'name'")
	}
	return p.next(), nil
}

func (p *parser) expect(k kind) error {
	if p.tok().kind != k {
		return p.unexpected(Repr(token{kind: k}.what()))
	}
	p.i++
	return nil
}

func (p *parser) unexpected(expected string) error {
	t := p.tok()
	if t.kind == tokEOF {
		return t.pos.errorf("unexpected end of template, expected %s.", expected)
	}
	return t.pos.errorf("expected token %s, got %s", expected, Repr(t.what()))
}

// firstOf is the fault that Jinja2 finds, which reads a token when it is needed:
// that of the grammar, unless it comes of the end of what could be read.
func (p *parser) firstOf(grammar, unread error) error {
	if unread != nil && (grammar == nil || p.tok().kind == tokEOF) {
		return unread
	}
	return grammar
}

// enter guards one level of nesting.
func (p *parser) enter() error {
	p.depth++
	if p.depth > maxNesting {
		return p.tok().pos.error("the template is nested too deeply")
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// grow guards one more link of a chain of n.
func (p *parser) grow(n *int) error {
	*n++
	if *n > maxChain {
		return p.tok().pos.error("the expression is too long")
	}
	return nil
}

// span is the place from a token to the last one that was taken.
func (p *parser) span(start *token) pos {
	at := start.pos
	last := p.tokens[max(p.i-1, 0)]
	if last.pos.line == at.line && last.pos.col >= at.col {
		at.len = last.pos.col - at.col + last.pos.len
	}
	return at
}

// expression parses a whole expression, with the inline if.
func (p *parser) expression() (expr, error) { return p.conditional(true) }

func (p *parser) conditional(withIf bool) (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start := p.tok()
	// Filters in an inline if may be unknown until they run, but whether this
	// is one shows only at its end.
	mark := len(p.unknown())
	x, err := p.or()
	if err != nil || !withIf {
		return x, err
	}
	for n := 0; p.skipName("if"); {
		if err := p.grow(&n); err != nil {
			return nil, err
		}
		test, err := p.or()
		if err != nil {
			return nil, err
		}
		var els expr
		if p.skipName("else") {
			p.soft++
			els, err = p.conditional(true)
			p.soft--
			if err != nil {
				return nil, err
			}
		}
		p.tmpl.unknown = p.unknown()[:mark]
		x = &condExpr{p.span(start), test, x, els}
	}
	return x, nil
}

func (p *parser) unknown() []error { return p.tmpl.unknown }

func (p *parser) or() (expr, error) {
	start := p.tok()
	x, err := p.and()
	for n := 0; err == nil && p.skipName("or"); {
		var y expr
		if err = p.grow(&n); err != nil {
			break
		}
		if y, err = p.and(); err == nil {
			x = &logicExpr{p.span(start), true, x, y}
		}
	}
	return x, err
}

func (p *parser) and() (expr, error) {
	start := p.tok()
	x, err := p.not()
	for n := 0; err == nil && p.skipName("and"); {
		var y expr
		if err = p.grow(&n); err != nil {
			break
		}
		if y, err = p.not(); err == nil {
			x = &logicExpr{p.span(start), false, x, y}
		}
	}
	return x, err
}

func (p *parser) not() (expr, error) {
	start := p.tok()
	if !p.skipName("not") {
		return p.compare()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	x, err := p.not()
	return &notExpr{p.span(start), x}, err
}

func (p *parser) compareOp() string {
	t := p.tok()
	switch {
	case t.kind == tokOperator && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, t.text):
		p.i++
		return t.text
	case p.skipName("in"):
		return "in"
	case p.isName("not") && p.tokens[p.i+1].kind == tokName && p.tokens[p.i+1].text == "in":
		p.i += 2
		return "not in"
	}
	return ""
}

func (p *parser) compare() (expr, error) {
	start := p.tok()
	x, err := p.sum()
	if err != nil {
		return nil, err
	}
	c := &compareExpr{first: x}
	for {
		op := p.compareOp()
		if op == "" {
			break
		}
		y, err := p.sum()
		if err != nil {
			return nil, err
		}
		c.ops = append(c.ops, op)
		c.rest = append(c.rest, y)
	}
	if len(c.ops) == 0 {
		return x, nil
	}
	c.pos = p.span(start)
	return c, nil
}

// binary parses operands joined by any of ops, from left to right.
func (p *parser) binary(operand func() (expr, error), ops ...string) (expr, error) {
	start := p.tok()
	x, err := operand()
	for n := 0; err == nil && p.tok().kind == tokOperator && slices.Contains(ops, p.tok().text); {
		op := p.next().text
		if err = p.grow(&n); err != nil {
			break
		}
		var y expr
		if y, err = operand(); err == nil {
			x = &binaryExpr{p.span(start), op, x, y}
		}
	}
	return x, err
}

func (p *parser) sum() (expr, error) { return p.binary(p.concat, "+", "-") }

func (p *parser) concat() (expr, error) {
	start := p.tok()
	x, err := p.product()
	if err != nil || !p.isOp("~") {
		return x, err
	}
	c := &concatExpr{parts: []expr{x}}
	for p.skipOp("~") {
		y, err := p.product()
		if err != nil {
			return nil, err
		}
		c.parts = append(c.parts, y)
	}
	c.pos = p.span(start)
	return c, nil
}

func (p *parser) product() (expr, error) { return p.binary(p.power, "*", "/", "//", "%") }

func (p *parser) power() (expr, error) {
	return p.binary(func() (expr, error) { return p.unary(true) }, "**")
}

func (p *parser) unary(filters bool) (expr, error) {
	start := p.tok()
	var x expr
	var err error
	if p.isOp("-") || p.isOp("+") {
		if err := p.enter(); err != nil {
			return nil, err
		}
		op := p.next().text
		x, err = p.unary(false)
		p.leave()
		x = &unaryExpr{p.span(start), op, x}
	} else {
		x, err = p.primary()
	}
	if err == nil {
		x, err = p.postfix(start, x)
	}
	if err == nil && filters {
		x, err = p.filtersAndTests(start, x)
	}
	return x, err
}

func (p *parser) primary() (expr, error) {
	t := p.tok()
	switch t.kind {
	case tokName:
		p.i++
		switch t.text {
		case "true", "True":
			return &constExpr{t.pos, true}, nil
		case "false", "False":
			return &constExpr{t.pos, false}, nil
		case "none", "None":
			return &constExpr{t.pos, nil}, nil
		}
		return p.name(t), nil
	case tokString:
		s := t.text
		for p.next(); p.tok().kind == tokString; p.i++ {
			s += p.tok().text
		}
		return &constExpr{p.span(t), s}, nil
	case tokInteger:
		p.i++
		return p.integer(t)
	case tokFloat:
		p.i++
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil && f == 0 {
			return nil, t.pos.errorf("%q is no number", t.text)
		}
		return &constExpr{t.pos, f}, nil
	case tokOperator:
		switch t.text {
		case "(":
			p.i++
			return p.parenthesis(t)
		case "[":
			return p.list()
		case "{":
			return p.dict()
		}
	}
	return nil, t.pos.errorf("unexpected %s", Repr(t.what()))
}

func (p *parser) integer(t *token) (expr, error) {
	b, ok := new(big.Int).SetString(t.text, 0)
	if !ok || b.BitLen() > maxBits {
		return nil, t.pos.error("the number is too long")
	}
	return &constExpr{t.pos, normalBig(b)}, nil
}

func (p *parser) name(t *token) *nameExpr {
	n := &nameExpr{pos: t.pos, name: t.text, scope: p.scope, cache: -1}
	p.names = append(p.names, n)
	p.scope.use(n.name, false)
	return n
}

func (p *parser) parenthesis(t *token) (expr, error) {
	x, err := p.tuple(true, true)
	if err != nil {
		return nil, err
	}
	return x, p.expectOp(")")
}

// tuple parses expressions separated by commas; one without a comma is itself.
func (p *parser) tuple(withIf, explicit bool) (expr, error) {
	start := p.tok()
	var items []expr
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
		x, err := p.conditional(withIf)
		if err != nil {
			return nil, err
		}
		items = append(items, x)
	}
	if !comma {
		if len(items) == 1 {
			return items[0], nil
		}
		if !explicit {
			return nil, start.pos.errorf("Expected an expression, got %s", Repr(start.what()))
		}
	}
	return &tupleExpr{p.span(start), items}, nil
}

func (p *parser) tupleEnd() bool {
	switch p.tok().kind {
	case tokVariableEnd, tokBlockEnd, tokEOF:
		return true
	}
	return p.isOp(")")
}

func (p *parser) list() (expr, error) {
	start := p.next()
	var items []expr
	for !p.isOp("]") {
		if len(items) > 0 {
			if err := p.expectOp(","); err != nil {
				return nil, err
			}
			if p.isOp("]") {
				break
			}
		}
		x, err := p.expression()
		if err != nil {
			return nil, err
		}
		items = append(items, x)
	}
	err := p.expectOp("]")
	return &listExpr{p.span(start), items}, err
}

func (p *parser) dict() (expr, error) {
	start := p.next()
	d := &dictExpr{}
	for !p.isOp("}") {
		if len(d.keys) > 0 {
			if err := p.expectOp(","); err != nil {
				return nil, err
			}
			if p.isOp("}") {
				break
			}
		}
		k, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.expectOp(":"); err != nil {
			return nil, err
		}
		v, err := p.expression()
		if err != nil {
			return nil, err
		}
		d.keys, d.values = append(d.keys, k), append(d.values, v)
	}
	err := p.expectOp("}")
	d.pos = p.span(start)
	return d, err
}

// postfix parses attributes, subscripts and calls.
func (p *parser) postfix(start *token, x expr) (expr, error) {
	for n := 0; ; {
		var err error
		switch {
		case p.isOp("."):
			x, err = p.attribute(start, x)
		case p.isOp("["):
			x, err = p.subscript(start, x)
		case p.isOp("("):
			x, err = p.call(start, x)
		default:
			return x, nil
		}
		if err == nil {
			err = p.grow(&n)
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *parser) call(start *token, fn expr) (expr, error) {
	args, err := p.arguments()
	return &callExpr{p.span(start), fn, args}, err
}

func (p *parser) attribute(start *token, x expr) (expr, error) {
	p.i++
	t := p.next()
	switch t.kind {
	case tokName:
		p.tmpl.changes = p.tmpl.changes || slices.Contains(changers, t.text)
		return &attrExpr{p.span(start), x, t.text, t.text, dictMethods[t.text] != nil}, nil
	case tokInteger:
		key, err := p.integer(&token{kind: t.kind, text: t.text, pos: t.pos})
		return &itemExpr{p.span(start), x, key}, err
	}
	return nil, t.pos.error("expected name or number")
}

func (p *parser) subscript(start *token, x expr) (expr, error) {
	p.i++
	var keys []expr
	comma := false
	for !p.isOp("]") {
		if len(keys) > 0 {
			if err := p.expectOp(","); err != nil {
				return nil, err
			}
			comma = true
		}
		key, err := p.subscribed(start, x)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	if err := p.expectOp("]"); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, p.tokens[p.i-1].pos.error("expected an index between the brackets")
	}
	at := p.span(start)
	if comma {
		return &itemExpr{at, x, &tupleExpr{at, keys}}, nil
	}
	if s, ok := keys[0].(*sliceExpr); ok && s.object == x {
		s.pos = at
		return s, nil
	}
	return &itemExpr{at, x, keys[0]}, nil
}

// subscribed parses one index or slice.
func (p *parser) subscribed(start *token, x expr) (expr, error) {
	var parts [3]expr
	n := 0
	for ; n < 3; n++ {
		if n > 0 && !p.skipOp(":") {
			break
		}
		if p.isOp(":") || p.isOp("]") || p.isOp(",") {
			continue
		}
		part, err := p.expression()
		if err != nil {
			return nil, err
		}
		parts[n] = part
	}
	if n > 1 {
		return &sliceExpr{p.span(start), x, parts[0], parts[1], parts[2]}, nil
	}
	if parts[0] == nil {
		return nil, p.tok().pos.errorf("unexpected %s", Repr(p.tok().what()))
	}
	return parts[0], nil
}

func (p *parser) arguments() (*argList, error) {
	start := p.tok()
	if err := p.expectOp("("); err != nil {
		return nil, err
	}
	a := &argList{}
	for first := true; !p.isOp(")"); first = false {
		if !first {
			if err := p.expectOp(","); err != nil {
				return nil, err
			}
			if p.isOp(")") {
				break
			}
		}
		if err := p.argument(a, start); err != nil {
			return nil, err
		}
	}
	a.fold()
	return a, p.expectOp(")")
}

// fold makes the arguments at once where they are constants.
func (a *argList) fold() {
	if a.star != nil || a.stars != nil {
		return
	}
	args := newArgs(a)
	for i, x := range a.positional {
		c, ok := x.(*constExpr)
		if !ok {
			return
		}
		args.Positional[i] = c.value
	}
	for i, x := range a.named {
		c, ok := x.(*constExpr)
		if !ok {
			return
		}
		if args.Keywords == nil {
			args.Keywords = NewDict()
		}
		args.Keywords.Set(a.names[i], c.value)
	}
	a.constant = args
}

func (p *parser) argument(a *argList, start *token) error {
	invalid := start.pos.error("invalid syntax for function call expression")
	switch {
	case p.skipOp("*"):
		x, err := p.expression()
		if a.star != nil || a.stars != nil {
			return invalid
		}
		a.star = x
		return err
	case p.skipOp("**"):
		x, err := p.expression()
		if a.stars != nil {
			return invalid
		}
		a.stars = x
		return err
	case p.tok().kind == tokName && p.tokens[p.i+1].kind == tokOperator && p.tokens[p.i+1].text == "=":
		name := p.next()
		p.i++
		if a.stars != nil {
			return invalid
		}
		if slices.Contains(a.names, name.text) {
			return name.pos.errorf("keyword argument repeated: %s", name.text)
		}
		x, err := p.expression()
		a.names, a.places, a.named = append(a.names, name.text), append(a.places, name.pos), append(a.named, x)
		return err
	}
	if a.star != nil || a.stars != nil || len(a.named) > 0 {
		return invalid
	}
	x, err := p.expression()
	a.positional = append(a.positional, x)
	return err
}

func (p *parser) filtersAndTests(start *token, x expr) (expr, error) {
	for n := 0; ; {
		var err error
		switch {
		case p.isOp("|"):
			p.i++
			x, err = p.filter(x)
		case p.isName("is"):
			x, err = p.test(start, x)
		case p.isOp("("):
			x, err = p.call(start, x)
		default:
			return x, nil
		}
		if err == nil {
			err = p.grow(&n)
		}
		if err != nil {
			return nil, err
		}
	}
}

// dotted parses a name with dots in it.
func (p *parser) dotted() (string, *token, error) {
	t, err := p.expectName()
	if err != nil {
		return "", nil, err
	}
	name := t.text
	for p.isOp(".") {
		p.i++
		part, err := p.expectName()
		if err != nil {
			return "", nil, err
		}
		name += "." + part.text
	}
	return name, t, nil
}

func (p *parser) filter(value expr) (*filterExpr, error) {
	name, t, err := p.dotted()
	if err != nil {
		return nil, err
	}
	f := &filterExpr{value: value, name: name, pos: p.span(t)}
	var ok bool
	if f.fn, f.lenient, f.foreign, ok = p.env.filter(name); !ok {
		known := slices.AppendSeq(slices.Collect(maps.Keys(filters)), maps.Keys(p.env.Filters))
		p.missing(f.pos, &NoSuch{"filter", name}, known)
	}
	if p.isOp("(") {
		f.args, err = p.arguments()
		f.pos = p.span(t)
	}
	return f, err
}

// missing notes an unknown filter or test. Where a condition decides whether
// it is reached, it is an error only then.
func (p *parser) missing(at pos, err *NoSuch, known []string) {
	if p.soft == 0 {
		e := at.error(err.Error())
		e.Wanted, e.Known, e.Err = err.Name, known, err
		p.tmpl.unknown = append(p.tmpl.unknown, e)
	}
}

func (p *parser) test(start *token, value expr) (expr, error) {
	p.i++
	negate := p.skipName("not")
	name, t, err := p.dotted()
	if err != nil {
		return nil, err
	}
	x := &testExpr{value: value, name: name, negate: negate}
	at := p.span(t)
	var ok bool
	if x.fn, x.lenient, x.foreign, ok = p.env.test(name); !ok {
		known := slices.AppendSeq(slices.Collect(maps.Keys(tests)), maps.Keys(p.env.Tests))
		p.missing(at, &NoSuch{"test", name}, known)
	}
	switch {
	case p.isOp("("):
		x.args, err = p.arguments()
	case p.startsArgument():
		var arg expr
		first := p.tok()
		if arg, err = p.primary(); err == nil {
			arg, err = p.postfix(first, arg)
		}
		x.args = &argList{positional: []expr{arg}}
	case p.isName("is"):
		return nil, p.tok().pos.error("You cannot chain multiple tests with is")
	}
	x.pos = p.span(start)
	return x, err
}

func (p *parser) startsArgument() bool {
	t := p.tok()
	switch t.kind {
	case tokName:
		return !slices.Contains([]string{"else", "or", "and", "is", "if"}, t.text)
	case tokString, tokInteger, tokFloat:
		return true
	}
	return p.isOp("[") || p.isOp("{")
}
