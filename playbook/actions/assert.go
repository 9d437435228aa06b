package actions

import (
	"context"
	"errors"
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
		return nil, Unrunnable{errors.New(`conditional required in "that" string`)}
	}
	quiet, err := c.bool("quiet", false)
	if err != nil {
		return nil, err
	}
	failMsg, ok := c.Args.Get("fail_msg")
	if !ok {
		failMsg, _ = c.Args.Get("msg")
	}
	if err := messageType("fail_msg or msg", failMsg); err != nil {
		return nil, Unrunnable{err}
	}
	successMsg, _ := c.Args.Get("success_msg")
	if err := messageType("success_msg", successMsg); err != nil {
		return nil, Unrunnable{err}
	}
	conditions := []any{that}
	if l, ok := that.(*jinja.List); ok {
		conditions = l.Items
	}
	for i, condition := range conditions {
		judged, err := c.judged("that", i)
		if err != nil {
			return nil, err
		}
		ok, err := c.Scope.Condition(judged, c.Task.Pos, c.Task.Written("that").Item(i))
		if err != nil {
			return nil, Unrunnable{&vars.ConditionError{Condition: jinja.Str(condition), Err: err}}
		}
		if !ok {
			return failedAssertion(condition, failMsg, quiet), nil
		}
	}
	if successMsg == nil {
		successMsg = "All assertions passed"
	}
	out := jinja.NewDict("changed", false, "msg", successMsg)
	if !quiet {
		out.Set("_ansible_verbose_always", true)
	}
	return out, nil
}

// messageType refuses a message that is neither text nor a list of texts.
func messageType(arguments string, v any) error {
	switch v := v.(type) {
	case nil, string:
		return nil
	case *jinja.List:
		for _, item := range v.Items {
			if _, ok := item.(string); !ok {
				return fmt.Errorf("Type of one of the elements in %s list is not string type", arguments)
			}
		}
		return nil
	}
	return fmt.Errorf("Incorrect type for %s, expected a string or list and got <class '%s'>", arguments, jinja.TypeName(v))
}

func failedAssertion(condition, msg any, quiet bool) *jinja.Dict {
	if msg == nil {
		msg = "Assertion failed"
	}
	out := jinja.NewDict("failed", true, "evaluated_to", false, "assertion", condition, "msg", msg)
	if !quiet {
		out.Set("_ansible_verbose_always", true)
	}
	return out
}

// judged is the condition that an argument, or item i of it, is: with its class
// where a template made it.
func (c *Call) judged(arg string, i int) (any, error) {
	raw, _ := c.Task.Args.Get(arg)
	if l, ok := raw.(*jinja.List); ok {
		return l.Items[i], nil
	}
	if t, ok := raw.(*yaml.Template); ok && !strings.HasPrefix(strings.TrimSpace(t.Text), "{{") {
		c.Scope.WarnDelimiters(t.Text)
	}
	v, err := c.Scope.Variable(raw)
	l, ok := v.(*jinja.List)
	if !ok || err != nil {
		return v, err
	}
	if text, ok := l.Items[i].(string); ok {
		return jinja.Text{Value: text, Class: l.Class}, nil
	}
	return l.Items[i], nil
}
