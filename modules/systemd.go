package modules

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"gplay/modules/facts"
	"gplay/modules/host"
)

// Systemd controls systemd's units.
var Systemd = define("systemd", "start, stop, enable and mask units of systemd", systemdArgs{Scope: "system"}, systemd).
	alias("systemd_service").
	requiredBy("state", "name").requiredBy("enabled", "name").requiredBy("masked", "name")

type systemdArgs struct {
	Name         string `arg:"name" alias:"service,unit" doc:"The unit; .service is added where there is no suffix."`
	State        string `arg:"state" choices:"reloaded,restarted,started,stopped" doc:"started and stopped do nothing where that is so; a unit that is to be reloaded is started when it does not run."`
	Enabled      *bool  `arg:"enabled" doc:"Whether it starts at boot."`
	Masked       *bool  `arg:"masked" doc:"Whether it cannot be started at all."`
	Force        *bool  `arg:"force" doc:"Replace links that are in the way."`
	DaemonReload bool   `arg:"daemon_reload" alias:"daemon-reload" doc:"Read all unit files again first."`
	DaemonReexec bool   `arg:"daemon_reexec" alias:"daemon-reexec" doc:"Start systemd itself anew first."`
	Scope        string `arg:"scope" choices:"system,user,global" doc:"Whose units."`
	NoBlock      bool   `arg:"no_block" doc:"Do not wait until it is done."`
}

func systemd(ctx context.Context, c *Call, a systemdArgs) (Result, error) {
	if strings.ContainsAny(a.Name, "*?[") {
		pattern := a.Name[strings.IndexAny(a.Name, "*?["):][:1]
		return nil, fmt.Errorf("This module does not currently support using glob patterns, found '%s' in service name: %s", pattern, a.Name)
	}
	s := systemctl{ctx, c, nil}
	if err := s.options(a); err != nil {
		return nil, err
	}
	for _, daemon := range []struct {
		wanted  bool
		command string
	}{{a.DaemonReload, "daemon-reload"}, {a.DaemonReexec, "daemon-reexec"}} {
		if !daemon.wanted {
			continue
		}
		err := c.Upkeep(func(w host.Writer) error {
			out, err := w.Run(ctx, s.cmd(daemon.command))
			if err == nil && out.Code != 0 {
				err = fmt.Errorf("failure %d during %s: %s", out.Code, daemon.command, out.Stderr)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	result := Result{"name": nil, "status": map[string]any{}}
	if a.Name == "" {
		return result, nil
	}
	result["name"] = a.Name
	if err := s.unit(a, result); err != nil {
		return nil, err
	}
	return result, nil
}

// systemctl runs the program of that name.
type systemctl struct {
	ctx  context.Context
	c    *Call
	args []string // program and options
}

func (s *systemctl) options(a systemdArgs) error {
	program, err := s.c.LookPath("systemctl")
	if err != nil {
		return err
	}
	s.args = []string{program}
	if a.Scope != "system" {
		s.args = append(s.args, "--"+a.Scope)
	}
	if a.NoBlock {
		s.args = append(s.args, "--no-block")
	}
	if a.Force != nil && *a.Force {
		s.args = append(s.args, "--force")
	}
	return nil
}

func (s *systemctl) cmd(args ...string) host.Cmd {
	cmd := host.Command(append(slices.Clone(s.args), args...)...)
	if _, set := s.c.Getenv("XDG_RUNTIME_DIR"); !set {
		cmd.Env = []string{fmt.Sprintf("XDG_RUNTIME_DIR=/run/user/%d", os.Geteuid())}
	}
	return cmd
}

func (s *systemctl) ask(args ...string) (host.Output, error) { return s.c.Ask(s.ctx, s.cmd(args...)) }

// do changes a unit; refused makes the message of a failure.
func (s *systemctl) do(action, unit string, refused func(host.Output) error) error {
	return s.c.Change(NoDiff, func(w host.Writer) error {
		out, err := w.Run(s.ctx, s.cmd(action, "--", unit))
		if err == nil && out.Code != 0 {
			err = refused(out)
		}
		return err
	})
}

func (s *systemctl) unit(a systemdArgs, result Result) error {
	status, known, err := s.status(a.Name)
	if err != nil {
		return err
	}
	result["status"] = status
	script := isExecutable(s.c, "/etc/init.d/"+a.Name)
	if script && !known {
		s.c.Warn(fmt.Sprintf("The service (%s) is actually an init script but the system is managed by systemd", a.Name))
	}
	if a.Masked != nil {
		if err := s.mask(a, known || script); err != nil {
			return err
		}
	}
	if (a.Enabled != nil || a.State != "") && !known && !script {
		return noSuchService(a.Name)
	}
	if a.Enabled != nil {
		if err := s.enable(a, script); err != nil {
			return err
		}
		result["enabled"] = *a.Enabled
	}
	if a.State == "" {
		return nil
	}
	return s.state(a, status, result)
}

func noSuchService(name string) error {
	return fmt.Errorf("Could not find the requested service %s: host", name)
}

func isExecutable(c *Call, path string) bool {
	info, err := c.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// status is what systemd knows of a unit, and whether it knows it at all.
func (s *systemctl) status(unit string) (map[string]any, bool, error) {
	out, err := s.ask("show", "--", unit)
	if err != nil {
		return nil, false, err
	}
	if out.Code != 0 || ignored(out.Stdout) || ignored(out.Stderr) {
		known, err := s.listed(unit)
		return map[string]any{}, known, err
	}
	status := properties(string(out.Stdout))
	load := status["LoadState"]
	if problem := status["LoadError"]; problem != nil && load != "masked" && load != "not-found" {
		return nil, false, fmt.Errorf("Error loading unit file '%s': %s", unit, problem)
	}
	return status, load != nil && load != "not-found", nil
}

// ignored recognises systemctl's answer in a chroot.
func ignored(out []byte) bool {
	text := string(out)
	return !strings.Contains(text, "=") &&
		(strings.Contains(text, "ignoring request") || strings.Contains(text, "ignoring command"))
}

// listed looks for a unit where systemd does not run.
func (s *systemctl) listed(unit string) (bool, error) {
	out, err := s.ask("is-enabled", "--", unit)
	if err != nil {
		return false, err
	}
	states := []string{"enabled", "enabled-runtime", "linked", "linked-runtime", "masked", "masked-runtime",
		"static", "indirect", "disabled", "generated", "transient"}
	if slices.Contains(states, strings.TrimSpace(string(out.Stdout))) {
		return true, nil
	}
	if out, err = s.ask("list-unit-files", "--", unit); err != nil || out.Code == 0 {
		return err == nil, err
	}
	// What keeps systemctl from working at all is no fault of the unit's.
	if out, err = s.ask(); err != nil || out.Code == 0 {
		return false, err
	}
	text := string(out.Stderr)
	return false, Fail(strings.TrimRight(text, "\n"), Result{"cmd": s.args[0], "rc": out.Code, "stdout": string(out.Stdout), "stderr": text})
}

// properties reads what systemctl show prints. Only commands (Exec…={ … })
// take several lines.
func properties(text string) map[string]any {
	found := map[string]any{}
	var key, value string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if key == "" {
			k, v, ok := strings.Cut(line, "=")
			if !ok {
				continue
			}
			if strings.HasPrefix(k, "Exec") && strings.HasPrefix(strings.TrimSpace(v), "{") && !strings.HasSuffix(strings.TrimSpace(v), "}") {
				key, value = k, v
				continue
			}
			found[k] = strings.TrimSpace(v)
			continue
		}
		value += "\n" + line
		if strings.HasSuffix(strings.TrimSpace(line), "}") {
			found[key] = strings.TrimSpace(value)
			key = ""
		}
	}
	return found
}

func (s *systemctl) mask(a systemdArgs, known bool) error {
	out, err := s.ask("is-enabled", "--", a.Name)
	if err != nil || *a.Masked == (strings.TrimSpace(string(out.Stdout)) == "masked") {
		return err
	}
	action := "unmask"
	if *a.Masked {
		action = "mask"
	}
	return s.do(action, a.Name, func(out host.Output) error {
		if !known {
			return noSuchService(a.Name)
		}
		return fmt.Errorf("Unable to %s service %s: %s%s", action, a.Name, out.Stdout, out.Stderr)
	})
}

func (s *systemctl) enable(a systemdArgs, script bool) error {
	out, err := s.ask("is-enabled", "-l", "--", a.Name)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(out.Stdout))
	enabled := out.Code == 0 && text != "indirect" && text != "alias"
	if out.Code == 1 && script && a.Scope == "system" && !strings.HasSuffix(text, "disabled") {
		enabled = startsAtBoot(s.c, a.Name)
	}
	if enabled == *a.Enabled {
		return nil
	}
	action := "disable"
	if *a.Enabled {
		action = "enable"
	}
	return s.do(action, a.Name, func(out host.Output) error {
		return fmt.Errorf("Unable to %s service %s: %s%s", action, a.Name, out.Stdout, out.Stderr)
	})
}

// startsAtBoot looks for System V's links to an init script.
func startsAtBoot(c *Call, name string) bool {
	for _, level := range "0123456S" {
		entries, err := c.ReadDir("/etc/rc" + string(level) + ".d")
		if err != nil {
			continue
		}
		for _, e := range entries {
			if n := e.Name(); len(n) == len(name)+3 && n[0] == 'S' && n[3:] == name {
				return true
			}
		}
	}
	return false
}

func (s *systemctl) state(a systemdArgs, status map[string]any, result Result) error {
	result["state"] = a.State
	active, known := status["ActiveState"].(string)
	if !known {
		if offline, _ := s.c.Getenv("SYSTEMD_OFFLINE"); offline == "1" || facts.IsChroot(s.c) {
			s.c.Warn("Target is a chroot or systemd is offline. This can lead to false positives or prevent the init system tools from working.")
			return nil
		}
		return Fail("Service is in unknown state", Result{"status": status})
	}
	action := ""
	running := active == "active" || active == "activating"
	switch {
	case a.State == "stopped":
		if running || active == "deactivating" {
			action = "stop"
		}
	case !running:
		action = "start"
	case a.State != "started":
		action = strings.TrimSuffix(a.State, "ed")
	}
	if a.State != "stopped" {
		result["state"] = "started"
	}
	if action == "" {
		return nil
	}
	return s.do(action, a.Name, func(out host.Output) error {
		return fmt.Errorf("Unable to %s service %s: %s", action, a.Name, out.Stderr)
	})
}
