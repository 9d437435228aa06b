package runner

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/playbook"
)

// control runs the tasks that steer the play itself: meta, and the gathering
// of facts where it is off.
func (p *playRun) control(ctx context.Context, task *playbook.Task, at, all []*cursor) (done bool, err error) {
	switch {
	case task.Action == "meta":
		return true, p.meta(ctx, task, at, all)
	case isFacts(task):
		gather, err := p.gathers(ctx)
		return !gather || p.allGathered(at), err
	}
	return false, nil
}

// allGathered reports whether the facts of all hosts are known, where that is
// asked for.
func (p *playRun) allGathered(at []*cursor) bool {
	return p.SmartGathering && !slices.ContainsFunc(at, func(c *cursor) bool { return !p.store.Gathered(c.host) })
}

// gathers reports whether the play gathers facts.
func (p *playRun) gathers(ctx context.Context) (bool, error) {
	read := p.keywords(ctx)
	var gather bool
	read.bool("gather_facts", &gather, true)
	return gather, read.err
}

// enters reports whether a host enters a block: a role of which it ran a task
// before, used in the same way, runs only once.
func (p *playRun) enters(host string, b *playbook.Block) bool {
	return !b.IsRole || b.Role.AllowDuplicates || !p.rolesRun[roleUse(host, b.Role)]
}

// roleUse is equal for the uses of a role on a host that count as one.
func roleUse(host string, role *playbook.Role) string {
	key := host + "\x00" + role.Name + "\x00" + jinja.Repr(role.Params) + jinja.Repr(role.Use.Vars)
	for _, keyword := range []string{"when", "tags"} {
		key += "\x00" + conditionText(role.Use.Keywords[keyword].Value)
	}
	return key
}

// metaActions are what meta can do; those that are true act on each host by
// itself, the others once, for all and by the first host's conditions.
var metaActions = map[string]bool{
	"noop": true, "flush_handlers": true, "end_host": true, "end_role": true, "reset_connection": true,
	"end_play": false, "end_batch": false, "clear_facts": false, "clear_host_errors": false, "refresh_inventory": false,
}

// unconditional are the actions that take no when.
var unconditional = []string{"noop", "refresh_inventory", "reset_connection"}

// meta runs one of meta's actions.
func (p *playRun) meta(ctx context.Context, task *playbook.Task, at, all []*cursor) error {
	v, _ := task.Args.Get("_raw_params")
	action := strings.TrimSpace(jinja.Str(v))
	eachHost, known := metaActions[action]
	if !known {
		x, err := p.execution(ctx, task, at[0])
		if err != nil {
			return err
		}
		p.announce(p.taskInfo(task, x.scope))
		return unknownMeta(task, action)
	}
	asked := at
	if !eachHost {
		asked = at[:1]
	}
	p.each(asked, func(c *cursor) { p.handlers.ran(task, c.host) }) // the others stay notified, as by run_once
	if !task.Implicit {
		if slices.Contains(unconditional, action) && len(task.Chain("when")) > 0 {
			p.warn("%s task does not support when conditional", action)
		}
		willing, err := p.metaHosts(ctx, task, asked)
		if err != nil || len(willing) == 0 {
			return err
		}
		if eachHost {
			at = willing
		}
	}
	if action == "flush_handlers" {
		if task.Handler {
			e := source.Errorf(task.Pos, "flush_handlers cannot be used as a handler")
			e.Known = e.Msg
			return e
		}
		if p.flush(at) && p.info.Lockstep && written(task, "any_errors_fatal") {
			p.failAll(all)
			p.endWithoutHosts(all)
		}
		return nil
	}
	return p.metaAction(ctx, action, task, at, all)
}

// metaDone is what -vv says of an action that is done; %h is the host, %r the
// role that the task is in.
var metaDone = map[string]string{
	"noop": "noop", "end_play": "ending play", "end_batch": "ending batch", "end_host": "ending play for %h",
	"end_role": "ending role %r for %h", "clear_facts": "facts cleared", "clear_host_errors": "cleared host errors",
	"refresh_inventory": "inventory successfully refreshed", "reset_connection": "reset connection",
	"flush_handlers": "triggered running handlers for %h",
}

func (p *playRun) metaAction(ctx context.Context, action string, task *playbook.Task, at, all []*cursor) error {
	switch action {
	case "end_play":
		p.over, p.endsPlay = true, true
		p.endAll(task, at[0], all)
	case "end_batch":
		p.fatal = p.endAll(task, at[0], all)
		p.each(all, func(c *cursor) { p.ended[c.host] = true })
	case "end_host":
		p.each(at, func(c *cursor) {
			p.ended[c.host] = true
			p.out(p.removed, c.host)
			p.endFailing(c)
		})
	case "end_role":
		p.each(at, func(c *cursor) { c.leaveRole(task.Role) })
	case "clear_facts":
		var err error
		p.each(all, func(c *cursor) { err = errors.Join(err, p.store.ClearFacts(c.host)) })
		return err
	case "clear_host_errors":
		p.outMu.Lock()
		for _, h := range p.all {
			delete(p.failed, h.Name)
			delete(p.unreachable, h.Name)
		}
		p.outMu.Unlock()
		p.each(all, (*cursor).clearErrors)
		p.cleared = true
	case "refresh_inventory":
		return p.refreshInventory()
	case "reset_connection":
		return p.resetConnections(ctx, task, at)
	}
	return nil
}

// endAll ends the hosts that are in the play. Where the first of them is failing
// that is the failure of all, as any of any_errors_fatal.
func (p *playRun) endAll(task *playbook.Task, first *cursor, all []*cursor) (fatal bool) {
	if fatal = p.info.Lockstep && first.failing() && !written(task, "ignore_errors"); fatal {
		p.Callback.NoHostsRemaining(&p.info)
	}
	for _, c := range all {
		if fatal && !p.unreachable[c.host] {
			c.failed = true
			p.out(p.failed, c.host)
		}
		p.endFailing(c)
	}
	return fatal
}

// endFailing counts a host as failed that is ended where it is failing.
func (p *playRun) endFailing(c *cursor) {
	if c.failing() {
		c.failed = true
		p.out(p.failed, c.host)
	}
}

func (p *playRun) resetConnections(ctx context.Context, task *playbook.Task, at []*cursor) error {
	for _, c := range at {
		x, err := p.execution(ctx, task, c)
		if err != nil {
			return err
		}
		s, err := x.settings(x.scope)
		if err != nil {
			return err
		}
		if err := x.call(x.scope, s, nil).Reset(); err != nil {
			return err
		}
	}
	return nil
}

// refreshInventory reads the inventory again. The play goes on with those of its
// hosts that are still there, and their new variables; new ones are its hosts
// too, but have missed its tasks.
func (p *playRun) refreshInventory() error {
	if err := p.Inventory.Refresh(); err != nil {
		return err
	}
	before, info := p.all, p.info
	if err := p.resolveHosts(p.ctx); err != nil {
		return err
	}
	if err := p.order(p.ctx); err != nil {
		return err
	}
	info.Hosts = p.info.Hosts
	p.info = info
	for i, h := range before { // which the batches to come share
		if fresh := p.hosts[h.Name]; fresh != nil {
			before[i] = fresh
			continue
		}
		p.ended[h.Name] = true
		p.hosts[h.Name] = h
	}
	batch := p.batch
	p.batch = nil // those that are still there: new hosts do not take part
	for _, h := range batch {
		if !p.ended[h.Name] {
			p.batch = append(p.batch, p.hosts[h.Name])
		}
	}
	return p.learnHosts()
}

func unknownMeta(task *playbook.Task, action string) error {
	known := slices.Sorted(maps.Keys(metaActions))
	e := source.Errorf(task.ActionPos, "invalid meta action requested: %s", action)
	if e.Hint = source.DidYouMean(action, known); e.Hint == "" {
		e.Hint = "it can be one of: " + strings.Join(known, ", ")
	}
	return e
}

func (p *playRun) each(at []*cursor, do func(c *cursor)) {
	for _, c := range at {
		do(c)
	}
}

// metaHosts announces a meta task for every host and gives the hosts for
// which its conditions hold.
func (p *playRun) metaHosts(ctx context.Context, task *playbook.Task, at []*cursor) ([]*cursor, error) {
	var out []*cursor
	raw, _ := task.Args.Get("_raw_params")
	action := strings.TrimSpace(jinja.Str(raw))
	for _, c := range at {
		x, err := p.execution(ctx, task, c)
		if err != nil {
			return nil, err
		}
		x.info = p.taskInfo(task, x.scope)
		p.announce(x.info)
		ok := slices.Contains(unconditional, action)
		if !ok {
			if ok, err = x.conditions(x.scope); err != nil {
				return nil, err
			}
		}
		if ok {
			done := x.aboutMeta(metaDone[action])
			p.tell(func(cb Callback) { cb.Verbose(2, "META: "+done) })
			out = append(out, c)
			continue
		}
		p.skipsMeta(x, action)
	}
	return out, nil
}

// metaSkipped is what goes on when an action's condition is false; %h and %r as
// in metaDone.
var metaSkipped = map[string]string{
	"flush_handlers": ", not running handlers for %h", "clear_facts": ", not clearing facts and fact cache for %h",
	"clear_host_errors": ", not clearing host error state for %h", "end_batch": ", continuing current batch",
	"end_play": ", continuing play", "end_host": ", continuing execution for %h", "end_role": ", continuing role %r for %h",
}

func (x *execution) aboutMeta(text string) string {
	text = strings.ReplaceAll(text, "%h", x.host.Name)
	if x.task.Role != nil {
		text = strings.ReplaceAll(text, "%r", x.task.Role.Name)
	}
	return text
}

// skipsMeta tells that a meta task's condition is false for a host.
func (p *playRun) skipsMeta(x *execution, action string) {
	reason := action + " conditional evaluated to False" + x.aboutMeta(metaSkipped[action])
	t := x.skip(x.scope)
	t.data = jinja.NewDict("msg", action, "skip_reason", reason)
	if action == "end_host" {
		t.data.Set("msg", "end_host conditional evaluated to false, continuing execution for "+x.host.Name)
	}
	skipped := x.result(t)
	p.tell(func(c Callback) {
		c.Verbose(2, "META: "+reason)
		c.Result(skipped)
	})
}

// leaveRole goes on after the role's tasks.
func (c *cursor) leaveRole(role *playbook.Role) {
	i := slices.IndexFunc(c.frames, func(f *frame) bool { return f.block.IsRole && f.block.Role == role })
	if i >= 0 {
		c.frames = c.frames[:i]
	}
}
