package runner

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/modules"
	"gplay/playbook"
	"gplay/playbook/actions"
	"gplay/playbook/vars"
)

// structural are the actions that the runner itself is.
var structural = []string{"meta", "include_tasks", "include_role", "import_tasks", "import_role"}

// Known gives gplay's name of a module or action.
func Known(name string) (canonical string, ok bool) {
	short := playbook.Builtin(name)
	if slices.Contains(structural, short) || actions.Find(short) != nil {
		return short, true
	}
	if m := modules.Find(name); m != nil {
		return m.Name, true
	}
	return name, false
}

// Names are the names that Known knows, for hints.
func Names() []string {
	names := slices.Clone(structural)
	for _, a := range actions.All {
		names = append(names, a.Name)
	}
	for _, m := range modules.All {
		names = append(names, m.Name)
		names = append(names, m.Aliases...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Check finds arguments that no module takes, before anything runs.
func Check(pb *playbook.Playbook) error {
	var first error
	everyTask(pb, func(t *playbook.Task) { first = or(first, checkTask(t)) })
	return first
}

// available finds modules that gplay does not have.
func available(pb *playbook.Playbook) (err error) {
	everyTask(pb, func(t *playbook.Task) {
		if err == nil && t.Missing != nil {
			err = t.Missing
		}
	})
	return err
}

// foretell warns of what would be an error if the playbook ran. What is only
// listed is no reason to fail, as Ansible finds such faults when a task runs.
func (r *Runner) foretell(pb *playbook.Playbook) {
	if err := Check(pb); err != nil {
		r.warn("%v", err)
	}
	var names []string
	everyTask(pb, func(t *playbook.Task) {
		if t.Missing != nil {
			names = append(names, t.ActionAs)
		}
	})
	if len(names) > 0 {
		r.warn("gplay does not have these modules, and so cannot run this playbook: %s", strings.Join(sorted(names), ", "))
	}
}

// everyTask goes through all tasks and handlers that are known before the
// playbook runs.
func everyTask(pb *playbook.Playbook, do func(*playbook.Task)) {
	for _, play := range pb.Plays {
		for _, section := range []*playbook.Block{play.PreTasks, play.Roles, play.Tasks, play.PostTasks} {
			eachTask(section, do)
		}
		for _, t := range play.Handlers {
			do(t)
		}
		for _, role := range play.RoleList {
			for _, t := range role.Handlers {
				do(t)
			}
		}
	}
}

func or(first, next error) error {
	if first != nil {
		return first
	}
	return next
}

func eachTask(b *playbook.Block, do func(*playbook.Task)) {
	if b == nil {
		return
	}
	for _, items := range [][]playbook.Item{b.Items, b.Rescue, b.Always} {
		for _, item := range items {
			switch item := item.(type) {
			case *playbook.Task:
				do(item)
			case *playbook.Block:
				eachTask(item, do)
			}
		}
	}
}

func checkTask(t *playbook.Task) error {
	if t.Loop != nil && t.Loop.Lookup != "" {
		if err := vars.CheckLookup(t.Loop.Lookup); err != nil {
			e := source.Errorf(t.Loop.Pos, "with_%s: %s", t.Loop.Lookup, err)
			e.Within = within(t)
			return e
		}
	}
	if slices.Contains(structural, t.Action) || t.ArgsTemplate != nil || t.ActionTemplate != nil || t.Program != "" || t.Missing != nil {
		return nil
	}
	known, any := params(t.Action)
	if any || t.Expected() {
		return nil
	}
	for k := range t.Args.All() {
		name := jinja.Str(k)
		if slices.Contains(known, name) || name == "_raw_params" && freeForm(t.Action) {
			continue
		}
		pos, ok := t.ArgPos[name]
		if !ok {
			pos = t.ActionPos
		}
		e := source.Errorf(pos, "%s: unknown argument %q", t.Action, name)
		if e.Len = len(name); name == "_raw_params" {
			e.Msg, e.Len = t.Action+" takes no free text", 0
		}
		if e.Hint = source.DidYouMean(name, known); e.Hint == "" {
			e.Hint = "it takes: " + strings.Join(known, ", ")
		}
		e.Within = within(t)
		return e
	}
	return checkValues(t)
}

// checkValues finds what is wrong with the arguments of a module as they are
// written: values, and those that are missing. Tasks that may be skipped, or
// whose failure somebody takes care of, are left to the run.
func checkValues(t *playbook.Task) error {
	m := modules.Find(t.Action)
	if m == nil || actions.Find(t.Action) != nil || mayPass(t) {
		return nil
	}
	args, _ := jinja.ToGo(t.Args).(map[string]any)
	var fault *modules.ArgumentError
	if !errors.As(m.Check(args), &fault) {
		return nil
	}
	pos, ok := t.ArgPos[fault.Arg]
	if !ok {
		pos = t.ActionPos
	}
	e := source.Errorf(pos, "%s: %s", t.Action, fault.Short)
	e.Hint, e.Within = fault.Hint, within(t)
	return e
}

// mayPass reports whether a task need not fail although its arguments are
// wrong: it may be skipped, or get others.
func mayPass(t *playbook.Task) bool {
	for _, keyword := range []string{"when", "failed_when", "module_defaults"} {
		if len(t.Chain(keyword)) > 0 {
			return true
		}
	}
	return t.Loop != nil // which may be empty
}

// unsupported is the error about arguments that an action does not take, in
// Ansible's words. Modules find theirs by themselves.
func unsupported(action string, args *jinja.Dict) error {
	a := actions.Find(action)
	known, any := params(action)
	if a == nil || a.Module || any {
		return nil
	}
	var names []string
	for k := range args.All() {
		if name := jinja.Str(k); !slices.Contains(known, name) && !(name == "_raw_params" && a.FreeForm) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	switch action {
	case "pause": // which checks them as modules do
	case "include_vars":
		return actions.Unrunnable{Err: fmt.Errorf("%s is not a valid option in include_vars", names[0])}
	default:
		return fmt.Errorf("Invalid options for %s: %s", action, strings.Join(sorted(names), ","))
	}
	return fmt.Errorf("Unsupported parameters for (%s) module: %s. Supported parameters include: %s.", action, strings.Join(sorted(names), ", "), strings.Join(sorted(known), ", "))
}

// within are the role and the play that a task is in.
func within(t *playbook.Task) []source.Note {
	var notes []source.Note
	if t.Role != nil && t.Role.Use != nil {
		notes = append(notes, source.Note{Text: "in role " + t.Role.Name, Pos: t.Role.Use.Pos})
	}
	return append(notes, source.Note{Text: "in play \"" + t.Play.Title() + "\"", Pos: t.Play.Pos})
}

// params are the arguments of an action or module; any is set where it takes
// whatever it is given.
func params(action string) (names []string, any bool) {
	a := actions.Find(action)
	if a != nil {
		if slices.Contains(a.Params, "*") {
			return nil, true
		}
		names = append(names, a.Params...)
	}
	if m := modules.Find(action); m != nil && (a == nil || a.Module) {
		if m.TakesAny() {
			return nil, true
		}
		for _, p := range m.Params() {
			names = append(names, p.Name)
			names = append(names, p.Aliases...)
		}
	}
	if action == "gather_facts" {
		return nil, true
	}
	return names, false
}

func freeForm(action string) bool {
	if a := actions.Find(action); a != nil && a.FreeForm {
		return true
	}
	m := modules.Find(action)
	return m != nil && m.FreeForm != ""
}

// testAsFilter is a test written as a filter, as before Ansible 2.9.
var testAsFilter = regexp.MustCompile(`\|\s*(changed|failed|success|succeeded|skipped)\b`)

// deprecate tells of conditions that use tests as filters.
func deprecate(pb *playbook.Playbook, tell func(msg string)) {
	told := map[source.Pos]bool{}
	everyTask(pb, func(t *playbook.Task) {
		for _, name := range []string{"when", "changed_when", "failed_when", "until"} {
			for _, k := range t.Chain(name) {
				m := testAsFilter.FindStringSubmatch(conditionText(k.Value))
				if m == nil || told[k.Pos] {
					continue
				}
				told[k.Pos] = true
				tell(fmt.Sprintf("%s: a test as a filter is a form of Ansible 1.x: write \"is %s\" for \"|%s\"", k.Pos, m[1], m[1]))
			}
		}
	})
}
