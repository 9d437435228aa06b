package facts

import (
	"context"
	"net"
	"os"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"gplay/modules/host"
)

var intel32 = regexp.MustCompile(`^i[3456]86$|^i86pc$`)

func (m *machine) platform() map[string]any {
	kernel := uname()
	hostname, _, _ := strings.Cut(kernel.node, ".")
	fqdn := m.fullName(kernel.node)
	_, domain, _ := strings.Cut(fqdn, ".")
	arch := kernel.machine
	if intel32.MatchString(arch) {
		arch = "i386"
	}
	bits := "32"
	if strings.Contains(runtime.GOARCH, "64") || runtime.GOARCH == "s390x" {
		bits = "64"
	}
	f := map[string]any{
		"system": kernel.system, "kernel": kernel.release, "kernel_version": kernel.version,
		"machine": kernel.machine, "architecture": arch, "userspace_architecture": arch, "userspace_bits": bits,
		"nodename": kernel.node, "hostname": hostname, "fqdn": fqdn, "domain": domain,
	}
	for _, p := range []string{"/var/lib/dbus/machine-id", "/etc/machine-id"} {
		if id := m.text(p); id != "" {
			f["machine_id"] = strings.Split(id, "\n")[0]
			break
		}
	}
	if version := m.pythonVersion(); version != "" {
		f["python_version"] = version
	}
	return f
}

// fullName is the first name with a dot that the host's address has, as
// getfqdn(3) users expect; /etc/hosts is asked before the name servers, for
// the address of the name and then for the first line of that address.
func (m *machine) fullName(node string) string {
	var hosts [][]string
	for _, line := range m.lines("/etc/hosts") {
		line, _, _ = strings.Cut(line, "#")
		if fields := strings.Fields(line); len(fields) > 1 {
			hosts = append(hosts, fields)
		}
	}
	own := slices.IndexFunc(hosts, func(f []string) bool { return slices.Contains(f[1:], node) })
	if own >= 0 {
		first := slices.IndexFunc(hosts, func(f []string) bool { return f[0] == hosts[own][0] })
		names := hosts[first][1:]
		if i := slices.IndexFunc(names, func(n string) bool { return strings.Contains(n, ".") }); i >= 0 {
			return names[i]
		}
		return names[0]
	}
	ctx, cancel := context.WithTimeout(m.ctx, 2*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, node)
	if err != nil || len(addresses) == 0 {
		return node
	}
	names, err := net.DefaultResolver.LookupAddr(ctx, addresses[0])
	if err != nil || len(names) == 0 {
		return node
	}
	return strings.TrimSuffix(names[0], ".")
}

func (m *machine) apparmor() map[string]any {
	status := "disabled"
	if m.exists("/sys/kernel/security/apparmor") {
		status = "enabled"
	}
	return map[string]any{"apparmor": map[string]any{"status": status}}
}

func (m *machine) fips() map[string]any {
	return map[string]any{"fips": m.text("/proc/sys/crypto/fips_enabled") == "1"}
}

func (m *machine) selinux() map[string]any {
	if !m.exists("/sys/fs/selinux/enforce") {
		return map[string]any{"selinux": map[string]any{"status": "disabled"}, "selinux_python_present": true}
	}
	config := assignments(m.text("/etc/selinux/config"))
	mode := "permissive"
	if m.text("/sys/fs/selinux/enforce") == "1" {
		mode = "enforcing"
	}
	orUnknown := func(s string) string {
		if s == "" {
			return "unknown"
		}
		return s
	}
	f := map[string]any{
		"status": "enabled", "mode": mode, "type": orUnknown(config["SELINUXTYPE"]),
		"config_mode": orUnknown(config["SELINUX"]), "policyvers": "unknown",
	}
	if n, err := strconv.Atoi(m.text("/sys/fs/selinux/policyvers")); err == nil {
		f["policyvers"] = n
	}
	return map[string]any{"selinux": f, "selinux_python_present": true}
}

var capabilityNames = strings.Fields(`chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap
	linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot
	sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write
	audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore`)

// capabilities names what the process may do. Ansible shows fragments of
// capsh's text here; these are the effective capabilities themselves.
func (m *machine) capabilities() map[string]any {
	names, enforced := []any{}, "NA"
	for _, line := range m.lines("/proc/self/status") {
		hex, ok := strings.CutPrefix(line, "CapEff:")
		if !ok {
			continue
		}
		set, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
		if err != nil {
			break
		}
		enforced = "False"
		for i, name := range capabilityNames {
			if set&(1<<i) != 0 {
				names = append(names, "cap_"+name)
			} else {
				enforced = "True"
			}
		}
		if enforced == "False" {
			names = []any{}
		}
	}
	return map[string]any{"system_capabilities": names, "system_capabilities_enforced": enforced}
}

// commandLine gives the kernel's arguments twice, as Ansible does: cmdline
// keeps the last of equal names, proc_cmdline makes a list of them.
func (m *machine) commandLine() map[string]any {
	last, all := map[string]any{}, map[string]any{}
	for _, word := range strings.Fields(m.text("/proc/cmdline")) {
		key, value, assigned := strings.Cut(word, "=")
		var v any = true
		if assigned {
			v = value
		}
		last[key] = v
		switch before := all[key].(type) {
		case nil:
			all[key] = v
		case []any:
			all[key] = append(before, v)
		default:
			all[key] = []any{before, v}
		}
	}
	return map[string]any{"cmdline": last, "proc_cmdline": all}
}

func (m *machine) dateTime() map[string]any {
	now := time.Now()
	epoch := strconv.FormatInt(now.Unix(), 10)
	zone, _ := now.Zone()
	// The week starts on Monday; days before the first one are week 0.
	week := (now.YearDay() + 6 - (int(now.Weekday())+6)%7) / 7
	return map[string]any{"date_time": map[string]any{
		"year": now.Format("2006"), "month": now.Format("01"), "day": now.Format("02"),
		"hour": now.Format("15"), "minute": now.Format("04"), "second": now.Format("05"),
		"weekday": now.Weekday().String(), "weekday_number": strconv.Itoa(int(now.Weekday())),
		"weeknumber": pad2(week), "epoch": epoch, "epoch_int": epoch,
		"date": now.Format("2006-01-02"), "time": now.Format("15:04:05"),
		"iso8601":             now.UTC().Format("2006-01-02T15:04:05Z"),
		"iso8601_micro":       now.UTC().Format("2006-01-02T15:04:05.000000Z"),
		"iso8601_basic":       strings.Replace(now.Format("20060102T150405.000000"), ".", "", 1),
		"iso8601_basic_short": now.Format("20060102T150405"),
		"tz":                  zone, "tz_dst": summerZone(now), "tz_offset": now.Format("-0700"),
	}}
}

func pad2(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// summerZone is the zone's name when daylight saving is on, the usual name
// where there is none.
func summerZone(now time.Time) string {
	name, _ := now.Zone()
	for month := time.January; month <= time.December; month++ {
		if t := time.Date(now.Year(), month, 15, 12, 0, 0, 0, now.Location()); t.IsDST() {
			name, _ = t.Zone()
		}
	}
	return name
}

func (m *machine) dns() map[string]any {
	dns := map[string]any{}
	for _, line := range m.lines("/etc/resolv.conf") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.ContainsAny(words[0][:1], "#;") {
			continue
		}
		switch values := list(words[1:]); words[0] {
		case "nameserver":
			before, _ := dns["nameservers"].([]any)
			dns["nameservers"] = append(before, values...)
		case "domain":
			if len(values) > 0 {
				dns["domain"] = values[0]
			}
		case "search", "sortlist":
			dns[words[0]] = values
		case "options":
			options := map[string]any{}
			for _, o := range words[1:] {
				key, value, _ := strings.Cut(o, ":")
				options[key] = true
				if value != "" {
					options[key] = value
				}
			}
			dns["options"] = options
		}
	}
	return map[string]any{"dns": dns}
}

func list(words []string) []any {
	l := make([]any, len(words))
	for i, w := range words {
		l[i] = w
	}
	return l
}

func (m *machine) environment() map[string]any {
	env := map[string]any{}
	for _, e := range os.Environ() {
		k, v, _ := strings.Cut(e, "=")
		env[k] = v
	}
	return map[string]any{"env": env}
}

func (m *machine) hostKeys() map[string]any {
	f := map[string]any{}
	for _, dir := range []string{"/etc/ssh", "/etc/openssh", "/etc"} {
		for _, algorithm := range []string{"dsa", "rsa", "ecdsa", "ed25519"} {
			words := strings.Fields(m.text(path.Join(dir, "ssh_host_"+algorithm+"_key.pub")))
			if len(words) >= 2 {
				f["ssh_host_key_"+algorithm+"_public"] = words[1]
				f["ssh_host_key_"+algorithm+"_public_keytype"] = words[0]
			}
		}
		if len(f) > 0 {
			break
		}
	}
	return f
}

func (m *machine) user() map[string]any {
	uid := os.Getuid()
	f := map[string]any{
		"user_id": m.UserName(uid), "user_uid": uid, "user_gid": os.Getgid(),
		"real_user_id": uid, "effective_user_id": os.Geteuid(),
		"real_group_id": os.Getgid(), "effective_group_id": os.Getgid(),
	}
	for _, line := range m.lines("/etc/passwd") {
		p := strings.Split(line, ":")
		if len(p) >= 7 && p[2] == strconv.Itoa(uid) {
			gid, _ := strconv.Atoi(p[3])
			f["user_id"], f["user_gid"], f["user_gecos"], f["user_dir"], f["user_shell"] = p[0], gid, p[4], p[5], p[6]
			break
		}
	}
	return f
}

func (m *machine) chroot() map[string]any {
	return map[string]any{"is_chroot": IsChroot(m.Reader)}
}

// IsChroot compares the root directory with that of the first process or,
// where that may not be seen, with the number a file system gives its root.
func IsChroot(r host.Reader) bool {
	if name, _ := r.Getenv("debian_chroot"); name != "" {
		return true
	}
	own, err := r.Stat("/")
	if err != nil {
		return false
	}
	if first, err := r.Stat("/proc/1/root/."); err == nil {
		return own.Inode != first.Inode || own.Dev != first.Dev
	}
	usual := map[string]uint64{"xfs": 128, "btrfs": 256}[rootType(r)]
	if usual == 0 {
		usual = 2
	}
	return own.Inode != usual
}

func rootType(r host.Reader) string {
	for line := range strings.Lines(readText(r, "/proc/mounts")) {
		if f := strings.Fields(line); len(f) > 2 && f[1] == "/" {
			return f[2]
		}
	}
	return ""
}

// ServiceManager names what starts the services of a host: systemd, upstart,
// openrc, sysvinit or another program that is process 1.
func ServiceManager(r host.Reader) string {
	first := path.Base(readText(r, "/proc/1/comm"))
	if first == "." {
		first, _ = r.Readlink("/sbin/init")
		first = path.Base(first)
	}
	// A shell is a container's command, and init may be anything.
	if first != "." && first != "init" && !strings.HasSuffix(first, "sh") {
		usual := map[string]string{"procd": "openwrt_init", "runit-init": "runit", "svscan": "svc", "openrc-init": "openrc"}
		if name := usual[first]; name != "" {
			return name
		}
		return first
	}
	link, _ := r.Readlink("/sbin/init")
	switch systemctl := has(r, "systemctl"); {
	case systemctl && exists(r, "/run/systemd/system"):
		return "systemd"
	case has(r, "initctl") && exists(r, "/etc/init"):
		return "upstart"
	case exists(r, "/sbin/openrc"):
		return "openrc"
	case systemctl && path.Base(link) == "systemd":
		return "systemd"
	case exists(r, "/etc/init.d"):
		return "sysvinit"
	}
	return "service"
}

func (m *machine) serviceManager() map[string]any {
	return map[string]any{"service_mgr": ServiceManager(m.Reader)}
}

var packageManagers = []struct{ path, name string }{
	{"/usr/bin/apt-get", "apt"}, {"/usr/bin/dnf", "dnf"}, {"/usr/bin/dnf-3", "dnf"}, {"/usr/bin/yum", "yum"},
	{"/usr/bin/zypper", "zypper"}, {"/usr/sbin/urpmi", "urpmi"}, {"/usr/bin/pacman", "pacman"}, {"/bin/opkg", "opkg"},
	{"/sbin/apk", "apk"}, {"/usr/bin/apk", "apk"}, {"/usr/bin/emerge", "portage"}, {"/usr/bin/xbps-install", "xbps"},
	{"/usr/bin/swupd", "swupd"}, {"/usr/bin/rpm-ostree", "atomic_container"},
}

// PackageManager names what installs packages on a host as Ansible's module
// for it is called, "unknown" where there is none.
func PackageManager(r host.Reader, d Distribution) string {
	if exists(r, "/run/ostree-booted") {
		return "atomic_container"
	}
	major, _ := strconv.Atoi(d.Major)
	old := d.Name == "Fedora" && major < 23 || d.Name == "Amazon" && (major < 2022 || major > 2100) ||
		d.Name != "Fedora" && d.Name != "Amazon" && d.Family == "RedHat" && major < 8
	if old && d.Family == "RedHat" && exists(r, "/usr/bin/yum") {
		return "yum"
	}
	for _, p := range packageManagers {
		if p.name == "apt" && d.Family == "RedHat" || !exists(r, p.path) {
			continue
		}
		if p.name == "apt" && exists(r, "/usr/bin/rpm") && d.Family == "Altlinux" {
			return "apt_rpm"
		}
		return p.name
	}
	return "unknown"
}

func (m *machine) packageManager() map[string]any {
	return map[string]any{"pkg_mgr": PackageManager(m.Reader, m.distro)}
}

func (m *machine) fibreChannel() map[string]any {
	wwn := []any{}
	for _, h := range m.names("/sys/class/fc_host") {
		if port := m.text("/sys/class/fc_host/" + h + "/port_name"); port != "" {
			wwn = append(wwn, strings.TrimPrefix(port, "0x"))
		}
	}
	return map[string]any{"fibre_channel_wwn": wwn}
}

func (m *machine) iscsi() map[string]any {
	return map[string]any{"iscsi_iqn": assignments(m.text("/etc/iscsi/initiatorname.iscsi"))["InitiatorName"]}
}

func (m *machine) nvme() map[string]any {
	nqn := ""
	for _, line := range m.lines("/etc/nvme/hostnqn") {
		if strings.HasPrefix(line, "nqn.") {
			nqn = strings.TrimSpace(line)
		}
	}
	return map[string]any{"hostnqn": nqn}
}

func (m *machine) loadAverage() map[string]any {
	one, five, fifteen := loads()
	return map[string]any{"loadavg": map[string]any{"1m": one, "5m": five, "15m": fifteen}}
}
