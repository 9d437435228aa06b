package actions

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"gplay/jinja"
	"gplay/modules"
)

var script = &Action{Name: "script", Module: true, FreeForm: true, Run: runScript}

// runScript offers the script; what follows its name are its arguments. A host
// that cannot run gplay gets the script alone.
func runScript(ctx context.Context, c *Call) (*jinja.Dict, error) {
	name, arguments, err := modules.SplitScript(c.text("_raw_params", "cmd"))
	if err != nil {
		return nil, err
	}
	path, err := c.find("files", name)
	if err != nil {
		return nil, err
	}
	if err := notDir(path); err != nil {
		return nil, err
	}
	file, err := c.offer(path)
	if err != nil {
		return nil, err
	}
	out, err := c.Module(ctx, "script", with(c.Args, []string{"decrypt"}), map[string]File{"script": file})
	if err == nil || !c.NoAgent(err) {
		return out, err
	}
	if dir := c.text("chdir"); dir != "" && !filepath.IsAbs(dir) {
		return nil, fmt.Errorf("chdir %s must be an absolute path for a Unix-aware remote node", dir)
	}
	if out, err := c.skipScript(ctx); out != nil || err != nil {
		return out, err
	}
	return c.sendScript(ctx, filepath.Base(path), file, arguments, err)
}

// skipScript gives the result of a script that is not to run, or nil.
func (c *Call) skipScript(ctx context.Context) (*jinja.Dict, error) {
	skip := func(msg string) (*jinja.Dict, error) {
		return jinja.NewDict("skipped", true, "changed", false, "msg", msg), nil
	}
	creates, removes := c.text("creates"), c.text("removes")
	if creates != "" {
		there, err := c.exists(ctx, creates)
		if err != nil {
			return nil, err
		}
		if there {
			return skip(creates + " exists, matching creates option")
		}
	}
	if removes != "" {
		there, err := c.exists(ctx, removes)
		if err != nil {
			return nil, err
		}
		if !there {
			return skip(removes + " does not exist, matching removes option")
		}
	}
	switch {
	case c.Check && creates == "" && removes == "":
		return skip("Check mode is not supported for this task.")
	case c.Check:
		return jinja.NewDict("changed", true), nil
	}
	return nil, nil
}

// exists looks for a file by the host's shell. Patterns are not for it.
func (c *Call) exists(ctx context.Context, path string) (bool, error) {
	word := shellWord(path)
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		word = `"$HOME"/` + shellWord(rest)
	}
	code, _, stderr, err := c.Exec(ctx, "/bin/sh -c "+shellWord("test -e "+word), nil)
	if err == nil && code > 1 {
		err = fmt.Errorf("the shell cannot look for %s: %s", path, strings.TrimSpace(string(stderr)))
	}
	return code == 0, err
}

// sendScript uploads the script, runs it and takes it away again. why is the
// reason that no module does it.
func (c *Call) sendScript(ctx context.Context, name string, file File, arguments string, why error) (out *jinja.Dict, err error) {
	f, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content := bufio.NewReader(f)
	interpreter := c.text("executable")
	if interpreter == "" {
		interpreter = shebang(content)
	}
	there, remove, err := c.Upload(ctx, name, content)
	if err != nil {
		return nil, fmt.Errorf("%w; and the script cannot be sent without it: %w", why, err)
	}
	defer func() {
		if late := remove(); err == nil && late != nil {
			err = fmt.Errorf("%s cannot be removed: %w", there, late)
		}
	}()
	line := strings.TrimSpace(interpreter + " " + shellWord(there) + " " + arguments)
	if dir := c.text("chdir"); dir != "" {
		line = "cd " + shellWord(dir) + " && " + line
	}
	exports, environment := c.exports()
	return c.execute(ctx, "/bin/sh -c "+shellWord(exports+line), environment)
}

// shebang is the command that a script's first line names. To start it, rather
// than the script, needs no directory from which programs can be run.
func shebang(content *bufio.Reader) string {
	start, _ := content.Peek(256)
	line, _, _ := strings.Cut(string(start), "\n")
	line, ok := strings.CutPrefix(line, "#!")
	if !ok {
		return ""
	}
	program, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
	if argument = strings.TrimSpace(argument); argument != "" {
		return shellWord(program) + " " + shellWord(argument)
	}
	return shellWord(program)
}

// exports gives a shell the task's environment by its standard input: others
// can see its command line.
func (c *Call) exports() (command string, stdin io.Reader) {
	if len(c.Environment) == 0 {
		return "", nil
	}
	var text strings.Builder
	for name, value := range c.Environment {
		fmt.Fprintf(&text, "export %s=%s\n", name, shellWord(value))
	}
	return fmt.Sprintf(`eval "$(dd bs=1 count=%d 2>/dev/null)"; `, text.Len()), strings.NewReader(text.String())
}
