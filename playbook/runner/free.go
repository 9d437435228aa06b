package runner

import (
	"context"
	"errors"
	"sync"

	"gplay/internal/source"
)

// strategies are the ways to move hosts through a play.
var strategies = []string{"linear", "free", "host_pinned"}

// strategy runs the play's tasks as its strategy keyword says.
func (p *playRun) strategy(ctx context.Context, cursors []*cursor) error {
	name, err := p.playText(p.playScope(ctx), "strategy")
	if err != nil {
		return err
	}
	switch name {
	case "", "linear", "ansible.builtin.linear":
		return p.linear(ctx, cursors)
	case "debug", "ansible.builtin.debug":
		p.warn("the strategy debug runs as linear: there is no debugger yet")
		return p.linear(ctx, cursors)
	case "free", "ansible.builtin.free":
		p.slots = make(chan struct{}, p.Forks)
		return p.free(ctx, cursors, len(cursors))
	case "host_pinned", "ansible.builtin.host_pinned":
		return p.free(ctx, cursors, p.Forks)
	}
	e := source.Errorf(p.play.Keywords["strategy"].Pos, "there is no strategy %q", name)
	e.Hint = source.DidYouMean(name, strategies)
	return e
}

// free lets each host go through the play by itself, so many at a time.
func (p *playRun) free(ctx context.Context, cursors []*cursor, hosts int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slots := make(chan struct{}, hosts)
	errs := make([]error, len(cursors))
	var wg sync.WaitGroup
	for i, c := range cursors {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			p.turn.Lock()
			defer p.turn.Unlock()
			if errs[i] = p.lockstep(ctx, []*cursor{c}, cursors); errs[i] != nil {
				cancel()
			}
		})
	}
	p.turn.Unlock()
	wg.Wait()
	p.turn.Lock()
	return errors.Join(errs...)
}
