package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gplay/playbook/runner"
)

// TestInterrupt sends SIGINT while a command sleeps on two hosts: the command
// ends, no task starts any more, and the recap comes.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	pids := filepath.Join(dir, "pids")
	write(t, filepath.Join(dir, "hosts"), "a ansible_connection=local\nb ansible_connection=local\n")
	write(t, filepath.Join(dir, "site.yml"), fmt.Sprintf(`
- hosts: all
  gather_facts: no
  tasks:
    - shell: echo $$ >> %s; exec sleep 1000
    - file: {path: %s/later, state: touch}
- hosts: all
  gather_facts: no
  tasks:
    - file: {path: %[2]s/later, state: touch}
`, pids, dir))
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// As testscript does it, the test binary is gplay by the name it has.
	link := filepath.Join(dir, "gplay")
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(link, "-i", "hosts", "site.yml")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir, "ANSIBLE_NOCOLOR=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var running []string
	eventually(t, "both hosts run the command", func() bool {
		data, _ := os.ReadFile(pids)
		running = strings.Fields(string(data))
		return len(running) == 2
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != runner.ExitInterrupted {
		t.Errorf("exit code %d, want %d\n%s%s", code, runner.ExitInterrupted, &out, &errs)
	}
	if !strings.Contains(out.String(), "PLAY RECAP") || strings.Count(out.String(), "TASK [") != 1 {
		t.Errorf("one task and the recap are expected:\n%s", &out)
	}
	if n := strings.Count(out.String(), "failed=1"); n != 2 {
		t.Errorf("the recap has %d hosts that failed, want 2:\n%s", n, &out)
	}
	if !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("standard error does not say why: %s", &errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "later")); err == nil {
		t.Error("a later task ran")
	}
	for _, pid := range running {
		eventually(t, "the command ends", func() bool { return !alive(pid) })
	}
}

func alive(pid string) bool {
	var n int
	fmt.Sscan(pid, &n)
	return syscall.Kill(n, 0) == nil
}

// eventually waits for a condition; the test's own time limit ends it.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
