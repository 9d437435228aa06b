// Package oracle lets tests ask real Ansible.
package oracle

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
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

//go:embed expressions.py
var expressions []byte

// World is what expressions are evaluated in.
type World struct {
	Dir   string   // where files are looked for
	Vars  string   // a file of variables
	Hosts []string // sources of the inventory; localhost when there are none
	Host  string   // whose variables count; the first one's when empty
	Env   []string
}

// Outcome is what Ansible makes of an expression: text, as it stands between
// the brackets of a list, or an error.
type Outcome struct {
	Text, Error string
	Undefined   bool // the error is that something is undefined
}

// Expressions evaluates all of the expressions in one process.
func Expressions(t *testing.T, w World, exprs []string) []Outcome {
	t.Helper()
	in, err := json.Marshal(map[string]any{"dir": w.Dir, "vars": w.Vars, "hosts": w.Hosts, "host": w.Host, "expressions": exprs})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/bin/python3", "-c", string(expressions))
	cmd.Env = append(append(os.Environ(), "ANSIBLE_LOCALHOST_WARNING=false", "ANSIBLE_DEPRECATION_WARNINGS=false"), w.Env...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var pairs [][2]string
	if err == nil {
		err = json.Unmarshal(out, &pairs)
	}
	if err != nil || len(pairs) != len(exprs) {
		t.Fatalf("%v: %d outcomes for %d expressions\n…%s", err, len(pairs), len(exprs), stderr.Bytes()[max(0, stderr.Len()-2000):])
	}
	outcomes := make([]Outcome, len(pairs))
	for i, p := range pairs {
		if p[0] == "text" {
			outcomes[i].Text = p[1]
		} else {
			outcomes[i] = Outcome{Error: p[1], Undefined: p[0] == "undefined"}
		}
	}
	return outcomes
}

// Names are the plugins of a kind (filter, test, lookup) that a collection has
// by Ansible's documentation, without the collection.
func Names(t *testing.T, kind, collection string) []string {
	t.Helper()
	Need(t)
	out, err := exec.Command("ansible-doc", "--json", "-t", kind, "-l", collection).Output()
	var all map[string]string
	if err == nil {
		err = json.Unmarshal(out, &all)
	}
	if err != nil || len(all) == 0 {
		t.Fatalf("%v: %s", err, out)
	}
	var names []string
	for full := range all {
		names = append(names, strings.TrimPrefix(full, collection+"."))
	}
	return names
}
