package playbook

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"gplay/internal/pyjson"
	"gplay/internal/source"
	"gplay/internal/vault"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// Options say how playbooks are loaded.
type Options struct {
	// RolesPath are the directories of roles, after the playbook's own roles/.
	RolesPath []string
	// CollectionsPath are the directories that hold ansible_collections/, after
	// collections/ beside the playbook.
	CollectionsPath []string
	// Library are the directories of modules that are programs, besides
	// library/ beside the playbook and in roles.
	Library   []string
	ExtraVars *jinja.Dict
	// DuplicateKeys is what a key that is there twice is: "error", "ignore" or
	// "warn", which is the default.
	DuplicateKeys string
	// MergeDicts merges the dicts of a list of vars.
	MergeDicts bool
	// Action gives the name gplay has for a module or action ("copy" for
	// "ansible.builtin.copy"); not ok means there is none. A nil Action takes
	// every name.
	Action func(name string) (canonical string, ok bool)
	// Keywords are those of plays that do not have them.
	Keywords map[string]any
	// Elsewhere tells whether a name that Action does not know is that of a
	// module of Ansible's all the same, and in which collection. A task with
	// such a module is loaded, and carries why it cannot run. It may be nil.
	Elsewhere func(name string) (collection string, ok bool)
	// Actions are the names Action knows, for hints.
	Actions []string
	// Lookups are the names that with_ can be followed by; nil takes every one.
	Lookups []string
	// Template renders a value with vars where the language needs it while
	// loading: names of imported files and of roles. Without it such names
	// have to be plain.
	Template func(vars *jinja.Dict, value any) (any, error)
	// Vault decrypts files and values.
	Vault *vault.Keys
	// Warn and Deprecated are told what is worth knowing about the source,
	// once for each place. They may be nil.
	Warn, Deprecated func(msg string)
	// Imported is told of each file that import_tasks reads. It may be nil.
	Imported func(file string)
}

// loader loads one playbook, and what it includes while it runs.
type loader struct {
	Options
	mu     sync.Mutex // held by every entry from outside
	files  map[string]*yaml.Node
	within []source.Note // what is being loaded, outermost first
	open   []string      // the files being loaded, for imports that go in circles
	told   map[string]bool
	groups map[string]*group // of module_defaults, by their full names
	// collections are the directories of the collections that were looked for,
	// modules the files of modules.
	collections, modules map[string]string
	programs             map[string]bool            // the files of modules that are programs of their own
	routes               map[string]map[string]bool // the keys of meta/runtime.yml, of collections' directories
	stats                map[string]fs.FileInfo     // of paths, while the playbook or one include is loaded
	// ofCollection is the collection that the playbook is of, "" for others.
	ofCollection string
	// search are the collections in which the names of modules are looked for
	// that the task means.
	search []string
	// libraries are the directories of modules of the playbook's own.
	libraries []string
	// collect takes the deprecations of the task that is being loaded.
	collect *[]string
}

// Load reads a playbook and everything it names statically: imported
// playbooks, roles with their dependencies, imported task files. Errors are
// *source.Error where there is a place to show.
func Load(path string, o Options) (*Playbook, error) {
	return load(path, nil, o)
}

// LoadText is Load of text that stands in no file: path names it, and is where
// other files are looked for from.
func LoadText(path string, text []byte, o Options) (*Playbook, error) {
	n, err := yaml.Parse(path, text, yaml.Options{})
	if err != nil {
		return nil, err
	}
	pb, err := load(path, n, o)
	if pb != nil {
		pb.Text = true
	}
	return pb, err
}

func load(path string, n *yaml.Node, o Options) (*Playbook, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	l := newLoader(o)
	if n != nil {
		l.files[abs] = n
	}
	pb := &Playbook{File: abs, loader: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.beginAt(abs)
	pb.Plays, err = l.playbook(abs, nil, source.Pos{})
	return pb, err
}

func newLoader(o Options) *loader {
	return &loader{Options: o, files: map[string]*yaml.Node{}, told: map[string]bool{}, groups: map[string]*group{}, collections: map[string]string{}, modules: map[string]string{},
		programs: map[string]bool{}, routes: map[string]map[string]bool{}, stats: map[string]fs.FileInfo{}}
}

// Find is the file of a playbook that is named with its collection, such as
// namespace.collection.site; "" where there is none.
func Find(name string, o Options) string { return newLoader(o).collectionPlaybook(name) }

func (l *loader) warn(msg string) {
	if l.Warn != nil && !l.told[msg] {
		l.told[msg] = true
		l.Warn(msg)
	}
}

// deprecated tells of a 1.x form at pos.
func (l *loader) deprecated(pos source.Pos, msg string) {
	line := pos.String() + ": " + msg
	if l.collect != nil {
		*l.collect = append(*l.collect, line)
	}
	if l.Deprecated != nil && !l.told[line] {
		l.told[line] = true
		l.Deprecated(line)
	}
}

// enter notes what is being loaded; the function it gives ends that.
func (l *loader) enter(pos source.Pos, format string, args ...any) (leave func()) {
	l.within = append(l.within, source.Note{Text: fmt.Sprintf(format, args...), Pos: pos})
	return func() { l.within = l.within[:len(l.within)-1] }
}

// fail completes an error with what was being loaded.
func (l *loader) fail(err error) error {
	var e *source.Error
	if errors.As(err, &e) && e.Within == nil {
		for _, n := range slices.Backward(l.within) {
			e.Within = append(e.Within, n)
		}
	}
	return err
}

func (l *loader) errorf(n *yaml.Node, format string, args ...any) *source.Error {
	e := source.Errorf(n.Pos, format, args...)
	e.Len = n.Len
	l.fail(e)
	return e
}

// read gives a YAML file, parsed once. at is where it is asked for.
func (l *loader) read(file string, at source.Pos) (*yaml.Node, error) {
	if n, ok := l.files[file]; ok {
		return n, nil
	}
	n, err := yaml.ReadFile(file, yaml.Options{Warn: l.warn, DuplicateKeys: l.DuplicateKeys, Vault: l.Vault})
	if err != nil {
		return nil, l.readError(file, at, err)
	}
	l.files[file] = n
	return n, nil
}

func (l *loader) readError(file string, at source.Pos, err error) error {
	var e *source.Error
	if errors.As(err, &e) {
		if e.Known == "" {
			e.Known = neither(file, e)
		}
		return l.fail(err)
	}
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	e = source.Errorf(at, "cannot read %s: %v", source.Rel(file), err)
	e.Err = err
	if near := nearFile(file); near != "" && errors.Is(err, fs.ErrNotExist) {
		e.Hint = fmt.Sprintf("did you mean %q?", filepath.Join(filepath.Dir(source.Rel(file)), near))
	}
	return l.fail(e)
}

// neither is Ansible's message for a file that is neither JSON nor YAML.
func neither(file string, yamlError *source.Error) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	if _, err = pyjson.Decode(string(data)); err == nil {
		return ""
	}
	return fmt.Sprintf("We were unable to read either as JSON nor YAML, these are the errors we got from each:\nJSON: %s\n\nSyntax Error while loading YAML.\n  %s", err, yamlError.Msg)
}

// opening guards against files that import themselves.
func (l *loader) opening(file string, at source.Pos) (leave func(), err error) {
	if slices.Contains(l.open, file) {
		return nil, l.fail(source.Errorf(at, "%s imports itself", source.Rel(file)))
	}
	l.open = append(l.open, file)
	return func() { l.open = l.open[:len(l.open)-1] }, nil
}

// text renders a name that may be a template while loading.
func (l *loader) text(n *yaml.Node, p place) (string, error) {
	t, ok := n.Value.(*yaml.Template)
	if !ok {
		s, expected := checkText(n)
		if expected != "" {
			return "", l.errorf(n, "a name is expected here, not %s", n.Describe())
		}
		return s.(string), nil
	}
	if l.Template == nil {
		return "", l.errorf(n, "a template cannot be used here")
	}
	v, err := l.Template(l.vars(p), t)
	if err != nil {
		e := l.errorf(n, "%q has to be known when the playbook is loaded: %v", t.Text, err)
		e.Err = err
		e.Hint = "use variables of the play or of -e here, or include_ instead of import_"
		return "", e
	}
	switch v := v.(type) {
	case string, jinja.Text:
		return jinja.Str(v), nil
	}
	return "", l.errorf(n, "a name is expected here, and %q gives %s", t.Text, jinja.Repr(v))
}

// vars are the variables known while loading, for names that are templates.
func (l *loader) vars(p place) *jinja.Dict {
	all := &jinja.Dict{}
	add := func(d *jinja.Dict) {
		for k, v := range d.All() {
			all.Set(k, v)
		}
	}
	if p.role != nil {
		add(p.role.Defaults)
	}
	if p.play != nil {
		for i := range p.play.Imports {
			add(p.play.Imports[i].Vars)
		}
		add(p.play.Vars)
		_ = l.addVarsFiles(all, p.play) // the play has been checked
	}
	if p.role != nil {
		add(p.role.Vars)
	}
	for _, b := range slices.Backward(p.parent.chain()) {
		add(b.Vars)
	}
	if p.role != nil {
		add(p.role.Params)
	}
	add(p.own)
	add(l.ExtraVars)
	if p.play != nil {
		all.Set("playbook_dir", p.play.Dir)
	}
	if p.role != nil {
		all.Set("role_path", p.role.Path)
		all.Set("role_name", p.role.Name)
	}
	return all
}

// plainTexts are the texts in v, without templates.
func plainTexts(v any) []string {
	var texts []string
	for _, item := range listed(v) {
		if s, ok := item.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

func absolute(file, dir string) string {
	if rest, ok := strings.CutPrefix(file, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(file) {
		return filepath.Clean(file)
	}
	return filepath.Join(dir, file)
}

// stat asks for a path once, as plays use the same roles again and again; nil
// for one that is not there.
func (l *loader) stat(path string) fs.FileInfo {
	info, known := l.stats[path]
	if !known {
		info, _ = os.Stat(path)
		l.stats[path] = info
	}
	return info
}

func (l *loader) isFile(path string) bool { info := l.stat(path); return info != nil && !info.IsDir() }

func (l *loader) isDir(path string) bool { info := l.stat(path); return info != nil && info.IsDir() }

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
