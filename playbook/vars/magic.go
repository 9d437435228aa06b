package vars

import (
	"context"
	"maps"
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
	magic       Lazy
	ctx         context.Context
	// listed is set where a template gave it as its value: then it is a dict of
	// the hosts that the inventory lists.
	listed bool
}

// HostVars makes hostvars for a play whose playbook stands in playbookDir.
// Every host has the variables of magic, which are of the run; hostvars is not
// among them.
func (s *Store) HostVars(ctx context.Context, playbookDir string, magic Lazy) *HostVars {
	return &HostVars{store: s, playbookDir: playbookDir, magic: maps.Clone(magic), ctx: ctx}
}

// asValue is h as the value of a template.
func (h *HostVars) asValue() *HostVars {
	listed := *h
	listed.listed = true
	return &listed
}

// TypeName and Class are Ansible's.
func (h *HostVars) TypeName() string {
	if h.listed {
		return "dict"
	}
	return "HostVars"
}

func (h *HostVars) Class() string {
	if h.listed {
		return "dict"
	}
	return "ansible.vars.hostvars.HostVars"
}

// Get is the variables of the host named key.
func (h *HostVars) Get(key any) (any, bool) {
	name, _ := key.(string)
	host := h.store.Inventory.Host(name)
	if host == nil {
		return nil, false
	}
	return mapping{s: h.Scope(host), templated: true}, true
}

// Lacks is the variables of a host that there is not.
func (h *HostVars) Lacks(key any) *jinja.Undefined {
	return &jinja.Undefined{Name: "hostvars[" + jinja.Repr(key) + "]"}
}

// Scope is host's variables outside of any play.
func (h *HostVars) Scope(host *inventory.Host) *Scope {
	return h.store.Templar.NewScope(h.ctx, h.store.Layers(host, h.playbookDir, Levels{Magic: h.magic})...)
}

// Keys are the names of all hosts, and localhost, which every inventory has
// without listing it.
func (h *HostVars) Keys() []any {
	keys := make([]any, 0, len(h.store.Inventory.Hosts)+1)
	for _, host := range h.store.Inventory.Hosts {
		keys = append(keys, host.Name)
	}
	if !h.listed && !slices.Contains(keys, any("localhost")) {
		keys = append(keys, "localhost")
	}
	return keys
}

func (h *HostVars) Len() int { return len(h.Keys()) }

// Mapping is s as templates index it.
func (s *Scope) Mapping() jinja.Mapping { return mapping{s: s} }

type mapping struct {
	s *Scope
	// templated is set where values are templated; else they are as written.
	templated bool
	// listed is set where a template gave it as its value: then it is a dict,
	// out of which what is omitted is taken.
	listed bool
}

// TypeName and Class are Ansible's.
func (m mapping) TypeName() string {
	if m.templated && !m.listed {
		return "HostVarsVars"
	}
	return "dict"
}

func (m mapping) Class() string {
	if m.templated && !m.listed {
		return "ansible.vars.hostvars.HostVarsVars"
	}
	return "dict"
}

// AsWritten is a value whose templates are the text that they were written as.
func AsWritten(v any) any {
	return changed(v, func(v any) any {
		if t, ok := v.(*yaml.Template); ok {
			return jinja.Text{Value: t.Text, Class: yaml.TextClass}
		}
		return v
	})
}

// opened is AsWritten, but for what was encrypted, which is its text.
func (s *Scope) opened(v any) any {
	return AsWritten(changed(v, func(v any) any {
		if t, ok := v.(*yaml.Template); ok && t.Open != nil {
			if text, err := s.valueOf(t); err == nil {
				return text
			}
		}
		return v
	}))
}

// Get is the value of a variable. One that cannot be templated is an Undefined
// that says why, so that the fault shows where it is used.
func (m mapping) Get(key any) (any, bool) {
	name, _ := key.(string)
	raw, ok := m.s.raw(name)
	if !ok {
		return nil, false
	}
	if !m.templated {
		return m.s.opened(raw), true
	}
	v, err := m.s.finished(name, raw)
	if err != nil {
		return &jinja.Undefined{Name: name, Hint: plainMessage(err), Cause: err, Failing: true}, true
	}
	return v, true
}

// isUnsafe tells whether m is a dict that holds unsafe text.
func (m mapping) isUnsafe() bool {
	if m.templated {
		return false
	}
	for _, name := range m.s.Names() {
		if v, _ := m.s.raw(name); isUnsafe(v) {
			return true
		}
	}
	return false
}

// Keys are, as in Ansible, the names that were known before the task was
// prepared, but for vars, which holds them all.
func (m mapping) Keys() []any {
	var keys []any
	for _, name := range m.s.names(func(l jinja.Mapping) bool { _, reach := l.(Reach); return !reach }) {
		if name != "vars" && name != "ansible_search_path" && !(m.listed && name == "omit") {
			keys = append(keys, name)
		}
	}
	return keys
}

func (m mapping) Len() int { return len(m.Keys()) }
