package runner

import (
	"context"
	"slices"

	"gplay/inventory"
	"gplay/playbook"
)

// startAt moves hosts, which are at the start of a play, to the task of
// --start-at-task, with the play's facts before it. It looks for it where a host
// goes that nothing fails on. Hosts that do not come to it do nothing in the play.
func (p *playRun) startAt(ctx context.Context, cursors []*cursor) error {
	if p.started {
		return nil
	}
	matches, err := inventory.Glob(p.StartAt)
	if err != nil {
		return err
	}
	gathers, err := p.gathers(ctx)
	if err != nil {
		return err
	}
	for _, c := range cursors {
		t := c.peek()
		for t != nil && (isFacts(t) && !gathers || !p.startsAt(t, matches)) {
			c.advance()
			t = c.peek()
		}
		if t != nil {
			p.started = true
			c.frames = append(c.frames, &frame{block: &playbook.Block{Play: p.play, Items: []playbook.Item{p.facts()}}})
		}
	}
	return nil
}

// startsAt reports whether a task is that of --start-at-task: by its name as it
// is written, or with its role; one without a name goes by its action.
func (p *playRun) startsAt(t *playbook.Task, matches func(string) (bool, error)) bool {
	names := []string{listedName(t)}
	if t.Name != nil {
		names = append(names, conditionText(t.Name))
	} else if t.Role != nil && t.Action != "include_role" {
		names = append(names, t.Role.Name+" : "+t.ActionAs)
	}
	return slices.ContainsFunc(names, func(name string) bool {
		ok, err := matches(name)
		return name == p.StartAt || ok && err == nil
	})
}
