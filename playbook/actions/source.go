package actions

import (
	"context"
	"errors"
	"strings"

	"gplay/jinja"
)

// Modules whose source may stand on the controller: it is offered to the
// module, which asks for it when it needs it.
var (
	unarchive      = &Action{Name: "unarchive", Module: true, Params: []string{"copy", "decrypt"}, Run: runUnarchive}
	consulTemplate = &Action{Name: "consul_template", Module: true, Run: offering("consul_template", "src", "templates")}
)

func runUnarchive(ctx context.Context, c *Call) (*jinja.Dict, error) {
	_, copied := c.Args.Get("copy")
	if _, remote := c.Args.Get("remote_src"); copied && remote {
		return nil, errors.New("parameters are mutually exclusive: ('copy', 'remote_src')")
	}
	if c.text("src") == "" || c.text("dest") == "" {
		return nil, errors.New("src (or content) and dest are required")
	}
	return offering("unarchive", "src", "files")(ctx, c)
}

// offering runs a module and offers it the controller's file that its
// argument names, unless remote_src says that the host has it.
func offering(module, arg, kind string) func(context.Context, *Call) (*jinja.Dict, error) {
	return func(ctx context.Context, c *Call) (*jinja.Dict, error) {
		remote, err := c.remote()
		if err != nil {
			return nil, err
		}
		name, args := c.text(arg), with(c.Args, []string{"copy", "decrypt"}, "remote_src", remote)
		if name == "" || remote || strings.Contains(name, "://") {
			return c.Module(ctx, module, args, nil)
		}
		path, err := c.find(kind, name)
		if err != nil {
			return nil, err
		}
		file, err := c.offer(path)
		if err != nil {
			return nil, err
		}
		return c.Module(ctx, module, args, map[string]File{"src": file})
	}
}

// remote reports whether the source is on the host: remote_src, or the old
// copy: no.
func (c *Call) remote() (bool, error) {
	copied, err := c.bool("copy", true)
	if err != nil || !copied {
		return true, err
	}
	return c.bool("remote_src", false)
}
