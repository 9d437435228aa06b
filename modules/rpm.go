package modules

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gplay/modules/host"
)

// Dnf installs and removes Fedora's and Red Hat's packages.
var Dnf = define("dnf", "install, upgrade and remove packages with dnf", rpmArgs{}, func(ctx context.Context, c *Call, a rpmArgs) (Result, error) {
	return rpmPackages(ctx, c, a, "dnf")
})

// Yum is what came before dnf.
var Yum = define("yum", "install, upgrade and remove packages with yum", rpmArgs{}, func(ctx context.Context, c *Call, a rpmArgs) (Result, error) {
	if !hasProgram(c, "yum") {
		return rpmPackages(ctx, c, a, "dnf")
	}
	return rpmPackages(ctx, c, a, "yum")
})

type rpmArgs struct {
	Name            []string `arg:"name" alias:"pkg" doc:"The packages: names, files, URLs, @groups; * with state latest is everything."`
	State           string   `arg:"state" choices:"absent,installed,latest,present,removed" doc:"present unless autoremove is on."`
	EnableRepo      []string `arg:"enablerepo" doc:"Repositories to use too."`
	DisableRepo     []string `arg:"disablerepo" doc:"Repositories not to use."`
	Exclude         []string `arg:"exclude" doc:"Packages to leave alone."`
	UpdateCache     bool     `arg:"update_cache" alias:"expire-cache" doc:"Refresh the lists of packages first."`
	DisableGPGCheck bool     `arg:"disable_gpg_check" doc:"Install packages nobody signed."`
	Autoremove      bool     `arg:"autoremove" doc:"Remove packages that nothing needs any more."`
	AllowErasing    bool     `arg:"allowerasing" doc:"Remove packages that are in the way."`
	AllowDowngrade  bool     `arg:"allow_downgrade" doc:"Install older versions."`
	NoBest          bool     `arg:"nobest" doc:"Take an older version where the best one cannot be had."`
	SkipBroken      bool     `arg:"skip_broken" doc:"Leave out packages with unmet needs."`
	Security        bool     `arg:"security" doc:"With state latest, only what closes security holes."`
	Bugfix          bool     `arg:"bugfix" doc:"With state latest, only what mends bugs."`
	UpdateOnly      bool     `arg:"update_only" doc:"With state latest, leave out packages that are not installed."`
	InstallWeakDeps *bool    `arg:"install_weak_deps" doc:"Whether to install what packages recommend."`
	ConfFile        string   `arg:"conf_file" doc:"Another configuration file."`
	InstallRoot     string   `arg:"installroot" doc:"Another root directory."`
	ReleaseVer      string   `arg:"releasever" doc:"The release to install from."`
	LockTimeout     int      `arg:"lock_timeout" doc:"Accepted: the program waits for its lock."`
}

type rpmRun struct {
	ctx     context.Context
	c       *Call
	a       rpmArgs
	program string
}

func rpmPackages(ctx context.Context, c *Call, a rpmArgs, program string) (Result, error) {
	r := rpmRun{ctx, c, a, program}
	if a.UpdateCache {
		err := c.Upkeep(func(w host.Writer) error { return r.must(w, r.command("makecache")) })
		if err != nil || len(a.Name) == 0 && !a.Autoremove {
			return Result{"msg": "Cache updated", "rc": 0, "results": []any{}}, err
		}
	}
	names := slices.DeleteFunc(slices.Clone(a.Name), func(n string) bool { return strings.TrimSpace(n) == "" })
	switch {
	case a.State == "absent" || a.State == "removed" || a.State == "" && a.Autoremove && len(names) > 0:
		return r.remove(names)
	case len(names) == 0 && a.Autoremove:
		return r.do("Removed", nil, "autoremove")
	case a.State == "latest":
		return r.latest(names)
	}
	missing, err := r.filter(names, false)
	if err != nil || len(missing) == 0 {
		return rpmNothing(), err
	}
	return r.do("Installed", missing, "install")
}

func rpmNothing() Result { return Result{"msg": "Nothing to do", "rc": 0, "results": []any{}} }

// command is the program with the options all its commands have in common.
func (r rpmRun) command(words ...string) []string {
	a, cmd := r.a, []string{r.program, "-y"}
	add := func(on bool, option string) {
		if on {
			cmd = append(cmd, option)
		}
	}
	for _, repo := range a.DisableRepo {
		cmd = append(cmd, "--disablerepo="+repo)
	}
	for _, repo := range a.EnableRepo {
		cmd = append(cmd, "--enablerepo="+repo)
	}
	for _, name := range a.Exclude {
		cmd = append(cmd, "--exclude="+name)
	}
	add(a.DisableGPGCheck, "--nogpgcheck")
	add(a.AllowErasing, "--allowerasing")
	add(a.NoBest, "--nobest")
	add(a.SkipBroken, "--skip-broken")
	add(a.Security, "--security")
	add(a.Bugfix, "--bugfix")
	add(a.ConfFile != "", "--config="+a.ConfFile)
	add(a.InstallRoot != "", "--installroot="+a.InstallRoot)
	add(a.ReleaseVer != "", "--releasever="+a.ReleaseVer)
	if a.InstallWeakDeps != nil {
		cmd = append(cmd, "--setopt=install_weak_deps="+map[bool]string{true: "True", false: "False"}[*a.InstallWeakDeps])
	}
	return append(cmd, words...)
}

// must runs a command that has to succeed.
func (r rpmRun) must(w host.Writer, cmd []string) error {
	out, err := w.Run(r.ctx, host.Cmd{Args: cmd, Env: []string{"LC_ALL=C"}})
	if err == nil && out.Code != 0 {
		err = Fail(firstText(out.Stderr, out.Stdout), Result{"rc": out.Code, "results": []any{}})
	}
	return err
}

func (r rpmRun) do(done string, names []string, words ...string) (Result, error) {
	results := []any{}
	for _, n := range names {
		results = append(results, done+": "+n)
	}
	if len(names) > 0 {
		words = append(append(words, "--"), names...)
	}
	err := r.c.Change(NoDiff, func(w host.Writer) error { return r.must(w, r.command(words...)) })
	return Result{"msg": "", "rc": 0, "results": results}, err
}

// filter leaves the packages that are installed, or those that are not.
func (r rpmRun) filter(names []string, installed bool) ([]string, error) {
	var left []string
	for _, n := range names {
		there, err := r.installed(n)
		if err != nil {
			return nil, err
		}
		if there == installed {
			left = append(left, n)
		}
	}
	return left, nil
}

func (r rpmRun) installed(name string) (bool, error) {
	base := []string{"rpm"}
	if r.a.InstallRoot != "" {
		base = append(base, "--root", r.a.InstallRoot)
	}
	if strings.HasSuffix(name, ".rpm") {
		out, err := r.c.Ask(r.ctx, host.Command("rpm", "-q", "--package", "--nosignature", "--queryformat", "%{NAME}-%{VERSION}-%{RELEASE}", "--", name))
		if err != nil {
			return false, err
		}
		if out.Code != 0 {
			return false, fmt.Errorf("Failed to find package %s: %s", name, firstText(out.Stderr, out.Stdout))
		}
		name = string(out.Stdout)
	}
	for _, question := range [][]string{{"-q", "--", name}, {"-q", "--whatprovides", "--", name}} {
		out, err := r.c.Ask(r.ctx, host.Command(append(slices.Clone(base), question...)...))
		if err != nil || out.Code == 0 {
			return err == nil, err
		}
	}
	return false, nil
}

func (r rpmRun) remove(names []string) (Result, error) {
	there, err := r.filter(names, true)
	if err != nil || len(there) == 0 {
		return rpmNothing(), err
	}
	return r.do("Removed", there, "remove")
}

// latest upgrades what can be, and installs what is missing.
func (r rpmRun) latest(names []string) (Result, error) {
	if slices.Contains(names, "*") {
		newer, err := r.upgradable()
		if err != nil || !newer {
			return rpmNothing(), err
		}
		return r.do("Upgraded", nil, "upgrade")
	}
	var wanted []string
	for _, n := range names {
		there, err := r.installed(n)
		if err != nil {
			return nil, err
		}
		if there {
			if there, err = r.upgradable(n); err != nil {
				return nil, err
			}
		} else {
			there = !r.a.UpdateOnly
		}
		if there {
			wanted = append(wanted, n)
		}
	}
	if len(wanted) == 0 {
		return rpmNothing(), nil
	}
	return r.do("Installed", wanted, "install")
}

// upgradable asks whether there are newer versions: exit code 100 says so.
func (r rpmRun) upgradable(names ...string) (bool, error) {
	words := []string{"check-update"}
	if len(names) > 0 {
		words = append(append(words, "--"), names...)
	}
	out, err := r.c.Ask(r.ctx, host.Cmd{Args: r.command(words...), Env: []string{"LC_ALL=C"}})
	if err == nil && out.Code != 0 && out.Code != 100 {
		err = Fail(firstText(out.Stderr, out.Stdout), Result{"rc": out.Code})
	}
	return out.Code == 100, err
}
