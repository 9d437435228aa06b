package playbook

import (
	"fmt"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// includeKeywords are the keywords that a dynamic include takes; all others
// would reach neither the include nor what it brings.
var includeKeywords = []string{
	"action", "args", "collections", "debugger", "ignore_errors", "loop", "loop_control", "name", "no_log",
	"register", "run_once", "tags", "timeout", "vars", "when", "listen",
}

var (
	taskFileArgs = []string{rawParams, "file"}
	fromDirs     = []string{"tasks", "vars", "defaults", "handlers"}
	roleArgs     = []string{"name", "role", "tasks_from", "vars_from", "defaults_from", "handlers_from", "allow_duplicates", "rolespec_validate"}
	includeArgs  = map[string][]string{
		"import_tasks":  taskFileArgs,
		"include_tasks": append(slices.Clone(taskFileArgs), "apply"),
		"import_role":   roleArgs,
		"include_role":  append(slices.Clone(roleArgs), "apply", "public"),
	}
)

// checkInclude checks the arguments of an include or import, and the keywords
// of an include.
func (l *loader) checkInclude(n *yaml.Node, t *Task) error {
	known := includeArgs[t.Action]
	for k := range t.Args.All() {
		name, _ := k.(string)
		if name == rawParams && !slices.Contains(known, name) {
			e := source.Errorf(t.ArgPos[name], "%s takes no free text, only arguments", t.Action)
			e.Hint = "write name: and the role below it"
			return l.fail(e)
		}
		if !slices.Contains(known, name) {
			e := source.Errorf(t.ArgPos[name], "%s: unknown argument %q", t.Action, name)
			e.Known = "Invalid options for " + t.Action + ": " + name
			e.Len = len(name)
			e.Hint = source.DidYouMean(name, known)
			return l.fail(e)
		}
	}
	if v, given := t.Args.Get("apply"); given && (t.apply == nil || t.apply.Kind != yaml.Map) {
		e := source.Errorf(t.ArgPos["apply"], "apply wants a dict of keywords, not %s", jinja.Repr(v))
		e.Known = fmt.Sprintf("Expected a dict for apply but got %s instead", pythonClass(v))
		return l.fail(e)
	}
	if t.ArgsTemplate != nil {
		e := source.Errorf(t.ActionPos, "%s takes no arguments from a template", t.Action)
		e.Known = "Invalid options for " + t.Action + ": _variable_params"
		return l.fail(e)
	}
	if strings.HasSuffix(t.Action, "_role") {
		if _, ok := roleName(t); !ok {
			e := source.Errorf(t.ActionPos, "%s needs the name of a role", t.Action)
			e.Hint = "write name: below it"
			return l.fail(e)
		}
		if err := l.checkFrom(t); err != nil {
			return err
		}
	} else if name, ok := taskFileName(t); !ok {
		return l.fail(source.Errorf(t.ActionPos, "%s needs the name of a file", t.Action))
	} else if name.Kind == yaml.Scalars && !isName(name) {
		return l.fail(wrongValue(t.Action, name, "the name of a file"))
	}
	if strings.HasPrefix(t.Action, "include_") {
		return l.includeKeywords(n, t)
	}
	return nil
}

func (l *loader) includeKeywords(n *yaml.Node, t *Task) error {
	for _, p := range n.Pairs {
		key, _ := p.Key.String()
		if _, isKeyword := keywords[key]; !isKeyword || slices.Contains(includeKeywords, key) {
			continue
		}
		e := l.errorf(p.Key, "the keyword %s has no place in %s", key, t.Action)
		e.Hint = "write it below apply: to give it to the tasks it brings"
		return e
	}
	return nil
}

// checkFrom checks the values of tasks_from and its siblings.
func (l *loader) checkFrom(t *Task) error {
	for _, dir := range fromDirs {
		arg := dir + "_from"
		v, given := t.Args.Get(arg)
		switch v.(type) {
		case string, *yaml.Template:
			continue
		}
		if !given {
			continue
		}
		e := source.Errorf(t.ArgPos[arg], "%s wants the name of a file, not a %s", arg, jinja.TypeName(v))
		e.Known = fmt.Sprintf("Expected a string for %s but got %s instead", arg, pythonClass(v))
		return l.fail(e)
	}
	return nil
}

// roleFlag is an argument that says how a role is brought, yes or no.
func (l *loader) roleFlag(t *Task, name string, otherwise bool, p place) (bool, error) {
	v, _ := t.Args.Get(name)
	if v == nil {
		return otherwise, nil
	}
	if tmpl, ok := v.(*yaml.Template); ok && l.Template != nil {
		var err error
		if v, err = l.Template(l.vars(p), tmpl); err != nil {
			return false, l.fail(source.Errorf(t.ArgPos[name], "%s has to be known when the playbook is loaded: %v", name, err))
		}
	}
	n := &yaml.Node{Pos: t.ArgPos[name], Value: v}
	flag, expected := checkBool(n)
	if expected != "" {
		return false, l.fail(source.Errorf(n.Pos, "%s wants %s, not %s", name, expected, jinja.Repr(v)))
	}
	return flag == true, nil
}

func taskFileName(t *Task) (*yaml.Node, bool) {
	n, ok := t.argument(taskFileArgs...)
	return n, ok && jinja.Truth(n.Any())
}

func roleName(t *Task) (*yaml.Node, bool) { return t.argument("name", "role") }

// Written is an argument as it stands in the file; nil where the arguments are
// text, or a template gives them.
func (t *Task) Written(arg string) *yaml.Node { return t.body.Get(arg) }

// argument is the first of some arguments that is given, with its place.
func (t *Task) argument(names ...string) (*yaml.Node, bool) {
	for _, name := range names {
		v, ok := t.Args.Get(name)
		if !ok || v == nil {
			continue
		}
		if n := t.body.Get(name); n != nil {
			return n, true
		}
		n := &yaml.Node{Pos: t.ArgPos[name], Value: v}
		if s, ok := v.(string); ok {
			n.Value = strings.TrimSpace(s)
			n.Len = len(strings.TrimSpace(s))
		}
		return n, true
	}
	return nil, false
}

// include loads the include of 1.x: static like import_tasks unless it has a
// loop or its name is a template. Its other arguments are variables.
func (l *loader) include(n *yaml.Node, t *Task, p place) ([]Item, error) {
	params := &jinja.Dict{}
	for k, v := range t.Args.All() {
		name, _ := k.(string)
		switch {
		case slices.Contains(taskFileArgs, name):
		case name == "tags":
			t.Keywords["tags"] = Keyword{Value: joinTags(t.Keywords["tags"].Value, v), Pos: t.ArgPos[name]}
		case name == "when":
			t.Keywords["when"] = Keyword{Value: v, Pos: t.ArgPos[name]}
		default:
			params.Set(name, v)
		}
	}
	file, ok := taskFileName(t)
	if !ok {
		return nil, l.fail(source.Errorf(t.ActionPos, "include needs the name of a file"))
	}
	t.Args = jinja.NewDict(rawParams, file.Value)
	static := !isTemplate(file) && t.Loop == nil && !p.included
	if kw, ok := t.Keywords["static"]; ok {
		static = kw.Value == true
		delete(t.Keywords, "static")
	}
	t.Action = "include_tasks"
	if static {
		t.Action = "import_tasks"
		t.Vars, t.params = params, t.Vars
	} else if params.Len() > 0 {
		t.Vars = merged(t.Vars, params)
	}
	l.collect = &t.Deprecated
	l.deprecated(t.ActionPos, "include is a form of Ansible 1.x: write "+t.Action)
	l.collect = nil
	if static {
		return l.importTasks(n, t, p)
	}
	return []Item{t}, nil
}

func joinTags(a, b any) any {
	if a == nil {
		return b
	}
	return jinja.NewList(slices.Concat(listed(a), listed(b))...)
}
