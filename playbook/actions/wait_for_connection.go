package actions

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"gplay/jinja"
)

var waitForConnection = &Action{Name: "wait_for_connection", Doc: "wait until the host can be reached and used", Params: []string{"connect_timeout", "delay", "sleep", "timeout"}, Run: runWaitForConnection}

func runWaitForConnection(ctx context.Context, c *Call) (*jinja.Dict, error) {
	if c.Check {
		return jinja.NewDict("changed", false, "skipped", true), nil
	}
	seconds := func(name string, otherwise float64) time.Duration {
		n, err := strconv.ParseFloat(c.text(name), 64)
		if err != nil {
			n = otherwise
		}
		return time.Duration(n * float64(time.Second))
	}
	start := time.Now()
	wait(ctx, seconds("delay", 0))
	deadline := time.Now().Add(seconds("timeout", 600))
	for {
		_, err := c.Module(ctx, "ping", jinja.NewDict(), nil)
		switch {
		case err == nil:
			return jinja.NewDict("changed", false, "elapsed", int(time.Since(start).Seconds())), nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case time.Now().After(deadline):
			return jinja.NewDict("failed", true, "elapsed", int(time.Since(start).Seconds()), "msg", fmt.Sprintf("timed out waiting for ping module test: %s", err)), nil
		}
		if err := c.Reset(); err != nil {
			return nil, err
		}
		wait(ctx, seconds("sleep", 1))
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
