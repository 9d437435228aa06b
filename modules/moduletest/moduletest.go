// Package moduletest is the test that every module passes.
package moduletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"gplay/modules"
	"gplay/modules/host"
)

// Vars are replaced in the files of a case: $NAME by its value. ROOT, the
// directory the case plays in, is always there.
type Vars map[string]string

// Run runs the cases in testdata/MODULE/*.txtar, each in a directory of its
// own ($ROOT). A case has the files
//
//	args         the arguments, in YAML
//	before/PATH  what is in $ROOT first; PATH! has no line break at its end
//	setup        a shell script that runs in $ROOT after that
//	offer/NAME   what the module may open on the controller
//	after/PATH   what is there afterwards: all of the regular files and no
//	             other, when at least one is given
//	tree         more of that, a line each: "d 0755 PATH", "f 0644 PATH",
//	             "l PATH -> TARGET", "- PATH" (not there)
//	created/NAME what the module wrote on the controller
//	verify       a shell script that runs in $ROOT after the module, and has to succeed
//	result       part of the result, in YAML
//	diff         all of the result's diff, in YAML
//	check        part of the result in check mode
//	again        part of the result of a second run
//	env          KEY=VALUE lines; "needs root", "needs PROGRAM" lines say what
//	             the case cannot do without
//
// Text "re:X" in an expected result is a regular expression. Each case runs
// in check mode, which must write nothing and predict changed (or what check
// says), for real, and again, which must change nothing (or what again says).
func Run(t *testing.T, m *modules.Module, vars ...Vars) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", m.Name, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("there are no cases in testdata/%s", m.Name)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			c := load(t, m, file, vars)
			c.run(t)
		})
	}
}

type testCase struct {
	module *modules.Module
	root   string
	files  map[string]string
	names  []string // in the case's order
	local  *host.Local
	ctl    *controller
}

func load(t *testing.T, m *modules.Module, file string, vars []Vars) *testCase {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// A temporary directory may lie below a link.
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	replace := []string{"$ROOT", root}
	for _, v := range vars {
		for _, k := range slices.Sorted(maps.Keys(v)) {
			replace = append(replace, "$"+k, v[k])
		}
	}
	r := strings.NewReplacer(replace...)
	c := &testCase{module: m, root: root, files: map[string]string{}}
	for _, f := range archive.Files {
		name, text := f.Name, r.Replace(string(f.Data))
		if bare, ok := strings.CutSuffix(name, "!"); ok {
			name, text = bare, strings.TrimSuffix(text, "\n")
		}
		if !knownFile(name) {
			t.Fatalf("%s: a case has no file %q", file, name)
		}
		c.files[name] = text
		c.names = append(c.names, name)
	}
	c.local = &host.Local{Dir: root, Env: c.env(t)}
	return c
}

func knownFile(name string) bool {
	dir, _, inDir := strings.Cut(name, "/")
	if inDir {
		return slices.Contains([]string{"before", "after", "offer", "created"}, dir)
	}
	return slices.Contains([]string{"args", "setup", "verify", "tree", "result", "diff", "check", "again", "env"}, name)
}

// env reads the case's environment, and skips the case when what it needs is
// not there.
func (c *testCase) env(t *testing.T) []string {
	var env []string
	for line := range strings.Lines(c.files["env"]) {
		line = strings.TrimSpace(line)
		need, isNeed := strings.CutPrefix(line, "needs ")
		if !isNeed {
			env = append(env, line)
			continue
		}
		_, err := exec.LookPath(need)
		if need == "root" && os.Getuid() != 0 || need != "root" && err != nil {
			Missing(t, "this case needs "+need)
		}
	}
	return env
}

// Missing skips a test that lacks something of the machine; with CI=true it
// fails.
func Missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func (c *testCase) run(t *testing.T) {
	c.prepare(t)
	before := snapshot(t, c.root)
	predicted := c.call(t, true)
	if changes := compareTrees(before, snapshot(t, c.root)); changes != "" {
		t.Errorf("check mode wrote:\n%s", changes)
	}
	result := c.call(t, false)
	c.expect(t, "check", predicted, map[string]any{"changed": result["changed"]})
	c.expect(t, "result", result, nil)
	if _, told := c.yaml(t, "result").(map[string]any)["failed"]; result["failed"] == true && !told {
		t.Fatalf("the module failed: %v", result["msg"])
	}
	c.compareDiff(t, result["diff"])
	c.compareAfter(t)
	c.compareTree(t)
	c.compareCreated(t)
	c.shell(t, "verify")
	if result["failed"] != true || c.has("again") {
		c.expect(t, "again", c.call(t, false), map[string]any{"changed": false})
	}
}

func (c *testCase) has(name string) bool { _, ok := c.files[name]; return ok }

func (c *testCase) prepare(t *testing.T) {
	for _, name := range c.names {
		path, ok := strings.CutPrefix(name, "before/")
		if !ok {
			continue
		}
		path = filepath.Join(c.root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(c.files[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c.shell(t, "setup")
}

// shell runs a script of the case, if it has it.
func (c *testCase) shell(t *testing.T, name string) {
	t.Helper()
	if !c.has(name) {
		return
	}
	cmd := exec.Command("/bin/sh", "-eu", "-c", c.files[name])
	cmd.Dir, cmd.Env = c.root, append(os.Environ(), c.local.Env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func (c *testCase) call(t *testing.T, check bool) map[string]any {
	t.Helper()
	args, ok := c.yaml(t, "args").(map[string]any)
	if !ok {
		t.Fatal("args is no dict")
	}
	c.ctl = &controller{files: c.files, created: map[string]*bytes.Buffer{}}
	return c.module.Run(context.Background(), c.local, c.local, c.ctl, check, true, args)
}

func (c *testCase) yaml(t *testing.T, name string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(c.files[name]), &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if v == nil {
		return map[string]any{}
	}
	return v
}

// expect compares a result with what the case says, added to what is expected
// of any case.
func (c *testCase) expect(t *testing.T, name string, got, always map[string]any) {
	t.Helper()
	want := map[string]any{}
	maps.Copy(want, always)
	special, ok := c.yaml(t, name).(map[string]any)
	if !ok {
		t.Fatalf("%s is no dict", name)
	}
	maps.Copy(want, special)
	if fault := subset(want, got, ""); fault != "" {
		t.Errorf("%s: %s\nin %s", name, fault, show(got))
	}
}

func (c *testCase) compareDiff(t *testing.T, got any) {
	t.Helper()
	if !c.has("diff") {
		return
	}
	want := c.yaml(t, "diff")
	if _, parts := want.([]any); !parts {
		got = onlyPart(got)
	}
	if fault := subset(want, got, "diff"); fault != "" {
		t.Errorf("%s\nin %s", fault, show(got))
	}
	if fault := subset(keys(got), keys(want), "diff"); fault != "" {
		t.Errorf("more than expected: %s", fault)
	}
}

// onlyPart is the part of a diff in which something changes, where there is one
// alone.
func onlyPart(diff any) any {
	list, ok := diff.([]any)
	if !ok {
		return diff
	}
	list = slices.DeleteFunc(slices.Clone(list), func(part any) bool {
		p, _ := part.(map[string]any)
		return len(p) == 0 || reflect.DeepEqual(p["before"], p["after"])
	})
	if len(list) == 1 {
		return list[0]
	}
	return diff
}

func (c *testCase) compareCreated(t *testing.T) {
	t.Helper()
	for name, text := range c.files {
		if name, ok := strings.CutPrefix(name, "created/"); ok {
			if b := c.ctl.created[name]; b == nil || b.String() != text {
				t.Errorf("on the controller %s is %v, want %q", name, b, text)
			}
		}
	}
}

// controller offers the case's files, and keeps what is written.
type controller struct {
	files   map[string]string
	created map[string]*bytes.Buffer
}

func (c *controller) Open(name string) (io.ReadCloser, error) {
	text, ok := c.files["offer/"+name]
	if !ok {
		return nil, fmt.Errorf("the controller offers no %q", name)
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func (c *controller) Create(name string) (io.WriteCloser, error) {
	if c.created[name] != nil {
		return nil, errors.New("created twice: " + name)
	}
	c.created[name] = &bytes.Buffer{}
	return nopCloser{c.created[name]}, nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
