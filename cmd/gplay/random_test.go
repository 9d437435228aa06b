package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"
)

var (
	randomCases = flag.Int("random", 12, "how many random playbooks to compare with Ansible")
	randomSeed  = flag.Uint64("seed", 0, "of the random playbooks; 0 takes the clock's")
)

// TestRandomPlaybooksAsAnsible runs playbooks in which blocks, loops, handlers,
// includes, roles and what governs them meet by chance. One that Ansible plays
// otherwise is made as small as it can be before it is shown.
func TestRandomPlaybooksAsAnsible(t *testing.T) {
	ansible := oracle(t)
	seed := *randomSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed=%d -random=%d", seed, *randomCases)
	for i := range *randomCases {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			book := (&author{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}).book()
			if why := book.differs(t, ansible); why != "" {
				book, why = book.smallest(t, ansible, why)
				t.Errorf("%s\n%s", book, why)
			}
		})
	}
}

// book is a playbook with its other files.
type book struct {
	files map[string]*yaml.Node
	args  []string
}

const randomInventory = `[web]
a n=1 flag=true
b n=2 flag=false

[db]
c n=3 flag=true

[far]
dead n=4 ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1

[all:vars]
ansible_connection=local
ansible_ssh_common_args=-oConnectTimeout=1
`

func (b book) scenario() scenario {
	s := scenario{name: "random", files: []txtar.File{{Name: "inventory", Data: []byte(randomInventory)}}}
	for name, node := range b.files {
		data, err := yaml.Marshal(node)
		if err != nil {
			panic(err)
		}
		s.files = append(s.files, txtar.File{Name: name, Data: data})
	}
	slices.SortFunc(s.files, func(a, b txtar.File) int { return strings.Compare(a.Name, b.Name) })
	s.runs = []run{newRun("site.yml", append([]string{"-i", "inventory"}, b.args...))}
	return s
}

func (b book) String() string {
	s := b.scenario()
	return fmt.Sprintf("gplay %s\n%s", strings.Join(s.runs[0].args, " "), txtar.Format(&txtar.Archive{Files: s.files}))
}

// differs says how gplay plays b otherwise than Ansible.
func (b book) differs(t *testing.T, ansible string) string {
	t.Helper()
	s := b.scenario()
	want, err := s.perform(t, ansible)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.perform(t, "gplay")
	if err != nil {
		t.Fatal(err)
	}
	return got[0].differs(want[0])
}

// smallest leaves out of b what does not matter to how it differs.
func (b book) smallest(t *testing.T, ansible, why string) (book, string) {
	names := make([]string, 0, len(b.files))
	for name := range b.files {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Reverse(names) // site.yml first
	try := func() bool {
		now := b.differs(t, ansible)
		if now == "" || kindOf(now) != kindOf(why) {
			return false
		}
		why = now
		return true
	}
	for _, arg := range slices.Clone(b.args) {
		all := b.args
		b.args = slices.DeleteFunc(slices.Clone(all), func(a string) bool { return a == arg })
		if !try() {
			b.args = all
		}
	}
	for _, name := range names {
		shrink(b.files[name], try)
	}
	return b, why
}

// kindOf is what has to stay the same while a playbook is made smaller: one
// that a removal has made bad differs otherwise.
func kindOf(why string) string { return why[:strings.IndexAny(why, "\n:")] }

// shrink tries to leave out each part of n.
func shrink(n *yaml.Node, differs func() bool) {
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := len(n.Content) - step; i >= 0; i -= step {
		all := n.Content
		n.Content = slices.Delete(slices.Clone(all), i, i+step)
		if len(n.Content) == 0 || !differs() {
			n.Content = all
			shrink(n.Content[i+step-1], differs)
		}
	}
}

// author writes playbooks.
type author struct {
	*rand.Rand
	count    int // of names
	files    map[string]*yaml.Node
	included int
	deep     int
	topics   []string // what handlers answer to
}

func (a *author) oneOf(choices ...string) string { return choices[a.IntN(len(choices))] }

// maybe is true once in n times.
func (a *author) maybe(n int) bool { return a.IntN(n) == 0 }

func scalar(v any) *yaml.Node {
	n := &yaml.Node{}
	if err := n.Encode(v); err != nil {
		panic(err)
	}
	return n
}

func sequence(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: items}
}

func texts(items ...string) *yaml.Node { return scalar(items) }

// dict takes keys and values in turn.
func dict(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	return add(n, pairs...)
}

func add(n *yaml.Node, pairs ...any) *yaml.Node {
	for i := 0; i < len(pairs); i += 2 {
		value, ok := pairs[i+1].(*yaml.Node)
		if !ok {
			value = scalar(pairs[i+1])
		}
		n.Content = append(n.Content, scalar(pairs[i]), value)
	}
	return n
}

func (a *author) book() book {
	a.files = map[string]*yaml.Node{}
	plays := sequence()
	for range 1 + a.IntN(2) {
		plays.Content = append(plays.Content, a.play())
	}
	a.files["site.yml"] = plays
	var args []string
	for _, option := range []string{"--check", "--diff", "--tags=one", "--skip-tags=two", "--tags=all,never", "--force-handlers", "--limit=web", "-eextra=1", "-v"} {
		if a.maybe(14) {
			args = append(args, option)
		}
	}
	return book{files: a.files, args: args}
}

func (a *author) play() *yaml.Node {
	a.topics = []string{"h1", "h2", "topic"}
	p := dict("name", a.name("play"), "hosts", a.oneOf("all", "all", "web", "web", "db:web", "all:!far", "all:!far", "a,b", "b"), "gather_facts", false)
	if a.maybe(4) {
		add(p, "serial", a.serial())
	}
	if a.maybe(8) {
		add(p, "order", a.oneOf("inventory", "reverse_inventory", "sorted", "reverse_sorted"))
	}
	if a.maybe(6) {
		add(p, "any_errors_fatal", true)
	}
	if a.maybe(10) {
		add(p, "max_fail_percentage", a.IntN(4)*30)
	}
	if a.maybe(6) {
		add(p, "force_handlers", true)
	}
	if a.maybe(12) {
		add(p, "ignore_unreachable", true)
	}
	if a.maybe(12) {
		add(p, "ignore_errors", true)
	}
	if a.maybe(3) {
		add(p, "vars", dict("pv", a.oneOf("1", "two", "{{ n }}", "{{ inventory_hostname }}", "{{ v0 | default('none') }}")))
	}
	if a.maybe(10) {
		add(p, "tags", a.tags())
	}
	if a.maybe(4) {
		add(p, "pre_tasks", a.tasks(2))
	}
	if a.maybe(3) {
		add(p, "roles", a.roles())
	}
	add(p, "tasks", a.tasks(5))
	if a.maybe(4) {
		add(p, "post_tasks", a.tasks(2))
	}
	if a.maybe(2) {
		add(p, "handlers", a.handlers("h1", "h2"))
	}
	return p
}

func (a *author) serial() *yaml.Node {
	switch a.IntN(4) {
	case 0:
		return scalar(2)
	case 1:
		return scalar([]any{1, 2})
	case 2:
		return scalar("50%")
	}
	return scalar(1)
}

func (a *author) name(kind string) string {
	a.count++
	name := fmt.Sprintf("%s %d", kind, a.count)
	if a.maybe(8) {
		name += a.oneOf(" {{ n }}", " {{ inventory_hostname }}", " {{ pv | default('-') }}")
	}
	return name
}

func (a *author) tags() *yaml.Node {
	switch a.IntN(5) {
	case 0:
		return scalar("one")
	case 1:
		return texts("one", "two")
	case 2:
		return scalar("always")
	case 3:
		return texts("never", "two")
	}
	return scalar("two")
}

func (a *author) roles() *yaml.Node {
	roles := sequence()
	for range 1 + a.IntN(2) {
		r := dict("role", a.role())
		if a.maybe(3) {
			add(r, "when", a.condition())
		}
		if a.maybe(4) {
			add(r, "tags", a.tags())
		}
		if a.maybe(4) {
			add(r, "param", a.IntN(3))
		}
		if a.maybe(4) {
			add(r, "vars", dict("pv", "role"))
		}
		roles.Content = append(roles.Content, r)
	}
	return roles
}

// role is the name of a role, perhaps of a new one.
func (a *author) role() string {
	name := a.oneOf("r0", "r1", "r2")
	if a.files["roles/"+name+"/tasks/main.yml"] != nil || a.deep > 1 {
		if a.files["roles/r9/tasks/main.yml"] == nil {
			a.files["roles/r9/tasks/main.yml"] = sequence(dict("name", a.name("leaf"), "debug", dict("msg", "{{ role_name }} {{ param | default('no') }}")))
		}
		if a.deep > 1 {
			return "r9"
		}
		return name
	}
	a.files["roles/"+name+"/tasks/main.yml"] = sequence() // not again from within
	a.deep += 2
	tasks := a.tasks(3)
	if a.maybe(3) {
		a.files["roles/"+name+"/handlers/main.yml"] = a.handlers(a.oneOf("h1", name+"h"), name+"h2")
	}
	if a.maybe(4) {
		a.files["roles/"+name+"/defaults/main.yml"] = dict("param", "default", "v1", "default")
	}
	if a.maybe(5) {
		a.files["roles/"+name+"/vars/main.yml"] = dict("pv", "role var", "v2", "{{ n }}")
	}
	if a.maybe(5) {
		a.files["roles/"+name+"/meta/main.yml"] = dict("dependencies", sequence(dict("role", a.role())), "allow_duplicates", a.maybe(2))
	}
	a.deep -= 2
	a.files["roles/"+name+"/tasks/main.yml"] = tasks
	return name
}

func (a *author) handlers(names ...string) *yaml.Node {
	handlers := sequence()
	for _, name := range names {
		h := dict("name", name)
		if a.maybe(3) {
			add(h, "listen", a.oneOf("topic", "h1", "topic two"))
		}
		switch a.IntN(6) {
		case 0:
			add(h, "fail", dict("msg", "handler"))
		case 1:
			if a.deep < 2 {
				add(h, "include_tasks", a.include())
				break
			}
			fallthrough
		default:
			add(h, "debug", dict("msg", name+" of {{ inventory_hostname }}"))
		}
		if a.maybe(4) {
			add(h, "changed_when", true, "notify", a.oneOf("h2", "topic"))
		}
		if a.maybe(5) {
			add(h, "when", a.condition())
		}
		if a.maybe(8) {
			add(h, "run_once", true)
		}
		handlers.Content = append(handlers.Content, h)
	}
	return handlers
}

func (a *author) tasks(most int) *yaml.Node {
	tasks := sequence()
	for range 1 + a.IntN(most) {
		tasks.Content = append(tasks.Content, a.task())
	}
	return tasks
}

// include is the name of a new file of tasks.
func (a *author) include() string {
	a.included++
	name := fmt.Sprintf("inc%d.yml", a.included)
	a.deep++
	tasks := a.tasks(3)
	a.deep--
	a.files[name] = tasks
	return "{{ playbook_dir }}/" + name
}

func (a *author) task() *yaml.Node {
	if a.deep < 3 {
		switch a.IntN(14) {
		case 0, 1, 2:
			return a.block()
		case 3, 4:
			return a.includeTasks()
		case 5:
			return a.includeRole()
		}
	}
	return a.leaf()
}

func (a *author) block() *yaml.Node {
	a.deep++
	defer func() { a.deep-- }()
	b := dict()
	if a.maybe(2) {
		add(b, "name", a.name("block"))
	}
	add(b, "block", a.tasks(3))
	if a.maybe(2) {
		add(b, "rescue", a.tasks(2))
	}
	if a.maybe(2) {
		add(b, "always", a.tasks(2))
	}
	if a.maybe(4) {
		add(b, "when", a.condition())
	}
	if a.maybe(8) {
		add(b, "any_errors_fatal", true)
	}
	if a.maybe(8) {
		add(b, "ignore_errors", a.maybe(2))
	}
	if a.maybe(8) {
		add(b, "tags", a.tags())
	}
	if a.maybe(10) {
		add(b, "run_once", true)
	}
	if a.maybe(10) {
		add(b, "delegate_to", "a")
	}
	if a.maybe(8) {
		add(b, "vars", dict("pv", "block {{ n }}"))
	}
	if a.maybe(10) {
		add(b, "notify", a.oneOf(a.topics...))
	}
	return b
}

func (a *author) includeTasks() *yaml.Node {
	t := dict("name", a.name("include"))
	action := a.oneOf("include_tasks", "include_tasks", "import_tasks")
	file := a.include()
	if action == "include_tasks" && a.maybe(3) {
		add(t, action, dict("file", file, "apply", dict(a.oneOf("tags", "when", "ignore_errors"), true)))
		apply := t.Content[len(t.Content)-1].Content[3]
		switch apply.Content[0].Value {
		case "tags":
			apply.Content[1] = a.tags()
		case "when":
			apply.Content[1] = scalar(a.condition())
		}
	} else {
		add(t, action, file)
	}
	return a.govern(t, action == "include_tasks")
}

func (a *author) includeRole() *yaml.Node {
	t := dict("name", a.name("role"))
	action := a.oneOf("include_role", "include_role", "import_role")
	args := dict("name", a.role())
	if action == "include_role" && a.maybe(3) {
		add(args, "public", true)
	}
	add(t, action, args)
	return a.govern(t, action == "include_role")
}

// govern adds what an include may have.
func (a *author) govern(t *yaml.Node, dynamic bool) *yaml.Node {
	if a.maybe(3) {
		add(t, "when", a.condition())
	}
	if dynamic && a.maybe(4) {
		add(t, "loop", a.items())
	}
	if a.maybe(5) {
		add(t, "tags", a.tags())
	}
	if a.maybe(5) {
		add(t, "vars", dict("pv", "include {{ n }}", "param", "given"))
	}
	if dynamic && a.maybe(10) {
		add(t, "run_once", true)
	}
	if dynamic && a.maybe(8) {
		add(t, "register", "r3")
	}
	if dynamic && a.maybe(10) {
		add(t, "ignore_errors", true)
	}
	return t
}

func (a *author) items() *yaml.Node {
	switch a.IntN(6) {
	case 0:
		return scalar([]any{})
	case 1:
		return scalar("{{ [n, 2] }}")
	case 2:
		return scalar("{{ v0 }}")
	case 3:
		return scalar([]any{"x", "{{ n }}"})
	}
	return scalar([]any{1, 2})
}

func (a *author) condition() string {
	return a.oneOf("n|int > 1", "n|int < 3", "inventory_hostname == 'a'", "inventory_hostname != 'b'", "flag", "not flag", "r0 is defined", "r0 is failed", "r0 is skipped",
		"r1 is changed", "r1 is defined and r1 is not failed", "v0 is defined", "v1|default(2)|int > 1", "extra is defined", "true", "false", "'web' in group_names",
		"inventory_hostname == ansible_play_hosts[0]", "ansible_play_hosts|length > 2", "hostvars['a'].v0 is defined", "ansible_failed_task is defined", "nothing", "item is defined and item != 2",
		"param|default('given') == 'given'", "pv is defined and pv")
}

func (a *author) leaf() *yaml.Node {
	t := dict("name", a.name("task"))
	fails := false
	loops := true
	switch a.IntN(24) {
	case 0, 1, 2:
		add(t, "debug", dict("msg", a.message()))
	case 3:
		add(t, "debug", dict("var", a.oneOf("r0", "r1.results", "v0", "v1", "pv", "ansible_play_hosts", "ansible_play_batch", "ansible_play_hosts_all", "groups", "group_names", "hostvars['b'].v1", "ansible_run_tags", "r3", "ansible_role_names", "item", "play_hosts")))
	case 4, 5:
		add(t, "set_fact", dict(a.oneOf("v0", "v1", "v2"), a.oneOf("{{ n }}", "{{ [n, 'x'] }}", "{{ inventory_hostname }}", "{{ item | default(0) }}", "{{ v1 | default('d') }}", "{{ r0 | default({}) }}", "yes")))
	case 6, 7, 8:
		fails = true
		add(t, "fail", dict("msg", a.oneOf("bad {{ n }}", "bad")), "when", a.condition())
	case 9, 10:
		fails = true
		add(t, "assert", dict("that", a.condition()))
	case 11:
		add(t, "add_host", dict("name", a.oneOf("new", "x{{ n }}", "a"), "groups", a.oneOf("added", "web"), "n", 9, "flag", "yes", "ansible_connection", "local"))
	case 12:
		add(t, "group_by", dict("key", "by_{{ n }}"))
	case 13:
		loops = false
		add(t, "meta", a.oneOf("flush_handlers", "flush_handlers", "flush_handlers", "noop", "end_host", "end_play", "end_batch", "clear_host_errors", "clear_facts"))
		if a.maybe(2) {
			add(t, "when", a.condition())
		}
		return t
	case 14:
		fails = true
		add(t, "ping", dict())
	case 15:
		fails = true
		add(t, "command", a.oneOf("echo {{ n }}", "false", "true"))
	case 16:
		fails = true
		add(t, "debug", dict("msg", a.oneOf("{{ nothing }}", "{{ n.nothing.more }}", "{{ r0.stdout }}", "{{ 1 / 0 }}", "{{ hostvars['none'].x }}")))
	default:
		add(t, "debug", dict("msg", a.message()), "changed_when", a.oneOf("true", "n|int > 1", "flag", "inventory_hostname == 'b'"))
	}
	return a.dress(t, fails, loops)
}

func (a *author) message() string {
	return a.oneOf("{{ inventory_hostname }} {{ n }}", "plain", "{{ pv | default('no pv') }}", "{{ item | default('no item') }}", "{{ v0 | default('-') }} {{ v1 | default('-') }}",
		"{{ ansible_play_hosts }} {{ ansible_play_batch }}", "{{ r0.msg | default('none') }}", "{{ ansible_failed_task.name | default('none') }}", "{{ ansible_failed_result.msg | default('none') }}",
		"{{ role_name | default('no role') }}", "{{ hostvars.keys() | list }}", "{{ groups.web }}", "{{ param | default('no') }}", "{{ ansible_check_mode }} {{ ansible_diff_mode }}")
}

// dress adds keywords to a task.
func (a *author) dress(t *yaml.Node, fails, loops bool) *yaml.Node {
	has := func(key string) bool {
		return slices.ContainsFunc(t.Content, func(n *yaml.Node) bool { return n.Value == key })
	}
	if a.maybe(5) && !has("when") {
		if a.maybe(4) {
			add(t, "when", texts(a.condition(), a.condition()))
		} else {
			add(t, "when", a.condition())
		}
	}
	if loops && a.maybe(6) {
		add(t, a.oneOf("loop", "loop", "with_items"), a.items())
		if a.maybe(4) {
			control := dict(a.oneOf("label", "index_var", "extended", "loop_var"), "it")
			switch control.Content[0].Value {
			case "label":
				control.Content[1] = scalar("label {{ item }}")
			case "extended":
				control.Content[1] = scalar(true)
			}
			add(t, "loop_control", control)
		}
	} else if a.maybe(12) {
		add(t, "until", a.condition(), "retries", 1, "delay", 0)
	}
	if a.maybe(3) {
		add(t, "register", a.oneOf("r0", "r0", "r1"))
	}
	if a.maybe(3) {
		add(t, "notify", a.oneOf(a.topics...))
	}
	if fails && a.maybe(4) || a.maybe(20) {
		add(t, "ignore_errors", a.oneOf("true", "{{ flag }}"))
	}
	if a.maybe(14) {
		add(t, "failed_when", a.condition())
	}
	if !has("changed_when") && a.maybe(14) {
		add(t, "changed_when", a.condition())
	}
	if a.maybe(10) {
		add(t, "tags", a.tags())
	}
	if a.maybe(12) {
		add(t, "run_once", true)
	}
	if a.maybe(12) {
		add(t, "delegate_to", a.oneOf("a", "c", "localhost", "{{ groups.web[1] }}", "dead"))
		if a.maybe(3) {
			add(t, "delegate_facts", true)
		}
	}
	if a.maybe(12) {
		add(t, "vars", dict("pv", "task {{ n }}"))
	}
	if a.maybe(24) {
		add(t, "no_log", true)
	}
	if a.maybe(16) {
		add(t, "any_errors_fatal", true)
	}
	if a.maybe(20) {
		add(t, "check_mode", a.maybe(2))
	}
	if a.maybe(24) {
		add(t, "throttle", 1)
	}
	if a.maybe(24) {
		add(t, "ignore_unreachable", true)
	}
	return t
}
