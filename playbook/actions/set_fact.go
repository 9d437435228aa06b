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
		name, err := c.name(k)
		if err != nil {
			return nil, err
		}
		if name == "cacheable" {
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

func variableName(name string) error {
	if playbook.IsVariableName(name) {
		return nil
	}
	return fmt.Errorf("The variable name '%s' is not valid. Variables must start with a letter or underscore character, and contain only letters, numbers and underscores.", name)
}

// name is an argument's name, which may be a template in set_fact where the
// playbook itself has it.
func (c *Call) name(key any) (string, error) {
	text := jinja.Str(key)
	if _, written := c.Task.Args.Get(key); !written || !strings.Contains(text, "{{") {
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
