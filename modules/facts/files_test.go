package facts_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestFromFiles shows what is made of the files of /proc and /sys.
func TestFromFiles(t *testing.T) {
	node, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		files  map[string]string
		subset string
		facts  string // JSON of some of the facts
	}{
		{"memory", map[string]string{
			"proc/meminfo": "MemTotal: 2097152 kB\nMemFree: 1048576 kB\nBuffers: 10240 kB\nCached: 102400 kB\nSwapCached: 0 kB\nSwapTotal: 4096 kB\nSwapFree: 1024 kB\n",
		}, "hardware", `{"memtotal_mb": 2048, "memfree_mb": 1024, "swaptotal_mb": 4, "swapfree_mb": 1,
			"memory_mb": {"nocache": {"free": 1134, "used": 914}, "real": {"free": 1024, "total": 2048, "used": 1024},
			"swap": {"cached": 0, "free": 1, "total": 4, "used": 3}}}`},
		{"two sockets with two cores of two threads", map[string]string{"proc/cpuinfo": cpus(8, 2, 2, 4)}, "hardware",
			`{"processor_count": 2, "processor_cores": 2, "processor_threads_per_core": 2, "processor_vcpus": 8}`},
		{"no topology", map[string]string{"proc/cpuinfo": "processor : 0\nvendor_id : X\nmodel name : Y\nprocessor : 1\nvendor_id : X\nmodel name : Y\n"}, "hardware",
			`{"processor": ["0", "X", "Y", "1", "X", "Y"], "processor_count": 2, "processor_cores": 1, "processor_vcpus": 2}`},
		{"disk with a partition", map[string]string{
			"sys/block/vda/size": "41943040\n", "sys/block/vda/queue/logical_block_size": "512\n", "sys/block/vda/removable": "0\n",
			"sys/block/vda/queue/rotational": "1\n", "sys/block/vda/queue/scheduler": "none [mq-deadline] bfq\n",
			"sys/block/vda/device/vendor": "0x1af4\n", "sys/block/vda/vda1/start": "2048\n", "sys/block/vda/vda1/size": "2097152\n",
			"dev/disk/by-uuid/ab-cd": "-> ../../vda1",
		}, "hardware", `{"devices": {"vda": {"size": "20.00 GB", "sectors": "41943040", "sectorsize": "512", "removable": "0", "rotational": "1",
			"scheduler_mode": "mq-deadline", "vendor": "0x1af4", "model": null, "partitions": {"vda1": {"size": "1.00 GB", "start": "2048", "uuid": "ab-cd",
			"links": {"uuids": ["ab-cd"], "ids": []}}}}}, "device_links": {"uuids": {"vda1": ["ab-cd"]}}}`},
		{"firmware", map[string]string{
			"sys/devices/virtual/dmi/id/product_name": "Virtual Machine\n", "sys/devices/virtual/dmi/id/chassis_type": "3\n",
		}, "hardware", `{"product_name": "Virtual Machine", "form_factor": "Desktop", "bios_vendor": "NA"}`},
		{"command line", map[string]string{"proc/cmdline": "ro quiet console=tty0 console=ttyS0 root=UUID=a=b\n"}, "cmdline",
			`{"cmdline": {"ro": true, "quiet": true, "console": "ttyS0", "root": "UUID=a=b"}, "proc_cmdline": {"console": ["tty0", "ttyS0"]}}`},
		{"name servers", map[string]string{"etc/resolv.conf": "# by hand\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch a.example b.example\noptions ndots:2 rotate\n"}, "dns",
			`{"dns": {"nameservers": ["10.0.0.1", "10.0.0.2"], "search": ["a.example", "b.example"], "options": {"ndots": "2", "rotate": true}}}`},
		{"the full name", map[string]string{"etc/hosts": "127.0.1.1 alias " + node + " " + node + ".example.com\n"}, "platform",
			`{"fqdn": "` + node + `.example.com"}`},
		{"the full name of the address", map[string]string{"etc/hosts": "127.0.0.1 localhost # first\n10.0.0.9 other\n127.0.0.1 " + node + "\n"}, "platform",
			`{"fqdn": "localhost", "domain": ""}`},
		{"host keys", map[string]string{"etc/ssh/ssh_host_ed25519_key.pub": "ssh-ed25519 AAAAC3 root@x\n"}, "ssh_pub_keys",
			`{"ssh_host_key_ed25519_public": "AAAAC3", "ssh_host_key_ed25519_public_keytype": "ssh-ed25519"}`},
		{"lsb-release", map[string]string{"etc/lsb-release": "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\nDISTRIB_DESCRIPTION=\"Ubuntu 14.04.5 LTS\"\n"}, "lsb",
			`{"lsb": {"id": "Ubuntu", "release": "14.04", "codename": "trusty", "description": "Ubuntu 14.04.5 LTS", "major_release": "14"}}`},
		{"SELinux", map[string]string{"sys/fs/selinux/enforce": "1", "sys/fs/selinux/policyvers": "33", "etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=targeted\n"}, "selinux",
			`{"selinux": {"status": "enabled", "mode": "enforcing", "config_mode": "enforcing", "policyvers": 33, "type": "targeted"}}`},
		{"all capabilities", map[string]string{"proc/self/status": "Name:\tx\nCapEff:\t000001ffffffffff\n"}, "caps",
			`{"system_capabilities_enforced": "False", "system_capabilities": []}`},
		{"two capabilities", map[string]string{"proc/self/status": "CapEff:\t0000000000000401\n"}, "caps",
			`{"system_capabilities_enforced": "True", "system_capabilities": ["cap_chown", "cap_net_bind_service"]}`},
		{"docker", map[string]string{".dockerenv": ""}, "virtual",
			`{"virtualization_type": "docker", "virtualization_role": "guest", "virtualization_tech_guest": ["docker", "container"], "virtualization_tech_host": []}`},
		{"KVM guest", map[string]string{"sys/devices/virtual/dmi/id/sys_vendor": "QEMU\n"}, "virtual",
			`{"virtualization_type": "kvm", "virtualization_role": "guest"}`},
		{"VirtualBox guest", map[string]string{"sys/devices/virtual/dmi/id/bios_vendor": "innotek GmbH\n"}, "virtual",
			`{"virtualization_type": "virtualbox", "virtualization_role": "guest"}`},
		{"KVM host", map[string]string{"proc/modules": "kvm 1 0 - Live\n"}, "virtual",
			`{"virtualization_type": "kvm", "virtualization_role": "host", "virtualization_tech_host": ["kvm"]}`},
		{"bare metal", nil, "virtual", `{"virtualization_type": "NA", "virtualization_role": "NA"}`},
		{"local facts", map[string]string{
			"facts.d/a.fact": `{"n": 1, "big": 12345678901, "f": 1.5, "l": [true, null]}`,
			"facts.d/b.fact": "[DEFAULT]\nsize = 1\ncolor = red\n[General]\nColor = Blue\nempty:\n# no\n", "facts.d/c.txt": "no fact",
		}, "local", `{"local": {"a": {"n": 1, "big": 12345678901, "f": 1.5, "l": [true, null]}, "b": {"General": {"color": "Blue", "empty": "", "size": "1"}}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := gather(t, machineWith(t, tt.files), "!all", "!min", tt.subset).Facts
			var want any
			if err := json.Unmarshal([]byte(tt.facts), &want); err != nil {
				t.Fatal(err)
			}
			if fault := lacks(asJSON(t, got), want, ""); fault != "" {
				t.Error(fault)
			}
		})
	}
}

func cpus(n, sockets, cores, siblings int) string {
	var b strings.Builder
	for i := range n {
		socket := i * sockets / n
		b.WriteString("processor : " + digit(i) + "\nvendor_id : X\nmodel name : Y\nphysical id : " + digit(socket) +
			"\nsiblings : " + digit(siblings) + "\ncore id : " + digit(i%cores) + "\ncpu cores : " + digit(cores) + "\n\n")
	}
	return b.String()
}

func digit(n int) string { return string(rune('0' + n)) }

func asJSON(t *testing.T, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back any
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// lacks says what of want is not in got: keys of dicts may be more.
func lacks(got, want any, where string) string {
	w, isDict := want.(map[string]any)
	g, _ := got.(map[string]any)
	if !isDict {
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			return where + ": got " + string(a) + ", want " + string(b)
		}
		return ""
	}
	for k, v := range w {
		if _, there := g[k]; !there {
			return where + "." + k + " is missing"
		}
		if fault := lacks(g[k], v, where+"."+k); fault != "" {
			return fault
		}
	}
	return ""
}

func TestBadLocalFactIsAWarning(t *testing.T) {
	g := gather(t, machineWith(t, map[string]string{"facts.d/x.fact": "neither\n"}), "local")
	if len(g.Warnings) != 1 || !strings.Contains(g.Warnings[0], "error loading facts as JSON or ini") {
		t.Errorf("warnings: %q", g.Warnings)
	}
}
