package inventory

import (
	"slices"

	"gplay/internal/source"
	"gplay/internal/vault"
	"gplay/internal/yaml"
	"gplay/jinja"
)

// readYAML adds what a YAML or JSON inventory holds: groups by name, each
// with hosts, vars and children.
func (inv *Inventory) readYAML(file string, data []byte) error {
	root, err := yaml.Parse(file, data, yaml.Options{Warn: inv.warn, Vault: inv.options.Vault})
	if err != nil {
		return err
	}
	switch {
	case root.Null():
		return source.Errorf(root.Pos, "the inventory is empty")
	case root.Kind != yaml.Map:
		return source.Errorf(root.Pos, "a YAML inventory must be a dict of groups, not %s", root.Describe())
	case !root.Get("plugin").Null():
		return source.Errorf(root.Key("plugin").Pos, "inventory plugins are not supported, use a file of hosts or an executable script")
	}
	for _, p := range root.Pairs {
		if _, err := inv.yamlGroup(file, p.Key, p.Value); err != nil {
			return err
		}
	}
	return nil
}

func (inv *Inventory) yamlGroup(file string, key, n *yaml.Node) (*Group, error) {
	name, ok := key.String()
	if !ok || name == "" {
		return nil, source.Errorf(key.Pos, "the name of a group must be a string, not %s", key.Describe())
	}
	if !n.Null() && n.Kind != yaml.Map {
		return nil, source.Errorf(n.Pos, "the group %q must be a dict of hosts, vars and children, not %s", name, n.Describe())
	}
	g, _ := inv.addGroup(name)
	if n.Null() {
		return g, nil
	}
	for _, p := range n.Pairs {
		section, _ := p.Key.String()
		read := yamlSections[section]
		if read == nil {
			err := source.Errorf(p.Key.Pos, "unexpected key %q in group %q, only vars, children and hosts are valid", section, name)
			err.Len = p.Key.Len
			err.Hint = source.DidYouMean(section, []string{"vars", "children", "hosts"})
			return nil, err
		}
		pairs, err := yamlPairs(p.Value, section, name)
		if err != nil {
			return nil, err
		}
		for _, p := range pairs {
			if err := read(inv, file, g, p); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

var yamlSections map[string]func(inv *Inventory, file string, g *Group, p yaml.Pair) error

func init() { // yamlChild reads groups, which have sections: a cycle
	yamlSections = map[string]func(inv *Inventory, file string, g *Group, p yaml.Pair) error{
		"vars": yamlVar, "children": yamlChild, "hosts": yamlHosts,
	}
}

// yamlPairs are the pairs of a section, which may be one name alone.
func yamlPairs(n *yaml.Node, section, group string) ([]yaml.Pair, error) {
	if n.Null() {
		return nil, nil
	}
	if _, ok := n.String(); ok {
		return []yaml.Pair{{Key: n}}, nil
	}
	if n.Kind != yaml.Map {
		return nil, source.Errorf(n.Pos, "%s of group %q must be a dict, not %s", section, group, n.Describe())
	}
	return n.Pairs, nil
}

func yamlVar(inv *Inventory, _ string, g *Group, p yaml.Pair) error {
	key, ok := p.Key.String()
	if !ok {
		return source.Errorf(p.Key.Pos, "the name of a variable must be a string, not %s", p.Key.Describe())
	}
	return inv.setGroupVar(g, key, p.Value.Any(), p.Key.Pos)
}

func yamlChild(inv *Inventory, file string, g *Group, p yaml.Pair) error {
	child, err := inv.yamlGroup(file, p.Key, p.Value)
	if err != nil {
		return err
	}
	if _, err := addChild(g, child); err != nil {
		return source.Errorf(p.Key.Pos, "%s", err)
	}
	return nil
}

func yamlHosts(inv *Inventory, file string, g *Group, p yaml.Pair) error {
	pattern, ok := p.Key.String()
	if !ok {
		return source.Errorf(p.Key.Pos, "a host must be a string, not %s: put it in quotation marks", p.Key.Describe())
	}
	hosts, port, err := expandHosts(pattern)
	if err != nil {
		return source.Errorf(p.Key.Pos, "%s", err)
	}
	if !p.Value.Null() && p.Value.Kind != yaml.Map {
		return source.Errorf(p.Value.Pos, "the variables of host %q must be a dict, not %s", pattern, p.Value.Describe())
	}
	for _, name := range hosts {
		h := inv.addHostFrom(name, port, file)
		join(g, h)
		if p.Value.Null() {
			continue
		}
		for _, v := range p.Value.Pairs {
			key, ok := v.Key.String()
			if !ok {
				return source.Errorf(v.Key.Pos, "the name of a variable must be a string, not %s", v.Key.Describe())
			}
			inv.setVar(h.Vars, key, v.Value.Any())
		}
	}
	return nil
}

// readVarsFile reads one file of host_vars or group_vars; an empty one has no
// variables.
func (inv *Inventory) readVarsFile(file string, data []byte) (*jinja.Dict, error) {
	n, err := yaml.Parse(file, data, yaml.Options{Warn: inv.warn, Vault: inv.options.Vault})
	if err != nil {
		return nil, err
	}
	if vault.IsEncrypted(data) {
		n.Hide(inv.options.Vault)
	}
	if n.Null() || n.Kind == yaml.List && len(n.Items) == 0 || slices.Contains([]any{false, 0, ""}, n.Value) {
		return nil, nil
	}
	if n.Kind != yaml.Map {
		return nil, source.Errorf(n.Pos, "a file of variables must be a dict, not %s", n.Describe())
	}
	return n.Any().(*jinja.Dict), nil
}
