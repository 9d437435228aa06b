package modules

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gplay/modules/host"
)

// Apt installs and removes Debian's packages.
var Apt = define("apt", "install, upgrade and remove packages with apt", aptArgs{
	State: "present", Upgrade: "no", DpkgOptions: "force-confdef,force-confold",
	LockTimeout: 60, UpdateCacheRetries: 5, UpdateCacheRetryMaxDelay: 12,
}, apt).exclusive("deb", "package", "upgrade").
	gives("stderr stdout changed cache_updated cache_update_time")

type aptArgs struct {
	Package           []string `arg:"package" alias:"pkg,name" doc:"The packages: name, name=version (with wildcards), name>=version; * with state latest is everything."`
	State             string   `arg:"state" choices:"absent,build-dep,fixed,latest,present,installed,removed" doc:"installed and removed are the old words for present and absent."`
	UpdateCache       *bool    `arg:"update_cache" alias:"update-cache" doc:"Refresh the lists of packages first."`
	CacheValidTime    int      `arg:"cache_valid_time" doc:"Seconds for which the lists count as fresh."`
	Purge             bool     `arg:"purge" doc:"Remove the configuration too."`
	Deb               string   `arg:"deb" type:"path" doc:"A package's file or URL."`
	DefaultRelease    string   `arg:"default_release" alias:"default-release" doc:"The release to prefer."`
	InstallRecommends *bool    `arg:"install_recommends" alias:"install-recommends" doc:"Whether to install what packages recommend."`
	Force             bool     `arg:"force" doc:"Install even what is unsigned or older."`
	Upgrade           string   `arg:"upgrade" choices:"dist,full,no,safe,yes" doc:"Upgrade everything that is installed."`
	DpkgOptions       string   `arg:"dpkg_options" doc:"Options of dpkg, with commas between."`
	Autoremove        bool     `arg:"autoremove" doc:"Remove packages that nothing needs any more."`
	Autoclean         bool     `arg:"autoclean" doc:"Remove old package files from the cache."`
	Clean             bool     `arg:"clean" doc:"Empty the cache of package files."`
	FailOnAutoremove  bool     `arg:"fail_on_autoremove" doc:"Fail rather than remove a package."`
	PolicyRcD         *int     `arg:"policy_rc_d" doc:"The exit code of policy-rc.d meanwhile; 101 keeps services from starting."`
	OnlyUpgrade       bool     `arg:"only_upgrade" doc:"Leave out packages that are not installed."`
	ForceAptGet       bool     `arg:"force_apt_get" doc:"Use apt-get where aptitude is there too."`

	AllowUnauthenticated     bool `arg:"allow_unauthenticated" alias:"allow-unauthenticated" doc:"Install packages nobody signed."`
	AllowDowngrade           bool `arg:"allow_downgrade" alias:"allow-downgrade,allow_downgrades,allow-downgrades" doc:"Install older versions."`
	AllowChangeHeldPackages  bool `arg:"allow_change_held_packages" doc:"Change packages that are on hold."`
	LockTimeout              int  `arg:"lock_timeout" doc:"Seconds to wait for another apt to end."`
	UpdateCacheRetries       int  `arg:"update_cache_retries" doc:"How often to try to refresh the lists."`
	UpdateCacheRetryMaxDelay int  `arg:"update_cache_retry_max_delay" doc:"Seconds between tries at most."`
}

var aptEnv = []string{"DEBIAN_FRONTEND=noninteractive", "DEBIAN_PRIORITY=critical", "LC_ALL=C", "LANG=C"}

func apt(ctx context.Context, c *Call, a aptArgs) (Result, error) {
	if !hasProgram(c, "apt-get") {
		return nil, errors.New("there is no apt-get on this host")
	}
	if today := map[string]string{"installed": "present", "removed": "absent"}[a.State]; today != "" {
		a.State = today
	}
	run := &aptRun{ctx: ctx, c: c, a: a}
	if a.Clean {
		if err := c.Upkeep(run.clean); err != nil {
			return nil, err
		}
	}
	cache := Result{"cache_updated": false, "cache_update_time": aptCacheTime(c)}
	if a.UpdateCache != nil && *a.UpdateCache || a.CacheValidTime > 0 {
		updated, err := run.update()
		if err != nil {
			return nil, err
		}
		cache = Result{"cache_updated": updated, "cache_update_time": aptCacheTime(c)}
		if len(a.Package) == 0 && a.Upgrade == "no" && a.Deb == "" {
			if updated {
				err = c.Change(NoDiff, func(host.Writer) error { return nil })
			}
			return cache, err
		}
	}
	result, err := run.packages()
	cleaned := len(a.Package) == 0 && (a.Autoclean || a.Autoremove)
	if a.State == "absent" || a.Upgrade != "no" || a.Deb != "" || cleaned || err != nil || result == nil {
		return result, err
	}
	for k, v := range cache {
		result[k] = v
	}
	return result, err
}

type aptRun struct {
	ctx context.Context
	c   *Call
	a   aptArgs
}

func (r *aptRun) packages() (Result, error) {
	a := r.a
	switch {
	case a.Upgrade != "no":
		return r.upgrade(a.Upgrade)
	case a.Deb != "" && a.State != "present":
		return nil, errors.New("deb only supports state=present")
	case a.Deb != "":
		return r.debs()
	}
	wanted := slices.DeleteFunc(slices.Clone(a.Package), func(p string) bool { return strings.TrimSpace(p) == "*" })
	if a.State == "latest" && len(wanted) < len(a.Package) {
		if len(wanted) > 0 {
			return nil, errors.New("unable to install additional packages when upgrading all installed packages")
		}
		return r.upgrade("yes")
	}
	if len(wanted) == 0 && a.Autoclean {
		return r.cleanup("autoclean", "Del ")
	}
	if len(wanted) == 0 && a.Autoremove {
		return r.cleanup("autoremove", "The following packages will be REMOVED")
	}
	var specs []aptSpec
	for _, w := range wanted {
		s, err := parseAptSpec(w)
		if err != nil {
			return nil, err
		}
		specs = append(specs, s)
	}
	known, err := readAptPackages(r.ctx, r.c, a.DefaultRelease)
	if err != nil {
		return nil, err
	}
	if specs, err = known.expand(specs); err != nil {
		return nil, err
	}
	if a.State == "absent" {
		return r.remove(known, specs)
	}
	return r.install(known, specs)
}

func (r *aptRun) install(known *aptPackages, specs []aptSpec) (Result, error) {
	words, err := r.wanted(known, specs)
	if err != nil {
		return Result{}, err
	}
	result := Result{}
	if len(words) > 0 || r.a.State == "fixed" && len(specs) == 0 {
		if result, err = r.aptGet(r.installCommand(words), r.a.State == "build-dep" || len(words) == 0); err != nil {
			return result, err
		}
	}
	if r.a.State == "build-dep" {
		return result, nil
	}
	var names []string
	for _, s := range specs {
		names = append(names, s.name)
	}
	return result, r.markManual(known, names)
}

// wanted are the words for apt-get install: the packages that are not as they
// are to be.
func (r *aptRun) wanted(known *aptPackages, specs []aptSpec) ([]string, error) {
	var words, unsure []string
	for _, s := range specs {
		_, enough := known.local(s)
		if r.a.State == "build-dep" {
			words = append(words, s.text)
		} else if !enough || r.a.State == "latest" {
			unsure = append(unsure, s.name)
		}
	}
	if r.a.State == "build-dep" || len(unsure) == 0 {
		return words, nil
	}
	if err := known.load(unsure); err != nil {
		return nil, err
	}
	for _, s := range specs {
		if _, enough := known.local(s); enough && r.a.State != "latest" {
			continue
		}
		st, err := known.state(s)
		if err != nil {
			return nil, err
		}
		if !st.installed && r.a.OnlyUpgrade {
			continue
		}
		if !st.matching && st.candidate == "" && !st.virtual {
			return nil, fmt.Errorf("no available installation candidate for %s", s.text)
		}
		if word := r.word(s, st); word != "" {
			words = append(words, word)
		}
	}
	return words, nil
}

func (r *aptRun) word(s aptSpec, st aptState) string {
	switch {
	case st.virtual && !st.installed:
		return s.name
	case st.candidate == "":
		return ""
	case !st.installed || !st.matching || r.a.State == "latest":
		return s.name + "=" + st.candidate
	case s.compare == "=":
		return s.name + "=" + s.version // a newer version matches the wildcard: apt decides
	}
	return ""
}

func (r *aptRun) installCommand(words []string) []string {
	a := r.a
	cmd := r.base()
	add := func(on bool, options ...string) {
		if on {
			cmd = append(cmd, options...)
		}
	}
	add(a.OnlyUpgrade, "--only-upgrade")
	add(a.State == "fixed", "--fix-broken")
	add(a.Autoremove && a.State != "build-dep", "--auto-remove")
	add(a.FailOnAutoremove, "--no-remove")
	add(a.DefaultRelease != "", "-t", a.DefaultRelease)
	if a.InstallRecommends != nil {
		cmd = append(cmd, "-o", "APT::Install-Recommends="+map[bool]string{true: "yes", false: "no"}[*a.InstallRecommends])
	}
	add(a.AllowChangeHeldPackages, "--allow-change-held-packages")
	if a.State == "build-dep" {
		return append(append(cmd, "build-dep", "--"), words...)
	}
	return append(append(cmd, "install", "--"), words...)
}

// base is apt-get with what all its commands have in common.
func (r *aptRun) base() []string {
	cmd := []string{"apt-get", "-y"}
	for o := range strings.SplitSeq(r.a.DpkgOptions, ",") {
		if o = strings.TrimSpace(o); o != "" {
			cmd = append(cmd, "-o", "Dpkg::Options::=--"+o)
		}
	}
	cmd = append(cmd, "-o", "DPkg::Lock::Timeout="+strconv.Itoa(r.a.LockTimeout))
	if r.a.Force {
		cmd = append(cmd, "--allow-downgrades", "--allow-remove-essential", "--allow-change-held-packages", "--allow-unauthenticated")
	}
	if r.a.AllowUnauthenticated {
		cmd = append(cmd, "--allow-unauthenticated")
	}
	if r.a.AllowDowngrade {
		cmd = append(cmd, "--allow-downgrades")
	}
	return cmd
}

var aptNothing = regexp.MustCompile(`(?m)^0 (packages )?upgraded, 0 newly installed, 0 to remove`)

// aptGet runs a command that changes packages. One of which only apt knows
// whether it changes anything is tried first: that counts as changed only
// when there is something to do.
func (r *aptRun) aptGet(cmd []string, unsure bool) (Result, error) {
	var trial host.Output
	if unsure || r.c.Check() || r.c.WantDiff() {
		var err error
		simulated := append([]string{cmd[0], "--simulate"}, cmd[1:]...)
		if trial, err = r.c.Ask(r.ctx, host.Cmd{Args: simulated, Env: aptEnv}); err != nil {
			return nil, err
		}
		if trial.Code != 0 {
			return nil, aptFailure(simulated, trial)
		}
		if unsure && aptNothing.Match(trial.Stdout) {
			return outputs(trial), nil
		}
	}
	out := trial
	err := r.c.Change(aptDiff(trial.Stdout), func(w host.Writer) error {
		return r.withPolicy(w, func() (err error) {
			if out, err = w.Run(r.ctx, host.Cmd{Args: cmd, Env: aptEnv}); err == nil && out.Code != 0 {
				err = aptFailure(cmd, out)
			}
			return err
		})
	})
	return outputs(out), err
}

func outputs(out host.Output) Result {
	return Result{"stdout": string(out.Stdout), "stderr": string(out.Stderr)}
}

func aptFailure(cmd []string, out host.Output) error {
	r := outputs(out)
	r["rc"] = out.Code
	return Fail(fmt.Sprintf("'%s' failed: %s", strings.Join(cmd, " "), out.Stderr), r)
}

// aptDiff is the part of apt's output that says what changes.
func aptDiff(stdout []byte) Diff {
	if len(stdout) == 0 {
		return NoDiff
	}
	lines := strings.Split(strings.TrimRight(string(stdout), "\n"), "\n")
	start := 1 + max(slices.Index(lines, "Reading state information..."), slices.Index(lines, "Resolving dependencies..."))
	end := slices.IndexFunc(lines, regexp.MustCompile(`^\d+ (packages )?upgraded`).MatchString) + 1
	if end == 0 {
		end = len(lines)
	}
	return Diff{After: Prepared(strings.Join(lines[min(start, end):end], "\n"))}
}

const policyRcD = "/usr/sbin/policy-rc.d"

// withPolicy has policy-rc.d answer with the wanted code meanwhile.
func (r *aptRun) withPolicy(w host.Writer, do func() error) (err error) {
	if r.a.PolicyRcD == nil {
		return do()
	}
	old, readErr := r.c.ReadFile(policyRcD)
	if readErr != nil && !errors.Is(readErr, fs.ErrNotExist) {
		return readErr
	}
	script := fmt.Sprintf("#!/bin/sh\nexit %d\n", *r.a.PolicyRcD)
	if err := w.WriteFile(policyRcD, strings.NewReader(script), host.Attr{UID: 0, GID: 0, Mode: 0o755}); err != nil {
		return err
	}
	defer func() {
		if readErr != nil {
			err = errors.Join(err, w.Remove(policyRcD))
			return
		}
		err = errors.Join(err, w.WriteFile(policyRcD, strings.NewReader(string(old)), host.KeepAll))
	}()
	return do()
}

func (r *aptRun) markManual(known *aptPackages, names []string) error {
	marked := known.marked(names)
	if len(marked) == 0 {
		return nil
	}
	return r.c.Upkeep(func(w host.Writer) error {
		cmd := append([]string{"apt-mark", "manual", "--"}, marked...)
		out, err := w.Run(r.ctx, host.Cmd{Args: cmd, Env: aptEnv})
		if err == nil && out.Code != 0 {
			err = aptFailure(cmd, out)
		}
		return err
	})
}

func (r *aptRun) remove(known *aptPackages, specs []aptSpec) (Result, error) {
	var words []string
	for _, s := range specs {
		st, _ := known.local(s)
		if s.compare == ">=" {
			st.matching = st.installed && known.atLeast(st.version, s.version)
		}
		if st.matching || st.configFiles && r.a.Purge {
			words = append(words, s.text)
		}
	}
	if len(words) == 0 {
		return Result{}, nil
	}
	cmd := append(r.base(), "-q")
	if r.a.Purge {
		cmd = append(cmd, "--purge")
	}
	if r.a.Autoremove {
		cmd = append(cmd, "--auto-remove")
	}
	return r.aptGet(append(append(cmd, "remove", "--"), words...), false)
}

func (r *aptRun) upgrade(mode string) (Result, error) {
	aptitude := !r.a.ForceAptGet && mode != "dist" && hasProgram(r.c, "aptitude")
	cmd := r.base()
	if aptitude {
		cmd = append([]string{"aptitude"}, cmd[1:]...)
	}
	if r.a.FailOnAutoremove {
		cmd = append(cmd, "--no-remove")
	}
	if r.a.DefaultRelease != "" {
		cmd = append(cmd, "-t", r.a.DefaultRelease)
	}
	switch {
	case aptitude && mode == "full":
		cmd = append(cmd, "full-upgrade")
	case aptitude:
		cmd = append(cmd, "safe-upgrade")
	case mode == "dist" || mode == "full":
		cmd = append(cmd, "dist-upgrade")
	default:
		cmd = append(cmd, "upgrade", "--with-new-pkgs")
	}
	if r.a.Autoremove && !aptitude {
		cmd = append(cmd, "--auto-remove")
	}
	result, err := r.aptGet(cmd, true)
	if err == nil {
		result["msg"] = result["stdout"]
	}
	return result, err
}

// cleanup is changed when apt's output has the sign.
func (r *aptRun) cleanup(operation, sign string) (Result, error) {
	cmd := r.base()
	if r.a.Purge {
		cmd = append(cmd, "--purge")
	}
	cmd = append(cmd, operation)
	simulated := append([]string{cmd[0], "--simulate"}, cmd[1:]...)
	trial, err := r.c.Ask(r.ctx, host.Cmd{Args: simulated, Env: aptEnv})
	if err != nil {
		return nil, err
	}
	if trial.Code != 0 {
		return nil, aptFailure(simulated, trial)
	}
	if !strings.Contains(string(trial.Stdout), sign) {
		return outputs(trial), nil
	}
	return r.aptGet(cmd, false)
}

func (r *aptRun) clean(w host.Writer) error {
	cmd := []string{"apt-get", "clean"}
	out, err := w.Run(r.ctx, host.Cmd{Args: cmd, Env: aptEnv})
	if err == nil && out.Code != 0 {
		err = aptFailure(cmd, out)
	}
	return err
}

// aptCacheTime is when the lists of packages were refreshed, in seconds since
// 1970; 0 where there are none.
func aptCacheTime(c *Call) int {
	for _, stamp := range []string{"/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists"} {
		if info, err := c.Stat(stamp); err == nil {
			return int(info.ModTime().Unix())
		}
	}
	return 0
}

// update refreshes the lists unless they are fresh enough.
func (r *aptRun) update() (updated bool, err error) {
	before := aptCacheTime(r.c)
	if before+r.a.CacheValidTime >= int(time.Now().Unix()) {
		return false, nil
	}
	if r.c.Check() {
		return true, nil
	}
	err = r.c.Upkeep(func(w host.Writer) error { return refreshAptLists(r.ctx, w, r.a) })
	return aptCacheTime(r.c) != before, err
}

// refreshAptLists runs apt-get update, again and again while it fails. Lists
// that cannot be fetched are a failure, unlike for apt-get itself.
func refreshAptLists(ctx context.Context, w host.Writer, a aptArgs) error {
	cmd := []string{"apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any", "-o", "DPkg::Lock::Timeout=" + strconv.Itoa(a.LockTimeout)}
	var out host.Output
	for try := range max(1, a.UpdateCacheRetries) {
		if try > 0 {
			delay := min(time.Second<<(try-1), time.Duration(a.UpdateCacheRetryMaxDelay)*time.Second)
			if err := pause(ctx, delay); err != nil {
				return err
			}
		}
		var err error
		if out, err = w.Run(ctx, host.Cmd{Args: cmd, Env: aptEnv}); err != nil || out.Code == 0 {
			return err
		}
	}
	failure := outputs(out)
	failure["rc"] = out.Code
	return Fail("Failed to update apt cache: "+firstText(out.Stderr, out.Stdout), failure)
}

// debs installs packages from files; apt adds what they depend on.
func (r *aptRun) debs() (Result, error) {
	known, err := readAptPackages(r.ctx, r.c, "")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "gplay-deb-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var files []string
	for file := range strings.SplitSeq(r.a.Deb, ",") {
		if strings.Contains(file, "://") {
			if file, err = download(r.ctx, file, dir); err != nil {
				return nil, err
			}
		}
		newer, err := r.differs(known, file)
		if err != nil {
			return nil, err
		}
		if newer {
			files = append(files, absolute(file))
		}
	}
	if len(files) == 0 {
		return Result{"stdout": "", "stderr": ""}, nil
	}
	return r.aptGet(r.installCommand(files), false)
}

// absolute makes apt take a word for a file, not a package's name.
func absolute(file string) string {
	if abs, err := filepath.Abs(file); err == nil {
		return abs
	}
	return file
}

// differs reports whether the package in a file is not installed in just that
// version.
func (r *aptRun) differs(known *aptPackages, file string) (bool, error) {
	out, err := r.c.Ask(r.ctx, host.Command("dpkg-deb", "--show", "--showformat=${Package} ${Version} ${Architecture}", absolute(file)))
	if err != nil {
		return false, err
	}
	f := strings.Fields(string(out.Stdout))
	if out.Code != 0 || len(f) != 3 {
		return false, fmt.Errorf("Unable to install package: %s", firstText(out.Stderr))
	}
	entry := known.installed(f[0] + ":" + f[2])
	return !entry.Installed || entry.Version != f[1], nil
}

// download fetches a file into a directory that only we can read.
func download(ctx context.Context, url, dir string) (string, error) {
	body, err := httpGet(ctx, url, true)
	if err != nil {
		return "", fmt.Errorf("Failure downloading %s, %w", url, err)
	}
	defer body.Close()
	file, err := os.CreateTemp(dir, "*.deb")
	if err != nil {
		return "", err
	}
	defer file.Close()
	_, err = io.Copy(file, body)
	return file.Name(), err
}
