package playbook

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"gplay/internal/source"
	"gplay/jinja"
)

const dynamicFiles = `
-- site.yml --
- name: P
  hosts: all
  become: yes
  tasks:
    - when: outer
      block:
        - include_tasks:
            file: sub/a.yml
            apply: {tags: [t], become_user: bob, vars: {by: apply}}
          when: own
          tags: [i]
          vars: {by: task, x: 1}
        - include_tasks: "{{ name }}.yml"
        - include_role: {name: "{{ r }}"}
          vars: {y: 2}
        - include: sub/old.yml p=1
          with_items: [1]
-- sub/a.yml --
- ping:
- import_tasks: b.yml
- include: b.yml
-- sub/b.yml --
- debug: msg=b
-- sub/old.yml --
- ping:
-- bad.yml --
- pnig:
-- roles/web/meta/main.yml --
dependencies: [base]
-- roles/web/tasks/main.yml --
- include_tasks: more.yml
-- roles/web/tasks/other.yml --
- ping:
-- roles/web/tasks/more.yml --
- debug: msg=more
-- roles/web/handlers/main.yml --
- name: h
  ping:
-- roles/base/tasks/main.yml --
- ping:
`

// includes loads the archive and gives the tasks of its block.
func includes(t *testing.T) (*Playbook, []*Task) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, f := range txtar.Parse([]byte(dynamicFiles)).Files {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var told strings.Builder
	pb, err := Load("site.yml", testOptions(&told))
	if err != nil {
		t.Fatal(source.Describe(err))
	}
	return pb, tasksOf(pb.Plays[0].Tasks.Items[0].(*Block).Items)
}

func treeOf(b *Block) string {
	tr := &tree{}
	tr.block(b)
	return tr.out.String()
}

func TestIncludeTasks(t *testing.T) {
	pb, tasks := includes(t)
	in, err := pb.IncludeTasks(tasks[0], "sub/a.yml")
	if err != nil {
		t.Fatal(source.Describe(err))
	}
	want := `included sub/a.yml vars{by: "task", x: 1}
  block become_user="bob" tags=["t"] vars{by: "apply"}
    ping{} tags["t"] (become true) (become_user "bob") all when["outer"]
    import_tasks sub/b.yml
      debug{msg: "b"} tags["t"] (become true) (become_user "bob") all when["outer"]
    include_tasks{_raw_params: "b.yml"} tags["t"] (become true) (become_user "bob") all when["outer"]
`
	if got := treeOf(in.Block); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	applied := in.Block.Items[0].(*Block)
	ping := applied.Items[0].(*Task)
	if when := ping.Chain("when"); len(when) != 1 || when[0].Value != "outer" {
		t.Errorf("when of an included task: %v, want that of the block around the include only", when)
	}
	// What it includes itself is looked for beside its own file first.
	again := applied.Items[2].(*Task)
	if file, ok := pb.FindTasks(again, "b.yml"); !ok || source.Rel(file) != "sub/b.yml" {
		t.Errorf("FindTasks = %s, %v", file, ok)
	}
}

func TestIncludeOld(t *testing.T) {
	pb, tasks := includes(t)
	in, err := pb.IncludeTasks(tasks[3], "sub/old.yml")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := treeOf(in.Block), "included sub/old.yml vars{p: \"1\"}\n  ping{} (become true) all when[\"outer\"]\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestIncludeRole(t *testing.T) {
	pb, tasks := includes(t)
	in, err := pb.IncludeRole(tasks[2], jinja.NewDict("name", "web"))
	if err != nil {
		t.Fatal(source.Describe(err))
	}
	want := `included  vars{y: 2}
  role base for web
    ping{} (become true) all when["outer"]
  role web vars{y: 2} duplicates
    include_tasks{_raw_params: "more.yml"} (become true) all when["outer"]
`
	if got := treeOf(in.Block); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	web := in.Roles[1]
	if len(in.Roles) != 2 || web.Public || len(web.Handlers) != 1 || web.Handlers[0].Name != "h" {
		t.Errorf("roles: %d, public %v, handlers %v", len(in.Roles), web.Public, web.Handlers)
	}
	more := web.Block.Items[0].(*Task)
	if file, ok := pb.FindTasks(more, "more.yml"); !ok || source.Rel(file) != "roles/web/tasks/more.yml" {
		t.Errorf("FindTasks = %s, %v", file, ok)
	}

	in, err = pb.IncludeRole(tasks[2], jinja.NewDict("name", "web", "tasks_from", "other.yml", "public", true, "allow_duplicates", false))
	if err != nil {
		t.Fatal(source.Describe(err))
	}
	if web := in.Roles[1]; !web.Public || web.AllowDuplicates || web.Block.Items[0].(*Task).Action != "ping" {
		t.Errorf("public %v, duplicates %v, %s", web.Public, web.AllowDuplicates, treeOf(in.Block))
	}
}

func TestIncludeErrors(t *testing.T) {
	pb, tasks := includes(t)
	wd, _ := os.Getwd()
	for _, tt := range []struct {
		name    string
		include func() error
		want    string
	}{
		{"no file", func() error { _, err := pb.IncludeTasks(tasks[1], "bda.yml"); return err }, `site.yml:13:27: the tasks file bda.yml does not exist
13 |        - include_tasks: "{{ name }}.yml"
   |                          ^
hint: did you mean "bad.yml"?
  included (site.yml:13:11)
  in play "P" (site.yml:1:3)
`},
		{"bad file", func() error { _, err := pb.IncludeTasks(tasks[1], "bad.yml"); return err }, `bad.yml:1:3: unknown module or keyword "pnig"
1 |- pnig:
  |  ^^^^
hint: did you mean "ping"?
  included (site.yml:13:11)
  in play "P" (site.yml:1:3)
`},
		{"no role", func() error { _, err := pb.IncludeRole(tasks[2], jinja.NewDict("name", "wbe")); return err }, `site.yml:14:26: the role "wbe" was not found in roles, .
14 |        - include_role: {name: "{{ r }}"}
   |                         ^^^
hint: did you mean "web"?
  included (site.yml:14:11)
  in play "P" (site.yml:1:3)
`},
		{"no tasks file", func() error {
			_, err := pb.IncludeRole(tasks[2], jinja.NewDict("name", "web", "tasks_from", "othr"))
			return err
		}, "roles/web/tasks/othr does not exist"},
	} {
		err := tt.include()
		var e *source.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := strings.ReplaceAll(source.Describe(err), wd+"/", ""); !strings.Contains(got, tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}
