package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	quiet, _ := c.bool("quiet", false) // anything but yes is no, as in Ansible
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
	conditions := listed(that)
	scope, judged, err := c.judged("that", conditions)
	if err != nil {
		return nil, err
	}
	for i, condition := range conditions {
		ok, err := scope.Condition(judged[i], c.Task.Pos, c.Task.Written("that").Item(i))
		if err != nil {
			return nil, Unrunnable{&vars.ConditionError{Condition: jinja.Str(condition), Err: err}}
		}
		if !ok {
			return failedAssertion(vars.AsWritten(judged[i]), failMsg, quiet), nil
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

// listed are the items of a list; anything else is one item.
func listed(v any) []any {
	if l, ok := v.(*jinja.List); ok {
		return l.Items
	}
	return []any{v}
}

// judged are the conditions that an argument is, in place of the values it has:
// as written where they are, and with their class where a template made them.
// The scope is a wary one then.
func (c *Call) judged(arg string, values []any) (*vars.Scope, []any, error) {
	raw, written := c.Task.Args.Get(arg)
	t, made := raw.(*yaml.Template)
	switch {
	case !written: // but in a template for all arguments, or in module_defaults
		return c.Scope.Wary(), values, nil
	case !made:
		return c.Scope, listed(raw), nil
	}
	if !strings.HasPrefix(strings.TrimSpace(t.Text), "{{") {
		c.Scope.WarnDelimiters(t.Text)
	}
	v, err := c.Scope.Variable(t)
	items := slices.Clone(listed(v))
	if l, ok := v.(*jinja.List); ok {
		for i, item := range items {
			if text, ok := item.(string); ok {
				items[i] = jinja.Text{Value: text, Class: l.Class}
			}
		}
	}
	if err == nil && len(items) != len(values) { // it gives something else each time
		items = values
	}
	return c.Scope.Wary(), items, err
}
