// Package inventory reads hosts and groups: INI, YAML, executable scripts and
// directories of them, with host_vars and group_vars.
package inventory

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"gplay/jinja"
)

// Inventory is the hosts and groups of all sources.
type Inventory struct {
	// Hosts and Groups are in the order they were first named. The first
	// groups are all and ungrouped.
	Hosts  []*Host
	Groups []*Group
	// Sources are the files and directories it was read from, absolute, and
	// the host lists as given.
	Sources []string

	mu        sync.RWMutex // guards everything against AddHost and AddToGroup
	hosts     map[string]*Host
	groups    map[string]*Group
	localhost *Host       // the implicit one, once it was asked for
	groupsOf  *jinja.Dict // what GroupsDict gave, until something changes
	options   Options
	files     varsFiles
	warned    sync.Map // messages that were given
	// added repeats each AddHost and AddToGroup, for Refresh.
	added []func(inv *Inventory) error
}

// Host is one host. Its variables are as in the sources, untemplated.
type Host struct {
	Name     string
	Port     int // from host:port, 0 when not given; ansible_port in Vars too
	Vars     *jinja.Dict
	Groups   []*Group // the ones it is directly in
	Implicit bool     // localhost, when no source names it
}

// Group is a group of hosts and groups.
type Group struct {
	Name     string
	Vars     *jinja.Dict
	Priority int // ansible_group_priority; 1 when not given
	Hosts    []*Host
	Children []*Group
	Parents  []*Group
	Depth    int // 0 is all
}

// localNames are the names that mean this machine when no source has them.
var localNames = []string{"127.0.0.1", "localhost", "::1"}

func newInventory(o Options) *Inventory {
	inv := &Inventory{
		hosts:   map[string]*Host{},
		groups:  map[string]*Group{},
		options: o,
	}
	for _, name := range []string{"all", "ungrouped"} {
		inv.addGroup(name)
	}
	link(inv.groups["all"], inv.groups["ungrouped"])
	return inv
}

// Host is the host of that name, or nil. The names of this machine are always
// hosts.
func (inv *Inventory) Host(name string) *Host {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.host(name)
}

func (inv *Inventory) host(name string) *Host {
	if h := inv.hosts[name]; h != nil || !slices.Contains(localNames, name) {
		return h
	}
	for _, local := range localNames {
		if h := inv.hosts[local]; h != nil {
			return h
		}
	}
	if inv.localhost == nil {
		inv.localhost = &Host{Name: name, Implicit: true, Vars: jinja.NewDict("ansible_python_interpreter", "/usr/bin/python3", "ansible_connection", "local")}
	}
	return inv.localhost
}

// Group is the group of that name, or nil.
func (inv *Inventory) Group(name string) *Group {
	inv.mu.RLock()
	defer inv.mu.RUnlock()
	return inv.groups[name]
}

// Names are the names of all hosts and groups, for saying which is near to a
// wrong one.
func (inv *Inventory) Names() []string {
	inv.mu.RLock()
	defer inv.mu.RUnlock()
	var names []string
	for _, h := range inv.Hosts {
		names = append(names, h.Name)
	}
	for _, g := range inv.Groups {
		names = append(names, g.Name)
	}
	return names
}

// AllHosts are the group's own hosts and those of the groups below it, each once.
func (g *Group) AllHosts() []*Host {
	var hosts []*Host
	seen := map[*Host]bool{}
	for _, below := range g.withDescendants() {
		for _, h := range below.Hosts {
			if !seen[h] {
				seen[h] = true
				hosts = append(hosts, h)
			}
		}
	}
	return hosts
}

// withDescendants is g and the groups below it, breadth first.
func (g *Group) withDescendants() []*Group {
	return walk([]*Group{g}, func(g *Group) []*Group { return g.Children })
}

func (g *Group) ancestors() []*Group {
	return walk(g.Parents, func(g *Group) []*Group { return g.Parents })
}

func walk(from []*Group, next func(*Group) []*Group) []*Group {
	all := slices.Clone(from)
	seen := map[*Group]bool{}
	for _, g := range all {
		seen[g] = true
	}
	for i := 0; i < len(all); i++ {
		for _, g := range next(all[i]) {
			if !seen[g] {
				seen[g] = true
				all = append(all, g)
			}
		}
	}
	return all
}

// allGroups are the groups the host is in, directly or through another, but
// for all, in the order in which their variables override each other.
func (h *Host) allGroups() []*Group {
	groups := walk(h.Groups, func(g *Group) []*Group { return g.Parents })
	groups = slices.DeleteFunc(groups, func(g *Group) bool { return g.Name == "all" })
	slices.SortFunc(groups, func(a, b *Group) int {
		if a.Depth != b.Depth {
			return a.Depth - b.Depth
		}
		if a.Priority != b.Priority {
			return a.Priority - b.Priority
		}
		return strings.Compare(a.Name, b.Name)
	})
	return groups
}

// GroupNames is the magic variable group_names: sorted, without all.
func (h *Host) GroupNames() []string {
	var names []string
	for _, g := range h.allGroups() {
		names = append(names, g.Name)
	}
	slices.Sort(names)
	return names
}

// GroupsDict is the magic variable groups: each group's hosts by name.
func (inv *Inventory) GroupsDict() *jinja.Dict {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if inv.groupsOf != nil {
		return inv.groupsOf
	}
	d := jinja.NewDict()
	for _, g := range inv.Groups {
		names := jinja.NewList()
		for _, h := range g.AllHosts() {
			names.Items = append(names.Items, h.Name)
		}
		d.Set(g.Name, names)
	}
	inv.groupsOf = d
	return d
}

// AddHost adds a host, or variables and groups to one that is there, and
// reports whether anything changed. It is what add_host does.
func (inv *Inventory) AddHost(name string, port int, vars *jinja.Dict, groups []string) (changed bool, err error) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.groupsOf = nil
	h, isNew := inv.hosts[name], false
	if h == nil {
		h, isNew = inv.addHost(name, port), true
		join(inv.groups["all"], h)
	}
	changed = isNew
	merged := h.Vars.Copy()
	for k, v := range vars.All() {
		if old, ok := merged.Get(k); !ok || !jinja.Equal(old, v) {
			changed = true
		}
		inv.setVar(merged, jinja.Str(k), v)
	}
	h.Vars = merged
	for _, group := range groups {
		g, isNew := inv.addGroup(group)
		joined := join(g, h)
		changed = changed || isNew || joined
	}
	if changed {
		inv.added = append(inv.added, func(inv *Inventory) error { _, err := inv.AddHost(name, port, vars, groups); return err })
		err = inv.reconcile()
	}
	return changed, err
}

// AddToGroup puts a host into a group, below parents, making the groups that
// are not there, and reports whether anything changed. It is what group_by does.
func (inv *Inventory) AddToGroup(host, group string, parents []string) (changed bool, err error) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.groupsOf = nil
	h := inv.host(host)
	if h == nil {
		return false, fmt.Errorf("%s cannot be matched in inventory", host)
	}
	g, _ := inv.addGroup(group)
	for _, name := range parents {
		parent, isNew := inv.addGroup(name)
		added, err := addChild(parent, g)
		if err != nil {
			return changed, err
		}
		changed = changed || isNew || added
	}
	if !slices.Contains(g.AllHosts(), h) {
		changed = join(g, h) || changed
	}
	if changed {
		inv.added = append(inv.added, func(inv *Inventory) error { _, err := inv.AddToGroup(host, group, parents); return err })
		err = inv.reconcile()
	}
	return changed, err
}

func (inv *Inventory) addHost(name string, port int) *Host {
	if h := inv.hosts[name]; h != nil {
		return h
	}
	h := &Host{Name: name, Port: port, Vars: jinja.NewDict()}
	if port != 0 {
		h.Vars.Set("ansible_port", port)
	}
	h.Vars.Set("inventory_file", nil)
	h.Vars.Set("inventory_dir", nil)
	inv.hosts[name] = h
	inv.Hosts = append(inv.Hosts, h)
	return h
}

func (inv *Inventory) addGroup(name string) (g *Group, isNew bool) {
	name = inv.groupName(name)
	if g := inv.groups[name]; g != nil {
		return g, false
	}
	g = &Group{Name: name, Priority: 1, Vars: jinja.NewDict()}
	inv.groups[name] = g
	inv.Groups = append(inv.Groups, g)
	return g, true
}

// groupName is a group's name as the inventory has it.
func (inv *Inventory) groupName(name string) string {
	if isVariableName(name) {
		return name
	}
	switch inv.options.GroupNames {
	case "ignore":
		return name
	case "silently":
		return variableName(name)
	case "always":
		inv.warn("Invalid characters were found in group names and automatically replaced, use -vvvv to see details")
		return variableName(name)
	}
	inv.warn("Invalid characters were found in group names but not replaced, use -vvvv to see details")
	return name
}

func join(g *Group, h *Host) bool {
	if slices.Contains(g.Hosts, h) {
		return false
	}
	g.Hosts = append(g.Hosts, h)
	h.Groups = append(h.Groups, g)
	return true
}

func addChild(parent, child *Group) (added bool, err error) {
	if slices.Contains(parent.Children, child) {
		return false, nil
	}
	if parent == child || slices.Contains(parent.ancestors(), child) {
		return false, fmt.Errorf("adding group %q as child to %q creates a recursive dependency loop", child.Name, parent.Name)
	}
	link(parent, child)
	return true, nil
}

func link(parent, child *Group) {
	parent.Children = append(parent.Children, child)
	child.Parents = append(child.Parents, parent)
}

// reconcile makes the whole consistent: every group is below all, a host is
// in ungrouped exactly when it is in no other group, depths are right.
func (inv *Inventory) reconcile() error {
	all, ungrouped := inv.groups["all"], inv.groups["ungrouped"]
	for _, g := range inv.Groups {
		if g != all && len(g.Parents) == 0 {
			if _, err := addChild(all, g); err != nil {
				return err
			}
		}
	}
	for _, h := range inv.Hosts {
		grouped := slices.ContainsFunc(h.Groups, func(g *Group) bool { return g != all && g != ungrouped })
		if !grouped {
			join(ungrouped, h)
		} else if i := slices.Index(ungrouped.Hosts, h); i >= 0 {
			ungrouped.Hosts = slices.Delete(ungrouped.Hosts, i, i+1)
			h.Groups = slices.DeleteFunc(h.Groups, func(g *Group) bool { return g == ungrouped })
		}
		if inv.groups[h.Name] != nil {
			inv.warn("Found both group and host with same name: " + h.Name)
		}
	}
	setDepths(all, 0)
	return nil
}

func setDepths(g *Group, depth int) {
	g.Depth = max(g.Depth, depth)
	for _, child := range g.Children {
		if child.Depth <= g.Depth {
			setDepths(child, g.Depth+1)
		}
	}
}

func isVariableName(name string) bool { return name != "" && name == variableName(name) }

// variableName is a name with _ for what the name of a variable cannot have.
func variableName(name string) string {
	b := []rune(name)
	for i, c := range b {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c > 127
		if !letter && (i == 0 || c < '0' || c > '9') {
			b[i] = '_'
		}
	}
	return string(b)
}

func (inv *Inventory) warn(msg string) {
	if _, again := inv.warned.LoadOrStore(msg, true); !again && inv.options.Warn != nil {
		inv.options.Warn(msg)
	}
}
