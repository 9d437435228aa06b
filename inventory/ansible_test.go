package inventory

import (
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gplay/internal/oracle"
	"gplay/internal/pyjson"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// plain makes a value that reflect.DeepEqual compares as JSON would.
func plain(v any) any {
	switch v := v.(type) {
	case *jinja.Dict:
		m := map[string]any{}
		for k, item := range v.All() {
			m[fmt.Sprint(k)] = plain(item)
		}
		return m
	case *jinja.List:
		return plain(jinja.Tuple(v.Items))
	case jinja.Tuple:
		items := []any{}
		for _, item := range v {
			items = append(items, plain(item))
		}
		return items
	case *big.Int:
		return v.String()
	case *yaml.Template:
		return v.Text
	}
	return v
}

func TestInventoriesAsAnsibleReadsThem(t *testing.T) {
	oracle.Need(t)
	for _, sources := range []string{
		"ini/hosts", "yaml/hosts.yml", "dir", "script/list", "script/nometa", "ini/hosts yaml/hosts.yml", "b:22,a,b,[x],c[1:2],",
	} {
		t.Run(sources, func(t *testing.T) {
			t.Parallel()
			paths := strings.Fields(sources)
			args := []string{"--list"}
			for i, p := range paths {
				if !strings.Contains(p, ",") {
					paths[i] = filepath.Join("testdata", p)
				}
				args = append(args, "-i", paths[i])
			}
			out, err := exec.Command("ansible-inventory", args...).Output()
			if err != nil {
				t.Fatal(err)
			}
			v, err := pyjson.Decode(string(out))
			if err != nil {
				t.Fatal(err)
			}
			inv, err := Load(paths, Options{})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, inv, plain(v).(map[string]any))
		})
	}
}

func compare(t *testing.T, inv *Inventory, want map[string]any) {
	t.Helper()
	hostvars := want["_meta"].(map[string]any)["hostvars"].(map[string]any)
	for _, h := range inv.Hosts {
		got := mergedVars(t, inv, h)
		w, _ := hostvars[h.Name].(map[string]any)
		if w == nil {
			w = map[string]any{}
		}
		if !reflect.DeepEqual(got, w) {
			t.Errorf("variables of %s:\n got %v\nwant %v", h.Name, got, w)
		}
		delete(hostvars, h.Name)
	}
	if len(hostvars) > 0 {
		t.Errorf("missing hosts: %v", hostvars)
	}
	for _, g := range inv.Groups {
		w, _ := want[g.Name].(map[string]any)
		var hosts, children []any
		for _, h := range g.Hosts {
			hosts = append(hosts, h.Name)
		}
		for _, c := range g.Children {
			children = append(children, c.Name)
		}
		wantHosts, _ := w["hosts"].([]any)
		if g.Name != "all" && !slices.Equal(hosts, wantHosts) {
			t.Errorf("hosts of %s: got %v, want %v", g.Name, hosts, wantHosts)
		}
		if wantChildren, _ := w["children"].([]any); !slices.Equal(children, wantChildren) {
			t.Errorf("children of %s: got %v, want %v", g.Name, children, wantChildren)
		}
	}
}

// mergedVars are a host's variables as ansible-inventory shows them.
func mergedVars(t *testing.T, inv *Inventory, h *Host) map[string]any {
	t.Helper()
	layers, err := inv.HostVars(h, nil)
	if err != nil {
		t.Fatal(err)
	}
	vars := jinja.NewDict()
	for _, l := range layers {
		for k, v := range l.Vars.All() {
			vars.Set(k, v)
		}
	}
	for _, k := range []string{"inventory_hostname", "inventory_hostname_short", "group_names", "inventory_file", "inventory_dir"} {
		vars.Delete(k)
	}
	return plain(vars).(map[string]any)
}

var patterns = []string{
	"all", "*", "web", "site", "site:!web", "web:&late", "db,late", "db:late", "~web.*", "~.*\\.example\\.com",
	"web*", "web0[13]*", "web0[!13]*", "web[0]", "web[-1]", "web[1:3]", "web[1:]", "web[8:99]", "db[0:0]", "!web", "&db",
	"web-?", "lonely", "localhost", "127.0.0.1", "ungrouped", "all:!ungrouped", "db1", "10.0.0.1", "10.0.0.*",
	"2001:db8::1", "[2001:db8::1]", "late[0]:db[1]", "a*", "l*", "*1", "nothing", "nothing:db", "site[0:1],db2",
	"all[0]", "db1:&late", "late:!db1", "web01.example.com,web-a", "~(db|late)1$", "db:db:db1",
}

func TestPatternsAsAnsibleMatchesThem(t *testing.T) {
	oracle.Need(t)
	inv, err := Load([]string{"testdata/ini/hosts"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []string{"", "db:web", "!db1", "@testdata/limit"} {
		var book strings.Builder
		for _, p := range patterns {
			fmt.Fprintf(&book, "- hosts: '%s'\n", p)
		}
		file := filepath.Join(t.TempDir(), "plays.yml")
		if err := os.WriteFile(file, []byte(book.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"-i", "testdata/ini/hosts", "--list-hosts", file}
		var limits []string
		if limit != "" {
			args = append(args, "--limit", limit)
			if limits, err = ParseLimit(limit); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command("ansible-playbook", args...).Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		plays := strings.Split(string(out), "\n  play #")[1:]
		if len(plays) != len(patterns) {
			t.Fatalf("%d plays for %d patterns: %s", len(plays), len(patterns), out)
		}
		for i, p := range patterns {
			_, list, _ := strings.Cut(plays[i], "hosts (")
			_, list, _ = strings.Cut(list, ":\n")
			want := strings.Fields(list)
			s, err := inv.Select([]string{p}, limits)
			if err != nil {
				t.Errorf("%q: %v", p, err)
			}
			var got []string
			for _, h := range s.Hosts {
				got = append(got, h.Name)
			}
			// --list-hosts prints a set, without order.
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("pattern %q, limit %q: got %v, want %v", p, limit, got, want)
			}
		}
	}
}
