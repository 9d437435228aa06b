package main

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"
)

var (
	randomPlaybooks = flag.Int("random", 4, "how many random playbooks to compare with Ansible")
	randomSeed      = flag.Uint64("seed", 1, "of the random playbooks; 0 takes the clock's")
)

// TestRandomPlaybooks runs playbooks in which keywords meet by chance with
// gplay and with Ansible. Those that differ are printed whole.
func TestRandomPlaybooks(t *testing.T) {
	ansible := oracle(t)
	seed := *randomSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed=%d -random=%d", seed, *randomPlaybooks)
	for i := range *randomPlaybooks {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			g := generator{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
			s := g.scenario()
			defer func() {
				if t.Failed() {
					t.Logf("%v %v\n%s", s.runs[0].env, s.runs[0].args, txtar.Format(&txtar.Archive{Files: s.files}))
				}
			}()
			got, err := s.perform(t, "gplay")
			if err != nil {
				t.Fatal(err)
			}
			s.agree(t, ansible, got, []bool{false})
		})
	}
}

// generator makes a playbook and the files that it uses. It leaves out what is
// known to differ: -vv, which tells some things in another order, hosts that are
// not reached in loops, copy's temporary files and variables that need themselves.
type generator struct {
	*rand.Rand
	depth  int  // of blocks
	within bool // a file that is included
	names  int  // of tasks, so far
}

type mapping = map[string]any

func (g *generator) scenario() scenario {
	s := scenario{name: "random"}
	add := func(name string, content any) {
		data, err := yaml.Marshal(content)
		if err != nil {
			panic(err)
		}
		s.files = append(s.files, txtar.File{Name: name, Data: data})
	}
	s.files = append(s.files, txtar.File{Name: "hosts", Data: []byte(randomHosts)})
	plays := several(g, 1, 3, g.play)
	if g.chance(5) {
		plays = append(plays, g.importedPlaybook())
	}
	add("site.yml", plays)
	add("other.yml", several(g, 1, 2, g.play))
	add("vars/one.yml", g.vars())
	add("vars/two.yml", mapping{"v": "of two", "w": []any{"{{ x }}"}})
	s.files = append(s.files, txtar.File{Name: "templates/t.j2", Data: []byte(randomTemplate)})
	g.within = true
	leaf := func() any { t := mapping{}; g.action(t); g.taskKeywords(t); return t }
	add("tasks/leaf.yml", several(g, 1, 2, leaf))
	add("roles/one/tasks/leaf.yml", several(g, 1, 2, leaf))
	for _, name := range []string{"one", "two"} {
		add("tasks/"+name+".yml", several(g, 1, 3, g.task))
		add("roles/"+name+"/tasks/main.yml", several(g, 1, 3, g.task))
		add("roles/"+name+"/tasks/other.yml", several(g, 1, 2, g.task))
		add("roles/"+name+"/vars/other.yml", g.vars())
		add("roles/"+name+"/handlers/main.yml", []any{g.handler("first"), g.handler("of " + name)})
		add("roles/"+name+"/defaults/main.yml", g.vars())
		add("roles/"+name+"/vars/main.yml", g.vars())
	}
	add("roles/two/meta/main.yml", mapping{"dependencies": g.some([]any{"one"}), "allow_duplicates": g.chance(2)})
	s.runs = []run{newRun("site.yml", slices.Concat(g.settings(), g.options(), []string{"-i", "hosts", "site.yml"}))}
	return s
}

const randomHosts = `a x=1 ansible_connection=local
b x=2 ansible_connection=local
c x=3 ansible_connection=local
[some]
a
b
[more]
b
c
[some:vars]
v=of_some
w=[1,2]
`

const randomTemplate = `{{ v | default('-') }} of {{ x }}
{% for one in w | default([]) %}
  {{ loop.index }}: {{ one }}
{% endfor %}
`

func (g *generator) chance(n int) bool              { return g.IntN(n) == 0 }
func (g *generator) oneOf(choices ...string) string { return choices[g.IntN(len(choices))] }
func (g *generator) pick(choices ...any) any        { return choices[g.IntN(len(choices))] }

func (g *generator) some(all []any) []any {
	return slices.DeleteFunc(slices.Clone(all), func(any) bool { return g.chance(2) })
}

func several[T any](g *generator, from, to int, one func() T) []T {
	all := make([]T, from+g.IntN(to-from+1))
	for i := range all {
		all[i] = one()
	}
	return all
}

// maybe gives m the keyword once in n times.
func (g *generator) maybe(m mapping, n int, keyword string, value func() any) {
	if g.chance(n) {
		m[keyword] = value()
	}
}

// settings are of the environment.
func (g *generator) settings() []string {
	var all []string
	for _, choice := range []string{
		"ANSIBLE_STDOUT_CALLBACK=" + g.oneOf("yaml", "minimal", "oneline", "json", "debug", "unixy", "selective", "null"),
		"ANSIBLE_CALLBACK_RESULT_FORMAT=yaml", "ANSIBLE_DISPLAY_SKIPPED_HOSTS=no", "ANSIBLE_DISPLAY_OK_HOSTS=no",
		"ANSIBLE_CHECK_MODE_MARKERS=yes", "ANSIBLE_SHOW_TASK_PATH_ON_FAILURE=yes", "ANSIBLE_SHOW_CUSTOM_STATS=yes",
		"ANSIBLE_HASH_BEHAVIOUR=merge", "ANSIBLE_JINJA2_NATIVE=yes", "ANSIBLE_PRIVATE_ROLE_VARS=yes", "ANSIBLE_ANY_ERRORS_FATAL=yes",
		"ANSIBLE_FORCE_HANDLERS=yes", "ANSIBLE_ERROR_ON_MISSING_HANDLER=no", "ANSIBLE_DISPLAY_FAILED_STDERR=yes",
	} {
		if g.chance(14) {
			all = append(all, choice)
		}
	}
	return all
}

func (g *generator) importedPlaybook() any {
	p := mapping{"import_playbook": "other.yml"}
	g.maybe(p, 2, "vars", func() any { return g.vars() })
	g.maybe(p, 2, "tags", func() any { return g.tag() })
	g.maybe(p, 2, "when", g.condition)
	return p
}

func (g *generator) options() []string {
	var args []string
	for _, choice := range [][]string{
		{"--check"}, {"--diff"}, {"-v"}, {"--tags", g.tag()}, {"--skip-tags", g.tag()}, {"--limit", g.pattern()}, {"--force-handlers"},
		{"-e", "v=extra"}, {"-e", `{"w": [7], "flag": false}`}, {"--start-at-task", "task 3"}, {"--list-tasks"},
		{"-e", "@vars/one.yml"}, {"--list-tags"}, {"--flush-cache"},
	} {
		if g.chance(8) {
			args = append(args, choice...)
		}
	}
	return args
}

func (g *generator) tag() string {
	return g.oneOf("red", "blue", "always", "never", "red,blue", "tagged", "untagged", "all")
}
func (g *generator) pattern() string {
	return g.oneOf("all", "some", "more", "a", "b:c", "all:!b", "some:&more", "a,c")
}
func (g *generator) host() string {
	return g.oneOf("a", "b", "c", "localhost", "{{ groups.more[0] }}", "{{ groups.more[item.k | default(0)] }}")
}

func (g *generator) play() any {
	p := mapping{"hosts": g.oneOf("some", "more", "some:more", "a", "all:!b", "all", "localhost", "nosuch", "all:&more"), "gather_facts": false}
	g.maybe(p, 2, "vars", func() any { return g.vars() })
	g.maybe(p, 6, "vars_files", func() any {
		return g.pick("vars/one.yml", []any{"vars/one.yml", "vars/two.yml"}, []any{[]any{"vars/{{ v }}.yml", "vars/two.yml"}})
	})
	g.maybe(p, 8, "strategy", func() any { return g.oneOf("linear", "ansible.builtin.linear", "debug") })
	g.maybe(p, 4, "serial", func() any { return g.pick(1, 2, "50%", []any{1, "100%"}) })
	g.maybe(p, 6, "any_errors_fatal", func() any { return g.playFlag() })
	g.maybe(p, 6, "max_fail_percentage", func() any { return g.pick(0, 30, 50) })
	g.maybe(p, 5, "force_handlers", func() any { return g.playFlag() })
	g.maybe(p, 8, "ignore_unreachable", func() any { return true })
	g.maybe(p, 8, "order", func() any { return g.pick("reverse_inventory", "sorted", "reverse_sorted") })
	g.maybe(p, 6, "module_defaults", func() any { return mapping{"debug": mapping{"msg": g.value()}, "set_fact": mapping{"v": "by default"}} })
	g.maybe(p, 3, "roles", func() any { return several(g, 1, 2, g.role) })
	g.maybe(p, 4, "pre_tasks", func() any { return several(g, 1, 2, g.task) })
	g.maybe(p, 4, "post_tasks", func() any { return several(g, 1, 2, g.task) })
	p["tasks"] = several(g, 1, 5, g.task)
	p["handlers"] = []any{g.handler("first"), g.handler("second"), g.handler("first")}
	g.common(p, 10)
	return p
}

func (g *generator) role() any {
	r := mapping{"role": g.oneOf("one", "two")}
	g.maybe(r, 5, "v", func() any { return g.pick("of the role", "{{ x }}") })
	g.maybe(r, 3, "vars", func() any { return g.vars() })
	g.common(r, 6)
	return r
}

// common are the keywords that plays, roles, blocks and tasks have.
func (g *generator) common(m mapping, n int) {
	g.maybe(m, 3*n, "check_mode", func() any { return g.flag() })
	g.maybe(m, 3*n, "no_log", func() any { return g.flag() })
	g.maybe(m, 2*n, "ignore_errors", func() any { return g.flag() })
	g.maybe(m, 3*n, "diff", func() any { return g.flag() })
	g.maybe(m, 3*n, "run_once", func() any { return true })
	g.maybe(m, 3*n, "environment", func() any { return g.pick(mapping{"V": "{{ v }}"}, []any{mapping{"V": "1"}, mapping{"W": "{{ x }}"}}) })
	if _, isPlay := m["hosts"]; isPlay {
		g.maybe(m, n, "tags", func() any { return g.pick("red", "always") }) // several are listed in an order that changes
		return
	}
	g.maybe(m, n, "tags", func() any { return g.pick(g.tag(), []any{"red", g.tag()}) })
	g.maybe(m, n, "when", func() any { return g.pick(g.condition(), []any{g.condition(), g.condition()}) })
	g.maybe(m, 2*n, "delegate_to", func() any { return g.host() })
	g.maybe(m, 6*n, "throttle", func() any { return 1 })
	g.maybe(m, 6*n, "debugger", func() any { return "never" })
	g.maybe(m, 6*n, "delegate_facts", func() any { return g.flag() })
	g.maybe(m, 6*n, "ignore_unreachable", func() any { return g.flag() })
	g.maybe(m, 3*n, "any_errors_fatal", func() any { return g.flag() })
}

func (g *generator) flag() any {
	return g.pick(true, false, true, "{{ flag | default(true) }}", "{{ x == 1 }}")
}

func (g *generator) playFlag() any { return g.pick(true, false, "{{ flag | default(true) }}") }

func (g *generator) condition() any {
	return g.pick("x == 1", "x|int > 1", "flag", "not flag", "r is defined", "r is changed", "r is failed", "r is skipped", "v is defined", "v == 'of_some'",
		"item is not defined or item != 2", "inventory_hostname in groups.some", "false", true, "r.rc|default(0) == 0", "s is succeeded", "nowhere", "w|length > 1")
}

func (g *generator) vars() mapping {
	m := mapping{}
	g.maybe(m, 2, "v", func() any {
		return g.pick(1, "text", "{{ x }}", []any{1, "{{ x }}"}, mapping{"k": "{{ x }}"}, "{{ w }}", "{{ nowhere }}")
	})
	g.maybe(m, 3, "w", func() any {
		return g.pick([]any{1, 2, 3}, []any{}, []any{"{{ x }}", "two"}, "{{ range(x | int) | list }}")
	})
	g.maybe(m, 3, "flag", func() any { return g.pick(true, false, "{{ x == 2 }}", "yes") })
	g.maybe(m, 4, "u", func() any { return g.pick(true, nil, "", "{{ inventory_hostname }}", "{{ v | default('-') }}") })
	return m
}

func (g *generator) value() any {
	return g.pick(1, 2.5, true, nil, "text", "", "{{ x }}", "{{ v | default('none') }}", "{{ inventory_hostname }} of {{ ansible_play_hosts | join(',') }}",
		[]any{1, "{{ x }}"}, mapping{"k": "{{ x }}", "l": nil}, "{{ r | default({}) | type_debug }}", "{{ w }}", "{{ u }}", "{{ r.msg }}", "{{ omit }}",
		"{{ hostvars.a.v | default('-') }}", "{{ ansible_check_mode }}", "{{ play_hosts }}", "{{ role_name | default('no role') }}", "{{ ansible_run_tags }}",
		"{{ r.results | default([]) | map(attribute='item') | list }}", "a: b # c", "{{ item | default('no item') }}", "{{ ansible_loop.index | default(0) }}",
		"{{ ansible_failed_task.name | default('-') }}", "{{ lookup('env', 'V') }}", "{{ vars.v | default('-') }}", "{{ ansible_role_names | default('-') }}")
}

func (g *generator) task() any {
	if g.depth < 2 && g.chance(4) {
		return g.block()
	}
	g.names++
	t := mapping{"name": fmt.Sprint("task ", g.names)}
	if g.chance(6) {
		t["name"] = g.oneOf("task of {{ inventory_hostname }}", "v is {{ v | default('-') }}", "{{ nowhere }}", "with {{ item }}")
	}
	if !g.within && g.chance(5) {
		g.inclusion(t)
		return t
	}
	if g.within && g.chance(12) {
		t[g.oneOf("include_tasks", "import_tasks")] = "leaf.yml"
		g.maybe(t, 4, "vars", func() any { return g.vars() })
		g.maybe(t, 4, "when", g.condition)
		g.maybe(t, 4, "tags", func() any { return g.tag() })
		return t
	}
	if g.chance(14) {
		t["meta"] = g.oneOf("flush_handlers", "flush_handlers", "end_host", "end_play", "clear_host_errors", "noop", "end_batch", "clear_facts", "reset_connection")
		g.maybe(t, 2, "when", g.condition)
		return t
	}
	g.action(t)
	g.taskKeywords(t)
	g.common(t, 8)
	if g.chance(8) {
		rewrite(t, g.oneOf("fqcn", "action", "local_action"))
	}
	return t
}

// rewrite names the action of t in another way.
func rewrite(t mapping, form string) {
	for _, module := range []string{"debug", "set_fact", "command", "assert", "lineinfile", "group_by", "ping"} {
		args, ok := t[module]
		if !ok {
			continue
		}
		delete(t, module)
		text, free := args.(string)
		if form == "fqcn" {
			t["ansible.builtin."+module] = args
		} else if free {
			t[form] = module + " " + text
		} else {
			t[form] = mapping{"module": module}
			maps.Copy(t[form].(mapping), args.(mapping))
		}
		if form == "local_action" {
			delete(t, "delegate_to")
		}
	}
}

func (g *generator) taskKeywords(t mapping) {
	if g.chance(12) {
		g.with(t)
	} else {
		g.maybe(t, 4, "loop", func() any { return g.loop() })
	}
	if t["loop"] != nil {
		g.maybe(t, 4, "loop_control", func() any {
			return g.pick(mapping{"label": "<{{ item }}>"}, mapping{"index_var": "at"}, mapping{"extended": true}, mapping{"loop_var": "item2"}, mapping{"label": "{{ nowhere }}"}, mapping{"extended": true, "extended_allitems": false}, mapping{"label": "{{ item.k | default(x) }}"})
		})
	}
	g.maybe(t, 4, "register", func() any { return g.pick("r", "r", "s") })
	g.maybe(t, 8, "changed_when", func() any { return g.pick(true, false, "x == 1", "r is defined", []any{"x == 1", true}) })
	g.maybe(t, 8, "failed_when", func() any { return g.pick(false, "x == 2", "x == 1", "r is failed", "v == 1") })
	g.maybe(t, 5, "notify", func() any {
		return g.pick("first", "second", []any{"first", "topic"}, "topic", "one : first", "of one", "{{ 'first' if x == 1 else 'second' }}", "missing")
	})
	if t["command"] != nil || t["shell"] != nil {
		g.maybe(t, 8, "args", func() any {
			return g.pick(mapping{"chdir": "/tmp"}, mapping{"creates": "out"}, mapping{"chdir": "{{ v }}"})
		})
	}
	g.maybe(t, 30, "timeout", func() any { return 60 })
	g.maybe(t, 20, "module_defaults", func() any { return mapping{"debug": mapping{"msg": "{{ x }}"}} })
	g.maybe(t, 6, "vars", func() any { return g.vars() })
	if g.chance(14) {
		t["until"], t["retries"], t["delay"] = g.condition(), 2, 0
		if t["register"] == nil {
			t["register"] = "r"
		}
	}
}

func (g *generator) with(t mapping) {
	switch g.IntN(7) {
	case 0:
		t["with_items"] = g.pick([]any{1, []any{2, 3}}, "{{ w }}", []any{"{{ w }}", "{{ nowhere }}"}, []any{"{{ v }}"}, "a,b")
	case 1:
		t["with_dict"] = g.pick(mapping{"k": "{{ x }}"}, "{{ v }}", mapping{})
	case 2:
		t["with_nested"] = []any{[]any{1, 2}, g.pick("{{ w }}", []any{"{{ x }}"})}
	case 3:
		t["with_together"] = []any{[]any{1, 2}, g.pick("{{ w }}", []any{"{{ x }}"})}
	case 4:
		t["with_sequence"] = g.pick("start=1 end={{ x }}", "count=2 format=%02d")
	case 5:
		t["with_indexed_items"] = g.pick("{{ w }}", []any{"one", "{{ x }}"})
	case 6:
		t["with_flattened"] = []any{"{{ w }}", []any{1, []any{"{{ x }}"}}}
	}
}

func (g *generator) loop() any {
	return g.pick([]any{1, 2, 3}, []any{"one", "{{ x }}"}, []any{}, "{{ w }}", []any{mapping{"k": 1}, mapping{"k": 2}}, "{{ range(x|int) | list }}", "{{ nowhere }}", "{{ query('sequence', 'count=2') }}")
}

func (g *generator) action(t mapping) {
	switch g.IntN(24) {
	case 0, 1, 2, 3:
		t["debug"] = mapping{"msg": g.value()}
	case 4:
		t["debug"] = mapping{"var": g.oneOf("v", "w", "r", "nowhere", "r.rc", "u", "item", "r.results", "hostvars.b.f")}
	case 5:
		t["set_fact"] = mapping{g.oneOf("v", "u", "f"): g.value()}
		g.maybe(t, 4, "delegate_facts", func() any { return true })
	case 6, 7, 8:
		t["command"] = g.oneOf("echo {{ v | default('-') }}", "echo {{ x }}", "false", "sh -c 'exit {{ x }}'", "echo {{ item | default('-') }}", "sh -c 'echo $V $W'", "nosuchprogram")
	case 9:
		t["fail"] = mapping{"msg": g.value()}
	case 10:
		t["assert"] = mapping{"that": g.condition(), "fail_msg": "no"}
		g.maybe(t["assert"].(mapping), 3, "quiet", func() any { return true })
	case 11:
		t["lineinfile"] = mapping{"line": "{{ x }}", "create": true, "path": g.oneOf("out", "out.{{ inventory_hostname }}", "nodir/{{ x }}")}
	case 12:
		t["group_by"] = mapping{"key": g.oneOf("by_{{ x }}", "all_of_them")}
	case 13:
		t["add_host"] = mapping{"name": g.oneOf("new", "a", "n{{ x }}"), "groups": g.oneOf("some", "fresh"), "ansible_connection": "local", "x": 9}
	case 14:
		t["set_stats"] = mapping{"data": mapping{"v": g.pick(1, "text", "{{ x }}", "{{ w }}", []any{"{{ v }}"}, mapping{"k": "{{ u }}"})}, "per_host": g.chance(2)}
	case 15:
		t["ping"] = mapping{}
	case 16:
		t["include_vars"] = g.pick("one.yml", "vars/two.yml", mapping{"file": "two.yml", "name": "v"}, "nofile.yml", mapping{"dir": "vars"})
	case 17:
		t["stat"] = mapping{"path": g.oneOf("out.a", "nodir")}
	case 18:
		t["file"] = g.pick(mapping{"path": "out.{{ x }}", "state": "touch", "mode": "0600"}, mapping{"path": "dir/{{ x }}", "state": "directory"}, mapping{"path": "out", "state": "absent"})
	case 19:
		t["template"] = mapping{"src": "t.j2", "dest": "rendered.{{ inventory_hostname }}"}
	case 20:
		t["shell"] = g.pick("echo {{ v | default('-') }} >> log; echo $V", mapping{"cmd": "exit {{ x }}", "creates": "out"}, mapping{"cmd": "echo '{{ w | default([]) | join(\" \") }}'"})
	case 21:
		t["set_fact"] = mapping{"v": g.value(), "f": g.value(), "cacheable": g.chance(2)}
	case 22:
		t["copy"] = mapping{"content": g.pick("{{ v | default(x) }}", "{{ w }}", "text"), "dest": "copied.{{ x }}"}
	case 23:
		t["raw"] = g.oneOf("echo {{ x }}", "exit {{ x }}")
	}
}

func (g *generator) inclusion(t mapping) {
	switch name := g.oneOf("one", "two"); g.IntN(4) {
	case 0:
		t["include_tasks"] = g.pick("tasks/"+name+".yml", mapping{"file": "tasks/" + name + ".yml", "apply": mapping{"tags": g.tag()}})
	case 1:
		t["include_role"] = mapping{"name": name, "public": g.chance(2)}
		g.rolePart(t["include_role"].(mapping))
		g.maybe(t["include_role"].(mapping), 4, "apply", func() any {
			return g.pick(mapping{"tags": g.tag()}, mapping{"when": g.condition()}, mapping{"ignore_errors": true})
		})
	case 2:
		t["import_tasks"] = "tasks/" + name + ".yml"
	case 3:
		t["import_role"] = mapping{"name": name}
		g.rolePart(t["import_role"].(mapping))
	}
	if t["import_tasks"] == nil && t["import_role"] == nil {
		g.maybe(t, 3, "loop", func() any { return g.loop() })
		g.maybe(t, 3, "tags", func() any { return g.tag() })
		g.maybe(t, 3, "when", g.condition)
		g.maybe(t, 12, "register", func() any { return "r" })
		g.maybe(t, 6, "run_once", func() any { return true })
		g.maybe(t, 6, "ignore_errors", func() any { return true })
	} else {
		g.common(t, 6)
	}
	g.maybe(t, 3, "vars", func() any { return g.vars() })
}

func (g *generator) rolePart(role mapping) {
	g.maybe(role, 5, "tasks_from", func() any { return g.oneOf("other", "other.yml", "main") })
	g.maybe(role, 8, "vars_from", func() any { return "other.yml" })
	g.maybe(role, 8, "allow_duplicates", func() any { return g.chance(2) })
}

func (g *generator) block() any {
	g.depth++
	defer func() { g.depth-- }()
	b := mapping{"block": several(g, 1, 3, g.task)}
	g.maybe(b, 2, "name", func() any { return "block" })
	g.maybe(b, 2, "rescue", func() any { return several(g, 1, 2, g.task) })
	g.maybe(b, 3, "always", func() any { return several(g, 1, 2, g.task) })
	g.maybe(b, 4, "vars", func() any { return g.vars() })
	g.common(b, 6)
	return b
}

func (g *generator) handler(name string) any {
	h := mapping{"name": name}
	if g.chance(12) {
		h["include_tasks"] = "tasks/one.yml"
	} else if g.chance(12) {
		h["include_role"] = mapping{"name": "one", "tasks_from": "leaf"}
	} else {
		g.action(h)
	}
	g.maybe(h, 3, "listen", func() any { return g.pick("topic", []any{"topic", "first"}) })
	g.maybe(h, 5, "loop", func() any { return g.loop() })
	g.maybe(h, 5, "when", g.condition)
	g.maybe(h, 6, "notify", func() any { return g.pick("second", "topic") })
	g.maybe(h, 5, "register", func() any { return "r" })
	g.maybe(h, 8, "ignore_errors", func() any { return true })
	return h
}
