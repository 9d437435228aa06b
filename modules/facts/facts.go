// Package facts finds out what kind of machine a host is, under the names
// that Ansible's setup module gives its facts.
//
// It reads files and asks the kernel; a program is started only for what
// nothing else tells (LVM, PCI names, Python, executable local facts).
package facts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gplay/modules/host"
)

// Request says which facts are wanted.
type Request struct {
	Subset   []string      // as setup's gather_subset; empty means all
	FactPath string        // where local facts (*.fact) are; may be empty
	Timeout  time.Duration // how long one file system may take to answer
}

// Gathered is what was found: facts by name, without the ansible_ prefix.
type Gathered struct {
	Facts    map[string]any
	Warnings []string
}

// machine is the host being looked at.
type machine struct {
	host.Reader
	ctx      context.Context
	request  Request
	distro   Distribution
	warnings []string
}

// A collector finds the facts of one subject. The names in ids stand for it
// in a gather_subset as its own name does.
type collector struct {
	name    string
	ids     string
	minimal bool // part of the subset "min"
	collect func(*machine) map[string]any
}

var collectors = []collector{
	{"platform", "system kernel kernel_version machine architecture machine_id", true, (*machine).platform},
	{"distribution", "distribution_version distribution_release distribution_major_version os_family", true, (*machine).distribution},
	{"lsb", "", true, (*machine).lsb},
	{"apparmor", "", true, (*machine).apparmor},
	{"caps", "system_capabilities system_capabilities_enforced", true, (*machine).capabilities},
	{"cmdline", "", true, (*machine).commandLine},
	{"date_time", "", true, (*machine).dateTime},
	{"dns", "", true, (*machine).dns},
	{"env", "", true, (*machine).environment},
	{"fips", "", true, (*machine).fips},
	{"local", "", true, (*machine).local},
	{"pkg_mgr", "", true, (*machine).packageManager},
	{"python", "python_version", true, (*machine).python},
	{"selinux", "", true, (*machine).selinux},
	{"service_mgr", "", true, (*machine).serviceManager},
	{"ssh_pub_keys", "ssh_host_pub_keys ssh_host_key_dsa_public ssh_host_key_rsa_public ssh_host_key_ecdsa_public ssh_host_key_ed25519_public", true, (*machine).hostKeys},
	{"user", "user_id user_uid user_gid user_gecos user_dir user_shell real_user_id effective_user_id effective_group_ids", true, (*machine).user},
	{"chroot", "is_chroot", false, (*machine).chroot},
	{"fibre_channel_wwn", "", false, (*machine).fibreChannel},
	{"hardware", "processor processor_cores processor_count mounts devices", false, (*machine).hardware},
	{"iscsi", "", false, (*machine).iscsi},
	{"loadavg", "", false, (*machine).loadAverage},
	{"network", "interfaces default_ipv4 default_ipv6 all_ipv4_addresses all_ipv6_addresses", false, (*machine).network},
	{"nvme", "", false, (*machine).nvme},
	{"virtual", "virtualization_type virtualization_role virtualization_tech_guest virtualization_tech_host", false, (*machine).virtualization},
	{"facter", "", false, func(*machine) map[string]any { return nil }}, // valid names of programs
	{"ohai", "", false, func(*machine) map[string]any { return nil }},   // that gplay does not ask
}

// needs are the subjects that come along with another, although nobody asked.
var needs = map[string][]string{
	"hardware":    {"platform"},
	"network":     {"platform", "distribution"},
	"pkg_mgr":     {"distribution"},
	"service_mgr": {"platform", "distribution"},
}

// Gather finds the facts that req asks for.
func Gather(ctx context.Context, r host.Reader, req Request) (Gathered, error) {
	wanted, err := choose(req.Subset)
	if err != nil {
		return Gathered{}, err
	}
	m := &machine{Reader: r, ctx: ctx, request: req, distro: Detect(r)}
	found := map[string]any{}
	for _, c := range collectors {
		if wanted[c.name] {
			maps.Copy(found, c.collect(m))
		}
	}
	return Gathered{found, m.warnings}, ctx.Err()
}

// choose reads a gather_subset: names to add, names with ! to leave out.
// Without a name to add, everything is wanted; the minimal facts come along
// unless "!min" is said.
func choose(subset []string) (map[string]bool, error) {
	add, drop := map[string]bool{}, map[string]bool{}
	everything, minimal := true, true
	for _, s := range subset {
		name, negated := strings.CutPrefix(strings.TrimSpace(s), "!")
		names, err := expand(name)
		switch {
		case err != nil && !negated:
			return nil, err
		case negated && name == "all":
			everything = false
			for _, n := range names {
				drop[n] = drop[n] || !isMinimal(n)
			}
		case negated:
			minimal = minimal && name != "min"
			for _, n := range names {
				drop[n] = true
			}
		default:
			everything = false
			for _, n := range names {
				add[n] = true
			}
		}
	}
	return wanted(add, drop, everything, minimal, slices.Contains(subset, "!all")), nil
}

func wanted(add, drop map[string]bool, everything, minimal, notAll bool) map[string]bool {
	chosen := map[string]bool{}
	for _, c := range collectors {
		on := everything || add[c.name] || minimal && c.minimal
		// A name that is asked for outright wins over "!all".
		if drop[c.name] && !(notAll && add[c.name]) {
			on = false
		}
		chosen[c.name] = chosen[c.name] || on
		for _, other := range needs[c.name] {
			chosen[other] = chosen[other] || on
		}
	}
	return chosen
}

func isMinimal(name string) bool {
	i := slices.IndexFunc(collectors, func(c collector) bool { return c.name == name })
	return collectors[i].minimal
}

// expand gives the collectors that one name of a gather_subset stands for.
func expand(name string) ([]string, error) {
	var found []string
	valid := []string{"all"}
	for _, c := range collectors {
		ids := strings.Fields(c.ids)
		if name == "all" || name == "min" && c.minimal || name == c.name || slices.Contains(ids, name) {
			found = append(found, c.name)
		}
		valid = append(append(valid, c.name), ids...)
	}
	if found == nil {
		slices.Sort(valid)
		return nil, fmt.Errorf("Bad subset '%s' given to Ansible. gather_subset options allowed: %s", name, strings.Join(valid, ", "))
	}
	return found, nil
}

// text is the trimmed content of a file, "" when it cannot be read.
func (m *machine) text(path string) string { return readText(m.Reader, path) }

func readText(r host.Reader, path string) string {
	b, err := r.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func (m *machine) lines(path string) []string {
	t := m.text(path)
	if t == "" {
		return nil
	}
	return strings.Split(t, "\n")
}

// textOrNil is for facts that are null where the file is missing or empty.
func (m *machine) textOrNil(path string) any {
	if t := m.text(path); t != "" {
		return t
	}
	return nil
}

func (m *machine) exists(path string) bool { return exists(m.Reader, path) }

func exists(r host.Reader, path string) bool {
	_, err := r.Stat(path)
	return err == nil
}

// names lists a directory; a directory that is not there is empty.
func (m *machine) names(dir string) []string {
	entries, err := m.ReadDir(dir)
	if err != nil {
		return nil
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

func (m *machine) warn(format string, a ...any) {
	m.warnings = append(m.warnings, fmt.Sprintf(format, a...))
}

// has reports whether a program is there.
func has(r host.Reader, program string) bool {
	_, err := r.LookPath(program)
	return err == nil
}

// ask runs a program that only reads and gives what it printed, "" when it is
// missing or fails.
func (m *machine) ask(args ...string) string {
	if !has(m.Reader, args[0]) {
		return ""
	}
	out, err := m.Ask(m.ctx, host.Cmd{Args: args, Env: []string{"LC_ALL=C"}})
	if err != nil || out.Code != 0 {
		return ""
	}
	return string(out.Stdout)
}
