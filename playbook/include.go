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
	if t.apply != nil && t.apply.Kind != yaml.Map {
		return l.fail(wrongValue("apply", t.apply, "a dict of keywords"))
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
	} else if _, ok := taskFileName(t); !ok {
		return l.fail(source.Errorf(t.ActionPos, "%s needs the name of a file", t.Action))
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
	for _, dir := range []string{"tasks", "vars", "defaults", "handlers"} {
		switch v, _ := t.Args.Get(dir + "_from"); v.(type) {
		case *jinja.List, *jinja.Dict:
			e := source.Errorf(t.ArgPos[dir+"_from"], "%s_from wants the name of a file, not a %s", dir, jinja.TypeName(v))
			e.Known = fmt.Sprintf("Expected a string for %s_from but got %s instead", dir, pythonClass(v))
			return l.fail(e)
		}
	}
	return nil
}

func taskFileName(t *Task) (*yaml.Node, bool) { return t.argument(taskFileArgs...) }
func roleName(t *Task) (*yaml.Node, bool)     { return t.argument("name", "role") }

// Written is an argument as it stands in the file; nil where the arguments are
// text, or a template gives them.
func (t *Task) Written(arg string) *yaml.Node { return t.body.Get(arg) }

// argument is the first of some arguments that is given, with its place.
func (t *Task) argument(names ...string) (*yaml.Node, bool) {
	for _, name := range names {
		v, ok := t.Args.Get(name)
		if !ok || v == nil || v == "" {
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
	static := !isTemplate(file) && t.Loop == nil && !p.dynamic
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
