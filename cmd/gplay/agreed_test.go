package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var record = flag.Bool("record", false, "write down in "+agreedFile+" what Ansible and gplay agreed on")

// agreedFile has a line for each comparison in which gplay did what Ansible
// does: the hash of the question (programs, arguments, files) and that of the
// answer. Ansible is not asked again while gplay does the same; a sixteenth of
// the comparisons, each day another one, ask it in any case when CI=true.
const agreedFile = "testdata/agreed"

var agreed = struct {
	sync.Mutex
	known func() map[string]string
	now   map[string]string
}{known: sync.OnceValue(readAgreed), now: map[string]string{}}

func readAgreed() map[string]string {
	known := map[string]string{}
	data, err := os.ReadFile(agreedFile)
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(data)) {
		question, answer, _ := strings.Cut(strings.TrimSpace(line), " ")
		known[question] = answer
	}
	return known
}

// recording is the tests' run, after which what was agreed on is written.
type recording struct{ *testing.M }

func (r recording) Run() int {
	code := r.M.Run()
	if *record {
		if err := writeAgreed(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

func writeAgreed() error {
	all := agreed.known()
	maps.Copy(all, agreed.now)
	var b strings.Builder
	for _, question := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintln(&b, question, all[question])
	}
	return os.WriteFile(agreedFile, []byte(b.String()), 0o644)
}

// disagreement says how what gplay did differs from what Ansible does. The
// output of those that are unlike is not compared.
func disagreement(question string, got []performance, unlike []bool, ask func() ([]performance, error)) (string, error) {
	asked, answered := hash(question), answerOf(got, unlike)
	if agreed.known()[asked] == answered && !due(asked) {
		note(asked, answered)
		return "", nil
	}
	want, err := remembered(question, ask)
	if err != nil {
		return "", err
	}
	for i := range want {
		if unlike[i] {
			got[i].Output, got[i].Dir = want[i].Output, want[i].Dir
		}
		if why := got[i].differs(want[i]); why != "" {
			return fmt.Sprintf("run %d: %s", i+1, why), nil
		}
	}
	note(asked, answered)
	return "", nil
}

func note(question, answer string) {
	agreed.Lock()
	defer agreed.Unlock()
	agreed.now[question] = answer
}

// due reports whether it is the day to ask Ansible.
func due(question string) bool {
	sixteenth := fmt.Sprintf("%x", time.Now().YearDay()%16)
	return os.Getenv("CI") == "true" && strings.HasPrefix(question, sixteenth)
}

func hash(text string) string { return fmt.Sprintf("%.16x", sha256.Sum256([]byte(text))) }

func answerOf(all []performance, unlike []bool) string {
	var b strings.Builder
	for i, p := range all {
		fmt.Fprintln(&b, p.Code, p.Files)
		if !unlike[i] {
			b.WriteString(p.plain().Output)
		}
	}
	return hash(b.String())
}
