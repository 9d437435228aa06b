package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gplay/internal/source"
	"gplay/inventory"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/vars"
)

// playRun is a play while it runs, over one batch of hosts at a time.
type playRun struct {
	*Runner
	ctx      context.Context
	play     *playbook.Play
	patterns []string // of its hosts, nil when they are omitted
	info     PlayInfo

	prompted *jinja.Dict
	all      []*inventory.Host // of the play, in its order
	known    []*inventory.Host // that the inventory has for the play, held by outMu
	batch    []*inventory.Host
	hosts    map[string]*inventory.Host // of the play, by name
	sections *playbook.Block
	handlers *handlers
	public   []*playbook.Role // that include_role made known
	// turn is held by whoever moves hosts on, and given up while their task
	// runs: busy hosts run one now, running says which. freed tells of an end.
	turn         sync.Mutex
	busy         int
	running      map[*playbook.Task]int
	freed        *sync.Cond
	debugging    sync.Mutex // held while the debugger talks
	quit         bool       // by the debugger, under debugging
	debugAll     bool       // failures go to the debugger
	levelsMu     sync.Mutex
	levels       map[*playbook.Task]vars.Levels
	magic        vars.Lazy
	files        map[string][]*jinja.Dict // vars_files by host
	filesRead    map[string]varsFileRead  // by path
	tagScope     *vars.Scope              // what tags are templated with
	waiting      map[string]bool          // hosts with vars_files whose names are not known yet
	rolesRun     map[string]bool          // by roleUse: a task ran
	ended        map[string]bool          // hosts whose batch meta ended
	removed      map[string]bool          // hosts that failed or that meta: end_host took out
	over         bool                     // meta: end_play, or a fatal failure
	cleared      bool                     // meta: clear_host_errors
	endsPlay     bool                     // it was meta: end_play
	fatal        bool                     // the playbook ends after this play
	unasked      bool                     // the rest of the batch needs no Confirm
	failedBefore int                      // how many hosts had failed when the batch began
	lacking      bool                     // some of them would be in the batch
}

// playRun prepares the run of a play. While its own keywords are read, variables
// tell of the hosts of its pattern, or of all where that is a template.
func (r *Runner) playRun(ctx context.Context, play *playbook.Play) *playRun {
	p := &playRun{Runner: r, play: play, ctx: ctx, removed: map[string]bool{}, running: map[*playbook.Task]int{}}
	patterns, err := hostPatterns(play.Hosts)
	if err != nil || isTemplate(play.Hosts) {
		patterns = []string{"all"}
	}
	// What is wrong with a pattern is told when the hosts are chosen.
	everyone, _ := p.selection("all")
	own, _ := p.selection(patterns...)
	p.batch, p.known = everyone.Hosts, own.Hosts
	return p
}

// runPlay runs one play and reports whether the playbook goes on.
func (r *Runner) runPlay(ctx context.Context, play *playbook.Play) (goOn bool, err error) {
	p := r.playRun(ctx, play)
	p.freed = sync.NewCond(&p.turn)
	if err := p.prompt(ctx); err != nil {
		return false, err
	}
	if err := p.checkKeywords(ctx); err != nil {
		return false, &badSource{err}
	}
	if err := p.resolveHosts(ctx); err != nil {
		return false, &badSource{err}
	}
	p.warnReserved()
	if err := p.order(ctx); err != nil {
		return false, err
	}
	if len(p.all) == 0 {
		r.Callback.PlayStart(&p.info)
		r.Callback.NoHostsMatched(&p.info)
		return true, nil
	}
	batches, err := p.batches(ctx)
	if err != nil {
		return false, &badValue{err, ExitUnexpected}
	}
	p.turn.Lock()
	defer p.turn.Unlock()
	last := false
	for i, batch := range batches {
		live := p.live(batch)
		if len(live) == 0 {
			p.Callback.PlayStart(&p.info)
			continue
		}
		p.lacking = slices.ContainsFunc(batch, func(h *inventory.Host) bool { return p.failed[h.Name] && !p.unreachable[h.Name] })
		before := len(p.failed) + len(p.unreachable)
		if err := p.runBatch(ctx, i, live); err != nil {
			return false, err
		}
		// As in Ansible, a batch one of whose hosts failed before is not all lost.
		if lost := len(p.failed) + len(p.unreachable) - before; lost == len(batch) && !p.endsPlay {
			return false, nil
		}
		last = last || p.fatal
		if p.over {
			break
		}
	}
	return ctx.Err() == nil && !last, nil
}

// warnReserved warns of variables whose names mean something else.
func (p *playRun) warnReserved() {
	for _, d := range []*jinja.Dict{p.play.Vars, p.prompted, p.store.Extra} {
		for k := range d.All() {
			if name := jinja.Str(k); playbook.IsReserved(name) {
				p.warn("Found variable using reserved name: %s", name)
			}
		}
	}
}

// playScope is what the play's own keywords are templated with: all variables
// that no host is needed for.
func (p *playRun) playScope(ctx context.Context) *vars.Scope {
	layers := []jinja.Mapping{p.magicVars(ctx), p.store.Run, p.store.Extra}
	for _, role := range slices.Backward(p.play.RoleList) {
		layers = append(layers, role.Vars, used(role))
	}
	layers = append(layers, p.prompted, p.pb.VarsFiles(p.play), p.play.Vars)
	for _, role := range slices.Backward(p.play.RoleList) {
		layers = append(layers, role.Defaults)
	}
	return p.store.Templar.NewScope(ctx, layers...)
}

// checkKeywords sees that the play's own keywords have values, before anything
// is done.
func (p *playRun) checkKeywords(ctx context.Context) error {
	read := p.keywords(ctx)
	var yes bool
	var number int
	var percentage float64
	read.bool("force_handlers", &yes, false)
	read.bool("gather_facts", &yes, false)
	read.texts("gather_subset")
	read.int("gather_timeout", &number)
	read.number("max_fail_percentage", "percent", &percentage)
	for _, keyword := range []string{"order", "serial", "strategy"} {
		read.value(keyword)
	}
	return read.err
}

// keywords reads the play's own keywords.
func (p *playRun) keywords(ctx context.Context) *keywordReader {
	return &keywordReader{chain: p.play.Chain, scope: p.playScope(ctx)}
}

func (p *playRun) resolveHosts(ctx context.Context) error {
	scope := p.playScope(ctx)
	pattern, err := scope.Template(p.play.Hosts)
	if err != nil {
		return fieldFault("hosts", err)
	}
	if pattern == vars.Omit { // then it matches no host
		p.patterns = nil
	} else if p.patterns, err = hostPatterns(pattern); err != nil {
		return &source.Error{Pos: p.play.HostsPos, Msg: err.Error(), Err: err}
	}
	text := strings.Join(p.patterns, ",")
	p.info = PlayInfo{UUID: p.uuid(), Name: text, Pattern: text, Check: p.Check, Pos: p.placeOf(p.play.Pos)}
	if p.patterns != nil && isTemplate(p.play.Hosts) { // the name is the text, whatever it gives
		p.info.Name = jinja.Str(pattern)
	}
	if p.play.Name != nil {
		name, err := scope.Template(p.play.Name)
		if err != nil {
			name = conditionText(p.play.Name)
		}
		if jinja.Str(name) != "" {
			p.info.Name = jinja.Str(name)
		}
	}
	selection, err := p.selection(p.patterns...)
	if err != nil {
		return &source.Error{Pos: p.play.HostsPos, Msg: err.Error(), Err: err}
	}
	if err := p.checkMatch(p.play.HostsPos, selection); err != nil {
		return err
	}
	p.setHosts(selection.Hosts)
	return nil
}

func (p *playRun) setHosts(hosts []*inventory.Host) {
	p.all, p.info.Hosts, p.hosts = hosts, nil, map[string]*inventory.Host{}
	for _, h := range hosts {
		p.info.Hosts = append(p.info.Hosts, h.Name)
		p.hosts[h.Name] = h
	}
}

// learnHosts takes note of the hosts that the inventory has for the play by
// now.
func (p *playRun) learnHosts() error {
	selection, err := p.selection(p.patterns...)
	p.outMu.Lock()
	defer p.outMu.Unlock()
	p.known = selection.Hosts
	return err
}

// learnHost takes note of a host that was added. It does not take part, but the
// variables tell of it, whether it is one that the play is for or not.
func (p *playRun) learnHost(host *inventory.Host) {
	p.outMu.Lock()
	defer p.outMu.Unlock()
	if !slices.Contains(p.known, host) {
		p.known = append(slices.Clip(p.known), host)
	}
}

// everyone is the hosts that the inventory has for the play, and those that
// were added since its batch began.
func (p *playRun) everyone() []*inventory.Host {
	p.outMu.RLock()
	defer p.outMu.RUnlock()
	return p.known
}

// hostPatterns are the patterns that hosts gives: one, or a list of them. An
// empty one is a fault, which no host or every host could be meant by.
func hostPatterns(v any) ([]string, error) {
	items := []any{v}
	if list, ok := v.(*jinja.List); ok {
		items = list.Items
	}
	patterns := []string{}
	for _, item := range items {
		switch {
		case item == nil, isText(item) && strings.TrimSpace(jinja.Str(item)) == "":
			return nil, errors.New("the field 'hosts' is required, and cannot have empty values")
		case !isText(item):
			return nil, fmt.Errorf("hosts is a text or a list of texts, not one with %s", vars.AsWritten(item))
		}
		patterns = append(patterns, jinja.Str(item))
	}
	return patterns, nil
}

// order applies the play's order keyword.
func (p *playRun) order(ctx context.Context) error {
	order, err := p.playText(p.playScope(ctx), "order")
	if err != nil {
		return err
	}
	hosts := slices.Clone(p.all)
	byName := func(a, b *inventory.Host) int { return strings.Compare(a.Name, b.Name) }
	switch order {
	case "", "inventory":
	case "sorted":
		slices.SortStableFunc(hosts, byName)
	case "reverse_sorted":
		slices.SortStableFunc(hosts, func(a, b *inventory.Host) int { return byName(b, a) })
	case "reverse_inventory":
		slices.Reverse(hosts)
	case "shuffle":
		shuffle(hosts)
	default:
		err := source.Errorf(p.play.Keywords["order"].Pos, "order is %q; it can be inventory, sorted, reverse_sorted, reverse_inventory or shuffle", order)
		return &badValue{err, ExitBadOption}
	}
	p.setHosts(hosts)
	return nil
}

func (p *playRun) playText(scope *vars.Scope, keyword string) (string, error) {
	k, ok := p.play.Keywords[keyword]
	if !ok {
		return "", nil
	}
	v, err := scope.Template(k.Value)
	if err != nil || v == nil || v == vars.Omit {
		return "", err
	}
	return jinja.Str(v), nil
}

// batches splits the hosts by serial: numbers, percentages, or a list of
// them whose last one repeats.
func (p *playRun) batches(ctx context.Context) ([][]*inventory.Host, error) {
	k, ok := p.play.Keywords["serial"]
	if !ok {
		return [][]*inventory.Host{p.all}, nil
	}
	v, err := p.playScope(ctx).Template(k.Value)
	if err != nil {
		return nil, err
	}
	sizes := []any{v}
	if l, ok := v.(*jinja.List); ok {
		sizes = l.Items
	}
	if v == vars.Omit || len(sizes) == 0 {
		return [][]*inventory.Host{p.all}, nil
	}
	p.info.Serial = true
	var out [][]*inventory.Host
	rest := p.all
	for i := 0; len(rest) > 0; i++ {
		n, err := serialSize(sizes[min(i, len(sizes)-1)], len(p.all))
		if err != nil {
			return nil, &source.Error{Pos: k.Pos, Msg: err.Error()}
		}
		if n <= 0 || n > len(rest) {
			n = len(rest)
		}
		out = append(out, rest[:n])
		rest = rest[n:]
	}
	return out, nil
}

func serialSize(v any, hosts int) (int, error) {
	text := strings.TrimSpace(jinja.Str(v))
	if number, ok := strings.CutSuffix(text, "%"); ok {
		percent, err := strconv.Atoi(number)
		if err != nil {
			return 0, fmt.Errorf("serial is %q; a percentage is a whole number and %%", text)
		}
		return max(1, percent*hosts/100), nil
	}
	n, ok := asInt(v)
	if !ok {
		return 0, fmt.Errorf("serial is %q; it can be a number, a percentage, or a list of them", text)
	}
	return n, nil
}

// live leaves out the hosts that failed or could not be reached before.
func (r *Runner) live(hosts []*inventory.Host) []*inventory.Host {
	r.outMu.RLock()
	defer r.outMu.RUnlock()
	return slices.DeleteFunc(slices.Clone(hosts), func(h *inventory.Host) bool {
		return r.failed[h.Name] || r.unreachable[h.Name]
	})
}

// present leaves out the hosts that are out of the play.
func (p *playRun) present(hosts []*inventory.Host) []*inventory.Host {
	p.outMu.RLock()
	defer p.outMu.RUnlock()
	return slices.DeleteFunc(slices.Clone(hosts), func(h *inventory.Host) bool { return p.removed[h.Name] })
}

func (p *playRun) runBatch(ctx context.Context, index int, batch []*inventory.Host) (err error) {
	p.batch, p.info.BatchIndex = batch, index
	if err := p.learnHosts(); err != nil {
		return err
	}
	p.levels, p.rolesRun, p.ended = map[*playbook.Task]vars.Levels{}, map[string]bool{}, map[string]bool{}
	p.tagScope = p.playScope(ctx)
	p.handlers, p.removed = newHandlers(p), map[string]bool{}
	for _, gone := range []map[string]bool{p.failed, p.unreachable} {
		maps.Copy(p.removed, gone)
	}
	if p.sections, err = p.wholePlay(ctx); err != nil {
		return err
	}
	p.magic = p.magicVars(ctx)
	strategy, err := p.strategy(ctx)
	p.debugAll = strategy == debugging || p.DebugFailures
	p.info.Lockstep = strategy != free && strategy != hostPinned
	p.Callback.PlayStart(&p.info)
	if err != nil {
		return err
	}
	if err := p.checkTags(p.sections); err != nil {
		return err
	}
	for _, h := range batch {
		if err := p.store.Check(h, p.play.Dir); err != nil {
			return &badSource{err}
		}
	}
	if err := p.loadVarsFiles(ctx); err != nil {
		return err
	}
	p.failedBefore, p.fatal, p.unasked = len(p.failed), false, false
	cursors := p.cursors(p.sections, batch)
	if err := p.startAt(ctx, cursors); err != nil {
		return err
	}
	if err := p.move(ctx, strategy, cursors); err != nil {
		return err
	}
	for _, c := range cursors {
		if c.failed {
			p.out(p.failed, c.host)
		}
	}
	switch {
	case p.fatal:
		p.result = ExitFailed
	case len(p.unreachable) > 0:
		p.result = ExitUnreachable
	case p.failedBefore > 0 || slices.ContainsFunc(cursors, func(c *cursor) bool { return c.failed }):
		p.result = ExitFailed
	default:
		p.result = ExitOK
	}
	return nil
}

func (p *playRun) cursors(block *playbook.Block, hosts []*inventory.Host) []*cursor {
	out := make([]*cursor, len(hosts))
	for i, h := range hosts {
		out[i] = newCursor(h.Name, block)
		out[i].selected, out[i].enters = p.selected, p.enters
	}
	return out
}

// wholePlay is the play as one block: facts, pre_tasks, roles and tasks,
// post_tasks, each with the handlers after it; with force_handlers after its
// failure, too.
func (p *playRun) wholePlay(ctx context.Context) (*playbook.Block, error) {
	force, err := p.forceHandlers(ctx)
	whole := &playbook.Block{Play: p.play, Items: []playbook.Item{p.facts()}}
	for _, parts := range [][]playbook.Item{{p.play.PreTasks}, {p.play.Roles, p.play.Tasks}, {p.play.PostTasks}} {
		flush := p.implicit("meta", "")
		flush.Args.Set("_raw_params", "flush_handlers")
		section := &playbook.Block{Play: p.play, Items: parts}
		if force {
			section.Always = []playbook.Item{&playbook.Block{Play: p.play, Items: []playbook.Item{flush}}}
		} else {
			section.Items = append(section.Items, flush)
		}
		whole.Items = append(whole.Items, section)
	}
	return whole, err
}

// facts is the task with which a play begins.
func (p *playRun) facts() *playbook.Task { return p.implicit("gather_facts", "Gathering Facts") }

func isFacts(t *playbook.Task) bool { return t.Implicit && t.Action == "gather_facts" }

// implicit is a task that every play has without it being written.
func (p *playRun) implicit(action, name string) *playbook.Task {
	return &playbook.Task{Node: playbook.Node{Pos: p.play.Pos, Name: name}, Play: p.play, Action: action, ActionAs: action, Args: jinja.NewDict(), Implicit: true}
}

func (p *playRun) forceHandlers(ctx context.Context) (bool, error) {
	read := p.keywords(ctx)
	var force bool
	read.bool("force_handlers", &force, p.ForceHandlers)
	return force, read.err
}
