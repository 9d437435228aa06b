package playbook

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

var update = flag.Bool("update", false, "write what the tests see into testdata")

// known are the actions of the tests.
var known = []string{
	"apt", "command", "copy", "debug", "docker", "fail", "file", "group_by", "import_role", "include_vars",
	"meta", "ping", "pip", "service", "set_fact", "shell", "template", "user",
}

// testOptions have a template engine that replaces {{ name }} and nothing else.
func testOptions(told *strings.Builder) Options {
	return Options{
		ExtraVars: jinja.NewDict("extra", "extra"),
		Actions:   known,
		Lookups:   []string{"items", "dict", "nested", "subelements", "fileglob", "sequence"},
		Action: func(name string) (string, bool) {
			name = Builtin(name)
			return name, slices.Contains(known, name)
		},
		Template: func(vars *jinja.Dict, v any) (any, error) {
			text := v.(*yaml.Template).Text
			for k, v := range vars.All() {
				text = strings.ReplaceAll(text, fmt.Sprintf("{{ %v }}", k), fmt.Sprint(v))
			}
			if yaml.IsTemplate(text) {
				return nil, fmt.Errorf("%s is undefined", text)
			}
			return text, nil
		},
		Warn:       func(msg string) { fmt.Fprintln(told, "warning: "+msg) },
		Deprecated: func(msg string) { fmt.Fprintln(told, "deprecated: "+msg) },
	}
}

// TestLoad loads site.yml of each archive in testdata. Its last file is what
// came of it: "tree" or "error", after what was told.
func TestLoad(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives in testdata")
	}
	for _, file := range files {
		abs, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { loadArchive(t, abs) })
	}
}

func loadArchive(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	last := len(archive.Files) - 1
	want := archive.Files[last]
	if want.Name != "tree" && want.Name != "error" {
		t.Fatalf("the last file is %s, neither tree nor error", want.Name)
	}
	t.Chdir(t.TempDir())
	for _, f := range archive.Files[:last] {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	name, got := loadHere(t)
	if *update {
		archive.Files[last] = txtar.File{Name: name, Data: []byte(got)}
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if name != want.Name || got != string(want.Data) {
		t.Errorf("%s, got\n%s\nwant %s\n%s", name, got, want.Name, want.Data)
	}
}

// loadHere loads ./site.yml and gives what came of it.
func loadHere(t *testing.T) (name, text string) {
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	pb, err := Load("site.yml", testOptions(&told))
	if err != nil {
		return "error", strings.ReplaceAll(told.String()+source.Describe(err), wd+"/", "")
	}
	tr := &tree{}
	for _, p := range pb.Plays {
		tr.play(p)
	}
	return "tree", strings.ReplaceAll(told.String()+tr.out.String(), wd+"/", "")
}

// tree writes a playbook as it was understood, a line a node.
type tree struct {
	out   strings.Builder
	depth int
}

func (tr *tree) line(format string, args ...any) {
	line := strings.TrimRight(strings.Repeat("  ", tr.depth)+fmt.Sprintf(format, args...), " ")
	tr.out.WriteString(line + "\n")
}

func (tr *tree) in(fn func()) { tr.depth++; fn(); tr.depth-- }

func (tr *tree) play(p *Play) {
	tr.line("play %q hosts %s%s", p.Title(), show(p.Hosts), node(&p.Node))
	tr.in(func() {
		for _, n := range p.Imports {
			tr.line("imported by %s%s", n.Pos, node(n))
		}
		for i, b := range []*Block{p.PreTasks, p.Roles, p.Tasks, p.PostTasks} {
			if len(b.Items) > 0 {
				tr.line("%s:", []string{"pre_tasks", "roles", "tasks", "post_tasks"}[i])
				tr.in(func() { tr.items(b.Items) })
			}
		}
		tr.handlers("handlers", p.Handlers)
		for _, r := range p.RoleList {
			tr.handlers("handlers of "+r.Name, r.Handlers)
		}
	})
}

func (tr *tree) handlers(title string, tasks []*Task) {
	if len(tasks) == 0 {
		return
	}
	tr.line("%s:", title)
	tr.in(func() {
		for _, h := range tasks {
			tr.task(h)
		}
	})
}

func (tr *tree) items(items []Item) {
	for _, item := range items {
		switch item := item.(type) {
		case *Task:
			tr.task(item)
		case *Block:
			tr.block(item)
		}
	}
}

func (tr *tree) block(b *Block) {
	switch {
	case b.IsRole:
		tr.line("role %s%s", b.Role.Name, role(b.Role))
	case b.Static != nil:
		tr.line("%s %s%s", b.Static.Action, source.Rel(b.File), node(&b.Node))
	case b.Include != nil:
		tr.line("included %s%s", source.Rel(b.File), node(&b.Node))
	default:
		tr.line("block%s", node(&b.Node))
	}
	tr.in(func() { tr.items(b.Items) })
	if len(b.Rescue) > 0 {
		tr.line("rescue:")
		tr.in(func() { tr.items(b.Rescue) })
	}
	if len(b.Always) > 0 {
		tr.line("always:")
		tr.in(func() { tr.items(b.Always) })
	}
}

func role(r *Role) string {
	out := node(r.Use)
	for _, v := range []struct {
		name string
		dict *jinja.Dict
	}{{"params", r.Params}, {"defaults", r.Defaults}, {"role vars", r.Vars}} {
		if v.dict.Len() > 0 {
			out += " " + v.name + show(v.dict)
		}
	}
	for _, d := range r.Dependents {
		out += " for " + d.Name
	}
	if r.AllowDuplicates {
		out += " duplicates"
	}
	return out
}

func (tr *tree) task(t *Task) {
	line := t.Action + show(t.Args)
	if t.ArgsTemplate != nil {
		line += " args " + show(t.ArgsTemplate)
	}
	line += node(&t.Node)
	if t.Loop != nil {
		line += " loop " + t.Loop.Lookup + show(t.Loop.Value)
		if t.Loop.Control != nil {
			line += " control" + show(t.Loop.Control)
		}
	}
	if t.Missing != nil {
		line += " missing: " + t.Missing.Msg
	}
	if t.Register != "" {
		line += " register " + t.Register
	}
	if t.Notify != nil {
		line += " notify" + showAll(t.Notify)
	}
	if t.Listen != nil {
		line += " listen" + showAll(t.Listen)
	}
	if tags := t.Tags(); tags != nil {
		line += " tags" + showAll(tags)
	}
	tr.line("%s", line+inherited(t))
}

// inherited are the keywords that reach t from around it.
func inherited(t *Task) string {
	out := ""
	for _, name := range keywordNames(anyTask | inPlay) {
		kw := keywords[name]
		if _, own := t.Keywords[name]; own && name != "when" || !kw.passed || name == "tags" || name == "notify" {
			continue
		}
		if name == "when" || name == "environment" {
			_, own := t.Keywords[name]
			if chain := t.Chain(name); len(chain) > 1 || len(chain) == 1 && !own {
				var values []any
				for _, kw := range chain {
					values = append(values, kw.Value)
				}
				out += " all " + name + showAll(values)
			}
			continue
		}
		if kw, ok := t.Inherited(name); ok {
			out += fmt.Sprintf(" (%s %s)", name, show(kw.Value))
		}
	}
	return out
}

// node shows the name, keywords and vars of a node.
func node(n *Node) string {
	out := ""
	if n.Name != nil {
		out += " " + show(n.Name)
	}
	names := make([]string, 0, len(n.Keywords))
	for name := range n.Keywords {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out += " " + name + "=" + show(n.Keywords[name].Value)
	}
	if n.Vars.Len() > 0 {
		out += " vars" + show(n.Vars)
	}
	return out
}

// show writes a value with its types: templates without quotes.
func show(v any) string {
	switch v := v.(type) {
	case *jinja.Dict:
		var parts []string
		for k, e := range v.All() {
			parts = append(parts, fmt.Sprintf("%v: %s", k, show(e)))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *jinja.List:
		return showAll(v.Items)
	case *yaml.Template:
		return "<" + v.Text + ">"
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}

func showAll(items []any) string {
	var parts []string
	for _, e := range items {
		parts = append(parts, show(e))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
