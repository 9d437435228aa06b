package modules

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gplay/modules/host"
)

// Sysctl sets parameters of the kernel.
var Sysctl = define("sysctl", "set parameters of the kernel, now and for every start", sysctlArgs{
	State: "present", Reload: true, File: "/etc/sysctl.conf",
}, sysctl).requiredIf("state", "present", "value")

type sysctlArgs struct {
	Name         string `arg:"name" alias:"key" required:"true" doc:"The parameter, such as vm.swappiness."`
	Value        string `arg:"value" alias:"val" doc:"Its value."`
	State        string `arg:"state" choices:"absent,present" doc:"Whether the parameter is to be in the file."`
	Reload       bool   `arg:"reload" doc:"Let the kernel read the file when something changed."`
	Set          bool   `arg:"sysctl_set" doc:"Also set the parameter by itself, when the kernel has another value."`
	IgnoreErrors bool   `arg:"ignoreerrors" doc:"Let the sysctl program ignore parameters that it does not know."`
	File         string `arg:"sysctl_file" type:"path" doc:"The file."`
}

func sysctl(ctx context.Context, c *Call, a sysctlArgs) (Result, error) {
	a.Name, a.Value = strings.TrimSpace(a.Name), sysctlValue(a.Value)
	switch {
	case a.Name == "":
		return nil, errors.New("name cannot be blank")
	case a.State == "present" && a.Value == "":
		return nil, errors.New("value cannot be blank")
	}
	if err := noOption("name", a.Name); err != nil {
		return nil, err
	}
	old, err := readIfThere(c, a.File)
	if err != nil {
		return nil, err
	}
	file := parseSysctl(old)
	inFile, there := file.value(a.Name)
	live, err := a.live(ctx, c)
	if err != nil {
		return nil, err
	}
	differs := live != strings.Join(strings.Fields(a.Value), " ")
	if a.State == "present" && a.Set && differs {
		if err := c.Change(NoDiff, func(w host.Writer) error { return a.set(ctx, w) }); err != nil {
			return nil, err
		}
	}
	if a.State == "present" && (!there || inFile != a.Value) || a.State == "absent" && there {
		t := textFile{path: a.File}
		if _, err := t.put(ctx, c, []byte(file.with(a)), Result{}); err != nil {
			return nil, err
		}
	}
	if !a.Reload || !c.Changed() && (a.State == "absent" || !differs) {
		return Result{}, nil
	}
	return Result{}, c.Change(NoDiff, func(w host.Writer) error { return a.reload(ctx, w) })
}

// sysctlValue writes what Ansible takes for a boolean as a number.
func sysctlValue(v string) string {
	switch strings.ToLower(v) {
	case "y", "yes", "on", "1", "true", "t", "1.0":
		return "1"
	case "n", "no", "off", "0", "false", "f", "0.0":
		return "0"
	}
	return strings.TrimSpace(v)
}

// live is the kernel's own value, its words separated by one blank each.
func (a sysctlArgs) live(ctx context.Context, c *Call) (string, error) {
	out, err := c.Ask(ctx, host.Cmd{Args: []string{"sysctl", "-e", "-n", a.Name}, Env: english})
	return strings.Join(strings.Fields(string(out.Stdout)), " "), err
}

func (a sysctlArgs) set(ctx context.Context, w host.Writer) error {
	cmd := []string{"sysctl"}
	if a.IgnoreErrors {
		cmd = append(cmd, "-e")
	}
	return sysctlRun(ctx, w, "setting "+a.Name+" failed", append(cmd, "-w", a.Name+"="+a.Value))
}

func (a sysctlArgs) reload(ctx context.Context, w host.Writer) error {
	cmd := []string{"sysctl"}
	if a.IgnoreErrors {
		cmd = append(cmd, "-e")
	}
	return sysctlRun(ctx, w, "Failed to reload sysctl", append(cmd, "-p", a.File))
}

// sysctlRefused is what sysctl prints for a value that the kernel refuses; its
// exit code may be 0 then.
var sysctlRefused = regexp.MustCompile(`(?m)^sysctl: setting key "[^"]+": (Invalid argument|Read-only file system)$`)

func sysctlRun(ctx context.Context, w host.Writer, what string, cmd []string) error {
	out, err := w.Run(ctx, host.Cmd{Args: cmd, Env: english})
	if err == nil && (out.Code != 0 || sysctlRefused.Match(out.Stderr)) {
		err = fmt.Errorf("%s: %s%s", what, out.Stdout, out.Stderr)
	}
	return err
}

// sysctlFile is a file of parameters, a line each.
type sysctlFile []string

func parseSysctl(text string) sysctlFile {
	var f sysctlFile
	for line := range strings.Lines(text) {
		f = append(f, strings.TrimSpace(line))
	}
	return f
}

// sysctlLine reads NAME = VALUE; ok is false for all else.
func sysctlLine(line string) (name, value string, ok bool) {
	if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
		return "", "", false
	}
	name, value, ok = strings.Cut(line, "=")
	return strings.TrimSpace(name), strings.TrimSpace(value), ok
}

// value is the last one that the file has for a parameter, as the kernel gets it.
func (f sysctlFile) value(name string) (value string, there bool) {
	for _, line := range slices.Backward(f) {
		if n, v, ok := sysctlLine(line); ok && n == name {
			return v, true
		}
	}
	return "", false
}

// with is the file with the parameter as it is to be. As in Ansible's module
// all parameters are written without blanks, and each only once.
func (f sysctlFile) with(a sysctlArgs) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, line := range f {
		name, value, ok := sysctlLine(line)
		switch {
		case !ok:
			b.WriteString(line + "\n")
			continue
		case seen[name] || name == a.Name && a.State == "absent":
			continue
		case name == a.Name:
			value = a.Value
		}
		seen[name] = true
		b.WriteString(name + "=" + value + "\n")
	}
	if a.State == "present" && !seen[a.Name] {
		b.WriteString(a.Name + "=" + a.Value + "\n")
	}
	return b.String()
}
