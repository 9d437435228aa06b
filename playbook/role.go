package playbook

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// ErrRoleCircle says that a role depends on itself.
var ErrRoleCircle = errors.New("a role depends on itself")

// ErrNoRole says that there is no role of that name.
var ErrNoRole = fmt.Errorf("no such role: %w", fs.ErrNotExist)

// from names the files of a role to use instead of main, by their directory.
type from map[string]*yaml.Node

// roles loads the roles section of a play.
func (l *loader) roles(n *yaml.Node, play *Play) error {
	play.Roles = &Block{Node: Node{Pos: n.Pos}, Play: play}
	searched := l.searched(Keyword{}, place{play: play})
	for _, entry := range n.Items {
		r, err := l.roleEntry(entry, place{play: play, parent: play.Roles}, nil, searched)
		if err != nil {
			return err
		}
		play.Roles.Items = append(play.Roles.Items, roleBlocks(r)...)
		play.RoleList = append(play.RoleList, roleList(r)...)
	}
	return nil
}

// roleBlocks are the blocks of a role and of what it depends on, in the order
// they run.
func roleBlocks(r *Role) []Item {
	var items []Item
	for _, role := range roleList(r) {
		items = append(items, role.Block)
	}
	return items
}

func roleList(r *Role) []*Role {
	var list []*Role
	for _, dep := range r.Dependencies {
		list = append(list, roleList(dep)...)
	}
	return append(list, r)
}

// roleEntry loads one role of roles: or of a role's dependencies: its name, or
// a dict with role, keywords and parameters. A short name is looked for in the
// collections searched, too.
func (l *loader) roleEntry(n *yaml.Node, p place, dependents []*Role, searched []string) (*Role, error) {
	r := &Role{Use: &Node{Pos: n.Pos, Keywords: map[string]Keyword{}}, Dependents: dependents, Params: &jinja.Dict{}, Public: true}
	if asks := last(dependents); asks != nil {
		r.Includers = asks.Includers
	}
	name := n
	if n.Kind == yaml.Map {
		if name = roleNameOf(n, len(dependents) > 0); !isName(name) || name.Value == "" {
			e := l.errorf(n, "this role has no name")
			e.Known, e.Err = "role definitions must contain a role name", ErrOther
			e.Hint = "write role: and its name"
			return nil, e
		}
		if err := l.roleUse(n, name, r); err != nil {
			return nil, err
		}
	}
	if !isName(name) {
		return nil, l.noRoleName(name)
	}
	text, err := l.text(name, p)
	if err != nil {
		return nil, err
	}
	if n.Kind != yaml.Map && strings.Contains(text, ",") {
		e := l.errorf(name, "%q is the old style of a role with its version", text)
		e.Known, e.Err = "Invalid old style role requirement: "+text, ErrOther
		e.Hint = "write the name of the role alone"
		return nil, e
	}
	path, err := l.findRole(text, name, r, last(dependents), p, searched)
	if err != nil {
		return nil, err
	}
	for i, d := range dependents {
		if d.Path == path {
			return nil, l.circle(dependents[i:], name)
		}
	}
	return r, l.loadRole(r, path, name, from{}, p)
}

// roleNameOf is the name in a role's dict, nil for none. A dependency may say
// where it was installed from instead, whose last part is the name.
func roleNameOf(n *yaml.Node, dependency bool) *yaml.Node {
	for _, key := range []string{"role", "name"} {
		if v := n.Get(key); !v.Null() {
			return v
		}
	}
	src := n.Get("src")
	text, ok := src.String()
	if !dependency || !ok {
		return nil
	}
	if strings.Contains(text, "://") || strings.Contains(text, "@") {
		text = text[strings.LastIndexByte(text, '/')+1:]
		text = strings.TrimSuffix(strings.TrimSuffix(text, ".git"), ".tar.gz")
		text, _, _ = strings.Cut(text, ",")
	}
	named := *src
	named.Value = text
	return &named
}

func isName(n *yaml.Node) bool { _, ok := n.String(); return ok }

// noRoleName is the error of what stands for a role's name and is none.
func (l *loader) noRoleName(n *yaml.Node) error {
	v := n.Any()
	e := l.errorf(n, "the name of a role is expected here, not %s", jinja.Repr(v))
	e.Known = "Invalid role definition: " + jinja.Str(v)
	if _, dict := v.(*jinja.Dict); dict {
		e.Known, e.Err = "role definitions must contain a role name", ErrNoRole
	}
	return e
}

// roleUse reads the keywords and parameters of a role's use. What is no
// keyword is a parameter.
func (l *loader) roleUse(n, name *yaml.Node, r *Role) error {
	return l.node(n, inRole, r.Use, func(p yaml.Pair) bool {
		key, _ := p.Key.Value.(string)
		kw, isKeyword := keywords[key]
		old, isOld := oldKeywords[key]
		if isKeyword && kw.in&inRole != 0 && key != "name" || isOld && old.in&inRole != 0 {
			return false
		}
		if p.Value != name && key != "role" && key != "name" {
			r.Params.Set(key, p.Value.Any())
		}
		return true
	})
}

// loadRole reads all files of the role at path. p is where it is used.
func (l *loader) loadRole(r *Role, path string, at *yaml.Node, f from, p place) error {
	r.Path = path
	defer l.enter(at.Pos, "in role %s", r.Name)()
	l.addLibrary(path)
	return l.roleFiles(r, f, p, at)
}

func (l *loader) circle(roles []*Role, at *yaml.Node) error {
	var names []string
	for _, r := range roles {
		names = append(names, r.Name)
	}
	first := names[0]
	e := l.errorf(at, "the role %s depends on itself: %s", first, strings.Join(append(names, first), " → "))
	e.Known = "A recursion loop was detected with the roles specified. Make sure child roles do not have dependencies on parent roles"
	e.Err = ErrRoleCircle
	return e
}

func (l *loader) roleFiles(r *Role, f from, p place, at *yaml.Node) error {
	var err error
	if r.Vars, err = l.roleVars(r, "vars", f, at); err != nil {
		return err
	}
	if r.Defaults, err = l.roleVars(r, "defaults", f, at); err != nil {
		return err
	}
	p.role, p.included = r, false
	if err := l.meta(r, p, at); err != nil {
		return err
	}
	r.Block = &Block{Node: Node{Pos: at.Pos}, Parent: p.parent, Play: p.play, Role: r, IsRole: true}
	file, err := l.roleFile(r, "tasks", f, at)
	if err != nil {
		return err
	}
	if file != "" {
		p.handlers = false
		if err := l.taskFile(file, r.Block, p, at.Pos); err != nil {
			return err
		}
	}
	if !r.unchecked {
		t, err := l.validation(r, f, p, at)
		if err != nil {
			return err
		}
		if t != nil {
			r.Block.Items = append([]Item{t}, r.Block.Items...)
		}
	}
	return l.roleHandlers(r, f, p, at)
}

func (l *loader) roleHandlers(r *Role, f from, p place, at *yaml.Node) error {
	file, err := l.roleFile(r, "handlers", f, at)
	if file == "" {
		return err
	}
	b := &Block{Node: Node{Pos: at.Pos}, Parent: p.parent, Play: p.play, Role: r, IsRole: true}
	p.handlers = true
	if err := l.taskFile(file, b, p, at.Pos); err != nil {
		return err
	}
	r.Handlers = tasksOf(b.Items)
	return nil
}

// The extensions of a role's main file, and of one that is named, in the order
// they are looked for.
var (
	mainExtensions  = []string{".yml", ".yaml", ".json", ""}
	namedExtensions = []string{"", ".yml", ".yaml", ".json"}
)

// roleFile is a role's file of a kind, main or the one that was asked for;
// "" when the role has no main.
func (l *loader) roleFile(r *Role, dir string, f from, at *yaml.Node) (string, error) {
	base, extensions := "main", mainExtensions
	if n := f[dir]; n != nil {
		base, _ = n.String()
		extensions = namedExtensions
		at = n
	}
	root := filepath.Join(r.Path, dir)
	if inside, err := filepath.Rel(root, absolute(base, root)); err != nil || !filepath.IsLocal(inside) {
		e := l.errorf(at, "the %s file %s is outside of the role's %s", dir, base, source.Rel(root))
		e.Known = fmt.Sprintf("Failed to find '%s' for role as it is not inside the expected role path: '%s'", absolute(base, root), root)
		return "", e
	}
	if path := l.firstFile(base, root, extensions); path != "" || f[dir] == nil {
		return path, nil
	}
	if !l.isDir(root) {
		l.warn(fmt.Sprintf("%s: %s_from has no effect: the role %s has no %s", at.Pos, dir, r.Name, dir))
		return "", nil
	}
	e := l.noFile(at, dir+" file", filepath.Join(root, base))
	e.Known, e.Err = "Could not find specified file in role: "+dir+"/"+base, nil // a fault of the source
	return "", e
}

// firstFile is the first file of a name in dir with one of the extensions, or "".
func (l *loader) firstFile(name, dir string, extensions []string) string {
	if !l.isDir(dir) {
		return ""
	}
	for _, ext := range extensions {
		if path := absolute(name+ext, dir); l.isFile(path) {
			return path
		}
	}
	return ""
}

// roleVars reads a role's vars or defaults: one file, or all in main/.
func (l *loader) roleVars(r *Role, dir string, f from, at *yaml.Node) (*jinja.Dict, error) {
	var files []string
	main := "main"
	if n := f[dir]; n != nil {
		main, _ = n.String()
	}
	file, err := l.roleFile(r, dir, f, at)
	switch whole := filepath.Join(r.Path, dir, main); {
	case file != "":
		files = []string{file}
	case l.isDir(whole):
		files = l.varsIn(whole)
	case err != nil:
		return nil, err
	}
	var vars *jinja.Dict
	for _, file := range files {
		n, err := l.read(file, at.Pos)
		if err != nil {
			return nil, err
		}
		if n.Null() {
			continue
		}
		d, ok := n.Any().(*jinja.Dict)
		if !ok {
			return nil, l.errorf(n, "a role's %s have to be a dict, not %s", dir, n.Describe())
		}
		if vars == nil {
			vars = d
			continue
		}
		vars = merged(vars, d)
	}
	return vars, nil
}

// varsIn are the files of variables in a directory and those below it, in
// their order by name.
func (l *loader) varsIn(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var files []string
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(dir, name)
		switch {
		case strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~"):
		case l.isDir(path):
			files = append(files, l.varsIn(path)...)
		case slices.Contains(namedExtensions, filepath.Ext(name)):
			files = append(files, path)
		}
	}
	return files
}

var metaKeys = []string{"allow_duplicates", "argument_specs", "collections", "dependencies", "galaxy_info"}

// meta reads a role's meta/main.yml and the roles it depends on.
func (l *loader) meta(r *Role, p place, at *yaml.Node) error {
	r.searched = l.roleSearched(r, nil)
	file, err := l.roleFile(r, "meta", nil, at)
	if file == "" {
		return err
	}
	n, err := l.read(file, at.Pos)
	if err != nil || n.Null() {
		return err
	}
	r.searched = l.roleSearched(r, n)
	if n.Kind == yaml.List && len(n.Items) == 0 { // as good as nothing
		return nil
	}
	if n.Kind != yaml.Map {
		return l.errorf(n, "a role's meta has to be a dict, not %s", n.Describe())
	}
	for _, pair := range n.Pairs {
		key, _ := pair.Key.String()
		if _, common := keywords[key]; !slices.Contains(metaKeys, key) && !common {
			e := l.errorf(pair.Key, "unknown keyword %q in a role's meta", key)
			e.Hint = source.DidYouMean(key, metaKeys)
			return e
		}
	}
	if allow := n.Get("allow_duplicates"); !allow.Null() {
		value, expected := checkBool(allow)
		if expected != "" {
			return l.fail(wrongValue("allow_duplicates", allow, expected))
		}
		r.AllowDuplicates = value == true
	}
	return l.dependencies(n.Get("dependencies"), r, p)
}

func (l *loader) dependencies(n *yaml.Node, r *Role, p place) error {
	if n.Null() {
		return nil
	}
	if n.Kind != yaml.List {
		return l.fail(wrongValue("dependencies", n, "a list of roles"))
	}
	dependents := append(r.Dependents[:len(r.Dependents):len(r.Dependents)], r)
	for _, entry := range n.Items {
		dep, err := l.roleEntry(entry, p, dependents, l.dependencySearched(r))
		if err != nil {
			return err
		}
		dep.Public = r.Public
		r.Dependencies = append(r.Dependencies, dep)
	}
	return nil
}

// findRole is the directory of a role, which it gives its name. What a role
// depends on may be beside it.
func (l *loader) findRole(name string, at *yaml.Node, r, beside *Role, p place, searched []string) (string, error) {
	dirs := []string{filepath.Join(p.play.Dir, "roles")}
	for _, dir := range l.RolesPath {
		dirs = append(dirs, absolute(dir, p.play.Dir))
	}
	if beside != nil {
		dirs = append(dirs, filepath.Dir(beside.Path))
	}
	dirs = append(dirs, p.play.Dir)
	if short, path, collection := l.collectionRole(name, searched); path != "" {
		r.Name, r.Collection = collection+"."+short, collection
		return path, nil
	}
	r.Name = name
	for _, dir := range dirs {
		if path := absolute(name, dir); l.isDir(path) {
			return path, nil
		}
	}
	return "", l.noRole(name, at, dirs)
}

func last(roles []*Role) *Role {
	if len(roles) == 0 {
		return nil
	}
	return roles[len(roles)-1]
}

func (l *loader) noRole(name string, at *yaml.Node, dirs []string) error {
	known := fmt.Sprintf("the role '%s' was not found in %s", name, strings.Join(dirs, ":"))
	dirs = slices.Compact(dirs)
	shown := make([]string, len(dirs))
	var names []string
	for i, dir := range dirs {
		shown[i] = source.Rel(dir)
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if e.IsDir() {
				names = append(names, e.Name())
			}
		}
	}
	e := l.errorf(at, "the role %q was not found in %s", name, strings.Join(shown, ", "))
	e.Known, e.Err = known, ErrNoRole
	e.Hint = source.DidYouMean(name, names)
	return e
}

// importRole puts a role's tasks in the place of the statement.
func (l *loader) importRole(n *yaml.Node, t *Task, p place) ([]Item, error) {
	if t.Loop != nil {
		e := source.Errorf(t.Loop.Pos, "import_role cannot have a loop: what it imports is part of the playbook before anything runs")
		e.Hint = "use include_role"
		return nil, l.fail(e)
	}
	if p.handlers {
		return nil, l.fail(source.Errorf(t.ActionPos, "import_role cannot be a handler"))
	}
	if err := l.checkInclude(n, t); err != nil {
		return nil, err
	}
	name, _ := roleName(t)
	if !isName(name) {
		return nil, l.noRoleName(name)
	}
	named := p
	named.own = t.Vars
	text, err := l.text(name, named)
	if err != nil {
		return nil, err
	}
	b := staticBlock(t, p)
	p.parent = b
	r, err := l.usedRole(t, text, name, p)
	if err != nil {
		return nil, err
	}
	b.Items = roleBlocks(r)
	p.play.RoleList = append(p.play.RoleList, roleList(r)...)
	return []Item{b}, nil
}

// usedRole loads the role of an import_role or include_role. Its keywords are
// those of the block around it.
func (l *loader) usedRole(t *Task, name string, at *yaml.Node, p place) (*Role, error) {
	r := &Role{Use: &Node{Pos: t.Pos, Vars: t.Vars}, Params: &jinja.Dict{}, AllowDuplicates: true, Public: true}
	if p.role != nil {
		r.Dependents = append(p.role.Dependents[:len(p.role.Dependents):len(p.role.Dependents)], p.role)
		r.Includers = append([]*Role{p.role}, p.role.Includers...)
	}
	f := from{}
	for _, dir := range fromDirs {
		n, ok := t.argument(dir + "_from")
		if !ok {
			continue
		}
		file, err := l.text(n, p)
		if err != nil {
			return nil, err
		}
		f[dir] = &yaml.Node{Pos: n.Pos, Len: n.Len, Value: file}
	}
	path, err := l.findRole(name, at, r, nil, p, l.searched(t.Keywords["collections"], p))
	if err != nil {
		return nil, err
	}
	validate, err := l.roleFlag(t, "rolespec_validate", true, p)
	if err != nil {
		return nil, err
	}
	allow, err := l.roleFlag(t, "allow_duplicates", true, p)
	if err != nil {
		return nil, err
	}
	r.unchecked = !validate
	err = l.loadRole(r, path, at, f, p)
	r.AllowDuplicates = allow // whatever its meta says
	return r, err
}
