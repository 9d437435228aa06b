package actions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
	// Ansible's result of a failure has no msg.
	failed := func(err error) (*jinja.Dict, error) {
		msg := err.Error()
		var placed *source.Error
		if errors.As(err, &placed) && placed.Known != "" {
			msg = placed.Known
		}
		return jinja.NewDict("changed", false, "failed", true, "message", msg, "ansible_facts", jinja.NewDict(), "ansible_included_var_files", jinja.NewList()), nil
	}
	files, err := c.varsFiles()
	if err != nil {
		return failed(err)
	}
	facts, shown := &jinja.Dict{Class: yaml.TextClass}, jinja.NewList()
	for _, file := range files {
		d, err := yaml.LoadDict(file, c.Scope.Vault())
		if err != nil {
			return failed(err)
		}
		for k, v := range d.All() {
			facts.Set(k, v)
		}
		shown.Items = append(shown.Items, file)
	}
	if name := c.text("name"); name != "" {
		facts = jinja.NewDict(name, facts)
	}
	switch how := c.text("hash_behaviour"); how {
	case "", "replace":
	case "merge":
		if !c.Scope.MergesDicts() { // what all variables do needs no asking for
			facts = c.mergedVars(facts)
		}
	default:
		return nil, fmt.Errorf("hash_behaviour is %q; it must be merge or replace", how)
	}
	return jinja.NewDict("changed", false, "ansible_facts", facts, "ansible_included_var_files", shown), nil
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

// varsFiles are the files to read, in order.
func (c *Call) varsFiles() ([]string, error) {
	if dir := c.text("dir"); dir != "" {
		path, err := c.findVarsDir(dir)
		if err != nil {
			return nil, err
		}
		return c.varsIn(path)
	}
	name := cmp.Or(c.text("file"), strings.TrimRight(c.text("_raw_params"), "\n"))
	if name == "" {
		return nil, fmt.Errorf("Could not find file on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option")
	}
	path, err := c.find("vars", name)
	return []string{path}, err
}

// findVarsDir is the directory of that name: of the role's vars, or beside the
// task's file.
func (c *Call) findVarsDir(name string) (string, error) {
	path := name
	switch {
	case filepath.IsAbs(name):
	case c.Task.Role == nil:
		path = filepath.Join(c.Dirs[0], name)
	case strings.Split(name, "/")[0] == "vars":
		path = filepath.Join(c.Task.Role.Path, name)
	default:
		path = filepath.Join(c.Task.Role.Path, "vars", name)
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

func (c *Call) varsIn(root string) ([]string, error) {
	depth, err := strconv.Atoi(orZero(c.text("depth")))
	if err != nil {
		return nil, fmt.Errorf("depth is %q; it must be a whole number", c.text("depth"))
	}
	keep, err := c.varsFilter()
	if err != nil {
		return nil, err
	}
	var files []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if below := strings.Count(strings.TrimPrefix(path, root), string(os.PathSeparator)); depth > 0 && below >= depth {
				return fs.SkipDir
			}
			return nil
		}
		ok, err := keep(path)
		if ok {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

func orZero(text string) string {
	if text == "" {
		return "0"
	}
	return text
}

// varsFilter tells which files of a directory count.
func (c *Call) varsFilter() (func(path string) (bool, error), error) {
	extensions := []string{"yaml", "yml", "json"}
	if l := c.list("extensions"); l != nil {
		extensions = nil
		for _, e := range l {
			extensions = append(extensions, jinja.Str(e))
		}
	}
	lenient, err := c.bool("ignore_unknown_extensions", false)
	if err != nil {
		return nil, err
	}
	matching, err := regexp.Compile(c.text("files_matching"))
	if err != nil {
		return nil, fmt.Errorf("files_matching: %w", err)
	}
	ignored := c.list("ignore_files")
	return func(path string) (bool, error) {
		base := filepath.Base(path)
		for _, pattern := range ignored {
			if ok, _ := regexp.MatchString(jinja.Str(pattern)+"$", base); ok {
				return false, nil
			}
		}
		if !matching.MatchString(base) {
			return false, nil
		}
		if slices.Contains(extensions, strings.TrimPrefix(filepath.Ext(base), ".")) {
			return true, nil
		}
		if lenient || c.text("files_matching") != "" {
			return false, nil
		}
		return false, fmt.Errorf("%s does not have a valid extension: %s", path, strings.Join(extensions, ", "))
	}, nil
}
