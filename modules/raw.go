package modules

import (
	"context"

	"gplay/modules/host"
)

// Raw runs a command line as it is.
var Raw = define("raw", "run a command line as it is", rawArgs{Executable: "/bin/sh"}, raw).freeForm("cmd").noCheck().
	gives("rc stdout stdout_lines stderr stderr_lines changed")

type rawArgs struct {
	Cmd        string `arg:"cmd" required:"true" doc:"The command line."`
	Executable string `arg:"executable" doc:"The shell, with its path."`
}

func raw(ctx context.Context, c *Call, a rawArgs) (Result, error) {
	var out host.Output
	err := c.Change(NoDiff, func(w host.Writer) (err error) {
		out, err = w.Run(ctx, host.Command(a.Executable, "-c", a.Cmd))
		return err
	})
	r := Result{"rc": out.Code, "stdout": string(out.Stdout), "stderr": string(out.Stderr)}
	if err == nil && out.Code != 0 {
		r["changed"] = true
		err = Fail("non-zero return code", r)
	}
	return r, err
}
