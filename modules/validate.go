package modules

import (
	"maps"
	"slices"
	"strings"
)

// Validate gives what is wrong with args by an argument specification, in
// Ansible's words and order: what is missing, types, choices, suboptions, what
// there is no argument for.
func Validate(params []Param, args map[string]any) []string {
	var missing, types, choices, below, unknown []string
	given := maps.Clone(args)
	if names := missingOf(params, given); len(names) > 0 {
		missing = append(missing, "missing required arguments: "+strings.Join(names, ", "))
	}
	for _, p := range params {
		err := convert(p, p.Name, given, expansion{})
		if err == nil {
			continue
		}
		switch msg := err.Error(); {
		case strings.HasPrefix(msg, "argument '") || strings.HasPrefix(msg, "Elements value"):
			types = append(types, msg)
		case strings.HasPrefix(msg, "value of "):
			choices = append(choices, msg)
		default:
			below = append(below, msg)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if paramNamed(params, name) == nil {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		unknown = []string{strings.Join(unknown, ", ") + ". Supported parameters include: " + supported(params) + "."}
	}
	return slices.Concat(missing, types, choices, below, unknown)
}
