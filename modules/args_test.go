package modules

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"gplay/modules/host"
)

type sampleArgs struct {
	Path    string            `arg:"path" alias:"dest,name" type:"path" required:"true" doc:"p"`
	State   string            `arg:"state" choices:"absent,present,no" doc:"s"`
	Text    string            `arg:"text" doc:"t"`
	Count   int               `arg:"count" doc:"c"`
	Maybe   *int              `arg:"maybe" doc:"m"`
	Ratio   float64           `arg:"ratio" doc:"r"`
	On      bool              `arg:"on" doc:"o"`
	List    []string          `arg:"list" doc:"l"`
	Numbers []int             `arg:"numbers" doc:"n"`
	Dict    map[string]any    `arg:"dict" doc:"d"`
	Texts   map[string]string `arg:"texts" doc:"d"`
	Size    int               `arg:"size" type:"bytes" doc:"s"`
	JSON    string            `arg:"json" type:"json" doc:"j"`
	Raw     any               `arg:"raw" doc:"r"`
	Mode    Mode              `arg:"mode" doc:"m"`
	Ports   []portArgs        `arg:"ports" doc:"p"`
	Secret  string            `arg:"secret" secret:"true" doc:"s"`
	Inner   string            `arg:"_inner" doc:"i"`
	sampleEmbedded
}

type sampleEmbedded struct {
	Owner string `arg:"owner" doc:"o"`
}

type portArgs struct {
	Port     int    `arg:"port" alias:"number" required:"true" doc:"p"`
	Protocol string `arg:"protocol" choices:"tcp,udp" default:"tcp" doc:"p"`
	Token    string `arg:"token" secret:"true" doc:"t"`
}

// sample gives its arguments to got.
func sample(got *sampleArgs) *Module {
	run := func(_ context.Context, _ *Call, a sampleArgs) (Result, error) {
		*got = a
		return Result{"echo": "it is " + a.Secret, "same": a.Secret, a.Text: 1}, nil
	}
	return define("sample", "for tests", sampleArgs{State: "present", Count: 3}, run).
		freeForm("text").exclusive("count", "maybe").requiredIf("state", "absent", "list").
		together("ratio", "size").requiredBy("raw", "json")
}

func TestArguments(t *testing.T) {
	env := &host.Local{Env: []string{"HOME=/home/me", "SUB=below"}}
	one := 1
	tests := []struct {
		name string
		args map[string]any
		want sampleArgs
	}{
		{"defaults", map[string]any{}, sampleArgs{}},
		{"null is not given", map[string]any{"state": nil, "maybe": nil, "list": nil}, sampleArgs{}},
		{"home and variables", map[string]any{"name": "~/$SUB/${SUB}/$UNSET"}, sampleArgs{Path: "/home/me/below/below/$UNSET"}},
		{"free text", map[string]any{"_raw_params": "a b"}, sampleArgs{Text: "a b"}},
		{"text of an int", map[string]any{"text": 5}, sampleArgs{Text: "5"}},
		{"text of a bool", map[string]any{"text": true}, sampleArgs{Text: "True"}},
		{"text of a float", map[string]any{"text": 1.0}, sampleArgs{Text: "1.0"}},
		{"text of a list", map[string]any{"text": []any{"a", "it's", nil, 1.5, map[string]any{"k": false}}}, sampleArgs{Text: `['a', "it's", None, 1.5, {'k': False}]`}},
		{"int of text", map[string]any{"count": " 1_000 "}, sampleArgs{Count: 1000}},
		{"int of the wire", map[string]any{"count": int64(7)}, sampleArgs{Count: 7}},
		{"int of a bool", map[string]any{"count": true}, sampleArgs{Count: 1}},
		{"pointer", map[string]any{"maybe": "1"}, sampleArgs{Maybe: &one}},
		{"float", map[string]any{"ratio": "2.5", "size": 1}, sampleArgs{Ratio: 2.5, Size: 1}},
		{"yes", map[string]any{"on": "YES"}, sampleArgs{On: true}},
		{"one", map[string]any{"on": 1}, sampleArgs{On: true}},
		{"off", map[string]any{"on": "off"}, sampleArgs{}},
		{"list of text", map[string]any{"list": "a, b"}, sampleArgs{List: []string{"a", " b"}}},
		{"list of an int", map[string]any{"list": 5}, sampleArgs{List: []string{"5"}}},
		{"elements", map[string]any{"numbers": "1,2"}, sampleArgs{Numbers: []int{1, 2}}},
		{"dict of JSON", map[string]any{"dict": `{"a": [1]}`}, sampleArgs{Dict: map[string]any{"a": []any{1}}}},
		{"dict of words", map[string]any{"dict": `a=1, b="x y" c=\,`}, sampleArgs{Dict: map[string]any{"a": "1", "b": "x y", "c": ","}}},
		{"texts", map[string]any{"texts": map[string]any{"a": 1, "b": true}}, sampleArgs{Texts: map[string]string{"a": "1", "b": "True"}}},
		{"bytes", map[string]any{"size": "1.5 MB", "ratio": 0}, sampleArgs{Size: 3 << 19}},
		{"json of data", map[string]any{"json": []any{1, "ü", nil}}, sampleArgs{JSON: `[1, "\u00fc", null]`}},
		{"json of text", map[string]any{"json": " {} "}, sampleArgs{JSON: "{}"}},
		{"choice of a YAML bool", map[string]any{"state": false}, sampleArgs{State: "no"}},
		{"suboptions", map[string]any{"ports": []any{map[string]any{"number": "80"}}}, sampleArgs{Ports: []portArgs{{Port: 80, Protocol: "tcp"}}}},
		{"embedded", map[string]any{"owner": 0}, sampleArgs{sampleEmbedded: sampleEmbedded{"0"}}},
		{"of the action", map[string]any{"_inner": "x"}, sampleArgs{Inner: "x"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			args := map[string]any{"path": "/p"}
			for k, v := range test.args {
				args[k] = v
			}
			if args["name"] != nil {
				delete(args, "path")
			}
			var got sampleArgs
			result := sample(&got).Run(context.Background(), env, env, nil, false, false, args)
			if result["failed"] != nil {
				t.Fatal(result["msg"])
			}
			want := test.want
			if want.Path == "" {
				want.Path = "/p"
			}
			if want.State == "" {
				want.State = "present"
			}
			if test.args["count"] == nil {
				want.Count = 3
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestWrongArguments(t *testing.T) {
	path := func(more ...any) map[string]any {
		args := map[string]any{"path": "/p"}
		for i := 0; i < len(more); i += 2 {
			args[more[i].(string)] = more[i+1]
		}
		return args
	}
	tests := []struct {
		args             map[string]any
		arg, short, hint string
	}{
		{path("stat", 1), "stat", `unknown argument "stat"`, `did you mean "state"?`},
		{path("_inner", 1), "_inner", `unknown argument "_inner"`, `did you mean "owner"?`},
		{map[string]any{}, "", "missing required arguments: path", ""},
		{path("state", "foo"), "state", "value of state must be one of: absent, present, no, got: foo", ""},
		{path("count", "x"), "count", "argument 'count' is of type <class 'str'> and we were unable to convert to int: <class 'str'> cannot be converted to an int", ""},
		{path("count", 1.5), "count", "argument 'count' is of type <class 'float'> and we were unable to convert to int: <class 'float'> cannot be converted to an int", ""},
		{path("on", "maybe"), "on", "argument 'on' is of type <class 'str'> and we were unable to convert to bool: The value 'maybe' is not a valid boolean. Valid booleans include: yes, on, true, 1, no, off, false, 0", ""},
		{path("list", map[string]any{}), "list", "argument 'list' is of type <class 'dict'> and we were unable to convert to list: <class 'dict'> cannot be converted to a list", ""},
		{path("numbers", "1,x"), "numbers", "Elements value for option 'numbers' is of type <class 'str'> and we were unable to convert to int: <class 'str'> cannot be converted to an int", ""},
		{path("dict", "x"), "dict", "argument 'dict' is of type <class 'str'> and we were unable to convert to dict: dictionary requested, could not parse JSON or key=value", ""},
		{path("mode", "u+q"), "mode", "mode must be in octal or symbolic form: bad symbolic permission for mode: u+q", ""},
		{path("ports", []any{map[string]any{}}), "ports", "missing required arguments: port found in ports", ""},
		{path("ports", []any{map[string]any{"port": 1, "protokol": 1}}), "ports", "Unsupported parameters for ports: protokol. Supported parameters include: port (number), protocol, token.", ""},
		{path("ports", []any{map[string]any{"port": 1, "protocol": "x"}}), "ports", "value of ports.protocol must be one of: tcp, udp, got: x", ""},
		{path("count", 1, "maybe", 2), "", "parameters are mutually exclusive: count|maybe", ""},
		{path("state", "absent"), "", "state is absent but all of the following are missing: list", ""},
		{path("size", 1), "", "parameters are required together: ratio, size", ""},
		{path("raw", 1), "", "missing parameter(s) required by 'raw': json", ""},
	}
	for _, test := range tests {
		err := sample(&sampleArgs{}).Check(test.args)
		var a *ArgumentError
		if !errors.As(err, &a) {
			t.Errorf("%v: got %v", test.args, err)
			continue
		}
		if a.Arg != test.arg || a.Short != test.short || a.Hint != test.hint {
			t.Errorf("%v:\n got %q %q %q\nwant %q %q %q", test.args, a.Arg, a.Short, a.Hint, test.arg, test.short, test.hint)
		}
	}
}

// template stands for what is no plain data yet.
type template struct{}

func TestCheckLeavesTemplates(t *testing.T) {
	args := map[string]any{
		"path": template{}, "state": template{}, "count": template{}, "list": []any{"a", template{}},
		"ports": []any{map[string]any{"port": template{}}},
	}
	if err := sample(&sampleArgs{}).Check(args); err != nil {
		t.Error(err)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	var got sampleArgs
	local := &host.Local{}
	r := sample(&got).Run(context.Background(), local, local, nil, false, false, map[string]any{
		"path": "/p", "secret": "hunter2", "text": "x",
		"ports": []any{map[string]any{"port": 1, "token": "t0k3n"}},
	})
	if got.Secret != "hunter2" || got.Ports[0].Token != "t0k3n" {
		t.Errorf("the module got %+v", got)
	}
	if r["echo"] != "it is ********" || r["same"] != hidden {
		t.Errorf("got %v and %v", r["echo"], r["same"])
	}
	if text := pyRepr(r); strings.Contains(text, "hunter2") || strings.Contains(text, "t0k3n") || !strings.Contains(text, hidden) {
		t.Errorf("the result is %s", text)
	}
}

func TestPanicIsAFailure(t *testing.T) {
	m := define("broken", "for tests", struct{}{}, func(context.Context, *Call, struct{}) (Result, error) { panic("no") })
	local := &host.Local{}
	r := m.Run(context.Background(), local, local, nil, false, false, nil)
	if r["failed"] != true || r["msg"] != "a fault in gplay's module broken: no" {
		t.Errorf("got %v", r)
	}
}

func TestCheckModeChangesNothing(t *testing.T) {
	called := false
	m := define("writer", "for tests", struct{}{}, func(_ context.Context, c *Call, _ struct{}) (Result, error) {
		return nil, c.Change(Diff{"x", "a", "b"}, func(host.Writer) error { called = true; return nil })
	})
	local := &host.Local{}
	r := m.Run(context.Background(), local, local, nil, true, true, nil)
	want := map[string]any{"before": "a", "after": "b", "before_header": "x", "after_header": "x"}
	if called || r["changed"] != true || !reflect.DeepEqual(r["diff"], want) {
		t.Errorf("called: %v, result %v", called, r)
	}
}
