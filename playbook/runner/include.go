package runner

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/internal/vault"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/vars"
)

// include is what an include_tasks or include_role asks for, on one host and
// for one item.
type include struct {
	name string      // of the file or role
	args *jinja.Dict // templated
	loop *jinja.Dict // the loop's variables, nil without one
	// label is the item of a looped include, as it is shown.
	label string
}

// key is equal for hosts that include the same with the same variables.
func (i *include) key() string {
	return i.name + "\x00" + jinja.Repr(i.args) + "\x00" + jinja.Repr(i.loop)
}

// result is what an include gives before anything of it runs.
func (i *include) result(task *playbook.Task) *jinja.Dict {
	if task.Action == "include_role" {
		return jinja.NewDict("include_args", i.args)
	}
	args := i.args.Copy()
	for _, key := range []string{"_raw_params", "file"} {
		args.Delete(key)
	}
	return jinja.NewDict("include", i.name, "include_args", args)
}

// includes reports whether the task includes others.
func (x *execution) includes() bool {
	return x.task.Action == "include_tasks" || x.task.Action == "include_role"
}

// including is the result of a task that includes something.
func (x *execution) including(scope *vars.Scope) *try {
	inc, err := x.included(scope)
	if err != nil {
		t := x.failedEarly(scope, err)
		t.data.Set("msg", labelError(err)) // Ansible says no more of an include
		if x.task.Action == "include_role" {
			t.ends = x.roleFault(scope, err)
		}
		return t
	}
	hidden := written(x.task, "no_log")
	if hidden {
		inc.label = "(censored due to no_log)"
	}
	return &try{data: inc.result(x.task), scope: scope, include: inc, noLog: hidden}
}

// included is what the task includes.
func (x *execution) included(scope *vars.Scope) (*include, error) {
	args, err := x.arguments(scope)
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"_raw_params", "file", "name", "role"} {
		if v, ok := args.Get(key); ok && v != nil {
			return &include{name: strings.TrimSpace(jinja.Str(v)), args: args}, nil
		}
	}
	return nil, source.Errorf(x.task.Pos, "%s needs the name of what to include", x.task.Action)
}

// roleFault is err, for which the arguments of an include_role cannot be
// templated. Those that say how to include it are keywords for Ansible.
func (x *execution) roleFault(scope *vars.Scope, err error) error {
	for _, key := range []string{"allow_duplicates", "public", "rolespec_validate"} {
		v, _ := x.task.Args.Get(key)
		if _, err := scope.Template(v); err != nil {
			return &badSource{fieldFault(key, err)}
		}
	}
	return err
}

// group is the hosts that include the same.
type group struct {
	*include
	info  *TaskInfo // of the including task
	hosts []*cursor
	block *playbook.Block
}

// enterIncluded loads what the hosts included, each thing once, and lets them
// go on with it. It reports whether hosts failed for good because what they
// include is not there.
func (p *playRun) enterIncluded(task *playbook.Task, results []*outcome, at []*cursor) (failed bool, err error) {
	var groups []*group
	byKey := map[string][]*group{}
	for i, o := range results {
		if o == nil {
			continue
		}
		for _, inc := range o.includes {
			// A host that includes the same again is in another group.
			key := inc.key()
			n := slices.IndexFunc(byKey[key], func(g *group) bool { return !slices.Contains(g.hosts, at[i]) })
			if n < 0 {
				n = len(byKey[key])
				groups = append(groups, &group{include: inc, info: o.result.Task})
				byKey[key] = append(byKey[key], groups[len(groups)-1])
			}
			g := byKey[key][n]
			g.hosts = append(g.hosts, at[i])
		}
	}
	if len(groups) == 0 {
		return false, nil
	}
	return p.enterGroups(task, groups)
}

func (p *playRun) enterGroups(task *playbook.Task, groups []*group) (failed bool, err error) {
	all := &playbook.Block{Play: p.play, Parent: task.Parent, Role: task.Role}
	only := map[*cursor]map[*playbook.Block]bool{}
	for _, g := range groups {
		err := p.load(task, g)
		if missing(err) || task.Action == "include_tasks" && vault.IsLocked(err) {
			failed = p.includeFails(task, g, err) || failed
			continue
		}
		if err != nil {
			return false, &badSource{err}
		}
		all.Items = append(all.Items, g.block)
		for _, c := range g.hosts {
			if only[c] == nil {
				only[c] = map[*playbook.Block]bool{}
			}
			only[c][g.block] = true
		}
	}
	for c, blocks := range only {
		c.enter(all, blocks)
	}
	return failed, nil
}

// badSource is an error in what a playbook says, or in what it includes.
type badSource struct{ error }

func (b *badSource) Unwrap() error { return b.error }

// badValue is an error in a value that Ansible does not look at before it needs
// it, with the exit code for that.
type badValue struct {
	error
	code int
}

func (b *badValue) Unwrap() error { return b.error }

// missing reports whether something of what is included is not there, which
// fails the hosts; another error ends the run.
func missing(err error) bool {
	for _, absent := range []error{fs.ErrNotExist, playbook.ErrNoRole, playbook.ErrRoleCircle, playbook.ErrNoTasks} {
		if errors.Is(err, absent) {
			return true
		}
	}
	return false
}

// includeFails fails the hosts whose include cannot be loaded. Of a role
// Ansible does not say on which hosts. It reports whether one of them has
// nothing that rescues it.
func (p *playRun) includeFails(task *playbook.Task, g *group, err error) (last bool) {
	if task.Action == "include_role" {
		p.warn("%v", err)
	}
	reason := strings.TrimPrefix(failureText(err), "Unable to retrieve file contents\n")
	for _, c := range g.hosts {
		if task.Action == "include_tasks" {
			r := &Result{Task: g.info, Host: c.host, Status: Failed, Data: jinja.NewDict("reason", reason)}
			p.tell(func(cb Callback) { cb.Result(r) })
			p.counts(c.host).Failed++ // rescued or not
		}
		last = c.last() || last
		c.fail()
		p.out(p.failed, c.host)
		p.out(p.removed, c.host)
	}
	return last
}

// load reads what a group includes and tells the callback.
func (p *playRun) load(task *playbook.Task, g *group) error {
	var in *playbook.Included
	var err error
	imported := len(p.play.RoleList)
	if task.Action == "include_role" {
		in, err = p.pb.IncludeRole(task, g.args)
	} else {
		in, err = p.pb.IncludeTasks(task, g.name)
	}
	if err != nil {
		return err
	}
	g.block = in.Block
	if g.loop != nil {
		own := in.Block.Vars.Copy()
		for k, v := range g.loop.All() {
			own.Set(k, v)
		}
		in.Block.Vars = own
		if in.Role != nil {
			in.Role.Use.Vars = own // another use for each item
		}
	}
	p.levelsMu.Lock()
	defer p.levelsMu.Unlock()
	p.levels = map[*playbook.Task]vars.Levels{}
	for _, role := range in.Roles {
		if role.Public {
			p.public = append(p.public, role)
		}
		p.handlers.add(role.Handlers)
	}
	for _, role := range p.play.RoleList[imported:] { // by an import_role within
		p.handlers.add(role.Handlers)
	}
	if task.Action == "include_tasks" && !in.Null {
		for _, c := range g.hosts {
			p.counts(c.host).OK++
		}
		p.tell(func(c Callback) { c.Included(g.info, in.Block.File, names(g.hosts), g.label) })
	}
	return nil
}

func names(at []*cursor) []string {
	out := make([]string, len(at))
	for i, c := range at {
		out[i] = c.host
	}
	return out
}
