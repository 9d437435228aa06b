package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"gplay/internal/source"
	"gplay/playbook"
	"gplay/playbook/actions"
)

// The ways to move hosts through a play.
const (
	linear     = "linear"
	free       = "free"
	hostPinned = "host_pinned"
	debugging  = "debug"
)

var strategies = []string{linear, free, hostPinned, debugging}

// strategy is the play's strategy.
func (p *playRun) strategy(ctx context.Context) (string, error) {
	name, err := p.playText(p.playScope(ctx), "strategy")
	if err != nil {
		return "", err
	}
	name = playbook.Builtin(cmp.Or(name, p.Strategy, linear))
	if !slices.Contains(strategies, name) {
		e := source.Errorf(p.play.Keywords["strategy"].Pos, "there is no strategy %q", name)
		e.Hint = source.DidYouMean(name, strategies)
		return "", e
	}
	return name, nil
}

// move runs the play's tasks in the way of a strategy.
func (p *playRun) move(ctx context.Context, strategy string, cursors []*cursor) error {
	switch strategy {
	case free:
		return p.free(ctx, cursors, len(cursors))
	case hostPinned:
		return p.free(ctx, cursors, p.Forks)
	}
	return p.lockstep(ctx, cursors, cursors)
}

// free lets each host go through the play by itself, so many at a time.
func (p *playRun) free(ctx context.Context, cursors []*cursor, hosts int) error {
	if p.play.Keywords["max_fail_percentage"].Value != nil {
		p.warn("Using max_fail_percentage with the free strategy is not supported, as tasks are executed independently on each host")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slots := make(chan struct{}, hosts)
	errs := make([]error, len(cursors))
	var wg sync.WaitGroup
	p.turn.Unlock()
	for i, c := range cursors {
		slots <- struct{}{}
		p.turn.Lock() // for the host, so that they begin in their order
		wg.Go(func() {
			defer func() { <-slots }()
			defer p.turn.Unlock()
			if errs[i] = p.lockstep(ctx, []*cursor{c}, cursors); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	p.turn.Lock()
	if !slices.ContainsFunc(cursors, func(c *cursor) bool { return !p.unreachable[c.host] }) {
		p.Callback.NoHostsRemaining(&p.info)
	}
	return errors.Join(errs...)
}

// warnFree warns of what a task asks for and hosts that go by themselves do not
// do. once is set where one run of it is to serve all.
func (p *playRun) warnFree(ctx context.Context, task *playbook.Task, host string, once bool) error {
	if a := actions.Find(task.Action); a != nil && a.ForAll {
		e := source.Errorf(task.ActionPos, "%s runs once for all hosts, which these strategies cannot: free, host_pinned", task.Action)
		e.Known = fmt.Sprintf("The '%s' module bypasses the host loop, which is currently not supported in the free strategy and would instead execute for every host in the inventory list.", task.ActionAs)
		return e
	}
	if once {
		p.warn("Using run_once with the free strategy is not currently supported. This task will still be executed for every host in the inventory list.")
	}
	if written(task, "any_errors_fatal") {
		p.warn("Using any_errors_fatal with the free strategy is not supported, as tasks are executed independently on each host")
	}
	return nil
}
