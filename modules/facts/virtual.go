package facts

import (
	"slices"
	"strings"
)

// virtual collects signs of virtualisation: the first one that is found
// names the type and role, all of them are listed.
type virtual struct {
	kind, role  string
	guest, host []string
}

func (v *virtual) add(role, kind string) {
	list := &v.guest
	if role == "host" {
		list = &v.host
	}
	if !slices.Contains(*list, kind) {
		*list = append(*list, kind)
	}
	if v.kind == "" {
		v.kind, v.role = kind, role
	}
}

func (m *machine) virtualization() map[string]any {
	v := &virtual{}
	m.container(v)
	m.xen(v)
	m.firmware(v)
	m.cpuSigns(v)
	m.kernelModules(v)
	if v.kind == "" {
		v.kind, v.role = "NA", "NA"
	}
	return map[string]any{
		"virtualization_type": v.kind, "virtualization_role": v.role,
		"virtualization_tech_guest": list(v.guest), "virtualization_tech_host": list(v.host),
	}
}

func (m *machine) container(v *virtual) {
	cgroup := m.text("/proc/self/cgroup")
	switch {
	case strings.Contains(cgroup, "/docker/"), strings.Contains(cgroup, "/docker-"):
		v.add("guest", "docker")
	case strings.Contains(cgroup, "/lxc/"), strings.Contains(cgroup, "/machine.slice/machine-lxc"):
		v.add("guest", "lxc")
	case strings.Contains(cgroup, "/system.slice/containerd.service"):
		v.add("guest", "containerd")
	}
	for _, e := range strings.Split(m.text("/proc/1/environ"), "\x00") {
		switch kind, ok := strings.CutPrefix(e, "container="); {
		case ok && (strings.HasPrefix(kind, "lxc") || strings.HasPrefix(kind, "podman")):
			v.add("guest", kind)
		case ok && kind != "":
			v.add("guest", "container")
		}
	}
	if m.exists("/proc/vz") && !m.exists("/proc/lve") {
		role := "guest"
		if m.exists("/proc/bc") {
			role = "host"
		}
		v.add(role, "openvz")
	}
	systemd := m.text("/run/systemd/container")
	if systemd != "" {
		v.add("guest", systemd)
	}
	if m.exists("/.dockerenv") || m.exists("/.dockerinit") {
		v.add("guest", "docker")
	}
	for _, known := range []string{"docker", "lxc", "podman", "openvz", "containerd", systemd} {
		if known != "" && slices.Contains(v.guest, known) {
			v.add("guest", "container")
		}
	}
}

func (m *machine) xen(v *virtual) {
	if !m.exists("/proc/xen") {
		return
	}
	role := "guest"
	if strings.Contains(m.text("/proc/xen/capabilities"), "control_d") {
		role = "host"
	}
	v.add(role, "xen")
}

// firmwareSigns say which words in the machine's firmware name a hypervisor;
// a sign with a family needs both.
var firmwareSigns = []struct{ file, value, family, kind string }{
	{"product_name", "KVM", "", "kvm"}, {"product_name", "KVM Server", "", "kvm"},
	{"product_name", "Bochs", "", "kvm"}, {"product_name", "AHV", "", "kvm"},
	{"sys_vendor", "oVirt", "", "oVirt"}, {"sys_vendor", "Red Hat", "RHV", "RHV"},
	{"product_name", "RHEV Hypervisor", "", "RHEV"},
	{"product_name", "VMware Virtual Platform", "", "VMware"}, {"product_name", "VMware7,1", "", "VMware"},
	{"product_name", "OpenStack Compute", "", "openstack"}, {"product_name", "OpenStack Nova", "", "openstack"},
	{"bios_vendor", "Xen", "", "xen"}, {"bios_vendor", "innotek GmbH", "", "virtualbox"},
	{"bios_vendor", "Amazon EC2", "", "kvm"}, {"bios_vendor", "DigitalOcean", "", "kvm"}, {"bios_vendor", "Hetzner", "", "kvm"},
	{"sys_vendor", "QEMU", "", "kvm"}, {"sys_vendor", "Amazon EC2", "", "kvm"}, {"sys_vendor", "DigitalOcean", "", "kvm"},
	{"sys_vendor", "Google", "", "kvm"}, {"sys_vendor", "Scaleway", "", "kvm"}, {"sys_vendor", "Nutanix", "", "kvm"},
	{"sys_vendor", "KubeVirt", "", "KubeVirt"}, {"sys_vendor", "Microsoft Corporation", "", "VirtualPC"},
	{"sys_vendor", "Parallels Software International Inc.", "", "parallels"},
	{"sys_vendor", "OpenStack Foundation", "", "openstack"},
}

func (m *machine) firmware(v *virtual) {
	read := map[string]string{}
	for _, file := range []string{"product_name", "sys_vendor", "bios_vendor", "product_family"} {
		read[file] = m.text(dmiDir + file)
	}
	for _, s := range firmwareSigns {
		if read[s.file] == s.value && (s.family == "" || read["product_family"] == s.family) {
			v.add("guest", s.kind)
		}
	}
}

func (m *machine) cpuSigns(v *virtual) {
	for _, line := range m.lines("/proc/cpuinfo") {
		key, value, _ := strings.Cut(line, ":")
		key = strings.TrimSpace(key)
		switch {
		case key == "model name" && strings.Contains(value, "QEMU Virtual CPU"):
			v.add("guest", "kvm")
		case key == "vendor_id" && strings.Contains(value, "User Mode Linux"), key == "model name" && strings.Contains(value, "UML"):
			v.add("guest", "uml")
		case key == "machine" && strings.Contains(value, "CHRP IBM pSeries (emulated by qemu)"):
			v.add("guest", "kvm")
		case key == "vendor_id" && strings.Contains(value, "PowerVM Lx86"):
			v.add("guest", "powervm_lx86")
		case key == "vendor_id" && strings.Contains(value, "IBM/S390"):
			v.add("guest", "PR/SM")
			if v.kind == "PR/SM" {
				v.role = "LPAR"
			}
		}
	}
}

func (m *machine) kernelModules(v *virtual) {
	loaded := map[string]bool{}
	for _, line := range m.lines("/proc/modules") {
		name, _, _ := strings.Cut(line, " ")
		loaded[name] = true
	}
	if loaded["kvm"] {
		v.add("host", "kvm")
	}
	if loaded["vboxdrv"] {
		v.add("host", "virtualbox")
	}
	if loaded["virtio"] {
		if v.kind == "" {
			v.kind, v.role = "kvm", "guest"
		}
		v.add("host", "kvm")
	}
	if m.exists("/dev/kvm") {
		v.add("host", "kvm")
	}
}
