package runner

import (
	"context"
	"errors"
	"io"
	"strings"

	"gplay/connection"
	"gplay/internal/source"
	"gplay/inventory"
	"gplay/jinja"
	"gplay/modules"
	"gplay/playbook/actions"
	"gplay/playbook/vars"
)

// arguments are the task's arguments, templated; those that are omit are left
// out.
func (x *execution) arguments(scope *vars.Scope) (*jinja.Dict, error) {
	out := jinja.NewDict()
	if err := x.defaults(scope, out); err != nil {
		return nil, err
	}
	a := actions.Find(x.task.Action)
	template, variables := scope.Template, a != nil && a.Variables
	if variables {
		template = scope.Variable
	}
	if x.task.ArgsTemplate != nil {
		if !x.HideFacts { // else no host's facts are mistaken for the playbook's variables
			x.warn("Using a variable for a task's 'args' is unsafe in some situations (see https://docs.ansible.com/ansible/devel/reference_appendices/faq.html#argsplat-unsafe)")
		}
		v, err := template(x.task.ArgsTemplate)
		if err != nil {
			return nil, err
		}
		d, ok := v.(*jinja.Dict)
		if !ok {
			return nil, source.Errorf(x.task.ActionPos, "invalid or malformed argument: '%s'", jinja.Str(v))
		}
		setArguments(out, d)
	}
	for k, raw := range x.task.Args.All() {
		if variables {
			raw = x.task.Args.Typed(raw)
		}
		if k == "apply" && x.includes() { // what it says is templated where it applies
			continue
		}
		v, err := template(raw)
		if err != nil {
			return nil, err
		}
		setArgument(out, k, v)
	}
	return out, nil
}

func merge(into, from *jinja.Dict) {
	for k, v := range from.All() {
		if v, keep := withoutOmit(v); keep {
			into.Set(k, v)
		}
	}
}

func setArguments(args, from *jinja.Dict) {
	for k, v := range from.All() {
		setArgument(args, k, v)
	}
}

// setArgument sets an argument, or takes it away when it is omitted: as in
// Ansible, a default does not come back then.
func setArgument(args *jinja.Dict, k, v any) {
	if v, keep := withoutOmit(v); keep {
		args.Set(k, v)
	} else {
		args.Delete(k)
	}
}

// defaults puts module_defaults for the task's action into out: those of its
// groups, then its own. Of several for the same, the last is all that counts.
func (x *execution) defaults(scope *vars.Scope, out *jinja.Dict) error {
	ofGroups, own := jinja.NewDict(), jinja.NewDict()
	for _, k := range x.task.Chain("module_defaults") {
		v, err := scope.Template(k.Value)
		if err != nil {
			return err
		}
		for _, item := range asList(v) {
			d, _ := item.(*jinja.Dict)
			for name, args := range d.All() {
				given, _ := args.(*jinja.Dict)
				if group, ok := strings.CutPrefix(jinja.Str(name), "group/"); ok {
					ofGroups.Set(group, given)
				} else if x.pb.DefaultsAction(jinja.Str(name)) == x.task.Action {
					own = given
				}
			}
		}
	}
	for name, args := range ofGroups.All() {
		if x.pb.InGroup(x.task.Action, jinja.Str(name)) {
			setArguments(out, args.(*jinja.Dict))
		}
	}
	setArguments(out, own)
	return nil
}

// withoutOmit takes omitted values out of v, however deep; keep is false when
// v is one itself.
func withoutOmit(v any) (any, bool) {
	switch v := v.(type) {
	case string:
		return v, v != vars.Omit
	case jinja.Text:
		return v, v.Value != vars.Omit
	case *jinja.Dict:
		out := &jinja.Dict{Class: v.Class}
		for k, item := range v.All() {
			if item, keep := withoutOmit(item); keep {
				out.Set(k, item)
			}
		}
		return out, true
	case *jinja.List:
		out := &jinja.List{Class: v.Class}
		for _, item := range v.Items {
			if item, keep := withoutOmit(item); keep {
				out.Items = append(out.Items, item)
			}
		}
		return out, true
	}
	return v, true
}

// call is what the action gets of this task.
func (x *execution) call(scope *vars.Scope, s *settings, args *jinja.Dict) *actions.Call {
	return &actions.Call{
		Task: x.task, Args: args, Scope: scope, Host: x.host.Name, Dirs: scope.Dirs,
		Check: s.check, Diff: s.diff, Verbosity: x.Verbosity, Keys: x.Keys,
		Module: func(ctx context.Context, name string, args *jinja.Dict, files map[string]actions.File) (*jinja.Dict, error) {
			return x.module(ctx, scope, s, name, args, files)
		},
		Exec: func(ctx context.Context, command string, stdin io.Reader) (int, []byte, []byte, error) {
			conn, err := x.conn(ctx, scope, s)
			if err != nil {
				return 0, nil, nil, err
			}
			return conn.Exec(ctx, command, stdin)
		},
		NoAgent: func(err error) bool {
			var none *connection.NoAgent
			return errors.As(err, &none) && s.async == 0
		},
		Upload: func(ctx context.Context, name string, content io.Reader) (string, func() error, error) {
			if s.unnamed != nil {
				return "", nil, s.unnamed
			}
			conn, err := x.conn(ctx, scope, s)
			if err != nil {
				return "", nil, err
			}
			return conn.Upload(ctx, name, content)
		},
		Environment: s.environment,
		Reset: func() error {
			t, err := x.target(scope, s)
			if err == nil {
				x.pool.Reset(t)
			}
			return err
		},
		SplitPort: inventory.SplitPort, AddHost: x.addHost, GroupBy: x.groupBy, Warn: func(msg string) { x.warn("%s", msg) },
		Say: func(verbosity int, msg string) { x.tell(func(c Callback) { c.Verbose(verbosity, msg) }) },
	}
}

func (x *execution) conn(ctx context.Context, scope *vars.Scope, s *settings) (connection.Conn, error) {
	t, err := x.target(scope, s)
	if err != nil {
		return nil, err
	}
	return x.pool.Get(ctx, t)
}

// module runs a module on the host.
func (x *execution) module(ctx context.Context, scope *vars.Scope, s *settings, name string, args *jinja.Dict, files map[string]actions.File) (*jinja.Dict, error) {
	if s.unnamed != nil {
		return nil, s.unnamed
	}
	t, err := x.target(scope, s)
	if err != nil {
		return nil, err
	}
	conn, err := x.pool.Get(ctx, t)
	if err != nil {
		return nil, err
	}
	plain, _ := jinja.ToGo(args).(map[string]any)
	if user := removedUser(name, plain); user != "" && !s.check {
		x.pool.Leave(t, user)
	}
	environment, err := asyncEnvironment(scope, s, name)
	if err != nil {
		return nil, err
	}
	call := connection.Call{Module: name, Args: plain, Check: s.check, Diff: s.diff, Environment: environment, Timeout: s.timeout}
	if len(files) > 0 {
		call.Files = map[string]connection.File{}
		for n, f := range files {
			call.Files[n] = connection.File(f)
		}
	}
	run := conn.Module
	switch {
	case s.async > 0 && s.poll > 0 && len(files) > 0: // which no job can ask for
		call.Timeout = s.async
	case s.async > 0 && s.poll > 0:
		run = func(ctx context.Context, call connection.Call) (map[string]any, error) {
			return x.polled(ctx, conn, call, s)
		}
	case s.async > 0:
		call.Async = s.async
	}
	call.FindPython = x.wantsPython(s, name)
	result, err := run(ctx, call)
	if err != nil {
		return nil, err
	}
	if path, _ := result[connection.PythonKey].(string); path != "" {
		s.python = path
	}
	delete(result, connection.PythonKey)
	d := asGiven(name, result, args)
	jinja.SetClass(d, vars.UnsafeText)
	return d, nil
}

// asGiven is a module's result with its keys in the order in which Ansible
// gives them.
func asGiven(module string, result map[string]any, args *jinja.Dict) *jinja.Dict {
	m := modules.Find(module)
	failed := result["failed"] == true
	keys := m.ResultKeys(failed)
	if order, ok := result[modules.Order].([]any); ok {
		for _, k := range order {
			keys = append(keys, jinja.Str(k))
		}
		delete(result, modules.Order)
	}
	d, _ := jinja.FromGoOrdered(result, keys).(*jinja.Dict)
	if result["changed"] == false && !failed && m.ChangedLast() {
		d.Delete("changed")
		d.Set("failed", false)
		d.Set("changed", false)
	}
	if invocation, ok := result["invocation"].(map[string]any); ok {
		var given []string
		for k := range args.All() {
			given = append(given, jinja.Str(k))
		}
		d.Set("invocation", jinja.FromGoOrdered(invocation, m.ArgKeys(given)))
	}
	return d
}

// removedUser is whom a module is to remove, if any.
func removedUser(module string, args map[string]any) string {
	if module != "user" || args["state"] != "absent" {
		return ""
	}
	for _, key := range []string{"name", "user"} {
		if name, ok := args[key].(string); ok {
			return name
		}
	}
	return ""
}

// addHost will put a host into the inventory, for later plays.
func (x *execution) addHost(name string, groups []string, variables *jinja.Dict) {
	x.grow = func() (changed bool, err error) {
		x.mu.Lock()
		defer x.mu.Unlock()
		if changed, err = x.Inventory.AddHost(name, 0, vars.Data(variables), groups); changed && err == nil {
			x.learnHost(x.Inventory.Host(name))
		}
		return changed, err
	}
}

// groupBy will put this host into a group.
func (x *execution) groupBy(group string, parents []string) {
	x.grow = func() (changed bool, err error) {
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.Inventory.AddToGroup(x.host.Name, group, parents)
	}
}
