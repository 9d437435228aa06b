package modules

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"

	"gplay/modules/host"
)

// Modprobe loads modules of the kernel.
var Modprobe = define("modprobe", "load or unload a module of the kernel, now and for every start", modprobeArgs{
	State: "present", Persistent: "disabled",
}, modprobe)

type modprobeArgs struct {
	Name       string `arg:"name" required:"true" doc:"The module."`
	Params     string `arg:"params" doc:"Its parameters: a=1 b=2."`
	State      string `arg:"state" choices:"absent,present" doc:"Whether it is to be loaded."`
	Persistent string `arg:"persistent" choices:"disabled,absent,present" doc:"Whether it is loaded at every start; disabled leaves that as it is."`
}

const (
	modulesLoadDir = "/etc/modules-load.d"
	modprobeDir    = "/etc/modprobe.d"
)

func modprobe(ctx context.Context, c *Call, a modprobeArgs) (Result, error) {
	if err := noOption("name", a.Name); err != nil {
		return nil, err
	}
	r := Result{"name": a.Name, "params": a.Params, "state": a.State}
	loaded, err := a.loaded(ctx, c)
	if err != nil {
		return nil, err
	}
	switch {
	case a.State == "present" && !loaded:
		err = a.load(ctx, c)
	case a.State == "absent" && loaded:
		err = c.Change(NoDiff, func(w host.Writer) error {
			return succeed(ctx, w, "modprobe failed", host.Cmd{Args: []string{"modprobe", "-r", a.Name}, Env: english})
		})
	}
	if err != nil {
		return r, err
	}
	switch a.Persistent {
	case "present":
		err = a.persist(c)
	case "absent":
		if err = a.comment(c, modulesLoadDir, a.nameLine()); err == nil {
			err = a.comment(c, modprobeDir, a.optionLine())
		}
	}
	return r, err
}

// loaded looks among the loaded modules, and among those that the kernel has
// built in.
func (a modprobeArgs) loaded(ctx context.Context, c *Call) (bool, error) {
	name := strings.ReplaceAll(a.Name, "-", "_")
	text, err := readIfThere(c, "/proc/modules")
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, name+" ") {
			return true, nil
		}
	}
	out, err := c.Ask(ctx, host.Command("uname", "-r"))
	if err != nil {
		return false, err
	}
	builtin, err := readIfThere(c, path.Join("/lib/modules", strings.TrimSpace(string(out.Stdout)), "modules.builtin"))
	for line := range strings.Lines(builtin) {
		line = strings.TrimSpace(line)
		if strings.HasSuffix(line, "/"+a.Name+".ko") || strings.HasSuffix(line, "/"+name+".ko") {
			return true, err
		}
	}
	return false, err
}

// load first asks modprobe whether it could: in check mode, too, a module
// that is not there is a failure.
func (a modprobeArgs) load(ctx context.Context, c *Call) error {
	params, err := splitWords(a.Params)
	if err != nil {
		return err
	}
	cmd := append([]string{"modprobe", a.Name}, params...)
	trial, err := c.Ask(ctx, host.Cmd{Args: slices.Insert(slices.Clone(cmd), 1, "-n"), Env: english})
	if err != nil {
		return err
	}
	if trial.Code != 0 {
		r := outputs(trial)
		r["rc"] = trial.Code
		return Fail(string(trial.Stderr), r)
	}
	return c.Change(NoDiff, func(w host.Writer) error {
		return succeed(ctx, w, "modprobe failed", host.Cmd{Args: cmd, Env: english})
	})
}

// nameLine matches a line that loads the module at every start.
func (a modprobeArgs) nameLine() *regexp.Regexp {
	return regexp.MustCompile(`^ *` + regexp.QuoteMeta(a.Name) + ` *(?:[#;].*)?$`)
}

// optionLine matches a line that sets one parameter of the module.
func (a modprobeArgs) optionLine() *regexp.Regexp {
	return regexp.MustCompile(`^options ` + regexp.QuoteMeta(a.Name) + ` (\w+=\S+) *(?:[#;].*)?$`)
}

func (a modprobeArgs) persist(c *Call) error {
	names, err := grepFiles(c, modulesLoadDir, a.nameLine())
	if err != nil {
		return err
	}
	if len(names) == 0 {
		if err := a.writeConf(c, modulesLoadDir, a.Name+"\n"); err != nil {
			return err
		}
	}
	found, err := grepFiles(c, modprobeDir, a.optionLine())
	if err != nil {
		return err
	}
	wanted := strings.Fields(a.Params)
	if slices.Equal(slices.Compact(slices.Sorted(slices.Values(found))), slices.Compact(slices.Sorted(slices.Values(wanted)))) {
		return nil
	}
	if err := a.comment(c, modprobeDir, a.optionLine()); err != nil {
		return err
	}
	var b strings.Builder
	for _, p := range wanted {
		b.WriteString("options " + a.Name + " " + p + "\n")
	}
	return a.writeConf(c, modprobeDir, b.String())
}

func (a modprobeArgs) writeConf(c *Call, dir, text string) error {
	file := path.Join(dir, a.Name+".conf")
	return c.Change(Diff{file, shownContent(c, file), text}, func(w host.Writer) error {
		return w.WriteFile(file, strings.NewReader(text), host.KeepAll)
	})
}

// confFiles are the files of a directory of settings.
func confFiles(c *Call, dir string) []string { return glob(c, dir+"/*.conf") }

// grepFiles gives the first groups (or the whole) of all lines that match.
func grepFiles(c *Call, dir string, re *regexp.Regexp) (found []string, err error) {
	for _, file := range confFiles(c, dir) {
		data, err := c.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(data)) {
			if m := re.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
				found = append(found, m[len(m)-1])
			}
		}
	}
	return found, nil
}

// comment turns the lines that match into comments.
func (a modprobeArgs) comment(c *Call, dir string, re *regexp.Regexp) error {
	for _, file := range confFiles(c, dir) {
		data, err := c.ReadFile(file)
		if err != nil {
			return err
		}
		var b strings.Builder
		for line := range strings.Lines(string(data)) {
			if re.MatchString(strings.TrimSuffix(line, "\n")) {
				b.WriteString("#")
			}
			b.WriteString(line)
		}
		if b.String() == string(data) {
			continue
		}
		err = c.Change(Diff{file, string(data), b.String()}, func(w host.Writer) error {
			return w.WriteFile(file, strings.NewReader(b.String()), host.KeepAll)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
