package playbook

import (
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

// playbook loads one playbook file; imports are the statements it came
// through, outermost first, the last of them at at.
func (l *loader) playbook(file string, imports []*Node, at source.Pos) ([]*Play, error) {
	leave, err := l.opening(file, at)
	if err != nil {
		return nil, err
	}
	defer leave()
	n, err := l.read(file, at)
	if err != nil {
		return nil, err
	}
	if n.Null() || n.Kind == yaml.List && len(n.Items) == 0 {
		e := l.errorf(n, "the playbook is empty: there is nothing to do")
		if e.Known = "A playbook must contain at least one play"; n.Null() {
			e.Known = "Empty playbook, nothing to do"
		}
		return nil, e
	}
	if n.Kind != yaml.List {
		e := l.errorf(n, "a playbook has to be a list of plays, not %s", n.Describe())
		if n.Kind == yaml.Map {
			e.Hint = "begin the play with a dash: - hosts: all"
		}
		return nil, e
	}
	var plays []*Play
	for _, entry := range n.Items {
		more, err := l.entry(entry, file, imports)
		if err != nil {
			return nil, err
		}
		plays = append(plays, more...)
	}
	return plays, nil
}

// entry loads one item of a playbook: a play, or the import of a playbook.
func (l *loader) entry(n *yaml.Node, file string, imports []*Node) ([]*Play, error) {
	if n.Kind != yaml.Map {
		e := l.errorf(n, "a play has to be a dict with hosts, not %s", n.Describe())
		e.Known = "playbook entries must be either valid plays or 'import_playbook' statements"
		return nil, e
	}
	for _, p := range n.Pairs {
		key, _ := p.Key.String()
		switch name := Builtin(key); name {
		case "import_playbook", "include":
			return l.importPlaybook(n, p, name, file, imports)
		}
	}
	play, err := l.play(n, file, imports)
	if err != nil {
		return nil, err
	}
	return []*Play{play}, nil
}

// importPlaybook loads "import_playbook: file" and, as 1.x wrote it,
// "include: file key=value".
func (l *loader) importPlaybook(n *yaml.Node, stmt yaml.Pair, name, file string, imports []*Node) ([]*Play, error) {
	imp := &Node{}
	err := l.node(n, inImport, imp, func(p yaml.Pair) bool { return p.Key == stmt.Key || l.withoutEffect(p.Key) })
	if err != nil {
		return nil, err
	}
	if name == "include" {
		l.deprecated(stmt.Key.Pos, "include of a playbook is a form of Ansible 1.x: write import_playbook")
	}
	if vars := n.Get("vars"); vars != nil && vars.Kind != yaml.Map {
		e := wrongValue("vars", vars, "a dict")
		e.Known = "vars for import_playbook statements must be specified as a dictionary"
		return nil, l.fail(e)
	}
	target := stmt.Value
	if _, ok := target.String(); !ok {
		return nil, l.fail(wrongValue("import_playbook", target, "the name of a playbook"))
	}
	if name == "include" {
		target, err = l.importParams(target, imp)
	} else {
		target, err = l.firstWord(target)
	}
	if err != nil {
		return nil, err
	}
	at := place{play: &Play{Node: *imp, Imports: imports, Dir: filepath.Dir(file)}}
	path, err := l.text(target, at)
	if err != nil {
		return nil, err
	}
	if found := l.collectionPlaybook(path); found != "" {
		path = found
	}
	path = absolute(path, filepath.Dir(file))
	if !isFile(path) {
		return nil, l.noFile(target, "playbook", path)
	}
	defer l.enter(stmt.Key.Pos, "imported")()
	l.enterCollection(path)
	return l.playbook(path, append(imports[:len(imports):len(imports)], imp), target.Pos)
}

// withoutEffect reports whether a key is a keyword that an import takes and
// that does nothing there.
func (l *loader) withoutEffect(key *yaml.Node) bool {
	name, _ := key.String()
	kw, ok := keywords[name]
	if !ok || !kw.passed || kw.in&inImport != 0 || kw.in&inPlay == 0 {
		return false
	}
	l.warn(key.Pos.String() + ": " + name + " of import_playbook has no effect: write it at the plays")
	return true
}

// firstWord is what import_playbook means by a text: its first word, and no
// more.
func (l *loader) firstWord(n *yaml.Node) (*yaml.Node, error) {
	text, _ := n.String()
	words, err := splitWords(text)
	if err != nil || len(words) == 0 {
		return nil, l.errorf(n, "import_playbook wants the name of a playbook, not %q", text)
	}
	if len(words) > 1 {
		l.warn(n.Pos.String() + ": what stands behind the name of the playbook to import has no effect")
	}
	first := strings.TrimSpace(words[0].text)
	bare := unquote(first)
	at := words[0].offset
	if bare != first {
		at++
	}
	return n.Part(bare, at), nil
}

// importParams splits "file key=value" of 1.x's include: the values become vars
// of imp.
func (l *loader) importParams(n *yaml.Node, imp *Node) (file *yaml.Node, err error) {
	args := &arguments{l: l, n: n, dict: &jinja.Dict{}, pos: map[string]source.Pos{}}
	if err := args.pairs(n, "import_playbook"); err != nil {
		return nil, err
	}
	raw, _ := args.dict.Get(rawParams)
	args.dict.Delete(rawParams)
	if tags, ok := args.dict.Get("tags"); ok {
		imp.Keywords["tags"] = Keyword{Value: tags, Pos: n.Pos}
		args.dict.Delete("tags")
	}
	if args.dict.Len() > 0 {
		imp.Vars = merged(imp.Vars, args.dict)
	}
	if s, ok := raw.(string); ok {
		raw = strings.TrimSpace(s)
	}
	return &yaml.Node{Pos: n.Pos, Len: n.Len, Value: raw}, nil
}

// merged has what is in either of two dicts of one playbook; the second wins.
func merged(first, second *jinja.Dict) *jinja.Dict {
	all := first.Copy()
	all.Class = yaml.TextClass
	for k, v := range second.All() {
		all.Set(k, v)
	}
	return all
}

// play loads one play.
func (l *loader) play(n *yaml.Node, file string, imports []*Node) (*Play, error) {
	play := &Play{Imports: imports, Dir: filepath.Dir(file)}
	l.addLibrary(play.Dir)
	if err := l.node(n, inPlay, &play.Node, nil); err != nil {
		return nil, l.notAPlay(n, err)
	}
	for name, value := range l.Keywords {
		if _, ok := play.Keywords[name]; !ok {
			play.Keywords[name] = Keyword{Value: value, Pos: n.Pos}
		}
	}
	for _, imp := range slices.Backward(imports) {
		play.Vars = merged(play.Vars, imp.Vars) // the outermost import wins
	}
	if err := l.hosts(n, play); err != nil {
		return nil, err
	}
	if user := n.Key("user"); user != nil && n.Key("remote_user") != nil {
		e := l.errorf(user, "this play has both user and remote_user")
		e.Known = "both 'user' and 'remote_user' are set for this play. The use of 'user' is deprecated, and should be removed"
		return nil, e
	}
	defer l.enter(n.Pos, "in play %q", play.Title())()
	if err := l.checkVarsFiles(n.Get("vars_files"), play); err != nil {
		return nil, err
	}
	// In this order, Ansible's, the variables of roles count, the later ones over
	// the earlier, and their handlers run.
	for _, section := range []struct {
		key  string
		load func(n *yaml.Node) error
	}{
		{"roles", func(n *yaml.Node) error { return l.roles(n, play) }},
		{"pre_tasks", func(n *yaml.Node) (err error) { play.PreTasks, err = l.section(n, play, file); return }},
		{"post_tasks", func(n *yaml.Node) (err error) { play.PostTasks, err = l.section(n, play, file); return }},
		{"tasks", func(n *yaml.Node) (err error) { play.Tasks, err = l.section(n, play, file); return }},
		{"handlers", func(n *yaml.Node) error { return l.playHandlers(n, play, file) }},
	} {
		s := n.Get(section.key)
		if s.Null() {
			s = &yaml.Node{Kind: yaml.List, Pos: n.Pos}
		}
		if s.Kind != yaml.List {
			e := wrongValue(section.key, s, "a list")
			e.Known = fmt.Sprintf("A malformed block was encountered while loading %s: %v should be a list or None but was %s", section.key, s.Any(), pythonClass(s.Any()))
			if section.key == "roles" {
				e.Known = "A malformed role declaration was encountered."
			}
			return nil, l.fail(e)
		}
		if err := section.load(s); err != nil {
			return nil, err
		}
	}
	return play, nil
}

// pythonClass is a value's type as Ansible's messages show it.
func pythonClass(v any) string { return "<class '" + jinja.TypeName(v) + "'>" }

// notAPlay says so where a file of tasks is run as a playbook.
func (l *loader) notAPlay(n *yaml.Node, err error) error {
	if n.Get("hosts") != nil || n.Get("tasks") != nil || n.Get("roles") != nil {
		return err
	}
	for _, p := range n.Pairs {
		key, _ := p.Key.String()
		if _, isKeyword := keywords[key]; isKeyword {
			continue
		}
		if _, ok := l.action(key); ok && l.Action != nil {
			e := l.errorf(p.Key, "a playbook has to be a list of plays, but this is a task")
			e.Hint = "put it below a play: - hosts: … with tasks:"
			return e
		}
	}
	return err
}

// Title is the play's name as written, or its hosts.
func (p *Play) Title() string {
	for _, v := range []any{p.Name, p.Hosts} {
		switch v := v.(type) {
		case string:
			return v
		case *yaml.Template:
			return v.Text
		case *jinja.List:
			return strings.Join(plainTexts(v), ",")
		}
	}
	return ""
}

func (l *loader) hosts(n *yaml.Node, play *Play) error {
	hosts := n.Get("hosts")
	if hosts == nil {
		e := l.errorf(n, "a play needs hosts")
		e.Known = "the field 'hosts' is required but was not set"
		e.Hint = "add hosts: all, or the name of a group"
		return e
	}
	value, expected := checkTexts(hosts)
	if hosts.Null() || value == "" || hosts.Kind == yaml.List && len(hosts.Items) == 0 {
		e := l.errorf(hosts, "hosts is empty")
		e.Known = "Hosts list cannot be empty. Please check your playbook"
		return e
	}
	for _, n := range append([]*yaml.Node{hosts}, hosts.Items...) {
		if _, isText := n.Value.(string); expected == "" && n.Kind == yaml.Scalars && !isText && !isTemplate(n) {
			expected = "a text or a list of them"
		}
	}
	if expected != "" {
		e := wrongValue("hosts", hosts, expected)
		e.Known = "Hosts list must be a sequence or string. Please check your playbook."
		return l.fail(e)
	}
	if hosts.Kind == yaml.Scalars && !isTemplate(hosts) {
		value, _ = checkText(hosts)
	}
	play.Hosts, play.HostsPos = value, hosts.Pos
	return nil
}

func (l *loader) section(n *yaml.Node, play *Play, file string) (*Block, error) {
	b := &Block{Node: Node{Pos: n.Pos}, Play: play, File: file}
	items, err := l.items(n, place{play: play, parent: b, file: file})
	b.Items = items
	return b, err
}

func (l *loader) playHandlers(n *yaml.Node, play *Play, file string) error {
	items, err := l.items(n, place{play: play, file: file, handlers: true})
	play.Handlers = tasksOf(items)
	return err
}

// noFile is the error about a file that is not there.
func (l *loader) noFile(n *yaml.Node, what, path string) *source.Error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return l.errorf(n, "the %s %s is a directory", what, source.Rel(path))
	}
	e := l.errorf(n, "the %s %s does not exist", what, source.Rel(path))
	e.Err = fs.ErrNotExist
	if e.Known = fmt.Sprintf("Unable to retrieve file contents\nCould not find or access '%s' on the Ansible Controller.", path); what == "vars file" {
		e.Known = fmt.Sprintf("vars file %s was not found", source.Rel(path))
	}
	if near := nearFile(path); near != "" {
		e.Hint = "did you mean \"" + near + "\"?"
	}
	return e
}
