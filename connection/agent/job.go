package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// startJob starts a process that runs the call by itself and outlives the
// connection. It returns when the job's status file is there.
func startJob(call Call) map[string]any {
	if len(call.Files) > 0 {
		return failure("async is not possible for a task that needs files of the controller")
	}
	exe, err := executable()
	if err != nil {
		return failure("cannot start the job: %v", err)
	}
	body, err := appendValue(nil, message(call, nil))
	if err != nil {
		return failure("cannot start the job: %v", err)
	}
	cmd := exec.Command(exe, "agent", "job")
	cmd.Env = append(os.Environ(), assignments(call.Environment)...)
	cmd.Dir = call.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stdin = bytes.NewReader(body)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return failure("cannot start the job: %v", err)
	}
	if err := cmd.Start(); err != nil {
		return failure("cannot start the job: %v", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	go cmd.Wait()
	if err != nil {
		return failure("the job ended before it began: %s", strings.TrimSpace(line))
	}
	path := strings.TrimSpace(line)
	if !filepath.IsAbs(path) {
		return failure("cannot start the job: %s", path)
	}
	return map[string]any{
		"changed":        true,
		"failed":         0, // a number, as with Ansible
		"started":        1,
		"finished":       0,
		"ansible_job_id": filepath.Base(path),
		"results_file":   path,
	}
}

// job is the process that startJob starts. It says on stdout where its status
// file is, or what went wrong.
func job(in io.Reader, run Runner) error {
	body, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	call, _, err := parseCall(body)
	if err != nil {
		return err
	}
	j, err := newStatus()
	if err != nil {
		fmt.Println(err)
		return err
	}
	fmt.Println(j.path)
	if err := leaveOutput(); err != nil {
		return err
	}
	limitTo := call.Async
	call.Async, call.Environment, call.Dir = 0, nil, ""
	return j.write(runJob(call, limitTo, run))
}

// leaveOutput lets go of the pipe to the agent.
func leaveOutput() error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	os.Stdout.Close()
	os.Stdout = null
	return nil
}

func runJob(call Call, limitTo time.Duration, run Runner) map[string]any {
	ctx, cancel := context.WithTimeout(context.Background(), limitTo)
	defer cancel()
	local := NewLocal(run)
	defer local.Close()
	ended := make(chan map[string]any, 1)
	go func() { ended <- local.do(ctx, call, offered(nil)) }()
	select {
	case result := <-ended:
		if ctx.Err() == nil {
			return result
		}
	case <-ctx.Done():
		select {
		case <-ended: // it has ended what it started
		case <-time.After(lastWait):
		}
	}
	return map[string]any{"failed": true, "msg": "Timeout exceeded", "child_pid": os.Getpid()}
}

// status is a job's file in ~/.ansible_async.
type status struct{ path, id string }

func newStatus() (*status, error) {
	dir, err := asyncDir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("could not create directory: %s - %w", dir, err)
	}
	id := fmt.Sprintf("j%d.%d", rand.Int64N(1e12), os.Getpid())
	s := &status{filepath.Join(dir, id), id}
	return s, s.write(map[string]any{"started": 1, "finished": 0})
}

// asyncDir is where the jobs of this user are.
func asyncDir() (string, error) {
	dir := os.Getenv("ANSIBLE_ASYNC_DIR")
	if dir == "" {
		dir = "~/.ansible_async"
	}
	if rest, ok := strings.CutPrefix(dir, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, rest)
	}
	return dir, nil
}

// write puts the state in place at once: whoever looks sees a whole one.
func (s *status) write(state map[string]any) error {
	state["ansible_job_id"] = s.id
	if _, ok := state["started"]; !ok {
		state["started"], state["finished"] = 1, 1
	}
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	temp := s.path + ".tmp"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(temp)
		return err
	}
	return os.Rename(temp, s.path)
}
