package modules

import (
	"context"
	"maps"
	"slices"
	"strings"

	"gplay/modules/facts"
	"gplay/modules/host"
)

// ServiceFacts tells which services a host has.
var ServiceFacts = define("service_facts", "find out which services a host has", struct{}{}, serviceFacts).
	gives("ansible_facts services name state status source")

func serviceFacts(ctx context.Context, c *Call, _ struct{}) (Result, error) {
	list := listScripts
	switch facts.ServiceManager(c) {
	case "systemd":
		list = listUnits
	case "openrc":
		list = listOpenRC
	}
	services, err := list(ctx, c)
	if err == nil && len(services) == 0 {
		return Result{"skipped": true, "msg": "Failed to find any services. This can be due to privileges or some other configuration issue."}, nil
	}
	return Result{"ansible_facts": map[string]any{"services": services}}, err
}

func serviceFact(name, state, status, source string) map[string]any {
	return map[string]any{"name": name, "state": state, "status": status, "source": source}
}

func askLines(ctx context.Context, c *Call, args ...string) ([]string, error) {
	out, err := c.Ask(ctx, host.Cmd{Args: args, Env: []string{"LC_ALL=C"}})
	return strings.Split(strings.TrimRight(string(out.Stdout), "\n"), "\n"), err
}

// badStates replace a unit's enabled or disabled.
var badStates = []string{"not-found", "masked", "failed"}

func listUnits(ctx context.Context, c *Call) (map[string]any, error) {
	services := map[string]any{}
	lines, err := askLines(ctx, c, "systemctl", "list-units", "--no-pager", "--type", "service", "--all", "--plain", "--no-legend")
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasSuffix(f[0], ".service") {
			continue
		}
		status, state := f[2], "stopped"
		if i := slices.IndexFunc(f[1:4], func(w string) bool { return slices.Contains(badStates, w) }); i >= 0 {
			status = f[1+i]
		} else if f[3] == "running" {
			state = "running"
		}
		services[f[0]] = serviceFact(f[0], state, status, "systemd")
	}
	if err := addUnitFiles(ctx, c, services); err != nil {
		return nil, err
	}
	scripts, err := listScripts(ctx, c)
	maps.Copy(services, scripts)
	return services, err
}

// addUnitFiles adds whether units are enabled, and those that are not loaded.
func addUnitFiles(ctx context.Context, c *Call, services map[string]any) error {
	lines, err := askLines(ctx, c, "systemctl", "list-unit-files", "--no-pager", "--type", "service", "--all", "--no-legend")
	var idle []string
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		known, _ := services[f[0]].(map[string]any)
		switch {
		case known == nil:
			services[f[0]] = serviceFact(f[0], "unknown", f[1], "systemd")
			if !strings.HasSuffix(f[0], "@.service") {
				idle = append(idle, f[0])
			}
		case !slices.Contains(badStates, known["status"].(string)):
			known["status"] = f[1]
		}
	}
	if err != nil || len(idle) == 0 {
		return err
	}
	states, err := askLines(ctx, c, append([]string{"systemctl", "show", "--property=ActiveState", "--"}, idle...)...)
	states = slices.DeleteFunc(states, func(l string) bool { return l == "" })
	for i, line := range states[:min(len(states), len(idle))] {
		services[idle[i]].(map[string]any)["state"] = strings.TrimPrefix(line, "ActiveState=")
	}
	return err
}

func listOpenRC(ctx context.Context, c *Call) (map[string]any, error) {
	services := map[string]any{}
	lines, err := askLines(ctx, c, "rc-status", "-a", "-s", "-C")
	for _, line := range lines {
		name, state, ok := strings.Cut(line, "[")
		if !ok {
			continue
		}
		name, state = strings.TrimSpace(name), strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(state), "]"))
		services[name] = map[string]any{"name": name, "state": map[bool]string{true: "running", false: "stopped"}[strings.HasPrefix(state, "started")], "source": "openrc"}
	}
	return services, err
}

// listScripts asks every init script.
func listScripts(ctx context.Context, c *Call) (map[string]any, error) {
	services := map[string]any{}
	if !hasProgram(c, "service") {
		return services, nil
	}
	lines, err := askLines(ctx, c, "service", "--status-all")
	for _, line := range lines {
		f := strings.Fields(line) // [ + ] name
		if len(f) < 4 || f[0] != "[" {
			continue
		}
		state := map[bool]string{true: "running", false: "stopped"}[f[1] == "+"]
		services[f[3]] = map[string]any{"name": f[3], "state": state, "source": "sysv"}
	}
	return services, err
}
