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
		args.Set(keyword, v)
	}
	return c.Module(ctx, "setup", args, nil)
}
