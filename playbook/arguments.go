package playbook

import (
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// rawParams is the argument that holds free text.
const rawParams = "_raw_params"

// freeForm are the actions that take free text. Of these, commands keep
// key=value in it but for a few options.
var freeForm = map[string]bool{
	"command": true, "shell": true, "raw": true, "script": true, "win_command": true, "win_shell": true,
	"include": true, "include_vars": true, "include_tasks": true, "include_role": true, "import_tasks": true,
	"import_role": true, "add_host": true, "group_by": true, "set_fact": true, "meta": true,
}

var commands = map[string]bool{"command": true, "shell": true, "raw": true, "script": true, "win_command": true, "win_shell": true}

// arguments collects the arguments of one task.
type arguments struct {
	l        *loader
	n        *yaml.Node // the task
	dict     *jinja.Dict
	pos      map[string]source.Pos
	template any
}

// arguments reads all forms of a task's arguments; what stands nearer to the
// action wins.
func (l *loader) arguments(n *yaml.Node, t *Task, c *call) error {
	a := &arguments{l: l, n: n, dict: &jinja.Dict{}, pos: map[string]source.Pos{}}
	if err := a.extra(n.Get("args"), "args"); err != nil {
		return err
	}
	if c.args != nil {
		if err := a.extra(c.args.Get("args"), "args"); err != nil {
			return err
		}
		a.add(c.args, "module", "args")
	}
	if err := a.of(t.Action, c); err != nil {
		return err
	}
	if err := a.free(t, c); err != nil {
		return err
	}
	t.Args, t.ArgPos, t.ArgsTemplate = a.dict, a.pos, a.template
	if c.value != nil && c.value.Kind == yaml.Map {
		t.body, t.Args.Class = c.value, yaml.TextClass
	}
	if t.apply = t.body.Get("apply"); t.apply == nil {
		t.apply = n.Get("args").Get("apply")
	}
	return nil
}

// extra reads args: a dict, a template that gives one, or pairs.
func (a *arguments) extra(n *yaml.Node, key string) error {
	switch {
	case n.Null():
		return nil
	case n.Kind == yaml.Map:
		a.add(n)
		return nil
	case isTemplate(n):
		a.template = n.Value
		return nil
	}
	return a.l.fail(wrongValue(key, n, "a dict, or a template that gives one"))
}

// add takes the arguments of a dict but for some keys.
func (a *arguments) add(n *yaml.Node, except ...string) {
	for _, p := range n.Pairs {
		name, ok := p.Key.Value.(string)
		if !ok {
			a.dict.Set(p.Key.Value, p.Value.Any())
			continue
		}
		if len(except) > 0 && (name == except[0] || name == except[1]) {
			continue
		}
		a.set(name, p.Value.Any(), p.Key.Pos)
	}
}

func (a *arguments) set(name string, value any, pos source.Pos) {
	a.dict.Set(name, value)
	a.pos[name] = pos
}

// of reads what stands behind the action's name.
func (a *arguments) of(action string, c *call) error {
	switch v := c.value; {
	case v.Null():
		return nil
	case v.Kind == yaml.Map:
		a.add(v)
		return nil
	default:
		return a.pairs(v, action)
	}
}

// pairs reads "key=value free text".
func (a *arguments) pairs(n *yaml.Node, action string) error {
	text, ok := n.String()
	if !ok {
		return a.l.fail(wrongValue(action, n, "its arguments as a dict or as text"))
	}
	pairs, free, freeAt, err := parsePairs(text, commands[action])
	if err != nil {
		e := a.l.errorf(n, "%s: %v", "these arguments cannot be split", err)
		e.Hint = "write them as a dict, one argument a line"
		return e
	}
	for _, p := range pairs {
		a.set(p.key, n.Part(p.value, p.valueFrom).Value, n.PosAt(p.keyAt))
	}
	if free != "" {
		value := n.Value
		if free != text {
			value = n.Part(free, freeAt).Value
		}
		a.set(rawParams, value, n.PosAt(freeAt))
	}
	return nil
}

// free checks the free text: who takes none has a template there, or a fault.
func (a *arguments) free(t *Task, c *call) error {
	if commands[t.Action] && t.Action != "raw" {
		if err := a.cmd(t); err != nil {
			return err
		}
	}
	raw, ok := a.dict.Get(rawParams)
	if !ok || freeForm[t.Action] || freeForm[Builtin(c.name)] {
		return nil
	}
	pos := a.pos[rawParams]
	if tmpl, ok := raw.(*yaml.Template); ok {
		if strings.TrimSpace(tmpl.Text) != "" {
			a.template = tmpl
		}
		a.dict.Delete(rawParams)
		delete(a.pos, rawParams)
		return nil
	}
	if raw == "" {
		a.dict.Delete(rawParams)
		return nil
	}
	e := source.Errorf(pos, "%s takes no free text, only arguments", c.name)
	e.Len = c.value.Len
	e.Hint = "write key=value, or the arguments as a dict below it"
	return a.l.fail(e)
}

// cmd makes the argument cmd the free text it stands for.
func (a *arguments) cmd(t *Task) error {
	cmd, ok := a.dict.Get("cmd")
	if !ok {
		return nil
	}
	if raw, both := a.dict.Get(rawParams); both && raw != "" {
		return a.l.fail(&source.Error{Pos: a.pos["cmd"], Len: 3, Msg: t.Action + " has its command twice, as text and as cmd"})
	}
	a.dict.Delete("cmd")
	a.set(rawParams, cmd, a.pos["cmd"])
	return nil
}
