package runner

import (
	"context"
	"slices"
	"sync"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/playbook"
)

// lockstep runs the hosts of cursors, of all that are in the play: the task
// that is furthest behind goes first, on all hosts that stand at it. Hosts whose
// errors were cleared catch up when the others are done.
func (p *playRun) lockstep(ctx context.Context, cursors, all []*cursor) error {
	var last *cursor // where the task before ran, once errors were cleared
	for ctx.Err() == nil && !p.over {
		task, at := p.next(cursors, last)
		if task == nil && last != nil {
			task, at = p.next(cursors, nil)
		}
		if task == nil {
			return nil
		}
		here := at[0].place()
		for _, c := range at {
			c.advance()
		}
		if err := p.step(ctx, task, at, all); err != nil {
			return err
		}
		if p.cleared {
			last = here
		}
	}
	return nil
}

// next is the task that is furthest behind of those behind a place, and the
// hosts that stand at it.
func (p *playRun) next(cursors []*cursor, place *cursor) (*playbook.Task, []*cursor) {
	var task *playbook.Task
	var at []*cursor
	for _, c := range cursors {
		if p.gone(c) {
			continue
		}
		t := c.peek()
		if t == nil || place != nil && !c.passed(place) {
			continue
		}
		order := -1
		if task != nil {
			order = c.compare(at[0])
		}
		switch {
		case order < 0:
			task, at = t, []*cursor{c}
		case order == 0 && t == task:
			at = append(at, c)
		}
	}
	return task, at
}

// gone reports whether a host takes no more part in the play.
func (p *playRun) gone(c *cursor) bool { return p.unreachable[c.host] || p.ended[c.host] || c.failed }

// step runs one task on the hosts that stand at it.
func (p *playRun) step(ctx context.Context, task *playbook.Task, at, all []*cursor) error {
	if done, err := p.control(ctx, task, at, all); done || err != nil {
		return err
	}
	if !p.confirmed(task) {
		return nil
	}
	once, err := p.forAll(ctx, task, at[0].host)
	if err == nil && !p.info.Lockstep {
		once, err = false, p.warnFree(ctx, task, at[0].host, once)
	}
	if err != nil {
		return err
	}
	runs := at
	if once {
		runs = at[:1]
	}
	results, err := p.onHosts(ctx, task, runs)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return p.interrupted(results, runs)
	}
	if once {
		shared, err := p.runOnce(ctx, task, at[0].host)
		if err != nil {
			return err
		}
		results = p.spread(results[0], at, shared)
	}
	return p.settle(ctx, task, results, at, all)
}

// interrupted counts the results of a task that was interrupted, for the recap.
func (p *playRun) interrupted(results []*outcome, at []*cursor) error {
	for i, o := range results {
		if _, err := p.settleHost(o, at[i]); err != nil {
			return err
		}
	}
	return nil
}

// onHosts runs task on every host, at most Forks at a time.
func (p *playRun) onHosts(ctx context.Context, task *playbook.Task, at []*cursor) ([]*outcome, error) {
	out := make([]*outcome, len(at))
	var info *TaskInfo
	var wg sync.WaitGroup
	var prepared []*execution
	for _, c := range at {
		x, err := p.execution(ctx, task, c)
		if err != nil {
			return nil, err
		}
		if info == nil {
			info = p.taskInfo(task, x.scope)
			info.Action = shownAction(x.task) // which a template may name
			p.announce(info)
		}
		x.info = info
		if x.limit, err = p.throttle(task, x); err != nil {
			return nil, err
		}
		prepared = append(prepared, x)
	}
	started := 0
	for i, x := range prepared {
		// A host's start is told of before it waits for its turn.
		for ; started <= min(i+p.Forks, len(prepared)-1); started++ {
			name := prepared[started].host.Name
			p.tell(func(c Callback) { c.HostStart(info, name) })
		}
		p.begin(task, x.limit)
		wg.Go(func() {
			out[i] = x.debugged(ctx)
			p.end(task)
		})
	}
	p.turn.Unlock() // with free, other hosts take their turn meanwhile
	defer p.turn.Lock()
	wg.Wait()
	return out, nil
}

// begin waits until a task may run on one more host, of which so many may run
// it at a time. Others take their turn meanwhile.
func (p *playRun) begin(task *playbook.Task, limit int) {
	for p.busy >= p.Forks || p.running[task] >= limit {
		p.freed.Wait()
	}
	p.busy++
	p.running[task]++
}

func (p *playRun) end(task *playbook.Task) {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.busy--
	p.running[task]--
	p.freed.Broadcast()
}

func (p *playRun) announce(info *TaskInfo) {
	p.tell(func(c Callback) { c.TaskStart(info) })
}

// settle takes what the hosts' results mean for the play: failures, includes,
// notifications.
func (p *playRun) settle(ctx context.Context, task *playbook.Task, results []*outcome, at, all []*cursor) error {
	fatal := false
	for i, o := range results {
		if o == nil || o.result == nil {
			continue
		}
		if o.err != nil {
			return o.err
		}
		last := at[i].last()
		failedNow, err := p.settleHost(o, at[i])
		if err != nil {
			return err
		}
		if failedNow && last || o.result.Status == Unreachable { // also an ignored one
			stop, err := p.anyErrorsFatal(ctx, task, at[i].host)
			if err != nil {
				return err
			}
			fatal = fatal || stop
		}
		at[i].lost = failedNow && last
	}
	failed, err := p.enterIncluded(task, results, at)
	if err != nil {
		return err
	}
	if !p.info.Lockstep {
		return nil
	}
	if (failed || p.lostWaits(task, at, all)) && !fatal {
		if fatal, err = p.anyErrorsFatal(ctx, task, at[0].host); err != nil {
			return err
		}
	}
	if fatal {
		p.failAll(all)
	}
	if err := p.tooManyFailed(ctx, at, all); err != nil {
		return err
	}
	p.endWithoutHosts(all)
	return nil
}

func (p *playRun) settleHost(o *outcome, c *cursor) (failedNow bool, err error) {
	n, r := &Counts{}, o.result // a run_once task counts for the host that ran it
	if !o.shared {
		if len(o.includes) == 0 { // else what it brings counts
			n = p.counts(c.host)
		}
		defer p.handlers.ran(o.task, c.host) // of the others, one of run_once stays notified
	}
	if role := o.task.Role; role != nil && !c.handling() && r.Status != Skipped && r.Status != Unreachable {
		p.rolesRun[roleUse(c.host, role)] = true
	}
	switch {
	case r.Status == Unreachable:
		if r.Ignored {
			n.OK++
			n.Ignored++
			return false, nil
		}
		if o.shared { // only that of run_once's own host is known
			return true, nil
		}
		n.Unreachable++
		p.out(p.unreachable, c.host)
		p.out(p.removed, c.host)
		return true, nil
	case r.Status == Failed && !r.Ignored:
		p.fail(c, o, n)
		return true, nil
	case r.Status == Failed:
		n.Ignored++
		n.OK++
	case r.Status == Skipped:
		n.Skipped++
	case len(o.includes) == 0:
		n.OK++
	}
	if changed, _ := r.Data.Get("changed"); jinja.Truth(changed) && r.Status != Skipped {
		n.Changed++
	}
	p.customStats(c.host, o.data)
	return false, nil
}

// lostWaits reports whether a host that nothing rescues waits for the always
// part of a block: as in Ansible, such a host fails again with each task that
// others run meanwhile, one that runs once after the hosts before it.
func (p *playRun) lostWaits(task *playbook.Task, at, all []*cursor) bool {
	if !written(task, "any_errors_fatal") {
		all = all[:max(0, slices.Index(all, at[0]))]
	}
	return slices.ContainsFunc(all, func(c *cursor) bool { return c.lost && !p.gone(c) })
}

// fail takes a host out of what it is in, up to the block that rescues it.
// Its variables ansible_failed_task and ansible_failed_result say why.
func (p *playRun) fail(c *cursor, o *outcome, n *Counts) {
	var rescued bool
	if c.handling() { // Ansible counts a handler's failure as one, rescued or not
		rescued = c.rescuing()
		c.failHandler()
	} else {
		rescued = c.fail()
	}
	if rescued {
		n.Rescued++
		if !o.shared { // as in Ansible, only the host that ran it knows
			p.store.Set(c.host, jinja.NewDict("ansible_failed_task", failedTask(o), "ansible_failed_result", public(o.data)))
		}
	} else {
		n.Failed++
		p.out(p.removed, c.host)
	}
	if c.failed { // at once: what always parts let through counts when the batch is done
		p.out(p.failed, c.host)
	}
}

// failAll marks the hosts that any_errors_fatal takes along, those that are in
// a rescue or always part aside. The play goes on as long as there are such, and
// the playbook ends after it.
func (p *playRun) failAll(all []*cursor) {
	p.fatal = p.fatal || p.lacking // to Ansible, these are not in such a part
	for _, c := range all {
		if p.unreachable[c.host] {
			continue
		}
		if c.peek(); c.inRescue() {
			continue
		}
		if p.fatal = true; !p.failed[c.host] {
			p.out(p.failed, c.host)
		}
	}
}

// endWithoutHosts ends a play that only goes on for its rescue and always
// parts, once all hosts have failed.
func (p *playRun) endWithoutHosts(all []*cursor) {
	left := 0
	for _, c := range all {
		if !p.unreachable[c.host] {
			left++
		}
	}
	if p.fatal && !p.over && len(p.failed)-p.failedBefore >= left {
		p.over = true
		p.Callback.NoHostsRemaining(&p.info)
	}
}

// tooManyFailed fails all hosts when more than max_fail_percentage of the batch
// has failed. Those of at that just failed go on with the always parts that they
// have, and the others come to theirs: as in Ansible, the play ends when each
// host has failed for good.
func (p *playRun) tooManyFailed(ctx context.Context, at, all []*cursor) error {
	read, limit := p.keywords(ctx), 100.0
	read.number("max_fail_percentage", "percent", &limit)
	if read.err != nil || float64(len(p.failed)-p.failedBefore)*100/float64(len(p.batch)) <= limit {
		return read.err
	}
	for _, c := range all {
		if p.unreachable[c.host] || c.lost && slices.Contains(at, c) {
			continue
		}
		p.out(p.failed, c.host)
		p.out(p.removed, c.host)
		c.fail()
	}
	p.fatal = true
	p.Callback.NoHostsRemaining(&p.info)
	return nil
}

// spread gives the outcome of a task that ran once to all hosts that stand at
// it. What it registered is shared with all of the play by run_once, and not at
// all by actions that run once by themselves.
func (p *playRun) spread(o *outcome, at []*cursor, shared bool) []*outcome {
	if shared {
		for _, h := range p.present(p.batch) {
			if h.Name != at[0].host {
				o.apply(h.Name)
			}
		}
	}
	out := make([]*outcome, len(at))
	alone := !shared && o.result != nil && o.result.Status == Failed && !o.result.Ignored // then the others go on
	for i := range at {
		if alone && i > 0 {
			break
		}
		copied := *o
		out[i] = &copied
		if i > 0 {
			out[i].shared, out[i].includes = true, nil
		}
	}
	return out
}

// runOnce reports whether a task runs on the first host for all: whatever
// Python takes for true, as a value of the wrong kind is found only there.
func (p *playRun) runOnce(ctx context.Context, task *playbook.Task, host string) (bool, error) {
	k, ok := task.Inherited("run_once")
	if b, isBool := k.Value.(bool); !ok || isBool {
		return b, nil
	}
	v, err := p.scope(ctx, task, p.hosts[host]).Template(k.Value)
	return jinja.Truth(v), err
}

func (p *playRun) anyErrorsFatal(ctx context.Context, task *playbook.Task, host string) (bool, error) {
	if written(task, "ignore_errors") {
		return false, nil
	}
	if written(task, "any_errors_fatal") {
		return true, nil
	}
	return p.forAll(ctx, task, host)
}

// written is a boolean keyword as Ansible takes it that does not template it:
// any text is true.
func written(task *playbook.Task, keyword string) bool {
	k, ok := task.Inherited(keyword)
	return ok && isTrue(k)
}

// throttle is on how many hosts a task may run at a time.
func (p *playRun) throttle(task *playbook.Task, x *execution) (int, error) {
	k, ok := task.Inherited("throttle")
	if !ok {
		return p.Forks, nil
	}
	v, err := x.scope.Template(k.Value)
	if err != nil {
		return 0, err
	}
	n, isInt := asInt(v)
	if !isInt {
		e := source.Errorf(k.Pos, "throttle is %s; it must be a whole number", jinja.Repr(v))
		e.Known = "Failed to convert the throttle value to an integer."
		return 0, e
	}
	if n <= 0 {
		return p.Forks, nil
	}
	return n, nil
}

func asFloat(v any, keyword string, pos source.Pos) (float64, error) {
	switch n := v.(type) {
	case int:
		return float64(n), nil
	case float64:
		return n, nil
	case bool:
		if n {
			return 1, nil
		}
		return 0, nil
	}
	if f, ok := parseFloat(jinja.Str(v)); ok {
		return f, nil
	}
	return 0, source.Errorf(pos, "%s is %s; it must be a number", keyword, jinja.Repr(v))
}
