package playbook

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// Builtin takes the collection off a name of one of Ansible's own: an action or
// another plugin.
func Builtin(name string) string {
	for _, prefix := range []string{"ansible.builtin.", "ansible.legacy."} {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			return short
		}
	}
	return name
}

// structural are the actions that the language itself knows.
var structural = []string{"include", "include_tasks", "include_role", "import_tasks", "import_role"}

// action gives the canonical name of a module or action.
func (l *loader) action(name string) (string, bool) {
	if short := Builtin(name); slices.Contains(structural, short) {
		return short, true
	}
	if l.Action == nil {
		return Builtin(name), true
	}
	canonical, known := l.Action(name)
	if !known || len(l.search) > 0 {
		if name = l.fullModule(name); l.runnable(name) != "" {
			return name, true
		}
		canonical, known = l.Action(name)
	}
	return canonical, known
}

// actionKey reports whether a key of a task is the name of an action rather
// than a keyword.
func (l *loader) actionKey(key *yaml.Node) (string, bool) {
	name, ok := key.Value.(string)
	if !ok || strings.HasPrefix(name, "with_") {
		return "", false
	}
	if _, isKeyword := keywords[name]; isKeyword && name != "gather_facts" { // which is a module, too
		return "", false
	}
	if old, isOld := oldKeywords[name]; isOld && old.in&inTask != 0 {
		return "", false
	}
	_, known := l.action(name)
	return name, known || l.isElsewhere(name)
}

// isElsewhere reports whether a name is a module's that gplay does not have.
func (l *loader) isElsewhere(name string) bool {
	full := l.fullModule(name)
	if l.ownModule(full) != "" {
		return true
	}
	_, ok := l.elsewhere(full)
	return ok
}

// elsewhere is the collection that a module may be of which gplay does not
// have. What an installed collection holds is known.
func (l *loader) elsewhere(name string) (collection string, ok bool) {
	if l.Elsewhere == nil {
		return "", false
	}
	collection, ok = l.Elsewhere(name)
	return collection, ok && (!strings.HasPrefix(name, collection+".") || l.collectionDir(collection) == "")
}

// missing is the error of a task whose module gplay does not have, nil where
// nobody has it.
func (l *loader) missing(key *yaml.Node) *source.Error {
	name, _ := key.String()
	if file := l.ownModule(name); file != "" {
		e := l.errorf(key, "the module %q needs Ansible's Python code (%s), which gplay does not have", name, source.Rel(file))
		e.Hint = "use one of gplay's modules, command or script, or write it as a program that reads its arguments as JSON"
		return e
	}
	collection, ok := l.elsewhere(name)
	if !ok {
		return nil
	}
	e := l.errorf(key, "gplay does not have the module %q of %s", name[strings.LastIndexByte(name, '.')+1:], collection)
	e.Len = len(name)
	return e
}

// task loads one task or handler.
func (l *loader) task(n *yaml.Node, p place) (*Task, error) {
	t := &Task{Parent: p.parent, Play: p.play, Role: p.role, File: p.file, Handler: p.handlers}
	l.search = l.searched(Keyword{Value: n.Get("collections").Any()}, p)
	call, err := l.call(n, t)
	if err != nil {
		return nil, err
	}
	if t.Missing != nil && p.dynamic {
		return nil, t.Missing
	}
	l.collect = &t.Deprecated
	defer func() { l.collect = nil }()
	err = l.node(n, p.kind(), &t.Node, func(pair yaml.Pair) bool {
		key, _ := pair.Key.String()
		return pair.Key == call.key || strings.HasPrefix(key, "with_") || pair.Value == nil
	})
	if err != nil {
		return nil, l.inTask(err, call, n)
	}
	if err := l.arguments(n, t, call); err != nil {
		return nil, err
	}
	if call.local {
		t.Keywords["delegate_to"] = Keyword{Value: "localhost", Pos: call.key.Pos}
	}
	if t.Loop, err = l.loop(n); err != nil {
		return nil, err
	}
	if t.Register, err = l.register(n.Get("register")); err != nil {
		return nil, err
	}
	t.Notify = listed(t.inherit("notify"))
	t.Listen = listed(t.Keywords["listen"].Value)
	delete(t.Keywords, "notify")
	delete(t.Keywords, "listen")
	if err := l.checkMeta(t, call); err != nil {
		return nil, err
	}
	return t, nil
}

// inTask makes the hint of an unknown keyword a module's name where that is
// nearer.
func (l *loader) inTask(err error, c *call, n *yaml.Node) error {
	e, ok := err.(*source.Error)
	if !ok || !strings.HasPrefix(e.Msg, "unknown keyword") {
		return err
	}
	for _, pair := range n.Pairs {
		if name, known := l.actionKey(pair.Key); known && pair.Key.Pos == e.Pos {
			e.Msg = "a task can have only one action, and this one has " + c.name + " and " + name
			e.Hint = "make two tasks of it"
		}
	}
	return err
}

// inherit is a keyword's value of t or of the nearest block around it.
func (t *Task) inherit(key string) any {
	if kw, ok := t.Keywords[key]; ok {
		return kw.Value
	}
	for _, b := range t.Parent.chain() {
		if kw, ok := b.Keywords[key]; ok {
			return kw.Value
		}
	}
	return nil
}

func (l *loader) register(n *yaml.Node) (string, error) {
	if n.Null() || n.Value == "" {
		return "", nil
	}
	name, _ := n.Value.(string)
	if !IsVariableName(name) {
		e := l.badName(n)
		e.Known = fmt.Sprintf("Invalid variable name in 'register' specified: '%s'", jinja.Str(n.Any()))
		return "", e
	}
	return name, nil
}

// call is a task's action as written: "copy: …", "action: copy …" or
// "local_action: …".
type call struct {
	key   *yaml.Node // the key it stands at
	value *yaml.Node // what follows, nil when that is taken care of
	name  string
	pos   source.Pos // of the name
	args  *yaml.Node // more arguments, of a dict below action:
	local bool
}

// call finds the action of a task.
func (l *loader) call(n *yaml.Node, t *Task) (*call, error) {
	var found *call
	for _, pair := range n.Pairs {
		key, ok := pair.Key.String()
		if !ok {
			return nil, l.errorf(pair.Key, "a keyword or the name of a module is expected here, not %s", pair.Key.Describe())
		}
		var c *call
		if key == "action" || key == "local_action" {
			var err error
			if c, err = l.oldCall(pair); err != nil {
				return nil, err
			}
			c.local = key == "local_action"
		} else if _, known := l.actionKey(pair.Key); known {
			c = &call{key: pair.Key, value: pair.Value, name: key, pos: pair.Key.Pos}
		}
		if c == nil {
			continue
		}
		if found != nil && (l.Action != nil || c.name == "action" || c.local) {
			e := l.errorf(pair.Key, "a task can have only one action, and this one has %s and %s", found.name, c.name)
			e.Hint = "make two tasks of it"
			e.Known = "conflicting action statements: " + found.name + ", " + c.name
			return nil, e
		}
		if found == nil {
			found = c
		}
	}
	if found == nil {
		return nil, l.noAction(n)
	}
	if yaml.IsTemplate(found.name) {
		t.Action, t.ActionPos, t.ActionAs = found.name, found.pos, found.name
		t.ActionTemplate = &yaml.Template{Text: found.name, Pos: found.pos}
		return found, nil
	}
	var known bool
	if t.Action, known = l.action(found.name); !known {
		key := &yaml.Node{Pos: found.pos, Len: len(found.name), Value: l.fullModule(found.name)}
		if t.Missing = l.missing(key); t.Missing == nil {
			return nil, l.unknownAction(key, t)
		}
	}
	t.ActionPos, t.ActionAs = found.pos, found.name
	if l.Action == nil {
		return found, nil
	}
	if _, known := l.Action(t.Action); !known && !slices.Contains(structural, t.Action) {
		t.Program = l.runnable(t.Action)
		l.outdated(found.name)
	}
	return found, nil
}

// noAction says what is wrong with a task that has no key which is an action.
func (l *loader) noAction(n *yaml.Node) error {
	for _, pair := range n.Pairs {
		key, _ := pair.Key.String()
		_, isKeyword := keywords[key]
		_, isOld := oldKeywords[key]
		if !isKeyword && !isOld && !strings.HasPrefix(key, "with_") {
			return l.unknownAction(pair.Key, nil)
		}
	}
	e := l.errorf(n, "this task has no module or action")
	e.Known = "no module/action detected in task."
	if n.Get("hosts") != nil {
		e.Msg = "a play stands here where a task is expected"
		e.Hint = "use import_playbook to run a playbook"
	}
	return e
}

func (l *loader) unknownAction(key *yaml.Node, t *Task) error {
	name, _ := key.String()
	if Builtin(name) == "import_playbook" {
		e := l.errorf(key, "import_playbook cannot stand in a list of tasks")
		e.Hint = "put it at the top of the playbook, beside the plays"
		return e
	}
	candidates := slices.Concat(l.Actions, structural, keywordNames(inTask))
	e := l.errorf(key, "unknown module %q", name)
	if gone := l.routing(name).Get("tombstone"); gone != nil {
		e.Msg, e.Err = name+" has been removed", fs.ErrNotExist
		e.Hint, _ = gone.Get("warning_text").String()
		return e
	}
	if t == nil {
		e.Msg = "unknown module or keyword \"" + name + "\""
	}
	e.Hint = source.DidYouMean(Builtin(name), candidates)
	return e
}

// oldCall reads action: and local_action:, text or a dict with module.
func (l *loader) oldCall(p yaml.Pair) (*call, error) {
	c := &call{key: p.Key}
	line := p.Value
	if line.Kind == yaml.Map {
		c.args = line
		line = line.Get("module")
	}
	text, ok := line.String()
	if !ok {
		return nil, l.fail(wrongValue(p.Key.Value.(string), p.Value, "the name of a module with its arguments, or a dict with module"))
	}
	words, err := splitWords(text)
	if err != nil || len(words) == 0 {
		return nil, l.errorf(line, "the name of a module is expected here")
	}
	c.name = strings.TrimSpace(words[0].text)
	c.pos = line.PosAt(words[0].offset)
	c.value = cut(line, text, words[0].offset+len(words[0].text))
	return c, nil
}

// cut is the node of the text of n from an offset on.
func cut(n *yaml.Node, text string, from int) *yaml.Node {
	rest := text[min(from, len(text)):]
	trimmed := strings.TrimLeft(rest, " \n")
	return n.Part(trimmed, from+len(rest)-len(trimmed))
}

var metaActions = []string{"clear_facts", "clear_host_errors", "end_batch", "end_host", "end_play", "flush_handlers", "noop", "refresh_inventory", "reset_connection", "role_complete", "end_role"}

// checkMeta refuses end_role where no role can end, as ansible-core does since
// 2.18, and warns of an action that meta does not know, which only a run refuses.
func (l *loader) checkMeta(t *Task, c *call) error {
	if t.Action != "meta" {
		return nil
	}
	raw, _ := t.Args.Get(rawParams)
	name, ok := raw.(string)
	switch name = strings.TrimSpace(name); {
	case name == "end_role" && t.Handler:
		return l.errorf(c.value, "end_role ends the tasks of a role, and cannot be used in a handler")
	case name == "end_role" && t.Role == nil:
		return l.errorf(c.value, "end_role ends a role, and this task is in none")
	case ok && !slices.Contains(metaActions, name) || raw == nil:
		e := source.Errorf(t.ActionPos, "unknown meta action %q", name)
		if c.value != nil {
			e.Pos, e.Len = c.value.Pos, c.value.Len
		}
		e.Hint = source.DidYouMean(name, metaActions)
		l.warn(e.Error())
	}
	return nil
}
