package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/shlex"
	"github.com/rogpeppe/go-internal/txtar"
)

// scenario is one playbook as gplay and ansible-playbook are to run it. It is
// written in the comments at the playbook's head, each "play" being one:
//
//	# play [NAME=VALUE…] ARGS…   run the playbook with these arguments
//	# then [NAME=VALUE…] ARGS…   and then, in the same directory, once more;
//	#                            an argument that ends in .yml is another playbook
//	# play -differs WHY …        do not compare the output, for the reason given
//	# play -refused …            both refuse the playbook and print nothing but the
//	                           error, of which only the exit code is compared
//	# type "PROMPT" "ANSWER"     type this at the terminal when it asks that, and
//	                           Enter, but after ^C
//	# press "KEYS"               press these, such as ^C, and no Enter but ^M,
//	                           when single keys are read
type scenario struct {
	name  string
	files []txtar.File
	runs  []run
}

// TestOracle runs the scenarios of testdata/oracle: every playbook at the top
// of an archive that begins with "# play". Each runs beside the other files of
// the archive, but for the other playbooks that begin so. Standard output, exit
// code and the files that are left have to be as Ansible's.
func TestOracle(t *testing.T) {
	ansible := oracle(t)
	archives, err := filepath.Glob("testdata/oracle/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("there are no scenarios (%v)", err)
	}
	count := 0
	for _, path := range archives {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		scenarios := scenariosOf(t, a)
		count += len(scenarios)
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					s.compare(t, ansible)
				})
			}
		})
	}
	t.Logf("%d scenarios", count)
}

func isScenario(f txtar.File) bool {
	return !strings.Contains(f.Name, "/") && strings.HasPrefix(string(f.Data), "# play")
}

func scenariosOf(t *testing.T, a *txtar.Archive) []scenario {
	var all []scenario
	seen := map[string]bool{}
	for _, f := range a.Files {
		if seen[f.Name] {
			t.Fatalf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
		if !isScenario(f) {
			continue
		}
		for line := range strings.Lines(string(f.Data)) {
			words, err := shlex.Split(strings.TrimPrefix(line, "#"))
			if err != nil || !strings.HasPrefix(line, "#") || len(words) == 0 {
				break
			}
			switch words[0] {
			case "play":
				name := strings.Join(append([]string{f.Name}, words[1:]...), " ")
				all = append(all, scenario{name: name, files: slices.DeleteFunc(slices.Clone(a.Files), func(other txtar.File) bool {
					return isScenario(other) && other.Name != f.Name
				})})
			case "then", "type", "press":
			default:
				t.Fatalf("%s: %q is none of play, then, type, press", f.Name, words[0])
			}
			s := &all[len(all)-1]
			switch words[0] {
			case "play", "then":
				s.runs = append(s.runs, newRun(f.Name, words[1:]))
			case "type":
				last := &s.runs[len(s.runs)-1]
				last.typed = append(last.typed, typing{prompt: words[1], answer: words[2]})
			case "press":
				last := &s.runs[len(s.runs)-1]
				last.typed = append(last.typed, typing{keys: words[1]})
			}
		}
	}
	return all
}

var assignment = regexp.MustCompile(`^[A-Z_][A-Z_0-9]*=`)

func newRun(file string, words []string) run {
	r := run{env: []string{
		"ANSIBLE_FORKS=1", "ANSIBLE_NOCOLOR=1", "ANSIBLE_LOCALHOST_WARNING=False", "ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3",
		"LC_ALL=C.UTF-8",
	}}
	if len(words) > 0 && words[0] == "-refused" {
		r.refused, words = true, words[1:]
	}
	if len(words) > 1 && words[0] == "-differs" {
		r.differs, words = true, words[2:]
	}
	for len(words) > 0 && assignment.MatchString(words[0]) {
		r.env, words = append(r.env, words[0]), words[1:]
	}
	if !namesPlaybook(words) {
		words = append(words, file)
	}
	r.args = words
	return r
}

func namesPlaybook(words []string) bool {
	for i, w := range words {
		if strings.HasSuffix(w, ".yml") && (i == 0 || words[i-1] != "-i" && words[i-1] != "-e") {
			return true
		}
	}
	return false
}

// compare runs s with both.
func (s scenario) compare(t *testing.T, ansible string) {
	got, err := s.perform(t, "gplay")
	if err != nil {
		t.Fatal(err)
	}
	unlike := make([]bool, len(s.runs))
	for i, r := range s.runs {
		unlike[i] = r.differs
		if got[i].refused() != r.refused {
			t.Errorf("run %d is refused: %v\n%s", i+1, !r.refused, got[i].Errors)
		}
	}
	s.agree(t, ansible, got, unlike)
}

// agree sees that Ansible does what gplay did.
func (s scenario) agree(t *testing.T, ansible string, got []performance, unlike []bool) {
	why, err := disagreement(fmt.Sprintf("{%v %v %v}", s.name, s.files, s.runs), got, unlike, func() ([]performance, error) { return s.perform(t, ansible) })
	if err != nil {
		t.Fatal(err)
	}
	if why != "" {
		t.Fatal(why)
	}
}

// perform does the runs of s in a directory of their own.
func (s scenario) perform(t *testing.T, program string) ([]performance, error) {
	dir := filepath.Join(t.TempDir(), "work")
	for _, f := range s.files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(string(f.Data), "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(path, f.Data, mode); err != nil {
			return nil, err
		}
	}
	home := filepath.Join(dir, ".home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	var all []performance
	for _, r := range s.runs {
		r.program, r.as, r.env = program, program, append(slices.Clone(r.env), "HOME="+home, "PATH="+os.Getenv("PATH"))
		p, err := perform(dir, r)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}
