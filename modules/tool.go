package modules

import (
	"context"
	"fmt"

	"gplay/modules/host"
)

// english is the environment for a program whose words are read.
var english = []string{"LC_ALL=C", "LANG=C", "LC_MESSAGES=C"}

// succeed runs a command that has to end well; what is the start of the
// message when it does not.
func succeed(ctx context.Context, w host.Writer, what string, cmd host.Cmd) error {
	out, err := w.Run(ctx, cmd)
	if err == nil && out.Code != 0 {
		r := outputs(out)
		r["rc"] = out.Code
		err = Fail(fmt.Sprintf("%s: %s", what, firstText(out.Stderr, out.Stdout)), r)
	}
	return err
}
