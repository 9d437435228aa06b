package runner

import (
	"reflect"
	"testing"

	"gplay/inventory"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/vars"
)

// reachNames are variables that say how a host is reached and as whom.
var reachNames = []string{
	"ansible_connection", "ansible_host", "ansible_ssh_host", "ansible_user", "ansible_ssh_user", "ansible_port", "ansible_ssh_port",
	"ansible_password", "ansible_ssh_pass", "ansible_ssh_private_key_file", "ansible_private_key_file",
	"ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_args", "ansible_timeout",
	"ansible_host_key_checking", "ansible_ssh_host_key_checking",
	"ansible_become", "ansible_become_user", "ansible_become_method", "ansible_become_password", "ansible_become_pass",
	"ansible_become_exe", "ansible_become_flags", "ansible_sudo_user", "ansible_sudo_pass", "ansible_sudo_exe", "ansible_doas_user",
}

// magicNames are what a play says of itself.
var magicNames = []string{
	"inventory_hostname", "group_names", "groups", "hostvars", "vars", "omit", "playbook_dir", "role_path", "play_hosts",
	"ansible_play_hosts", "ansible_check_mode", "ansible_version", "ansible_python_interpreter", "ansible_facts",
}

func evilFacts() *jinja.Dict {
	facts := jinja.NewDict()
	for _, name := range append(reachNames, magicNames...) {
		facts.Set(name, "1")
	}
	return facts
}

type silent struct{ Callback }

func (silent) Warning(string) {}

// No fact changes how a host is reached, or what a play says of itself.
func TestFactsDoNotSteer(t *testing.T) {
	inv, err := inventory.Load([]string{"h,"}, inventory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := New(Options{Inventory: inv, Callback: silent{}, HostKeyChecking: "true", RunVars: jinja.NewDict("ansible_version", "own")})
	defer r.Close()
	host := inv.Host("h")
	play := &playbook.Play{}
	target := func() (any, *vars.Scope) {
		p := &playRun{Runner: r, play: play, ctx: t.Context(), levels: map[*playbook.Task]vars.Levels{}, hosts: map[string]*inventory.Host{"h": host}}
		p.magic = p.magicVars(t.Context())
		x := &execution{playRun: p, task: &playbook.Task{Args: jinja.NewDict(), Parent: &playbook.Block{Play: play}}, host: host}
		x.scope = p.scope(t.Context(), x.task, host)
		to, err := x.target(x.scope, &settings{delegate: "h", vars: x.scope})
		if err != nil {
			t.Fatal(err)
		}
		return to, x.scope
	}
	before, _ := target()
	r.store.SetFacts("h", evilFacts())
	after, scope := target()
	if !reflect.DeepEqual(before, after) {
		t.Errorf("facts made %+v of %+v", after, before)
	}
	other := r.store.HostVars(t.Context(), "", nil).Scope(host)
	for _, name := range append(reachNames, magicNames...) {
		for where, s := range map[string]*vars.Scope{"its own": scope, "hostvars": other} {
			if v, _, _ := s.Lookup(name); v == "1" {
				t.Errorf("a fact set %s in %s variables", name, where)
			}
		}
	}
	if v, _, _ := scope.Lookup("ansible_facts"); v.(*jinja.Dict).Len() == 0 {
		t.Error("the facts are not in ansible_facts")
	}
}
