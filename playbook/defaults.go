package playbook

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// oldGroups are the groups of module_defaults that have no collection in their
// name, and what they extend.
var oldGroups = map[string][]string{
	"acme":   {"community.crypto.acme"},
	"aws":    {"amazon.aws.aws", "community.aws.aws"},
	"azure":  {"azure.azcollection.azure"},
	"cpm":    {"wti.remote.cpm"},
	"docker": {"community.general.docker", "community.docker.docker"},
	"gcp":    {"google.cloud.gcp"},
	"k8s":    {"community.kubernetes.k8s", "community.general.k8s", "community.kubevirt.k8s", "community.okd.k8s", "kubernetes.core.k8s"},
	"os":     {"openstack.cloud.os"},
	"ovirt":  {"ovirt.ovirt.ovirt", "community.general.ovirt"},
	"vmware": {"community.vmware.vmware"},
}

// group is the actions of a group of module_defaults, by gplay's names.
type group struct {
	actions []string
	known   bool
}

// checkDefaultNames sees that what module_defaults are for is there.
func (l *loader) checkDefaultNames(n *yaml.Node) error {
	dicts := []*yaml.Node{n}
	if n.Kind == yaml.List {
		dicts = n.Items
	}
	for _, d := range dicts {
		for _, p := range d.Pairs {
			name, _ := p.Key.String()
			if err := l.checkDefaultName(p.Key, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loader) checkDefaultName(n *yaml.Node, name string) error {
	if group, ok := strings.CutPrefix(name, "group/"); ok {
		g, err := l.group(group)
		if err != nil || g.known {
			return err
		}
		e := l.errorf(n, "there is no group %q of modules", group)
		e.Known = "Error loading module_defaults: could not resolve the module_defaults group " + fullGroup(group)
		if !strings.Contains(group, ".") {
			e.Hint = source.DidYouMean(group, keysOf(oldGroups))
		}
		return e
	}
	if l.Action == nil || l.ownModule(name) != "" {
		return nil
	}
	if _, ok := l.defaultsAction(name); ok || l.isElsewhere(name) {
		return nil
	}
	e := l.errorf(n, "there is no module %q", name)
	e.Known = "Could not resolve action " + name + " in module_defaults"
	e.Hint = source.DidYouMean(name, l.Actions)
	return e
}

// defaultsAction gives the canonical name of the action that a name in
// module_defaults is of: no collections are searched for it, but it may have
// gone elsewhere.
func (l *loader) defaultsAction(name string) (string, bool) {
	search := l.search
	defer func() { l.search = search }()
	l.search = nil
	return l.action(name)
}

// DefaultsAction gives the canonical name of the action that a name in
// module_defaults is of.
func (pb *Playbook) DefaultsAction(name string) string {
	pb.loader.mu.Lock()
	defer pb.loader.mu.Unlock()
	action, _ := pb.loader.defaultsAction(name)
	return action
}

func keysOf(m map[string][]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// fullGroup is a group's name with its collection.
func fullGroup(name string) string {
	if strings.Count(name, ".") < 2 {
		return "ansible.builtin." + name
	}
	return name
}

// InGroup reports whether an action is in a group of module_defaults.
func (pb *Playbook) InGroup(action, group string) bool {
	pb.loader.mu.Lock()
	defer pb.loader.mu.Unlock()
	g, err := pb.loader.group(group)
	return err == nil && slices.Contains(g.actions, action)
}

// group reads a group of a collection, or one of the old ones. Those that it
// extends need not be there.
func (l *loader) group(name string) (*group, error) {
	full := fullGroup(name)
	if g, ok := l.groups[full]; ok {
		return g, nil
	}
	g := &group{}
	l.groups[full] = g // groups may extend each other
	extended, err := l.members(full, g)
	for _, other := range extended {
		more, otherErr := l.group(other)
		if err = errors.Join(err, otherErr); err != nil {
			break
		}
		g.actions = append(g.actions, more.actions...)
	}
	return g, err
}

// members reads the actions of a group by itself, and gives the groups it
// extends.
func (l *loader) members(full string, g *group) (extended []string, err error) {
	parts := strings.SplitN(full, ".", 3)
	collection := parts[0] + "." + parts[1]
	if collection == "ansible.builtin" {
		extended, g.known = oldGroups[parts[2]]
		return extended, nil
	}
	if parts[2] == "docker" && (collection == "community.docker" || collection == "community.general") {
		g.known = true // gplay has these modules itself
		for _, name := range l.Actions {
			if strings.HasPrefix(name, "docker_") {
				g.actions = append(g.actions, name)
			}
		}
	}
	list, err := l.groupList(parts)
	if list == nil || err != nil {
		return nil, err
	}
	g.known = true
	for _, member := range list.Items {
		switch member := member.(type) {
		case string:
			g.actions = append(g.actions, l.member(collection, member))
		case *jinja.Dict:
			extended = append(extended, extends(collection, member)...)
		}
	}
	return extended, nil
}

// groupList is a group as the runtime.yml of its collection has it, or nil.
func (l *loader) groupList(parts []string) (*jinja.List, error) {
	dir := l.collectionDir(parts[0] + "." + parts[1])
	if dir == "" {
		return nil, nil
	}
	d, err := yaml.LoadDict(filepath.Join(dir, "meta", "runtime.yml"), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, _ := d.Get("action_groups")
	groups, _ := all.(*jinja.Dict)
	for _, name := range []string{strings.Join(parts, "."), parts[2]} {
		if v, ok := groups.Get(name); ok {
			list, _ := v.(*jinja.List)
			return list, nil
		}
	}
	return nil, nil
}

// member is gplay's name of an action that a group of a collection names.
func (l *loader) member(collection, name string) string {
	if strings.Count(name, ".") < 2 {
		name = collection + "." + name
	}
	name, _ = l.defaultsAction(name)
	return name
}

// extends are the groups that the entry metadata of a group names.
func extends(collection string, entry *jinja.Dict) []string {
	v, _ := entry.Get("metadata")
	metadata, ok := v.(*jinja.Dict)
	if !ok {
		return nil
	}
	v, _ = metadata.Get("extend_group")
	items := []any{v}
	if list, ok := v.(*jinja.List); ok {
		items = list.Items
	}
	var names []string
	for _, item := range items {
		name, ok := item.(string)
		if !ok {
			continue
		}
		if strings.Count(name, ".") < 2 {
			name = fmt.Sprintf("%s.%s", collection, name)
		}
		names = append(names, name)
	}
	return names
}
