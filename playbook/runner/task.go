package runner

import (
	"context"
	"strconv"

	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/actions"
	"gplay/playbook/vars"
)

// execution prepares one task for one host.
func (p *playRun) execution(ctx context.Context, task *playbook.Task, c *cursor) (*execution, error) {
	host := p.hosts[c.host]
	scope := p.scope(ctx, task, host)
	if why := c.failure(); why != nil && why.task != nil {
		scope = scope.With(jinja.NewDict("ansible_failed_task", jinja.NewDict("name", rawName(why.task), "action", why.task.Action), "ansible_failed_result", why.result))
	}
	return &execution{playRun: p, task: task, host: host, scope: scope}, nil
}

// taskInfo is a task as it is shown, templated with the variables of the first
// host.
func (p *playRun) taskInfo(task *playbook.Task, scope *vars.Scope) *TaskInfo {
	x := &execution{playRun: p, task: task}
	info := &TaskInfo{Name: p.title(task, scope), Title: p.name(task, scope), Action: task.Action, Handler: task.Handler, Pos: task.Pos}
	info.Check, _ = x.keywordBool(scope, "check_mode", p.Check)
	if task.Loop == nil {
		info.NoLog = x.hides(scope)
	} else { // what needs the item is read for each
		info.NoLog, _ = x.keywordBool(scope, "no_log", false)
	}
	p.serial++
	info.UUID = strconv.Itoa(p.serial)
	return info
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
		v, err := scope.Template(task.Name)
		if err != nil {
			return conditionText(task.Name)
		}
		if v != nil && v != "" {
			return jinja.Str(v)
		}
	}
	if task.Action == "include_role" {
		role, _ := task.Args.Get("name")
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

// rawName is a task's name as ansible_failed_task has it.
func rawName(task *playbook.Task) string {
	if task.Name == nil {
		return ""
	}
	return conditionText(task.Name)
}
