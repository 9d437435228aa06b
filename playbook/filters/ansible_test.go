package filters

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gplay/internal/oracle"
	"gplay/internal/yaml"
	"gplay/jinja"
)

func expressions(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func environment() *jinja.Environment {
	return &jinja.Environment{Filters: Filters(), Tests: Tests(), Lenient: Lenient}
}

func variables(t *testing.T) jinja.Vars {
	t.Helper()
	data, err := os.ReadFile("testdata/vars.yml")
	if err != nil {
		t.Fatal(err)
	}
	v, err := yaml.Load("vars.yml", data, yaml.Options{Data: true})
	if err != nil {
		t.Fatal(err)
	}
	vars := jinja.Vars{}
	for k, item := range v.(*jinja.Dict).All() {
		vars[k.(string)] = item
	}
	return vars
}

// TestExpressionsAsAnsible compares what each expression gives, as Python
// prints it, with what Ansible gives for it.
func TestExpressionsAsAnsible(t *testing.T) {
	oracle.Need(t)
	exprs := expressions(t, "expressions.txt")
	dir := t.TempDir()
	var template strings.Builder
	for _, e := range exprs {
		fmt.Fprintf(&template, "{{ [%s] }}\n", e)
	}
	if err := os.WriteFile(filepath.Join(dir, "t.j2"), []byte(template.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	vars, err := filepath.Abs("testdata/vars.yml")
	if err != nil {
		t.Fatal(err)
	}
	play := filepath.Join(dir, "play.yml")
	text := fmt.Sprintf(`
- hosts: all
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  vars_files: [%s]
  tasks:
    - template: {src: %s/t.j2, dest: %s/out}
`, vars, dir, dir)
	if err := os.WriteFile(play, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	oracle.Run(t, play)
	data, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(want) != len(exprs) {
		t.Fatalf("%d lines for %d expressions", len(want), len(exprs))
	}
	env, scope := environment(), variables(t)
	for i, e := range exprs {
		if got := evaluate(env, scope, "["+e+"]"); got != want[i] {
			t.Errorf("%s\n got %s\nwant %s", e, got, want[i])
		}
	}
}

func evaluate(env *jinja.Environment, scope jinja.Scope, text string) string {
	expr, err := env.CompileExpr(text)
	if err != nil {
		return "ERROR " + err.Error()
	}
	v, err := expr.Eval(context.Background(), scope)
	if err != nil {
		return "ERROR " + err.Error()
	}
	return jinja.Str(v)
}
