package actions

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/modules"
)

var validateArgumentSpec = &Action{
	Name: "validate_argument_spec", Doc: "check variables against an argument specification",
	Params: []string{"*"}, Run: runValidateArgumentSpec,
}

func runValidateArgumentSpec(_ context.Context, c *Call) (*jinja.Dict, error) {
	if _, ok := c.Args.Get("argument_spec"); !ok {
		return nil, Unrunnable{fmt.Errorf("\"argument_spec\" arg is required in args: %s", jinja.Repr(c.Args))}
	}
	spec, err := c.dict("argument_spec")
	if err != nil {
		return nil, err
	}
	provided, err := c.dict("provided_arguments")
	if err != nil {
		return nil, err
	}
	given := jinja.NewDict()
	for name := range spec.All() {
		value, ok, err := c.Scope.Value(jinja.Str(name))
		if err != nil {
			return nil, Unrunnable{ownFault(err)}
		}
		if ok {
			given.Set(name, value)
		}
	}
	for name, value := range provided.All() {
		given.Set(name, value)
	}
	args, _ := jinja.ToGo(given).(map[string]any)
	context, ok := c.Args.Get("validate_args_context")
	if !ok {
		context = jinja.NewDict()
	}
	faults := modules.Validate(specParams(spec), args)
	if len(faults) == 0 {
		return jinja.NewDict("changed", false, "msg", "The arg spec validation passed", "validate_args_context", context), nil
	}
	list := jinja.NewList()
	for _, fault := range faults {
		list.Items = append(list.Items, fault)
	}
	return jinja.NewDict("failed", true, "changed", false, "msg", "Validation of arguments failed:\n"+strings.Join(faults, "\n"),
		"argument_errors", list, "argument_spec_data", spec, "validate_args_context", context), nil
}

// ownFault is the fault of a variable that is none of the task's options, and
// so known by its own words.
func ownFault(err error) error {
	var placed *source.Error
	if !errors.As(err, &placed) || placed.Known != "" {
		return err
	}
	named := *placed
	named.Known = placed.Msg
	return &named
}

// dict is an argument that is a dict, an empty one where it is not given.
func (c *Call) dict(name string) (*jinja.Dict, error) {
	v, ok := c.Args.Get(name)
	if !ok {
		return jinja.NewDict(), nil
	}
	d, ok := v.(*jinja.Dict)
	if !ok {
		return nil, Unrunnable{fmt.Errorf("Incorrect type for %s, expected dict and got <class '%s'>", name, jinja.TypeName(v))}
	}
	return d, nil
}

// specParams are the arguments of a specification.
func specParams(spec *jinja.Dict) []modules.Param {
	var params []modules.Param
	for name, v := range spec.All() {
		d, _ := v.(*jinja.Dict)
		p := modules.Param{Name: jinja.Str(name), Type: "str", Elements: "raw"}
		for key, v := range d.All() {
			switch key {
			case "type":
				p.Type = jinja.Str(v)
			case "elements":
				p.Elements = jinja.Str(v)
			case "required":
				p.Required = jinja.Truth(v)
			case "choices":
				p.Choices = specTexts(v)
			case "aliases":
				p.Aliases = specTexts(v)
			case "default":
				p.Default = jinja.ToGo(v)
			case "options":
				if options, ok := v.(*jinja.Dict); ok {
					p.Options = specParams(options)
				}
			case "mutually_exclusive":
				p.Rules.Exclusive = specGroups(v)
			case "required_together":
				p.Rules.Together = specGroups(v)
			case "required_one_of":
				p.Rules.OneOf = specGroups(v)
			case "required_if":
				p.Rules.If = specConditions(v)
			case "required_by":
				p.Rules.By = specNeeds(v)
			}
		}
		params = append(params, p)
	}
	return params
}

func specItems(v any) []any {
	if l, ok := v.(*jinja.List); ok {
		return l.Items
	}
	return nil
}

func specGroups(v any) [][]string {
	var groups [][]string
	for _, names := range specItems(v) {
		groups = append(groups, specTexts(names))
	}
	return groups
}

// specConditions are a required_if: name, value, names, and whether any of
// these is enough.
func specConditions(v any) []modules.RequiredIf {
	var all []modules.RequiredIf
	for _, item := range specItems(v) {
		if c := specItems(item); len(c) >= 3 {
			all = append(all, modules.RequiredIf{
				Name: jinja.Str(c[0]), Value: jinja.ToGo(c[1]), Needs: specTexts(c[2]), Any: len(c) > 3 && jinja.Truth(c[3]),
			})
		}
	}
	return all
}

func specNeeds(v any) []modules.RequiredBy {
	var all []modules.RequiredBy
	d, _ := v.(*jinja.Dict)
	for name, needs := range d.All() {
		texts := specTexts(needs)
		if texts == nil {
			texts = []string{jinja.Str(needs)}
		}
		all = append(all, modules.RequiredBy{Name: jinja.Str(name), Needs: texts})
	}
	return all
}

func specTexts(v any) []string {
	l, _ := v.(*jinja.List)
	if l == nil {
		return nil
	}
	texts := []string{}
	for _, item := range l.Items {
		texts = append(texts, jinja.Str(item))
	}
	return texts
}
