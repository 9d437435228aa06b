package runner

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// moduleNames prints the short names of the modules that the installed Ansible
// has or finds in a collection, but for those of its own tests.
const moduleNames = `
import os, yaml, ansible.modules
print(*(f[:-3] for f in os.listdir(os.path.dirname(ansible.modules.__file__)) if f.endswith('.py') and f[0] != '_'))
with open(os.path.join(os.path.dirname(ansible.__file__), 'config', 'ansible_builtin_runtime.yml')) as f:
    routes = yaml.safe_load(f)['plugin_routing']['modules']
print(*(n for n, r in routes.items() if not r.get('redirect', 'testns.').startswith(('testns.', 'ansible.builtin.'))))
`

// TestElsewhere compares the list of names with the installed Ansible's.
func TestElsewhere(t *testing.T) {
	out, err := exec.Command("/usr/bin/python3", "-c", moduleNames).Output()
	if err != nil {
		msg := "Ansible, whose modules are compared with, is not installed: apt-get install ansible"
		if os.Getenv("CI") == "true" || os.Getenv("REQUIRE_ANSIBLE") == "1" {
			t.Fatal(msg)
		}
		t.Skip(msg)
	}
	for name := range strings.FieldsSeq(string(out)) {
		if _, ok := Elsewhere(name); !ok {
			t.Errorf("Ansible knows %s, and ansible_modules.txt does not", name)
		}
	}
	for name, want := range map[string]string{
		"nxos_command": "cisco.nxos", "ansible.builtin.nxos_command": "cisco.nxos", "iptables": "ansible.builtin",
		"no.such.module": "no.such", "a.b.c.d": "a.b.c", "comand": "", "ansible.builtin.comand": "", "a.b": "", "{{ x }}": "",
	} {
		if got, _ := Elsewhere(name); got != want {
			t.Errorf("%s is of %q, want %q", name, got, want)
		}
	}
}
