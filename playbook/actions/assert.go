package actions

import (
	"context"
	"fmt"
	"strings"

	"gplay/internal/yaml"
	"gplay/jinja"
	"gplay/playbook/vars"
)

var assert = &Action{Name: "assert", Doc: "fail unless conditions hold", Params: []string{"that", "msg", "fail_msg", "success_msg", "quiet"}, Run: runAssert}

func runAssert(_ context.Context, c *Call) (*jinja.Dict, error) {
	that, ok := c.Args.Get("that")
	if !ok {
		return nil, fmt.Errorf(`conditional required in "that" string`)
	}
	quiet, err := c.bool("quiet", false)
	if err != nil {
		return nil, err
	}
	conditions := []any{that}
	if l, ok := that.(*jinja.List); ok {
		conditions = l.Items
	}
	for i, condition := range conditions {
		ok, err := c.judging("that", i).Condition(condition, c.Task.Pos)
		if err != nil {
			return nil, &vars.ConditionError{Condition: jinja.Str(condition), Err: err}
		}
		if !ok {
			return c.failed(condition, quiet), nil
		}
	}
	msg, ok := c.Args.Get("success_msg")
	if !ok {
		msg = "All assertions passed"
	}
	out := jinja.NewDict("changed", false, "msg", msg)
	if !quiet {
		out.Set("_ansible_verbose_always", true)
	}
	return out, nil
}

func (c *Call) failed(condition any, quiet bool) *jinja.Dict {
	out := jinja.NewDict("failed", true, "evaluated_to", false, "assertion", condition, "msg", "Assertion failed")
	if !quiet {
		out.Set("_ansible_verbose_always", true)
	}
	for _, name := range []string{"msg", "fail_msg"} {
		if msg, ok := c.Args.Get(name); ok {
			out.Set("msg", msg)
		}
	}
	return out
}

// judging is the scope for the expression that an argument, or item i of it,
// is: a wary one when a template made the expression.
func (c *Call) judging(arg string, i int) *vars.Scope {
	raw, _ := c.Task.Args.Get(arg)
	if l, ok := raw.(*jinja.List); ok && i < len(l.Items) {
		raw = l.Items[i]
	}
	if _, written := raw.(string); written {
		return c.Scope
	}
	if t, ok := raw.(*yaml.Template); ok && !strings.HasPrefix(strings.TrimSpace(t.Text), "{{") {
		c.Scope.WarnDelimiters(t.Text)
	}
	return c.Scope.Wary()
}
