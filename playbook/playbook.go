// Package playbook is the language as read: plays, blocks, tasks, handlers
// and roles. Every node knows its place in the source. Nothing is templated
// here: values are plain data with *yaml.Template where a template stands.
package playbook

import (
	"cmp"
	"path/filepath"
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// Playbook is a playbook file with the playbooks it imports, in order.
type Playbook struct {
	File  string
	Plays []*Play
	Text  bool // it is of the command line, and in no file

	loader *loader
}

// Name is the file's name; of the command line's playbook it is Ansible's.
func (pb *Playbook) Name() string {
	if pb.Text {
		return "__adhoc_playbook__"
	}
	return filepath.Base(pb.File)
}

// Node is what plays, roles, blocks and tasks have in common.
type Node struct {
	Pos  source.Pos
	Name any // string, *yaml.Template or nil
	// Keywords are the keywords that were written here, by name, but for
	// name, vars and those that have a field of their own. Forms of Ansible 1.x
	// are kept under today's names: sudo is become. Booleans and whole numbers
	// are bool and int however they were written; what is none is as written.
	Keywords map[string]Keyword
	Vars     *jinja.Dict // nil when none
}

// Keyword is a keyword's value as written.
type Keyword struct {
	Value any
	Pos   source.Pos // of the value

	written *yaml.Node // the value; nil where nothing stands for it
}

// Written is item i of the value as it stands in the file, or all of it where
// it is no list; nil where it does not stand there.
func (k Keyword) Written(i int) *yaml.Node { return k.written.Item(i) }

// Play is one play.
type Play struct {
	Node
	Hosts    any // string, list or template
	HostsPos source.Pos
	// The four sections in the order they run. Each is a block of no keywords
	// whose parent is the play. Roles holds one block a role.
	PreTasks, Roles, Tasks, PostTasks *Block
	Handlers                          []*Task
	// RoleList is every role of the play and of its static imports,
	// dependencies before dependents, in the order they run.
	RoleList []*Role
	// Imports are the import_playbook statements it came through, outermost
	// first, for their vars, when and tags.
	Imports []*Node
	Dir     string // of the playbook file
	// absent are the faults of names in vars_files of which there was no file
	// when the playbook was loaded.
	absent map[string]error
}

// Item is what a block holds: *Task or *Block.
type Item interface{ item() }

// Block is a block, a file of tasks that was imported or included, or a
// role's tasks.
type Block struct {
	Node
	Parent                *Block // nil directly below the play
	Play                  *Play
	Role                  *Role // the role it stands in, nil outside of roles
	Items, Rescue, Always []Item
	// Static is the import_tasks or import_role that became this block, nil
	// for others.
	Static *Task
	// Params are the vars of a static include of 1.x, which win over what
	// set_fact set; nil for others.
	Params *jinja.Dict
	// IsRole is set for the block that holds all tasks of Role.
	IsRole  bool
	rescued bool // it has a rescue, which is read after its tasks
	// Explicit is set for a block: of the playbook, as against files and roles.
	Explicit bool
	// Include is the include_tasks or include_role that became this block while
	// the playbook ran. Its vars and apply are the block's, its other keywords
	// are not.
	Include *Task
	// File is the file its items are in, when it is a whole file.
	File string
}

// Task is a task or a handler.
type Task struct {
	Node
	Parent *Block // nil for handlers of the play
	Play   *Play
	Role   *Role
	File   string // the file it stands in

	Action    string // canonical: the short name of what gplay has, else as written
	Program   string // the file of a module of the playbook's own, "" for gplay's
	ActionAs  string // as written
	ActionPos source.Pos
	// ActionTemplate gives the action's name when the task runs; nil where it
	// is plain.
	ActionTemplate *yaml.Template
	// Missing says that there is such a module and that gplay does not have it;
	// nil for what can run.
	Missing *source.Error
	// Args are the arguments; free text is under "_raw_params". ArgsTemplate
	// is `args: "{{ dict }}"`, or nil.
	Args         *jinja.Dict
	ArgPos       map[string]source.Pos // of each argument's name
	ArgsTemplate any

	Loop     *Loop
	Register string
	Notify   []any // strings and templates; the nearest block's when it has none
	Listen   []any
	Handler  bool
	// Implicit is set for tasks that the runner adds: fact gathering, the
	// flushing of handlers.
	Implicit bool
	// Deprecated are the 1.x forms it was written in, a line each.
	// Options.Deprecated was told of them already.
	Deprecated []string

	params *jinja.Dict // Block.Params of what it becomes
	body   *yaml.Node  // the arguments as written, nil when they are no dict
	apply  *yaml.Node  // of an include, nil when there is none
}

// Loop is loop: or one of the with_ family.
type Loop struct {
	Lookup string // "" for loop:, else items, dict, fileglob …
	// Bare is set where a name without braces in Value was made a template, as
	// Ansible 1.x took it.
	Bare  bool
	Value any
	Pos   source.Pos
	// Control is loop_control as written, nil when there is none.
	Control *jinja.Dict
	Breaks  Keyword // loop_control's break_when; its Value is nil without one
}

// Role is a role as it is used in one place.
type Role struct {
	Name string
	Path string // its directory, absolute
	// Collection is the one it is in, "" for others. Name begins with it.
	Collection string
	searched   []string // the collections in which its tasks look
	// Params are the variables given where it is used (beyond vars:).
	Params   *jinja.Dict
	Vars     *jinja.Dict // vars/main.yml and vars_from
	Defaults *jinja.Dict
	// Use is where it is used: its keywords and vars.
	Use             *Node
	Dependencies    []*Role
	Dependents      []*Role // the chain that asked for it, outermost first
	Includers       []*Role // the roles whose include_role or import_role brought it, nearest first
	Block           *Block  // its tasks
	Handlers        []*Task
	AllowDuplicates bool
	unchecked       bool // its argument specification does not count
	// Public is set for roles: and import_role, whose variables the whole play
	// sees; include_role shows them only with public: true.
	Public bool
}

// Short is the role's name without its collection.
func (r *Role) Short() string {
	if r.Collection == "" {
		return r.Name
	}
	return strings.TrimPrefix(r.Name, r.Collection+".")
}

func (*Block) item() {}
func (*Task) item()  {}

// String names a task as Ansible does where it speaks of it: with its role, and
// its name as written or its action.
func (t *Task) String() string {
	name := t.ActionAs
	switch n := t.Name.(type) {
	case string:
		name = cmp.Or(n, name)
	case *yaml.Template:
		name = n.Text
	}
	if t.Role != nil {
		name = t.Role.Name + " : " + name
	}
	if t.Handler {
		return "HANDLER: " + name
	}
	return "TASK: " + name
}
