package modules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gplay/modules"
)

// TestAllListsEveryModule reads the sources for calls of define, so that a
// module that was written is a module that can be found.
func TestAllListsEveryModule(t *testing.T) {
	var listed []string
	for _, m := range modules.All {
		listed = append(listed, m.Name)
	}
	if !slices.IsSorted(listed) {
		t.Errorf("All is not sorted by name: %v", listed)
	}
	defined := definedModules(t)
	for _, name := range defined {
		if !slices.Contains(listed, name) {
			t.Errorf("module %s is defined, and All lacks it", name)
		}
	}
	if len(defined) != len(listed) {
		t.Errorf("%d modules are defined and %d listed", len(defined), len(listed))
	}
}

func definedModules(t *testing.T) []string {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "define" {
				name, err := strconv.Unquote(call.Args[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, name)
			}
			return true
		})
	}
	return names
}

// TestEveryModuleIsTested holds that a module has cases, or that a test uses
// it: what needs an engine or a server is tested that way.
func TestEveryModuleIsTested(t *testing.T) {
	tests := testSources(t)
	for _, m := range modules.All {
		cases, err := filepath.Glob(filepath.Join("testdata", m.Name, "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		if name := variableOf(t, m); len(cases) == 0 && !regexp.MustCompile(`\b`+name+`\b`).MatchString(tests) {
			t.Errorf("module %s has no case in testdata/%s, and no test uses %s", m.Name, m.Name, name)
		}
	}
}

// variableOf is the name of the variable that holds a module.
func variableOf(t *testing.T, m *modules.Module) string {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	definition := regexp.MustCompile(`var (\w+)\s*=\s*define\("` + m.Name + `"`)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := definition.FindSubmatch(data); d != nil {
			return string(d[1])
		}
	}
	t.Fatalf("no variable holds the module %s", m.Name)
	return ""
}

func testSources(t *testing.T) string {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

func TestFind(t *testing.T) {
	for name, want := range map[string]string{
		"ping": "ping", "ansible.builtin.ping": "ping", "ansible.legacy.ping": "ping",
		"nobody.knows.ping": "", "pong": "",
	} {
		got := ""
		if m := modules.Find(name); m != nil {
			got = m.Name
		}
		if got != want {
			t.Errorf("Find(%q) is %q, want %q", name, got, want)
		}
	}
}

// TestDocs holds that every argument says what it is for.
func TestDocs(t *testing.T) {
	for _, m := range modules.All {
		if m.Doc == "" {
			t.Errorf("module %s has no doc", m.Name)
		}
		checkDocs(t, m.Name, m.Params())
		if m.FreeForm != "" && !slices.ContainsFunc(m.Params(), func(p modules.Param) bool { return p.Name == m.FreeForm }) {
			t.Errorf("module %s has no argument %s to take its free text", m.Name, m.FreeForm)
		}
	}
}

func checkDocs(t *testing.T, where string, params []modules.Param) {
	for _, p := range params {
		if p.Doc == "" {
			t.Errorf("%s.%s has no doc", where, p.Name)
		}
		checkDocs(t, where+"."+p.Name, p.Options)
	}
}
