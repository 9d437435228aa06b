package runner

import (
	"cmp"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"time"

	"gplay/connection"
	"gplay/internal/source"
	"gplay/inventory"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/actions"
	"gplay/playbook/vars"
)

// settings are a task's keywords for one host and item, templated.
type settings struct {
	delegate          string // the host it runs on
	delegates         bool   // delegate_to names that, which may be its own
	delegateFacts     bool
	ignoreErrors      bool
	ignoreUnreachable bool
	noLog             bool
	check, diff       bool
	retries           int
	delay             time.Duration
	timeout           time.Duration
	async             time.Duration
	poll              time.Duration
	environment       map[string]string
	python            string // of the host, where it was just found
	// unnamed says that a variable of the environment has no text for a name,
	// with which no program runs on the host.
	unnamed error
	// vars are the variables of the host it runs on.
	vars *vars.Scope
}

// settings reads the keywords in Ansible's order. Without settings the fault is
// in one that comes before ignore_errors.
func (x *execution) settings(scope *vars.Scope) (*settings, error) {
	s := &settings{delegate: x.host.Name, vars: scope, retries: 3}
	read := x.keywords(scope)
	x.foremost(read)
	if read.err != nil {
		return nil, read.err
	}
	if err := x.environment(scope, s); err != nil {
		return nil, fieldFault("environment", err)
	}
	var yes bool
	read.bool("no_log", &s.noLog, false)
	read.bool("run_once", &yes, false)
	read.bool("ignore_errors", &s.ignoreErrors, false)
	read.bool("ignore_unreachable", &s.ignoreUnreachable, false)
	read.bool("check_mode", &s.check, x.Check)
	read.bool("diff", &s.diff, x.Diff)
	read.bool("any_errors_fatal", &yes, false)
	read.seconds("timeout", &s.timeout, 0)
	read.value("debugger")
	read.seconds("async", &s.async, 0)
	read.delay(&s.delay)
	read.bool("delegate_facts", &s.delegateFacts, false)
	for _, n := range x.task.Notify {
		read.template("notify", n)
	}
	read.seconds("poll", &s.poll, 15)
	read.int("retries", &s.retries)
	if read.err != nil {
		return s, read.err
	}
	return s, x.delegation(scope, s)
}

// foremost reads what Ansible reads before everything else: how to reach the
// host, as whom, and the task's name. As there, one that cannot be read is a
// fault of any task.
func (x *execution) foremost(read *keywordReader) {
	var yes bool
	var number int
	read.bool("become", &yes, false)
	for _, keyword := range []string{"become_exe", "become_flags", "become_method", "become_user", "connection", "remote_user"} {
		read.value(keyword)
	}
	if _, err := read.scope.Template(x.task.Name); err != nil && !isUndefined(err) && read.err == nil {
		read.err = err // what is undefined in a name stays as written
	}
	read.int("port", &number)
	for _, k := range x.task.Chain("module_defaults") {
		read.template("module_defaults", k.Value)
	}
}

// keywordReader reads keywords until one fails.
type keywordReader struct {
	chain func(keyword string) []playbook.Keyword
	scope *vars.Scope
	err   error
}

func (x *execution) keywords(scope *vars.Scope) *keywordReader {
	return &keywordReader{chain: x.task.Chain, scope: scope}
}

func (r *keywordReader) value(keyword string) (any, playbook.Keyword, bool) {
	for _, k := range slices.Backward(r.chain(keyword)) {
		if r.err != nil {
			break
		}
		v, err := r.scope.Template(k.Value)
		if err != nil {
			r.err = fieldFault(keyword, err)
			break
		}
		if v != vars.Omit { // else what is around it counts
			return v, k, v != nil
		}
	}
	return nil, playbook.Keyword{}, false
}

// template sees that what a keyword is written as can be templated.
func (r *keywordReader) template(keyword string, raw any) {
	if r.err != nil {
		return
	}
	if _, err := r.scope.Template(raw); err != nil {
		r.err = fieldFault(keyword, err)
	}
}

func (r *keywordReader) bool(keyword string, into *bool, otherwise bool) {
	*into = otherwise
	if v, k, ok := r.value(keyword); ok {
		if *into, r.err = asBool(v, keyword, k.Pos); r.err != nil || v == "" {
			r.fails(keyword, k, "yes or no", v, "bool", noBool(v))
		}
	}
}

func (r *keywordReader) int(keyword string, into *int) {
	if v, k, ok := r.value(keyword); ok {
		n, isInt := asInt(v)
		if *into = n; !isInt {
			r.fails(keyword, k, "a whole number", v, "int", noInt(v))
		}
	}
}

// fails notes that a keyword is not what is expected of it.
func (r *keywordReader) fails(keyword string, k playbook.Keyword, expected string, v any, kind, python string) {
	r.err = noKind(keyword, source.Errorf(k.Pos, "%s is %s; it must be %s", keyword, jinja.Repr(v), expected), k.Value, kind, python)
}

func (r *keywordReader) seconds(keyword string, into *time.Duration, otherwise int) {
	r.int(keyword, &otherwise)
	*into = time.Duration(otherwise) * time.Second
}

// delay reads that keyword, which may be less than a second since ansible-core 2.16.
func (r *keywordReader) delay(into *time.Duration) {
	n := 5.0
	if v, k, ok := r.value("delay"); ok {
		var err error
		if n, err = asFloat(v, "delay", k.Pos); err != nil {
			r.fails("delay", k, "a number", v, "int", noInt(v))
		}
	}
	*into = time.Duration(n * float64(time.Second))
}

// number reads a keyword that is of a kind of Ansible's: float or percent.
func (r *keywordReader) number(keyword, kind string, into *float64) {
	v, k, ok := r.value(keyword)
	if !ok {
		return
	}
	n, err := asFloat(v, keyword, k.Pos)
	if *into = n; err != nil {
		r.fails(keyword, k, "a number", v, kind, noFloat(v))
	}
}

// texts sees that a keyword is a text or a list of them.
func (r *keywordReader) texts(keyword string) {
	v, k, _ := r.value(keyword)
	for _, item := range asList(v) {
		if isText(item) {
			continue
		}
		r.err = source.Errorf(k.Pos, "the field '%s' should be a list of texts, but the item %s is none", keyword, jinja.Repr(item))
	}
}

func (r *keywordReader) text(keyword string, into *string) {
	if v, _, ok := r.value(keyword); ok {
		*into = jinja.Str(v)
	}
}

func (x *execution) keywordBool(scope *vars.Scope, keyword string, otherwise bool) (bool, error) {
	r := x.keywords(scope)
	var b bool
	r.bool(keyword, &b, otherwise)
	return b, r.err
}

// environment merges the environments of play, blocks and task.
func (x *execution) environment(scope *vars.Scope, s *settings) error {
	for _, k := range x.task.Chain("environment") {
		for _, raw := range asList(k.Value) {
			v, err := environmentOf(scope, raw)
			if err != nil {
				return err
			}
			d, ok := v.(*jinja.Dict)
			if !ok {
				if v != vars.Omit && v != "" {
					x.warn("could not parse environment value, skipping: %s", jinja.Repr(v))
				}
				continue
			}
			for name, value := range d.All() {
				if s.environment == nil {
					s.environment = map[string]string{}
				}
				s.environment[jinja.Str(name)] = jinja.Str(value)
				if !isText(name) {
					fault := source.Errorf(k.Pos, "the environment has a variable whose name is %s; names must be text, in quotes", jinja.Repr(name))
					fault.Known = unforeseen + "keywords must be strings"
					s.unnamed = actions.Unrunnable{Err: fault}
				}
			}
		}
	}
	return nil
}

// environmentOf templates what an environment is written as. As in Ansible,
// variables that want ansible_env before there is one are left out.
func environmentOf(scope *vars.Scope, raw any) (any, error) {
	d, ok := raw.(*jinja.Dict)
	if !ok {
		return scope.Template(raw)
	}
	out := jinja.NewDict()
	for name, value := range d.All() {
		v, err := scope.Template(value)
		var undefined *vars.Undefined
		if errors.As(err, &undefined) && strings.Contains(undefined.Error(), "'ansible_env'") {
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Set(name, v)
	}
	return out, nil
}

// delegation resolves delegate_to: the host that the task runs on and the
// variables that say how to reach it.
func (x *execution) delegation(scope *vars.Scope, s *settings) error {
	k, ok := x.task.Inherited("delegate_to")
	if !ok {
		return nil
	}
	v, err := scope.Template(k.Value)
	if err != nil {
		s.delegate = conditionText(k.Value)
		return fieldFault("delegate_to", err)
	}
	if v == nil || v == vars.Omit || v == "" {
		return nil
	}
	switch v.(type) {
	case *jinja.List, *jinja.Dict: // which templates give where they keep types
		e := source.Errorf(k.Pos, "delegate_to is %s; it must be the name of a host", jinja.Repr(v))
		e.Known = fmt.Sprintf("the field 'delegate_to' has an invalid type (<class '%s'>), and could not be converted to a string type.", jinja.TypeName(v))
		return e
	}
	s.delegate, s.delegates = jinja.Str(v), true
	if s.delegate == x.host.Name {
		return nil
	}
	host := x.reach(s.delegate)
	s.vars = x.playRun.scope(x.ctx, x.task, host)
	return nil
}

// reach is a host to delegate to; one that is not in the inventory is reached
// by its name.
func (p *playRun) reach(name string) *inventory.Host {
	if h := p.Inventory.Host(name); h != nil {
		return h
	}
	return &inventory.Host{Name: name, Vars: jinja.NewDict(), Implicit: true}
}

// target says how to reach the host that the task runs on, as whom.
func (x *execution) target(scope *vars.Scope, s *settings) (connection.Target, error) {
	o := x.Connection
	t := connection.Target{
		Host: s.delegate, User: o.User, Password: o.Password, KeyFile: o.KeyFile,
		HostKeyChecking: x.HostKeyChecking, Timeout: o.Timeout,
	}
	read := x.keywords(scope)
	read.text("remote_user", &t.User)
	if s.vars == scope {
		read.int("port", &t.Port)
	}
	common, extra := o.CommonArgs, o.ExtraArgs
	from := varReader{scope: s.vars}
	t.Transport = transport(x.plugin(read, &from))
	from.text(&t.Host, "ansible_host", "ansible_ssh_host")
	from.text(&t.User, "ansible_user", "ansible_ssh_user")
	from.text(&t.Password, "ansible_password", "ansible_ssh_pass", "ansible_ssh_password")
	from.text(&t.KeyFile, "ansible_ssh_private_key_file", "ansible_private_key_file")
	from.text(&common, "ansible_ssh_common_args")
	from.text(&extra, "ansible_ssh_extra_args", "ansible_ssh_args")
	from.int(&t.Port, "ansible_port", "ansible_ssh_port")
	from.seconds(&t.Timeout, "ansible_timeout", "ansible_ssh_timeout")
	var checking string
	if from.text(&checking, "ansible_host_key_checking", "ansible_ssh_host_key_checking"); checking != "" {
		yes, err := asBool(checking, "ansible_host_key_checking", source.Pos{})
		if from.err = err; !yes {
			t.HostKeyChecking = "false"
		}
	}
	t.SSHArgs = joinArgs(common, extra)
	on, become := x.become(read, &from)
	x.keepSecret(t, become)
	if on && (x.Connection.BecomeSameUser || !isSameUser(t, become)) {
		t.Become = become
	}
	switch {
	case read.err != nil:
		return t, read.err
	case from.err != nil:
		return t, from.err
	}
	return t, nil
}

// isSameUser reports whether a task is to become the user that it is anyway:
// as in Ansible it does without sudo then, which need not be there. A user that
// only ssh's configuration names is not known.
func isSameUser(t connection.Target, become connection.Become) bool {
	name := t.User
	if t.Transport == "local" {
		name = ""
		if me, err := user.Current(); err == nil {
			name = me.Username
		}
	}
	return name != "" && name == cmp.Or(become.User, "root")
}

// plugin is the connection plugin that the task is to use.
func (x *execution) plugin(read *keywordReader, from *varReader) string {
	name := cmp.Or(x.Connection.Transport, "smart")
	read.text("connection", &name)
	from.text(&name, "ansible_connection")
	return name
}

// checkConnection refuses a connection plugin that there is not, whether or not
// the task connects to a host.
func (x *execution) checkConnection(scope *vars.Scope, s *settings) error {
	read, from := x.keywords(scope), varReader{scope: s.vars}
	name := x.plugin(read, &from)
	switch {
	case from.err != nil:
		return fieldFault("connection", from.err)
	case !isConnection(name):
		return fmt.Errorf("the connection plugin '%s' was not found", name)
	}
	return read.err
}

// connectionPlugins are the plugins that Ansible has, or finds in a collection
// though they are named without it.
var connectionPlugins = strings.Fields("aws_ssm buildah chroot docker funcd httpapi iocage jail kubectl libvirt_lxc local lxc lxd napalm netconf network_cli oc " +
	"paramiko paramiko_ssh persistent podman psrp qubes saltstack smart ssh vmware_tools winrm zone")

// isConnection reports whether there is a connection plugin of a name. Of those
// of collections that is not known.
func isConnection(name string) bool {
	name = playbook.Builtin(name)
	return strings.Count(name, ".") > 1 || slices.Contains(connectionPlugins, name)
}

// checkBecome refuses a method to become somebody that there is not, whether or
// not the task connects to a host.
func (x *execution) checkBecome(scope *vars.Scope, s *settings) error {
	from := varReader{scope: s.vars}
	if on, become := x.become(x.keywords(scope), &from); on && !become.Known() {
		return fmt.Errorf("Invalid become method specified, could not find matching plugin: '%s'. Use `ansible-doc -t become -l` to list available plugins.", become.Method)
	}
	return nil
}

// keepSecret tells of the target's passwords. One that is a user's name is no
// secret, and hiding it would hide the user.
func (x *execution) keepSecret(t connection.Target, become connection.Become) {
	for _, password := range []string{t.Password, become.Password, x.Connection.Password, x.Connection.BecomePassword} {
		switch password {
		case "", "root", t.User, become.User:
			continue
		}
		if x.Secret != nil {
			x.Secret(password)
		}
	}
}

func joinArgs(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

// transport gives the connection plugin's name as gplay knows it.
func transport(name string) string {
	switch name = playbook.Builtin(name); name {
	case "smart", "paramiko", "paramiko_ssh":
		return "ssh"
	case "community.docker.docker", "community.docker.docker_api":
		return "docker"
	}
	return name
}

// become reads who the task is to be. Variables win over keywords, keywords
// over the command line.
func (x *execution) become(read *keywordReader, from *varReader) (on bool, b connection.Become) {
	b = connection.Become{Method: x.Connection.BecomeMethod, User: x.Connection.BecomeUser, Password: x.Connection.BecomePassword}
	read.bool("become", &on, x.Connection.Become)
	read.text("become_method", &b.Method)
	read.text("become_user", &b.User)
	read.text("become_flags", &b.Flags)
	read.text("become_exe", &b.Exe)
	from.bool(&on, "ansible_become")
	from.text(&b.Method, "ansible_become_method")
	b.Method = becomeMethod(b.Method)
	old := "ansible_" + b.Method + "_"
	from.text(&b.User, "ansible_become_user", old+"user")
	from.text(&b.Password, "ansible_become_password", "ansible_become_pass", old+"pass", old+"password")
	from.text(&b.Flags, "ansible_become_flags", old+"flags")
	from.text(&b.Exe, "ansible_become_exe", old+"exe")
	return on, b
}

// becomeMethod gives the become plugin's name as gplay knows it.
func becomeMethod(name string) string {
	switch name {
	case "":
		return "sudo"
	case "community.general.doas":
		return "doas"
	}
	return playbook.Builtin(name)
}

// varReader reads connection variables until one fails.
type varReader struct {
	scope *vars.Scope
	err   error
}

func (r *varReader) value(names []string) (any, bool) {
	for _, name := range names {
		v, ok, err := r.scope.Setting(name)
		if err != nil && r.err == nil {
			r.err = err
		}
		if ok && err == nil && v != nil && v != vars.Omit {
			return v, true
		}
	}
	return nil, false
}

func (r *varReader) text(into *string, names ...string) {
	if v, ok := r.value(names); ok {
		*into = jinja.Str(v)
	}
}

func (r *varReader) int(into *int, names ...string) {
	if v, ok := r.value(names); ok {
		n, isInt := asInt(v)
		if *into = n; !isInt && r.err == nil {
			r.err = source.Errorf(source.Pos{}, "%s is %s; it must be a whole number", names[0], jinja.Repr(v))
		}
	}
}

func (r *varReader) bool(into *bool, name string) {
	if v, ok := r.value([]string{name}); ok {
		b, err := asBool(v, name, source.Pos{})
		if *into = b; r.err == nil {
			r.err = err
		}
	}
}

func (r *varReader) seconds(into *time.Duration, names ...string) {
	if v, ok := r.value(names); ok {
		n, err := asFloat(v, names[0], source.Pos{})
		if *into = time.Duration(n * float64(time.Second)); r.err == nil {
			r.err = err
		}
	}
}
