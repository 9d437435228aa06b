package playbook

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// place is where tasks are read: what they will belong to.
type place struct {
	play     *Play
	parent   *Block
	role     *Role
	file     string
	own      *jinja.Dict // of the task that imports, for the name of what it imports
	handlers bool
	dynamic  bool // below an include of the running playbook
	included bool // in a file that include_tasks brings, or in one that is imported there
}

func (p place) kind() kind {
	if p.handlers {
		return inHandler
	}
	return inTask
}

// items loads a list of tasks and blocks.
func (l *loader) items(n *yaml.Node, p place) ([]Item, error) {
	var items []Item
	for _, entry := range n.Items {
		if entry.Null() {
			continue
		}
		if entry.Kind != yaml.Map {
			return nil, l.errorf(entry, "a task has to be a dict, not %s", entry.Describe())
		}
		more, err := l.item(entry, p)
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	return items, nil
}

func (l *loader) item(n *yaml.Node, p place) ([]Item, error) {
	for _, key := range []string{"block", "rescue", "always"} {
		if n.Key(key) != nil {
			if p.handlers && p.parent != nil && p.parent.Explicit {
				e := l.errorf(n, "a block of handlers cannot be in another block")
				e.Known = "Using a block as a handler is not supported."
				return nil, e
			}
			b, err := l.block(n, p)
			if err == nil && p.handlers {
				return b.Items, nil // handlers are notified one by one
			}
			return []Item{b}, err
		}
	}
	t, err := l.task(n, p)
	if err != nil {
		return nil, err
	}
	switch t.Action {
	case "include":
		return l.include(n, t, p)
	case "import_tasks":
		return l.importTasks(n, t, p)
	case "import_role":
		return l.importRole(n, t, p)
	case "include_tasks", "include_role":
		if p.handlers && t.Action == "include_role" {
			return nil, l.fail(source.Errorf(t.ActionPos, "include_role cannot be a handler"))
		}
		return []Item{t}, l.checkInclude(n, t)
	}
	return []Item{t}, nil
}

// block loads a block with its rescue and always.
func (l *loader) block(n *yaml.Node, p place) (*Block, error) {
	if n.Key("block") == nil {
		e := l.errorf(n, "rescue and always need a block")
		return nil, e
	}
	b := &Block{Parent: p.parent, Play: p.play, Role: p.role, Explicit: true}
	err := l.node(n, inBlock, &b.Node, func(pair yaml.Pair) bool {
		_, action := l.actionKey(pair.Key)
		return action && pair.Key.Value != "name"
	})
	if err != nil {
		return nil, err
	}
	for _, pair := range n.Pairs {
		if name, action := l.actionKey(pair.Key); action {
			e := l.errorf(pair.Key, "a block holds tasks in a list and cannot itself run %s", name)
			e.Hint = "make it a task of its own, with a dash, inside of the block"
			return nil, e
		}
	}
	b.rescued = n.Key("rescue") != nil
	p.parent = b
	for _, part := range []struct {
		key  string
		into *[]Item
	}{{"block", &b.Items}, {"rescue", &b.Rescue}, {"always", &b.Always}} {
		list := n.Get(part.key)
		if list == nil {
			continue
		}
		if p.handlers && part.key != "block" { // they are notified one by one
			l.warn(list.Pos.String() + ": " + part.key + " has no effect in a block of handlers")
			continue
		}
		if list.Kind != yaml.List {
			return nil, l.fail(wrongValue(part.key, list, "a list of tasks"))
		}
		if *part.into, err = l.items(list, p); err != nil {
			return nil, err
		}
		if len(list.Items) > 0 && len(n.Get("block").Items) == 0 {
			return nil, l.errorf(list, "%s needs a block that has tasks", part.key)
		}
	}
	return b, nil
}

// taskFile loads the tasks in a file as the items of b.
func (l *loader) taskFile(file string, b *Block, p place, at source.Pos) error {
	leave, err := l.opening(file, at)
	if err != nil {
		return err
	}
	defer leave()
	n, err := l.read(file, at)
	if err != nil {
		return err
	}
	b.File = file
	if n.Null() {
		return nil
	}
	if n.Kind != yaml.List {
		return l.noTasks(n)
	}
	p.parent, p.file = b, file
	b.Items, err = l.items(n, p)
	return err
}

func (l *loader) noTasks(n *yaml.Node) *source.Error {
	e := l.errorf(n, "a file of tasks has to be a list, not %s", n.Describe())
	if n.Kind == yaml.Map {
		e.Hint = "begin each task with a dash"
	}
	return e
}

func isNothing(n *yaml.Node) bool { return n.Null() || n.Kind == yaml.List && len(n.Items) == 0 }

// importTasks puts the tasks of a file in the place of the statement.
func (l *loader) importTasks(n *yaml.Node, t *Task, p place) ([]Item, error) {
	if t.Loop != nil {
		e := source.Errorf(t.Loop.Pos, "import_tasks cannot have a loop: what it imports is part of the playbook before anything runs")
		e.Hint = "use include_tasks"
		return nil, l.fail(e)
	}
	if err := l.checkInclude(n, t); err != nil {
		return nil, err
	}
	name, _ := taskFileName(t)
	if !isName(name) {
		return nil, l.noFile(name, "tasks file", absolute(jinja.Str(name.Any()), filepath.Dir(p.file)))
	}
	named := p
	named.own = t.Vars
	target, err := l.text(name, named)
	var placed *source.Error
	if errors.As(err, &placed) {
		placed.Err = nil // Ansible calls this a fault of the source, and of other imports a missing variable
	}
	if err != nil {
		return nil, err
	}
	file := findTaskFile(target, p)
	if !isFile(file) {
		return nil, l.noFile(name, "tasks file", file)
	}
	defer l.enter(t.Pos, "imported")()
	if content, err := l.read(file, name.Pos); err != nil || isNothing(content) {
		if err == nil {
			l.warn("file " + file + " is empty and had no tasks to include")
		}
		return nil, err
	}
	if l.Imported != nil {
		l.Imported(file)
	}
	b := staticBlock(t, p)
	if err := l.taskFile(file, b, p, name.Pos); err != nil {
		return nil, err
	}
	if p.handlers {
		return b.Items, nil
	}
	return []Item{b}, nil
}

// staticBlock is the block for what t imports. It has t's keywords.
func staticBlock(t *Task, p place) *Block {
	b := &Block{Node: t.Node, Parent: p.parent, Play: p.play, Role: p.role, Static: t, Params: t.params}
	if t.Notify != nil {
		b.Keywords["notify"] = Keyword{Value: jinja.NewList(t.Notify...), Pos: t.Pos}
	}
	return b
}

func (p place) subdir() string {
	if p.handlers {
		return "handlers"
	}
	return "tasks"
}

// findTaskFile looks for a file of tasks that is imported at p: beside the file
// that asks for it, beside the files that included that one, in the role,
// beside the playbook. When there is none it gives the path where it would be
// expected.
func findTaskFile(name string, p place) string {
	return findIn(name, append(p.besideFiles(), p.roots()...))
}

// findIncluded is findTaskFile for an include, for which a role's own
// directories come first, and which is expected beside the playbook.
func findIncluded(name string, p place) string {
	if p.role == nil {
		return findTaskFile(name, p)
	}
	if file := findIn(name, append(p.roots(), p.besideFiles()...)); isFile(file) {
		return file
	}
	return absolute(name, p.play.Dir)
}

// besideFiles are the directories of the file at p and of those around it.
func (p place) besideFiles() []string {
	dirs := []string{filepath.Dir(p.file)}
	for _, b := range p.parent.chain() {
		if b.File != "" && b.Role == p.role {
			dirs = append(dirs, filepath.Dir(b.File))
		}
	}
	return dirs
}

// roots are the directories of the role and the playbook that hold tasks.
func (p place) roots() []string {
	var dirs []string
	if p.role != nil {
		dirs = []string{filepath.Join(p.role.Path, p.subdir()), filepath.Join(p.role.Path, "tasks"), p.role.Path}
	}
	return append(dirs, filepath.Join(p.play.Dir, p.subdir()), p.play.Dir)
}

func findIn(name string, dirs []string) string {
	for _, dir := range slices.Compact(dirs) {
		if path := absolute(name, dir); isFile(path) {
			return path
		}
	}
	return absolute(name, dirs[0])
}

// nearFile gives the file in path's directory whose name is nearest, whatever
// its extension.
func nearFile(path string) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	byStem := map[string]string{}
	var stems []string
	for _, e := range entries {
		s := stem(e.Name())
		byStem[s] = e.Name()
		stems = append(stems, s)
	}
	want := stem(filepath.Base(path))
	if name, ok := byStem[want]; ok {
		return name
	}
	return byStem[source.Nearest(want, stems)]
}

func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

func tasksOf(items []Item) []*Task {
	var tasks []*Task
	for _, item := range items {
		if t, ok := item.(*Task); ok {
			tasks = append(tasks, t)
		}
	}
	return tasks
}
