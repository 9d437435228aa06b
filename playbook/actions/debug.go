package actions

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
	"gplay/playbook/vars"
)

var debug = &Action{Name: "debug", Doc: "show a message or a variable", Params: []string{"msg", "var", "verbosity"}, Run: runDebug}

const notDefined = "VARIABLE IS NOT DEFINED!"

func runDebug(_ context.Context, c *Call) (*jinja.Dict, error) {
	if text := c.text("verbosity"); text != "" {
		threshold, err := strconv.Atoi(text)
		if err != nil {
			return nil, unforeseen("invalid literal for int() with base 10: %s", jinja.Repr(text))
		}
		if threshold > c.Verbosity {
			return jinja.NewDict("skipped_reason", "Verbosity threshold not met.", "skipped", true), nil
		}
	}
	_, hasMsg := c.Args.Get("msg")
	v, hasVar := c.Args.Get("var")
	out := jinja.NewDict("_ansible_verbose_always", true)
	switch {
	case hasMsg && hasVar:
		return jinja.NewDict("failed", true, "msg", "'msg' and 'var' are incompatible options"), nil
	case hasVar:
		name, ok := v.(string)
		if !ok {
			out.Set(shownAs(v), notDefined)
			break
		}
		value, err := c.evaluate(name)
		var undefined *vars.Undefined
		switch {
		case errors.As(err, &undefined):
			value = notDefined
			if c.Verbosity > 0 {
				value = notDefined + ": " + undefinedText(err)
			}
		case err != nil:
			return nil, err
		}
		out.Set(name, value)
	case hasMsg:
		msg, _ := c.Args.Get("msg")
		out.Set("msg", msg)
	default:
		out.Set("msg", "Hello world!")
	}
	return out, nil
}

// shownAs is the key of what is no name of a variable but a value, which
// Ansible takes for one that is not defined.
func shownAs(v any) any {
	switch v.(type) {
	case *jinja.List, *jinja.Dict:
		return fmt.Sprintf("<class '%s'>", jinja.TypeName(v))
	}
	return v
}

// undefinedText is a fault without its place.
func undefinedText(err error) string {
	var placed *source.Error
	if errors.As(err, &placed) {
		return placed.Msg
	}
	return err.Error()
}

// evaluate gives the value of debug's var. An expression that came from a host
// is not evaluated: Ansible shows what it does not evaluate.
func (c *Call) evaluate(expr string) (any, error) {
	raw, _ := c.Task.Args.Get("var")
	if made, err := c.Scope.Variable(raw); err == nil {
		if text, ok := made.(jinja.Text); ok && text.Class == vars.UnsafeText {
			return "{{" + expr + "}}", nil
		}
	}
	if raw == expr {
		return c.Scope.Template(&yaml.Template{Text: "{{" + expr + "}}", Pos: c.Task.ArgPos["var"]})
	}
	v, err := c.Scope.Wary().Bare(expr)
	if u, ok := v.(*jinja.Undefined); ok && err == nil {
		err = errors.New(u.Message())
	}
	if err != nil && !errors.Is(err, vars.ErrNoLookup) { // text from a host is no expression that has to be right
		err = &vars.Undefined{Err: err}
	}
	return v, err
}
