package vars

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/big"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gplay/internal/pyliteral"
	"gplay/internal/source"
	"gplay/internal/vault"
	"gplay/internal/yaml"
	"gplay/jinja"
	"gplay/playbook/filters"
)

// Omit is the value of the variable omit: an argument that has it counts as
// not given. It is another one in each run, so that no host can say it.
var Omit = "__omit_place_holder__" + rand.Text()

// Templar compiles templates and conditions, each once, whoever uses it.
type Templar struct {
	native bool
	// Warn is told of conditions that are written as templates; it may be nil.
	Warn func(msg string)

	// Vault has the passwords of what is encrypted; nil where there are none.
	Vault *vault.Keys
	// Settings are what the lookup config answers, by Ansible's names; what is
	// not in it has Ansible's default.
	Settings map[string]any
	// MergeDicts gives a dict with what lower layers have of it, as
	// hash_behaviour=merge; else the uppermost is all of it.
	MergeDicts bool

	env   *jinja.Environment
	exprs sync.Map // text → *jinja.Expr
	// wary evaluates expressions that may come from a host: no lookup runs.
	wary      *jinja.Environment
	waryExprs sync.Map
}

// NewTemplar makes a Templar with Ansible's filters, tests, lookups and
// globals.
func NewTemplar() *Templar {
	t := &Templar{env: environment(jinja.Options{TrimBlocks: true}), wary: environment(jinja.Options{TrimBlocks: true})}
	t.TextFilters(filters.TextFilters)
	for _, name := range []string{"lookup", "query", "q"} {
		t.wary.Globals[name] = jinja.Func(noLookup)
	}
	return t
}

// TextFilters sets which filters give text that is never read as a literal.
func (t *Templar) TextFilters(names []string) {
	classes := map[string]string{}
	for _, name := range names {
		classes[name] = filters.NativeText
	}
	t.env.TextClasses, t.wary.TextClasses = classes, classes
}

// ErrNoLookup is the error of an expression that would run a lookup and may
// come from a host.
var ErrNoLookup = errors.New("an expression that a template made may come from a host and runs no lookup; write it without {{ }}")

func noLookup(*jinja.Context, *jinja.Args) (any, error) {
	return nil, ErrNoLookup
}

func environment(options jinja.Options) *jinja.Environment {
	return &jinja.Environment{
		Filters:   filters.Filters(),
		Tests:     filters.Tests(),
		Lenient:   filters.Lenient,
		Globals:   globals(),
		Options:   options,
		Finalize:  finalize,
		Loader:    loadTemplate,
		MaxOutput: 256 << 20,
	}
}

// environment is the one for templates that are written by options.
func (t *Templar) environment(options jinja.Options) *jinja.Environment {
	if options == t.env.Options {
		return t.env
	}
	env := environment(options)
	env.TextClasses = t.env.TextClasses
	return env
}

// finalize shows None as nothing, ranges as lists and bytes as their text, as
// Ansible's templar does.
func finalize(v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	}
	return jinja.Unroll(v)
}

// Undefined is the error of a template or condition that uses a variable that
// has no value.
type Undefined struct{ Err error }

func (u *Undefined) Error() string { return u.Err.Error() }
func (u *Undefined) Unwrap() error { return u.Err }

// program is a compiled *yaml.Template.
type program struct {
	template *jinja.Template
	name     string // the variable, where the template is {{ name }} and no more
}

// oneVariable is how a template is written that may give what a variable holds
// without looking into it.
var oneVariable = regexp.MustCompile(`^\{\{\s*(\w+)\s*\}\}\n?$`)

func (t *Templar) compile(text *yaml.Template) (*program, error) {
	if p, ok := text.Compiled.Load().(*program); ok {
		return p, nil
	}
	options := t.env.Options
	body, err := header(text.Text, &options)
	if err != nil {
		return nil, err
	}
	tmpl, err := t.environment(options).Compile("", literalBackslashes(body))
	if err != nil {
		return nil, err
	}
	p := &program{template: tmpl}
	if m := oneVariable.FindStringSubmatch(text.Text); m != nil {
		p.name = m[1]
	}
	text.Compiled.Store(p)
	return p, nil
}

// render gives what t says. Text that was made of what is unsafe is so, too.
func (s *Scope) render(t *yaml.Template) (any, error) {
	wasUnsafe, wasVeiled := s.unsafe, s.veiled
	s.unsafe, s.veiled = false, false
	v, err := s.valueOf(t)
	switch {
	case s.unsafe:
		v = unsafe(v)
	case s.veiled:
		v = templateLike(v, filters.UnsafeText)
	default:
		v = templateLike(v, "str")
	}
	s.unsafe, s.veiled = wasUnsafe || s.unsafe, wasVeiled || s.veiled
	return v, err
}

func (s *Scope) valueOf(t *yaml.Template) (any, error) {
	if t.Open != nil {
		text, err := t.Open()
		if err != nil {
			return nil, s.templateError(t, &filters.Sealed{Text: strings.TrimSpace(t.Text), Err: err})
		}
		return jinja.Text{Value: text, Class: filters.VaultText}, nil
	}
	p, err := s.templar.compile(t)
	if err != nil {
		return nil, known(s.templateError(t, err), uncompiled(t.Text, err))
	}
	if raw, ok := s.plain(p.name); ok {
		return raw, nil
	}
	v, single, err := p.template.Eval(s.ctx, s)
	if err == nil && s.templar.native {
		v, err = nativeValue(v, single, t.Text)
		if err == nil {
			return v, nil
		}
	}
	if err != nil {
		return nil, s.templateError(t, err)
	}
	if single {
		if v, err = s.typed(v, t.Text); err != nil {
			return nil, s.templateError(t, err)
		}
		return v, nil
	}
	if text, ok := v.(string); ok {
		v = endLike(text, t.Text, "\n")
	}
	return literal(v), nil
}

// plain is the value of the variable name where that has no parts: a template
// that is nothing but the variable gives it as it is.
func (s *Scope) plain(name string) (any, bool) {
	raw, ok := s.Raw(name)
	switch raw.(type) {
	case nil, bool, int, float64, *big.Int:
		return raw, ok
	}
	return nil, false
}

// endLike gives a result at least as many newlines at its end as its template
// has: Jinja2 drops one, and blocks take the one behind them.
func endLike(result, template, newline string) string {
	count := func(s string) int { return len(s) - len(strings.TrimRight(s, "\n")) }
	return result + strings.Repeat(newline, max(0, count(template)-count(result)))
}

// typed is what Ansible's templar gives for a template of one expression:
// containers and booleans keep their type, everything else is text, and text
// that reads as a container or boolean becomes one.
func (s *Scope) typed(v any, template string) (any, error) {
	switch v := jinja.Unroll(v).(type) {
	case *jinja.Undefined:
		return nil, undefinedError(v)
	case nil:
		return endLike("", template, "\n"), nil
	case jinja.Text:
		return ended(v, template, func(s string) any { return literal(s) }), nil
	case string:
		return literal(endLike(v, template, "\n")), nil
	case []byte:
		return literal(endLike(string(v), template, "\n")), nil
	case *jinja.Dict, *jinja.List:
		whole, err := literalAll(v)
		switch {
		case err != nil:
			return nil, err
		case !whole:
			return jinja.Str(v), nil
		case !s.veiled:
			v = jinja.Plain(v)
		}
		return v, nil
	case *HostVars:
		return v.asValue(), nil
	case mapping:
		v.listed = v.templated
		return v, nil
	case bool, jinja.Mapping:
		return v, nil
	case jinja.Tuple:
		return jinja.Str(v), definedAll(v)
	}
	return literal(endLike(jinja.Str(v), template, "\n")), nil
}

// ended is text of a class as what a template gives: read as a literal unless
// it stays text. What is changed has no class any more.
func ended(t jinja.Text, template string, read func(string) any) any {
	text := endLike(t.Value, template, "\n")
	var v any = text
	if !filters.StaysText(t) {
		v = read(text)
	}
	if t.Class != filters.VaultText && v == any(t.Value) {
		return t
	}
	return v
}

// definedAll is the error of a value that is undefined or holds what is.
func definedAll(v any) error {
	_, err := literalAll(v)
	return err
}

// literalAll reports whether Python reads its text of v as v again: a dict or
// a list with a date or an infinity in it is but text to Ansible.
func literalAll(v any) (bool, error) {
	switch v := v.(type) {
	case *jinja.Undefined:
		return false, undefinedError(v)
	case float64:
		return !math.IsInf(v, 0) && !math.IsNaN(v), nil
	case jinja.Object:
		return false, nil
	case *jinja.Dict:
		return literalEach(func(yield func(any) bool) {
			for key, value := range v.All() {
				if !yield(key) || !yield(value) {
					return
				}
			}
		})
	case *jinja.List:
		return literalEach(slices.Values(v.Items))
	case jinja.Tuple:
		return literalEach(slices.Values(v))
	}
	return true, nil
}

func literalEach(values iter.Seq[any]) (bool, error) {
	all := true
	for v := range values {
		literal, err := literalAll(v)
		if err != nil {
			return false, err
		}
		all = all && literal
	}
	return all, nil
}

func undefinedError(u *jinja.Undefined) error {
	return u.Fault()
}

// jsonWords are JSON's for what Python calls otherwise.
var jsonWords = map[string]any{"true": true, "false": false, "null": nil}

// literal reads text that looks like a Python list, dict or boolean as one.
func literal(v any) any {
	text, ok := v.(string)
	if !ok || !(strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") || text == "True" || text == "False") {
		return v
	}
	if value, ok := pyliteral.ParseWith(strings.TrimRight(text, " \t\r\n"), jsonWords); ok {
		return value
	}
	return v
}

// templateError gives a fault in t its place in the source file.
func (s *Scope) templateError(t *yaml.Template, err error) error {
	var placed *source.Error
	if errors.As(err, &placed) {
		return err
	}
	e := source.Errorf(t.Pos, "%s", err.Error())
	e.Err, e.Known = err, knownWords(err)
	if e.Known == "" && jinja.IsTypeError(err) {
		e.Known = twice(typeErrorIn(t.Text, err), err)
	}
	var fault *jinja.Error
	if errors.As(err, &fault) {
		if u := fault.Undefined; u != nil && u.Cause != nil {
			return u.Cause
		}
		if fault.Template == "" && fault.Line > 0 {
			e.Pos, e.Len = t.PosAt(fault.Line, fault.Col), fault.Len
		}
		e.Hint = s.hint(fault)
		if fault.Undefined != nil {
			return &Undefined{e}
		}
	}
	return e
}

// hint names the nearest of the names that there are to one that there is not.
func (s *Scope) hint(fault *jinja.Error) string {
	known := fault.Known
	if known == nil && fault.Undefined != nil {
		known = s.Names()
	}
	if near := source.Nearest(fault.Wanted, known); near != "" && fault.Wanted != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// within notes that err arose while the variable name was being templated.
func within(err error, name string, raw any) error {
	var e *source.Error
	if errors.As(err, &e) {
		at := e.Pos
		if t, ok := raw.(*yaml.Template); ok {
			at = t.Pos
		}
		e.Within = append(e.Within, source.Note{Text: "in the value of " + name, Pos: at})
	}
	return err
}

// Condition gives the truth of a when, until, changed_when, failed_when or
// assert expression. Text is an expression; a template is rendered first and
// its result, where it is text, is the expression. Written is the expression as
// it stands in a file, for errors, or nil, and pos the place of what it is of.
func (s *Scope) Condition(v any, pos source.Pos, written *yaml.Node) (bool, error) {
	if t, ok := v.(*yaml.Template); ok {
		s.WarnDelimiters(t.Text)
		r, err := s.Variable(t)
		if err != nil {
			return false, err
		}
		if noCondition(r) {
			return false, unsafeCondition(t.Text, pos)
		}
		if text, ok := jinja.Plain(r).(string); ok && text != "" {
			return s.Wary().condition(text, pos, nil)
		}
		return jinja.Truth(r), nil
	}
	switch v := v.(type) {
	case jinja.Text:
		if noCondition(v) {
			return false, unsafeCondition(v.Value, pos)
		}
		return s.Condition(v.Value, pos, written)
	case bool:
		return v, nil
	case nil:
		return true, nil
	case string:
		if v == "" {
			return true, nil
		}
		return s.condition(v, pos, written)
	}
	return jinja.Truth(v), nil
}

var (
	undefinedName  = regexp.MustCompile(`'(hostvars\[.+\]|[\pL\pN_]+)' is undefined`)
	testsOfDefined = regexp.MustCompile(`(hostvars\[.+\]|[\pL\pN_]+)\s+(not\s+is|is|is\s+not)\s+(defined|undefined)`)
)

// asks is what a condition comes to that fails for want of a variable and in
// which, anywhere, a test asks for the same variable: the first one decides, as
// in Ansible. It is not ok where there is none.
func asks(condition string, err error) (holds, ok bool) {
	name := undefinedName.FindStringSubmatch(err.Error())
	if name == nil || !isUndefined(err) {
		return false, false
	}
	sameQuotes := strings.NewReplacer("'", `"`)
	for _, test := range testsOfDefined.FindAllStringSubmatch(condition, -1) {
		if sameQuotes.Replace(test[1]) == sameQuotes.Replace(name[1]) {
			return strings.Contains(test[2], "not") == (test[3] == "defined"), true
		}
	}
	return false, false
}

// noCondition reports whether a condition is text that is not to be evaluated.
func noCondition(v any) bool {
	text, ok := v.(jinja.Text)
	return ok && text.Value != "" && (text.Class == filters.UnsafeText || text.Class == filters.UnsafeNativeText)
}

// unsafeCondition is the error about a condition that came from a host, a lookup
// or the environment.
func unsafeCondition(text string, pos source.Pos) error {
	e := source.Errorf(pos, "the condition %q gives text from a host or a lookup, which is not evaluated", text)
	e.Known = fmt.Sprintf("The conditional check '%s' failed. The error was: Conditional is marked as unsafe, and cannot be evaluated.", text)
	e.Hint = "write the condition itself, without {{ }}"
	return e
}

// WarnDelimiters warns of a condition that is written as a template.
func (s *Scope) WarnDelimiters(text string) {
	if warn := s.templar.Warn; warn != nil {
		warn("conditional statements should not include jinja2 templating delimiters such as {{ }} or {% %}. Found: " + text)
	}
}

func (s *Scope) condition(text string, pos source.Pos, written *yaml.Node) (bool, error) {
	v, err := s.Expr(text)
	if u, ok := v.(*jinja.Undefined); ok && err == nil {
		err = undefinedError(u)
	}
	if err == nil {
		return jinja.Truth(v), nil
	}
	if holds, ok := asks(text, err); ok {
		return holds, nil
	}
	e := source.Errorf(pos, "%s", err.Error())
	e.Err, e.Len, e.Known = err, len(text), s.failedCheck(text, err)
	var fault *jinja.Error
	if errors.As(err, &fault) {
		if was, ok := written.String(); ok && was == text && fault.Template == "" && fault.Line > 0 {
			e.Pos, e.Len = written.At(fault.Line, fault.Col), fault.Len
		}
		e.Hint = s.hint(fault)
		if fault.Undefined != nil {
			return false, &Undefined{e}
		}
	}
	return false, e
}

// Expr evaluates one expression, without delimiters. The value may be
// *jinja.Undefined.
func (s *Scope) Expr(text string) (any, error) {
	x, err := s.expr(text)
	if err != nil {
		return nil, err
	}
	v, err := x.Eval(s.ctx, s)
	return jinja.Plain(v), err
}

// Bare is what {{ text }} gives. Unlike a template, it may be *jinja.Undefined.
func (s *Scope) Bare(text string) (any, error) {
	if raw, ok := s.plain(text); ok {
		return raw, nil
	}
	v, err := s.Expr(text)
	if _, ok := v.(*jinja.Undefined); ok || err != nil || s.templar.native {
		return v, err
	}
	return s.typed(v, "")
}

func (s *Scope) expr(text string) (*jinja.Expr, error) {
	env, known := s.templar.env, &s.templar.exprs
	if s.wary {
		env, known = s.templar.wary, &s.templar.waryExprs
	}
	if x, ok := known.Load(text); ok {
		return x.(*jinja.Expr), nil
	}
	x, err := env.CompileExpr(text)
	if err != nil {
		return nil, err
	}
	known.Store(text, x)
	return x, nil
}

// RenderFile renders the text of a template file. Options are those of the
// file's module; name is its path, for errors.
func (s *Scope) RenderFile(text, name string, options jinja.Options) (string, error) {
	text, err := header(text, &options)
	if err != nil {
		return "", err
	}
	tmpl, err := s.templar.environment(options).Compile(name, text)
	if err != nil {
		return "", known(s.fileError(name, err), uncompiled(text, err))
	}
	out, err := tmpl.Render(s.ctx, s)
	if err != nil {
		fault := s.fileError(name, err)
		if jinja.IsTypeError(err) {
			fault = known(fault, twice(typeErrorIn(text, err), err))
		}
		return "", fault
	}
	return endLike(out, text, cmp.Or(options.NewlineSequence, "\n")), nil
}

func (s *Scope) fileError(name string, err error) error {
	var fault *jinja.Error
	var placed *source.Error
	if errors.As(err, &placed) || !errors.As(err, &fault) {
		return err
	}
	pos := source.Pos{File: name, Line: fault.Line, Col: fault.Col}
	if fault.Template != "" {
		pos.File = fault.Template
	}
	e := source.Errorf(pos, "%s", err.Error())
	e.Err, e.Len, e.Hint, e.Known = err, fault.Len, s.hint(fault), knownWords(err)
	for _, u := range fault.Users {
		at := source.Pos{File: cmp.Or(u.Template, name), Line: u.Line, Col: u.Col}
		e.Within = append(e.Within, source.Note{Text: "used in " + filepath.Base(at.File), Pos: at})
	}
	if fault.Undefined != nil {
		return &Undefined{e}
	}
	return e
}
