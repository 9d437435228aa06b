package modules

import "context"

// Ping answers.
var Ping = define("ping", "answer, to show that the host can be reached", pingArgs{Data: "pong"}, ping).
	gives("ping")

type pingArgs struct {
	Data string `arg:"data" doc:"What to answer; crash makes the module fail."`
}

func ping(_ context.Context, _ *Call, a pingArgs) (Result, error) {
	if a.Data == "crash" {
		// As a program that died: what it said is in module_stderr.
		return Result{"failed": true, "rc": 1, "module_stdout": "", "module_stderr": "Exception: boom\n",
			"msg": "MODULE FAILURE\nSee stdout/stderr for the exact error"}, nil
	}
	return Result{"ping": a.Data}, nil
}
