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
	"time"

	"github.com/rogpeppe/go-internal/diff"
)

// run is one run of gplay or ansible-playbook.
type run struct {
	program string // ansible-playbook's path, or gplay
	as      string // the name it is called by
	args    []string
	env     []string
	typed   []typing // at the terminal, which there is only when this is set
	differs bool     // the output, for a reason
	refused bool     // the playbook, by both
}

// String is what Ansible's answer depends on.
func (r run) String() string {
	return fmt.Sprint("{", r.program, " ", r.as, " ", r.args, " ", r.env, " ", r.typed, " ", r.differs, "}")
}

// performance is what a run did.
type performance struct {
	Dir    string
	Code   int
	Output string // standard output
	Errors string // only shown
	Files  string // a listing of what it left in its directory
}

// perform runs a program in dir.
func perform(dir string, r run) (performance, error) {
	p := performance{Dir: dir}
	var err error
	if r.program == "gplay" || r.typed != nil {
		p.Code, p.Output, p.Errors, err = started(dir, r)
	} else {
		p.Code, p.Output, p.Errors, err = forked(dir, r)
	}
	if err != nil {
		return performance{}, fmt.Errorf("%s: %w", r.program, err)
	}
	if p.Code < 0 {
		return performance{}, fmt.Errorf("%s was ended by a signal", r.program)
	}
	p.Files, err = tree(dir)
	return p, err
}

// started runs a program in dir, and gives its exit code and what it wrote.
func started(dir string, r run) (code int, out, errs string, err error) {
	cmd := exec.Command(r.program, r.args...)
	cmd.Dir, cmd.Env = dir, r.env
	if r.program == "gplay" {
		cmd.Path, _ = os.Executable()
		cmd.Args[0] = r.as
		for dir := range strings.SplitSeq(os.Getenv("PATH"), ":") {
			if path := filepath.Join(dir, "gplay"); isProgram(path) {
				cmd.Path = path
				break
			}
		}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if input, err := os.Open(filepath.Join(dir, "stdin")); err == nil {
		defer input.Close()
		cmd.Stdin = input
	}
	if r.typed != nil {
		err = atTerminal(cmd, &stdout, r.typed)
	} else {
		err = cmd.Run()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, "", "", err
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), nil
}

// differs says what p, gplay's performance, has otherwise than Ansible's.
func (p performance) differs(want performance) string {
	p, want = p.plain(), want.plain()
	switch {
	case p.Code != want.Code:
		return fmt.Sprintf("exit code %d, Ansible's is %d: gplay's +, Ansible's -\n%s", p.Code, want.Code, difference(want.Output+want.Errors, p.Output+p.Errors))
	case p.Output != want.Output:
		return "the output differs: gplay's +, Ansible's -\n" + difference(want.Output, p.Output) + p.Errors
	case p.Files != want.Files:
		return "the files differ: gplay's +, Ansible's -\n" + difference(want.Files, p.Files)
	}
	return ""
}

// refused reports whether the program would not begin: of such a run nothing
// but the exit code is compared, and so a slip of the pen must not cause it.
func (p performance) refused() bool { return p.Code != 0 && strings.TrimSpace(p.Output) == "" }

// plain is p without what no two runs have in common.
func (p performance) plain() performance {
	p.Output, p.Errors = comparable(p.Output, p.Dir), comparable(p.Errors, p.Dir)
	return p
}

// remembered gives what Ansible answered today to the same question, or asks
// it. With CI=true it is always asked.
func remembered(question string, ask func() ([]performance, error)) (answer []performance, err error) {
	cache, err := os.UserCacheDir()
	if err != nil || os.Getenv("CI") == "true" {
		return ask()
	}
	for _, c := range changing { // the answer is kept without it
		question += fmt.Sprintln(c.re, c.with)
	}
	sum := sha256.Sum256([]byte(time.Now().Format(time.DateOnly) + question))
	file := filepath.Join(cache, "gplay-oracle", fmt.Sprintf("%x.json", sum))
	if data, err := os.ReadFile(file); err == nil && json.Unmarshal(data, &answer) == nil {
		return answer, nil
	}
	if answer, err = ask(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	temporary := fmt.Sprintf("%s.%d", file, os.Getpid())
	if err := os.WriteFile(temporary, data, 0o600); err != nil {
		return nil, err
	}
	return answer, os.Rename(temporary, file)
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// What no two runs have in common.
var changing = []struct {
	re   *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`"(delta|start|end|stop)": "[^"]*"`), `"$1": "TIME"`},
	{regexp.MustCompile(`(?m)^( *)(delta|start|end): '[^'\n]*'$`), `$1$2: TIME`},
	{regexp.MustCompile(`"(atime|ctime|mtime|inode|blocks|dev)": [0-9.]+`), `"$1": N`},
	// What -vv says of Python and of Ansible's plugins.
	{regexp.MustCompile(`(?m)^(\x1b\[0;34m|.* n=ansible \| )?(ansible-playbook|ansible|gplay) \[core .*\n((\x1b\[0;34m)?  [a-z].*\n)*`), ``},
	{regexp.MustCompile(`(?m)^(\x1b\[0;34m|.* n=ansible \| )?Skipping callback .*\n`), ``},
	// gplay has no traceback to show.
	{regexp.MustCompile(`(?m)^(\x1b\[0;31m)?An exception occurred during task execution\. .*\n`), `$1`},
	{regexp.MustCompile(`Paused for [\d.]+ `), `Paused for N `},
	// What Ansible clears a line with, whether there is a terminal or not.
	{regexp.MustCompile(`\x1b\[\r|\x1b\[\x1b\[K`), ``},
	// Ansible names its own temporary file here.
	{regexp.MustCompile(`(?m)^((\x1b\[[0-9;]*m)*\+\+\+ after).*`), `$1`},
	{regexp.MustCompile(`("Failed to connect to the host via ssh): [^"]*"`), `$1"`},
	{regexp.MustCompile(`(?m)^ *"exception": "NoneType: None\\n",\n`), ``},
	{regexp.MustCompile(`"elapsed": [0-3]\b`), `"elapsed": SECONDS`},
	{regexp.MustCompile(`"child_pid": \d+`), `"child_pid": PID`},
	{regexp.MustCompile(`\bj\d{1,12}\.\d+\b`), `JOB`},
	// Python lists what would be valid in an order that changes.
	{regexp.MustCompile(`(The value '[^']*' is not a valid boolean\.)[^"\\]*`), `$1`},
	// Text of the playbook is of a class of its own there.
	{regexp.MustCompile(`ansible\.parsing\.yaml\.objects\.AnsibleUnicode`), `str`},
	// Both show the place of a fault in their own way.
	{regexp.MustCompile(`\\n\\nThe error appears to be in [^"]*?(\\"[^"]*?)*"`), `"`},
	{regexp.MustCompile(`\\n\\n[^" ]+:\d+:\d+: [^"]*?(\\"[^"]*?)*"`), `"`},
	{regexp.MustCompile(`\\n\\n[^"]*\\n  in the value of [^"]*`), ``}, // of a variable without a file
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), `UUID`},
	{regexp.MustCompile(`"(_timestamp|delta|start|end)":"[^"]*"`), `"$1":"TIME"`},
	// What Ansible tells its own callbacks, which json shows.
	{regexp.MustCompile(`, "_ansible_\w+": (\{[^{}]*\}|\[[^\[\]]*\]|[^,{}\[\]\n]*)`), ``},
	{regexp.MustCompile(`"_ansible_\w+": ?(\{[^{}]*\}|\[[^\[\]]*\]|[^,{}\[\]\n]*),\s*`), ``},
	// Newer releases have it, and gplay with them.
	{regexp.MustCompile(`(?i)["']expand_argument_vars["']: ?true,\s*`), ``},
	// profile_tasks, profile_roles, timer
	{regexp.MustCompile(`(?m)[A-Z][a-z]+day \d.* \(\d:\d\d:\d\d\.\d{3}\).*\*+ $`), `CLOCK`},
	{regexp.MustCompile(`(?m)-+ +\d+\.\d\ds$`), `- SECONDS`},
	{regexp.MustCompile(`took 0 days, 0 hours, \d+ minutes, \d+ seconds`), `took TIME`},
	// log_path, log_plays, junit
	{regexp.MustCompile(`(?m)^[-\d]{10} [:\d]{8},\d{3} p=\d+ `), `NOW `},
	{regexp.MustCompile(`(?m)^[A-Z][a-z]{2} \d\d \d{4} [\d:]{8} - `), `NOW - `},
	{regexp.MustCompile(` time="[\d.]+"`), ` time="SECONDS"`},
	{regexp.MustCompile(`-[\d]+\.\d+\.xml`), `-NOW.xml`},
	{regexp.MustCompile(`(["'](?:src|before_header|after_header)["']): ["'][^"']*/(ansible|gplay)[^"']*["']`), `$1: "TEMP"`},
}

// Ansible says twice what is undefined, and what value it is in, which gplay
// tells with the place.
var (
	twice     = regexp.MustCompile(`'[^'"]*' (is undefined|has no [^"]*?)\. '[^'"]*' (is undefined|has no [^".]*)`)
	errorText = regexp.MustCompile(`(?:The error was|NOT DEFINED!): ((?:[^"\\]|\\.)*)`)
	inValue   = regexp.MustCompile(`(\{\{[^{}]*\}\}|\[[^\]]*\]|\{'[^{}]*\{\{[^{}]*\}\}[^{}]*\}): `)
)

func comparable(out, work string) string {
	out = strings.ReplaceAll(out, work, "$WORK")
	for _, c := range changing {
		out = c.re.ReplaceAllString(out, c.with)
	}
	out = twice.ReplaceAllStringFunc(out, once)
	return errorText.ReplaceAllStringFunc(out, func(text string) string {
		text = inValue.ReplaceAllString(text, "")
		start := 0
		for _, before := range []string{"The error was: ", "NOT DEFINED!: ", "): "} {
			if at := strings.LastIndex(text, before); at >= 0 {
				start = max(start, at+len(before))
			}
		}
		return text[:start] + once(text[start:])
	})
}

// once is text, or the half of it when it says the same twice.
func once(text string) string {
	half := (len(text) - 2) / 2
	if half > 0 && text[:half] == text[half+2:] {
		return text[:half]
	}
	return text
}

// tree lists the files below dir with their modes and contents.
func tree(dir string) (string, error) {
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
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
		fmt.Fprintf(&b, "%s %s\n", comparable(rel, dir), info.Mode())
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			b.WriteString(comparable(string(data), dir) + "\n")
		}
		return nil
	})
	return b.String(), err
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
