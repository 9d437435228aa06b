package runner

import (
	"slices"

	"gplay/playbook"
)

// phase is a part of a block.
type phase int

const (
	body phase = iota
	rescue
	always
)

// frame is a block that a host is in.
type frame struct {
	block  *playbook.Block
	phase  phase
	next   [3]int // of each phase, the index of the next item
	failed bool   // the block ends in failure
	// only are the blocks of an include that are meant for this host; nil is
	// all.
	only map[*playbook.Block]bool
	// notified, for the frame of a play's handlers, tells those that are to
	// run.
	notified func(*playbook.Task) bool
}

func (f *frame) items() []playbook.Item {
	switch f.phase {
	case rescue:
		return f.block.Rescue
	case always:
		return f.block.Always
	}
	return f.block.Items
}

// cursor is where one host is in a play: the stack of blocks it is in.
type cursor struct {
	host   string
	frames []*frame
	failed bool // a failure was not rescued
	// resume is where a host that failed goes on once its errors are cleared: as
	// in Ansible, behind the block that its failure ended last.
	resume []*frame
	lost   bool // nothing rescues the failure of the task that ran last
	// handlerFailed is set from a handler's failure until a rescue has ended.
	handlerFailed bool
	// selected tells whether a task's tags let it run, enters whether a block
	// is to be entered at all.
	selected func(*playbook.Task) bool
	enters   func(host string, b *playbook.Block) bool
}

func newCursor(host string, block *playbook.Block) *cursor {
	return &cursor{
		host: host, frames: []*frame{{block: block}},
		selected: func(*playbook.Task) bool { return true },
		enters:   func(string, *playbook.Block) bool { return true },
	}
}

// has reports whether a part of a block has a task whose tags let it run: to
// Ansible, the others are not there.
func (c *cursor) has(part []playbook.Item) bool {
	return slices.ContainsFunc(part, func(item playbook.Item) bool {
		switch item := item.(type) {
		case *playbook.Task:
			return c.selected(item) || c.handling()
		case *playbook.Block:
			return c.has(item.Items) || c.has(item.Rescue) || c.has(item.Always)
		}
		return false
	})
}

// peek is the host's next task, or nil when it has none left.
func (c *cursor) peek() *playbook.Task {
	for len(c.frames) > 0 {
		f := c.frames[len(c.frames)-1]
		items := f.items()
		if f.next[f.phase] >= len(items) {
			c.endPhase(f)
			continue
		}
		switch item := items[f.next[f.phase]].(type) {
		case *playbook.Task:
			if c.runs(f, item) {
				return item
			}
			f.next[f.phase]++
		case *playbook.Block:
			f.next[f.phase]++
			if (f.only == nil || f.only[item]) && c.enters(c.host, item) {
				c.frames = append(c.frames, &frame{block: item})
			}
		}
	}
	return nil
}

// runs reports whether a task of a frame is to run: a handler when it was
// notified, whatever its tags, and so what it includes.
func (c *cursor) runs(f *frame, t *playbook.Task) bool {
	if f.notified != nil {
		return f.notified(t)
	}
	return c.selected(t) || c.handling()
}

// handling reports whether the host is in its handlers, or in what they include.
func (c *cursor) handling() bool {
	return slices.ContainsFunc(c.frames, func(f *frame) bool { return f.notified != nil })
}

// advance moves past the task that peek gave.
func (c *cursor) advance() {
	f := c.frames[len(c.frames)-1]
	f.next[f.phase]++
	c.lost = false
}

// endPhase goes on to the block's always part, or out of the block.
func (c *cursor) endPhase(f *frame) {
	if f.phase == rescue && c.outermost() == len(c.frames)-1 {
		c.handlerFailed, f.failed = false, false
	}
	if f.phase != always && c.has(f.block.Always) {
		f.phase = always
		return
	}
	c.frames = c.frames[:len(c.frames)-1]
	if f.failed {
		c.resume = slices.Clone(c.frames)
		c.passOn()
	}
}

// fail ends the phase that the host is in, and reports whether a rescue takes
// over. Without one the failure goes on to the enclosing blocks.
func (c *cursor) fail() (rescued bool) {
	c.resume = nil
	if last := len(c.frames) - 1; last > 0 && !c.outer(last) {
		c.resume = slices.Clone(c.frames[:last])
	}
	return c.passOn()
}

// outer reports whether frame i is one of those that a play consists of to
// Ansible: a section or role of the play, or a block that stands in one.
func (c *cursor) outer(i int) bool {
	base := 2
	if len(c.frames) > 3 && c.frames[3].block.IsRole {
		base = 3
	}
	return i <= base || i == base+1 && c.frames[i].block.Explicit
}

func (c *cursor) passOn() (rescued bool) {
	if len(c.frames) == 0 {
		c.failed = true
		return false
	}
	f := c.frames[len(c.frames)-1]
	if f.phase == body && c.has(f.block.Rescue) {
		f.phase = rescue
		return true
	}
	f.failed = true
	if f.phase != always && c.has(f.block.Always) {
		f.phase = always
		return c.rescuable()
	}
	c.frames = c.frames[:len(c.frames)-1]
	return c.passOn()
}

// outermost is the frame whose rescue and always parts are for the handlers
// that fail in it, or -1: the block that stands directly in the play or a role,
// or with force_handlers the section of the play.
func (c *cursor) outermost() int {
	for i, f := range c.frames {
		b := f.block
		switch {
		case b.Explicit || i == 1 && len(b.Always) > 0:
			return i
		case b.Static != nil || b.Include != nil || f.only != nil:
			return -1
		}
	}
	return -1
}

// failHandler ends the handlers that the host is in. As in Ansible, blocks
// within the outermost do not matter, and that one goes on in its rescue part
// wherever it was, even behind it.
func (c *cursor) failHandler() {
	c.handlerFailed = true
	i := c.outermost()
	if i < 0 || !c.catches(c.frames[i].block) {
		c.end()
		return
	}
	f, to := c.frames[i], always
	if f.failed = true; c.has(f.block.Rescue) {
		to = rescue
	}
	kept := i + 1
	if f.phase == to {
		kept = slices.IndexFunc(c.frames, func(f *frame) bool { return f.notified != nil })
	}
	f.phase, c.frames = to, c.frames[:kept]
}

// end takes the host out of the play as failed.
func (c *cursor) end() { c.frames, c.resume, c.failed = nil, nil, true }

// rescuing reports whether a failure counts as rescued though it is a
// handler's: Ansible asks the blocks within the outermost alone.
func (c *cursor) rescuing() bool {
	return slices.ContainsFunc(c.frames[c.outermost()+1:], func(f *frame) bool { return f.phase == body && c.has(f.block.Rescue) })
}

// catches reports whether a block has a rescue or an always part.
func (c *cursor) catches(b *playbook.Block) bool { return c.has(b.Rescue) || c.has(b.Always) }

// clearErrors forgets that tasks of the blocks that the host is in failed.
func (c *cursor) clearErrors() {
	if c.failed {
		c.frames, c.failed = c.resume, false
	}
	for _, f := range c.frames {
		f.failed = false
	}
}

// last reports whether a failure now would be the host's last word, as Ansible
// counts it for any_errors_fatal: the block it is in has nothing for it, and no
// block around that one rescues. That one around it has an always part makes no
// difference.
func (c *cursor) last() bool {
	if len(c.frames) == 0 {
		return true
	}
	if c.handling() {
		i := c.outermost()
		return i < 0 || !c.catches(c.frames[i].block)
	}
	f := c.frames[len(c.frames)-1]
	if f.phase == body && c.has(f.block.Rescue) || f.phase != always && c.has(f.block.Always) {
		return false
	}
	return !c.rescuable()
}

// rescuable reports whether a block further out will rescue the failure that
// is on its way through an always part.
func (c *cursor) rescuable() bool {
	for _, f := range c.frames[:len(c.frames)-1] {
		if f.phase == body && c.has(f.block.Rescue) {
			return true
		}
	}
	return false
}

// enter puts the blocks of an include before what is next; only are those
// that are meant for this host.
func (c *cursor) enter(block *playbook.Block, only map[*playbook.Block]bool) {
	c.frames = append(c.frames, &frame{block: block, only: only})
}

// place is where the host is now, which does not move with it.
func (c *cursor) place() *cursor {
	at := &cursor{}
	for _, f := range c.frames {
		frame := *f
		at.frames = append(at.frames, &frame)
	}
	return at
}

// passed reports whether the host is behind a place, or in what the task there
// has brought.
func (c *cursor) passed(place *cursor) bool {
	order := c.apart(place)
	return order > 0 || order == 0 && len(c.frames) > len(place.frames)
}

// compare tells which of two hosts is further behind in the play; 0 when both
// are at the same task.
func (c *cursor) compare(d *cursor) int {
	if order := c.apart(d); order != 0 {
		return order
	}
	return len(d.frames) - len(c.frames)
}

// apart compares what two hosts are in as far as both are in something.
func (c *cursor) apart(d *cursor) int {
	for i := 0; i < len(c.frames) && i < len(d.frames); i++ {
		f, g := c.frames[i], d.frames[i]
		for _, pair := range [][2]int{{int(f.phase), int(g.phase)}, {c.at(i), d.at(i)}} {
			if pair[0] != pair[1] {
				return pair[0] - pair[1]
			}
		}
	}
	return 0
}

// at is the item that frame i stands at: the next one in the innermost, the
// one that was entered in the others.
func (c *cursor) at(i int) int {
	f := c.frames[i]
	if i == len(c.frames)-1 {
		return f.next[f.phase]
	}
	return f.next[f.phase] - 1
}

// failing reports whether the host would count as failed if the play ended for
// it now: in the outermost block that is written as one, it is in the rescue, or
// on its way out of a failure. As in Ansible, blocks within that make no
// difference.
func (c *cursor) failing() bool {
	for _, f := range c.frames {
		if f.block.Explicit {
			return f.phase == rescue || f.failed
		}
	}
	return false
}

// inRescue reports whether the innermost block that the host is in has come to
// its rescue or always part.
func (c *cursor) inRescue() bool {
	return len(c.frames) > 0 && c.frames[len(c.frames)-1].phase != body
}
