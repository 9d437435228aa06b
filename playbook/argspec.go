package playbook

import (
	"path/filepath"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// validation is the task that checks the variables of a role against its
// argument specification, from meta/argument_specs.yml or meta/main.yml; nil
// where it has none for the file of tasks that is used.
func (l *loader) validation(r *Role, f from, p place, at *yaml.Node) (*Task, error) {
	specs, err := l.argumentSpecs(r, at)
	if specs == nil || err != nil {
		return nil, err
	}
	entry := "main"
	if n := f["tasks"]; n != nil {
		entry, _ = n.String()
	}
	spec := specs.Get(entry)
	if spec.Null() || spec.Kind != yaml.Map {
		return nil, nil
	}
	options, _ := spec.Get("options").Any().(*jinja.Dict)
	if options == nil {
		options = jinja.NewDict()
	}
	name := "Validating arguments against arg spec '" + entry + "'"
	if short, ok := spec.Get("short_description").String(); ok && short != "" {
		name += " - " + short
	}
	context := jinja.NewDict("type", "role", "name", r.Short(), "argument_spec_name", entry, "path", r.Path)
	return &Task{
		Node:   Node{Pos: spec.Pos, Name: name, Keywords: map[string]Keyword{"tags": {Value: "always", Pos: spec.Pos}}},
		Parent: r.Block, Play: p.play, Role: r, Action: "validate_argument_spec", ActionAs: "ansible.builtin.validate_argument_spec", ActionPos: spec.Pos,
		Args:   jinja.NewDict("argument_spec", options, "provided_arguments", r.Params, "validate_args_context", context),
		ArgPos: map[string]source.Pos{},
	}, nil
}

// argumentSpecs are a role's specifications by the file of tasks they are for.
func (l *loader) argumentSpecs(r *Role, at *yaml.Node) (*yaml.Node, error) {
	meta := filepath.Join(r.Path, "meta")
	file := l.firstFile("argument_specs", meta, namedExtensions)
	if file == "" {
		file = l.firstFile("main", meta, mainExtensions)
	}
	if file == "" {
		return nil, nil
	}
	n, err := l.read(file, at.Pos)
	if err != nil || n.Null() {
		return nil, err
	}
	return n.Get("argument_specs"), nil
}
