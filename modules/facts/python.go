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

// python describes the host's Python, where it has one.
func (m *machine) python() map[string]any {
	for _, path := range []string{"/usr/bin/python3", "/usr/local/bin/python3", "/usr/libexec/platform-python"} {
		if _, err := m.Stat(path); err != nil {
			continue
		}
		out, err := m.Ask(m.ctx, host.Command(path, "-I", "-S", "-c", describePython))
		if err != nil {
			continue
		}
		v, err := parseJSON(out.Stdout)
		python, ok := v.(map[string]any)
		if err != nil || !ok {
			continue
		}
		version, _ := python["version"].(map[string]any)
		return map[string]any{"python": python, "python_version": fmt.Sprintf("%v.%v.%v", version["major"], version["minor"], version["micro"])}
	}
	return nil
}
