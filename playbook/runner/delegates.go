package runner

import (
	"slices"

	"gplay/jinja"
	"gplay/playbook/vars"
)

// delegates is the variable ansible_delegated_vars: those of all hosts that the
// task, or one of its items, is delegated to. As in Ansible, conditions see it.
func (x *execution) delegates() vars.Lazy {
	k, ok := x.task.Inherited("delegate_to")
	if !ok || k.Value == nil {
		return nil
	}
	return vars.Lazy{"ansible_delegated_vars": func() any {
		all := jinja.NewDict()
		for _, scope := range x.itemScopes() {
			to, err := scope.Template(k.Value)
			if name := jinja.Str(to); err == nil && to != nil && to != vars.Omit && name != "" {
				all.Set(name, x.delegateVars(name))
			}
		}
		return all
	}}
}

// itemScopes have the variables of the task's items.
func (x *execution) itemScopes() []*vars.Scope {
	loop := x.task.Loop
	if loop == nil {
		return []*vars.Scope{x.scope}
	}
	items, err := x.loopItems(loop)
	if err != nil {
		items = []any{nil}
	}
	variable, ok := loop.Control.Get("loop_var")
	if !ok {
		variable = "item"
	}
	scopes := make([]*vars.Scope, len(items))
	for i, item := range items {
		scopes[i] = x.scope.With(jinja.NewDict(variable, item))
	}
	return scopes
}

// delegateVars are the variables of a host that the task is delegated to, with
// the name of the task's own.
func (x *execution) delegateVars(host string) *jinja.Dict {
	hostvars, _ := x.magic.Get("hostvars")
	known, _ := hostvars.(jinja.Mapping).Get(host)
	d := jinja.NewDict("ansible_host", host)
	if known, ok := known.(jinja.Mapping); ok {
		for _, name := range known.Keys() {
			v, _ := known.Get(name)
			d.Set(name, v)
		}
	}
	d.Set("inventory_hostname", x.host.Name)
	return d
}

// reachedVars say how the host that the task runs on is reached, where the
// task's own does not say how it is itself.
func (x *execution) reachedVars(s *settings) vars.Lazy {
	all := vars.Lazy{}
	for _, name := range slices.Concat(reached...) {
		v, ok := s.vars.Raw(name)
		if _, own, _ := x.scope.Setting(name); ok && !own {
			all[name] = func() any { return v }
		}
	}
	return all
}
