package filters

import (
	"errors"
	"fmt"
	"strings"

	"gplay/internal/pyjson"
	"gplay/internal/pyyaml"
	"gplay/internal/yaml"
	"gplay/jinja"
)

var serialFilters = map[string]jinja.Filter{
	"from_json":     fromJSON,
	"from_yaml":     simple(fromYAML),
	"from_yaml_all": simple(fromYAMLAll),
	"to_json":       toJSON(jinja.JSONOptions{}),
	"to_nice_json":  toJSON(jinja.JSONOptions{Indent: "    ", SortKeys: true}),
	"to_nice_yaml":  toYAML(pyyaml.Format{Indent: 4, Flow: pyyaml.FlowNever}),
	"to_yaml":       toYAML(pyyaml.Format{}),
}

// jsonDefault gives what JSON has no form for in one that it has.
func jsonDefault(v any) (any, error) {
	switch v := v.(type) {
	case *yaml.Template:
		return v.Text, nil
	case *jinja.Undefined:
		return nil, jinja.UndefinedError(v)
	}
	if text, err := jinja.Marshaled(v); err == nil {
		return text, nil
	}
	return nil, jinja.TypeErrorf("Object of type %s is not JSON serializable", jinja.ClassName(v))
}

func toJSON(format jinja.JSONOptions) jinja.Filter {
	return func(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
		f := format
		f.Default = jsonDefault
		names := []string{"indent=", "sort_keys=", "ensure_ascii=", "separators=", "skipkeys=", "allow_nan=", "vault_to_text=", "preprocess_unsafe="}
		if f.Indent == "" && len(args.Positional) > 0 {
			return nil, errors.New("to_json takes its options by name")
		}
		p := bind(args, names...)
		if err := jsonIndent(&f, p.value(0, jinja.Missing)); err != nil {
			return nil, err
		}
		f.SortKeys = p.truth(1, f.SortKeys)
		f.ASCII = p.truth(2, true)
		f.SkipKeys = p.truth(4, false)
		f.NoNaN = !p.truth(5, true)
		if p.set(3) {
			pair, ok := sequence(p.values[3])
			if !ok || len(pair) != 2 {
				return nil, errors.New("separators must be a pair of strings")
			}
			f.Item, f.Key = jinja.Str(pair[0]), jinja.Str(pair[1])
		}
		if p.err != nil {
			return nil, p.err
		}
		return jinja.JSON(v, f)
	}
}

// jsonIndent takes the argument indent: a number, a text or None.
func jsonIndent(f *jinja.JSONOptions, indent any) error {
	switch indent := indent.(type) {
	case nil:
		f.Indent = ""
		if f.SortKeys { // to_nice_json keeps its separators
			f.Item = ","
		}
	case int, bool:
		n, _ := integer(indent)
		f.Indent, f.Lines = strings.Repeat(" ", min(max(n, 0), 1000)), true
	case string:
		f.Indent, f.Lines = indent, true
	default:
		if indent != jinja.Missing {
			return fmt.Errorf("indent must be a number, not %s", jinja.Repr(indent))
		}
	}
	return nil
}

func fromJSON(_ *jinja.Context, v any, _ *jinja.Args) (any, error) {
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		return nil, jinja.TypeErrorf("the JSON object must be str, bytes or bytearray, not %s", jinja.TypeName(v))
	}
	decoded, err := pyjson.Decode(text)
	if err != nil {
		err = jinja.ValueErrorOf("json.decoder.JSONDecodeError", "%v", err)
	}
	return decoded, err
}

func fromYAML(v any) (any, error) {
	s, ok := jinja.Plain(v).(string)
	if !ok {
		return v, nil
	}
	return yaml.Load("", []byte(s), yaml.Options{Data: true})
}

func fromYAMLAll(v any) (any, error) {
	s, ok := jinja.Plain(v).(string)
	if !ok {
		return v, nil
	}
	docs, err := yaml.LoadAll("", []byte(s), yaml.Options{Data: true})
	return list(docs), err
}

func toYAML(format pyyaml.Format) jinja.Filter {
	return func(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
		f := format
		names := []string{"indent=", "default_flow_style=", "width=", "sort_keys=", "explicit_start=", "explicit_end=", "allow_unicode=", "default_style="}
		known := &jinja.Args{Keywords: args.Keywords}
		if f.Indent != 0 && len(args.Positional) > 0 { // all others do nothing
			known.Positional = args.Positional[:1]
		}
		p := bind(known, names...)
		f.Indent = p.int(0, f.Indent)
		if p.given(1) {
			f.Flow = pyyaml.FlowLeaves
			if p.values[1] != nil {
				f.Flow = pyyaml.FlowNever
				if jinja.Truth(p.values[1]) {
					f.Flow = pyyaml.FlowAlways
				}
			}
		}
		f.Width = width(p, 2)
		f.KeepOrder = !p.truth(3, true)
		f.ExplicitStart = p.truth(4, false)
		f.ExplicitEnd = p.truth(5, false)
		f.ASCII = !p.truth(6, true)
		if f.Quote = p.text(7, ""); f.Quote != "" && f.Quote != "'" && f.Quote != `"` {
			return nil, fmt.Errorf("default_style is one of the two quotes, not %s", jinja.Repr(f.Quote))
		}
		if p.err != nil {
			return nil, p.err
		}
		return pyyaml.Dump(v, f)
	}
}

// width is the line length; people write infinity as a float.
func width(p *params, i int) int {
	if f, ok := p.value(i, nil).(float64); ok {
		if f > 1<<30 {
			return 1 << 30
		}
		return int(f)
	}
	return p.int(i, 0)
}
