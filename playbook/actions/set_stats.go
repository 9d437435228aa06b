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
	for _, name := range []string{"per_host", "aggregate"} {
		v, _ := c.Args.Get(name)
		if err := unhashable(v); err != nil {
			return nil, err
		}
	}
	d := jinja.NewDict()
	if data, ok := c.Args.Get("data"); ok {
		if d, ok = data.(*jinja.Dict); !ok {
			return jinja.NewDict("failed", true, "msg", "The 'data' option needs to be a dictionary/hash"), nil
		}
	}
	data := jinja.NewDict()
	given, _ := c.Task.Args.Get("data")
	written, _ := given.(*jinja.Dict)
	for k, v := range d.All() {
		name, err := c.name(written, k)
		if err != nil {
			return nil, err
		}
		if err := variableName(name); err != nil {
			return nil, err
		}
		data.Set(name, v)
	}
	stats := jinja.NewDict("data", data, "per_host", c.lenientBool("per_host", false), "aggregate", c.lenientBool("aggregate", true))
	return jinja.NewDict("changed", false, "ansible_stats", stats), nil
}
