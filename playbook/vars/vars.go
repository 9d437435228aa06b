// Package vars gives variables their values: precedence, scopes that are
// looked through, lazy templating, facts.
package vars

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/internal/vault"
	"gplay/internal/yaml"
	"gplay/jinja"
	"gplay/playbook/filters"
)

// Scope is the variables of one host while one task runs there. Layers are
// looked through in order and never merged; a value is templated when it is
// used, and once. A Scope serves one goroutine.
type Scope struct {
	// Dirs are where lookups search for files, best first.
	Dirs []string
	// Subdir is the subdirectory of Dirs in which first_found looks.
	Subdir string
	// Hosts resolves an inventory pattern, for lookups.
	Hosts func(patterns []string) ([]string, error)

	ctx      context.Context
	templar  *Templar
	layers   []jinja.Mapping // highest precedence first
	resolved map[string]any
	pending  []string // names being resolved, outermost first
	wary     bool
	unsafe   bool // what is being templated used a text that is unsafe
	veiled   bool // it used hostvars or vars, whose texts are known by their own classes only
}

// NewScope makes a scope of layers, highest precedence first; nil ones are
// left out.
func (t *Templar) NewScope(ctx context.Context, layers ...jinja.Mapping) *Scope {
	s := &Scope{ctx: ctx, templar: t, resolved: map[string]any{}}
	for _, l := range layers {
		if d, isDict := l.(*jinja.Dict); l == nil || isDict && d.Len() == 0 {
			continue
		}
		s.layers = append(s.layers, l)
	}
	return s
}

// With is s below another layer, such as a loop's item.
func (s *Scope) With(top jinja.Mapping) *Scope {
	c := s.templar.NewScope(s.ctx, append([]jinja.Mapping{top}, s.layers...)...)
	c.Dirs, c.Subdir, c.Hosts, c.pending, c.wary = s.Dirs, s.Subdir, s.Hosts, s.pending, s.wary
	return c
}

// Wary is s for expressions that may come from a host: they run no lookups.
func (s *Scope) Wary() *Scope {
	c := *s
	c.wary = true
	return &c
}

// Native tells that templates give what Ansible's jinja2_native has them give.
func (s *Scope) Native() bool { return s.templar.native }

// Vault has the passwords of what is encrypted.
func (s *Scope) Vault() *vault.Keys { return s.templar.Vault }

// Raw is the value of name as it was written.
func (s *Scope) Raw(name string) (any, bool) {
	v, ok := s.raw(name)
	if t, isText := v.(jinja.Text); isText {
		return t.Value, ok
	}
	return v, ok
}

// raw is Raw where a text has its class.
func (s *Scope) raw(name string) (any, bool) {
	for _, l := range s.layers {
		v, ok := l.Get(name)
		if d, isDict := v.(*jinja.Dict); ok && isDict && s.templar.MergeDicts {
			return s.mergedDict(name, d), true
		}
		if of, isDict := l.(interface{ Typed(any) any }); ok && isDict {
			v = of.Typed(v)
		}
		if ok {
			return v, true
		}
	}
	return nil, false
}

// MergesDicts reports whether dicts of all levels are merged.
func (s *Scope) MergesDicts() bool { return s.templar.MergeDicts }

// mergedDict is a dict with what all lower layers have of it, down to the first
// that has no dict.
func (s *Scope) mergedDict(name string, top *jinja.Dict) *jinja.Dict {
	var found []*jinja.Dict
	for _, l := range s.layers {
		v, ok := l.Get(name)
		d, isDict := v.(*jinja.Dict)
		if ok && !isDict {
			break
		}
		if ok {
			found = append(found, d)
		}
	}
	if len(found) < 2 {
		return top
	}
	out := jinja.NewDict()
	for _, d := range slices.Backward(found) {
		out = jinja.MergeDicts(out, d)
	}
	return out
}

// Lookup is the templated value of name for a template. A variable whose own
// template uses what is undefined is undefined: default and `is defined` see
// that, and all other use is an error.
func (s *Scope) Lookup(name string) (any, bool, error) {
	v, ok, err := s.value(name)
	var undefined *Undefined
	if errors.As(err, &undefined) {
		return &jinja.Undefined{Name: name, Hint: plainMessage(undefined), Cause: undefined}, true, nil
	}
	var sealed *filters.Sealed
	if errors.As(err, &sealed) {
		return &jinja.Undefined{Name: name, Hint: sealed.Error(), Cause: err, Failing: true}, true, nil
	}
	if err != nil {
		raw, _ := s.raw(name)
		wrap(err, raw)
		return nil, true, err
	}
	switch v := v.(type) {
	case *HostVars:
		s.veiled = true
	case mapping:
		s.veiled, s.unsafe = true, s.unsafe || v.isUnsafe()
	default:
		s.unsafe = s.unsafe || isUnsafe(v)
	}
	return v, ok, err
}

func plainMessage(err error) string {
	var placed *source.Error
	if errors.As(err, &placed) {
		return placed.Msg
	}
	return err.Error()
}

// Value is the templated value of name.
func (s *Scope) Value(name string) (any, bool, error) {
	v, ok, err := s.value(name)
	return jinja.Plain(v), ok, err
}

// value is Value with the classes of its texts.
func (s *Scope) value(name string) (any, bool, error) {
	if v, ok := s.resolved[name]; ok {
		return v, true, nil
	}
	raw, ok := s.raw(name)
	if !ok {
		return nil, false, nil
	}
	v, err := s.resolve(name, raw)
	if err != nil {
		return nil, true, err
	}
	s.resolved[name] = v
	return v, true, nil
}

// Reach are variables that tell how a host is reached, and do not decide it.
type Reach struct{ jinja.Mapping }

// Setting is the templated value of a variable that says how its host is
// reached: facts, which come from a host, are not looked through.
func (s *Scope) Setting(name string) (any, bool, error) {
	for _, l := range s.layers {
		switch l.(type) {
		case found, Reach:
			continue
		}
		if raw, ok := l.Get(name); ok {
			v, err := s.resolve(name, raw)
			return jinja.Plain(v), true, err
		}
	}
	return nil, false, nil
}

func (s *Scope) resolve(name string, raw any) (any, error) {
	if !hasTemplate(raw) {
		return raw, nil
	}
	for _, p := range s.pending {
		if p == name {
			return nil, fmt.Errorf("recursive loop detected: %s is defined through itself (%s)", name, strings.Join(append(s.pending, name), " → "))
		}
	}
	s.pending = append(s.pending, name)
	defer func() { s.pending = s.pending[:len(s.pending)-1] }()
	v, err := s.Variable(raw)
	if err != nil {
		return nil, within(err, name, raw)
	}
	return v, nil
}

// finished is raw, the value of name, templated, where what uses an undefined
// variable stays as it was written.
func (s *Scope) finished(name string, raw any) (any, error) {
	var fault error
	v := changed(raw, func(v any) any {
		if fault != nil {
			return nil
		}
		done, err := s.resolve(name, v)
		var undefined *Undefined
		if errors.As(err, &undefined) {
			return AsWritten(v)
		}
		fault = err
		return done
	})
	return v, fault
}

// Names are the names of all variables, without order.
func (s *Scope) Names() []string {
	return s.names(func(jinja.Mapping) bool { return true })
}

func (s *Scope) names(of func(layer jinja.Mapping) bool) []string {
	seen := map[string]bool{}
	var names []string
	for _, l := range s.layers {
		if !of(l) {
			continue
		}
		for _, k := range l.Keys() {
			if n, ok := k.(string); ok && !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	return names
}

// Template gives v with every template in it rendered. What holds none is
// returned as it is.
func (s *Scope) Template(v any) (any, error) {
	v, err := s.Variable(v)
	return jinja.Plain(v), err
}

// Variable is Template for what becomes the value of a variable: texts keep
// their classes.
func (s *Scope) Variable(v any) (any, error) {
	if !hasTemplate(v) {
		return v, nil
	}
	switch v := v.(type) {
	case *yaml.Template:
		return s.render(v)
	case *jinja.Dict:
		out := &jinja.Dict{Class: v.Class}
		for k, item := range v.All() {
			r, err := s.Variable(item)
			if err != nil {
				return nil, err
			}
			out.Set(k, made(r, item, v.Class))
		}
		return out, nil
	case *jinja.List:
		items, err := s.templateAll(v.Items)
		for i := range items {
			items[i] = made(items[i], v.Items[i], v.Class)
		}
		return &jinja.List{Items: items, Class: v.Class}, err
	case jinja.Tuple:
		items, err := s.templateAll(v)
		return jinja.Tuple(items), err
	}
	return v, nil
}

// made is a value that a template in a list or dict gave: its text is not of
// the class that those have which stand there.
func made(v, from any, class string) any {
	text, isText := v.(string)
	if _, templated := from.(*yaml.Template); isText && templated && class != "" {
		return jinja.Text{Value: text, Class: "str"}
	}
	return v
}

func (s *Scope) templateAll(items []any) ([]any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		var err error
		if out[i], err = s.Variable(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func hasTemplate(v any) bool {
	switch v := v.(type) {
	case *yaml.Template:
		return true
	case *jinja.Dict:
		for _, item := range v.All() {
			if hasTemplate(item) {
				return true
			}
		}
	case *jinja.List:
		return anyTemplate(v.Items)
	case jinja.Tuple:
		return anyTemplate(v)
	}
	return false
}

func anyTemplate(items []any) bool {
	for _, item := range items {
		if hasTemplate(item) {
			return true
		}
	}
	return false
}
