package actions

import (
	"context"

	"gplay/jinja"
)

var setStats = &Action{Name: "set_stats", Doc: "set statistics that are shown after the run", Params: []string{"data", "per_host", "aggregate"}, Run: runSetStats}

func runSetStats(_ context.Context, c *Call) (*jinja.Dict, error) {
	d := jinja.NewDict()
	if data, ok := c.Args.Get("data"); ok {
		if d, ok = data.(*jinja.Dict); !ok {
			return jinja.NewDict("failed", true, "msg", "The 'data' option needs to be a dictionary/hash"), nil
		}
	}
	perHost, err := c.bool("per_host", false)
	if err != nil {
		return nil, err
	}
	aggregate, err := c.bool("aggregate", true)
	stats := jinja.NewDict("data", d, "per_host", perHost, "aggregate", aggregate)
	return jinja.NewDict("changed", false, "ansible_stats", stats), err
}
