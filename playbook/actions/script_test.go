package actions

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gplay/jinja"
)

var errNoAgent = errors.New("no gplay runs here")

// bare is a host that has a shell and SFTP only: this machine, and where files
// are uploaded to. Programs cannot be started there.
func bare(t *testing.T, args *jinja.Dict) (*Call, string) {
	scripts, uploads := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(scripts, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("args.sh", "#!/bin/sh -e\nfor a; do echo \"[$a]\"; done; echo \"$COLOUR\"; pwd; false; echo not here\n")
	write("with space.sh", "#!/bin/sh\necho fine >&2\n")
	write("text", "echo \"by $1\"\n")
	return &Call{
		Args: args, Dirs: []string{scripts},
		Module: func(context.Context, string, *jinja.Dict, map[string]File) (*jinja.Dict, error) {
			return nil, errNoAgent
		},
		NoAgent: func(err error) bool { return err == errNoAgent },
		Exec:    localExec,
		Upload: func(_ context.Context, name string, content io.Reader) (string, func() error, error) {
			text, err := io.ReadAll(content)
			path := filepath.Join(uploads, name)
			return path, func() error { return os.Remove(path) }, errors.Join(err, os.WriteFile(path, text, 0o600))
		},
	}, uploads
}

func localExec(ctx context.Context, command string, stdin io.Reader) (int, []byte, []byte, error) {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		err = nil
	}
	return cmd.ProcessState.ExitCode(), stdout.Bytes(), stderr.Bytes(), err
}

func TestScriptWithoutAgent(t *testing.T) {
	for name, test := range map[string]struct {
		args  *jinja.Dict
		check bool
		want  map[string]any
	}{
		"arguments":         {jinja.NewDict("_raw_params", `args.sh one 'two  three' "it's"`, "chdir", "/"), false, map[string]any{"changed": true, "rc": 1, "failed": true, "msg": "non-zero return code", "stdout": "[one]\n[two  three]\n[it's]\nit's $HOME\n/\n", "stderr": "", "stdout_lines": []any{"[one]", "[two  three]", "[it's]", "it's $HOME", "/"}, "stderr_lines": []any{}}},
		"a name in quotes":  {jinja.NewDict("cmd", "'with space.sh' x"), false, map[string]any{"changed": true, "rc": 0, "stdout": "", "stderr": "fine\n", "stdout_lines": []any{}, "stderr_lines": []any{"fine"}}},
		"executable":        {jinja.NewDict("_raw_params", "text me", "executable", "/bin/sh -u"), false, map[string]any{"changed": true, "rc": 0, "stdout": "by me\n", "stderr": "", "stdout_lines": []any{"by me"}, "stderr_lines": []any{}}},
		"it is there":       {jinja.NewDict("_raw_params", "args.sh", "creates", "/dev/null"), false, map[string]any{"skipped": true, "changed": false, "msg": "/dev/null exists, matching creates option"}},
		"home is there":     {jinja.NewDict("_raw_params", "args.sh", "creates", "~/."), false, map[string]any{"skipped": true, "changed": false, "msg": "~/. exists, matching creates option"}},
		"it is not there":   {jinja.NewDict("_raw_params", "args.sh", "removes", "/no such"), false, map[string]any{"skipped": true, "changed": false, "msg": "/no such does not exist, matching removes option"}},
		"it is to run":      {jinja.NewDict("_raw_params", "'with space.sh'", "creates", "/no such", "removes", "/dev/null"), false, map[string]any{"changed": true, "rc": 0, "stdout": "", "stderr": "fine\n", "stdout_lines": []any{}, "stderr_lines": []any{"fine"}}},
		"check":             {jinja.NewDict("_raw_params", "args.sh"), true, map[string]any{"skipped": true, "changed": false, "msg": "Check mode is not supported for this task."}},
		"check and creates": {jinja.NewDict("_raw_params", "args.sh", "creates", "/no such"), true, map[string]any{"changed": true}},
	} {
		t.Run(name, func(t *testing.T) {
			c, uploads := bare(t, test.args)
			c.Check, c.Environment = test.check, map[string]string{"COLOUR": "it's $HOME"}
			out, err := runScript(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := jinja.Repr(out), jinja.Repr(jinja.FromGo(test.want)); !jinja.Equal(out, jinja.FromGo(test.want)) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if left, _ := os.ReadDir(uploads); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

func TestScriptGivenUp(t *testing.T) {
	c, uploads := bare(t, jinja.NewDict("_raw_params", "text"))
	c.Exec = func(context.Context, string, io.Reader) (int, []byte, []byte, error) {
		return 0, nil, nil, context.Canceled
	}
	if _, err := runScript(t.Context(), c); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(uploads); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

func TestScriptFailures(t *testing.T) {
	refused := errors.New("refused")
	c, _ := bare(t, jinja.NewDict("_raw_params", "text"))
	c.Upload = func(context.Context, string, io.Reader) (string, func() error, error) { return "", nil, refused }
	if _, err := runScript(t.Context(), c); !errors.Is(err, refused) || !errors.Is(err, errNoAgent) {
		t.Errorf("a failed upload gave %v, want both reasons", err)
	}
	c, _ = bare(t, jinja.NewDict("_raw_params", "text"))
	c.NoAgent = func(error) bool { return false }
	if _, err := runScript(t.Context(), c); err != errNoAgent {
		t.Errorf("another failure of the module gave %v", err)
	}
}
