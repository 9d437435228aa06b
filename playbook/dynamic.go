package playbook

import (
	"errors"
	"slices"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// ErrNoTasks is in the error about a file that include_tasks means and that has
// no list of tasks.
var ErrNoTasks = errors.New("no list of tasks")

// Included is what an include of the running playbook brings.
type Included struct {
	Block *Block  // to run in the place of the include
	Role  *Role   // of include_role
	Roles []*Role // of include_role: dependencies first, with their handlers
	Null  bool    // of include_tasks: the file has not even an empty list
}

// FindTasks is the file that t, an include_tasks, means by name; not ok when
// there is none, and then the file is where it was expected.
func (pb *Playbook) FindTasks(t *Task, name string) (file string, ok bool) {
	file = findIncluded(name, placeOf(t))
	return file, isFile(file)
}

// IncludeTasks loads the file that t, an include_tasks, means by its name.
func (pb *Playbook) IncludeTasks(t *Task, name string) (*Included, error) {
	l := pb.loader
	defer l.begin(t)()
	at, _ := taskFileName(t)
	file, ok := pb.FindTasks(t, name)
	if !ok {
		return nil, l.noFile(at, "tasks file", file)
	}
	content, err := l.read(file, at.Pos)
	if err != nil {
		return nil, err
	}
	if !content.Null() && content.Kind != yaml.List {
		e := l.noTasks(content)
		e.Known, e.Err = "included task files must contain a list of tasks", ErrNoTasks
		return nil, e
	}
	b, applied, err := l.includeBlock(t)
	if err != nil {
		return nil, err
	}
	if err := l.taskFile(file, applied, placeOf(t), at.Pos); err != nil {
		return nil, err
	}
	b.File = applied.File
	if applied != b && len(applied.Items) > 0 {
		b.Items = []Item{applied}
	}
	return &Included{Block: b, Null: content.Null()}, nil
}

// IncludeRole loads the role of t, an include_role, whose arguments are given
// as templated: name, tasks_from and so on.
func (pb *Playbook) IncludeRole(t *Task, args *jinja.Dict) (*Included, error) {
	l := pb.loader
	defer l.begin(t)()
	use := &Task{Node: t.Node, Args: args, ArgPos: t.ArgPos, Action: t.Action, ActionPos: t.ActionPos}
	at, ok := roleName(use)
	if !ok {
		return nil, l.fail(source.Errorf(t.ActionPos, "the name of the role to include is empty"))
	}
	if !isName(at) {
		return nil, l.noRoleName(at)
	}
	b, applied, err := l.includeBlock(t)
	if err != nil {
		return nil, err
	}
	p := placeOf(t)
	p.parent, p.handlers = applied, false
	r, err := l.usedRole(use, at.Value.(string), at, p)
	if err != nil {
		return nil, err
	}
	public, err := l.roleFlag(use, "public", false, p)
	if err != nil {
		return nil, err
	}
	in := &Included{Block: b, Role: r, Roles: roleList(r)}
	for _, role := range in.Roles {
		role.Public = public
	}
	applied.Items = roleBlocks(r)
	if applied != b {
		b.Items = []Item{applied}
	}
	return in, nil
}

// begin takes the loader for one include; the function it gives ends that.
func (l *loader) begin(t *Task) (end func()) {
	l.mu.Lock()
	l.within, l.open = nil, nil
	clear(l.stats) // the play may have made files
	leavePlay := l.enter(t.Play.Pos, "in play %q", t.Play.Title())
	leave := l.enter(t.Pos, "included")
	return func() {
		leave()
		leavePlay()
		l.mu.Unlock()
	}
}

func placeOf(t *Task) place {
	return place{play: t.Play, parent: t.Parent, role: t.Role, file: t.File, handlers: t.Handler, dynamic: true, included: t.Action == "include_tasks"}
}

// includeBlock is the block for what t includes, with t's vars. What is included
// goes into applied: the block itself, or the one within it that has the keywords
// and vars of t's apply. Other keywords of t are its own.
func (l *loader) includeBlock(t *Task) (b, applied *Block, err error) {
	b = &Block{Node: Node{Pos: t.Pos, Vars: t.Vars}, Parent: t.Parent, Play: t.Play, Role: t.Role, Include: t}
	applied = b
	if t.apply != nil {
		applied = &Block{Parent: b, Play: t.Play, Role: t.Role}
		if err := l.node(t.apply, inBlock, &applied.Node, nil); err != nil {
			return nil, nil, err
		}
		applied.Pos = t.Pos
	}
	if slices.Contains(structural, t.Action) {
		return b, applied, nil
	}
	return nil, nil, l.fail(source.Errorf(t.ActionPos, "%s includes nothing", t.Action))
}
