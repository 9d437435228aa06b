package vars

import (
	"strings"

	"gplay/jinja"
	"gplay/playbook/filters"
)

const prefix = "ansible_"

// guarded are variables that facts from a host never set, for they decide
// where and as whom the next task runs, or are what the play says of itself.
var guarded = map[string]bool{
	"inventory_hostname": true, "inventory_hostname_short": true, "inventory_dir": true, "inventory_file": true,
	"hostvars": true, "groups": true, "group_names": true, "omit": true, "vars": true, "environment": true,
	"playbook_dir": true, "play_hosts": true, "role_path": true, "role_name": true, "role_names": true, "role_uuid": true,
	"ansible_host": true, "ansible_port": true, "ansible_user": true, "ansible_password": true,
	"ansible_connection": true, "ansible_connection_user": true, "ansible_remote_user": true, "ansible_private_key_file": true,
	"ansible_host_key_checking": true, "ansible_ssh_host_key_checking": true, "ansible_pipelining": true, "ansible_network_os": true,
	"ansible_shell_type": true, "ansible_shell_executable": true, "ansible_executable": true, "ansible_module_compression": true,
	"ansible_delegated_vars": true, "ansible_playbook_python": true, "ansible_rsync_path": true, "ansible_timeout": true,
	"ansible_facts": true, "ansible_version": true, "ansible_check_mode": true, "ansible_diff_mode": true, "ansible_config_file": true,
	"ansible_search_path": true, "ansible_forks": true, "ansible_limit": true, "ansible_verbosity": true,
	"ansible_run_tags": true, "ansible_skip_tags": true, "ansible_inventory_sources": true, "ansible_loop": true,
}

// guardedPrefixes begin the names of more of them.
var guardedPrefixes = []string{
	"ansible_ssh_", "ansible_sftp_", "ansible_scp_", "ansible_docker_", "ansible_paramiko_", "ansible_winrm_",
	"ansible_become", "ansible_sudo", "ansible_su_", "ansible_doas_",
	"ansible_play_", "ansible_role_", "ansible_parent_role_", "ansible_dependent_role_", "ansible_failed_", "ansible_local_",
}

func fromHost(name string) bool {
	if guarded[name] || name == gathered || strings.HasSuffix(name, "_interpreter") {
		return false
	}
	if strings.HasPrefix(name, "ansible_ssh_host_key_") {
		return true
	}
	for _, p := range guardedPrefixes {
		if strings.HasPrefix(name, p) {
			return false
		}
	}
	return true
}

// Safe is facts without the names that a host must not set.
func Safe(facts *jinja.Dict) *jinja.Dict {
	out := &jinja.Dict{Class: filters.UnsafeText}
	for k, v := range facts.All() {
		if name, ok := k.(string); ok && fromHost(name) {
			out.Set(k, untemplated(v))
		}
	}
	return out
}

// untemplated is v as part of an unsafe dict, which the texts in v are no part of:
// those of a cache or of set_fact are not unsafe yet.
func untemplated(v any) any {
	if _, text := v.(string); text {
		return v
	}
	return unsafe(v)
}

func unprefixed(facts *jinja.Dict) *jinja.Dict {
	out := &jinja.Dict{Class: filters.UnsafeText}
	for k, v := range facts.All() {
		if name, ok := k.(string); ok && name != "ansible_local" {
			k = strings.TrimPrefix(name, prefix)
		}
		out.Set(k, untemplated(v))
	}
	return out
}

// found are facts as variables. What decides how a host is reached is never
// looked for among them, whatever its name.
type found struct{ *jinja.Dict }

// factsVar is the variable ansible_facts.
type factsVar struct{ facts *jinja.Dict }

func (f factsVar) Get(key any) (any, bool) {
	if key != "ansible_facts" {
		return nil, false
	}
	if f.facts == nil {
		return jinja.NewDict(), true
	}
	return f.facts, true
}

func (f factsVar) Keys() []any { return []any{"ansible_facts"} }
func (f factsVar) Len() int    { return 1 }
