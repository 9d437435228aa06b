package callback

import (
	"strings"

	"gplay/jinja"
	"gplay/playbook/runner"
	"gplay/playbook/vars"
)

// What a module may say about how its result is shown.
const (
	verboseAlways   = "_ansible_verbose_always"
	verboseOverride = "_ansible_verbose_override"
)

// flag reads one of them, or what an action is known to mean.
func flag(r *runner.Result, name string) bool {
	if v, ok := r.Data.Get(name); ok {
		return v == true
	}
	_, censored := r.Data.Get("censored")
	return name == verboseOverride && !censored && (r.Task.Action == "setup" || r.Task.Action == "gather_facts")
}

// verbose reports whether a result is shown and not only that it came.
func (d *display) verbose(r *runner.Result) bool {
	return (d.Verbosity > 0 || flag(r, verboseAlways)) && !flag(r, verboseOverride)
}

// dump is a result as JSON: one line, or indented for -vvv and for results
// that are there to be read.
func (d *display) dump(r *runner.Result) string { return d.formatted(d.shown(r), d.indent(r)) }

func (d *display) indent(r *runner.Result) int {
	if d.Pretty != nil && !*d.Pretty {
		return 0
	}
	if d.Verbosity > 2 || flag(r, verboseAlways) || d.YAML || d.Pretty != nil {
		return 4
	}
	return 0
}

// formatted is data in the format of results.
func (d *display) formatted(data *jinja.Dict, indent int) string {
	if d.YAML {
		return d.asYAML(data, indent)
	}
	return d.encode(data, indent)
}

// shown is a result without what is nobody's business.
func (d *display) shown(r *runner.Result) *jinja.Dict {
	data := d.stripped(r.Data)
	if r.Task.Action == "debug" && r.Left == 0 { // a retry shows all of it
		debugOnly(data)
	}
	if r.Loop && r.Status != runner.Unreachable || r.Status == runner.Skipped {
		data.Delete("results") // the items were shown, or there were none
	}
	// They are shown as warnings of their own.
	data.Delete("warnings")
	data.Delete("deprecations")
	return data
}

// stripped is a result without what is there for callbacks alone, and without
// the long parts that only -vvv shows.
func (d *display) stripped(data *jinja.Dict) *jinja.Dict {
	data = vars.Public(data)
	if d.Verbosity < 3 {
		data.Delete("invocation")
		data.Delete("diff")
	}
	data.Delete("exception")
	return data
}

// debugOnly leaves of debug's result what it was asked to show.
func debugOnly(data *jinja.Dict) {
	if _, ok := data.Get("msg"); !ok {
		for _, key := range []string{"changed", "failed", "skipped", "invocation", "skip_reason"} {
			data.Delete(key)
		}
		return
	}
	for _, key := range data.Keys() {
		name, _ := key.(string)
		if name != "msg" && !strings.HasPrefix(name, "_") {
			data.Delete(key)
		}
	}
}

func jsonOptions(indent string) jinja.JSONOptions {
	return jinja.JSONOptions{Indent: indent, SortKeys: true, Default: asText}
}

// encode writes JSON as Python's json.dumps.
func (d *display) encode(v any, indent int) string {
	f := jsonOptions(strings.Repeat(" ", indent))
	text, err := jinja.JSON(v, f)
	if err != nil {
		// Keys of several types have no order.
		f.SortKeys = false
		if text, err = jinja.JSON(v, f); err != nil {
			return jinja.Repr(v)
		}
	}
	return text
}

// lines is a result as JSON, a value a line: indented only where it is there
// to be read.
func (d *display) lines(data *jinja.Dict) string {
	o := jsonOptions("")
	if always, _ := data.Get(verboseAlways); always == true || d.Verbosity > 2 {
		o = jsonOptions("    ")
	}
	o.Lines = true
	text, err := jinja.JSON(d.stripped(data), o)
	if err != nil {
		return jinja.Repr(data)
	}
	return text
}

// asText shows a value that JSON has no form for.
// asText is what JSON has for a value that it has no form for.
func asText(v any) (any, error) {
	if text, err := jinja.Marshaled(v); err == nil {
		return text, nil
	}
	if b, ok := v.([]byte); ok {
		return string(b), nil
	}
	return jinja.Str(v), nil
}

// warn shows the warnings in a result.
func (d *display) warn(r *runner.Result) {
	if d.NoModuleWarnings {
		return
	}
	for _, w := range listOf(r.Data, "warnings") {
		d.Warning(jinja.Str(w))
	}
	for _, w := range listOf(r.Data, "deprecations") {
		if m, ok := w.(*jinja.Dict); ok {
			msg, _ := m.Get("msg")
			w = msg
		}
		d.Deprecated(jinja.Str(w))
	}
}

func listOf(data *jinja.Dict, key string) []any {
	v, _ := data.Get(key)
	if l, ok := v.(*jinja.List); ok {
		return l.Items
	}
	return nil
}

func delegatedAddress(r *runner.Result) string {
	v, _ := r.Data.Get("_ansible_delegated_vars")
	vars, _ := v.(*jinja.Dict)
	address, _ := vars.Get("ansible_host")
	s, _ := address.(string)
	return s
}
