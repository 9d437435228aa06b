package modules

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/mitchellh/mapstructure"

	"gplay/internal/source"
)

// ArgumentError is a fault in a module's arguments.
type ArgumentError struct {
	Module string
	Arg    string // as it was written; "" when one is missing
	// Short says it without the list of what is there, for where the source
	// is shown: `unknown argument "stat"`.
	Short string
	Msg   string // as Ansible says it in a result
	Hint  string // `did you mean "state"?`, or ""
}

func (e *ArgumentError) Error() string { return e.Msg }

// Check says what is wrong with args as far as can be known before their
// templates are: values that are not plain data (nil, string, bool, numbers,
// []any, map[string]any) count as given and are not looked at. The error is
// an *ArgumentError.
func (m *Module) Check(args map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if strings.HasPrefix(name, "_") && name != "_raw_params" {
			return m.unknown([]string{name})
		}
	}
	if m.TakesAny() {
		return nil
	}
	_, err := m.arguments(args, expansion{})
	return err
}

// arguments gives args their canonical names and types, and checks them.
// Values that are not plain data stay as they are.
func (m *Module) arguments(args map[string]any, x expansion) (map[string]any, error) {
	given, err := m.named(args)
	if err != nil {
		return nil, err
	}
	for _, p := range m.params() {
		if err := convert(p, p.Name, given, x); err != nil {
			return nil, m.fault(p.Name, err)
		}
	}
	if missing := missingOf(m.params(), given); len(missing) > 0 {
		msg := "missing required arguments: " + strings.Join(missing, ", ")
		return nil, &ArgumentError{Module: m.Name, Short: msg, Msg: msg}
	}
	all := m.withDefaults(given)
	for _, r := range m.rules {
		if msg := r(given, all); msg != "" {
			return nil, &ArgumentError{Module: m.Name, Short: msg, Msg: msg}
		}
	}
	return given, nil
}

func (m *Module) fault(arg string, err error) error {
	return &ArgumentError{Module: m.Name, Arg: arg, Short: err.Error(), Msg: err.Error()}
}

// named replaces aliases by the arguments' names and drops what is null.
func (m *Module) named(args map[string]any) (map[string]any, error) {
	given := map[string]any{}
	var strange []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		value := args[name]
		if name == "_raw_params" && m.FreeForm != "" {
			name = m.FreeForm
		}
		p := paramNamed(m.params(), name)
		if p == nil {
			strange = append(strange, name)
			continue
		}
		if _, twice := given[p.Name]; value != nil && (!twice || name == p.Name) {
			given[p.Name] = value
		}
	}
	if len(strange) > 0 {
		return nil, m.unknown(strange)
	}
	return given, nil
}

func (m *Module) withDefaults(given map[string]any) map[string]any {
	all := map[string]any{}
	for _, p := range m.params() {
		if p.Default != nil {
			all[p.Name] = p.Default
		}
	}
	maps.Copy(all, given)
	return all
}

func (m *Module) unknown(names []string) error {
	name := names[0]
	if name == "_raw_params" {
		return &ArgumentError{
			Module: m.Name, Arg: name,
			Short: "takes no free text, only name=value arguments",
			Msg:   fmt.Sprintf("this module (%s) takes no free text, only name=value arguments", m.Name),
		}
	}
	err := &ArgumentError{
		Module: m.Name, Arg: name,
		Short: fmt.Sprintf("unknown argument %q", name),
		Msg: fmt.Sprintf("Unsupported parameters for (%s) module: %s. Supported parameters include: %s.",
			m.Name, strings.Join(names, ", "), supported(m.Params())),
	}
	if near := source.Nearest(name, paramNames(m.Params())); near != "" {
		err.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	return err
}

func supported(params []Param) string {
	var names []string
	for _, p := range params {
		name := p.Name
		if len(p.Aliases) > 0 {
			name += " (" + strings.Join(p.Aliases, ", ") + ")"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func paramNames(params []Param) []string {
	var names []string
	for _, p := range params {
		names = append(append(names, p.Name), p.Aliases...)
	}
	return names
}

func paramNamed(params []Param, name string) *Param {
	for i, p := range params {
		if p.Name == name || slices.Contains(p.Aliases, name) {
			return &params[i]
		}
	}
	return nil
}

func missingOf(params []Param, given map[string]any) []string {
	var missing []string
	for _, p := range params {
		if p.Required && given[p.Name] == nil {
			missing = append(missing, p.Name)
		}
	}
	slices.Sort(missing)
	return missing
}

// convert gives given's value of p the type that p has, in place. where is
// the argument's name as messages show it.
func convert(p Param, where string, given map[string]any, x expansion) error {
	v, ok := given[p.Name]
	if !ok || !isPlain(v) {
		return nil
	}
	if p.mode {
		_, err := ParseMode(v)
		return err
	}
	v, err := coerce(p.Type, v, x)
	if err != nil {
		return fmt.Errorf("argument '%s' is of type %s and we were unable to convert to %s: %w",
			where, pyType(given[p.Name]), p.Type, err)
	}
	if list, ok := v.([]any); ok && p.Type == "list" {
		v, err = convertList(p, where, list, x)
	} else if dict, ok := v.(map[string]any); ok && p.Options != nil {
		v, err = suboptions(p, where, dict, x)
	} else if ok && p.texts {
		v = textValues(dict)
	}
	if err != nil {
		return err
	}
	given[p.Name], err = choose(p, where, v)
	return err
}

func textValues(dict map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range dict {
		if v != nil {
			out[k] = pyStr(v)
		}
	}
	return out
}

func convertList(p Param, where string, list []any, x expansion) (any, error) {
	out := make([]any, len(list))
	for i, e := range list {
		v, err := coerce(p.Elements, e, x)
		if err != nil {
			return nil, fmt.Errorf("Elements value for option '%s' is of type %s and we were unable to convert to %s: %w",
				where, pyType(e), p.Elements, err)
		}
		if dict, ok := v.(map[string]any); ok && p.Options != nil {
			if v, err = suboptions(p, where, dict, x); err != nil {
				return nil, err
			}
		}
		out[i] = v
	}
	return out, nil
}

// suboptions checks and converts a dict that has suboptions.
func suboptions(p Param, where string, dict map[string]any, x expansion) (any, error) {
	given := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(dict)) {
		option := paramNamed(p.Options, name)
		if option == nil {
			return nil, fmt.Errorf("Unsupported parameters for %s: %s. Supported parameters include: %s.",
				where, name, supported(p.Options))
		}
		if dict[name] != nil {
			given[option.Name] = dict[name]
		}
	}
	for _, o := range p.Options {
		if given[o.Name] == nil && o.Default != nil {
			given[o.Name] = o.Default
		}
		if err := convert(o, where+"."+o.Name, given, x); err != nil {
			return nil, err
		}
	}
	if missing := missingOf(p.Options, given); len(missing) > 0 {
		return nil, fmt.Errorf("missing required arguments: %s found in %s", strings.Join(missing, ", "), where)
	}
	return given, nil
}

// choose checks v against p's choices. YAML's yes and no come as bool where a
// choice is "yes" or "no".
func choose(p Param, where string, v any) (any, error) {
	if p.Choices == nil {
		return v, nil
	}
	if list, ok := v.([]any); ok {
		var wrong []string
		for _, e := range list {
			if !slices.Contains(p.Choices, pyStr(e)) {
				wrong = append(wrong, pyStr(e))
			}
		}
		if len(wrong) > 0 {
			return nil, fmt.Errorf("value of %s must be one or more of: %s. Got no match for: %s",
				where, strings.Join(p.Choices, ", "), strings.Join(wrong, ", "))
		}
		return v, nil
	}
	s := pyStr(v)
	if slices.Contains(p.Choices, s) {
		return v, nil
	}
	if s == "True" || s == "False" {
		want, _ := toBool(s)
		same := slices.DeleteFunc(slices.Clone(p.Choices), func(c string) bool {
			b, err := toBool(c)
			return err != nil || b != want
		})
		if len(same) == 1 {
			return same[0], nil
		}
	}
	return nil, fmt.Errorf("value of %s must be one of: %s, got: %s", where, strings.Join(p.Choices, ", "), s)
}

// fill puts converted arguments into a struct.
func fill(into any, args map[string]any) error {
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		TagName: "arg", Squash: true, ZeroFields: true, Result: into,
		DecodeHook: func(from, to reflect.Type, v any) (any, error) {
			if to == modeType && from != modeType {
				return ParseMode(v)
			}
			return v, nil
		},
	})
	if err != nil {
		return err
	}
	return d.Decode(args)
}

// noOption refuses a value that the program it goes to would take for one of
// its options.
func noOption(arg, value string) error {
	if strings.HasPrefix(value, "-") {
		return fmt.Errorf("%s is %q: it must not begin with a hyphen", arg, value)
	}
	return nil
}
