package modules

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gplay/modules/host"
)

// Pip installs and removes Python's packages.
var Pip = define("pip", "install, upgrade and remove Python packages", pipArgs{State: "present", VirtualenvCommand: "virtualenv"}, pip).
	exclusive("name", "requirements").exclusive("executable", "virtualenv")

type pipArgs struct {
	Name                   []string `arg:"name" doc:"The packages, with versions as pip takes them (foo>=1.2)."`
	Version                string   `arg:"version" doc:"The version, when there is one package."`
	Requirements           string   `arg:"requirements" doc:"A file that lists packages."`
	Virtualenv             string   `arg:"virtualenv" type:"path" doc:"The virtual environment to install in; it is made when it is missing."`
	VirtualenvSitePackages bool     `arg:"virtualenv_site_packages" doc:"A new virtual environment sees the host's packages."`
	VirtualenvCommand      string   `arg:"virtualenv_command" type:"path" doc:"What makes virtual environments: virtualenv, python3 -m venv …"`
	VirtualenvPython       string   `arg:"virtualenv_python" doc:"The Python of a new virtual environment."`
	State                  string   `arg:"state" choices:"absent,forcereinstall,latest,present" doc:"Whether the packages are to be there."`
	ExtraArgs              string   `arg:"extra_args" doc:"More arguments for pip."`
	Editable               bool     `arg:"editable" doc:"Install so that the source can be edited."`
	Chdir                  string   `arg:"chdir" type:"path" doc:"The directory to run pip in."`
	Executable             string   `arg:"executable" type:"path" doc:"The pip to run."`
	Umask                  string   `arg:"umask" doc:"The umask to run pip with."`
	BreakSystemPackages    bool     `arg:"break_system_packages" doc:"Install where the host's own packages are even though the distribution forbids it."`
}

func pip(ctx context.Context, c *Call, a pipArgs) (Result, error) {
	if len(a.Name) == 0 && a.Requirements == "" && a.Virtualenv == "" {
		return nil, errors.New("one of the following is required: name, requirements, virtualenv")
	}
	p := &pipRun{ctx: ctx, c: c, a: a}
	specs, err := p.specs()
	if err != nil {
		return nil, err
	}
	if err := p.environment(); err != nil {
		return nil, err
	}
	result := Result{"name": a.Name, "version": nil, "state": a.State, "requirements": nil, "virtualenv": nil, "stdout": "", "stderr": ""}
	for key, value := range map[string]string{"version": a.Version, "requirements": a.Requirements, "virtualenv": a.Virtualenv} {
		if value != "" {
			result[key] = value
		}
	}
	if len(specs) == 0 && a.Requirements == "" {
		return result, nil
	}
	if p.missing {
		return result, c.Change(NoDiff, nil) // in check mode: there is no pip yet to ask
	}
	if p.pip, err = p.program(); err != nil {
		return nil, err
	}
	return result, p.bring(specs, result)
}

type pipRun struct {
	ctx     context.Context
	c       *Call
	a       pipArgs
	pip     []string
	missing bool // the virtual environment was not made: check mode
	output  host.Output
}

// pipSpec is a package and the versions that will do.
type pipSpec struct{ text, name, versions string }

var pipSpecForm = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*((?:[<>=!~]=?=?[^;]*)?)`)

// specs reads the packages: a comma may be part of one ("foo>=1,<2").
func (p *pipRun) specs() ([]pipSpec, error) {
	var texts []string
	for _, part := range p.a.Name {
		part = strings.TrimSpace(part)
		if n := len(texts); n > 0 && part != "" && strings.ContainsRune("<>=!~", rune(part[0])) {
			texts[n-1] += "," + part
			continue
		}
		texts = append(texts, part)
	}
	if p.a.Version != "" && len(texts) != 1 {
		return nil, errors.New("'version' argument is ambiguous when installing multiple package distributions. Please specify version restrictions next to each package in 'name' argument.")
	}
	var specs []pipSpec
	for _, text := range texts {
		if err := noOption("name", text); err != nil {
			return nil, err
		}
		if p.a.Version != "" {
			if strings.ContainsAny(text, "<>=!~") {
				return nil, errors.New("The 'version' argument conflicts with any version specifier provided along with a package name. Please keep the version specifier, but remove the 'version' argument.")
			}
			text += "==" + p.a.Version
		}
		s := pipSpec{text: text}
		if m := pipSpecForm.FindStringSubmatch(text); m != nil && !strings.ContainsAny(text, "/:") {
			s.name, s.versions = pipName(m[1]), strings.TrimSpace(m[2])
		}
		specs = append(specs, s)
	}
	return specs, nil
}

var pipNameSigns = regexp.MustCompile(`[-_.]+`)

func pipName(name string) string { return pipNameSigns.ReplaceAllString(strings.ToLower(name), "-") }

// environment makes the virtual environment.
func (p *pipRun) environment() error {
	a := p.a
	if a.Virtualenv == "" || fileExists(p.c, path.Join(a.Virtualenv, "bin/activate")) {
		return nil
	}
	p.missing = p.c.Check()
	if p.missing { // then what makes it may be missing, too
		return p.c.Change(NoDiff, nil)
	}
	cmd := strings.Fields(a.VirtualenvCommand)
	if len(cmd) == 0 {
		return errors.New("virtualenv_command is empty")
	}
	if _, err := p.c.LookPath(cmd[0]); err != nil {
		return err
	}
	if a.VirtualenvSitePackages {
		cmd = append(cmd, "--system-site-packages")
	}
	if a.VirtualenvPython != "" {
		cmd = append(cmd, "-p"+a.VirtualenvPython)
	}
	return p.c.Change(NoDiff, func(w host.Writer) error {
		return p.run(w, append(cmd, a.Virtualenv))
	})
}

func (p *pipRun) run(w host.Writer, cmd []string) error {
	if p.a.Umask != "" {
		cmd = append([]string{"sh", "-c", `umask "$0" && exec "$@"`, p.a.Umask}, cmd...)
	}
	out, err := w.Run(p.ctx, host.Cmd{Args: cmd, Dir: p.a.Chdir, Env: []string{"LC_ALL=C.UTF-8"}})
	p.output.Stdout = append(p.output.Stdout, out.Stdout...)
	p.output.Stderr = append(p.output.Stderr, out.Stderr...)
	if err == nil && out.Code != 0 {
		err = Fail(fmt.Sprintf("stdout: %s\n:stderr: %s\n", out.Stdout, out.Stderr), Result{"cmd": cmd})
	}
	return err
}

// program finds the pip to run.
func (p *pipRun) program() ([]string, error) {
	switch {
	case p.a.Executable != "":
		return []string{p.a.Executable}, nil
	case p.a.Virtualenv != "":
		for _, name := range []string{"pip", "pip3"} {
			if file := path.Join(p.a.Virtualenv, "bin", name); fileExists(p.c, file) {
				return []string{file}, nil
			}
		}
		return nil, fmt.Errorf("Unable to find pip in the virtualenv, %s, under any of these names: pip, pip3. Make sure pip is present in the virtualenv.", p.a.Virtualenv)
	}
	for _, name := range []string{"pip3", "pip", "pip2"} {
		if hasProgram(p.c, name) {
			return []string{name}, nil
		}
	}
	return nil, errors.New("Unable to find any of pip3, pip, pip2 to use.  pip needs to be installed.")
}

// bring runs pip. Packages that are there as wanted need no run; of the
// others pip's own words tell whether something changed.
func (p *pipRun) bring(specs []pipSpec, result Result) error {
	cmd := p.command(specs)
	result["cmd"] = cmd
	before, err := p.freeze()
	if err != nil {
		return err
	}
	settled := p.a.Requirements == "" && !slices.ContainsFunc(specs, func(s pipSpec) bool { return !p.settled(s, before) })
	if settled {
		return nil
	}
	if p.c.Check() {
		return p.c.Change(NoDiff, nil)
	}
	if err := p.c.Upkeep(func(w host.Writer) error { return p.run(w, cmd) }); err != nil {
		return err
	}
	result["stdout"], result["stderr"] = string(p.output.Stdout), string(p.output.Stderr)
	after, err := p.freeze()
	if err != nil {
		return err
	}
	said := strings.Contains(string(p.output.Stdout), "Successfully installed") || strings.Contains(string(p.output.Stdout), "Successfully uninstalled")
	if said || !slices.Equal(before, after) {
		return p.c.Change(NoDiff, func(host.Writer) error { return nil })
	}
	return nil
}

func (p *pipRun) command(specs []pipSpec) []string {
	a := p.a
	cmd := slices.Clone(p.pip)
	switch a.State {
	case "absent":
		cmd = append(cmd, "uninstall", "-y")
	case "latest":
		cmd = append(cmd, "install", "-U")
	case "forcereinstall":
		cmd = append(cmd, "install", "-U", "--force-reinstall")
	default:
		cmd = append(cmd, "install")
	}
	if a.BreakSystemPackages {
		cmd = append(cmd, "--break-system-packages")
	}
	cmd = append(cmd, strings.Fields(a.ExtraArgs)...)
	for _, s := range specs {
		if a.Editable {
			cmd = append(cmd, "-e")
		}
		cmd = append(cmd, s.text)
	}
	if a.Requirements != "" {
		cmd = append(cmd, "-r", a.Requirements)
	}
	return cmd
}

// freeze lists what is installed, as name==version.
func (p *pipRun) freeze() ([]string, error) {
	cmd := append(slices.Clone(p.pip), "list", "--format=freeze", "--disable-pip-version-check")
	out, err := p.c.Ask(p.ctx, host.Cmd{Args: cmd, Dir: p.a.Chdir})
	if err == nil && out.Code != 0 {
		err = fmt.Errorf("cannot list Python packages: %s", firstText(out.Stderr, out.Stdout))
	}
	return strings.Fields(string(out.Stdout)), err
}

// settled reports whether a package surely is as it is to be.
func (p *pipRun) settled(s pipSpec, installed []string) bool {
	if s.name == "" || p.a.Editable {
		return false
	}
	i := slices.IndexFunc(installed, func(line string) bool {
		name, _, _ := strings.Cut(line, "==")
		return pipName(name) == s.name
	})
	switch {
	case p.a.State == "absent":
		return i < 0
	case i < 0 || p.a.State != "present":
		return false
	case s.versions == "":
		return true
	}
	_, version, _ := strings.Cut(installed[i], "==")
	for part := range strings.SplitSeq(s.versions, ",") {
		if !versionSatisfies(version, strings.TrimSpace(part)) {
			return false
		}
	}
	return true
}

var pipVersionRule = regexp.MustCompile(`^(==|!=|>=|<=|>|<)\s*([0-9][0-9.]*)$`)

// versionSatisfies compares plain versions of numbers and dots; whatever else
// there is, pip decides.
func versionSatisfies(version, rule string) bool {
	m := pipVersionRule.FindStringSubmatch(rule)
	have, ok := versionNumbers(version)
	if m == nil || !ok {
		return false
	}
	want, ok := versionNumbers(m[2])
	if !ok {
		return false
	}
	order := slices.Compare(have, want)
	return map[string]bool{"==": order == 0, "!=": order != 0, ">=": order >= 0, "<=": order <= 0, ">": order > 0, "<": order < 0}[m[1]]
}

// versionNumbers are a version's parts, without zeros at the end: 1.0 is 1.
func versionNumbers(version string) ([]int, bool) {
	var numbers []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, false
		}
		numbers = append(numbers, n)
	}
	for len(numbers) > 0 && numbers[len(numbers)-1] == 0 {
		numbers = numbers[:len(numbers)-1]
	}
	return numbers, true
}
