package jinja

import "slices"

// sequence is what a for loop goes through. Lists are seen as they are at each
// turn, for the body may change them.
type sequence struct {
	items []any
	list  *List  // instead of items
	r     *Range // instead of items
	dict  *Dict  // whose keys or items are gone through, size of them
	size  int
}

func (s *sequence) len() int {
	switch {
	case s.list != nil:
		return len(s.list.Items)
	case s.r != nil:
		return s.r.Len()
	}
	return len(s.items)
}

func (s *sequence) at(i int) any {
	switch {
	case s.list != nil:
		return s.list.Items[i]
	case s.r != nil:
		return s.r.At(i)
	}
	return s.items[i]
}

func sequenceOf(v any) (sequence, error) {
	s := sequence{}
	switch v := v.(type) {
	case *Range:
		return sequence{r: v}, nil
	case *List:
		return sequence{list: v}, nil
	case *Dict:
		s.dict = v
	case *view:
		s.dict, _ = v.of.(*Dict)
	}
	s.size = s.dict.Len()
	items, err := Iterate(v)
	s.items = items
	return s, err
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
	last  []any // of changed
	asked bool  // changed was called
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
		if l.seq.dict != nil && l.seq.dict.Len() != l.seq.size {
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
		return Func(l.cycle), true
	case "changed":
		return Func(l.changed), true
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
	same, err := equalItems(l.last, args.Positional, 0)
	if err != nil {
		return nil, err
	}
	same = same && l.asked
	l.asked, l.last = true, args.Positional
	return !same, nil
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
