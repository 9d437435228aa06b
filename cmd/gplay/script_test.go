package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/testscript"

	"gplay/connection/agent"
)

func TestMain(m *testing.M) {
	if agent.Asked(os.Args[1:]) { // gplay starts its own executable for a task with an environment
		main()
	}
	testscript.Main(m, map[string]func(){"gplay": main, "ansible": main, "ansible-inventory": main})
}

// TestScripts runs the scripts of testdata/script. In them
//
//	play ARGS…             runs gplay and ansible-playbook in a copy of the
//	                       directory each, and compares standard output, exit
//	                       code and the files they leave
//	play -differs WHY ARGS… does not compare the output, for the reason given
//	adhoc ARGS…, inventory ARGS…
//	                       do the same with ansible and ansible-inventory
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
	msg := "ansible-playbook, which gplay is compared with, is not installed: apt-get install ansible-core"
	if os.Getenv("CI") == "true" || os.Getenv("REQUIRE_ANSIBLE") == "1" {
		t.Fatal(msg)
	}
	t.Skip(msg)
	return ""
}

// compared is a command of scripts that runs gplay under the name as, and
// Ansible's command.
func compared(ansible, as string) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) { play(ts, ansible, as, args) }
}

func play(ts *testscript.TestScript, ansible, as string, args []string) {
	differs := len(args) > 1 && args[0] == "-differs"
	if differs {
		args = args[2:]
	}
	work := ts.Getenv("WORK")
	want := remembered(ts, ansible, args, func() outcome {
		theirs := work + ".ansible"
		defer os.RemoveAll(theirs)
		ts.Check(os.CopyFS(theirs, os.DirFS(work)))
		ts.Check(keepModes(work, theirs))
		return perform(ts, theirs, ansible, ansible, args).outcome(ts, theirs)
	})
	performed := perform(ts, work, "gplay", as, args)
	fmt.Fprint(ts.Stdout(), performed.stdout)
	fmt.Fprint(ts.Stderr(), performed.stderr)
	got := performed.outcome(ts, work)
	if got.Code != want.Code {
		ts.Fatalf("exit code %d, Ansible's is %d: gplay's +, Ansible's -\n%s", got.Code, want.Code,
			difference(want.Stdout+want.Stderr, got.Stdout+got.Stderr))
	}
	if got.Stdout != want.Stdout && !differs {
		ts.Fatalf("the output differs: gplay's +, Ansible's -\n%s", difference(want.Stdout, got.Stdout))
	}
	if got.Files != want.Files {
		ts.Fatalf("the files differ: gplay's +, Ansible's -\n%s", difference(want.Files, got.Files))
	}
}

// outcome is what is compared of a run.
type outcome struct {
	Stdout, Stderr, Files string
	Code                  int
}

func (p performance) outcome(ts *testscript.TestScript, dir string) outcome {
	return outcome{comparable(p.stdout, dir), comparable(p.stderr, dir), tree(ts, dir), p.code}
}

// remembered gives what Ansible did today in the same directory, by the same
// arguments and environment, or asks it. With CI=true it is always asked.
func remembered(ts *testscript.TestScript, program string, args []string, ask func() outcome) outcome {
	cache, err := os.UserCacheDir()
	if err != nil || os.Getenv("CI") == "true" {
		return ask()
	}
	work := ts.Getenv("WORK")
	var question strings.Builder
	fmt.Fprintln(&question, time.Now().Format(time.DateOnly), program, args, tree(ts, work), tree(ts, filepath.Join(work, ".home")))
	for _, v := range environment(ts, "$WORK") {
		if !strings.HasPrefix(v, "PATH=") { // it has a directory of this very test
			fmt.Fprintln(&question, v)
		}
	}
	file := filepath.Join(cache, "gplay-oracle", fmt.Sprintf("%x.json", sha256.Sum256([]byte(question.String()))))
	var answer outcome
	if data, err := os.ReadFile(file); err == nil && json.Unmarshal(data, &answer) == nil {
		return answer
	}
	answer = ask()
	data, err := json.Marshal(answer)
	ts.Check(err)
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o700))
	temporary := fmt.Sprintf("%s.%d", file, os.Getpid())
	ts.Check(os.WriteFile(temporary, data, 0o600))
	ts.Check(os.Rename(temporary, file))
	return answer
}

type performance struct {
	stdout, stderr string
	code           int
}

func perform(ts *testscript.TestScript, dir, program, as string, args []string) performance {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, environment(ts, dir)
	if program == "gplay" {
		cmd.Path, _ = os.Executable()
		cmd.Args[0] = as
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

// environment is the script's, for a run in dir.
func environment(ts *testscript.TestScript, dir string) []string {
	var env []string
	for _, name := range []string{"HOME", "PATH", "LC_ALL", "TMPDIR"} {
		env = append(env, name+"="+strings.ReplaceAll(ts.Getenv(name), ts.Getenv("WORK"), dir))
	}
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
