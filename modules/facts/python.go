package facts

import (
	"fmt"

	"gplay/modules/host"
)

// describePython prints what the facts say of a Python.
const describePython = `import json, sys, importlib.util
v = sys.version_info
print(json.dumps({"version": {"major": v[0], "minor": v[1], "micro": v[2], "releaselevel": v[3], "serial": v[4]},
    "version_info": list(v), "executable": sys.executable, "has_sslcontext": importlib.util.find_spec("_ssl") is not None,
    "type": sys.implementation.name}))`

// pythons are where a host's Python may be.
var pythons = []string{"/usr/bin/python3", "/usr/local/bin/python3", "/usr/libexec/platform-python"}

// Python is the path of the host's Python, "" where it has none.
func Python(r host.Reader) string {
	for _, path := range pythons {
		if _, err := r.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// python is the fact of that name.
func (m *machine) python() map[string]any {
	if python := m.describedPython(); python != nil {
		return map[string]any{"python": python}
	}
	return nil
}

// pythonVersion is "" where there is no Python.
func (m *machine) pythonVersion() string {
	version, ok := m.describedPython()["version"].(map[string]any)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%v.%v.%v", version["major"], version["minor"], version["micro"])
}

// askPython describes the host's Python, nil where it has none.
func (m *machine) askPython() map[string]any {
	for _, path := range pythons {
		if _, err := m.Stat(path); err != nil {
			continue
		}
		out, err := m.Ask(m.ctx, host.Command(path, "-I", "-S", "-c", describePython))
		if err != nil {
			continue
		}
		v, err := parseJSON(out.Stdout)
		if python, ok := v.(map[string]any); ok && err == nil {
			return python
		}
	}
	return nil
}
