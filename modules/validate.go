package modules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Rules are what an argument specification asks of arguments beside each other.
type Rules struct {
	Exclusive, Together, OneOf [][]string
	If                         []RequiredIf
	By                         []RequiredBy
}

// validation collects what is wrong with arguments.
type validation struct {
	faults    []string
	unknown   []string // with the names of what they are in
	supported string   // beside the last of them
}

// Validate gives what is wrong with args by an argument specification, in
// Ansible's words and order.
func Validate(params []Param, args map[string]any) []string {
	v := &validation{}
	given := maps.Clone(args)
	v.level(params, Rules{}, given, nil)
	if len(v.unknown) > 0 {
		slices.Sort(v.unknown)
		v.faultf(nil, "%s. Supported parameters include: %s.", strings.Join(v.unknown, ", "), v.supported)
	}
	return v.faults
}

// faultf notes a fault of arguments that are within others.
func (v *validation) faultf(within []string, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	if len(within) > 0 {
		msg += " found in " + strings.Join(within, " -> ")
	}
	v.faults = append(v.faults, msg)
}

// level checks the arguments beside each other, and then what is in them.
func (v *validation) level(params []Param, rules Rules, given map[string]any, within []string) {
	v.aliases(params, given)
	if err := readable(params, given); err != nil {
		v.faultf(nil, "%v", err)
	}
	v.known(params, given, within)
	v.rules(within, given, each(rules.Exclusive, exclusive)...)
	for _, p := range params {
		if _, ok := given[p.Name]; !ok && p.Default != nil {
			given[p.Name] = p.Default
		}
	}
	v.required(params, given, within)
	for _, p := range params {
		v.convert(p, given, within)
	}
	for _, p := range params {
		if value, ok := given[p.Name]; ok {
			if _, err := choose(p, p.Name, value); err != nil {
				v.faultf(within, "%v", err)
			}
		}
	}
	v.rules(within, given, each(rules.Together, together)...)
	v.rules(within, given, each(rules.OneOf, oneOf)...)
	v.rules(within, given, each(rules.If, func(r RequiredIf) rule { return r.fault })...)
	v.rules(within, given, each(rules.By, func(r RequiredBy) rule { return r.fault })...)
	for _, p := range params {
		v.options(p, given, within)
	}
}

func (v *validation) aliases(params []Param, given map[string]any) {
	for _, p := range params {
		if p.Required && p.Default != nil {
			v.faultf(nil, "internal error: required and default are mutually exclusive for %s", p.Name)
			return
		}
		for _, alias := range p.Aliases {
			if value, ok := given[alias]; ok {
				given[p.Name] = value
			}
		}
	}
}

// readable reports text that is to be a dict of arguments and is none.
func readable(params []Param, given map[string]any) error {
	for _, p := range params {
		if p.Options == nil {
			continue
		}
		list, ok := given[p.Name].([]any)
		if !ok {
			list = []any{given[p.Name]}
		}
		for _, item := range list {
			if text, ok := item.(string); ok {
				read, err := coerce("dict", text, expansion{})
				if err != nil {
					return err
				}
				item = read
			}
			if dict, ok := item.(map[string]any); ok {
				if err := readable(p.Options, dict); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// known notes the arguments that there are not.
func (v *validation) known(params []Param, given map[string]any, within []string) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if paramNamed(params, name) != nil {
			continue
		}
		v.unknown = append(v.unknown, strings.Join(append(slices.Clone(within), name), "."))
		var names, aliases []string
		for _, p := range params {
			names, aliases = append(names, p.Name), append(aliases, p.Aliases...)
		}
		slices.Sort(names)
		slices.Sort(aliases)
		v.supported = strings.Join(names, ", ")
		if len(aliases) > 0 {
			v.supported += " (" + strings.Join(aliases, ", ") + ")"
		}
	}
}

func (v *validation) required(params []Param, given map[string]any, within []string) {
	var missing []string
	for _, p := range params {
		if _, ok := given[p.Name]; p.Required && !ok {
			missing = append(missing, p.Name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		v.faultf(within, "missing required arguments: %s", strings.Join(missing, ", "))
	}
}

// convert gives an argument its type.
func (v *validation) convert(p Param, given map[string]any, within []string) {
	value := given[p.Name]
	if value == nil {
		return
	}
	found := strings.Join(within, " -> ")
	converted, err := coerce(p.Type, value, expansion{})
	if err != nil {
		if found != "" {
			found = " found in '" + found + "'."
		}
		v.faultf(nil, "argument '%s' is of type %s%s and we were unable to convert to %s: %v", p.Name, pyType(value), found, p.Type, err)
		return
	}
	given[p.Name] = converted
	list, ok := converted.([]any)
	if !ok || p.Type != "list" {
		return
	}
	if found != "" {
		found = " found in '" + found + "'"
	}
	items := []any{}
	for _, item := range list {
		converted, err := coerce(p.Elements, item, expansion{})
		if err != nil {
			v.faultf(nil, "Elements value for option '%s'%s is of type %s and we were unable to convert to %s: %v", p.Name, found, pyType(item), p.Elements, err)
			continue
		}
		items = append(items, converted)
	}
	given[p.Name] = items
}

// options checks the arguments that an argument has.
func (v *validation) options(p Param, given map[string]any, within []string) {
	value := given[p.Name]
	if p.Options == nil || value == nil || p.Type != "dict" && (p.Type != "list" || p.Elements != "dict") {
		return
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, item := range list {
		dict, ok := item.(map[string]any)
		if !ok {
			v.faultf(nil, "value of '%s' must be of type dict or list of dicts", p.Name)
			continue
		}
		v.level(p.Options, p.Rules, maps.Clone(dict), append(slices.Clone(within), p.Name))
	}
}

// rules notes the first of rules that is broken.
func (v *validation) rules(within []string, given map[string]any, rules ...rule) {
	for _, r := range rules {
		if msg := r(given, given); msg != "" {
			v.faultf(within, "%s", msg)
			return
		}
	}
}

func each[T any](of []T, make func(T) rule) []rule {
	var rules []rule
	for _, one := range of {
		rules = append(rules, make(one))
	}
	return rules
}
