package filters_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"gplay/internal/oracle"
	"gplay/internal/oracle/evaluate"
	"gplay/internal/yaml"
	"gplay/playbook/vars"
)

// worldEnv is what expressions can see of the environment.
var worldEnv = []string{"TZ=Europe/Berlin", "LC_ALL=C.UTF-8", "HOME=/home/someone", "TABLE=of the test"}

// TestExpressionsAsAnsible compares what each expression of the table gives,
// as Python prints it, with what Ansible gives for it.
func TestExpressionsAsAnsible(t *testing.T) {
	file, err := filepath.Abs("testdata/vars.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range worldEnv {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	eval := evaluator(t, file)
	oracle.Table(t, oracle.World{Dir: t.TempDir(), Vars: file, Env: worldEnv}, "testdata/table/*.txt", eval)
}

// evaluator evaluates expressions with the variables of a file.
func evaluator(t *testing.T, file string) func(expr string) oracle.Outcome {
	d, err := yaml.LoadDict(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	scope := vars.NewTemplar().NewScope(context.Background(), d)
	return func(expr string) oracle.Outcome {
		return evaluate.Expression(scope, expr)
	}
}
