package jinja

import "slices"

// sequence is what a for loop goes through. Lists are seen as they are at each
// turn, for the body may change them.
type sequence interface {
	len() int
	at(i int) any
}

func (l *List) len() int     { return len(l.Items) }
func (l *List) at(i int) any { return l.Typed(l.Items[i]) }

func (r *Range) len() int     { return r.Len() }
func (r *Range) at(i int) any { return r.At(i) }

type items []any

func (s items) len() int     { return len(s) }
func (s items) at(i int) any { return s[i] }

// dictItems are a dict's keys or items, whose number may not change meanwhile.
type dictItems struct {
	items
	dict *Dict
}

func (s *dictItems) changed() bool { return s.dict.Len() != len(s.items) }

func sequenceOf(v any) (sequence, error) {
	if s, ok := v.(sequence); ok {
		return s, nil
	}
	got, err := Iterate(v)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *Dict:
		return &dictItems{got, v}, nil
	case *view:
		if d, ok := v.of.(*Dict); ok {
			return &dictItems{got, d}, nil
		}
	}
	return items(got), nil
}

// loop is the variable loop.
type loop struct {
	stmt  *forStmt
	frame *frame
	seq   sequence
	taken int // of seq
	index int // -1 before the first turn
	depth int
	item  any
	prev  any
	ahead []any // taken from seq, and not yet the loop's item
	count int   // what length was when it was asked for; -1
	last  *Args // of changed; nil until it was called
	err   error // of the filter, when it was asked for an item ahead
}

// next goes on to the next item; false at the end.
func (l *loop) next() (bool, error) {
	if l.err != nil {
		return false, l.err
	}
	v, ok := any(nil), len(l.ahead) > 0
	if ok {
		v, l.ahead = l.ahead[0], l.ahead[1:]
	} else {
		var err error
		if v, ok, err = l.take(); !ok {
			return false, err
		}
	}
	l.index++
	l.prev, l.item = l.item, v
	return true, nil
}

// take takes the next item that the loop's if holds for.
func (l *loop) take() (any, bool, error) {
	s, f := l.stmt, l.frame
	for {
		if d, ok := l.seq.(*dictItems); ok && d.changed() {
			return nil, false, s.iter.at().errorf("dictionary changed size during iteration")
		}
		if l.taken >= l.seq.len() {
			return nil, false, nil
		}
		if err := f.c.step(); err != nil {
			return nil, false, err
		}
		v := l.seq.at(l.taken)
		l.taken++
		if s.filter == nil {
			return v, true, nil
		}
		f.clear(s.scope)
		if err := s.target.assign(f, v); err != nil {
			return nil, false, s.fail(f, err)
		}
		holds, _, err := truthOf(f, s.filter)
		if holds || err != nil {
			return v, holds, err
		}
	}
}

// peek gives the item after this one, and leaves the body's variables alone.
func (l *loop) peek() (any, bool) {
	if len(l.ahead) > 0 {
		return l.ahead[0], true
	}
	v, ok := l.takeAhead()
	return v, ok
}

func (l *loop) takeAhead() (any, bool) {
	var slots []any
	if l.stmt.filter != nil {
		slots = slices.Clone(l.frame.slots)
	}
	v, ok, err := l.take()
	copy(l.frame.slots, slots)
	if err != nil {
		l.err = err
	}
	if ok {
		l.ahead = append(l.ahead, v)
	}
	return v, ok
}

func (l *loop) length() int {
	if l.count < 0 && l.stmt.filter == nil {
		l.count = l.seq.len()
	}
	if l.count < 0 {
		for ok := true; ok; {
			_, ok = l.takeAhead()
		}
		l.count = l.index + 1 + len(l.ahead)
	}
	return l.count
}

func (l *loop) Attr(name string) (any, bool) {
	switch name {
	case "index":
		return l.index + 1, true
	case "index0":
		return l.index, true
	case "revindex":
		return l.length() - l.index, true
	case "revindex0":
		return l.length() - l.index - 1, true
	case "first":
		return l.index == 0, true
	case "last":
		_, more := l.peek()
		return !more, true
	case "length":
		return l.length(), true
	case "depth":
		return l.depth + 1, true
	case "depth0":
		return l.depth, true
	case "previtem":
		if l.index == 0 {
			return &Undefined{Name: "previtem", Hint: "there is no previous item"}, true
		}
		return l.prev, true
	case "nextitem":
		if v, more := l.peek(); more {
			return v, true
		}
		return &Undefined{Name: "nextitem", Hint: "there is no next item"}, true
	case "cycle":
		return builtin(l.cycle), true
	case "changed":
		return builtin(l.changed), true
	}
	return nil, false
}

func (l *loop) cycle(_ *Context, args *Args) (any, error) {
	if len(args.Positional) == 0 {
		return nil, typeErrorf("no items for cycling given")
	}
	return args.Positional[l.index%len(args.Positional)], nil
}

func (l *loop) changed(_ *Context, args *Args) (any, error) {
	last := l.last
	if l.last = args; last == nil {
		return true, nil
	}
	same, err := equalItems(last.Positional, args.Positional, 0)
	return !same, err
}

// Call runs a recursive loop on the items of a level below.
func (l *loop) Call(c *Context, args *Args) (any, error) {
	if !l.stmt.recursive {
		return nil, typeErrorf("The loop must have the 'recursive' marker to be called recursively.")
	}
	bound, err := args.Bind("iterable")
	if err != nil {
		return nil, err
	}
	out := &output{}
	if err := l.stmt.recurse(l.frame.up, bound[0], l.depth+1, out); err != nil {
		return nil, err
	}
	return c.text(out.String()), nil
}

// rest are the items that are still to come.
func (l *loop) rest() []any {
	for ok := true; ok; {
		_, ok = l.takeAhead()
	}
	return l.ahead
}
