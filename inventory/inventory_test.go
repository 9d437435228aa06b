package inventory

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gplay/internal/yaml"
	"gplay/jinja"
)

func TestMistakesHaveAPlace(t *testing.T) {
	for _, c := range []struct{ file, text, want string }{
		{"hosts", "[a\nb", `hosts:1:1: the host range in "[a" has no closing bracket`},
		{"hosts", "ok\n  [a b]", "hosts:2:3: invalid section entry: '[a b]'; there must be no spaces or other invalid characters in it"},
		{"hosts", "[a:var]", "hosts:1:1: section [a:var] has unknown type: var"},
		{"hosts", "[a:vars]\nx=1", "hosts:1:1: section [a:vars] not valid for undefined group: a"},
		{"hosts", "[a]\n[a:children]\nb", "hosts:3:1: section [a:children] includes undefined group: b"},
		{"hosts", "h x", "hosts:1:3: expected key=value host variable assignment, got: x"},
		{"hosts", "[a]\n[a:vars]\nword", "hosts:3:1: expected key=value, got: word"},
		{"hosts", "h x='1", "hosts:1:1: error parsing host definition 'h x='1': no closing quotation"},
		{"hosts", "g\nh:", "hosts:2:1: invalid host pattern 'h:' supplied, ending in ':' is not allowed, this character is reserved to provide a port"},
		{"hosts", "h[1]", "hosts:1:1: host range must be begin:end or begin:end:step, got [1]"},
		{"hosts", "h[01:3]", "hosts:1:1: host range must specify equal-length begin and end formats, got [01:3]"},
		{"hosts", "h[c:a]", "hosts:1:1: host range must have begin <= end, got [c:a]"},
		{"hosts", "h[1:9999999999]", "hosts:1:1: the host range [1:9999999999] has more than 1048576 hosts"},
		{"hosts", "[a:children]\nb\n[b:children]\na", `hosts:4:1: adding group "a" as child to "b" creates a recursive dependency loop`},
		{"hosts", "[a]\n[a:vars]\nansible_group_priority=high", "hosts:3:24: ansible_group_priority must be a number, got high"},
		{"hosts.yml", "- a", "hosts.yml:1:1: a YAML inventory must be a dict of groups, not a list"},
		{"hosts.yml", "all:\n  host: {}", `hosts.yml:2:3: unexpected key "host" in group "all", only vars, children and hosts are valid`},
		{"hosts.yml", "all:\n  hosts: [a]", `hosts.yml:2:10: hosts of group "all" must be a dict, not a list`},
		{"hosts.yml", "all:\n  hosts:\n    1:", "hosts.yml:3:5: a host must be a string, not the number 1: put it in quotation marks"},
		{"hosts.yml", "all:\n  hosts:\n    a: b", `hosts.yml:3:8: the variables of host "a" must be a dict, not the string "b"`},
		{"hosts.yml", "plugin: x", "hosts.yml:1:1: inventory plugins are not supported, use a file of hosts or an executable script"},
		{"hosts.yml", "# nothing", "hosts.yml:1:1: the inventory is empty"},
		{"script", "#!/bin/sh\necho no >&2; exit 3", "script: inventory script had an execution error: exit status 3: no"},
		{"script", "#!/bin/sh\necho [", "script: what the inventory script prints for --list is no JSON: Expecting value: line 2 column 1 (char 2)"},
		{"script", "#!/bin/sh\necho 1", "script: the inventory script must print a JSON object for --list"},
		{"script", "#!/bin/sh\n" + `echo '{"a": {"hosts": "b"}}'`, `script: group "a": hosts must be a list`},
		{"secret.yml", "$ANSIBLE_VAULT;1.1;AES256\n3061306130", "secret.yml: the file is encrypted, and there is no vault password"},
	} {
		t.Run(c.want, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), c.file)
			mode := os.FileMode(0o600)
			if c.file == "script" {
				mode = 0o700
			}
			if err := os.WriteFile(file, []byte(c.text), mode); err != nil {
				t.Fatal(err)
			}
			_, err := Load([]string{file}, Options{})
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.TrimPrefix(err.Error(), filepath.Dir(file)+"/"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestATextWithJinjaIsATemplateWithItsPlace(t *testing.T) {
	inv, err := Load([]string{"testdata/ini/hosts"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := inv.Host("web01.example.com").Vars.Get("tmpl")
	tmpl, ok := v.(*yaml.Template)
	if !ok || tmpl.Text != "{{ http_port }}" || tmpl.Pos.Line != 10 || tmpl.Pos.Col != 44 {
		t.Errorf("got %#v", v)
	}
}

func TestAnExecutableTextIsNoScript(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte("[web]\nweb1\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	inv, err := Load([]string{file}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if hosts, _ := inv.Match("web"); len(hosts) != 1 {
		t.Errorf("got %v", hosts)
	}
}

func TestLocalhostIsThereUnlessASourceHasIt(t *testing.T) {
	inv, err := Load(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := inv.Select([]string{"localhost"}, nil)
	if err != nil || len(s.Hosts) != 1 || !s.Hosts[0].Implicit || s.Unmatched != nil {
		t.Fatalf("got %+v, %v", s, err)
	}
	if c, _ := s.Hosts[0].Vars.Get("ansible_connection"); c != "local" {
		t.Errorf("ansible_connection is %v", c)
	}
	if hosts, _ := inv.Match("all"); len(hosts) != 0 {
		t.Errorf("all has %v", hosts)
	}
	inv, err = Load([]string{"localhost,"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if hosts, _ := inv.Match("localhost"); len(hosts) != 1 || hosts[0].Implicit {
		t.Errorf("got %v", hosts)
	}
}

func TestPatternsThatMatchNothingAreNamed(t *testing.T) {
	inv, err := Load([]string{"a,b,"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := inv.Select([]string{"a:c", "!d"}, []string{"e*"})
	if err != nil || !slices.Equal(s.Unmatched, []string{"c", "d", "e*"}) || len(s.Hosts) != 0 {
		t.Errorf("got %+v, %v", s, err)
	}
	if _, err := inv.Match("all[7]"); err == nil || err.Error() != "no hosts matched the subscripted pattern 'all[7]', which has 2" {
		t.Errorf("got %v", err)
	}
}

func TestHostsAndGroupsComeWhileItRuns(t *testing.T) {
	inv, err := Load([]string{"testdata/dir"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	changed, err := inv.AddHost("new", 2222, jinja.NewDict("x", 1), []string{"a", "made"})
	if err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if changed, err = inv.AddHost("new", 0, nil, []string{"a"}); err != nil || changed {
		t.Errorf("again: changed %v, %v", changed, err)
	}
	if names := inv.Host("new").GroupNames(); !slices.Equal(names, []string{"a", "b", "c", "made"}) {
		t.Errorf("group_names: %v", names)
	}
	changed, err = inv.AddToGroup("a1", "os_debian", []string{"os"})
	if err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if changed, err = inv.AddToGroup("a1", "os_debian", []string{"os"}); err != nil || changed {
		t.Errorf("again: changed %v, %v", changed, err)
	}
	if hosts, _ := inv.Match("os:made"); len(hosts) != 2 || hosts[0].Name != "a1" || hosts[1].Name != "new" {
		t.Errorf("got %v", hosts)
	}
	if hosts, _ := inv.Match("all"); len(hosts) != 4 || hosts[0].Name != "new" {
		t.Errorf("all has %v", hosts)
	}
}

func TestPlaybookVarsOverrideInventoryVars(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"inv/hosts":              "[g]\nh a=inv-host\n[g:vars]\na=inv-group\nb=inv-group\n[all:vars]\nc=inv-all\nb=inv-all\n",
		"inv/group_vars/all.yml": "c: inv-file-all\nd: inv-file-all\n",
		"inv/group_vars/g.yml":   "e: inv-file-g\n",
		"inv/host_vars/h.yml":    "f: inv-file-h\n",
		"pb/group_vars/all.yml":  "d: pb-all\ne: pb-all\nb: pb-all\n",
		"pb/group_vars/g.yml":    "d: pb-g\n",
		"pb/host_vars/h.yml":     "f: pb-h\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inv, err := Load([]string{filepath.Join(dir, "inv/hosts")}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	layers, err := inv.HostVars(inv.Host("h"), []string{filepath.Join(dir, "pb")})
	if err != nil {
		t.Fatal(err)
	}
	got := map[any]any{}
	for _, l := range layers {
		for k, v := range l.Vars.All() {
			got[k] = v
		}
	}
	for k, want := range map[string]string{
		"a": "inv-host", "b": "pb-all", "c": "inv-file-all", "d": "pb-g", "e": "inv-file-g", "f": "pb-h", "inventory_hostname": "h",
	} {
		if got[k] != want {
			t.Errorf("%s is %v, want %s", k, got[k], want)
		}
	}
}
