package actions

import (
	"context"

	"gplay/jinja"
)

var setStats = &Action{Name: "set_stats", Doc: "set statistics that are shown after the run", Params: []string{"data", "per_host", "aggregate"}, Run: runSetStats}

// lenientBool is bool for set_stats, where what is neither yes nor no is no.
func (c *Call) lenientBool(name string, otherwise bool) bool {
	b, _ := c.bool(name, otherwise)
	return b
}

func runSetStats(_ context.Context, c *Call) (*jinja.Dict, error) {
	d := jinja.NewDict()
	if data, ok := c.Args.Get("data"); ok {
		if d, ok = data.(*jinja.Dict); !ok {
			return jinja.NewDict("failed", true, "msg", "The 'data' option needs to be a dictionary/hash"), nil
		}
	}
	for name := range d.All() {
		if err := variableName(jinja.Str(name)); err != nil {
			return nil, err
		}
	}
	stats := jinja.NewDict("data", d, "per_host", c.lenientBool("per_host", false), "aggregate", c.lenientBool("aggregate", true))
	return jinja.NewDict("changed", false, "ansible_stats", stats), nil
}
