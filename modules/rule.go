package modules

import (
	"fmt"
	"slices"
	"strings"
)

// rule says what is wrong with the arguments together, or "". given holds
// what was given; all has the defaults too.
type rule func(given, all map[string]any) string

// exclusive allows at most one of the arguments.
func (m *Module) exclusive(args ...string) *Module {
	return m.rule(func(given, _ map[string]any) string {
		if len(present(given, args)) < 2 {
			return ""
		}
		return "parameters are mutually exclusive: " + strings.Join(args, "|")
	})
}

// together wants all of the arguments or none.
func (m *Module) together(args ...string) *Module {
	return m.rule(func(_, all map[string]any) string {
		if n := len(present(all, args)); n == 0 || n == len(args) {
			return ""
		}
		return "parameters are required together: " + strings.Join(args, ", ")
	})
}

// oneOf wants at least one of the arguments.
func (m *Module) oneOf(args ...string) *Module {
	return m.rule(func(_, all map[string]any) string {
		if len(present(all, args)) > 0 {
			return ""
		}
		return "one of the following is required: " + strings.Join(args, ", ")
	})
}

// requiredIf wants all of the arguments when arg has the value.
func (m *Module) requiredIf(arg string, value any, args ...string) *Module {
	return m.rule(func(_, all map[string]any) string {
		missing := absent(all, args)
		if all[arg] != value || len(missing) == 0 {
			return ""
		}
		return fmt.Sprintf("%s is %s but all of the following are missing: %s", arg, pyStr(value), strings.Join(missing, ", "))
	})
}

// requiredBy wants all of the others when arg is given.
func (m *Module) requiredBy(arg string, others ...string) *Module {
	return m.rule(func(_, all map[string]any) string {
		missing := absent(all, others)
		if all[arg] == nil || len(missing) == 0 {
			return ""
		}
		return fmt.Sprintf("missing parameter(s) required by '%s': %s", arg, strings.Join(missing, ", "))
	})
}

func (m *Module) rule(r rule) *Module {
	m.rules = append(m.rules, r)
	return m
}

func present(given map[string]any, args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(a string) bool { return given[a] == nil })
}

func absent(given map[string]any, args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(a string) bool { return given[a] != nil })
}
