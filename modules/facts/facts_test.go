package facts_test

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gplay/modules/facts"
	"gplay/modules/host"
)

// machine is a host whose files are in a directory and whose programs are
// named; everything else is not there.
type machine struct {
	*host.Local
	root     string
	programs []string
}

func (m *machine) Stat(p string) (host.Info, error) { return m.Local.Stat(filepath.Join(m.root, p)) }
func (m *machine) ReadFile(p string) ([]byte, error) {
	return m.Local.ReadFile(filepath.Join(m.root, p))
}
func (m *machine) ReadDir(p string) ([]host.Info, error) {
	return m.Local.ReadDir(filepath.Join(m.root, p))
}
func (m *machine) Readlink(p string) (string, error) {
	return m.Local.Readlink(filepath.Join(m.root, p))
}
func (m *machine) LookPath(p string) (string, error) {
	if slices.Contains(m.programs, p) {
		return "/usr/bin/" + p, nil
	}
	return "", host.ErrNotFound
}

func machineWith(t *testing.T, files map[string]string, programs ...string) *machine {
	t.Helper()
	m := &machine{&host.Local{}, t.TempDir(), programs}
	for name, text := range files {
		full := filepath.Join(m.root, name)
		var err error
		if target, link := strings.CutPrefix(text, "-> "); link {
			err = symlink(m, target, full)
		} else if err = mkdirAll(m, filepath.Dir(full)); err == nil {
			err = m.WriteFile(full, strings.NewReader(text), host.KeepAll)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func mkdirAll(m *machine, dir string) error {
	if _, err := m.Local.Stat(dir); err == nil {
		return nil
	}
	if err := mkdirAll(m, filepath.Dir(dir)); err != nil {
		return err
	}
	return m.Mkdir(dir, fs.FileMode(0o755))
}

func symlink(m *machine, target, name string) error {
	if err := mkdirAll(m, filepath.Dir(name)); err != nil {
		return err
	}
	return m.Symlink(target, name)
}

func TestDetect(t *testing.T) {
	tests := []struct {
		name                                          string
		files                                         map[string]string
		distribution, version, major, release, family string
	}{
		{"Debian 12", map[string]string{
			"etc/os-release":     "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
			"etc/debian_version": "12.11\n",
		}, "Debian", "12.11", "12", "bookworm", "Debian"},
		{"Debian testing", map[string]string{
			"etc/os-release":     "ID=debian\nVERSION_CODENAME=trixie\n",
			"etc/debian_version": "trixie/sid\n",
		}, "Debian", "NA", "NA", "trixie", "Debian"},
		{"Ubuntu 14.04", map[string]string{
			"etc/os-release": "NAME=\"Ubuntu\"\nVERSION=\"14.04.5 LTS, Trusty Tahr\"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"14.04\"\n",
		}, "Ubuntu", "14.04", "14", "Trusty Tahr", "Debian"},
		{"Ubuntu 22.04", map[string]string{
			"etc/os-release":     "ID=ubuntu\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\n",
			"etc/debian_version": "bookworm/sid\n",
		}, "Ubuntu", "22.04", "22", "jammy", "Debian"},
		{"CentOS 7", map[string]string{
			"etc/os-release":     "ID=\"centos\"\nVERSION=\"7 (Core)\"\nVERSION_ID=\"7\"\n",
			"etc/centos-release": "CentOS Linux release 7.9.2009 (Core)\n",
		}, "CentOS", "7.9", "7", "Core", "RedHat"},
		{"CentOS Stream 9", map[string]string{
			"etc/os-release":     "ID=\"centos\"\nVERSION=\"9\"\nVERSION_ID=\"9\"\n",
			"etc/centos-release": "CentOS Stream release 9\n",
		}, "CentOS", "9", "9", "Stream", "RedHat"},
		{"CentOS 6, before os-release", map[string]string{
			"etc/centos-release": "CentOS release 6.10 (Final)\n",
		}, "CentOS", "6.10", "6", "Final", "RedHat"},
		{"RHEL 8", map[string]string{
			"etc/os-release":     "ID=\"rhel\"\nVERSION=\"8.6 (Ootpa)\"\nVERSION_ID=\"8.6\"\n",
			"etc/redhat-release": "Red Hat Enterprise Linux release 8.6 (Ootpa)\n",
		}, "RedHat", "8.6", "8", "Ootpa", "RedHat"},
		{"Rocky 9", map[string]string{
			"etc/os-release":     "ID=\"rocky\"\nVERSION=\"9.3 (Blue Onyx)\"\nVERSION_ID=\"9.3\"\n",
			"etc/redhat-release": "Rocky Linux release 9.3 (Blue Onyx)\n",
		}, "Rocky", "9.3", "9", "Blue Onyx", "RedHat"},
		{"Fedora", map[string]string{"etc/os-release": "ID=fedora\nVERSION_ID=39\nVERSION_CODENAME=\"\"\n"}, "Fedora", "39", "39", "NA", "RedHat"},
		{"Amazon 2", map[string]string{"etc/os-release": "ID=\"amzn\"\nVERSION_ID=\"2\"\n"}, "Amazon", "2", "2", "NA", "RedHat"},
		{"Alpine", map[string]string{"etc/os-release": "ID=alpine\nVERSION_ID=3.18.4\n", "etc/alpine-release": "3.18.4\n"}, "Alpine", "3.18.4", "3", "NA", "Alpine"},
		{"Arch", map[string]string{"etc/os-release": "NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n"}, "Archlinux", "NA", "NA", "NA", "Archlinux"},
		{"openSUSE Leap", map[string]string{"etc/os-release": "ID=\"opensuse-leap\"\nVERSION_ID=\"15.5\"\n"}, "openSUSE Leap", "15.5", "15", "NA", "Suse"},
		{"SLES", map[string]string{"etc/os-release": "ID=\"sles\"\nVERSION_ID=\"12.5\"\n"}, "SLES", "12.5", "12", "NA", "Suse"},
		{"unheard of", map[string]string{"etc/os-release": "ID=plamo\nVERSION_ID=8\n"}, "Plamo", "8", "8", "NA", "Plamo"},
		{"nothing", nil, "NA", "NA", "NA", "NA", "NA"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := facts.Detect(machineWith(t, tt.files))
			got := []string{d.Name, d.Version, d.Major, d.Release, d.Family}
			want := []string{tt.distribution, tt.version, tt.major, tt.release, tt.family}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestServiceManager(t *testing.T) {
	tests := []struct {
		name     string
		files    map[string]string
		programs []string
		want     string
	}{
		{"systemd is the first process", map[string]string{"proc/1/comm": "systemd\n"}, nil, "systemd"},
		{"another first process", map[string]string{"proc/1/comm": "tini\n"}, nil, "tini"},
		{"runit", map[string]string{"proc/1/comm": "runit-init\n"}, nil, "runit"},
		{"init is upstart", map[string]string{"proc/1/comm": "init\n", "etc/init/x.conf": ""}, []string{"initctl"}, "upstart"},
		{"init is OpenRC", map[string]string{"proc/1/comm": "init\n", "sbin/openrc": ""}, nil, "openrc"},
		{"init is System V's", map[string]string{"proc/1/comm": "init\n", "etc/init.d/x": ""}, nil, "sysvinit"},
		{"a shell in a container with systemd installed", map[string]string{"proc/1/comm": "bash\n", "sbin/init": "-> /lib/systemd/systemd", "etc/init.d/x": ""}, []string{"systemctl"}, "systemd"},
		{"a shell", map[string]string{"proc/1/comm": "sh\n"}, nil, "service"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := facts.ServiceManager(machineWith(t, tt.files, tt.programs...)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPackageManager(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"Debian", map[string]string{"etc/os-release": "ID=debian\n", "usr/bin/apt-get": ""}, "apt"},
		{"Fedora with both", map[string]string{"etc/os-release": "ID=fedora\nVERSION_ID=39\n", "usr/bin/dnf": "", "usr/bin/yum": ""}, "dnf"},
		{"CentOS 7 with both", map[string]string{"etc/os-release": "ID=centos\nVERSION_ID=7\n", "usr/bin/dnf": "", "usr/bin/yum": ""}, "yum"},
		{"RHEL 9 with apt", map[string]string{"etc/os-release": "ID=rhel\nVERSION_ID=9.1\n", "usr/bin/dnf": "", "usr/bin/apt-get": ""}, "dnf"},
		{"Amazon 2", map[string]string{"etc/os-release": "ID=amzn\nVERSION_ID=2\n", "usr/bin/yum": "", "usr/bin/dnf": ""}, "yum"},
		{"Alpine", map[string]string{"etc/os-release": "ID=alpine\n", "sbin/apk": ""}, "apk"},
		{"openSUSE", map[string]string{"etc/os-release": "ID=opensuse-leap\n", "usr/bin/zypper": ""}, "zypper"},
		{"ostree", map[string]string{"etc/os-release": "ID=fedora\nVERSION_ID=39\n", "usr/bin/dnf": "", "run/ostree-booted": ""}, "atomic_container"},
		{"nothing", nil, "unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := machineWith(t, tt.files)
			if got := facts.PackageManager(m, facts.Detect(m)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func gather(t *testing.T, m *machine, subset ...string) facts.Gathered {
	t.Helper()
	g, err := facts.Gather(t.Context(), m, facts.Request{Subset: subset, FactPath: "/facts.d", Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestSubsets(t *testing.T) {
	m := machineWith(t, map[string]string{"proc/meminfo": "MemTotal: 2048 kB\n"})
	tests := []struct {
		subset                         []string
		minimal, hardware, network, id bool
	}{
		{[]string{"all"}, true, true, true, true},
		{[]string{"min"}, true, false, false, true},
		{[]string{"!all"}, true, false, false, true},
		{[]string{"!all", "!min"}, false, false, false, false},
		{[]string{"network"}, true, false, true, true},
		{[]string{"!hardware"}, true, false, false, true}, // as in Ansible, whatever its documentation says
		{[]string{"!min"}, false, false, false, false},
		{[]string{"all", "!min"}, false, true, true, true},
		{[]string{"date_time", "!date_time", "!min", "network"}, false, false, true, true},
		{[]string{"!all", "!min", "hardware"}, false, true, false, true},
		{[]string{"!all", "!min", "mounts"}, false, true, false, true},
		{[]string{"!all", "!min", "network"}, false, false, true, true},
		{[]string{"!all", "!min", "kernel"}, false, false, false, true},
		{[]string{"all", "!network"}, true, true, false, true},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.subset, ","), func(t *testing.T) {
			f := gather(t, m, tt.subset...).Facts
			for name, want := range map[string]bool{"pkg_mgr": tt.minimal, "memtotal_mb": tt.hardware, "interfaces": tt.network, "kernel": tt.id} {
				if _, got := f[name]; got != want {
					t.Errorf("%s gathered: %v, want %v", name, got, want)
				}
			}
		})
	}
}

func TestUnknownSubset(t *testing.T) {
	_, err := facts.Gather(t.Context(), machineWith(t, nil), facts.Request{Subset: []string{"memory"}})
	if err == nil || !strings.HasPrefix(err.Error(), "Bad subset 'memory' given to Ansible. gather_subset options allowed: all, ") {
		t.Errorf("got %v", err)
	}
}
