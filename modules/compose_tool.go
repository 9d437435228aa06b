package modules

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"gplay/modules/compose"
	"gplay/modules/host"
)

// composeTool is the Compose that the host has, and the project it works on.
type composeTool struct {
	c       *Call
	program []string // docker compose, or docker-compose
	v2      bool
	dir     string
	options []string // before the subcommand
	env     []string
	input   []byte // the project's file on standard input, or nil
	name    string
}

// findCompose prefers the plugin of docker to docker-compose.
func findCompose(ctx context.Context, c *Call, docker string) (program []string, v2 bool, err error) {
	if docker == "" {
		docker = "docker"
	}
	out, err := c.Ask(ctx, host.Command(docker, "compose", "version", "--short"))
	if err == nil && out.Code == 0 {
		return []string{docker, "compose"}, true, nil
	}
	out, err = c.Ask(ctx, host.Command("docker-compose", "version", "--short"))
	switch {
	case errors.Is(err, host.ErrNotFound):
		return nil, false, errors.New("this host has no Compose: neither `docker compose` nor docker-compose")
	case err != nil:
		return nil, false, err
	case out.Code != 0:
		return nil, false, fmt.Errorf("docker-compose version failed: %s", lastLines(out))
	}
	return []string{"docker-compose"}, !strings.HasPrefix(strings.TrimSpace(string(out.Stdout)), "1."), nil
}

// cmd is a run of Compose.
func (t *composeTool) cmd(args ...string) host.Cmd {
	all := append(append(append([]string{}, t.program...), t.options...), args...)
	cmd := host.Cmd{Args: all, Dir: t.dir, Env: t.env}
	if t.input != nil {
		cmd.Stdin = bytes.NewReader(t.input)
	}
	return cmd
}

func (t *composeTool) ask(ctx context.Context, args ...string) ([]byte, error) {
	out, err := t.c.Ask(ctx, t.cmd(args...))
	if err != nil {
		return nil, err
	}
	if out.Code != 0 {
		return nil, composeFailure(args[0], out)
	}
	return out.Stdout, nil
}

func composeFailure(command string, out host.Output) error {
	return Fail(fmt.Sprintf("Compose's %s failed: %s", command, lastLines(out)),
		Result{"rc": out.Code, "stdout": string(out.Stdout), "stderr": string(out.Stderr)})
}

// files names the project's files. Those of 2015's format go to a Compose
// that refuses them translated, on standard input.
func (t *composeTool) files(files []string) error {
	given := len(files) > 0
	if !given {
		files = t.defaultFiles()
	}
	texts, v1, err := t.read(files)
	if err != nil {
		return err
	}
	if t.v2 && v1 {
		if t.input, err = compose.Translate(texts...); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(files, ", "), err)
		}
		t.options = append(t.options, "--project-directory", t.dir, "-f", "-")
		return nil
	}
	for _, f := range files {
		if given {
			t.options = append(t.options, "-f", f)
		}
	}
	return nil
}

// defaultFiles are the files that Compose looks for itself.
func (t *composeTool) defaultFiles() []string {
	for _, base := range []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"} {
		if _, err := t.c.Stat(path.Join(t.dir, base)); err != nil {
			continue
		}
		files := []string{base}
		stem, _, _ := strings.Cut(base, ".")
		for _, extension := range []string{".yml", ".yaml"} {
			override := stem + ".override" + extension
			if _, err := t.c.Stat(path.Join(t.dir, override)); err == nil {
				return append(files, override)
			}
		}
		return files
	}
	return nil
}

// read reads the files; v1 is whether the first is of 2015's format.
func (t *composeTool) read(files []string) (texts [][]byte, v1 bool, err error) {
	for i, f := range files {
		if !path.IsAbs(f) {
			f = path.Join(t.dir, f)
		}
		text, err := t.c.ReadFile(f)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, false, fmt.Errorf("there is no file %s", f)
		}
		if err != nil {
			return nil, false, err
		}
		if i == 0 {
			if v1, err = compose.IsV1(text); err != nil {
				return nil, false, fmt.Errorf("%s: %w", f, err)
			}
		}
		texts = append(texts, text)
	}
	return texts, v1, nil
}

// project is the project as Compose understands it, and settles its name.
func (t *composeTool) project(ctx context.Context, name string) (*compose.Project, error) {
	text, err := t.ask(ctx, "config")
	if err != nil {
		return nil, err
	}
	p, err := compose.Parse(text)
	if err != nil {
		return nil, err
	}
	env, _ := t.c.Getenv("COMPOSE_PROJECT_NAME")
	for _, n := range []string{name, p.Name, env, t.dotEnv("COMPOSE_PROJECT_NAME"), t.dir} {
		if t.name = compose.NameOf(n); n != "" {
			break
		}
	}
	return p, nil
}

func (t *composeTool) dotEnv(name string) string {
	text, err := t.c.ReadFile(path.Join(t.dir, ".env"))
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(text), "\n") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+"="); ok {
			return strings.Trim(value, `"'`)
		}
	}
	return ""
}

// hashes are the fingerprints of the services' settings, as Compose writes
// them on their containers.
func (t *composeTool) hashes(ctx context.Context) (map[string]string, error) {
	text, err := t.ask(ctx, "config", "--hash", "*")
	if err != nil {
		return nil, err
	}
	hashes := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if fields := strings.Fields(line); len(fields) == 2 {
			hashes[fields[0]] = fields[1]
		}
	}
	return hashes, nil
}
