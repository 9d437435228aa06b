package connection

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"sync"
	"syscall"

	"gplay/connection/agent"
)

// shell starts command lines on a host.
type shell interface {
	// start runs a command line by the user's shell. A terminal merges stderr
	// into stdout; not every shell can give one.
	start(command string, terminal bool) (*process, error)
	dead() bool
	close()
}

// process is a command that runs on a host. stderr is nil with a terminal.
type process struct {
	stdin          io.WriteCloser
	stdout, stderr io.Reader
	// wait gives the exit code, after the output was read.
	wait func() (int, error)
	kill func()
}

var errNoTerminal = errors.New("this connection has no terminal to give")

// localShell is this machine.
type localShell struct{}

func (localShell) dead() bool { return false }
func (localShell) close()     {}
func (localShell) start(command string, terminal bool) (*process, error) {
	if terminal {
		return nil, errNoTerminal
	}
	return startProcess(exec.Command("/bin/sh", "-c", command))
}

// dockerShell is a container, by Docker's own command.
type dockerShell struct{ container, user string }

func (*dockerShell) dead() bool { return false }
func (*dockerShell) close()     {}
func (d *dockerShell) start(command string, terminal bool) (*process, error) {
	if terminal {
		return nil, errNoTerminal
	}
	args := []string{"exec", "-i"}
	if d.user != "" {
		args = append(args, "-u", d.user)
	}
	return startProcess(exec.Command("docker", append(args, "--", d.container, "/bin/sh", "-c", command)...))
}

// startProcess starts a command of this machine in a process group of its
// own: an interrupt of the terminal is gplay's alone.
func startProcess(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{
		stdin: stdin, stdout: stdout, stderr: stderr,
		wait: sync.OnceValues(func() (int, error) { return exitCode(cmd.Wait()) }),
		kill: func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) },
	}, nil
}

func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// run sends stdin to a process and collects what it says.
func (p *process) run(ctx context.Context, stdin io.Reader, stdout io.Reader, stderr *bytes.Buffer) (int, []byte, error) {
	stop := context.AfterFunc(ctx, p.kill)
	defer stop()
	go func() {
		if stdin != nil {
			io.Copy(p.stdin, stdin)
		}
		p.stdin.Close()
	}()
	var out bytes.Buffer
	var reading sync.WaitGroup
	if p.stderr != nil && stderr != nil {
		reading.Go(func() { io.Copy(stderr, p.stderr) })
	}
	io.Copy(&out, stdout)
	reading.Wait()
	code, err := p.wait()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return code, out.Bytes(), err
}

// localConn runs on this machine as the user who runs gplay.
type localConn struct{ local *agent.Local }

func (c *localConn) Module(ctx context.Context, call Call) (map[string]any, error) {
	return c.local.Module(ctx, call)
}

func (c *localConn) Exec(ctx context.Context, command string, stdin io.Reader) (int, []byte, []byte, error) {
	proc, err := localShell{}.start(command, false)
	if err != nil {
		return 0, nil, nil, err
	}
	var stderr bytes.Buffer
	code, stdout, err := proc.run(ctx, stdin, proc.stdout, &stderr)
	return code, stdout, stderr.Bytes(), err
}

func (c *localConn) Upload(context.Context, string, io.Reader) (string, func() error, error) {
	return "", nil, errors.New("connection local has no SFTP")
}
