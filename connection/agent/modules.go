package agent

import (
	"context"

	"gplay/modules"
	"gplay/modules/facts"
	"gplay/modules/host"
)

// Modules is the Runner of gplay's modules.
func Modules(ctx context.Context, call Call, c modules.Controller) map[string]any {
	m := modules.Find(call.Module)
	if m == nil {
		return failure("there is no module %q", call.Module)
	}
	here := &host.Local{}
	result := m.Run(ctx, here, here, c, call.Check, call.Diff, call.Args)
	if call.FindPython {
		result[PythonKey] = facts.Python(here)
	}
	return result
}
