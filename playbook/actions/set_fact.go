package actions

import (
	"context"
	"fmt"
	"strings"

	"gplay/jinja"
	"gplay/playbook"
)

var setFact = &Action{Name: "set_fact", Doc: "set variables for the host", Params: []string{"*"}, Variables: true, Run: runSetFact}

func runSetFact(_ context.Context, c *Call) (*jinja.Dict, error) {
	facts := jinja.NewDict()
	for k, v := range c.Args.All() {
		name, err := c.name(c.Task.Args, k)
		if err != nil {
			return nil, err
		}
		if name == "cacheable" {
			if err := unhashable(v); err != nil {
				return nil, err
			}
			if !isBool(v) {
				return nil, unforeseen("The value '%s' is not a valid boolean.", jinja.Str(v))
			}
			continue
		}
		if err := variableName(name); err != nil {
			return nil, err
		}
		if !c.Scope.Native() {
			v = asFact(v)
		}
		facts.Set(name, v)
	}
	if facts.Len() == 0 {
		return nil, fmt.Errorf("No key/value pairs provided, at least one is required for this action to succeed")
	}
	return jinja.NewDict("ansible_facts", facts), nil
}

// unforeseen is the fault of an action that Ansible does not expect of it.
func unforeseen(format string, args ...any) error {
	return Unrunnable{fmt.Errorf("Unexpected failure during module execution: "+format, args...)}
}

// unhashable is the fault of a list or dict where a boolean is looked for.
func unhashable(v any) error {
	switch v.(type) {
	case *jinja.List, *jinja.Dict:
		return unforeseen("unhashable type: '%s'", jinja.TypeName(v))
	}
	return nil
}

// isBool reports whether v is one of Ansible's words for yes and no.
func isBool(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case float64:
		return v == 0 || v == 1
	}
	_, ok := truths[strings.ToLower(strings.TrimSpace(jinja.Str(v)))]
	return ok
}

func variableName(name string) error {
	if playbook.IsVariableName(name) {
		return nil
	}
	return fmt.Errorf("The variable name '%s' is not valid. Variables must start with a letter or underscore character, and contain only letters, numbers and underscores.", name)
}

// name is the name of a variable, which may be a template where the playbook
// itself has it: in written.
func (c *Call) name(written *jinja.Dict, key any) (string, error) {
	text := jinja.Str(key)
	if _, ok := written.Get(key); !ok || !strings.Contains(text, "{{") {
		return text, nil
	}
	return c.Scope.RenderFile(text, c.Task.File, jinja.Options{})
}

// asFact reads the words for true and false as what they mean.
func asFact(v any) any {
	switch v.(type) {
	case string, jinja.Text:
		switch strings.ToLower(jinja.Str(v)) {
		case "true", "yes":
			return true
		case "false", "no":
			return false
		}
	}
	return v
}
