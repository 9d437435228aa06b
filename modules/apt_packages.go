package modules

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"gplay/modules/dpkg"
	"gplay/modules/host"
)

// aptSpec is one package as asked for: name, name=version, name>=version;
// versions after = may have wildcards.
type aptSpec struct{ text, name, compare, version string }

var aptSpecParts = regexp.MustCompile(`^([^<>=]+?)(=|>=)(.+)$`)

func parseAptSpec(text string) (aptSpec, error) {
	text = strings.TrimSpace(text)
	if strings.Count(text, "=") > 1 {
		return aptSpec{}, fmt.Errorf("invalid package spec: %s", text)
	}
	if m := aptSpecParts.FindStringSubmatch(text); m != nil {
		return aptSpec{text, strings.TrimSpace(m[1]), m[2], strings.TrimSpace(m[3])}, nil
	}
	return aptSpec{text: text, name: text}, nil
}

// aptState is what is known of one package.
type aptState struct {
	installed   bool   // in whatever version
	matching    bool   // in a version that was asked for
	candidate   string // the version that would be installed now, "" for none
	virtual     bool   // only other packages' other name
	configFiles bool
	version     string // the installed one
}

// aptPackages answers questions about packages: from dpkg's database, and
// from apt's lists where that is not enough.
type aptPackages struct {
	ctx     context.Context
	c       *Call
	release string // APT::Default-Release
	status  map[string][]dpkg.Package
	policy  map[string]aptPolicy
}

// aptPolicy is what apt would do with a package.
type aptPolicy struct {
	candidate string
	versions  []string // newest first
}

func readAptPackages(ctx context.Context, c *Call, release string) (*aptPackages, error) {
	all, err := dpkg.Status(c)
	if err != nil {
		return nil, err
	}
	p := &aptPackages{ctx: ctx, c: c, release: release, status: map[string][]dpkg.Package{}, policy: map[string]aptPolicy{}}
	for _, one := range all {
		p.status[one.Name] = append(p.status[one.Name], one)
		p.status[one.Name+":"+one.Arch] = append(p.status[one.Name+":"+one.Arch], one)
	}
	return p, nil
}

// expand replaces specs whose names have wildcards by the packages there are.
func (p *aptPackages) expand(specs []aptSpec) ([]aptSpec, error) {
	var all []aptSpec
	for _, s := range specs {
		if !strings.ContainsAny(s.name, "*?[]!") {
			all = append(all, s)
			continue
		}
		names, err := p.matching(s.name)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("No package(s) matching '%s' available", s.name)
		}
		for _, n := range names {
			all = append(all, aptSpec{text: n, name: n})
		}
	}
	return all, nil
}

func (p *aptPackages) matching(pattern string) ([]string, error) {
	out, err := p.ask("apt-cache", "pkgnames")
	if err != nil {
		return nil, err
	}
	names := strings.Fields(string(out.Stdout))
	for name := range p.status {
		if strings.Contains(name, ":") == strings.Contains(pattern, ":") {
			names = append(names, name)
		}
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !versionMatches(pattern, n) })
	slices.Sort(names)
	return slices.Compact(names), nil
}

// versionMatches is a shell pattern in which * goes across slashes too.
func versionMatches(pattern, text string) bool {
	slash := strings.NewReplacer("/", "\x00")
	ok, _ := path.Match(strings.ReplaceAll(slash.Replace(pattern), "[!", "[^"), slash.Replace(text))
	return ok
}

func (p *aptPackages) ask(args ...string) (host.Output, error) {
	return p.c.Ask(p.ctx, host.Cmd{Args: args, Env: aptEnv})
}

// load asks apt about packages; it is slow, so all are asked at once.
func (p *aptPackages) load(names []string) error {
	args := []string{"apt-cache"}
	if p.release != "" {
		args = append(args, "-o", "APT::Default-Release="+p.release)
	}
	out, err := p.ask(append(append(args, "policy", "--"), names...)...)
	if err != nil {
		return err
	}
	if out.Code != 0 {
		return fmt.Errorf("apt-cache policy failed: %s", firstText(out.Stderr, out.Stdout))
	}
	name, version := "", regexp.MustCompile(`^ (?:\*\*\*|   ) (\S+)`)
	for line := range strings.Lines(string(out.Stdout)) {
		entry := p.policy[name]
		switch trimmed := strings.TrimSpace(line); {
		case line[0] != ' ':
			name = strings.TrimSuffix(trimmed, ":")
			entry = aptPolicy{}
		case strings.HasPrefix(trimmed, "Candidate:"):
			if v := strings.TrimSpace(strings.TrimPrefix(trimmed, "Candidate:")); v != "(none)" {
				entry.candidate = v
			}
		case version.MatchString(line):
			entry.versions = append(entry.versions, version.FindStringSubmatch(line)[1])
		}
		p.policy[name] = entry
	}
	return nil
}

// installed is the entry of an installed package, else of one of which
// something is left, else empty.
func (p *aptPackages) installed(name string) dpkg.Package {
	var best dpkg.Package
	for _, entry := range p.status[name] {
		if entry.Installed {
			return entry
		}
		best = entry
	}
	return best
}

// local says what the database alone can tell, and whether that is enough for
// the package to be left as it is.
func (p *aptPackages) local(s aptSpec) (aptState, bool) {
	entry := p.installed(s.name)
	st := aptState{installed: entry.Installed, configFiles: entry.ConfigFiles, version: entry.Version}
	st.matching = st.installed && (s.compare == "" || s.compare == "=" && versionMatches(s.version, entry.Version))
	exact := s.compare == "" || s.compare == "=" && !strings.ContainsAny(s.version, "*?[")
	return st, st.matching && exact
}

// state says all of a package that apt's lists tell.
func (p *aptPackages) state(s aptSpec) (aptState, error) {
	st, _ := p.local(s)
	if _, loaded := p.policy[s.name]; !loaded {
		if err := p.load([]string{s.name}); err != nil {
			return st, err
		}
	}
	policy := p.policy[s.name]
	if len(policy.versions) == 0 && !st.installed {
		return p.provided(s)
	}
	best := policy.candidate
	switch s.compare {
	case "=":
		best = ""
		if i := slices.IndexFunc(policy.versions, func(v string) bool { return versionMatches(s.version, v) }); i >= 0 {
			best = policy.versions[i]
		}
	case ">=":
		if !p.atLeast(best, s.version) {
			best = ""
		}
		st.matching = st.installed && p.atLeast(st.version, s.version)
	}
	if best != st.version || !st.installed {
		st.candidate = best
	}
	return st, nil
}

func (p *aptPackages) atLeast(version, wanted string) bool {
	if version == "" {
		return false
	}
	out, err := p.ask("dpkg", "--compare-versions", version, "ge", wanted)
	return err == nil && out.Code == 0
}

// provided looks for packages that have the name as another one.
func (p *aptPackages) provided(s aptSpec) (aptState, error) {
	out, err := p.ask("apt-cache", "showpkg", "--", s.name)
	if err != nil {
		return aptState{}, err
	}
	_, providers, _ := strings.Cut(string(out.Stdout), "Reverse Provides:")
	if strings.TrimSpace(providers) == "" {
		return aptState{}, fmt.Errorf("No package matching '%s' is available", s.name)
	}
	for line := range strings.Lines(providers) {
		if f := strings.Fields(line); len(f) > 0 && p.installed(f[0]).Installed {
			return aptState{installed: true, matching: true, virtual: true, version: p.installed(f[0]).Version}, nil
		}
	}
	return aptState{virtual: true}, nil
}

// marked are the packages that were installed only because others need them.
func (p *aptPackages) marked(names []string) []string {
	data, err := p.c.ReadFile("/var/lib/apt/extended_states")
	if err != nil {
		return nil
	}
	auto := map[string]bool{}
	for entry := range strings.SplitSeq(string(data), "\n\n") {
		if m := extendedName.FindStringSubmatch(entry); m != nil && strings.Contains(entry, "\nAuto-Installed: 1") {
			auto[m[1]] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		plain, _, _ := strings.Cut(n, ":")
		return !auto[plain]
	})
}

var extendedName = regexp.MustCompile(`(?m)^Package: (\S+)`)
