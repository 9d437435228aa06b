package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"gplay/connection/agent"
)

func TestMain(m *testing.M) {
	if agent.Asked(os.Args[1:]) { // gplay starts its own executable for a task with an environment
		main()
	}
	testscript.Main(recording{m}, map[string]func(){"gplay": main, "ansible": main, "ansible-inventory": main})
}

// TestScripts runs the scripts of testdata/script. In them
//
//	play ARGS…             runs gplay and ansible-playbook in a copy of the
//	                       directory each, and compares standard output, exit
//	                       code and the files they leave
//	play -differs WHY ARGS… does not compare the output, for the reason given
//	! play ARGS…           both refuse the playbook and print nothing but the
//	                       error, of which only the exit code is compared
//	adhoc ARGS…, inventory ARGS…
//	                       do the same with ansible and ansible-inventory
//
// The file stdin is their standard input, where there is one.
// Afterwards stdout, stderr and cmp see what gplay printed.
func TestScripts(t *testing.T) {
	ansible := oracle(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.Getenv("WORK")+"/.home")
			e.Setenv("LC_ALL", "C.UTF-8")
			e.Setenv("ANSIBLE_FORKS", "1")
			e.Setenv("ANSIBLE_NOCOLOR", "1")
			e.Setenv("ANSIBLE_LOCALHOST_WARNING", "False")
			e.Setenv("ANSIBLE_PYTHON_INTERPRETER", "/usr/bin/python3")
			return os.MkdirAll(e.Getenv("HOME"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"play":      compared(ansible, "gplay"),
			"adhoc":     compared(filepath.Join(filepath.Dir(ansible), "ansible"), "ansible"),
			"inventory": compared(filepath.Join(filepath.Dir(ansible), "ansible-inventory"), "ansible-inventory"),
		},
	})
}

// oracle is the path of ansible-playbook.
func oracle(t *testing.T) string {
	path, err := exec.LookPath("ansible-playbook")
	if err == nil {
		return path
	}
	msg := "ansible-playbook, which gplay is compared with, is not installed: apt-get install ansible"
	if os.Getenv("CI") == "true" || os.Getenv("REQUIRE_ANSIBLE") == "1" {
		t.Fatal(msg)
	}
	t.Skip(msg)
	return ""
}

// compared is a command of scripts that runs gplay under the name as, and
// Ansible's command.
func compared(ansible, as string) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, refused bool, args []string) { play(ts, ansible, as, refused, args) }
}

func play(ts *testscript.TestScript, ansible, as string, refused bool, args []string) {
	differs := len(args) > 1 && args[0] == "-differs"
	if differs {
		args = args[2:]
	}
	work := ts.Getenv("WORK")
	asked := question(ts, ansible, args)
	theirs := work + ".ansible"
	defer os.RemoveAll(theirs)
	ts.Check(os.CopyFS(theirs, os.DirFS(work)))
	ts.Check(keepModes(work, theirs))
	got, err := perform(work, run{program: "gplay", as: as, args: args, env: environment(ts, work)})
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), got.Output)
	fmt.Fprint(ts.Stderr(), got.Errors)
	if got.refused() != refused {
		ts.Fatalf("%v is refused: %v", args, got.refused())
	}
	why, err := disagreement(asked, []performance{got}, []bool{differs}, func() ([]performance, error) {
		p, err := perform(theirs, run{program: ansible, as: ansible, args: args, env: environment(ts, theirs)})
		return []performance{p}, err
	})
	ts.Check(err)
	if why != "" {
		ts.Fatalf("%s", why)
	}
}

// question is all that Ansible's answer depends on.
func question(ts *testscript.TestScript, program string, args []string) string {
	work := ts.Getenv("WORK")
	files, err := tree(work)
	ts.Check(err)
	home, err := tree(filepath.Join(work, ".home"))
	ts.Check(err)
	q := fmt.Sprintln(program, args, files, home)
	for _, v := range environment(ts, "$WORK") {
		if !strings.HasPrefix(v, "PATH=") { // it has a directory of this very test
			q += v + "\n"
		}
	}
	return q
}

// environment is the script's, for a run in dir, without what is empty.
// testscript tells only its programs all of it.
func environment(ts *testscript.TestScript, dir string) []string {
	file := filepath.Join(ts.Getenv("TMPDIR"), "environment")
	ts.Check(ts.Exec("sh", "-c", `env >"$1"`, "sh", file))
	text := strings.ReplaceAll(ts.ReadFile(file), ts.Getenv("WORK"), dir)
	return slices.DeleteFunc(strings.Split(text, "\n"), func(v string) bool { return strings.HasSuffix(v, "=") || v == "" })
}
