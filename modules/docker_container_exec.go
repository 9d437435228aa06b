package modules

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"

	"gplay/modules/engine"
	"gplay/modules/host"
)

// DockerContainerExec runs a command in a container.
var DockerContainerExec = define("docker_container_exec", "run a command in a Docker container",
	dockerExecArgs{StdinAddNewline: true, StripEmptyEnds: true}, dockerContainerExec).
	oneOf("argv", "command").exclusive("argv", "command").noCheck()

type dockerExecArgs struct {
	dockerEngineArgs
	Container       string         `arg:"container" required:"true" doc:"The container."`
	Argv            []string       `arg:"argv" doc:"The command as a list."`
	Command         string         `arg:"command" doc:"The command as a line."`
	Chdir           string         `arg:"chdir" doc:"The directory to run it in."`
	Detach          bool           `arg:"detach" doc:"Do not wait for its end."`
	Env             map[string]any `arg:"env" doc:"Environment variables."`
	Stdin           *string        `arg:"stdin" doc:"What it reads."`
	StdinAddNewline bool           `arg:"stdin_add_newline" doc:"End that with a newline."`
	StripEmptyEnds  bool           `arg:"strip_empty_ends" doc:"Drop newlines at the end of its output."`
	TTY             bool           `arg:"tty" doc:"Give it a terminal."`
	User            string         `arg:"user" doc:"The user to run it as."`
}

func dockerContainerExec(ctx context.Context, c *Call, a dockerExecArgs) (Result, error) {
	if a.Stdin != nil && a.Detach {
		return nil, errors.New("If detach=true, stdin cannot be provided.")
	}
	argv := a.Argv
	if a.Command != "" {
		var err error
		if argv, err = engine.Words(a.Command); err != nil {
			return nil, err
		}
	}
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	var r Result
	err = c.Change(Diff{}, func(host.Writer) error {
		made, err := docker.ContainerExecCreate(ctx, a.Container, container.ExecOptions{Cmd: argv, User: a.User, Tty: a.TTY,
			WorkingDir: a.Chdir, Env: engine.Pairs(scalars(a.Env)), AttachStdin: a.Stdin != nil, AttachStdout: !a.Detach, AttachStderr: !a.Detach, Detach: a.Detach})
		if err != nil {
			return engine.Failure("running a command in container "+a.Container, err)
		}
		if a.Detach {
			r = Result{"exec_id": made.ID}
			return engine.Failure("starting the command", docker.ContainerExecStart(ctx, made.ID, container.ExecStartOptions{Detach: true, Tty: a.TTY}))
		}
		r, err = a.attend(ctx, docker, made.ID)
		return err
	})
	return r, err
}

// attend gives the command its input and waits for its end.
func (a dockerExecArgs) attend(ctx context.Context, docker *client.Client, id string) (Result, error) {
	conn, err := docker.ContainerExecAttach(ctx, id, container.ExecAttachOptions{Tty: a.TTY})
	if err != nil {
		return nil, engine.Failure("starting the command", err)
	}
	defer conn.Close()
	if a.Stdin != nil {
		text := *a.Stdin
		if a.StdinAddNewline {
			text += "\n"
		}
		go func() { conn.Conn.Write([]byte(text)); conn.CloseWrite() }()
	}
	var stdout, stderr bytes.Buffer
	if a.TTY {
		_, err = stdout.ReadFrom(conn.Reader)
	} else {
		_, err = stdcopy.StdCopy(&stdout, &stderr, conn.Reader)
	}
	if err != nil {
		return nil, err
	}
	info, err := docker.ContainerExecInspect(ctx, id)
	if err != nil {
		return nil, engine.Failure("asking how the command ended", err)
	}
	r := Result{"stdout": a.stripped(stdout.String()), "stderr": a.stripped(stderr.String()), "rc": info.ExitCode}
	if info.ExitCode != 0 {
		return r, errors.New("non-zero return code")
	}
	return r, nil
}

func (a dockerExecArgs) stripped(s string) string {
	if a.StripEmptyEnds {
		return strings.TrimRight(s, "\r\n")
	}
	return s
}
