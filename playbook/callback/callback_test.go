package callback

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/runner"
)

// run shows what fn tells, as one text for each stream.
func run(t *testing.T, name string, o Options, fn func(c runner.Callback)) (out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	o.Out, o.Err, o.DiffContext = &stdout, &stderr, 3
	c, err := New(name, o)
	if err != nil {
		t.Fatal(err)
	}
	fn(c)
	return stdout.String(), stderr.String()
}

func dict(pairs ...any) *jinja.Dict { return jinja.NewDict(pairs...) }

var (
	command = &runner.TaskInfo{Task: &playbook.Task{}, Name: "command", Action: "command", UUID: "1", Pos: source.Pos{File: "/x/p.yml", Line: 8, Col: 7}}
	debug   = &runner.TaskInfo{Task: &playbook.Task{}, Name: "web : debug", Action: "debug", UUID: "2"}
	include = &runner.TaskInfo{Task: &playbook.Task{}, Name: "include_tasks", Action: "include_tasks", UUID: "3"}
)

func result(task *runner.TaskInfo, s runner.Status, data *jinja.Dict) *runner.Result {
	return &runner.Result{Task: task, Host: "a", Status: s, Data: data}
}

func item(r *runner.Result, label string) *runner.Result {
	r.Loop, r.Label = true, label
	return r
}

// The texts are what ansible-playbook 2.14 printed for such results.
func TestResults(t *testing.T) {
	failed := func() *runner.Result { return result(command, runner.Failed, dict("rc", 1, "changed", true)) }
	noLog := &runner.TaskInfo{Name: "secret", Action: "command", UUID: "4", NoLog: true}
	tests := []struct {
		name      string
		verbosity int
		tell      func(c runner.Callback)
		want      string
	}{
		{"ok", 0, func(c runner.Callback) { c.Result(result(command, runner.OK, dict("rc", 0))) }, "ok: [a]\n"},
		{"changed", 0, func(c runner.Callback) { c.Result(result(command, runner.Changed, dict("rc", 0))) }, "changed: [a]\n"},
		{"changed, -v", 1, func(c runner.Callback) {
			c.Result(result(command, runner.Changed, dict("rc", 0, "cmd", jinja.NewList("echo", "é\"\x01"), "changed", true, "invocation", dict(), "diff", "x")))
		}, `changed: [a] => {"changed": true, "cmd": ["echo", "é\"\u0001"], "rc": 0}` + "\n"},
		{"ok, -vvv", 3, func(c runner.Callback) {
			c.Result(result(command, runner.OK, dict("rc", 0, "l", jinja.NewList(), "d", dict(), "invocation", dict("x", nil))))
		}, "ok: [a] => {\n    \"d\": {},\n    \"invocation\": {\n        \"x\": null\n    },\n    \"l\": [],\n    \"rc\": 0\n}\n"},
		{"skipped", 0, func(c runner.Callback) { c.Result(result(command, runner.Skipped, dict("changed", false))) }, "skipping: [a]\n"},
		{"skipped, -v", 1, func(c runner.Callback) {
			c.Result(result(command, runner.Skipped, dict("changed", false, "skip_reason", "Conditional result was False")))
		}, `skipping: [a] => {"changed": false, "skip_reason": "Conditional result was False"}` + "\n"},
		{"no items, -v", 1, func(c runner.Callback) {
			c.Result(result(command, runner.Skipped, dict("changed", false, "results", jinja.NewList(), "skipped_reason", "No items in the list")))
		}, `skipping: [a] => {"changed": false, "skipped_reason": "No items in the list"}` + "\n"},
		{"failed", 0, func(c runner.Callback) { c.Result(failed()) }, `fatal: [a]: FAILED! => {"changed": true, "rc": 1}` + "\n"},
		{"ignored", 0, func(c runner.Callback) { r := failed(); r.Ignored = true; c.Result(r) },
			`fatal: [a]: FAILED! => {"changed": true, "rc": 1}` + "\n...ignoring\n"},
		{"unreachable", 0, func(c runner.Callback) {
			c.Result(result(command, runner.Unreachable, dict("msg", "no", "unreachable", true, "changed", false)))
		}, `fatal: [a]: UNREACHABLE! => {"changed": false, "msg": "no", "unreachable": true}` + "\n"},
		{"items", 0, func(c runner.Callback) {
			c.ItemResult(item(result(command, runner.Changed, dict("item", 1)), "1"))
			c.ItemResult(item(result(command, runner.OK, dict("item", 2)), "2"))
			c.ItemResult(item(result(command, runner.Skipped, dict("item", 3)), "3"))
			c.ItemResult(item(result(command, runner.Failed, dict("item", 4, "ansible_loop_var", "item")), "4"))
			r := item(result(command, runner.Failed, dict("results", jinja.NewList())), "")
			r.Ignored = true
			c.Result(r)
		}, "changed: [a] => (item=1)\nok: [a] => (item=2)\nskipping: [a] => (item=3) \n" +
			`failed: [a] (item=4) => {"ansible_loop_var": "item", "item": 4}` + "\n...ignoring\n"},
		{"items, -v", 1, func(c runner.Callback) {
			c.ItemResult(item(result(command, runner.Skipped, dict("item", 1)), "1"))
			c.Result(item(result(command, runner.Skipped, dict("changed", false, "msg", "All items skipped", "results", jinja.NewList())), ""))
		}, `skipping: [a] => (item=1)  => {"item": 1}` + "\n" + `skipping: [a] => {"changed": false, "msg": "All items skipped"}` + "\n"},
		{"no_log", 0, func(c runner.Callback) {
			censored := func() *jinja.Dict { return dict("censored", "hidden", "changed", true) }
			c.TaskStart(noLog)
			c.ItemResult(item(result(noLog, runner.Changed, censored()), "secret"))
			c.Result(item(result(noLog, runner.Changed, censored()), ""))
			c.Result(result(noLog, runner.Failed, censored()))
		}, "\nTASK [secret] " + strings.Repeat("*", 66) + "\nchanged: [a] => (item=None)\nchanged: [a]\n" +
			`fatal: [a]: FAILED! => {"censored": "hidden", "changed": true}` + "\n"},
		{"debug", 0, func(c runner.Callback) {
			c.TaskStart(debug)
			c.Result(result(debug, runner.OK, dict("_ansible_verbose_always", true, "msg", "hi", "changed", false, "failed", false)))
			c.Result(result(debug, runner.OK, dict("_ansible_verbose_always", true, "x.y", 1, "changed", false, "failed", false)))
			c.ItemResult(item(result(debug, runner.OK, dict("_ansible_verbose_always", true, "msg", dict("a", 1), "item", 1, "ansible_loop_var", "item")), "L1"))
		}, "\nTASK [web : debug] " + strings.Repeat("*", 61) + "\nok: [a] => {\n    \"msg\": \"hi\"\n}\nok: [a] => {\n    \"x.y\": 1\n}\n" +
			"ok: [a] => (item=L1) => {\n    \"msg\": {\n        \"a\": 1\n    }\n}\n"},
		{"shown without -v", 0, func(c runner.Callback) {
			c.Result(result(command, runner.Failed, dict("msg", "Assertion failed", verboseAlways, true)))
		}, "fatal: [a]: FAILED! => {\n    \"msg\": \"Assertion failed\"\n}\n"},
		{"facts are not shown", 1, func(c runner.Callback) {
			c.Result(result(&runner.TaskInfo{Action: "setup", UUID: "1"}, runner.OK, dict("ansible_facts", dict("x", 1))))
		}, "ok: [a]\n"},
		{"delegated", 0, func(c runner.Callback) {
			r := result(command, runner.Changed, dict())
			r.Delegated = "localhost"
			c.Result(r)
			r.Data.Set("_ansible_delegated_vars", dict("ansible_host", "10.0.0.1"))
			c.Result(r)
		}, "changed: [a -> localhost]\nchanged: [a -> localhost(10.0.0.1)]\n"},
		{"retry", 0, func(c runner.Callback) {
			task := *command
			task.Name, task.Title = "web : wait", "wait"
			r := result(&task, runner.Failed, dict("rc", 1))
			r.Left = 3
			c.Retry(r)
		}, "FAILED - RETRYING: [a]: wait (3 retries left).\n"},
		{"include", 0, func(c runner.Callback) {
			c.TaskStart(include)
			c.Result(result(include, runner.OK, dict("include", "inc.yml")))
			c.Included(include, "/x/inc.yml", []string{"a", "b"}, "")
			c.Included(include, "/x/inc.yml", []string{"a"}, "1")
		}, "\nTASK [include_tasks] " + strings.Repeat("*", 59) + "\nincluded: /x/inc.yml for a, b\nincluded: /x/inc.yml for a => (item=1)\n"},
		{"task path, handler notified", 2, func(c runner.Callback) {
			c.TaskStart(command)
			c.Notified("h", "a")
		}, "\nTASK [command] " + strings.Repeat("*", 65) + "\ntask path: /x/p.yml:8\nNOTIFIED HANDLER h for a\n"},
		{"a banner again", 0, func(c runner.Callback) {
			c.TaskStart(debug)
			c.Result(result(command, runner.OK, dict()))
		}, "\nTASK [web : debug] " + strings.Repeat("*", 61) + "\n\nTASK [command] " + strings.Repeat("*", 65) + "\nok: [a]\n"},
	}
	for _, tt := range tests {
		got, errs := run(t, "default", Options{Verbosity: tt.verbosity}, func(c runner.Callback) {
			c.(*standard).shownTask = "1"
			tt.tell(c)
		})
		if got != tt.want || errs != "" {
			t.Errorf("%s: got\n%s%s\nwant\n%s", tt.name, got, errs, tt.want)
		}
	}
}

func TestHeadlines(t *testing.T) {
	got, _ := run(t, "default", Options{Verbosity: 2}, func(c runner.Callback) {
		c.PlaybookStart(&playbook.Playbook{File: "/x/p.yml", Plays: make([]*playbook.Play, 3)})
		c.PlayStart(&runner.PlayInfo{Name: "a,b", Lockstep: true})
		c.PlayStart(&runner.PlayInfo{Name: "名前", Lockstep: true})
		c.PlayStart(&runner.PlayInfo{Name: strings.Repeat("x", 90), Lockstep: true})
		c.NoHostsMatched(&runner.PlayInfo{})
		c.NoHostsRemaining(&runner.PlayInfo{})
		c.TaskStart(&runner.TaskInfo{Name: "h", Handler: true})
	})
	want := "\nPLAYBOOK: p.yml ****************************************************************\n" +
		"\nPLAY [a,b] *********************************************************************\n" +
		"\nPLAY [名前] " + strings.Repeat("*", 68) + "\n" +
		"\nPLAY [" + strings.Repeat("x", 90) + "] ***\n" +
		"skipping: no hosts matched\n" +
		"\nNO MORE HOSTS LEFT *************************************************************\n" +
		"\nRUNNING HANDLER [h] ************************************************************\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRecap(t *testing.T) {
	stats := &runner.Stats{Hosts: []string{"a", "c"}, Counts: map[string]*runner.Counts{
		"a": {OK: 29, Changed: 12, Skipped: 3, Rescued: 1, Ignored: 6},
		"c": {Unreachable: 1},
	}, Custom: map[string]*jinja.Dict{"": dict("k", 2)}}
	plain, _ := run(t, "default", Options{CustomStats: true}, func(c runner.Callback) { c.Stats(stats) })
	want := `
PLAY RECAP *********************************************************************
a                          : ok=29   changed=12   unreachable=0    failed=0    skipped=3    rescued=1    ignored=6   
c                          : ok=0    changed=0    unreachable=1    failed=0    skipped=0    rescued=0    ignored=0   


CUSTOM STATS: ******************************************************************

` + "\tRUN: { \"k\": 2}\n\n"
	if plain != want {
		t.Errorf("got\n%s\nwant\n%s", plain, want)
	}
	colored, _ := run(t, "default", Options{Color: true}, func(c runner.Callback) { c.Stats(stats) })
	want = "\nPLAY RECAP *********************************************************************\n" +
		"\x1b[0;33ma\x1b[0m                          : \x1b[0;32mok=29  \x1b[0m \x1b[0;33mchanged=12  \x1b[0m unreachable=0    failed=0    \x1b[0;36mskipped=3   \x1b[0m \x1b[0;32mrescued=1   \x1b[0m \x1b[1;35mignored=6   \x1b[0m\n" +
		"\x1b[0;31mc\x1b[0m                          : ok=0    changed=0    \x1b[1;31munreachable=1   \x1b[0m failed=0    skipped=0    rescued=0    ignored=0   \n\n"
	if colored != want {
		t.Errorf("got\n%q\nwant\n%q", colored, want)
	}
}

func TestColors(t *testing.T) {
	got, _ := run(t, "default", Options{Color: true}, func(c runner.Callback) {
		c.(*standard).shownTask = "2"
		c.Result(result(debug, runner.OK, dict("_ansible_verbose_always", true, "msg", "hello")))
	})
	want := "\x1b[0;32mok: [a] => {\x1b[0m\n\x1b[0;32m    \"msg\": \"hello\"\x1b[0m\n\x1b[0;32m}\x1b[0m\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDiff(t *testing.T) {
	tests := []struct {
		name  string
		color bool
		diff  any
		want  string
	}{
		{"text", false, dict("before", "a\nb\n", "after", "a\nc", "before_header", "/f", "after_header", "/g"),
			"--- before: /f\n+++ after: /g\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n\n"},
		{"new file", false, jinja.NewList(dict("before", "", "after", "a\nb\n")), "--- before\n+++ after\n@@ -0,0 +1,2 @@\n+a\n+b\n\n"},
		{"dicts", false, dict("before", dict("state", "absent", "path", "/d"), "after", dict("state", "directory", "path", "/d")),
			"--- before\n+++ after\n@@ -1,4 +1,4 @@\n {\n     \"path\": \"/d\",\n-    \"state\": \"absent\"\n+    \"state\": \"directory\"\n }\n\n"},
		{"nothing", false, dict("before", "a\n", "after", "a\n"), ""},
		{"binary", false, dict("dst_binary", 1, "src_larger", 104448), "diff skipped: destination file appears to be binary\ndiff skipped: source file size is greater than 104448\n"},
		{"prepared", false, dict("prepared", "as it is\n"), "as it is\n"},
		{"colours, no newline", true, dict("before", "a\n", "after", "b"),
			"\x1b[0;31m--- before\x1b[0m\n\x1b[0;31m\x1b[0m\x1b[0;32m+++ after\x1b[0m\n\x1b[0;32m\x1b[0m\x1b[0;36m@@ -1 +1 @@\x1b[0m\n\x1b[0;36m\x1b[0m\x1b[0;31m-a\x1b[0m\n\x1b[0;31m\x1b[0m\x1b[0;32m+b\x1b[0m\n\x1b[0;32m\\ No newline at end of file\x1b[0m\n\x1b[0;32m\x1b[0m\n"},
		{"colours", true, dict("before", "a\nb\n", "after", "a\nc\n"),
			"\x1b[0;31m--- before\x1b[0m\n\x1b[0;31m\x1b[0m\x1b[0;32m+++ after\x1b[0m\n\x1b[0;32m\x1b[0m\x1b[0;36m@@ -1,2 +1,2 @@\x1b[0m\n\x1b[0;36m\x1b[0m a\n\x1b[0;31m-b\x1b[0m\n\x1b[0;31m\x1b[0m\x1b[0;32m+c\x1b[0m\n\x1b[0;32m\x1b[0m\n"},
	}
	for _, tt := range tests {
		got, _ := run(t, "default", Options{Color: tt.color}, func(c runner.Callback) {
			c.(*standard).shownTask = "1"
			r := result(command, runner.Changed, dict("changed", true, "diff", tt.diff))
			r.Diff = true
			c.(*standard).diffs(r)
		})
		if got != tt.want {
			t.Errorf("%s: got\n%q\nwant\n%q", tt.name, got, tt.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	_, errs := run(t, "default", Options{}, func(c runner.Callback) {
		c.Warning("provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'")
		c.Warning("x")
		c.Warning("x")
		c.Deprecated(`"include" is deprecated, use include_tasks/import_tasks instead. See https://docs.ansible.com/ansible-core/2.14/user_guide/playbooks_reuse_includes.html for details`)
	})
	want := `[WARNING]: provided hosts list is empty, only localhost is available. Note that
the implicit localhost does not match 'all'
[WARNING]: x
[DEPRECATION WARNING]: "include" is deprecated, use include_tasks/import_tasks 
instead. See https://docs.ansible.com/ansible-
core/2.14/user_guide/playbooks_reuse_includes.html for details.
`
	if errs != want {
		t.Errorf("got\n%s\nwant\n%s", errs, want)
	}
}

// The lines are what Python's textwrap.wrap(text, width) gives.
func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  string
	}{
		{"aa bb cc", 5, "aa bb|cc"},
		{"a  b   c", 4, "a  b|c"},
		{"abcdefghij", 4, "abcd|efgh|ij"},
		{"x abcdefghij", 4, "x ab|cdef|ghij"},
		{"well-known a-b 1-2-3 x", 6, "well-|known|a-b|1-2-3|x"},
		{"tab\there\nline", 20, "tab     here line"},
	} {
		if got := strings.Join(wrap(tt.text, tt.width, true), "|"); got != tt.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

func TestHidden(t *testing.T) {
	got, _ := run(t, "default", Options{HideOK: true, HideSkipped: true}, func(c runner.Callback) {
		c.TaskStart(command)
		c.Result(result(command, runner.OK, dict()))
		c.TaskStart(debug)
		c.Result(result(debug, runner.Skipped, dict()))
		c.TaskStart(command)
		c.Result(result(command, runner.Changed, dict()))
	})
	if want := "\nTASK [command] " + strings.Repeat("*", 65) + "\nchanged: [a]\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMinimal(t *testing.T) {
	tell := func(c runner.Callback) {
		c.Result(result(command, runner.Changed, dict("rc", 0, "stdout", "a\nb", "stderr", "", "changed", true)))
		c.Result(result(command, runner.Failed, dict("rc", 1, "stdout", "", "stderr", "", "msg", "non-zero return code")))
		c.Result(result(&runner.TaskInfo{Action: "ping"}, runner.OK, dict("ping", "pong", "changed", false)))
		c.Result(result(command, runner.Unreachable, dict("msg", "no")))
		c.Result(result(command, runner.Skipped, dict()))
	}
	got, _ := run(t, "minimal", Options{}, tell)
	want := "a | CHANGED | rc=0 >>\na\nb\na | FAILED | rc=1 >>\nnon-zero return code\na | SUCCESS => {\n    \"changed\": false,\n    \"ping\": \"pong\"\n}\n" +
		"a | UNREACHABLE! => {\n    \"msg\": \"no\"\n}\na | SKIPPED\n"
	if got != want {
		t.Errorf("minimal: got\n%s\nwant\n%s", got, want)
	}
	got, _ = run(t, "oneline", Options{}, tell)
	want = `a | CHANGED | rc=0 | (stdout) a\nb` + "\n" +
		`a | FAILED! => {"msg": "non-zero return code","rc": 1,"stderr": "","stdout": ""}` + "\n" +
		`a | SUCCESS => {"changed": false,"ping": "pong"}` + "\na | UNREACHABLE!: no\na | SKIPPED\n"
	if got != want {
		t.Errorf("oneline: got\n%s\nwant\n%s", got, want)
	}
}

func TestUnknown(t *testing.T) {
	_, err := New("defualt", Options{})
	if got, want := source.Describe(err), "there is no callback \"defualt\"\nhint: did you mean \"default\"?\n"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestTerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for env, want := range map[string]bool{
		"": false, "ANSIBLE_FORCE_COLOR=true": true, "ANSIBLE_FORCE_COLOR=0": false,
		"ANSIBLE_FORCE_COLOR=1 NO_COLOR=1": true, "TERM=xterm": false,
	} {
		vars := map[string]string{}
		for _, kv := range strings.Fields(env) {
			k, v, _ := strings.Cut(kv, "=")
			vars[k] = v
		}
		color, columns := Terminal(file, func(k string) string { return vars[k] })
		if color != want || columns != 79 {
			t.Errorf("%q: colour %v, %d columns", env, color, columns)
		}
	}
}
