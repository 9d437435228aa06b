package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"

	"gplay/internal/pyjson"
	"gplay/internal/source"
	"gplay/jinja"
)

// readScript runs an inventory program with --list, and with --host for each
// host where the list has no _meta.
func (inv *Inventory) readScript(path string) error {
	data, err := runScript(path, "--list")
	if err != nil {
		return err
	}
	pos := source.Pos{File: path}
	var meta *jinja.Dict
	var hosts []*Host
	for _, key := range data.Keys() {
		value, _ := data.Get(key)
		name := fmt.Sprint(key)
		if name == "_meta" {
			if m, ok := value.(*jinja.Dict); ok {
				vars, _ := m.Get("hostvars")
				meta, _ = vars.(*jinja.Dict)
			}
			continue
		}
		found, err := inv.scriptGroup(path, name, value)
		if err != nil {
			return source.Errorf(pos, "%s", err)
		}
		hosts = append(hosts, found...)
	}
	for _, h := range unique(hosts) {
		vars, err := scriptHostVars(path, h.Name, meta)
		if err != nil {
			return err
		}
		for k, v := range vars.All() {
			inv.setVar(h.Vars, fmt.Sprint(k), trust(v, pos))
		}
	}
	return nil
}

func scriptHostVars(path, host string, meta *jinja.Dict) (*jinja.Dict, error) {
	if meta == nil {
		return runScript(path, "--host", host)
	}
	v, ok := meta.Get(host)
	if !ok {
		return nil, nil
	}
	vars, ok := v.(*jinja.Dict)
	if !ok {
		return nil, source.Errorf(source.Pos{File: path}, "improperly formatted host information for %s: its variables must be a dict", host)
	}
	return vars, nil
}

// runScript gives the JSON that an inventory program prints. The error is
// syscall.ENOEXEC where the file is no program.
func runScript(path string, args ...string) (*jinja.Dict, error) {
	pos := source.Pos{File: path}
	var stderr bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return nil, syscall.ENOEXEC
	case errors.Is(err, fs.ErrPermission):
		e := source.Errorf(pos, "the inventory script is not executable")
		e.Hint = "chmod +x " + path
		return nil, e
	case err != nil && cmd.ProcessState == nil:
		return nil, source.Errorf(pos, "the inventory script cannot be run: %s", cause(err))
	case err != nil:
		return nil, source.Errorf(pos, "inventory script had an execution error: %s: %s", err, strings.TrimSpace(stderr.String()))
	}
	if len(bytes.TrimSpace(out)) == 0 && args[0] == "--host" {
		return nil, nil
	}
	v, err := pyjson.Decode(string(out))
	if err != nil {
		return nil, source.Errorf(pos, "what the inventory script prints for %s is no JSON: %s", strings.Join(args, " "), err)
	}
	d, ok := v.(*jinja.Dict)
	if !ok {
		return nil, source.Errorf(pos, "the inventory script must print a JSON object for %s", strings.Join(args, " "))
	}
	return d, nil
}

// scriptGroup adds a group of a script's list: hosts, vars and children, or
// the plain list of hosts, or of variables of a host named as the group.
func (inv *Inventory) scriptGroup(path, name string, value any) ([]*Host, error) {
	pos := source.Pos{File: path}
	g, _ := inv.addGroup(name)
	data, ok := value.(*jinja.Dict)
	if !ok {
		data = jinja.NewDict("hosts", value)
	} else if !hasAny(data, "hosts", "vars", "children") {
		data = jinja.NewDict("hosts", jinja.NewList(name), "vars", data)
	}
	var hosts []*Host
	names, err := stringList(data, "hosts")
	if err != nil {
		return nil, fmt.Errorf("group %q: %w", name, err)
	}
	for _, host := range names {
		h := inv.addHostFrom(host, 0, path)
		join(g, h)
		hosts = append(hosts, h)
	}
	if vars, ok := data.Get("vars"); ok {
		d, ok := vars.(*jinja.Dict)
		if !ok {
			return nil, fmt.Errorf("group %q: vars must be a dict", name)
		}
		for k, v := range d.All() {
			if err := inv.setGroupVar(g, fmt.Sprint(k), trust(v, pos), pos); err != nil {
				return nil, err
			}
		}
	}
	children, err := stringList(data, "children")
	if err != nil {
		return nil, fmt.Errorf("group %q: %w", name, err)
	}
	for _, child := range children {
		c, _ := inv.addGroup(child)
		if _, err := addChild(g, c); err != nil {
			return nil, err
		}
	}
	return hosts, nil
}

func hasAny(d *jinja.Dict, keys ...string) bool {
	for _, k := range keys {
		if _, ok := d.Get(k); ok {
			return true
		}
	}
	return false
}

func stringList(d *jinja.Dict, key string) ([]string, error) {
	v, ok := d.Get(key)
	if !ok {
		return nil, nil
	}
	list, ok := v.(*jinja.List)
	if !ok {
		return nil, fmt.Errorf("%s must be a list", key)
	}
	var names []string
	for _, item := range list.Items {
		name, ok := item.(string)
		if !ok || name == "" {
			return nil, fmt.Errorf("%s must be a list of names", key)
		}
		names = append(names, name)
	}
	return names, nil
}
