package modules

import "slices"

// fileKeys are what Ansible adds to a result that names a file.
var fileKeys = []string{"uid", "gid", "owner", "group", "mode", "state", "size"}

// ResultKeys are the keys of a result in the order that Ansible gives them: a
// loop shows an item that was a result as it is, and templates go through its
// keys. An empty one stands for those that are not there.
func (m *Module) ResultKeys(failed bool) []string {
	keys := slices.Clone(m.keys)
	if len(keys) == 0 {
		keys = []string{"changed"}
	}
	if failed && !slices.Contains(keys, "failed") { // the module ended with what it knew, and its message
		keys = slices.DeleteFunc(keys, func(k string) bool { return k == "changed" || k == "msg" })
		keys = append(keys, "", "failed", "msg")
	} else {
		keys = append(keys, "", "msg")
	}
	for _, k := range slices.Concat(fileKeys, []string{"invocation", "warnings", "deprecations", "exception", "stdout_lines", "stderr_lines", "changed"}) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// ChangedLast reports whether Ansible's module leaves it to Ansible to say that
// nothing changed.
func (m *Module) ChangedLast() bool { return len(m.keys) > 0 && !slices.Contains(m.keys, "changed") }

// ArgKeys are the keys of an invocation's module_args in Ansible's order: those
// that were given, by any name, then those that have a default.
func (m *Module) ArgKeys(given []string) []string {
	var keys, others []string
	for _, g := range given {
		if p := paramNamed(m.Params(), g); p != nil {
			keys = append(keys, p.Name)
		}
	}
	keys = append(keys, "_raw_params", "_uses_shell") // which Ansible's actions give command
	for _, p := range m.Params() {
		if p.Default != nil {
			keys = append(keys, p.Name)
		} else {
			others = append(others, p.Name)
		}
	}
	return append(keys, others...)
}
