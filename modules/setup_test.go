package modules_test

import (
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"gplay/modules"
	"gplay/modules/host"
)

// Facts that real Ansible tells otherwise, or that change from one moment to
// the next.
var otherFacts = regexp.MustCompile(`^ansible_(` +
	`date_time|env|loadavg|mem.*|uptime_seconds|mounts` + // of the moment
	`|python.*|selinux_python_present` + // of Ansible's own Python
	`|system_capabilities.*` + // Ansible shows fragments of a program's text
	`|distribution_version` + // Debian's point release needs a library there
	`|fqdn|domain` + // names that only the C library's resolver knows
	`|lvm|device_links|all_ipv._addresses|interfaces|docker0|veth.*|br_.*|ifb.*` + // order, and what comes and goes beside this test
	`)$`)

// TestSetupAsAnsible compares the facts with those that real Ansible finds on
// this machine.
func TestSetupAsAnsible(t *testing.T) {
	real := ansibleFacts(t)
	own := setupFacts(t, nil)
	for name, want := range real {
		if otherFacts.MatchString(name) {
			continue
		}
		if link, ok := want.(map[string]any); ok {
			delete(link, "features") // need a program
			delete(link, "hw_timestamp_filters")
			delete(link, "timestamping")
			delete(link, "phc_index")
		}
		if got, there := own[name]; !there || !reflect.DeepEqual(sorted(got), sorted(want)) {
			t.Errorf("%s is %v, Ansible has %v", name, got, want)
		}
	}
	for name := range own {
		if _, there := real[name]; !there && !otherFacts.MatchString(name) {
			t.Errorf("Ansible has no fact %s", name)
		}
	}
}

// sorted puts lists of words in order: Ansible has some of them in none.
func sorted(v any) any {
	list, ok := v.([]any)
	if !ok || slices.ContainsFunc(list, func(e any) bool { _, word := e.(string); return !word }) {
		return v
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b any) int { return cmp.Compare(a.(string), b.(string)) })
	return list
}

func ansibleFacts(t *testing.T) map[string]any {
	t.Helper()
	if _, err := exec.LookPath("ansible"); err != nil {
		if os.Getenv("CI") == "true" || os.Getenv("REQUIRE_ANSIBLE") == "1" {
			t.Fatal("this test needs Ansible")
		}
		t.Skip("this test needs Ansible")
	}
	cmd := exec.Command("ansible", "localhost", "-m", "setup")
	cmd.Env = append(os.Environ(), "ANSIBLE_LOAD_CALLBACK_PLUGINS=1", "ANSIBLE_STDOUT_CALLBACK=json")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Plays []struct {
			Tasks []struct {
				Hosts map[string]struct {
					Facts map[string]any `json:"ansible_facts"`
				}
			}
		}
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return answer.Plays[0].Tasks[0].Hosts["localhost"].Facts
}

// setupFacts are gplay's, as they look after JSON.
func setupFacts(t *testing.T, args map[string]any) map[string]any {
	t.Helper()
	h := &host.Local{}
	result := modules.Setup.Run(t.Context(), h, h, nil, false, false, args)
	if result["failed"] == true {
		t.Fatal(result["msg"])
	}
	data, err := json.Marshal(result["ansible_facts"])
	if err != nil {
		t.Fatal(err)
	}
	var facts map[string]any
	if err := json.Unmarshal(data, &facts); err != nil {
		t.Fatal(err)
	}
	return facts
}

func TestSetupFilter(t *testing.T) {
	for _, tt := range []struct {
		filter []any
		want   []string
	}{
		{[]any{"ansible_kernel"}, []string{"ansible_kernel"}},
		{[]any{"kernel"}, []string{"ansible_kernel"}},
		{[]any{"ansible_kern*", "os_family"}, []string{"ansible_kernel", "ansible_kernel_version", "ansible_os_family"}},
		{[]any{"facter_*"}, nil},
	} {
		var got []string
		for name := range setupFacts(t, map[string]any{"gather_subset": []any{"min"}, "filter": tt.filter}) {
			got = append(got, name)
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("filter %v leaves %v, want %v", tt.filter, got, tt.want)
		}
	}
}

func TestSetupSaysWhatWasAsked(t *testing.T) {
	facts := setupFacts(t, map[string]any{"gather_subset": []any{"!all", "network"}})
	if facts["module_setup"] != true || !reflect.DeepEqual(facts["gather_subset"], []any{"!all", "network"}) {
		t.Errorf("module_setup %v, gather_subset %v", facts["module_setup"], facts["gather_subset"])
	}
}
