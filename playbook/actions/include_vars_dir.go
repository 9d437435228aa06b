package actions

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gplay/internal/pyregex"
	"gplay/internal/source"
	"gplay/jinja"
)

// readVarsDir reads the files of a directory and then, sorted, of those below.
// Depth is, as in Ansible, how many directories are read.
func (c *Call) readVarsDir(name string, read *readVars) error {
	filter, err := c.varsFilter()
	if err != nil {
		return err
	}
	depth, err := strconv.Atoi(cmp.Or(c.text("depth"), "0"))
	if err != nil {
		return fmt.Errorf("depth is %q; it must be a whole number", c.text("depth"))
	}
	root, err := c.findVarsDir(name)
	if err != nil {
		return err
	}
	dirs := directories(root)
	slices.Sort(dirs)
	if depth != 0 {
		dirs = dirs[:min(max(depth, 0), len(dirs))]
	}
	for _, dir := range dirs {
		found := jinja.NewDict()
		if err := c.readVarsOf(dir, filter, read, found); err != nil {
			return err
		}
		setAll(read.facts, found)
	}
	return nil
}

// directories are root and all below. As in Ansible links are not followed, and
// what cannot be listed is passed over.
func directories(root string) []string {
	all := []string{root}
	entries, _ := os.ReadDir(root)
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, directories(filepath.Join(root, e.Name()))...)
		}
	}
	return all
}

// readVarsOf reads the files of one directory.
func (c *Call) readVarsOf(dir string, filter *varsFilter, read *readVars, found *jinja.Dict) error {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		ok, err := filter.takes(path)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := read.load(c, path, found); err != nil {
			if source.Known(err) == "" { // Ansible only foresees a file that has no dict
				err = Unrunnable{err}
			}
			return err
		}
	}
	return nil
}

// varsFilter tells which files of a directory count.
type varsFilter struct {
	extensions        []string
	ignored           []string // patterns of the ends of names
	matching          *pyregex.Regexp
	ignoresExtensions bool
}

func (c *Call) varsFilter() (*varsFilter, error) {
	f := &varsFilter{extensions: []string{"yaml", "yml", "json"}}
	switch v, given := c.Args.Get("extensions"); v := v.(type) {
	case *jinja.List:
		f.extensions = texts(v.Items)
	case string: // to Ansible a list of letters
		f.extensions = strings.Split(v, "")
	default:
		if given {
			return nil, Unrunnable{errors.New(`Invalid type for "extensions" option, it must be a list`)}
		}
	}
	switch v, _ := c.Args.Get("ignore_files"); v := v.(type) {
	case *jinja.List:
		f.ignored = texts(v.Items)
	case string:
		f.ignored = strings.Fields(v)
	}
	ignores, _ := c.Args.Get("ignore_unknown_extensions")
	f.ignoresExtensions = jinja.Truth(ignores) // any text is true
	var err error
	f.matching, err = pyregex.Compile(c.text("files_matching"), 0)
	return f, err
}

func texts(values []any) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = jinja.Str(v)
	}
	return out
}

func (f *varsFilter) takes(path string) (bool, error) {
	base := filepath.Base(path)
	if m, err := f.matching.Search(base); m == nil || err != nil {
		return false, err
	}
	for _, pattern := range f.ignored {
		re, err := pyregex.Compile(pattern+"$", 0)
		if err != nil {
			return false, Unrunnable{fmt.Errorf("Invalid regular expression: %s", pattern)}
		}
		if m, err := re.Search(base); m != nil || err != nil {
			return false, err
		}
	}
	extension := filepath.Ext(strings.TrimLeft(base, "."))
	if slices.Contains(f.extensions, strings.TrimPrefix(extension, ".")) {
		return true, nil
	}
	if f.ignoresExtensions {
		return false, nil
	}
	return false, fmt.Errorf("%s does not have a valid extension: %s", path, strings.Join(f.extensions, ", "))
}
