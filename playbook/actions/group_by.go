package actions

import (
	"context"
	"strings"

	"gplay/jinja"
)

var groupBy = &Action{Name: "group_by", Doc: "put hosts into groups made of their facts", Params: []string{"key", "parents"}, Run: runGroupBy}

func runGroupBy(_ context.Context, c *Call) (*jinja.Dict, error) {
	key, ok := c.Args.Get("key")
	if !ok {
		return jinja.NewDict("changed", false, "failed", true, "msg", "the 'key' param is required when using group_by"), nil
	}
	switch key.(type) {
	case string, jinja.Text:
	default:
		return nil, unforeseen("'%s' object has no attribute 'replace'", jinja.TypeName(key))
	}
	group := strings.ReplaceAll(c.text("key"), " ", "-")
	switch v, given := c.Args.Get("parents"); v.(type) {
	case nil, int, bool, float64:
		if given {
			return nil, unforeseen("'%s' object is not iterable", jinja.TypeName(v))
		}
	}
	parents := []string{}
	shown := jinja.NewList()
	for _, p := range c.list("parents") {
		name := strings.ReplaceAll(jinja.Str(p), " ", "-")
		parents = append(parents, name)
		shown.Items = append(shown.Items, name)
	}
	if len(parents) == 0 {
		parents = []string{"all"}
		shown.Items = []any{"all"}
	}
	c.GroupBy(group, parents)
	return jinja.NewDict("changed", false, "add_group", group, "parent_groups", shown), nil
}
