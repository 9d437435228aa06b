package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gplay/connection"
	"gplay/internal/source"
	"gplay/inventory"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/actions"
	"gplay/playbook/vars"
)

// execution is one task on one host.
type execution struct {
	*playRun
	task  *playbook.Task
	host  *inventory.Host
	scope *vars.Scope
	info  *TaskInfo
	limit int // on so many hosts the task may run at a time
	// puts give the facts and variables that the task brought to a host;
	// delegated are those of the host that it was delegated to.
	puts        []func(host string)
	delegated   []func()
	foundPython bool // by an item before
	// grow puts what add_host and group_by name into the inventory.
	grow func() (changed bool, err error)
}

// outcome is what an execution gave.
type outcome struct {
	task     *playbook.Task
	result   *Result
	data     *jinja.Dict // all of it, but for what no_log hides
	err      error       // ends the run
	includes []*include
	shared   bool // it ran on another host, for all
	unread   bool // the keywords of the task itself have not been
	// apply gives the task's effects to another host, for run_once.
	apply func(host string)
}

// try is the result of one item of a loop, or of a task without a loop.
type try struct {
	data      *jinja.Dict
	status    Status
	ignored   bool
	noLog     bool
	delegated string
	attempts  int
	scope     *vars.Scope
	include   *include
	unwanted  bool                             // its condition is false
	unread    bool                             // its keywords have not been
	last      bool                             // the loop ends with it
	grew      bool                             // it changed the inventory, and nothing else
	grow      func() (changed bool, err error) // the inventory
	fatal     bool                             // it could not be run, and nor can what is left of the loop
	ends      error                            // the run, instead of being a result
}

const censored = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"

// run runs the task, all of its loop, and tells the callback.
func (x *execution) run(ctx context.Context) *outcome {
	start := time.Now()
	o := &outcome{task: x.task}
	looped, tries := x.tries(ctx)
	t := tries[len(tries)-1]
	if looped {
		t = x.loopResult(tries)
	}
	if t.include != nil && t.status == OK {
		t.data.Set("changed", false)
	}
	if t.status == Failed || t.status == Unreachable { // it brings nothing, nor does any item of its loop
		x.puts, x.delegated = nil, nil
	}
	o.apply = func(host string) {
		for _, put := range x.puts {
			put(host)
		}
		x.register(host, t.data)
	}
	o.apply(x.host.Name)
	for _, put := range x.delegated {
		put()
	}
	if t.status == Changed {
		o.err = x.notify(tries)
	}
	for _, one := range tries {
		if one.include != nil {
			o.includes = append(o.includes, one.include)
		}
		o.err = cmp.Or(o.err, one.ends)
	}
	o.result, o.data, o.unread = x.result(t), t.data, looped || t.unread
	if t.noLog && x.Keywords["no_log"] != true { // a rescue is not to show what the task hid, unless all is hidden
		o.data = o.result.Data
	}
	o.result.Loop, o.result.Start, o.result.Duration = looped, start, time.Since(start)
	if o.err == nil {
		x.tell(func(c Callback) { c.Result(o.result) })
	}
	return o
}

// result is t as the callback sees it.
func (x *execution) result(t *try) *Result {
	r := &Result{Task: x.info, Host: x.host.Name, Delegated: t.delegated, Status: t.status, Ignored: t.ignored, Attempts: t.attempts}
	r.Data = t.data.Copy()
	r.Data.Delete("failed")
	r.Data.Delete("skipped")
	showPlace(r.Data)
	if x.Verbosity < 3 {
		r.Data.Delete("exception")
	}
	if t.noLog {
		r.Data = jinja.NewDict("censored", censored)
		for _, shown := range []string{"changed", "attempts", "_ansible_delegated_vars"} {
			if v, ok := t.data.Get(shown); ok {
				r.Data.Set(shown, v)
			}
		}
	}
	r.Diff, _ = x.keywordBool(t.scope, "diff", x.Diff)
	r.Diff = r.Diff || x.Diff // what diff: no does not keep a module from making is shown
	return r
}

func (x *execution) register(host string, data *jinja.Dict) {
	if x.task.Register != "" {
		registered := public(data)
		registered.Delete("invocation")
		x.store.Set(host, jinja.NewDict(x.task.Register, registered))
	}
}

// public is a result as it is registered.
func public(data *jinja.Dict) *jinja.Dict {
	out := vars.Public(data)
	out.Class = vars.UnsafeText
	return out
}

// notify marks the handlers that a changed task names; of a loop, every item
// that was not skipped names them.
func (x *execution) notify(tries []*try) error {
	if len(x.task.Notify) == 0 {
		return nil
	}
	x.turn.Lock()
	defer x.turn.Unlock()
	changed := false
	for _, t := range tries {
		// What grows the inventory changes something only after it has notified.
		notifies := t.status != Skipped && (!t.grew || changed)
		changed = changed || t.status == Changed
		if !notifies {
			continue
		}
		for _, name := range x.notified(t) {
			if err := x.handlers.notify(name, x.task, x.host.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *execution) notified(t *try) []string {
	var names []string
	for _, n := range x.task.Notify {
		v, err := t.scope.Template(n)
		if err != nil {
			x.warn("notify: %v", err)
			continue
		}
		for _, name := range asList(v) {
			names = append(names, jinja.Str(name))
		}
	}
	return names
}

// tries runs the task once, or once an item.
func (x *execution) tries(ctx context.Context) (looped bool, tries []*try) {
	if x.task.Loop == nil {
		return false, []*try{x.try(ctx, x.scope)}
	}
	l, err := x.loop(ctx)
	if err != nil {
		if skip := x.skippedAnyway(err); skip != nil {
			return false, []*try{skip}
		}
		t := x.unlooped(err)
		if isUndefined(err) {
			t.data.Set("msg", labelError(err)) // Ansible says no more of a loop
		}
		return false, []*try{t}
	}
	if len(l.items) == 0 {
		data := jinja.NewDict("changed", false, "skipped", true, "skipped_reason", "No items in the list", "results", jinja.NewList())
		return false, []*try{{data: data, status: Skipped, unread: true, scope: x.scope}}
	}
	tries = l.run(ctx)
	if last := tries[len(tries)-1]; last.fatal {
		last.ignored = written(x.task, "ignore_errors") // only an item's copy of the task was read
		return false, []*try{last}
	}
	return true, tries
}

// skippedAnyway is the skip of a task whose loop cannot be templated but
// whose condition is false without it.
func (x *execution) skippedAnyway(err error) *try {
	if !isUndefined(err) {
		return nil
	}
	if ok, condErr := x.conditions(x.scope); condErr == nil && !ok {
		return x.skip(x.scope)
	}
	return nil
}

func (x *execution) skip(scope *vars.Scope) *try {
	data := jinja.NewDict("changed", false, "skipped", true, "skip_reason", "Conditional result was False")
	return &try{data: data, status: Skipped, unwanted: true, unread: true, scope: scope, noLog: x.hides(scope)}
}

// conditions evaluates every when, from the play inwards.
func (x *execution) conditions(scope *vars.Scope) (bool, error) {
	for _, k := range x.task.Chain("when") {
		for i, c := range asList(k.Value) {
			ok, err := scope.Condition(c, k.Pos, k.Written(i))
			if err != nil {
				return false, &vars.ConditionError{Condition: conditionText(c), Err: err}
			}
			if !ok {
				return false, nil
			}
		}
	}
	return true, nil
}

func conditionText(c any) string {
	if s, ok := c.(fmt.Stringer); ok {
		return s.String()
	}
	return jinja.Str(c)
}

// failedTry is a task that could not be run.
func (x *execution) failedTry(scope *vars.Scope, err error) *try {
	t := &try{data: failedData(err), status: Failed, scope: scope, fatal: true}
	t.noLog = x.hides(scope)
	t.ignored = x.boolOrRaw(scope, "ignore_errors")
	t.delegated = x.delegatedAsWritten()
	return t
}

// delegatedAsWritten is where the task was to run, as Ansible shows it before
// it has read the task's keywords, "" for its own host.
func (x *execution) delegatedAsWritten() string {
	k, ok := x.task.Inherited("delegate_to")
	if !ok || k.Value == nil {
		return ""
	}
	if to := conditionText(k.Value); to != x.host.Name {
		return to
	}
	return ""
}

// failedEarly is a task whose loop or condition cannot be templated. Ansible
// has not read its keywords then, and takes ignore_errors as it is written.
func (x *execution) failedEarly(scope *vars.Scope, err error) *try {
	t := x.failedTry(scope, err)
	t.ignored, t.unread = written(x.task, "ignore_errors"), true
	return t
}

// unprepared is a task whose keywords or arguments cannot be templated. As in
// Ansible, whose errors are its own, Python's TypeError and its ValueError, any
// other of Python's exceptions is the fault of one item and no other.
func (x *execution) unprepared(scope *vars.Scope, err error) *try {
	t := x.failedTry(scope, err)
	var exception *jinja.Exception
	if errors.As(err, &exception) {
		t.fatal = false
		t.data.Set("changed", false)
		t.data.Set("exception", described(t.data))
	}
	return t
}

// unlooped is a task whose loop has a fault, which Ansible does not expect
// there where it is an exception of Python's.
func (x *execution) unlooped(err error) *try {
	t := x.failedEarly(x.scope, err)
	if jinja.IsException(err) {
		crashed(t.data, unforeseen+failureText(err))
	}
	return t
}

// unforeseen is what Ansible puts before the text of an exception that it does
// not expect.
const unforeseen = "Unexpected failure during module execution: "

// crashed gives a result what Ansible's has after such an exception.
func crashed(data *jinja.Dict, msg string) {
	data.Set("msg", msg)
	data.Set("exception", described(data))
	data.Set("stdout", "")
}

// boolOrRaw is a keyword's value or, where it cannot be read, whether what is
// written is true for Python.
func (x *execution) boolOrRaw(scope *vars.Scope, keyword string) bool {
	yes, err := x.keywordBool(scope, keyword, false)
	if err == nil {
		return yes
	}
	return written(x.task, keyword)
}

// hides reports whether the task's output is hidden.
func (x *execution) hides(scope *vars.Scope) bool { return x.boolOrRaw(scope, "no_log") }

// place is where a result keeps the place of its fault in the source. What is
// registered does not have it: msg is there as Ansible words it.
const place = "_ansible_place"

// failedData is the result of a task that could not be run.
func failedData(err error) *jinja.Dict {
	data := jinja.NewDict()
	explain(data, "msg", err)
	if msg := failureText(err); strings.HasPrefix(msg, unforeseen) {
		crashed(data, msg)
	}
	return data
}

// explain makes err what the result says at key, and that it failed.
func explain(data *jinja.Dict, key string, err error) {
	data.Set("failed", true)
	data.Set(key, failureText(err))
	var placed *source.Error
	if !errors.As(err, &placed) {
		return
	}
	data.Set(place, jinja.Tuple{key, strings.TrimSuffix(source.Describe(placed), "\n")})
}

// described is the fault of a result with its place.
func described(data *jinja.Dict) any {
	at, _ := data.Get(place)
	if at, ok := at.(jinja.Tuple); ok {
		return at[1]
	}
	return nil
}

// showPlace puts the place of a fault behind its message.
func showPlace(data *jinja.Dict) {
	if at, _ := data.Get(place); at != nil {
		key := at.(jinja.Tuple)[0]
		msg, _ := data.Get(key)
		data.Set(key, jinja.Str(msg)+"\n\n"+jinja.Str(described(data)))
		data.Delete("exception") // which says the same
	}
	data.Delete(place)
}

// failureText is err in Ansible's words, without the place.
func failureText(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	var placed *source.Error
	if !errors.As(err, &placed) {
		return err.Error()
	}
	if placed.Known != "" {
		return placed.Known
	}
	msg := plainText(err, placed)
	if isUndefined(err) && !strings.HasPrefix(msg, "The conditional check") {
		msg = "The task includes an option with an undefined variable. The error was: " + msg
	}
	return msg
}

// plainText is an error without its place.
func plainText(err error, placed *source.Error) string {
	return strings.Replace(err.Error(), placed.Error(), placed.Msg, 1)
}

// try runs one item: conditions, arguments, the action until it succeeds.
func (x *execution) try(ctx context.Context, scope *vars.Scope) *try {
	ok, err := x.conditions(scope)
	if err != nil {
		return x.failedEarly(scope, err)
	}
	if !ok {
		return x.skip(scope)
	}
	if x.includes() && x.task.ActionTemplate == nil {
		return x.including(scope)
	}
	s, err := x.settings(scope)
	if err != nil {
		t := x.unprepared(scope, err)
		if s == nil {
			t.ignored = written(x.task, "ignore_errors")
		}
		return t
	}
	if s.delegates {
		scope = scope.With(x.reachedVars(s))
	}
	args, err := x.arguments(scope)
	if err != nil {
		return x.unprepared(scope, x.argsFault(err))
	}
	if err := or(x.checkConnection(scope, s), x.checkBecome(scope, s)); err != nil {
		return x.on(x.failedTry(scope, err), s)
	}
	t := x.on(x.until(ctx, scope, s, args), s)
	t.scope, t.noLog = scope, s.noLog
	if t.delegated != "" {
		address, _, err := s.vars.Setting("ansible_host")
		if err == nil && address != nil && t.status != Unreachable {
			t.data.Set("_ansible_delegated_vars", jinja.NewDict("ansible_host", address))
		}
	}
	return t
}

// checkAction finds that an action which a template names does not exist.
func (x *execution) checkAction() error {
	if x.task.ActionTemplate == nil {
		return nil
	}
	action := x.task.Action
	if slices.Contains(structural, action) {
		return fmt.Errorf("%s cannot be named by a template: write it as the task's action", action)
	}
	if _, known := x.Runner.known(action); !known {
		return fmt.Errorf("The module %s was not found in configured module paths", action)
	}
	return nil
}

// on notes where a try was to be made.
func (x *execution) on(t *try, s *settings) *try {
	if t.delegated = s.delegate; t.delegated == x.host.Name {
		t.delegated = ""
	}
	return t
}

// judge decides what a result means and says so in it.
func (x *execution) judge(data *jinja.Dict, scope *vars.Scope) {
	if _, ok := data.Get("failed"); !ok {
		rc, has := data.Get("rc")
		data.Set("failed", has && jinja.Truth(rc))
	}
	if _, ok := data.Get("changed"); !ok {
		data.Set("changed", false)
	}
	if skipped, _ := data.Get("skipped"); jinja.Truth(skipped) {
		return
	}
	after := scope.With(x.afterwards(data))
	for _, key := range []string{"changed", "failed"} {
		if err := x.override(after, data, key+"_when", key); err != nil {
			explain(data, key+"_when_result", err)
			return
		}
	}
}

// afterwards are the variables that changed_when, failed_when and until see.
func (x *execution) afterwards(data *jinja.Dict) *jinja.Dict {
	d := jinja.NewDict()
	switch facts := x.facts(data); {
	case facts == nil:
	case x.task.Action == "set_fact":
		merge(d, vars.Again(facts).(*jinja.Dict))
	case x.task.Action == "include_vars":
		merge(d, facts)
	default:
		merge(d, vars.Safe(facts))
	}
	if x.task.Register != "" {
		d.Set(x.task.Register, public(data))
	}
	return d
}

func (x *execution) override(scope *vars.Scope, data *jinja.Dict, keyword, key string) error {
	k := x.task.Keywords[keyword]
	conditions := asList(k.Value)
	if len(conditions) == 0 {
		return nil
	}
	result := key == "failed"
	for i, c := range conditions {
		yes, err := scope.Condition(c, k.Pos, k.Written(i))
		if err != nil {
			return &vars.ConditionError{Condition: conditionText(c), Err: err}
		}
		result = yes
		if !yes {
			break
		}
	}
	data.Set(key, result)
	if key == "failed" {
		data.Set("failed_when_result", result)
	}
	return nil
}

func statusOf(data *jinja.Dict) Status {
	is := func(key string) bool { v, _ := data.Get(key); return jinja.Truth(v) }
	failed := "failed"
	if _, ok := data.Get("failed_when_result"); ok { // which until does not change
		failed = "failed_when_result"
	}
	switch {
	case is("unreachable"):
		return Unreachable
	case is(failed):
		return Failed
	case is("skipped"):
		return Skipped
	case is("changed"):
		return Changed
	}
	return OK
}

// once runs the action one time and gives its result. A lost connection and a
// timeout are results too, which cut the task off: neither until nor failed_when
// sees them. An error is of what could not be run.
func (x *execution) once(ctx context.Context, scope *vars.Scope, s *settings, args *jinja.Dict) (result *jinja.Dict, cut bool, err error) {
	if s.timeout > 0 && !actions.KeepsTime(x.task.Action, args) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
		defer cancel()
	}
	data, err := x.act(ctx, scope, s, args)
	x.tellPython(s, data)
	var lost *connection.Unreachable
	var unrunnable actions.Unrunnable
	switch {
	case errors.As(err, &unrunnable):
		return nil, false, err
	case errors.As(err, &lost):
		return jinja.NewDict("msg", lost.Error(), "unreachable", true), true, nil
	case errors.Is(err, context.DeadlineExceeded) && s.timeout > 0:
		return jinja.NewDict("msg", fmt.Sprintf("The %s action failed to execute in the expected time frame (%d) and was terminated", x.task.Action, int(s.timeout.Seconds())), "failed", true), true, nil
	case err != nil && !x.judged():
		return nil, false, err
	case err != nil:
		if data == nil {
			data = jinja.NewDict()
		}
		explain(data, "msg", err)
	}
	x.effects(data, s, args)
	data, _ = jinja.Plain(data).(*jinja.Dict)
	return data, false, nil
}

// judged reports whether until and failed_when see an error of the action. As
// in Ansible, those of actions that send nothing to the host end the task.
func (x *execution) judged() bool {
	a := actions.Find(x.task.Action)
	return a == nil || a.Sends() || x.task.Program != ""
}

func (x *execution) act(ctx context.Context, scope *vars.Scope, s *settings, args *jinja.Dict) (*jinja.Dict, error) {
	call := x.call(scope, s, args)
	if x.task.Program != "" {
		return actions.RunProgram(ctx, call)
	}
	if a := actions.Find(x.task.Action); a != nil {
		if err := unsupported(x.task.Action, args); err != nil {
			return nil, err
		}
		return a.Run(ctx, call)
	}
	if err := x.checkAction(); err != nil {
		return nil, actions.Unrunnable{Err: err}
	}
	return call.Module(ctx, x.task.Action, args, nil)
}

// facts are the facts that a result brings, or nil. debug only shows some.
func (x *execution) facts(data *jinja.Dict) *jinja.Dict {
	v, _ := data.Get("ansible_facts")
	facts, _ := v.(*jinja.Dict)
	if x.task.Action == "debug" {
		return nil
	}
	return facts
}

// effects keeps the facts and variables that a result brings, which hosts have
// when the task is done.
func (x *execution) effects(data *jinja.Dict, s *settings, args *jinja.Dict) {
	facts := x.facts(data)
	if facts == nil {
		return
	}
	setFacts := func(host string) {
		if err := x.store.SetFacts(host, facts); err != nil {
			x.warn("the facts of %s are not cached: %v", host, err)
		}
	}
	put := setFacts
	switch x.task.Action {
	case "gather_facts":
		facts = vars.MarkGathered(facts)
	case "include_vars":
		put = func(host string) { x.store.Include(host, facts) }
	case "set_fact":
		cacheable, _ := args.Get("cacheable")
		put = func(host string) {
			facts := vars.Again(vars.WithoutTuples(facts)).(*jinja.Dict)
			x.store.Set(host, facts)
			if yes, _ := asBool(cacheable, "cacheable", x.task.Pos); yes {
				setFacts(host)
			}
		}
	}
	if s.delegateFacts && x.task.Action != "include_vars" {
		x.delegated = append(x.delegated, func() { put(s.delegate) })
		return
	}
	x.puts = append(x.puts, put)
}
