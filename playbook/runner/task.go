package runner

import (
	"context"
	"maps"
	"slices"
	"strings"

	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/actions"
	"gplay/playbook/vars"
)

// execution prepares one task for one host.
func (p *playRun) execution(ctx context.Context, task *playbook.Task, c *cursor) (x *execution, err error) {
	host := p.hosts[c.host]
	switch {
	case p.varsFilesChanged():
		err = p.loadVarsFiles(ctx)
	case p.waiting[c.host] && !task.Implicit:
		err = p.hostVarsFiles(ctx, host)
	}
	if err != nil {
		return nil, err
	}
	scope := p.scope(ctx, task, host)
	if task.ActionTemplate != nil {
		if task, err = p.withAction(task, scope); err != nil {
			return nil, err
		}
	}
	x = &execution{playRun: p, task: task, host: host, scope: scope}
	if delegates := x.delegates(); delegates != nil {
		x.scope = scope.With(delegates)
	}
	return x, nil
}

// withAction is task with the action that its template names.
func (r *Runner) withAction(task *playbook.Task, scope *vars.Scope) (*playbook.Task, error) {
	name, err := scope.Template(task.ActionTemplate)
	if err != nil {
		return nil, err
	}
	action, _ := r.known(strings.TrimSpace(jinja.Str(name)))
	named := *task
	named.Action = action
	return &named, nil
}

// taskInfo is a task as it is shown, templated with the variables of the first
// host.
func (p *playRun) taskInfo(task *playbook.Task, scope *vars.Scope) *TaskInfo {
	x := &execution{playRun: p, task: task}
	info := &TaskInfo{Name: p.title(task, scope), Title: p.name(task, scope), Task: task, Action: shownAction(task), Handler: task.Handler, Pos: p.placeOf(task.Pos)}
	info.Check, _ = x.keywordBool(scope, "check_mode", p.Check)
	if task.Loop == nil {
		info.NoLog = x.hides(scope)
	} else { // what needs the item is read for each
		info.NoLog, _ = x.keywordBool(scope, "no_log", false)
	}
	info.UUID = p.uuid()
	return info
}

// shownAction is the action that outputs go by: as in Ansible by its name as
// written, so that one which a collection redirects is shown as any other.
func shownAction(t *playbook.Task) string {
	if t.ActionTemplate != nil {
		return t.Action
	}
	return playbook.Builtin(t.ActionAs)
}

// title is a task's name, with its role's before it. What cannot be templated
// yet stays as written.
func (p *playRun) title(task *playbook.Task, scope *vars.Scope) string {
	name := p.name(task, scope)
	if task.Role != nil && task.Action != "include_role" {
		name = task.Role.Name + " : " + name
	}
	return name
}

func (p *playRun) name(task *playbook.Task, scope *vars.Scope) string {
	if task.Name != nil {
		if scope == nil || task.Action == "meta" { // which Ansible does not template
			return conditionText(task.Name)
		}
		v, err := scope.Template(task.Name)
		if err != nil {
			return conditionText(task.Name)
		}
		if name, ok := v.(string); ok && name != "" { // a number is none, as in Ansible
			return name
		}
	}
	if task.Action == "include_role" {
		role, ok := task.Args.Get("name")
		if !ok {
			role, _ = task.Args.Get("role")
		}
		return task.ActionAs + " : " + conditionText(role)
	}
	return task.ActionAs
}

// forAll reports whether one run of the task serves all hosts.
func (p *playRun) forAll(ctx context.Context, task *playbook.Task, host string) (bool, error) {
	if a := actions.Find(task.Action); a != nil && a.ForAll {
		return true, nil
	}
	return p.runOnce(ctx, task, host)
}

// failedTask is a task as ansible_failed_task has it.
func failedTask(o *outcome) *jinja.Dict {
	t := o.task
	d := jinja.NewDict("name", o.result.Task.Title, "action", t.ActionAs, "args", vars.AsWritten(t.Args), "register", nil, "vars", vars.AsWritten(t.Vars))
	if t.Name == nil {
		d.Set("name", "")
	}
	if t.Register != "" {
		d.Set("register", t.Register)
	}
	for _, key := range slices.Sorted(maps.Keys(t.Keywords)) {
		d.Set(key, vars.AsWritten(t.Keywords[key].Value))
	}
	return d
}
