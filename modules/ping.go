package modules

import (
	"context"
	"errors"
)

// Ping answers.
var Ping = define("ping", "answer, to show that the host can be reached", pingArgs{Data: "pong"}, ping)

type pingArgs struct {
	Data string `arg:"data" doc:"What to answer; crash makes the module fail."`
}

func ping(_ context.Context, _ *Call, a pingArgs) (Result, error) {
	if a.Data == "crash" {
		return nil, errors.New("boom")
	}
	return Result{"ping": a.Data}, nil
}
