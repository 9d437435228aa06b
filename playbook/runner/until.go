package runner

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/actions"
	"gplay/playbook/vars"
)

// until runs the action, again and again where until says so, and judges its
// result.
func (x *execution) until(ctx context.Context, scope *vars.Scope, s *settings, args *jinja.Dict) *try {
	k := x.task.Keywords["until"]
	repeated := len(asList(k.Value)) > 0
	attempts := 1
	if repeated {
		attempts = max(s.retries, 0) + 1
	}
	if err := x.asyncFault(s); err != nil {
		return x.unjudged(scope, err)
	}
	puts, delegated := len(x.puts), len(x.delegated)
	for n := 1; ; n++ {
		x.puts, x.delegated, x.grow = x.puts[:puts], x.delegated[:delegated], nil // what was tried before brings nothing
		data, cut, err := x.once(ctx, scope, s, args)
		if err != nil {
			return x.unjudged(scope, err)
		}
		if cut {
			return x.cutOff(data, s, n)
		}
		if repeated {
			data.Set("attempts", n)
		}
		x.judge(data, scope)
		t := &try{data: data, attempts: n}
		if !repeated {
			return x.conclude(t, scope, s)
		}
		done, bad, err := allHold(scope.With(x.afterwards(data)), k)
		if err != nil {
			return x.failedTry(scope, &vars.ConditionError{Condition: conditionText(bad), Err: err})
		}
		if done || n >= attempts || ctx.Err() != nil {
			if !done {
				data.Set("attempts", max(attempts-1, 1)) // Ansible counts the retries here
				data.Set("failed", true)
			}
			return x.conclude(t, scope, s)
		}
		x.retry(t, scope, s, attempts-n)
		sleep(ctx, s.delay)
	}
}

// cutOff is a task that the connection or its timeout ended.
func (x *execution) cutOff(data *jinja.Dict, s *settings, attempts int) *try {
	if x.task.Loop == nil {
		data.Set("changed", false)
	}
	return x.conclude(&try{data: data, attempts: attempts}, nil, s)
}

// unjudged is the failure of an action that did nothing. A loop ends only with
// what could not be run at all.
func (x *execution) unjudged(scope *vars.Scope, err error) *try {
	t := x.failedTry(scope, err)
	var unrunnable actions.Unrunnable
	t.fatal = errors.As(err, &unrunnable)
	if !t.fatal && x.task.Loop == nil {
		t.data.Set("changed", false)
	}
	return t
}

// allHold reports whether all conditions of a keyword hold; bad is the one that
// has no value.
func allHold(scope *vars.Scope, k playbook.Keyword) (ok bool, bad any, err error) {
	for i, c := range asList(k.Value) {
		if ok, err := scope.Condition(c, k.Pos, k.Written(i)); err != nil || !ok {
			return false, c, err
		}
	}
	return true, nil, nil
}

// conclude gives t its status, and the inventory what a task that has not
// failed puts there. A loop does that when all its items are done.
func (x *execution) conclude(t *try, scope *vars.Scope, s *settings) *try {
	t.status = statusOf(t.data)
	if t.status == OK || t.status == Changed {
		t.grow = x.grow
	}
	if t.grow != nil && x.task.Loop == nil {
		if err := x.grown(t); err != nil {
			return x.unjudged(scope, err)
		}
	}
	t.ignored = t.status == Failed && s.ignoreErrors || t.status == Unreachable && s.ignoreUnreachable
	return t
}

// grown gives the inventory what t puts there.
func (x *execution) grown(t *try) error {
	changed, err := t.grow()
	if err == nil && x.task.Keywords["changed_when"].Value == nil {
		t.data.Set("changed", changed)
		t.status, t.grew = statusOf(t.data), changed
	}
	return err
}

func (x *execution) retry(t *try, scope *vars.Scope, s *settings, left int) {
	t.scope, t.noLog, t.status = scope, s.noLog, statusOf(t.data)
	r := x.result(x.on(t, s))
	info := *r.Task
	info.Title = x.name(x.task, scope) // as this host has it
	r.Task, r.Left = &info, left
	r.Data.Set("retries", s.retries+1)
	if x.task.Loop != nil {
		r.Loop = true
	}
	x.tell(func(c Callback) { c.Retry(r) })
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// asInt is Python's int(v).
func asInt(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case float64:
		return int(v), true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	n, err := strconv.Atoi(strings.TrimSpace(jinja.Str(v)))
	return n, err == nil
}
