package inventory

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"gplay/internal/source"
	"gplay/jinja"
)

// Layer is variables from one place.
type Layer struct {
	From string // for messages: "inventory host vars", or the files
	Vars *jinja.Dict
}

// HostVars gives the layers of a host's variables, each overriding the ones
// before it. playbookDirs are the directories whose group_vars and host_vars
// count besides those of the inventory's sources, the playbook's own last.
func (inv *Inventory) HostVars(h *Host, playbookDirs []string) ([]Layer, error) {
	inv.mu.RLock()
	all, groups := inv.groups["all"], h.allGroups()
	layers := []Layer{{"inventory vars of group all", all.Vars}}
	for _, g := range groups {
		layers = append(layers, Layer{"inventory vars of group " + g.Name, g.Vars})
	}
	hostLayers := []Layer{{"inventory vars of host " + h.Name, h.Vars}, {"host " + h.Name, h.magic()}}
	inv.mu.RUnlock()

	groupNames := make([]string, len(groups))
	for i, g := range groups {
		groupNames[i] = g.Name
	}
	inventoryDirs := inv.sourceDirs()
	for _, step := range []struct {
		dirs  []string
		kind  string
		names []string
	}{
		{inventoryDirs, "group_vars", []string{"all"}},
		{playbookDirs, "group_vars", []string{"all"}},
		{inventoryDirs, "group_vars", groupNames},
		{playbookDirs, "group_vars", groupNames},
		{nil, "", nil}, // the host's own
		{inventoryDirs, "host_vars", []string{h.Name}},
		{playbookDirs, "host_vars", []string{h.Name}},
	} {
		if step.kind == "" {
			layers = append(layers, hostLayers...)
			continue
		}
		more, err := inv.fileLayers(step.dirs, step.kind, step.names)
		if err != nil {
			return nil, err
		}
		layers = append(layers, more...)
	}
	return slices.DeleteFunc(layers, func(l Layer) bool { return l.Vars.Len() == 0 }), nil
}

// magic are the variables every host has of itself.
func (h *Host) magic() *jinja.Dict {
	short := h.Name
	if _, err := netip.ParseAddr(h.Name); err != nil {
		short, _, _ = strings.Cut(h.Name, ".")
	}
	names := jinja.NewList()
	for _, name := range h.GroupNames() {
		names.Items = append(names.Items, name)
	}
	return jinja.NewDict("inventory_hostname", h.Name, "inventory_hostname_short", short, "group_names", names)
}

// sourceDirs are the directories beside which host_vars and group_vars are
// looked for: a source that is a directory, or the one a file is in.
func (inv *Inventory) sourceDirs() []string {
	var dirs []string
	for _, s := range inv.Sources {
		info, err := os.Stat(s)
		switch {
		case err == nil && info.IsDir():
		case err != nil && strings.Contains(s, ","):
			continue
		default:
			s = filepath.Dir(s)
		}
		dirs = append(dirs, s)
	}
	return dirs
}

func (inv *Inventory) fileLayers(dirs []string, kind string, names []string) ([]Layer, error) {
	var layers []Layer
	for _, dir := range dirs {
		for _, name := range names {
			if strings.HasPrefix(name, "/") { // a chroot, no file name
				continue
			}
			found, err := inv.files.read(inv, filepath.Join(dir, kind), name)
			if err != nil {
				return nil, err
			}
			layers = append(layers, found...)
		}
	}
	return layers, nil
}

// varsFiles keeps what was read from host_vars and group_vars, by the path
// without its ending.
type varsFiles struct {
	mu    sync.Mutex
	known map[string]varsFile
}

type varsFile struct {
	layers []Layer
	err    error
}

// read gives the variables of name in dir, a directory such as group_vars.
func (f *varsFiles) read(inv *Inventory, dir, name string) ([]Layer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := filepath.Join(dir, name)
	known, ok := f.known[path]
	if !ok {
		known.layers, known.err = inv.varsLayers(path)
		if f.known == nil {
			f.known = map[string]varsFile{}
		}
		f.known[path] = known
	}
	return known.layers, known.err
}

// forget makes the files be read again.
func (f *varsFiles) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = nil
}

func (inv *Inventory) varsLayers(path string) ([]Layer, error) {
	files, err := findVarsFiles(path)
	if err != nil {
		return nil, err
	}
	var layers []Layer
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, source.Errorf(source.Pos{File: file}, "the file of variables cannot be read: %s", cause(err))
		}
		vars, err := inv.readVarsFile(file, data)
		if err != nil {
			return nil, err
		}
		layers = append(layers, Layer{file, vars})
	}
	return layers, nil
}

// varsEndings are tried in this order; the first that is there counts.
var varsEndings = []string{"", ".yml", ".yaml", ".json"}

func findVarsFiles(path string) ([]string, error) {
	for _, ending := range varsEndings {
		info, err := os.Stat(path + ending)
		switch {
		case err != nil:
			continue
		case info.IsDir():
			return varsFilesBelow(path + ending)
		}
		return []string{path + ending}, nil
	}
	return nil, nil
}

func varsFilesBelow(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, source.Errorf(source.Pos{File: dir}, "the directory of variables cannot be read: %s", cause(err))
	}
	var files []string
	for _, e := range entries {
		path, ending := filepath.Join(dir, e.Name()), filepath.Ext(e.Name())
		info, err := os.Stat(path)
		if err != nil || strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), "~") {
			continue
		}
		switch {
		case info.IsDir() && ending == "":
			below, err := varsFilesBelow(path)
			if err != nil {
				return nil, err
			}
			files = append(files, below...)
		case info.Mode().IsRegular() && slices.Contains(varsEndings, ending):
			files = append(files, path)
		}
	}
	return files, nil
}
