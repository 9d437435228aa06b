package actions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

var includeVars = &Action{
	Name: "include_vars", Doc: "read variables from files of the controller", FreeForm: true, Run: runIncludeVars,
	Params: append([]string{"file", "name", "hash_behaviour"}, varsDirOptions...),
}

// varsDirOptions are the arguments that are for a directory.
var varsDirOptions = []string{"dir", "depth", "files_matching", "ignore_files", "extensions", "ignore_unknown_extensions"}

func runIncludeVars(_ context.Context, c *Call) (*jinja.Dict, error) {
	if c.hasAny(varsDirOptions) && c.hasAny([]string{"file", "_raw_params"}) {
		return nil, Unrunnable{errors.New("You are mixing file only and dir only arguments, these are incompatible")}
	}
	read := &readVars{facts: &jinja.Dict{Class: yaml.TextClass}, files: jinja.NewList()}
	fault := c.readVars(read)
	var unrunnable Unrunnable
	if errors.As(fault, &unrunnable) {
		return nil, fault
	}
	facts := read.facts
	if name := c.text("name"); name != "" {
		facts = jinja.NewDict(name, facts)
	}
	out := jinja.NewDict("ansible_included_var_files", read.files, "ansible_facts", facts)
	if fault != nil { // Ansible's result of a failure has no msg
		out.Set("failed", true)
		out.Set("message", cmp.Or(source.Known(fault), fault.Error()))
		return out, nil
	}
	switch how := c.text("hash_behaviour"); how {
	case "", "replace":
	case "merge":
		if !c.Scope.MergesDicts() { // what all variables do needs no asking for
			out.Set("ansible_facts", c.mergedVars(facts))
		}
	default:
		return nil, fmt.Errorf("hash_behaviour is %q; it must be merge or replace", how)
	}
	return out, nil
}

// mergedVars are variables whose dicts go into the dicts that were there.
func (c *Call) mergedVars(facts *jinja.Dict) *jinja.Dict {
	out := facts.Copy()
	for k, v := range facts.All() {
		d, isDict := v.(*jinja.Dict)
		old, known := c.Scope.Raw(jinja.Str(k))
		if before, both := old.(*jinja.Dict); isDict && known && both {
			out.Set(k, jinja.MergeDicts(before, d))
		}
	}
	return out
}

// readVars are the variables that were read, and from which files.
type readVars struct {
	facts *jinja.Dict
	files *jinja.List
}

func (r *readVars) load(c *Call, file string, into *jinja.Dict) error {
	d, err := yaml.LoadDict(file, c.Scope.Vault())
	if err != nil {
		return err
	}
	setAll(into, d)
	r.files.Items = append(r.files.Items, file)
	return nil
}

func setAll(into, from *jinja.Dict) {
	for k, v := range from.All() {
		into.Set(k, v)
	}
}

func (c *Call) readVars(read *readVars) error {
	if dir := c.text("dir"); dir != "" {
		return c.readVarsDir(dir, read)
	}
	name := cmp.Or(c.text("file"), strings.TrimRight(c.text("_raw_params"), "\n"))
	if name == "" {
		return errors.New("Could not find file on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option")
	}
	path, err := c.find("vars", name)
	if err != nil {
		return err
	}
	return read.load(c, path, read.facts)
}

// findVarsDir is the directory of that name: of the role's vars, or beside the
// task's file.
func (c *Call) findVarsDir(name string) (string, error) {
	path := name
	switch {
	case filepath.IsAbs(name):
	case c.Task.Role == nil:
		path = c.Dirs[0] + "/" + name
	case strings.Split(name, "/")[0] == "vars":
		path = c.Task.Role.Path + "/" + name
	default:
		path = c.Task.Role.Path + "/vars/" + name
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s directory does not exist", path)
	case err == nil && !info.IsDir():
		return "", fmt.Errorf("%s is not a directory", path)
	}
	return path, err
}
