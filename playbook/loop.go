package playbook

import (
	"regexp"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

var loopControls = []string{"break_when", "extended", "extended_allitems", "index_var", "label", "loop_var", "pause"}

// loop reads loop: or with_…: with its loop_control; nil when there is none.
func (l *loader) loop(n *yaml.Node) (*Loop, error) {
	var loop *Loop
	for _, p := range n.Pairs {
		key, _ := p.Key.String()
		lookup, with := strings.CutPrefix(key, "with_")
		lookup = strings.TrimPrefix(Builtin(lookup), "community.general.")
		if !with && key != "loop" {
			continue
		}
		if loop != nil {
			return nil, l.errorf(p.Key, "a task can have only one loop")
		}
		if p.Value.Null() && !with {
			continue
		}
		if p.Value.Null() {
			e := l.errorf(p.Key, "%s needs a value", key)
			e.Known, e.Err = "you must specify a value when using "+key, ErrOther
			return nil, e
		}
		if with && l.Lookups != nil && !slices.Contains(l.Lookups, lookup) {
			e := l.errorf(p.Key, "unknown lookup %q in %s", lookup, key)
			e.Hint = source.DidYouMean(lookup, l.Lookups)
			return nil, e
		}
		loop = &Loop{Value: p.Value.Any(), Pos: p.Value.Pos}
		if with {
			loop.Lookup = lookup
			l.bareWords(p, loop)
		} else if bad := p.Value.Kind == yaml.Map || p.Value.Kind == yaml.Scalars && !isTemplate(p.Value); bad {
			e := wrongValue("loop", p.Value, "a list, or a template that gives one")
			if s, ok := p.Value.Value.(string); ok && bareName.MatchString(s) {
				e.Msg += `: write "{{ ` + s + ` }}"`
			}
			l.warn(e.Error())
		}
	}
	control := n.Get("loop_control")
	if control.Null() || loop == nil {
		return loop, nil
	}
	if control.Kind != yaml.Map {
		return nil, l.fail(wrongValue("loop_control", control, "a dict"))
	}
	for _, p := range control.Pairs {
		if key, _ := p.Key.String(); !slices.Contains(loopControls, key) {
			e := l.errorf(p.Key, "unknown keyword %q in loop_control", key)
			e.Hint = source.DidYouMean(key, loopControls)
			return nil, e
		} else if key == "break_when" {
			loop.Breaks = Keyword{p.Value.Any(), p.Value.Pos, p.Value}
		}
	}
	loop.Control = control.Any().(*jinja.Dict)
	return loop, nil
}

var bareName = regexp.MustCompile(`^([A-Za-z_]\w*)((?:\.\w+|\[[^\]]+\])*)(\s*\|.+)?$`)

// bareLookups took the names of variables without braces in 1.x: as all of
// their value, and some as items of a list.
var bareLookups = map[string]bool{
	"items": false, "dict": false, "flattened": false, "indexed_items": false, "random_choice": false, "list": false,
	"nested": true, "cartesian": true, "together": true, "subelements": true,
}

// bareWords makes templates of variables without braces.
func (l *loader) bareWords(p yaml.Pair, loop *Loop) {
	inList, ok := bareLookups[loop.Lookup]
	if !ok {
		return
	}
	if t := bareTemplate(p.Value); t != nil {
		loop.Value, loop.Bare = t, true
	} else if inList && p.Value.Kind == yaml.List {
		items := &jinja.List{Items: slices.Clone(loop.Value.(*jinja.List).Items)}
		for i, n := range p.Value.Items {
			// The second term of subelements is the name of a key.
			if t := bareTemplate(n); t != nil && (loop.Lookup != "subelements" || i == 0) {
				items.Items[i], loop.Bare = t, true
			}
		}
		loop.Value = items
	}
	if loop.Bare {
		l.deprecated(p.Value.Pos, "a variable without braces is a form of Ansible 1.x: write \"{{ … }}\"")
	}
}

// bareTemplate is the template of a variable's name without braces, nil for
// anything else. A name that turns out to be no variable is text, as it was
// then.
func bareTemplate(n *yaml.Node) *yaml.Template {
	s, ok := n.Value.(string)
	if !ok {
		return nil
	}
	m := bareName.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return nil
	}
	text := "{{ (" + m[0] + ") if " + m[1] + " is defined else '" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(m[0]) + "' }}"
	return &yaml.Template{Text: text, Pos: n.Pos}
}
