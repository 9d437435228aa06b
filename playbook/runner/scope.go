package runner

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/inventory"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/vars"
)

// scope is the variables of host for task.
func (p *playRun) scope(ctx context.Context, task *playbook.Task, host *inventory.Host) *vars.Scope {
	return p.scopeOf(ctx, task, host, p.taskLevels(task))
}

func (p *playRun) scopeOf(ctx context.Context, task *playbook.Task, host *inventory.Host, l vars.Levels) *vars.Scope {
	l.Play = append(append([]*jinja.Dict{p.play.Vars}, p.prompted), p.files[host.Name]...)
	layers := p.store.Layers(host, p.play.Dir, l)
	layers = slices.DeleteFunc(layers, func(l jinja.Mapping) bool { d, ok := l.(*jinja.Dict); return l == nil || ok && d.Len() == 0 })
	below := vars.Reach{Mapping: reach{p: p, ctx: ctx, task: task, host: host, above: layers}}
	all := append(append([]jinja.Mapping{p.hostMagic(ctx, task, host)}, layers...), below)
	s := p.store.Templar.NewScope(ctx, all...)
	s.Dirs = p.searchPath(task)
	switch task.Action {
	case "template":
		s.Subdir = "templates"
	case "include_vars":
		s.Subdir = "vars"
	}
	s.Hosts = p.matching
	return s
}

func (p *playRun) matching(patterns []string) ([]string, error) {
	selection, err := p.Inventory.Select(patterns, nil)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(selection.Hosts))
	for i, h := range selection.Hosts {
		names[i] = h.Name
	}
	return names, nil
}

// taskLevels are the variables that a task brings along, whatever the host.
func (p *playRun) taskLevels(task *playbook.Task) vars.Levels {
	p.levelsMu.Lock()
	defer p.levelsMu.Unlock()
	if l, ok := p.levels[task]; ok {
		return l
	}
	var l vars.Levels
	for _, role := range append(p.play.RoleList, p.public...) {
		l.RoleDefaults = append(l.RoleDefaults, role.Defaults)
		if !p.PrivateRoleVars {
			l.RoleVars = append(l.RoleVars, used(role), role.Vars)
		}
	}
	if role := task.Role; role != nil {
		for _, r := range role.Dependents {
			l.RoleVars = append(l.RoleVars, used(r), r.Vars)
		}
		dependencyVars(role, &l)
		for _, r := range append(append([]*playbook.Role{}, role.Dependents...), role) {
			l.RoleDefaults = append(l.RoleDefaults, r.Defaults)
			l.Params = append(l.Params, r.Params)
		}
		l.RoleVars = append(l.RoleVars, used(role), role.Vars)
	}
	p.blockLevels(task.Parent, &l)
	l.Task = append(l.Task, task.Vars)
	p.levels[task] = l
	return l
}

// dependencyVars are the variables of the roles that role depends on, which it
// sees below its own.
func dependencyVars(role *playbook.Role, l *vars.Levels) {
	for _, r := range role.Dependencies {
		dependencyVars(r, l)
		l.RoleVars = append(l.RoleVars, used(r), r.Vars)
	}
}

// used are the vars: with which a role is used. The whole play sees them, below
// those in the role's own files.
func used(role *playbook.Role) *jinja.Dict {
	if role.Use == nil {
		return nil
	}
	return role.Use.Vars
}

func (p *playRun) blockLevels(b *playbook.Block, l *vars.Levels) {
	if b == nil {
		return
	}
	p.blockLevels(b.Parent, l)
	if b.Include != nil {
		l.Params = append(l.Params, b.Vars)
		return
	}
	l.Task = append(l.Task, b.Vars)
	l.Params = append(l.Params, b.Params)
}

// runMagic are the variables that are the same for all hosts and plays.
func (p *playRun) runMagic() vars.Lazy {
	magic := vars.Lazy{
		"groups":                    func() any { return p.Inventory.GroupsDict() },
		"omit":                      func() any { return vars.Omit },
		"playbook_dir":              func() any { return p.play.Dir },
		"ansible_check_mode":        func() any { return p.Check },
		"ansible_diff_mode":         func() any { return p.Diff },
		"ansible_forks":             func() any { return p.Forks },
		"ansible_verbosity":         func() any { return p.Verbosity },
		"ansible_run_tags":          func() any { return textList(orAll(p.Tags)) },
		"ansible_skip_tags":         func() any { return textList(p.SkipTags) },
		"ansible_inventory_sources": func() any { return textList(p.Inventory.Sources) },
	}
	if p.Limit != "" {
		magic["ansible_limit"] = func() any { return p.Limit }
	}
	return magic
}

// magicVars are the variables that are the same for every task of a batch.
func (p *playRun) magicVars(ctx context.Context) vars.Lazy {
	magic := p.runMagic()
	hostVars := p.store.HostVars(ctx, p.play.Dir, magic)
	names := func(hosts []*inventory.Host) *jinja.List {
		l := jinja.NewList()
		for _, h := range hosts {
			l.Items = append(l.Items, h.Name)
		}
		return l
	}
	maps.Copy(magic, vars.Lazy{
		"hostvars":                     func() any { return hostVars },
		"ansible_play_name":            func() any { return p.info.Name },
		"ansible_play_hosts_all":       func() any { return names(p.everyone()) },
		"ansible_play_hosts":           func() any { return names(p.present(p.everyone())) },
		"play_hosts":                   func() any { return names(p.present(p.batch)) },
		"ansible_play_batch":           func() any { return names(p.present(p.batch)) },
		"role_names":                   p.playRoleNames,
		"ansible_role_names":           p.allRoleNames,
		"ansible_play_role_names":      p.playRoleNames,
		"ansible_dependent_role_names": p.dependentRoleNames,
	})
	return magic
}

func textList(texts []string) *jinja.List {
	l := jinja.NewList()
	for _, t := range texts {
		l.Items = append(l.Items, t)
	}
	return l
}

func orAll(tags []string) []string {
	if len(tags) == 0 {
		return []string{"all"}
	}
	return tags
}

// roleNames are the play's roles, those of its own and those they depend on.
func (p *playRun) roleNames() (own, dependencies []string) {
	needed := map[*playbook.Role]bool{}
	for _, r := range p.play.RoleList {
		for _, d := range r.Dependencies {
			needed[d] = true
		}
	}
	for _, r := range append(p.play.RoleList[:len(p.play.RoleList):len(p.play.RoleList)], p.public...) {
		switch {
		case !needed[r]:
			own = append(own, r.Name)
		case !slices.Contains(dependencies, r.Name):
			dependencies = append(dependencies, r.Name)
		}
	}
	return own, dependencies
}

func (p *playRun) playRoleNames() any {
	own, _ := p.roleNames()
	return textList(own)
}

func (p *playRun) dependentRoleNames() any {
	_, dependencies := p.roleNames()
	return textList(dependencies)
}

func (p *playRun) allRoleNames() any {
	own, dependencies := p.roleNames()
	return textList(unique(append(own, dependencies...)))
}

func unique(names []string) []string {
	var out []string
	for _, name := range names {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// hostMagic are the magic variables of one task on one host, above those of
// the play. Fewer allocations here are time saved on every task.
func (p *playRun) hostMagic(ctx context.Context, task *playbook.Task, host *inventory.Host) jinja.Mapping {
	return magic{p: p, ctx: ctx, task: task, host: host}
}

type magic struct {
	p    *playRun
	ctx  context.Context
	task *playbook.Task
	host *inventory.Host
}

func (m magic) Get(key any) (any, bool) {
	name, _ := key.(string)
	switch name {
	case "vars":
		return m.p.scope(m.ctx, m.task, m.host).Mapping(), true
	case "ansible_search_path":
		return textList(m.p.searchPath(m.task)), true
	case "environment":
		return jinja.NewList(), true
	}
	if m.task.Role != nil {
		if v, ok := m.ofRole(name); ok {
			return v, true
		}
	}
	return m.p.magic.Get(key)
}

func (m magic) ofRole(name string) (any, bool) {
	switch role := m.task.Role; name {
	case "role_path":
		return role.Path, true
	case "role_name":
		return role.Short(), true
	case "ansible_role_name":
		return role.Name, true
	case "ansible_collection_name":
		if role.Collection == "" {
			return nil, true
		}
		return role.Collection, true
	case "role_uuid":
		return role.Path, true
	case "ansible_parent_role_names":
		return ofRoles(role.Includers, func(r *playbook.Role) string { return r.Name })
	case "ansible_parent_role_paths":
		return ofRoles(role.Includers, func(r *playbook.Role) string { return r.Path })
	}
	return nil, false
}

func ofRoles(roles []*playbook.Role, what func(*playbook.Role) string) (any, bool) {
	l := jinja.NewList()
	for _, r := range roles {
		l.Items = append(l.Items, what(r))
	}
	return l, len(roles) > 0
}

func (m magic) Keys() []any {
	keys := append(m.p.magic.Keys(), "vars", "environment", "ansible_search_path")
	if m.task.Role != nil {
		keys = append(keys, "role_path", "role_name", "ansible_role_name")
	}
	return keys
}

func (m magic) Len() int { return len(m.Keys()) }

// searchPath are the directories in which a task's files are looked for: of
// its role and the roles that asked for it, of its file, of the playbook.
func (p *playRun) searchPath(task *playbook.Task) []string {
	var dirs []string
	add := func(dir string) {
		for _, d := range dirs {
			if d == dir {
				return
			}
		}
		dirs = append(dirs, dir)
	}
	if task.Role != nil {
		add(task.Role.Path)
		for i := len(task.Role.Dependents) - 1; i >= 0; i-- {
			add(task.Role.Dependents[i].Path)
		}
	}
	if task.File != "" {
		add(filepath.Dir(task.File))
	}
	add(p.play.Dir)
	return dirs
}

// loadVarsFiles reads the play's vars_files for every host of the batch. Of a
// list within the list, the first file that exists counts.
func (p *playRun) loadVarsFiles(ctx context.Context) error {
	p.files, p.filesRead, p.waiting = map[string][]*jinja.Dict{}, map[string]varsFileRead{}, map[string]bool{}
	for _, h := range p.batch {
		if err := p.hostVarsFiles(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// hostVarsFiles reads the play's vars_files for a host. Those whose names are
// not known before there are facts are looked for again at every task.
func (p *playRun) hostVarsFiles(ctx context.Context, h *inventory.Host) error {
	p.files[h.Name], p.waiting[h.Name] = nil, false
	k := p.play.Keywords["vars_files"]
	for _, entry := range asList(k.Value) {
		dicts, err := p.varsFile(ctx, h, entry, k.Pos)
		switch {
		case isUndefined(err) && !p.store.HasFacts(h.Name):
			p.waiting[h.Name] = true
		case err != nil:
			return err
		default:
			p.files[h.Name] = append(p.files[h.Name], dicts...)
		}
	}
	return nil
}

func (p *playRun) varsFile(ctx context.Context, h *inventory.Host, entry any, pos source.Pos) ([]*jinja.Dict, error) {
	none := p.implicit("setup", "")
	levels := p.taskLevels(none)
	levels.Unset = true
	scope := p.scopeOf(ctx, none, h, levels)
	var name string
	for _, choice := range asList(entry) {
		v, err := scope.Template(choice)
		if err != nil {
			return nil, err
		}
		name = jinja.Str(v)
		if path := playbook.FindVarsFile(name, p.play.Dir); path != "" {
			return p.readVars(path)
		}
	}
	return nil, p.play.NoVarsFile(name, pos)
}

// varsFileRead is what a file of vars_files held, and what it was like then.
type varsFileRead struct {
	dicts []*jinja.Dict
	info  os.FileInfo
}

// varsFilesChanged reports whether a file that was read is another one by now.
// Ansible reads them at every task.
func (p *playRun) varsFilesChanged() bool {
	for path, read := range p.filesRead {
		info, err := os.Stat(path)
		if err != nil || !info.ModTime().Equal(read.info.ModTime()) || info.Size() != read.info.Size() {
			return true
		}
	}
	return false
}

// readVars reads a file of vars_files, once for all hosts.
func (p *playRun) readVars(path string) ([]*jinja.Dict, error) {
	if read, ok := p.filesRead[path]; ok {
		return read.dicts, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	n, err := yaml.LoadNode(path, p.Templar.Vault)
	if err != nil {
		return nil, err
	}
	dicts, err := playbook.DictsOf(n)
	p.filesRead[path] = varsFileRead{dicts, info}
	return dicts, err
}
