package vars

import (
	"slices"
	"sync"

	"gplay/inventory"
	"gplay/jinja"
)

// Store holds what is known of every host across a run: facts, what set_fact,
// register and include_vars set, and the run's extra variables. It may be
// used by many at once.
type Store struct {
	Templar   *Templar
	Inventory *inventory.Inventory
	Extra     *jinja.Dict // -e, above everything
	// Run are variables of the run itself, such as ansible_version.
	Run *jinja.Dict
	// Cache keeps facts between runs; nil does not.
	Cache FactCache
	// HideFacts leaves facts out of the variables: only ansible_facts has them.
	HideFacts bool

	mu    sync.RWMutex
	hosts map[string]*hostVars
}

// hostVars are replaced as a whole when one changes, so that scopes made
// before see what they saw.
type hostVars struct {
	facts    *jinja.Dict // ansible_facts: names without the prefix
	injected *jinja.Dict // the same as variables: names as the module gave them
	raw      *jinja.Dict // all of them as the module gave them, for the cache
	included *jinja.Dict
	set      *jinja.Dict
}

// NewStore makes an empty Store.
func NewStore(t *Templar, inv *inventory.Inventory, extra, run *jinja.Dict) *Store {
	return &Store{Templar: t, Inventory: inv, Extra: extra, Run: run, hosts: map[string]*hostVars{}}
}

func (s *Store) of(host string) hostVars {
	s.mu.RLock()
	h := s.hosts[host]
	s.mu.RUnlock()
	switch {
	case h != nil:
		return *h
	case s.Cache == nil:
		return hostVars{}
	}
	var known hostVars
	s.update(host, func(h *hostVars) { known = *h }) // asks the cache
	return known
}

func (s *Store) update(host string, change func(h *hostVars)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var next hostVars
	if h := s.hosts[host]; h != nil {
		next = *h
	} else if h := s.cached(host); h != nil {
		next = *h
	}
	change(&next)
	s.hosts[host] = &next
}

func merged(old, add *jinja.Dict) *jinja.Dict {
	out := old.Copy()
	if old.Len() == 0 && add != nil {
		out.Class = add.Class
	}
	for k, v := range add.All() {
		out.Set(k, v)
	}
	return out
}

// SetFacts adds facts that a module found on host, names as in ansible_facts
// or with the ansible_ prefix.
func (s *Store) SetFacts(host string, facts *jinja.Dict) error {
	var err error
	s.update(host, func(h *hostVars) {
		h.facts = merged(h.facts, unprefixed(facts))
		h.injected = merged(h.injected, Safe(facts))
		if s.Cache != nil {
			h.raw = merged(h.raw, facts)
			err = s.Cache.Set(host, h.raw)
		}
	})
	return err
}

// Set gives variables values at the level of set_fact and register.
func (s *Store) Set(host string, vars *jinja.Dict) {
	s.update(host, func(h *hostVars) { h.set = merged(h.set, vars) })
}

// Include gives variables values at the level of include_vars.
func (s *Store) Include(host string, vars *jinja.Dict) {
	s.update(host, func(h *hostVars) {
		if s.Templar.MergeDicts {
			h.included = jinja.MergeDicts(h.included, vars)
		} else {
			h.included = merged(h.included, vars)
		}
	})
}

// ClearFacts forgets the facts of host.
func (s *Store) ClearFacts(host string) error {
	s.update(host, func(h *hostVars) { h.facts, h.injected, h.raw = nil, nil, nil })
	if s.Cache == nil {
		return nil
	}
	return s.Cache.Delete(host)
}

// gathered is the fact that says that gather_facts brought the others, which
// caches keep with them.
const gathered = "_ansible_facts_gathered"

// MarkGathered adds to facts that gather_facts brought them.
func MarkGathered(facts *jinja.Dict) *jinja.Dict { return merged(facts, jinja.NewDict(gathered, true)) }

// Gathered reports whether gather_facts ran on host, now or in a run whose
// facts are cached.
func (s *Store) Gathered(host string) bool {
	v, _ := s.of(host).facts.Get(gathered)
	return v == true
}

// HasFacts reports whether there are facts of host that a module found.
func (s *Store) HasFacts(host string) bool {
	_, ok := s.of(host).facts.Get("gather_subset")
	return ok
}

// Facts is the dict ansible_facts of host.
func (s *Store) Facts(host string) *jinja.Dict {
	if f := s.of(host).facts; f != nil {
		return f
	}
	return jinja.NewDict()
}

// Levels are the variables that a task brings along, by Ansible's levels of
// precedence; within each, the later one wins.
type Levels struct {
	RoleDefaults []*jinja.Dict
	Play         []*jinja.Dict // vars, vars_prompt, vars_files
	RoleVars     []*jinja.Dict
	Task         []*jinja.Dict // of blocks, outermost first, then of the task
	Params       []*jinja.Dict // of roles and includes
	Magic        jinja.Mapping // role_name and its like
	Unset        bool          // without what set_fact, register and include_vars gave
}

// Layers are the layers of host for a task, highest precedence first.
// playbookDir is where group_vars and host_vars may stand beside a playbook.
func (s *Store) Layers(host *inventory.Host, playbookDir string, l Levels) []jinja.Mapping {
	known := s.of(host.Name)
	layers := []jinja.Mapping{s.Run, l.Magic, s.Extra}
	add := func(dicts []*jinja.Dict) {
		for i := len(dicts) - 1; i >= 0; i-- {
			layers = append(layers, dicts[i])
		}
	}
	add(l.Params)
	if !l.Unset {
		layers = append(layers, known.set, known.included)
	}
	if s.Templar.MergeDicts {
		layers = append(layers, innermost(l.Task))
	} else {
		add(l.Task)
	}
	add(l.RoleVars)
	add(l.Play)
	if !s.HideFacts {
		layers = append(layers, found{known.injected})
	}
	layers = append(layers, factsVar{known.facts})
	for _, l := range slices.Backward(s.inventoryLayers(host, playbookDir)) {
		layers = append(layers, l.Vars)
	}
	add(l.RoleDefaults)
	return layers
}

// innermost are the variables of blocks and a task, outermost first, of which
// the last has its way: their dicts are not merged with each other.
type innermost []*jinja.Dict

func (i innermost) Get(key any) (any, bool) {
	for _, d := range slices.Backward(i) {
		if v, ok := d.Get(key); ok {
			return v, true
		}
	}
	return nil, false
}

func (i innermost) Keys() []any {
	var keys []any
	for _, d := range i {
		keys = append(keys, d.Keys()...)
	}
	return keys
}

func (i innermost) Len() int { return len(i.Keys()) }

// inventoryLayers are what the inventory says of a host. A vars file that
// cannot be read counts as none: Check has told of those of the play's hosts.
func (s *Store) inventoryLayers(host *inventory.Host, playbookDir string) []inventory.Layer {
	layers, err := s.Inventory.HostVars(host, []string{playbookDir})
	if err != nil {
		return nil
	}
	return layers
}

// Check reads the host_vars and group_vars of a host and gives what is wrong
// with them.
func (s *Store) Check(host *inventory.Host, playbookDir string) error {
	_, err := s.Inventory.HostVars(host, []string{playbookDir})
	return err
}
