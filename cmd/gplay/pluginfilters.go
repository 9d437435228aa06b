package main

import (
	"fmt"
	"os"

	"gplay/internal/yaml"
	"gplay/jinja"
)

// rejected are the modules that the file of plugin_filters_cfg does not let
// run. As in Ansible, a file that says nothing of use is passed over with a
// warning, and stat cannot be rejected.
func (c *config) rejected(warn func(string)) ([]string, error) {
	file := c.pluginFilters
	if file == "" {
		if file = existing("/etc/ansible/plugin_filters.yml"); file == "" {
			return nil, nil
		}
	}
	skip := func(why string) ([]string, error) {
		warn(fmt.Sprintf("The plugin filter file, %s %s. Skipping.", file, why))
		return nil, nil
	}
	if _, err := os.Stat(file); err != nil {
		return skip("does not exist")
	}
	d, err := yaml.LoadDict(file, nil)
	if err != nil {
		return skip("was not parsable")
	}
	version, ok := d.Get("filter_version")
	switch {
	case !ok:
		return skip("was invalid")
	case jinja.Str(version) != "1.0":
		return skip("was a version not recognized by this version of Ansible")
	}
	names, ok := d.Get("module_rejectlist")
	if !ok {
		names, ok = d.Get("module_blacklist")
	}
	list, isList := names.(*jinja.List)
	if !ok || !isList {
		warn(fmt.Sprintf("Unable to parse the plugin filter file %s as module_blacklist is not a list. Skipping.", file))
		return nil, nil
	}
	var rejected []string
	for _, item := range list.Items {
		if item == "stat" {
			return nil, fmt.Errorf("The stat module was specified in the module blacklist file, %s, but Ansible will not function without the stat module.  Please remove stat from the blacklist.", file)
		}
		rejected = append(rejected, jinja.Str(item))
	}
	return rejected, nil
}
