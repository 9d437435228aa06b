package playbook

import (
	"slices"

	"gplay/internal/source"
	"gplay/jinja"
)

// Included is what an include of the running playbook brings.
type Included struct {
	Block *Block  // to run in the place of the include
	Roles []*Role // of include_role: dependencies first, with their handlers
}

// FindTasks is the file that t, an include_tasks, means by name; not ok when
// there is none, and then the file is where it was expected.
func (pb *Playbook) FindTasks(t *Task, name string) (file string, ok bool) {
	file = findTaskFile(name, placeOf(t).subdir(), t.File, t.Parent, t.Role, t.Play)
	return file, isFile(file)
}

// IncludeTasks loads the file that t, an include_tasks, means by its name. The
// block carries t's vars and apply.
func (pb *Playbook) IncludeTasks(t *Task, name string) (*Included, error) {
	l := pb.loader
	defer l.begin(t)()
	at, _ := taskFileName(t)
	file, ok := pb.FindTasks(t, name)
	if !ok {
		return nil, l.noFile(at, "tasks file", file)
	}
	b, err := l.includeBlock(t)
	if err != nil {
		return nil, err
	}
	if err := l.taskFile(file, b, placeOf(t), at.Pos); err != nil {
		return nil, err
	}
	return &Included{Block: b}, nil
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
	name, expected := checkText(at)
	if expected != "" {
		return nil, l.errorf(at, "the name of a role is expected here, not %s", at.Describe())
	}
	b, err := l.includeBlock(t)
	if err != nil {
		return nil, err
	}
	p := placeOf(t)
	p.parent, p.handlers = b, false
	r, err := l.usedRole(use, name.(string), at, p)
	if err != nil {
		return nil, err
	}
	public, _ := args.Get("public")
	in := &Included{Block: b, Roles: roleList(r)}
	for _, role := range in.Roles {
		role.Public = public == true
	}
	b.Items = roleBlocks(r)
	return in, nil
}

// begin takes the loader for one include; the function it gives ends that.
func (l *loader) begin(t *Task) (end func()) {
	l.mu.Lock()
	l.within, l.open = nil, nil
	leavePlay := l.enter(t.Play.Pos, "in play %q", t.Play.Title())
	leave := l.enter(t.Pos, "included")
	return func() {
		leave()
		leavePlay()
		l.mu.Unlock()
	}
}

func placeOf(t *Task) place {
	return place{play: t.Play, parent: t.Parent, role: t.Role, file: t.File, handlers: t.Handler, dynamic: true}
}

// includeBlock is the block for what t includes: with t's vars, and the
// keywords and vars of its apply. Other keywords of t are its own.
func (l *loader) includeBlock(t *Task) (*Block, error) {
	b := &Block{Parent: t.Parent, Play: t.Play, Role: t.Role, Include: t}
	b.Pos = t.Pos
	if t.apply != nil {
		if err := l.node(t.apply, inBlock, &b.Node, nil); err != nil {
			return nil, err
		}
	}
	b.Vars = merged(t.Vars, b.Vars)
	if slices.Contains(structural, t.Action) {
		return b, nil
	}
	return nil, l.fail(source.Errorf(t.ActionPos, "%s includes nothing", t.Action))
}
