package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// forks are processes of Python that run Ansible's commands, each one at a
// time, as testdata/forks.py says.
var forks = make(chan *forker, 64)

type forker struct {
	in  *json.Encoder
	out *bufio.Reader
}

// anyForker is one that has nothing to do, a new one if need be.
func anyForker() (*forker, error) {
	select {
	case f := <-forks:
		return f, nil
	default:
	}
	cmd := exec.Command("/usr/bin/python3", "testdata/forks.py")
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &forker{json.NewEncoder(in), bufio.NewReader(out)}, cmd.Start()
}

// forked runs an Ansible command in dir, and gives its exit code and what it
// wrote.
func forked(dir string, r run) (code int, out, errs string, err error) {
	f, err := anyForker()
	if err != nil {
		return 0, "", "", err
	}
	written, err := os.MkdirTemp("", "ansible")
	if err != nil {
		return 0, "", "", err
	}
	defer os.RemoveAll(written)
	job := map[string]any{"argv": append([]string{r.program}, r.args...), "dir": dir, "env": asMap(r.env), "stdin": os.DevNull}
	if stdin := filepath.Join(dir, "stdin"); exists(stdin) {
		job["stdin"] = stdin
	}
	for _, name := range []string{"stdout", "stderr"} {
		path := filepath.Join(written, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return 0, "", "", err
		}
		job[name] = path
	}
	if err := f.in.Encode(job); err != nil {
		return 0, "", "", err
	}
	answer, err := f.out.ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("testdata/forks.py has ended: %w", err)
	}
	if err != nil {
		return 0, "", "", err
	}
	forks <- f
	if code, err = strconv.Atoi(strings.TrimSpace(answer)); err != nil {
		return 0, "", "", err
	}
	said, err := os.ReadFile(filepath.Join(written, "stdout"))
	if err != nil {
		return 0, "", "", err
	}
	complained, err := os.ReadFile(filepath.Join(written, "stderr"))
	return code, string(said), string(complained), err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func asMap(env []string) map[string]string {
	all := map[string]string{}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		all[name] = value
	}
	return all
}
