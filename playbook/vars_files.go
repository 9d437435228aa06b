package playbook

import (
	"errors"
	"fmt"
	"path/filepath"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// VarsFiles are the variables of a play's vars_files, as far as their names are
// known without a host.
func (pb *Playbook) VarsFiles(play *Play) *jinja.Dict {
	if pb == nil || play.Keywords["vars_files"].Value == nil {
		return nil
	}
	pb.loader.mu.Lock()
	defer pb.loader.mu.Unlock()
	all := play.Vars.Copy()
	_ = pb.loader.addVarsFiles(all, play) // the play has been checked
	return all
}

// checkVarsFiles reads the files whose names are known, so that their faults
// show before anything runs. That there is no such file is a fault only when
// the play has hosts: an earlier one may make it.
func (l *loader) checkVarsFiles(n *yaml.Node, play *Play) error {
	if n.Null() {
		return nil
	}
	items := n.Items
	if n.Kind != yaml.List {
		items = []*yaml.Node{n}
	}
	for _, item := range items {
		if name, ok := item.Value.(string); ok && FindVarsFile(name, play.Dir) == "" {
			if play.absent == nil {
				play.absent = map[string]error{}
			}
			play.absent[name] = l.noFile(item, "vars file", absolute(name, play.Dir))
		}
	}
	return l.addVarsFiles(play.Vars.Copy(), play)
}

// NoVarsFile is the fault that the play's vars_files have no file of this name,
// which stands at pos.
func (play *Play) NoVarsFile(name string, pos source.Pos) error {
	if err := play.absent[name]; err != nil {
		return err
	}
	return source.Errorf(pos, "the vars file %s was not found in %s", name, play.Dir)
}

// addVarsFiles adds the variables of the play's vars_files. Each may name the
// files after it.
func (l *loader) addVarsFiles(all *jinja.Dict, play *Play) error {
	for _, entry := range listed(play.Keywords["vars_files"].Value) {
		n, err := l.varsFile(entry, play, all)
		if err != nil {
			return err
		}
		dicts, err := DictsOf(n)
		if err != nil {
			return l.fail(err)
		}
		for _, d := range dicts {
			for k, v := range d.All() {
				all.Set(k, v)
			}
		}
	}
	return nil
}

// varsFile reads the first file of entry that is there, or gives nil.
func (l *loader) varsFile(entry any, play *Play, vars *jinja.Dict) (*yaml.Node, error) {
	for _, choice := range listed(entry) {
		if t, ok := choice.(*yaml.Template); ok {
			known := vars.Copy()
			for k, v := range l.ExtraVars.All() {
				known.Set(k, v)
			}
			var err error
			if choice, err = l.Template(known, t); err != nil {
				return nil, nil // it may be known at the run
			}
		}
		if path := FindVarsFile(fmt.Sprint(choice), play.Dir); path != "" {
			return l.read(path, play.Keywords["vars_files"].Pos)
		}
	}
	return nil, nil
}

// listed is a keyword's value that may be a list or one of its items.
func listed(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case *jinja.List:
		return v.Items
	}
	return []any{v}
}

// FindVarsFile looks where Ansible does, in vars/ beside the playbook and then
// beside it; "" when there is no such file.
func FindVarsFile(name, dir string) string {
	for _, path := range []string{absolute(name, filepath.Join(dir, "vars")), absolute(name, dir)} {
		if isFile(path) {
			return path
		}
	}
	return ""
}

// ErrOther is in an error of a source file that Ansible does not count among
// them: its exit code is another one.
var ErrOther = errors.New("another kind of fault")

// DictsOf are the variables of a file in vars_files: a dict, a list of dicts,
// or nothing.
func DictsOf(n *yaml.Node) ([]*jinja.Dict, error) {
	var dicts []*jinja.Dict
	for i, v := range listed(n.Any()) {
		d, ok := v.(*jinja.Dict)
		if !ok {
			if n.Kind == yaml.List {
				n = n.Items[i]
			}
			e := source.Errorf(n.Pos, "a file of variables has to be a dict or a list of dicts; this is %s", n.Describe())
			e.Err = ErrOther
			return nil, e
		}
		dicts = append(dicts, d)
	}
	return dicts, nil
}
