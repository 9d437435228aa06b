package modules

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"

	"gplay/modules/host"
)

const hidden = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

// Failure is an error that says more than its message.
type Failure struct {
	Msg    string
	Result Result // added to the task's result
}

func (f *Failure) Error() string { return f.Msg }

// Order is the key of a result that names the keys of dicts in it in their order,
// where that is the host's and not the module's.
const Order = "_ansible_order"

// Fail makes a Failure.
func Fail(msg string, r Result) error { return &Failure{msg, r} }

// Run runs the module and gives the task's result: what the module says,
// with changed, failed and msg, diff (when wanted; one dict, or a list of
// several), warnings, and invocation. Secret arguments are hidden throughout.
// It never panics, and reports every fault in the result.
func (m *Module) Run(ctx context.Context, r host.Reader, w host.Writer, ctl Controller, check, diff bool, args map[string]any) map[string]any {
	c := &Call{Reader: r, Controller: ctl, writer: w, check: check, diff: diff}
	var err error
	if m.standIn != nil {
		if m, args, err = m.standIn(c, maps.Clone(args)); err != nil {
			return map[string]any{"changed": false, "failed": true, "msg": err.Error()}
		}
	}
	given, err := m.arguments(args, expansion{r.Getenv, r.Home})
	if err != nil {
		return map[string]any{"changed": false, "failed": true, "msg": err.Error()}
	}
	c.given = given
	invocation := map[string]any{"module_args": m.invocation(given)}
	if check && m.NoCheck {
		return map[string]any{
			"changed": false, "skipped": true, "invocation": invocation,
			"msg": fmt.Sprintf("remote module (%s) does not support check mode", m.Name),
		}
	}
	result, err := m.guarded(ctx, c, given)
	out := c.finish(result, err)
	if _, own := out["invocation"]; !own && m.Name != "program" { // a program says for itself
		out["invocation"] = invocation
	}
	if secrets := secretsOf(m.params(), given); len(secrets) > 0 {
		out = redact(out, secrets).(map[string]any)
	}
	return out
}

// guarded turns a module's panic into an error, so that one task fails and
// the agent lives on.
func (m *Module) guarded(ctx context.Context, c *Call, given map[string]any) (r Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Fail(fmt.Sprintf("a fault in gplay's module %s: %v", m.Name, p), Result{"exception": string(debug.Stack())})
		}
	}()
	return m.run(ctx, c, given)
}

func (c *Call) finish(r Result, err error) map[string]any {
	out := map[string]any{"changed": c.changed}
	for k, v := range r {
		out[k] = canonical(v)
	}
	if err != nil {
		// As in Ansible, what a task changed before it failed does not count.
		out["changed"], out["failed"], out["msg"] = false, true, err.Error()
		var f *Failure
		if errors.As(err, &f) {
			for k, v := range f.Result {
				out[k] = canonical(v)
			}
			out["failed"], out["msg"] = true, f.Msg
		}
	}
	if out["skipped"] == true {
		out["changed"] = false
		c.diffs = nil
	}
	c.addFileInfo(out)
	addLines(out, "stdout")
	addLines(out, "stderr")
	if len(c.warns) > 0 {
		out["warnings"] = canonical(c.warns)
	}
	if (c.diff || c.anyDiff && err == nil) && len(c.diffs) > 0 {
		out["diff"] = diffResult(out["diff"], c.diffs)
	}
	return out
}

// addLines adds a text's lines beside it: stdout_lines to stdout.
func addLines(out map[string]any, name string) {
	text, ok := out[name].(string)
	if !ok || out[name+"_lines"] != nil {
		return
	}
	out[name+"_lines"] = canonical(splitLines(text))
}

// splitLines splits where Python's splitlines does.
func splitLines(text string) []string {
	lines := []string{}
	for text != "" {
		i := strings.IndexAny(text, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
		if i < 0 {
			return append(lines, text)
		}
		lines = append(lines, text[:i])
		_, n := utf8.DecodeRuneInString(text[i:])
		if strings.HasPrefix(text[i:], "\r\n") {
			n = 2
		}
		text = text[i+n:]
	}
	return lines
}

// diffResult are the changes, in the place of what the module says of those
// that there are not: a list stays one.
func diffResult(said any, diffs []Diff) any {
	list := make([]any, len(diffs))
	for i, d := range diffs {
		list[i] = d.result()
	}
	parts, many := said.([]any)
	if len(list) == 1 && !many {
		return list[0]
	}
	for i, part := range parts {
		if !slices.ContainsFunc(list, func(d any) bool { return header(d) == header(part) }) {
			list = slices.Insert(list, min(i, len(list)), part)
		}
	}
	return list
}

func header(diff any) any {
	d, _ := diff.(map[string]any)
	return d["before_header"]
}

func (d Diff) result() map[string]any {
	if text, ok := d.After.(Prepared); ok {
		return map[string]any{"prepared": string(text)}
	}
	r := map[string]any{}
	if d.Path != "" {
		r["before_header"], r["after_header"] = d.Path, d.Path
	}
	d.side(r, "before", "dst", d.Before)
	d.side(r, "after", "src", d.After)
	return r
}

// side adds one side of a diff. Of what is not shown Ansible says so by a key
// that is named for the destination or the source.
func (d Diff) side(r map[string]any, name, end string, v any) {
	if t, ok := v.(Titled); ok {
		r[name+"_header"] = t.Header
		v = t.Value
	}
	switch u, unshown := v.(Unshown); {
	case unshown && u.Larger:
		r[end+"_larger"] = MaxDiff
	case unshown:
		r[end+"_binary"] = 1
	default:
		r[name] = canonical(v)
	}
}

// canonical makes a result of what can cross the wire: nil, string, bool,
// int, float64, []any and map[string]any.
func canonical(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	case nil, bool, int, float64:
		return v
	case Result:
		return canonical(map[string]any(v))
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = canonical(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = canonical(e)
		}
		return out
	}
	p := plain(v)
	switch p := p.(type) {
	case []any:
		return canonical(p)
	case map[string]any:
		return canonical(p)
	}
	return p
}

// invocation is every argument as it was used, without secrets.
func (m *Module) invocation(given map[string]any) map[string]any {
	all := map[string]any{}
	for _, p := range m.Params() {
		v, ok := given[p.Name]
		if !ok {
			v = p.Default
		}
		all[p.Name] = shown(p, v)
	}
	if m.Name == "command" || m.Name == "shell" { // which are one module of Ansible's
		all["_raw_params"], all["_uses_shell"] = all["cmd"], m.Name == "shell"
		delete(all, "cmd")
		delete(all, "warn")
	}
	return all
}

func shown(p Param, v any) any {
	if (p.Secret || p.unseen) && v != nil {
		return hidden
	}
	if p.Options == nil {
		return v
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = shown(p, e)
		}
		return out
	case map[string]any:
		out := maps.Clone(v)
		for _, o := range p.Options {
			if e, ok := v[o.Name]; ok {
				out[o.Name] = shown(o, e)
			}
		}
		return out
	}
	return v
}

// secretsOf collects the texts of secret arguments, longest first.
func secretsOf(params []Param, given map[string]any) []string {
	var secrets []string
	for _, p := range params {
		v := given[p.Name]
		if p.Secret {
			secrets = append(secrets, texts(v)...)
		}
		if p.Options == nil {
			continue
		}
		if dict, ok := v.(map[string]any); ok {
			secrets = append(secrets, secretsOf(p.Options, dict)...)
		}
		if list, ok := v.([]any); ok {
			for _, e := range list {
				if dict, ok := e.(map[string]any); ok {
					secrets = append(secrets, secretsOf(p.Options, dict)...)
				}
			}
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}

func texts(v any) []string {
	switch v := v.(type) {
	case nil, bool:
		return nil
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, texts(e)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, e := range v {
			all = append(all, texts(e)...)
		}
		return all
	}
	if s := pyStr(v); s != "" {
		return []string{s}
	}
	return nil
}

// redact hides the secrets wherever they stand in a result's values.
func redact(v any, secrets []string) any {
	switch v := v.(type) {
	case string:
		if slices.Contains(secrets, v) {
			return hidden
		}
		for _, s := range secrets {
			v = strings.ReplaceAll(v, s, "********")
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = redact(e, secrets)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = redact(e, secrets)
		}
		return out
	case int, float64:
		if slices.Contains(secrets, pyStr(v)) {
			return hidden
		}
	}
	return v
}
