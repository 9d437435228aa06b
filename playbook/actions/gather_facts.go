package actions

import (
	"context"

	"gplay/jinja"
)

var gatherFacts = &Action{Name: "gather_facts", Doc: "find out about the host, as setup does", Params: []string{"parallel"}, Run: runGatherFacts}

// runGatherFacts runs setup with what the play says of facts.
func runGatherFacts(ctx context.Context, c *Call) (*jinja.Dict, error) {
	args := with(c.Args, []string{"parallel"})
	for _, keyword := range []string{"gather_subset", "gather_timeout", "fact_path"} {
		k, ok := c.Task.Play.Keywords[keyword]
		if !ok {
			continue
		}
		v, err := c.Scope.Template(k.Value)
		if err != nil {
			return nil, err
		}
		if _, text := v.(string); text && keyword == "gather_subset" {
			v = jinja.NewList(v) // whatever commas it has
		}
		args.Set(keyword, v)
	}
	data, err := c.Module(ctx, "setup", args, nil)
	if failed, _ := data.Get("failed"); err == nil && jinja.Truth(failed) {
		data.Delete("changed")
		const module = "ansible.legacy.setup"
		return jinja.NewDict("failed", true, "changed", false, "ansible_facts", jinja.NewDict(), "failed_modules", jinja.NewDict(module, data),
			"msg", "The following modules failed to execute: "+module+"\n"), nil
	}
	if err == nil {
		for _, list := range []string{"deprecations", "warnings"} { // which Ansible gathers of its modules
			if _, ok := data.Get(list); !ok {
				data.Set(list, jinja.NewList())
			}
		}
	}
	return data, err
}
