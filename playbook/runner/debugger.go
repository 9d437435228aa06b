package runner

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"gplay/jinja"
	"gplay/playbook/vars"
)

// Console is where the task debugger talks with somebody.
type Console interface {
	// Ask gives a line, or an error when there are no more.
	Ask(prompt string) (string, error)
	Say(line string)
}

// errQuit ends a run from the debugger.
var errQuit = errors.New("the debugger was quit")

// debugged runs the task, and again where the debugger says so. When it was
// quit for another host, there is nothing more to run.
func (x *execution) debugged(ctx context.Context) *outcome {
	if x.hasQuit() {
		return &outcome{err: errQuit}
	}
	o := x.run(ctx)
	if o.err != nil || !x.debugs(o) {
		return o
	}
	x.debugging.Lock()
	defer x.debugging.Unlock()
	for o.err == nil && !x.quit && x.debugs(o) {
		d := x.debugger(o)
		switch d.talk() {
		case debugQuit:
			o.err, x.quit = errQuit, true
		case debugRedo:
			x.turn.Lock()
			n := x.counts(x.host.Name)
			n.OK = max(0, n.OK-1) // as Ansible counts
			x.turn.Unlock()
			o = d.changed().run(ctx)
		default:
			return o
		}
	}
	return o
}

func (x *execution) hasQuit() bool {
	x.debugging.Lock()
	defer x.debugging.Unlock()
	return x.quit
}

// debugs reports whether a result is one for the debugger: by the task's
// debugger keyword, or a failure where the strategy is debug.
func (x *execution) debugs(o *outcome) bool {
	if x.Console == nil {
		return false
	}
	failed := o.result.Status == Failed && (x.DebugIgnored || !o.result.Ignored)
	switch when, _ := x.task.Inherited("debugger"); when.Value {
	case "always":
		return true
	case "never":
		return false
	case "on_failed":
		if failed {
			return true
		}
	case "on_unreachable":
		if o.result.Status == Unreachable {
			return true
		}
	case "on_skipped":
		if o.result.Status == Skipped {
			return true
		}
	}
	return x.debugAll && (failed || o.result.Status == Unreachable)
}

type debugAction int

const (
	debugContinue debugAction = iota
	debugRedo
	debugQuit
)

// debugger is a talk about one result.
type debugger struct {
	x      *execution
	title  string
	args   *jinja.Dict // of the task, as the next run gets them
	vars   *jinja.Dict // that were set here
	result *outcome
}

func (x *execution) debugger(o *outcome) *debugger {
	args, err := x.arguments(x.scope)
	if err != nil {
		args = x.task.Args.Copy()
	}
	named := x.scope
	if o.unread { // so the name is as written, in a loop too, whose items have copies of the task
		named = nil
	}
	return &debugger{x: x, title: x.title(x.task, named), args: args, vars: jinja.NewDict(), result: o}
}

// changed is the execution with what was changed here.
func (d *debugger) changed() *execution {
	x, task := *d.x, *d.x.task
	task.Args, task.ArgsTemplate = d.args, nil
	x.task, x.scope = &task, d.x.scope.With(d.vars)
	d.x.task, d.x.scope = x.task, x.scope
	return d.x
}

// talk reads commands until one of them ends it.
func (d *debugger) talk() debugAction {
	last := ""
	for {
		line, err := d.x.Console.Ask(fmt.Sprintf("[%s] TASK: %s (debug)> ", d.x.host.Name, d.title))
		if err != nil {
			line = "EOF"
		}
		if line = strings.TrimSpace(line); line == "" {
			line = last
		}
		last = line
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "":
		case "c", "continue":
			return debugContinue
		case "r", "redo":
			return debugRedo
		case "q", "quit", "EOF":
			d.x.Console.Say("User interrupted execution")
			return debugQuit
		case "u", "update_task":
			d.update()
		case "p", "pprint":
			d.print(strings.TrimSpace(rest), " | pprint")
		case "h", "help", "?":
			d.x.Console.Say("p EXPRESSION: show, task.args['name'] = VALUE, task_vars['name'] = VALUE, u: template the task again, r: run it again, c: go on, q: quit")
		default:
			d.execute(line)
		}
	}
}

// update templates the task's arguments again, with the variables set here.
func (d *debugger) update() {
	args, err := d.x.arguments(d.x.scope.With(d.vars))
	if err != nil {
		d.x.Console.Say("***" + failureText(err))
		return
	}
	d.args = args
}

var assignments = regexp.MustCompile(`^(task\.args|task_vars)\[(.+?)\]\s*=\s*(.+)$`)

// execute runs an assignment, or shows an expression.
func (d *debugger) execute(line string) {
	m := assignments.FindStringSubmatch(line)
	if m == nil {
		d.print(line, "")
		return
	}
	name, err := d.scope().Expr(m[2])
	if err == nil {
		var value any
		if value, err = d.scope().Expr(m[3]); err == nil {
			into := d.vars
			if m[1] == "task.args" {
				into = d.args
			}
			into.Set(name, value)
			return
		}
	}
	d.fault(err)
}

func (d *debugger) print(expr, filter string) {
	switch expr {
	case "task":
		d.x.Console.Say("TASK: " + d.title)
		return
	case "host":
		d.x.Console.Say(d.x.host.Name)
		return
	}
	v, err := d.scope().Expr(expr)
	if u, ok := v.(*jinja.Undefined); ok && err == nil {
		err = &jinja.Error{Msg: u.Message(), Undefined: u}
	}
	if err == nil && filter != "" {
		v, err = d.scope().With(jinja.NewDict("shown", v)).Expr("shown" + filter)
		if text, ok := v.(string); ok && err == nil {
			d.x.Console.Say(text)
			return
		}
	}
	if err != nil {
		d.fault(err)
		return
	}
	d.x.Console.Say(jinja.Repr(v))
}

// fault shows an error in Python's form.
func (d *debugger) fault(err error) {
	var fault *jinja.Error
	if errors.As(err, &fault) && fault.Undefined != nil && fault.Undefined.Name != "" {
		name := fault.Undefined.Name
		d.x.Console.Say(fmt.Sprintf("***NameError:NameError(\"name '%s' is not defined\")", name))
		return
	}
	d.x.Console.Say("***" + err.Error())
}

// scope are the names of the debugger.
func (d *debugger) scope() *vars.Scope {
	x := d.x
	task := failedTask(d.result)
	task.Set("args", d.args)
	own := jinja.NewDict("task", task, "task_vars", x.scope.With(d.vars).Mapping(), "host", x.host.Name,
		"result", jinja.NewDict("_result", public(d.result.data), "_host", x.host.Name, "_task", task))
	return x.store.Templar.NewScope(x.ctx, own)
}
