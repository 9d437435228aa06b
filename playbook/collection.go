package playbook

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
)

// inCollection is a name with its collection in front:
// namespace.collection.name, or with directories before the name.
var inCollection = regexp.MustCompile(`^([A-Za-z_]\w*\.[A-Za-z_]\w*)\.((?:[A-Za-z_]\w*\.)*)([A-Za-z_]\w*)$`)

// collectionDir is the directory of an installed collection, or "". The first
// place that has it counts, whatever the others hold of it.
func (l *loader) collectionDir(name string) string {
	if dir, ok := l.collections[name]; ok {
		return dir
	}
	namespace, short, _ := strings.Cut(name, ".")
	l.collections[name] = ""
	for _, root := range l.CollectionsPath {
		dir := filepath.Join(root, "ansible_collections", namespace, short)
		if filepath.Base(root) == "ansible_collections" {
			dir = filepath.Join(root, namespace, short)
		}
		if isDir(dir) {
			l.collections[name] = dir
			break
		}
	}
	return l.collections[name]
}

// beginAt notes where the playbook is that is to run. Collections beside one that
// is imported are not known.
func (l *loader) beginAt(file string) {
	if l.enterCollection(file); l.ofCollection != "" {
		l.warn("running playbook inside collection " + l.ofCollection)
		return
	}
	l.CollectionsPath = append([]string{filepath.Join(filepath.Dir(file), "collections")}, l.CollectionsPath...)
	clear(l.collections)
}

// enterCollection makes the collection of a playbook, if it is of one, what
// short names are looked for in, by all that is loaded after it.
func (l *loader) enterCollection(file string) {
	if of := l.collectionOf(file); of != "" {
		l.ofCollection = of
	}
}

// collectionOf is the collection that a file is of, or "".
func (l *loader) collectionOf(file string) string {
	root, below, ok := strings.Cut(file, "/ansible_collections/")
	parts := strings.SplitN(below, "/", 3)
	if !ok || len(parts) < 3 {
		return ""
	}
	name := parts[0] + "." + parts[1]
	if l.collectionDir(name) != filepath.Join(root, "ansible_collections", parts[0], parts[1]) {
		return ""
	}
	return name
}

// collectionPlaybook is the file of a playbook that is named with its
// collection, or "".
func (l *loader) collectionPlaybook(name string) string {
	m := inCollection.FindStringSubmatch(strings.TrimSuffix(strings.TrimSuffix(name, ".yml"), ".yaml"))
	if m == nil || l.collectionDir(m[1]) == "" {
		return ""
	}
	path := filepath.Join(l.collectionDir(m[1]), "playbooks", strings.ReplaceAll(m[2], ".", "/"), m[3])
	for _, ext := range []string{strings.TrimPrefix(name, m[0]), ".yml", ".yaml"} {
		if isFile(path + ext) {
			return path + ext
		}
	}
	return ""
}

// collectionRole is a role of an installed collection: of the one that is in
// front of its name, else of the first of searched that has it.
func (l *loader) collectionRole(name string, searched []string) (short, path, collection string) {
	below := name
	if m := inCollection.FindStringSubmatch(name); m != nil {
		searched, short, below = []string{m[1]}, m[3], strings.ReplaceAll(m[2], ".", "/")+m[3]
	} else if short = name; strings.ContainsAny(name, "./") {
		return "", "", ""
	}
	for _, c := range searched {
		if dir := l.collectionDir(c); dir != "" && isDir(filepath.Join(dir, "roles", below)) {
			return short, filepath.Join(dir, "roles", below), c
		}
	}
	return "", "", ""
}

// searched are the collections in which the short names of a task at p are
// looked for, whose own keyword collections is own.
func (l *loader) searched(own Keyword, p place) []string {
	if own.Value != nil {
		return l.withDefault(own)
	}
	for _, b := range p.parent.chain() {
		if kw, ok := b.Keywords["collections"]; ok {
			return l.withDefault(kw)
		}
		if b.IsRole {
			return b.Role.searched
		}
	}
	kw, _ := p.play.Inherited("collections")
	return l.withDefault(kw)
}

// withDefault are the collections of a keyword, after the one that the
// playbook is of.
func (l *loader) withDefault(kw Keyword) []string {
	list := plainTexts(kw.Value)
	if l.ofCollection != "" && !slices.Contains(list, l.ofCollection) {
		list = append([]string{l.ofCollection}, list...)
	}
	return slices.DeleteFunc(list, func(c string) bool { return strings.Count(c, ".") != 1 })
}

// roleSearched are the collections in which the tasks of r look: its own or
// the playbook's, and those that its meta names.
func (l *loader) roleSearched(r *Role, meta *yaml.Node) []string {
	first := r.Collection
	if first == "" {
		first = l.ofCollection
	}
	var list []string
	if first != "" {
		list = []string{first}
	}
	if meta != nil {
		list = append(list, plainTexts(meta.Get("collections").Any())...)
	}
	return list
}

// dependencySearched are the collections in which the roles are looked for
// that r depends on.
func (l *loader) dependencySearched(r *Role) []string {
	list := l.withDefault(r.Use.Keywords["collections"])
	if r.Collection != "" {
		list = append([]string{r.Collection}, list...)
	}
	return list
}

// collectionModule is the file of a module of an installed collection, or "".
func (l *loader) collectionModule(name string) string {
	m := inCollection.FindStringSubmatch(name)
	if m == nil || l.collectionDir(m[1]) == "" {
		return ""
	}
	below := strings.ReplaceAll(m[2], ".", "/")
	for _, kind := range []string{"plugins/action", "plugins/modules"} { // an action may be all of it
		if file := l.moduleIn(filepath.Join(l.collectionDir(m[1]), kind, below), m[3]); file != "" {
			return file
		}
	}
	return ""
}

// fullModule is the name that a module's name stands for: a short one is
// looked for in l.search, and a collection may say that it
// went elsewhere.
func (l *loader) fullModule(name string) string {
	candidates := []string{name}
	if !strings.Contains(name, ".") {
		candidates = nil
		for _, c := range l.search {
			candidates = append(candidates, c+"."+name)
		}
	}
	for _, full := range candidates {
		if c := Builtin(full); !strings.Contains(c, ".") {
			if l.known(c) {
				return c
			}
			continue
		}
		if l.collectionModule(full) != "" {
			return full
		}
		if to := l.redirect(full); to != "" {
			return to
		}
	}
	return name
}

// outdated tells of a module that its collection calls deprecated.
func (l *loader) outdated(name string) {
	reason := l.routing(name).Get("deprecation")
	if reason == nil || l.Deprecated == nil {
		return
	}
	text, _ := reason.Get("warning_text").String()
	l.Deprecated(strings.TrimSpace(name + " has been deprecated. " + text))
}

// redirect is where a module went that a collection had once, or "".
func (l *loader) redirect(name string) string {
	for range 10 { // they may go in circles
		to, ok := l.routing(name).Get("redirect").String()
		if !ok {
			break
		}
		name = to
		if l.known(name) || l.collectionModule(name) != "" {
			return name
		}
	}
	return ""
}

func (l *loader) known(name string) bool {
	if l.Action == nil {
		return false
	}
	_, known := l.Action(name)
	return known
}

// routing is what a collection says of a module in its meta/runtime.yml; nil
// for nothing.
func (l *loader) routing(name string) *yaml.Node {
	m := inCollection.FindStringSubmatch(name)
	if m == nil {
		return nil
	}
	dir, module := l.collectionDir(m[1]), m[2]+m[3]
	if dir == "" || !l.isRouted(dir, module) {
		return nil
	}
	n, err := l.read(filepath.Join(dir, "meta/runtime.yml"), source.Pos{})
	if err != nil {
		return nil
	}
	return n.Get("plugin_routing").Get("modules").Get(module)
}

// isRouted reports whether the runtime.yml of a collection may say something of
// a module: these files are long, and most names are no key in them.
func (l *loader) isRouted(dir, module string) bool {
	keys, seen := l.routes[dir]
	if !seen {
		text, _ := os.ReadFile(filepath.Join(dir, "meta/runtime.yml")) // not every collection has one
		keys = keysIn(text)
		l.routes[dir] = keys
	}
	return keys[module]
}

// keysIn are the words before the colons of a YAML text: its keys, and some
// more.
func keysIn(text []byte) map[string]bool {
	keys := map[string]bool{}
	for len(text) > 0 {
		before, rest, _ := bytes.Cut(text, []byte(":"))
		text = rest
		key := bytes.TrimRight(before, "\"' ")
		start := bytes.LastIndexAny(key, " \n\"'{,") + 1
		keys[string(key[start:])] = true
	}
	return keys
}
