package modules

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// rule says what is wrong with the arguments together, or "". given holds
// what was given; all has the defaults too.
type rule func(given, all map[string]any) string

// exclusive allows at most one of the arguments.
func (m *Module) exclusive(args ...string) *Module { return m.rule(exclusive(args)) }

func exclusive(args []string) rule {
	return func(given, _ map[string]any) string {
		if len(present(given, args)) < 2 {
			return ""
		}
		return "parameters are mutually exclusive: " + strings.Join(args, "|")
	}
}

// together wants all of the arguments or none.
func (m *Module) together(args ...string) *Module { return m.rule(together(args)) }

func together(args []string) rule {
	return func(_, all map[string]any) string {
		if n := len(present(all, args)); n == 0 || n == len(args) {
			return ""
		}
		return "parameters are required together: " + strings.Join(args, ", ")
	}
}

// oneOf wants at least one of the arguments.
func (m *Module) oneOf(args ...string) *Module { return m.rule(oneOf(args)) }

func oneOf(args []string) rule {
	return func(_, all map[string]any) string {
		if len(present(all, args)) > 0 {
			return ""
		}
		return "one of the following is required: " + strings.Join(args, ", ")
	}
}

// requiredIf wants all of the arguments when arg has the value.
func (m *Module) requiredIf(arg string, value any, args ...string) *Module {
	return m.rule(RequiredIf{Name: arg, Value: value, Needs: args}.fault)
}

// RequiredIf asks for arguments, or for any of them, where another has a value.
type RequiredIf struct {
	Name  string
	Value any
	Needs []string
	Any   bool
}

func (r RequiredIf) fault(_, all map[string]any) string {
	missing, enough, which := absent(all, r.Needs), 1, "all"
	if r.Any {
		enough, which = len(r.Needs), "any"
	}
	if !reflect.DeepEqual(all[r.Name], r.Value) || len(missing) == 0 || len(missing) < enough {
		return ""
	}
	return fmt.Sprintf("%s is %s but %s of the following are missing: %s", r.Name, pyStr(r.Value), which, strings.Join(missing, ", "))
}

// requiredBy wants all of the others when arg is given.
func (m *Module) requiredBy(arg string, others ...string) *Module {
	return m.rule(RequiredBy{arg, others}.fault)
}

// RequiredBy asks for arguments where another is given.
type RequiredBy struct {
	Name  string
	Needs []string
}

func (r RequiredBy) fault(_, all map[string]any) string {
	missing := absent(all, r.Needs)
	if all[r.Name] == nil || len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("missing parameter(s) required by '%s': %s", r.Name, strings.Join(missing, ", "))
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
