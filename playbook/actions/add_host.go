package actions

import (
	"context"
	"fmt"

	"gplay/jinja"
)

var addHost = &Action{Name: "add_host", Doc: "add a host to the inventory for the plays that follow", Params: []string{"*"}, FreeForm: true, ForAll: true, Run: runAddHost}

func runAddHost(_ context.Context, c *Call) (*jinja.Dict, error) {
	args := c.Args
	if raw, ok := args.Get("_raw_params"); ok {
		d, isDict := raw.(*jinja.Dict)
		if !isDict {
			return nil, fmt.Errorf("Invalid raw parameters passed, requires a dictonary/mapping got a <class '%s'>", jinja.TypeName(raw))
		}
		c.Args = d.Copy()
		for k, v := range args.All() {
			c.Args.Set(k, v)
		}
	}
	name := c.text("name", "hostname", "host")
	if name == "" {
		return nil, fmt.Errorf("name, host or hostname needs to be provided")
	}
	var groups []string
	shown := jinja.NewList()
	for _, arg := range []string{"groups", "groupname", "group"} {
		for _, g := range c.list(arg) {
			groups = append(groups, jinja.Str(g))
			shown.Items = append(shown.Items, jinja.Str(g))
		}
	}
	variables := with(c.Args, []string{"name", "hostname", "host", "groups", "groupname", "group", "_raw_params"})
	changed, err := c.AddHost(name, groups, variables)
	return jinja.NewDict("changed", changed, "add_host", jinja.NewDict("host_name", name, "groups", shown, "host_vars", variables)), err
}
