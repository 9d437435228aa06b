package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"gplay/internal/pyregex"
	"gplay/internal/source"
	"gplay/internal/vault"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// Options say how an inventory is read.
type Options struct {
	// Warn is told what is odd but no error; nil keeps silent.
	Warn func(msg string)
	// Faulty is told why a source cannot be read, which then brings only what
	// it says before the fault; nil makes it an error of Load.
	Faulty func(err error)
	// Vault has the passwords of encrypted files and values.
	Vault *vault.Keys
	// MergeDicts lets a dict that a host or group is given again go into the
	// one it has, as hash_behaviour=merge; else the last is all of it.
	MergeDicts bool
	// GroupNames says what becomes of characters in names of groups that
	// variables cannot have: "never" leaves and "always" replaces them, and
	// both warn; "ignore" and "silently" do the same without a word.
	GroupNames string
	// IgnoredEndings are those of files in a directory that are no inventories,
	// nil for Ansible's own; IgnoredPatterns are regular expressions of their
	// names.
	IgnoredEndings, IgnoredPatterns []string
}

// Load reads the sources: files (INI, YAML, executable), directories of them,
// and host lists such as `a,b,`. What is wrong with one has its place.
func Load(sources []string, o Options) (*Inventory, error) {
	inv := newInventory(o)
	for _, s := range sources {
		if s == "" {
			continue
		}
		if !strings.Contains(s, ",") || exists(s) {
			path, err := filepath.Abs(s)
			if err != nil {
				return nil, err
			}
			s = path
		}
		if _, err := os.Stat(s); errors.Is(err, fs.ErrNotExist) && !strings.Contains(s, ",") {
			inv.warn("Unable to parse " + s + " as an inventory source")
			continue
		}
		parsed, err := inv.read(s)
		if err != nil {
			return nil, err
		}
		if parsed {
			inv.Sources = append(inv.Sources, s)
		}
	}
	if len(inv.Sources) == 0 { // of what cannot be read at all nothing counts
		inv = newInventory(o)
	}
	if err := inv.reconcile(); err != nil {
		return nil, err
	}
	return inv, nil
}

// Refresh reads the sources again, and then adds the hosts and groups that
// were added while the playbook ran. Hosts are other pointers afterwards.
func (inv *Inventory) Refresh() error {
	fresh, err := Load(inv.Sources, inv.options)
	if err != nil {
		return err
	}
	for _, again := range inv.added {
		_ = again(fresh) // a host may be gone
	}
	inv.mu.Lock()
	inv.groupsOf = nil
	inv.Hosts, inv.Groups, inv.hosts, inv.groups, inv.localhost = fresh.Hosts, fresh.Groups, fresh.hosts, fresh.groups, fresh.localhost
	inv.mu.Unlock()
	inv.files.forget()
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// read reads a source, of a directory those in it, and reports whether it could.
func (inv *Inventory) read(s string) (parsed bool, err error) {
	info, err := os.Stat(s)
	switch {
	case err != nil && strings.Contains(s, ","):
		err = inv.readHostList(s)
	case err != nil:
		err = source.Errorf(source.Pos{File: s}, "the inventory cannot be read: %s", cause(err))
	case info.IsDir():
		return inv.readDir(s)
	default:
		err = inv.readFile(s, info)
	}
	if err != nil && inv.options.Faulty != nil {
		inv.options.Faulty(err)
		inv.warn("Unable to parse " + s + " as an inventory source")
		return false, nil
	}
	return err == nil, err
}

// cause is what went wrong, without the path that the message has anyway.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (inv *Inventory) readHostList(list string) error {
	for _, item := range strings.Split(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		if name, port := SplitPort(item); inv.hosts[name] == nil {
			join(inv.groups["ungrouped"], inv.addHostFrom(name, port, list))
		}
	}
	return nil
}

// ignored are the endings of files in an inventory directory that are none.
var ignored = []string{
	".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".ini", ".cfg", ".retry",
}

func (inv *Inventory) readDir(dir string) (parsed bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, source.Errorf(source.Pos{File: dir}, "the inventory directory cannot be read: %s", cause(err))
	}
	for _, e := range entries {
		name := e.Name()
		if skip, err := inv.ignores(name); err != nil {
			return false, err
		} else if skip {
			continue
		}
		one, err := inv.read(filepath.Join(dir, name))
		if err != nil {
			return false, err
		}
		parsed = parsed || one
	}
	if !parsed {
		inv.warn("Unable to parse " + dir + " as an inventory source")
	}
	return parsed, nil
}

// ignores reports whether an entry of an inventory directory is none.
func (inv *Inventory) ignores(name string) (bool, error) {
	endings := inv.options.IgnoredEndings
	if endings == nil {
		endings = ignored
	}
	if strings.HasPrefix(name, ".") || slices.Contains([]string{"host_vars", "group_vars", "vars_plugins"}, name) ||
		slices.ContainsFunc(endings, func(end string) bool { return strings.HasSuffix(name, end) }) {
		return true, nil
	}
	for _, pattern := range inv.options.IgnoredPatterns {
		re, err := pyregex.Compile(pattern, 0)
		if err != nil {
			return false, fmt.Errorf("the pattern %q of files that are no inventories: %w", pattern, err)
		}
		if found, err := pyregex.Found(re.Search(name)); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

func (inv *Inventory) readFile(path string, info fs.FileInfo) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return source.Errorf(source.Pos{File: path}, "the inventory cannot be read: %s", cause(err))
	}
	if strings.HasPrefix(string(data), "#!") || info.Mode()&0o111 != 0 {
		// A file in a shared folder is executable without being a program.
		if err := inv.readScript(path); !errors.Is(err, syscall.ENOEXEC) {
			return err
		}
	}
	if data, _, err = inv.options.Vault.Open(data); err != nil {
		return yaml.Locked(path, err)
	}
	switch filepath.Ext(path) {
	case ".yml", ".yaml", ".json":
		return inv.readYAML(path, data)
	case ".toml":
		return source.Errorf(source.Pos{File: path}, "inventories in TOML are not supported, use INI or YAML")
	case "":
		if looksLikeYAML(string(data)) {
			return inv.readYAML(path, data)
		}
	}
	return inv.readINI(path, string(data))
}

// looksLikeYAML tells the two formats apart where the name does not: only
// YAML begins with --- or with a key and nothing after it.
func looksLikeYAML(text string) bool {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, " #")
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		return line == "---" || strings.HasPrefix(line, "{") || line[0] != '[' && strings.HasSuffix(line, ":")
	}
	return false
}

// addHostFrom adds a host that was found in file.
func (inv *Inventory) addHostFrom(name string, port int, file string) *Host {
	if h := inv.hosts[name]; h != nil {
		return h
	}
	h := inv.addHost(name, port)
	h.Vars.Set("inventory_file", file)
	h.Vars.Set("inventory_dir", "None") // Ansible's word for that of a list of hosts
	if exists(file) {
		h.Vars.Set("inventory_dir", filepath.Dir(file))
	}
	return h
}

// setVar gives a host or group a variable.
func (inv *Inventory) setVar(vars *jinja.Dict, key string, value any) {
	was, _ := vars.Get(key)
	low, inner := was.(*jinja.Dict)
	if high, ok := value.(*jinja.Dict); ok && inner && inv.options.MergeDicts {
		value = jinja.MergeDicts(low, high)
	}
	vars.Set(key, value)
}

// setGroupVar gives the group a variable, or its priority.
func (inv *Inventory) setGroupVar(g *Group, key string, value any, pos source.Pos) error {
	if key != "ansible_group_priority" {
		inv.setVar(g.Vars, key, value)
		return nil
	}
	switch v := value.(type) {
	case int:
		g.Priority = v
		return nil
	case string:
		if n, err := strconv.Atoi(v); err == nil {
			g.Priority = n
			return nil
		}
	}
	return source.Errorf(pos, "ansible_group_priority must be a number, got %s", fmt.Sprint(value))
}
