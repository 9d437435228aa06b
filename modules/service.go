package modules

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"gplay/modules/facts"
	"gplay/modules/host"
)

// Service controls services, whatever starts them on the host. Where that is
// systemd it takes all arguments of the module of that name.
var Service = define("service", "start, stop and enable services", serviceArgs{Runlevel: "default"}, service)

func init() { Service.standsFor(serviceManager) }

type serviceArgs struct {
	Name      string `arg:"name" required:"true" doc:"The service."`
	State     string `arg:"state" choices:"reloaded,restarted,started,stopped" doc:"started and stopped do nothing where that is so; a service that is to be reloaded is started when it does not run."`
	Enabled   *bool  `arg:"enabled" doc:"Whether it starts at boot."`
	Pattern   string `arg:"pattern" doc:"It runs when the process list has this text; for init scripts that cannot tell."`
	Sleep     int    `arg:"sleep" doc:"Seconds between stop and start of a restart."`
	Runlevel  string `arg:"runlevel" doc:"OpenRC's runlevel."`
	Arguments string `arg:"arguments" alias:"args" doc:"More arguments for the init script."`
	Use       string `arg:"use" doc:"The module that controls services here; auto finds out."`
}

// serviceManager is the module systemd where that starts services.
func serviceManager(c *Call, args map[string]any) (*Module, map[string]any, error) {
	name := strings.ToLower(used(args))
	if name != "systemd" && (name != "auto" || facts.ServiceManager(c) != "systemd") {
		return Service, args, nil
	}
	for _, arg := range []string{"pattern", "runlevel", "sleep", "arguments", "args"} {
		if _, given := args[arg]; given {
			delete(args, arg)
			c.Warn(fmt.Sprintf("Ignoring \"%s\" as it is not used in \"systemd\"", arg))
		}
	}
	return Systemd, args, nil
}

func service(ctx context.Context, c *Call, a serviceArgs) (Result, error) {
	if a.State == "" && a.Enabled == nil {
		return nil, errors.New("one of the following is required: state, enabled")
	}
	if err := noOption("name", a.Name); err != nil {
		return nil, err
	}
	init, err := initSystemOf(ctx, c, a)
	if err != nil {
		return nil, err
	}
	result := Result{"name": a.Name}
	if a.Enabled != nil {
		if err := init.enable(*a.Enabled); err != nil {
			return nil, err
		}
		result["enabled"] = *a.Enabled
	}
	if a.State == "" {
		return result, nil
	}
	result["state"] = "started"
	if a.State == "stopped" {
		result["state"] = "stopped"
	}
	return result, bring(ctx, c, a, init)
}

// initSystem is one of those before systemd.
type initSystem interface {
	running() (bool, error)
	enable(on bool) error
	// control gives the command for start, stop, reload, restart and status.
	control(action string) []string
	restarts() bool // has a restart of its own
}

func initSystemOf(ctx context.Context, c *Call, a serviceArgs) (initSystem, error) {
	base := initBase{ctx, c, a}
	script := "/etc/init.d/" + a.Name
	_, scriptErr := c.Stat(script)
	switch {
	case hasProgram(c, "initctl") && fileExists(c, "/etc/init/"+a.Name+".conf"):
		return upstart{base}, nil
	case hasProgram(c, "rc-service"):
		return openrc{base}, nil
	case scriptErr == nil:
		return sysv{base, script}, nil
	}
	return nil, noSuchService(a.Name)
}

func hasProgram(c *Call, name string) bool {
	_, err := c.LookPath(name)
	return err == nil
}

func fileExists(c *Call, path string) bool {
	_, err := c.Stat(path)
	return err == nil
}

// bring makes the service's state what is wanted.
func bring(ctx context.Context, c *Call, a serviceArgs, init initSystem) error {
	running, err := init.running()
	if a.Pattern != "" {
		running, err = listedProcess(ctx, c, a.Pattern)
	}
	if err != nil {
		return err
	}
	action := map[string]string{"started": "start", "stopped": "stop", "reloaded": "reload", "restarted": "restart"}[a.State]
	switch {
	case a.State == "started" && running, a.State == "stopped" && !running:
		return nil
	case a.State == "reloaded" && !running:
		action = "start"
	}
	return c.Change(NoDiff, func(w host.Writer) error {
		return act(ctx, w, a, init, action)
	})
}

func act(ctx context.Context, w host.Writer, a serviceArgs, init initSystem, action string) error {
	actions := []string{action}
	if action == "restart" && !init.restarts() {
		actions = []string{"stop", "start"} // not every init script knows restart
	}
	var out host.Output
	var err error
	for i, action := range actions {
		if i > 0 {
			if err := pause(ctx, time.Duration(a.Sleep)*time.Second); err != nil {
				return err
			}
		}
		if out, err = w.Run(ctx, host.Command(init.control(action)...)); err != nil {
			return err
		}
	}
	if out.Code == 0 || strings.Contains(string(out.Stderr), "Job is already running") {
		return nil
	}
	return errors.New(firstText(out.Stderr, out.Stdout))
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func firstText(texts ...[]byte) string {
	for _, t := range texts {
		if s := strings.TrimSpace(string(t)); s != "" {
			return s
		}
	}
	return "the command failed and printed nothing"
}

// listedProcess looks for text in the command lines of all processes.
func listedProcess(ctx context.Context, c *Call, text string) (bool, error) {
	entries, err := c.ReadDir("/proc")
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		line, err := c.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err == nil && e.Name()[0] >= '0' && e.Name()[0] <= '9' && strings.Contains(strings.ReplaceAll(string(line), "\x00", " "), text) {
			return true, nil
		}
	}
	return false, ctx.Err()
}

type initBase struct {
	ctx context.Context
	c   *Call
	a   serviceArgs
}

func (b initBase) extra() []string { return strings.Fields(b.a.Arguments) }

func (b initBase) ask(args ...string) (host.Output, error) {
	return b.c.Ask(b.ctx, host.Cmd{Args: args, Env: []string{"LC_ALL=C"}})
}

// run changes something; a failure is an error.
func (b initBase) run(args ...string) error {
	return b.c.Change(NoDiff, func(w host.Writer) error {
		out, err := w.Run(b.ctx, host.Command(args...))
		if err == nil && out.Code != 0 {
			err = fmt.Errorf("Failure for %s: rc=%d %s", strings.Join(args, " "), out.Code, firstText(out.Stderr, out.Stdout))
		}
		return err
	})
}

// saysRunning reads the answer of an init script's status: its exit code as
// the LSB has it, else the words it prints.
func saysRunning(name string, out host.Output) bool {
	if slices.Contains([]int{1, 2, 3, 4, 69}, out.Code) {
		return false
	}
	text := strings.ToLower(string(out.Stdout))
	if strings.Count(text, "\n") > 1 {
		return out.Code == 0
	}
	text = strings.ReplaceAll(text, strings.ToLower(name), "")
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case has("stop"):
		return false
	case has("run"):
		return !has("not ")
	case has("start") && !has("not "):
		return true
	case has("could not access pid file", "is dead and pid file exists", "dead but subsys locked", "dead but pid file exists"):
		return false
	}
	return out.Code == 0
}

// upstart is Ubuntu's, until 15.04.
type upstart struct{ initBase }

func (u upstart) restarts() bool { return false }
func (u upstart) control(action string) []string {
	return append([]string{"initctl", action, u.a.Name}, u.extra()...)
}

func (u upstart) running() (bool, error) {
	out, err := u.ask(u.control("status")...)
	text := string(out.Stdout)
	switch {
	case strings.Contains(text, "stop/waiting"):
		return false, err
	case strings.Contains(text, "start/running"):
		return true, err
	}
	return saysRunning(u.a.Name, out), err
}

var manualStanza = regexp.MustCompile(`(?mi)^manual\s*$`)

// enable takes the word manual out of the job's override file or puts it in.
func (u upstart) enable(on bool) error {
	job, err := u.c.ReadFile("/etc/init/" + u.a.Name + ".conf")
	if err != nil {
		return err
	}
	if manualStanza.Match(job) {
		return errors.New("manual stanza not supported in a .conf file")
	}
	file := "/etc/init/" + u.a.Name + ".override"
	old, _ := u.c.ReadFile(file)
	text := string(old)
	switch manual := manualStanza.Match(old); {
	case on && manual:
		text = manualStanza.ReplaceAllString(text, "")
	case !on && !manual && text == "":
		text = "manual\n"
	case !on && !manual:
		text += "\nmanual\n"
	default:
		return nil
	}
	return u.c.Change(Diff{file, string(old), text}, func(w host.Writer) error {
		return w.WriteFile(file, strings.NewReader(text), host.KeepAll)
	})
}

// openrc is Alpine's and Gentoo's.
type openrc struct{ initBase }

func (o openrc) restarts() bool { return true }
func (o openrc) control(action string) []string {
	return append([]string{"rc-service", o.a.Name, action}, o.extra()...)
}

func (o openrc) running() (bool, error) {
	out, err := o.ask("rc-service", o.a.Name, "status")
	if err == nil && strings.Contains(string(out.Stderr), "does not exist") {
		return false, noSuchService(o.a.Name)
	}
	return strings.Contains(string(out.Stdout), "started"), err
}

func (o openrc) enable(on bool) error {
	out, err := o.ask("rc-update", "show")
	if err != nil {
		return err
	}
	now := false
	for line := range strings.Lines(string(out.Stdout)) {
		name, levels, _ := strings.Cut(line, "|")
		if strings.TrimSpace(name) == o.a.Name && slices.Contains(strings.Fields(levels), o.a.Runlevel) {
			now = true
		}
	}
	switch {
	case on == now:
		return nil
	case on:
		return o.run("rc-update", "add", o.a.Name, o.a.Runlevel)
	}
	return o.run("rc-update", "delete", o.a.Name, o.a.Runlevel)
}

// sysv is init scripts, with whatever manages their links.
type sysv struct {
	initBase
	script string
}

func (s sysv) restarts() bool { return false }
func (s sysv) control(action string) []string {
	command := []string{s.script, action}
	if hasProgram(s.c, "service") {
		command = []string{"service", s.a.Name, action}
	}
	return append(command, s.extra()...)
}

func (s sysv) running() (bool, error) {
	out, err := s.ask(s.control("status")...)
	return saysRunning(s.a.Name, out), err
}

func (s sysv) enable(on bool) error {
	switch {
	case hasProgram(s.c, "update-rc.d"):
		return s.updateLinks(on)
	case hasProgram(s.c, "chkconfig"):
		return s.chkconfig(on)
	}
	return fmt.Errorf("cannot detect command to enable service %s, typo or init system potentially unknown", s.a.Name)
}

func (s sysv) updateLinks(on bool) error {
	if on == startsAtBoot(s.c, s.a.Name) {
		return nil
	}
	if !on {
		return s.run("update-rc.d", s.a.Name, "disable")
	}
	if err := s.run("update-rc.d", s.a.Name, "defaults"); err != nil {
		return err
	}
	return s.run("update-rc.d", s.a.Name, "enable")
}

func (s sysv) chkconfig(on bool) error {
	word := "off"
	if on {
		word = "on"
	}
	out, err := s.ask("chkconfig", "--list", s.a.Name)
	if err != nil {
		return err
	}
	if strings.Contains(string(out.Stderr), "chkconfig --add "+s.a.Name) {
		if err := s.run("chkconfig", "--add", s.a.Name); err != nil {
			return err
		}
		if out, err = s.ask("chkconfig", "--list", s.a.Name); err != nil {
			return err
		}
	}
	text := string(out.Stdout)
	if !strings.Contains(text, s.a.Name) && !s.c.Check() {
		return fmt.Errorf("service %s does not support chkconfig", s.a.Name)
	}
	if strings.Contains(text, "3:"+word) && strings.Contains(text, "5:"+word) {
		return nil
	}
	return s.run("chkconfig", s.a.Name, word)
}
