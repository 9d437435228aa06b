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
	"sync"
	"time"

	"gplay/modules/host"
)

// Request says which facts are wanted.
type Request struct {
	Subset   []string      // as setup's gather_subset
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
	// describedPython asks the host's Python about itself, once.
	describedPython func() map[string]any
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
	{"platform", "system kernel kernel_version machine python_version architecture machine_id", true, (*machine).platform},
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
	{"python", "", true, (*machine).python},
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
	m.describedPython = sync.OnceValue(m.askPython)
	found := map[string]any{}
	for _, c := range collectors {
		if wanted[c.name] {
			maps.Copy(found, c.collect(m))
		}
	}
	return Gathered{found, m.warnings}, ctx.Err()
}

// choose reads a gather_subset, in Ansible's way: "min" is said before all of
// it, so that names which are left out leave no more than that; a name that is
// asked for outright is not left out by another; and a subject is there as long
// as one of the names that stand for it is.
func choose(subset []string) (map[string]bool, error) {
	add, drop, outright := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range collectors {
		add[c.name] = c.minimal
	}
	for _, s := range subset {
		name, negated := strings.CutPrefix(s, "!")
		into := add
		if negated {
			into = drop
		}
		switch {
		case name == "min" || name == "all":
			for _, n := range namesOf(name, negated) {
				into[n] = true
			}
		case negated:
			drop[name] = true
			for _, c := range collectors {
				if c.name == name {
					for n := range strings.FieldsSeq(c.ids) {
						drop[n] = true
					}
				}
			}
		case !slices.Contains(namesOf("all", false), name):
			return nil, badSubset(name)
		default:
			add[name], outright[name] = true, true
		}
	}
	chosen := map[string]bool{}
	for _, c := range collectors {
		names := append(strings.Fields(c.ids), c.name)
		if !slices.ContainsFunc(names, func(n string) bool { return add[n] && (!drop[n] || outright[n]) }) {
			continue
		}
		for _, other := range append(needs[c.name], c.name) {
			chosen[other] = true
		}
	}
	return chosen, nil
}

// namesOf are the names that "min" stands for, or "all": the minimal subjects,
// or all subjects and what else stands for them. The minimal ones are not in
// "!all".
func namesOf(set string, negated bool) []string {
	var names []string
	for _, c := range collectors {
		if set == "all" && !(negated && c.minimal) || set == "min" && c.minimal {
			names = append(names, c.name)
		}
		if set == "all" {
			names = append(names, strings.Fields(c.ids)...)
		}
	}
	return names
}

func badSubset(name string) error {
	valid := append(namesOf("all", false), "all")
	slices.Sort(valid)
	return fmt.Errorf("Bad subset '%s' given to Ansible. gather_subset options allowed: %s", name, strings.Join(valid, ", "))
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
