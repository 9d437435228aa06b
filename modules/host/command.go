package host

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Ask runs a command. When ctx ends, the command and what it started are
// killed, and ctx's error is returned. A background process that keeps the
// outputs open does not hold it up.
func (l *Local) Ask(ctx context.Context, cmd Cmd) (Output, error) {
	if len(cmd.Args) == 0 {
		return Output{}, errors.New("no command given")
	}
	env := append(append(os.Environ(), l.Env...), cmd.Env...)
	program, err := l.lookPath(cmd.Args[0], lastValue(env, "PATH"))
	if err != nil {
		return Output{}, err
	}
	if err := ctx.Err(); err != nil {
		return Output{}, err
	}
	var stdout, stderr capped
	x := exec.CommandContext(ctx, program)
	x.Args, x.Env, x.Dir, x.Stdin = cmd.Args, env, l.dir(cmd.Dir), cmd.Stdin
	x.Stdout, x.Stderr = &stdout, &stderr
	x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	x.Cancel = func() error { return syscall.Kill(-x.Process.Pid, syscall.SIGTERM) }
	x.WaitDelay = time.Second
	err = x.Run()
	if ctx.Err() != nil && x.Process != nil {
		// What ignored the first signal; no such process is fine.
		_ = syscall.Kill(-x.Process.Pid, syscall.SIGKILL)
		return Output{}, ctx.Err()
	}
	out := Output{Stdout: stdout.data, Stderr: stderr.data, Truncated: stdout.full || stderr.full}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return out, err
	}
	out.Code = exitCode(x.ProcessState)
	return out, nil
}

// Run is Ask: what differs is what the command may do.
func (l *Local) Run(ctx context.Context, cmd Cmd) (Output, error) { return l.Ask(ctx, cmd) }

func (l *Local) dir(dir string) string {
	if dir == "" {
		return l.Dir
	}
	return l.path(dir)
}

func exitCode(p *os.ProcessState) int {
	if st, ok := p.Sys().(syscall.WaitStatus); ok && st.Signaled() {
		return -int(st.Signal())
	}
	return p.ExitCode()
}

func lastValue(env []string, name string) string {
	value := ""
	for _, e := range env {
		if k, v, _ := strings.Cut(e, "="); k == name {
			value = v
		}
	}
	return value
}

// capped keeps the first MaxOutput bytes.
type capped struct {
	data []byte
	full bool
}

func (c *capped) Write(p []byte) (int, error) {
	room := MaxOutput - len(c.data)
	if len(p) > room {
		c.full = true
		c.data = append(c.data, p[:room]...)
	} else {
		c.data = append(c.data, p...)
	}
	return len(p), nil
}
