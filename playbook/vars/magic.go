package vars

import (
	"context"
	"errors"
	"slices"

	"gplay/internal/yaml"
	"gplay/inventory"
	"gplay/jinja"
)

// Lazy is a Mapping of variables that are computed when they are used.
type Lazy map[string]func() any

func (l Lazy) Get(key any) (any, bool) {
	name, _ := key.(string)
	f, ok := l[name]
	if !ok {
		return nil, false
	}
	return f(), true
}

// Keys are the names, without order.
func (l Lazy) Keys() []any {
	keys := make([]any, 0, len(l))
	for k := range l {
		keys = append(keys, k)
	}
	return keys
}

func (l Lazy) Len() int { return len(l) }

// HostVars is the variable hostvars: every host's variables, templated when
// they are used.
type HostVars struct {
	store       *Store
	playbookDir string
	ctx         context.Context
}

// HostVars makes hostvars for a play whose playbook stands in playbookDir.
func (s *Store) HostVars(ctx context.Context, playbookDir string) *HostVars {
	return &HostVars{s, playbookDir, ctx}
}

// Get is the variables of the host named key.
func (h *HostVars) Get(key any) (any, bool) {
	name, _ := key.(string)
	host := h.store.Inventory.Host(name)
	if host == nil {
		return nil, false
	}
	return mapping{h.Scope(host), true}, true
}

// Scope is host's variables outside of any play.
func (h *HostVars) Scope(host *inventory.Host) *Scope {
	magic := Lazy{"hostvars": func() any { return h }}
	return h.store.Templar.NewScope(h.ctx, h.store.Layers(host, h.playbookDir, Levels{Magic: magic})...)
}

// Keys are the names of all hosts, and localhost, which every inventory has.
func (h *HostVars) Keys() []any {
	keys := make([]any, 0, len(h.store.Inventory.Hosts)+1)
	for _, host := range h.store.Inventory.Hosts {
		keys = append(keys, host.Name)
	}
	if !slices.Contains(keys, any("localhost")) {
		keys = append(keys, "localhost")
	}
	return keys
}

func (h *HostVars) Len() int { return len(h.Keys()) }

// Mapping is s as templates index it.
func (s *Scope) Mapping() jinja.Mapping { return mapping{s, false} }

type mapping struct {
	s *Scope
	// lenient is set where what uses an undefined variable stays as written.
	lenient bool
}

// AsWritten is a value whose templates are text, and will never be templated.
func AsWritten(v any) any {
	switch v := v.(type) {
	case *yaml.Template:
		return v.Text
	case *jinja.Dict:
		out := jinja.NewDict()
		for k, item := range v.All() {
			out.Set(k, AsWritten(item))
		}
		return out
	case *jinja.List:
		out := jinja.NewList()
		for _, item := range v.Items {
			out.Items = append(out.Items, AsWritten(item))
		}
		return out
	}
	return v
}

// Get is the templated value of a variable. One that cannot be templated is
// an Undefined that says why, so that the fault shows where it is used.
func (m mapping) Get(key any) (any, bool) {
	name, _ := key.(string)
	v, ok, err := m.s.value(name)
	var undefined *Undefined
	if errors.As(err, &undefined) && m.lenient {
		raw, _ := m.s.Raw(name)
		return AsWritten(raw), true
	}
	if err != nil {
		return &jinja.Undefined{Name: name, Hint: err.Error()}, true
	}
	return v, ok
}

// Keys are the names of the variables but for the two that hold all others,
// so that the whole can be printed.
func (m mapping) Keys() []any {
	var keys []any
	for _, name := range m.s.Names() {
		if name != "hostvars" && name != "vars" {
			keys = append(keys, name)
		}
	}
	return keys
}

func (m mapping) Len() int { return len(m.Keys()) }
