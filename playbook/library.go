package playbook

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// notModules are the extensions of files in a library that are no modules.
var notModules = []string{".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".ps1"}

// ownModule is the file of a module of the playbook's own, or "": in a library
// beside the playbook or in a role, or on the module path.
func (l *loader) ownModule(name string) string {
	name = strings.TrimPrefix(name, "ansible.legacy.")
	if strings.ContainsAny(name, "./") {
		return l.collectionModule(name)
	}
	for _, dir := range slices.Concat(l.Library, l.libraries) {
		if file := l.moduleIn(dir, name); file != "" {
			return file
		}
	}
	return ""
}

// moduleIn is the file of a module in a directory, or "".
func (l *loader) moduleIn(dir, name string) string {
	path := filepath.Join(dir, name)
	if file, ok := l.modules[path]; ok {
		return file
	}
	l.modules[path] = ""
	for _, pattern := range []string{path, path + ".*"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if isFile(file) && !slices.ContainsFunc(notModules, func(ext string) bool { return strings.HasSuffix(file, ext) }) {
				l.modules[path] = file
				return file
			}
		}
	}
	return ""
}

// pythonOnly are marks of modules that need Ansible's Python code around them.
var pythonOnly = [][]byte{
	[]byte("ansible.module_utils"), []byte("#<<INCLUDE_ANSIBLE_MODULE_COMMON>>"), []byte("<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>"),
}

// runnable is the file of a module of the playbook's own that is a program of
// its own, or "".
func (l *loader) runnable(name string) string {
	file := l.ownModule(name)
	if file == "" {
		return ""
	}
	own, seen := l.programs[file]
	if !seen {
		own = isOwnProgram(file)
		l.programs[file] = own
	}
	if !own {
		return ""
	}
	return file
}

func isOwnProgram(file string) bool {
	content, err := os.ReadFile(file)
	return err == nil && !isAction(file) && !slices.ContainsFunc(pythonOnly, func(mark []byte) bool { return bytes.Contains(content, mark) })
}

// isAction reports whether a file is a plugin of Ansible's controller: no
// program of its own.
func isAction(file string) bool {
	return slices.Contains([]string{"action", "action_plugins"}, filepath.Base(filepath.Dir(file)))
}

// addLibrary makes the modules and actions beside a playbook or in a role
// known, to all that is loaded from then on.
func (l *loader) addLibrary(dir string) {
	for _, name := range []string{"action_plugins", "library"} {
		if library := filepath.Join(dir, name); l.isDir(library) && !slices.Contains(l.libraries, library) {
			l.libraries = append(l.libraries, library)
			clear(l.modules)
		}
	}
}
