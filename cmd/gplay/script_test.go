package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/testscript"

	"gplay/connection/agent"
)

func TestMain(m *testing.M) {
	if agent.Asked(os.Args[1:]) { // gplay starts its own executable for a task with an environment
		main()
	}
	testscript.Main(m, map[string]func(){"gplay": main})
}

// TestScripts runs the scripts of testdata/script. In them
//
//	play ARGS…             runs gplay and ansible-playbook in a copy of the
//	                       directory each, and compares standard output, exit
//	                       code and the files they leave
//	play -differs WHY ARGS… does not compare the output, for the reason given
//
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
			"play": func(ts *testscript.TestScript, neg bool, args []string) { play(ts, ansible, args) },
		},
	})
}

// oracle is the path of ansible-playbook.
func oracle(t *testing.T) string {
	path, err := exec.LookPath("ansible-playbook")
	if err == nil {
		return path
	}
	msg := "ansible-playbook, which gplay is compared with, is not installed: apt-get install ansible-core"
	if os.Getenv("CI") == "true" || os.Getenv("REQUIRE_ANSIBLE") == "1" {
		t.Fatal(msg)
	}
	t.Skip(msg)
	return ""
}

func play(ts *testscript.TestScript, ansible string, args []string) {
	differs := len(args) > 1 && args[0] == "-differs"
	if differs {
		args = args[2:]
	}
	work := ts.Getenv("WORK")
	theirs := work + ".ansible"
	defer os.RemoveAll(theirs)
	ts.Check(os.CopyFS(theirs, os.DirFS(work)))
	ts.Check(keepModes(work, theirs))
	want := perform(ts, theirs, ansible, args)
	got := perform(ts, work, "gplay", args)
	fmt.Fprint(ts.Stdout(), got.stdout)
	fmt.Fprint(ts.Stderr(), got.stderr)
	if got.code != want.code {
		ts.Fatalf("exit code %d, Ansible's is %d: gplay's +, Ansible's -\n%s", got.code, want.code,
			difference(comparable(want.stdout+want.stderr, theirs), comparable(got.stdout+got.stderr, work)))
	}
	if g, w := comparable(got.stdout, work), comparable(want.stdout, theirs); g != w && !differs {
		ts.Fatalf("the output differs: gplay's +, Ansible's -\n%s", difference(w, g))
	}
	if g, w := tree(ts, work), tree(ts, theirs); g != w {
		ts.Fatalf("the files differ: gplay's +, Ansible's -\n%s", difference(w, g))
	}
}

type performance struct {
	stdout, stderr string
	code           int
}

func perform(ts *testscript.TestScript, dir, program string, args []string) performance {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	for _, name := range []string{"HOME", "PATH", "LC_ALL", "TMPDIR"} {
		cmd.Env = append(cmd.Env, name+"="+strings.ReplaceAll(ts.Getenv(name), ts.Getenv("WORK"), dir))
	}
	cmd.Env = append(cmd.Env, ansibleEnv(ts)...)
	if program == "gplay" {
		cmd.Path, _ = os.Executable()
		cmd.Args[0] = "gplay"
		for dir := range strings.SplitSeq(ts.Getenv("PATH"), ":") {
			if path := filepath.Join(dir, "gplay"); isProgram(path) {
				cmd.Path = path
				break
			}
		}
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%s: %v", program, err)
	}
	return performance{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// ansibleEnv are the ANSIBLE_ variables of the script.
func ansibleEnv(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"FORKS", "NOCOLOR", "LOCALHOST_WARNING", "PYTHON_INTERPRETER", "DISPLAY_SKIPPED_HOSTS", "STDOUT_CALLBACK", "FORCE_COLOR", "ROLES_PATH", "CONFIG"} {
		if v := ts.Getenv("ANSIBLE_" + name); v != "" {
			env = append(env, "ANSIBLE_"+name+"="+v)
		}
	}
	return env
}

// What no two runs have in common.
var changing = []struct {
	re   *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`"(delta|start|end|stop)": "[^"]*"`), `"$1": "TIME"`},
	{regexp.MustCompile(`"(atime|ctime|mtime|inode|blocks|dev)": [0-9.]+`), `"$1": N`},
	// Ansible names its own temporary file here.
	{regexp.MustCompile(`(?m)^(\+\+\+ after).*`), `$1`},
	{regexp.MustCompile(`("src"|"before_header"|"after_header"): "[^"]*/(ansible|gplay)[^"]*"`), `$1: "TEMP"`},
}

func comparable(out, work string) string {
	out = strings.ReplaceAll(out, work, "$WORK")
	for _, c := range changing {
		out = c.re.ReplaceAllString(out, c.with)
	}
	return out
}

// tree lists the files below dir with their modes and contents.
func tree(ts *testscript.TestScript, dir string) string {
	var b strings.Builder
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if rel == ".home" || rel == ".tmp" || rel == "." {
			if d.IsDir() && rel != "." {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %s\n", rel, info.Mode())
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			b.WriteString(strings.ReplaceAll(string(data), dir, "$WORK") + "\n")
		}
		return nil
	}))
	return b.String()
}

func keepModes(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return os.Chmod(filepath.Join(to, rel), info.Mode())
	})
}

func difference(want, got string) string {
	return string(diff.Diff("ansible", []byte(want), "gplay", []byte(got)))
}
