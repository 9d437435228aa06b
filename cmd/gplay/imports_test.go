package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport says which of gplay's packages each one may import. Imports point
// one way: what runs on a host knows nothing of playbooks, and the language
// knows nothing of how hosts are reached.
var mayImport = map[string][]string{
	"cmd/gplay":              {"connection", "connection/agent", "internal/pyjson", "internal/source", "internal/vault", "internal/yaml", "inventory", "jinja", "modules", "playbook", "playbook/actions", "playbook/callback", "playbook/runner", "playbook/vars"},
	"playbook/callback":      {"internal/pyyaml", "internal/source", "jinja", "playbook", "playbook/runner", "playbook/vars"},
	"playbook/runner":        {"connection", "internal/source", "internal/vault", "internal/yaml", "inventory", "jinja", "modules", "playbook", "playbook/actions", "playbook/lookups", "playbook/vars"},
	"playbook/actions":       {"internal/pyregex", "internal/source", "internal/vault", "internal/yaml", "jinja", "modules", "playbook", "playbook/vars"},
	"playbook/vars":          {"internal/pyliteral", "internal/pytime", "internal/source", "internal/vault", "internal/yaml", "inventory", "jinja", "playbook/filters", "playbook/lookups"},
	"playbook/filters":       {"internal/jmespath", "internal/pyjson", "internal/pyliteral", "internal/pymath", "internal/pyregex", "internal/pytime", "internal/pyyaml", "internal/source", "internal/unixcrypt", "internal/vault", "internal/yaml", "jinja"},
	"playbook/lookups":       {"playbook/filters", "internal/ciphers", "internal/netrc", "internal/pyjson", "internal/pyliteral", "internal/pyregex", "internal/source", "internal/unixcrypt", "internal/vault", "internal/yaml", "jinja"},
	"playbook":               {"internal/pyjson", "internal/source", "internal/vault", "internal/yaml", "jinja"},
	"inventory":              {"internal/pyjson", "internal/pyliteral", "internal/pyregex", "internal/source", "internal/vault", "internal/yaml", "jinja"},
	"connection":             {"connection/agent"},
	"connection/agent":       {"modules", "modules/facts", "modules/host"},
	"modules":                {"internal/ciphers", "internal/netrc", "internal/pyregex", "internal/source", "modules/compose", "modules/consultemplate", "modules/dpkg", "modules/engine", "modules/facts", "modules/host"},
	"modules/consultemplate": {}, "modules/dpkg": {"modules/host"}, "modules/engine": {},
	"modules/compose": {},
	"modules/facts":   {"modules/host"},
	"modules/host":    {},
	"jinja":           {"internal/pymath"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}: {{join .Imports \" \"}}", "gplay/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		name, imports, _ := strings.Cut(strings.TrimSpace(line), ": ")
		name = strings.TrimSuffix(strings.TrimPrefix(name, "gplay/"), ":")
		allowed, known := mayImport[name]
		if !known {
			if !strings.HasPrefix(name, "internal/") && name != "lab" && !strings.HasPrefix(name, "lab/") && name != "modules/moduletest" {
				t.Errorf("package %s is not in the picture: say what it may import", name)
			}
			continue
		}
		for imp := range strings.FieldsSeq(imports) {
			if own, ok := strings.CutPrefix(imp, "gplay/"); ok && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s", name, own)
			}
		}
	}
}
