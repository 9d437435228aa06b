package lookups

import (
	"testing"

	"gplay/internal/oracle"
)

// TestEveryNameOfAnsibleIsThere asks Ansible what there is, and looks for what
// was Ansible's once and is community.general's today.
func TestEveryNameOfAnsibleIsThere(t *testing.T) {
	var names []string
	for _, name := range oracle.Names(t, "lookup", "ansible.builtin") {
		names = append(names, name, "ansible.builtin."+name, "ansible.legacy."+name)
	}
	for _, name := range []string{"cartesian", "consul_kv", "flattened"} {
		names = append(names, name, "community.general."+name)
	}
	for _, name := range names {
		if _, ok := Find(name); !ok {
			t.Errorf("there is no lookup %s", name)
		}
	}
}
