package jinja

// The tree of a template is what runs: nodes evaluate and execute themselves.
// Names are resolved to slots of frames before the first run.

type expr interface {
	eval(f *frame) (any, error)
	at() pos
}

type stmt interface {
	exec(f *frame) error
}

func (p pos) at() pos { return p }

type (
	constExpr struct {
		pos
		value any
	}
	nameExpr struct {
		pos
		name  string
		scope *scope
		slots []slot // where it may be, innermost first
		local bool   // it is in one of slots or nowhere
		cache int    // the frame's slot that keeps what the context gave; -1 for none
	}
	tupleExpr struct {
		pos
		items []expr
	}
	listExpr struct {
		pos
		items []expr
	}
	dictExpr struct {
		pos
		keys, values []expr
	}
	attrExpr struct {
		pos
		object expr
		name   string
		key    any  // name
		method bool // of a dict
	}
	itemExpr struct {
		pos
		object, key expr
	}
	sliceExpr struct {
		pos
		object         expr
		from, to, step expr // nil for what is left out
	}
	callExpr struct {
		pos
		fn   expr
		args *argList
	}
	filterExpr struct {
		pos
		value   expr // nil for the body of a filter block
		name    string
		fn      Filter // nil: unknown, an error when it runs
		lenient bool   // takes undefined values
		foreign bool   // the caller's: sees no Markup
		args    *argList
	}
	testExpr struct {
		pos
		value   expr
		name    string
		fn      Test
		lenient bool
		foreign bool
		args    *argList
		negate  bool
	}
	unaryExpr struct {
		pos
		op string
		x  expr
	}
	binaryExpr struct {
		pos
		op   string
		a, b expr
	}
	compareExpr struct {
		pos
		first expr
		ops   []string
		rest  []expr
	}
	concatExpr struct {
		pos
		parts []expr
	}
	notExpr struct {
		pos
		x expr
	}
	logicExpr struct { // and, or
		pos
		or   bool
		a, b expr
	}
	condExpr struct {
		pos
		test, then, els expr // els may be nil
	}
)

// argList are the arguments of a call as written.
type argList struct {
	positional []expr
	names      []string
	places     []pos // of names
	named      []expr
	star       expr  // *x
	stars      expr  // **x
	constant   *Args // where all are constants
}

type (
	textStmt   struct{ text string }
	outputStmt struct {
		pos
		x expr
	}
	ifStmt struct {
		pos
		tests  []expr
		bodies [][]stmt
		els    []stmt
	}
	forStmt struct {
		pos
		target    target
		iter      expr
		filter    expr // nil: none
		body, els []stmt
		recursive bool
		scope     *scope // of the target and body
		elsScope  *scope
		loopSlot  int // -1: the body never asks for loop
		fn        *function
	}
	setStmt struct {
		pos
		target target
		value  expr
	}
	setBlockStmt struct {
		pos
		target  target
		filters []*filterExpr
		body    []stmt
		scope   *scope
	}
	filterStmt struct {
		pos
		filters []*filterExpr
		body    []stmt
		scope   *scope
	}
	macroStmt struct {
		pos
		target *nameTarget
		macro  *macro
	}
	callStmt struct {
		pos
		call  *callExpr
		macro *macro
	}
	withStmt struct {
		pos
		targets []target
		values  []expr
		body    []stmt
		scope   *scope
	}
	autoescapeStmt struct {
		pos
		on    expr
		body  []stmt
		scope *scope
	}
	includeStmt struct {
		pos
		name          expr
		ignoreMissing bool
		withContext   bool
		scope         *scope
		visible       visible
	}
	importStmt struct {
		pos
		name        expr
		withContext bool
		target      *nameTarget // import x as target
		names       []string    // from x import names
		targets     []*nameTarget
		scope       *scope
		visible     visible
	}
	extendsStmt struct {
		pos
		name expr
	}
	blockStmt struct {
		pos
		block   *block
		scope   *scope
		visible visible
	}
	printStmt struct{ outputs []stmt }
	doStmt    struct {
		pos
		x expr
	}
	breakStmt    struct{ pos }
	continueStmt struct{ pos }
)

// target is what a value is assigned to.
type target interface {
	assign(f *frame, v any) error
}

type (
	nameTarget struct {
		pos
		name string
		slot int
	}
	tupleTarget struct {
		pos
		items []target
	}
	attrTarget struct {
		pos
		object *nameExpr
		name   string
	}
)

// function is what gets a frame of its own: a template, macro, block or
// recursive loop.
type function struct{ slots int }

type macro struct {
	pos
	fn       *function
	name     string
	params   []string
	slots    []int
	defaults []expr // of the last params
	body     []stmt
	// Slots of the special variables, -1 where the body does not use them.
	varargs, kwargs, caller int
}

type block struct {
	pos
	name             string
	fn               *function
	body             []stmt
	scoped, required bool
	superSlot        int
	selfSlot         int
	tmpl             *Template
}

// scope is a region of a template where names are declared.
type scope struct {
	parent *scope
	fn     *function
	names  map[string]variable
	// setFirst has the names that are used in this very scope, true where one
	// gets a value before it is read.
	setFirst map[string]bool
	// sets are the slots that are cleared when the scope is entered.
	sets []int
	root bool // the template's own: what is set there is exported
	loop bool // the body of a loop
}

type variable struct {
	slot  int
	param bool // has a value from the start
}

// slot is a variable's place: how many frames up, and where in it.
type slot struct{ up, index int }

// visible are all names that a place in a template sees.
type visible map[string][]slot

func newScope(parent *scope, fn *function) *scope { return &scope{parent: parent, fn: fn} }

func (s *scope) declare(name string, param bool) int {
	if v, ok := s.names[name]; ok {
		return v.slot
	}
	if s.names == nil {
		s.names = map[string]variable{}
	}
	v := variable{s.fn.slots, param}
	s.fn.slots++
	s.names[name] = v
	if !param {
		s.sets = append(s.sets, v.slot)
	}
	return v.slot
}

// use notes that name is read in s itself, or certainly gets a value there.
func (s *scope) use(name string, set bool) {
	if _, known := s.setFirst[name]; known {
		return
	}
	if s.setFirst == nil {
		s.setFirst = map[string]bool{}
	}
	s.setFirst[name] = set
}

// resolve finds where name may be seen from s, and whether that is all: then
// the name has no value of the template's context. As in Jinja2's compiler,
// that is so where it gets its value in the template before it is read.
func (s *scope) resolve(name string) (slots []slot, local bool) {
	up := 0
	for ; s != nil; s = s.parent {
		if v, ok := s.names[name]; ok {
			slots = append(slots, slot{up, v.slot})
			if v.param {
				return slots, true
			}
		}
		if set, used := s.setFirst[name]; used {
			local = set
		}
		if s.parent != nil && s.parent.fn != s.fn {
			up++
		}
	}
	return slots, local
}

func (s *scope) visible() visible {
	out := visible{}
	for t := s; t != nil; t = t.parent {
		for name := range t.names {
			if _, ok := out[name]; !ok {
				out[name], _ = s.resolve(name)
			}
		}
	}
	return out
}
