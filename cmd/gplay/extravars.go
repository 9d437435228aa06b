package main

import (
	"fmt"
	"os"
	"strings"

	"gplay/internal/source"
	"gplay/internal/vault"
	"gplay/internal/yaml"
	"gplay/jinja"
	"gplay/playbook"
)

// extraVars reads every -e: @file, YAML or JSON, or k=v words. Later ones
// win, or with merge are merged. They are the user's own, so templates in them
// count.
func extraVars(args []string, keys *vault.Keys, merge bool, warn func(string)) (*jinja.Dict, error) {
	out := jinja.NewDict()
	for _, arg := range args {
		d, err := extraVar(strings.TrimSpace(arg), keys, warn)
		if err != nil {
			return nil, err
		}
		if merge {
			out = jinja.MergeDicts(out, d)
			continue
		}
		for k, v := range d.All() {
			out.Set(k, v)
		}
	}
	return out, nil
}

func extraVar(arg string, keys *vault.Keys, warn func(string)) (*jinja.Dict, error) {
	if path, ok := strings.CutPrefix(arg, "@"); ok {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("the file of -e @%s cannot be read: it does not exist", path)
		}
		n, err := yaml.LoadNode(path, keys)
		if err != nil {
			return nil, err
		}
		if d, ok := n.Any().(*jinja.Dict); ok {
			return d, nil
		}
		return nil, badValue{yaml.NoDict(n)}
	}
	if arg == "" {
		return jinja.NewDict(), nil
	}
	if arg[0] == '/' || arg[0] == '.' {
		return nil, badValue{fmt.Errorf("-e %s: a file is named with @ before it: -e @%s", arg, arg)}
	}
	if strings.HasPrefix(arg, "{") || strings.HasPrefix(arg, "[") {
		v, err := yaml.Load("-e", []byte(arg), yaml.Options{})
		if err != nil {
			return nil, err
		}
		if d, ok := v.(*jinja.Dict); ok {
			return d, nil
		}
		return nil, badValue{fmt.Errorf("-e %s: a dict of variables is expected", arg)}
	}
	d, rest, err := playbook.ParseKeyValues(arg)
	if rest != "" {
		warn(fmt.Sprintf("-e %s: %q is no key=value, and has no effect", arg, rest))
	}
	if err != nil {
		return nil, source.Errorf(source.Pos{}, "-e %s: %v", arg, err)
	}
	return d, nil
}
