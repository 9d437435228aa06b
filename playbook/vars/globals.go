package vars

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gplay/internal/pytime"
	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
	"gplay/playbook/filters"
	"gplay/playbook/lookups"
)

// globals are the functions that Ansible gives templates.
func globals() map[string]any {
	return map[string]any{
		"lookup": jinja.Func(func(c *jinja.Context, a *jinja.Args) (any, error) { return callLookup(c, a, false) }),
		"query":  jinja.Func(func(c *jinja.Context, a *jinja.Args) (any, error) { return callLookup(c, a, true) }),
		"q":      jinja.Func(func(c *jinja.Context, a *jinja.Args) (any, error) { return callLookup(c, a, true) }),
		"now":    jinja.Func(now),
		"undef":  jinja.Func(undef),
	}
}

// callLookup is lookup() and, with wantlist, query(). Without it the values
// are joined by commas, and one value stays what it is.
func callLookup(c *jinja.Context, a *jinja.Args, wantlist bool) (any, error) {
	s, ok := c.Scope().(*Scope)
	if !ok || len(a.Positional) == 0 {
		return nil, fmt.Errorf("lookup needs the name of a lookup")
	}
	for _, term := range a.Positional {
		if u, ok := term.(*jinja.Undefined); ok {
			return nil, jinja.UndefinedError(u)
		}
	}
	terms, err := s.terms(a)
	if err != nil {
		return nil, err
	}
	options, onError := a.Keywords.Copy(), "strict"
	if v, ok := options.Get("wantlist"); ok {
		wantlist = wantlist || jinja.Truth(v)
		options.Delete("wantlist")
	}
	if v, ok := options.Get("errors"); ok {
		onError = jinja.Str(v)
		options.Delete("errors")
	}
	values, err := s.Run(jinja.Str(a.Positional[0]), terms, options)
	if isUndefined(err) {
		return nil, err
	}
	if _, known := lookups.Find(jinja.Str(a.Positional[0])); err != nil && (!known || onError != "ignore" && onError != "warn") {
		wrapLookup(err, jinja.Str(a.Positional[0]))
		return nil, &lookupFault{jinja.Str(a.Positional[0]), err}
	}
	if err != nil && onError == "warn" && s.templar.Warn != nil {
		s.templar.Warn(ignoredFault(jinja.Str(a.Positional[0]), err))
	}
	switch {
	case err != nil && wantlist:
		return jinja.NewList(), nil
	case err != nil:
		return nil, nil
	}
	s.unsafe = s.unsafe || len(values) > 0
	switch {
	case wantlist || len(values) == 0:
		return &jinja.List{Items: values, Class: filters.UnsafeText}, nil
	case len(values) == 1:
		return unsafe(values[0]), nil
	}
	return unsafe(joined(values)), nil
}

// terms are what a lookup is asked for. Templates in those that stand in the
// call itself are templated, as in Ansible; what a variable or an expression
// gave may come from a host and is not.
func (s *Scope) terms(a *jinja.Args) ([]any, error) {
	terms := slices.Clone(a.Positional[1:])
	for i, term := range terms {
		if !a.Constant(i + 1) {
			continue
		}
		var err error
		if terms[i], err = s.Template(withTemplates(term)); err != nil {
			return nil, unplaced(err)
		}
	}
	return terms, nil
}

// unplaced is a fault of a template in a template without its place, which is
// in no file, so that it gets the place of the whole.
func unplaced(err error) error {
	var placed *source.Error
	var fault *jinja.Error
	switch {
	case !errors.As(err, &placed) || placed.Pos.File != "":
		return err
	case errors.As(err, &fault) && fault.Undefined != nil:
		return jinja.UndefinedError(fault.Undefined)
	}
	return errors.New(placed.Msg)
}

// withTemplates makes templates of the texts in v that have delimiters.
func withTemplates(v any) any {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "{{") || strings.Contains(v, "{%") {
			return &yaml.Template{Text: v}
		}
	case *jinja.List:
		out := jinja.NewList()
		for _, item := range v.Items {
			out.Items = append(out.Items, withTemplates(item))
		}
		return out
	}
	return v
}

// WithoutTuples makes lists of tuples: those of a loop's items, of facts that
// were set, of what was registered and of what a lookup is asked for are lists
// when they are used.
func WithoutTuples(v any) any {
	switch v := v.(type) {
	case jinja.Tuple:
		return WithoutTuples(jinja.NewList(v...))
	case *jinja.Range:
		if items, err := jinja.Iterate(v); err == nil {
			return jinja.NewList(items...)
		}
	case *jinja.List:
		out := &jinja.List{Class: v.Class}
		for _, item := range v.Items {
			out.Items = append(out.Items, WithoutTuples(item))
		}
		return out
	case interface{ Pair() jinja.Tuple }: // of groupby
		return WithoutTuples(v.Pair())
	case *jinja.Dict:
		out := &jinja.Dict{Class: v.Class}
		for k, item := range v.All() {
			out.Set(k, WithoutTuples(item))
		}
		return out
	}
	return v
}

// isUndefined reports whether err says that something is undefined: errors=
// is not for that.
func isUndefined(err error) bool {
	var undefined *Undefined
	return errors.As(err, &undefined) || jinja.IsUndefined(err)
}

func joined(values []any) any {
	texts := make([]string, len(values))
	for i, v := range values {
		switch v.(type) {
		case string, jinja.Text:
			texts[i] = jinja.Str(v)
		default:
			return &jinja.List{Items: values, Class: filters.UnsafeText}
		}
	}
	all := strings.Join(texts, ",")
	if first, ok := values[0].(jinja.Text); ok {
		return jinja.Text{Value: all, Class: first.Class}
	}
	return all
}

// CheckLookup says what is wrong with the name of a lookup.
func CheckLookup(name string) error {
	if _, ok := lookups.Find(name); ok {
		return nil
	}
	if near := source.Nearest(name, lookups.Names()); near != "" {
		return fmt.Errorf("there is no lookup %q, did you mean %q?", name, near)
	}
	return fmt.Errorf("there is no lookup %q", name)
}

// Run runs a lookup by its name.
func (s *Scope) Run(name string, terms []any, options *jinja.Dict) ([]any, error) {
	if err := CheckLookup(name); err != nil {
		return nil, err
	}
	lookup, _ := lookups.Find(name)
	if options == nil {
		options = jinja.NewDict()
	}
	plain := make([]any, len(terms))
	for i, term := range terms {
		plain[i] = WithoutTuples(jinja.Plain(term))
	}
	warn := func(msg string) {
		if s.templar.Warn != nil {
			s.templar.Warn("the lookup " + name + ": " + msg)
		}
	}
	return lookup(&lookups.Context{
		Context: s.ctx, Warn: warn, Dirs: s.Dirs, Subdir: s.Subdir, Var: s.value, VarNames: s.Names, Render: s.renderFor, Hosts: s.Hosts, Vault: s.templar.Vault, Settings: s.templar.Settings, Native: s.templar.native,
	}, plain, options)
}

func (s *Scope) renderFor(name, file, text string, extra *jinja.Dict, options jinja.Options) (any, error) {
	scope, err := s.InTemplate(name, file, nil)
	if err != nil {
		return nil, err
	}
	if extra.Len() > 0 {
		scope = scope.With(extra)
	}
	return scope.RenderFile(text, file, options)
}

// loadTemplate finds a template that another one includes, imports or
// extends.
func loadTemplate(c *jinja.Context, name string) (*jinja.Template, error) {
	s, ok := c.Scope().(*Scope)
	if !ok {
		return nil, jinja.ErrNotFound
	}
	for _, dir := range s.Dirs {
		for _, path := range []string{filepath.Join(dir, "templates", name), filepath.Join(dir, name)} {
			if data, err := os.ReadFile(path); err == nil {
				return c.Env.Compile(path, string(data))
			}
		}
	}
	return nil, jinja.ErrNotFound
}

func now(_ *jinja.Context, a *jinja.Args) (any, error) {
	v, err := a.Bind("utc=", "fmt=")
	if err != nil {
		return nil, fmt.Errorf("now() %w", err)
	}
	t := time.Now()
	if v[0] != jinja.Missing && jinja.Truth(v[0]) {
		t = t.UTC()
	}
	if v[1] == jinja.Missing || v[1] == "" {
		return pytime.Naive(t), nil
	}
	return pytime.Naive(t).Strftime(jinja.Str(v[1])), nil
}

func undef(_ *jinja.Context, a *jinja.Args) (any, error) {
	v, err := a.Bind("hint=")
	if err != nil {
		return nil, fmt.Errorf("undef() %w", err)
	}
	u := &jinja.Undefined{}
	if v[0] != jinja.Missing && v[0] != nil {
		u.Hint = jinja.Str(v[0])
	}
	return u, nil
}
