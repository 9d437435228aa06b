package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gplay/jinja"
)

var addHost = &Action{Name: "add_host", Doc: "add a host to the inventory for the plays that follow", Params: []string{"*"}, FreeForm: true, ForAll: true, Run: runAddHost}

func runAddHost(_ context.Context, c *Call) (*jinja.Dict, error) {
	args := c.Args
	if raw, ok := args.Get("_raw_params"); ok {
		d, isDict := raw.(*jinja.Dict)
		if !isDict {
			return nil, fmt.Errorf("Invalid raw parameters passed, requires a dictonary/mapping got a  <class '%s'>", jinja.TypeName(raw))
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
	name, port := c.SplitPort(name)
	c.Say(2, "creating host via 'add_host': hostname="+name)
	if port != 0 {
		c.Args.Set("ansible_ssh_port", port)
	}
	groups, err := hostGroups(c)
	if err != nil {
		return nil, err
	}
	shown := jinja.NewList()
	for _, g := range groups {
		shown.Items = append(shown.Items, g)
	}
	variables := with(c.Args, []string{"name", "hostname", "groups", "groupname", "_raw_params"}) // Ansible makes variables of host and group
	c.AddHost(name, groups, variables)
	return jinja.NewDict("changed", false, "add_host", jinja.NewDict("host_name", name, "groups", shown, "host_vars", variables)), nil
}

// hostGroups are the groups that the host joins, each once.
func hostGroups(c *Call) ([]string, error) {
	var groups []string
	for _, arg := range []string{"groupname", "groups", "group"} {
		v, given := c.Args.Get(arg)
		if !given {
			continue
		}
		switch v.(type) {
		case int, float64, bool, *jinja.Dict:
			if jinja.Truth(v) {
				return nil, errors.New("Groups must be specified as a list.")
			}
			return nil, nil
		}
		for _, g := range c.list(arg) {
			if name := jinja.Str(g); !slices.Contains(groups, name) {
				groups = append(groups, name)
			}
		}
		break
	}
	return groups, nil
}
