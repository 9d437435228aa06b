package actions

import (
	"context"

	"gplay/jinja"
)

var fail = &Action{Name: "fail", Doc: "fail with a message", Params: []string{"msg"}, Run: func(_ context.Context, c *Call) (*jinja.Dict, error) {
	msg, ok := c.Args.Get("msg")
	if !ok {
		msg = "Failed as requested from task"
	}
	return jinja.NewDict("failed", true, "msg", msg), nil
}}
