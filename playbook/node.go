package playbook

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// node reads what stands at every node: name, vars and the keywords of k but
// for those that skip takes.
func (l *loader) node(n *yaml.Node, k kind, node *Node, skip func(p yaml.Pair) bool) error {
	node.Pos = n.Pos
	node.Keywords = map[string]Keyword{}
	for _, p := range n.Pairs {
		key, ok := p.Key.Value.(string)
		if !ok {
			return l.errorf(p.Key, "a keyword is expected here, not %s", p.Key.Describe())
		}
		if skip != nil && skip(p) {
			continue
		}
		if err := l.keyword(key, p, k, node); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) keyword(key string, p yaml.Pair, k kind, node *Node) error {
	switch key {
	case "vars":
		vars, err := l.varsOf(p)
		if err == nil {
			node.Vars = vars
		}
		return err
	case "name":
		node.Name = p.Value.Value
		if p.Value.Kind != yaml.Scalars {
			return l.fail(wrongValue(key, p.Value, "text"))
		}
		return nil
	}
	if old, ok := oldKeywords[key]; ok && old.in&k != 0 {
		return l.oldKeyword(key, old, p, node)
	}
	kw, ok := keywords[key]
	if !ok || kw.in&k == 0 {
		return l.unknownKeyword(p.Key, k)
	}
	if p.Value.Null() && (key == "changed_when" || key == "failed_when") { // in Ansible a condition that holds
		node.Keywords[key] = Keyword{"", p.Value.Pos, p.Value}
		return nil
	}
	if kw.check == nil || p.Value.Null() && key != "tags" {
		return nil // a section, or as good as not there
	}
	value, expected := kw.check(p.Value)
	if expected != "" {
		e := wrongValue(key, p.Value, expected)
		if key == "vars_prompt" {
			e.Known = "Invalid vars_prompt data structure, missing 'name' key"
		}
		if key == "tags" {
			e.Known, e.Err = "tags must be specified as a list", ErrOther
		}
		if err := l.fail(e); value == nil {
			return err
		}
		l.warn(e.Error())
	}
	switch key {
	case "vars_prompt":
		if err := l.promptKeys(p.Value); err != nil {
			return err
		}
	case "module_defaults":
		if err := l.checkDefaultNames(p.Value); err != nil {
			return err
		}
	}
	node.Keywords[key] = Keyword{value, p.Value.Pos, p.Value}
	return nil
}

// promptKeys checks the keys of vars_prompt's entries.
func (l *loader) promptKeys(n *yaml.Node) error {
	known := []string{"name", "prompt", "default", "private", "confirm", "encrypt", "salt_size", "salt", "unsafe"}
	for _, entry := range n.Items {
		for _, p := range entry.Pairs {
			name, _ := p.Key.String()
			if !slices.Contains(known, name) {
				e := l.errorf(p.Key, "vars_prompt has no key %q", name)
				e.Known = fmt.Sprintf("Invalid vars_prompt data structure, found unsupported key '%s'", name)
				e.Hint = source.DidYouMean(name, known)
				return e
			}
		}
	}
	return nil
}

func (l *loader) unknownKeyword(key *yaml.Node, k kind) error {
	name, _ := key.String()
	e := l.errorf(key, "unknown keyword %q in a %s", name, k)
	if kw, ok := keywords[name]; ok {
		var places []string
		for _, other := range []kind{inPlay, inRole, inBlock, inTask, inHandler, inImport} {
			if kw.in&other != 0 {
				places = append(places, "a "+other.String())
			}
		}
		e.Msg = "the keyword " + name + " has no place in a " + k.String()
		e.Hint = "it can stand in " + strings.Join(places, ", ")
		return e
	}
	e.Hint = source.DidYouMean(name, keywordNames(k))
	return e
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// pythonWords cannot be the names of variables in templates.
var pythonWords = map[string]bool{
	"False": true, "None": true, "True": true, "and": true, "as": true, "assert": true, "async": true,
	"await": true, "break": true, "class": true, "continue": true, "def": true, "del": true, "elif": true,
	"else": true, "except": true, "finally": true, "for": true, "from": true, "global": true, "if": true,
	"import": true, "in": true, "is": true, "lambda": true, "nonlocal": true, "not": true, "or": true,
	"pass": true, "raise": true, "return": true, "try": true, "while": true, "with": true, "yield": true,
}

// IsVariableName reports whether name can be the name of a variable.
func IsVariableName(name string) bool { return identifier.MatchString(name) && !pythonWords[name] }

// varsOf reads vars: a dict, or as in 1.x a list of dicts.
func (l *loader) varsOf(p yaml.Pair) (*jinja.Dict, error) {
	n := p.Value
	if n.Null() {
		return nil, nil
	}
	vars := &jinja.Dict{Class: yaml.TextClass}
	dicts := []*yaml.Node{n}
	if n.Kind == yaml.List {
		dicts = n.Items
		l.deprecated(p.Key.Pos, "vars as a list of dicts is a form of Ansible 1.x: write one dict")
	}
	for _, d := range dicts {
		if d.Kind != yaml.Map {
			return nil, l.fail(wrongValue("vars", d, "a dict"))
		}
		own := jinja.NewDict()
		for _, v := range d.Pairs {
			name, ok := v.Key.Value.(string)
			if !ok || !IsVariableName(name) {
				return nil, l.badName(v.Key)
			}
			own.Set(name, v.Value.Any())
		}
		if l.MergeDicts {
			vars = jinja.MergeDicts(vars, own)
		} else {
			vars = merged(vars, own)
		}
	}
	return vars, nil
}

func (l *loader) badName(key *yaml.Node) *source.Error {
	name, ok := key.Value.(string)
	if !ok {
		name = key.Describe()
	}
	e := l.errorf(key, "%s is not a valid variable name", name)
	e.Hint = "a name is made of letters, digits and underscores, does not begin with a digit, and is no word of Python"
	return e
}

// oldKeyword is a keyword of Ansible 1.x.
type oldKeyword struct {
	in  kind
	now string
	set func(n *yaml.Node, node *Node) (expected string)
}

var oldKeywords = map[string]oldKeyword{
	"sudo":       {everywhere, "become", setOld("become", checkBool)},
	"sudo_user":  {everywhere, "become_user", setOld("become_user", checkText)},
	"sudo_exe":   {everywhere, "become_exe", setOld("become_exe", checkText)},
	"sudo_flags": {everywhere, "become_flags", setOld("become_flags", checkText)},
	"su":         {everywhere, "become with become_method: su", setSu},
	"su_user":    {everywhere, "become_user", setOld("become_user", checkText)},
	"su_exe":     {everywhere, "become_exe", setOld("become_exe", checkText)},
	"su_flags":   {everywhere, "become_flags", setOld("become_flags", checkText)},
	"user":       {inPlay, "remote_user", setOld("remote_user", checkText)},
	"always_run": {inRole | inBlock | anyTask, "check_mode: no", setAlwaysRun},
	"static":     {anyTask, "import_tasks or include_tasks", setOld("static", checkBool)},
	"transport":  {anyTask, "connection", setOld("connection", checkText)},
	"accelerate": {inPlay, "nothing: there is no accelerated mode", ignoreOld},
}

func (l *loader) oldKeyword(key string, old oldKeyword, p yaml.Pair, node *Node) error {
	if p.Value.Null() {
		return nil
	}
	l.deprecated(p.Key.Pos, key+" is a form of Ansible 1.x: write "+old.now)
	if expected := old.set(p.Value, node); expected != "" {
		return l.fail(wrongValue(key, p.Value, expected))
	}
	return nil
}

func setOld(now string, check func(*yaml.Node) (any, string)) func(*yaml.Node, *Node) string {
	return func(n *yaml.Node, node *Node) string {
		value, expected := check(n)
		if expected == "" {
			node.Keywords[now] = Keyword{value, n.Pos, n}
		}
		return expected
	}
}

func setSu(n *yaml.Node, node *Node) string {
	node.Keywords["become_method"] = Keyword{Value: "su", Pos: n.Pos}
	return setOld("become", checkBool)(n, node)
}

// setAlwaysRun turns "runs in check mode too" into check_mode, its opposite.
func setAlwaysRun(n *yaml.Node, node *Node) string {
	value, expected := checkBool(n)
	switch v := value.(type) {
	case bool:
		if v {
			node.Keywords["check_mode"] = Keyword{Value: false, Pos: n.Pos}
		}
	case *yaml.Template:
		return "yes or no; write check_mode with the opposite condition"
	}
	return expected
}

func ignoreOld(*yaml.Node, *Node) string { return "" }
