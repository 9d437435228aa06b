package actions

import (
	"context"
	"fmt"

	"gplay/jinja"
)

var setStats = &Action{Name: "set_stats", Doc: "set statistics that are shown after the run", Params: []string{"data", "per_host", "aggregate"}, Run: runSetStats}

func runSetStats(_ context.Context, c *Call) (*jinja.Dict, error) {
	data, ok := c.Args.Get("data")
	d, isDict := data.(*jinja.Dict)
	if !ok || !isDict {
		return nil, fmt.Errorf("The 'data' option needs to be a dictionary/hash")
	}
	perHost, err := c.bool("per_host", false)
	if err != nil {
		return nil, err
	}
	aggregate, err := c.bool("aggregate", true)
	stats := jinja.NewDict("data", d, "per_host", perHost, "aggregate", aggregate)
	return jinja.NewDict("changed", false, "ansible_stats", stats), err
}
