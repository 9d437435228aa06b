// Package oracle lets tests ask real Ansible.
package oracle

import (
	"os"
	"os/exec"
	"testing"
)

// Need skips a test where there is no Ansible; where CI or REQUIRE_ANSIBLE is
// set, that is a failure.
func Need(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ansible-playbook"); err == nil {
		return
	}
	const missing = "ansible-playbook is missing: install ansible-core 2.14"
	if os.Getenv("CI") == "true" || os.Getenv("REQUIRE_ANSIBLE") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// Run runs a playbook file on this machine. Warnings about Ansible itself are off.
func Run(t *testing.T, playbook string) {
	t.Helper()
	cmd := exec.Command("ansible-playbook", "-i", "localhost,", "-c", "local", playbook)
	cmd.Env = append(os.Environ(), "ANSIBLE_LOCALHOST_WARNING=false", "ANSIBLE_DEPRECATION_WARNINGS=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n…%s", err, out[max(0, len(out)-2000):])
	}
}
