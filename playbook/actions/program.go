package actions

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path"
	"strings"

	"gplay/jinja"
)

// RunProgram runs a module of the playbook's own, which is a program: text
// that says WANT_JSON and binaries get their arguments as JSON, other scripts
// as key=value words.
func RunProgram(ctx context.Context, c *Call) (*jinja.Dict, error) {
	content, err := os.ReadFile(c.Task.Program)
	if err != nil {
		return nil, err
	}
	binary := bytes.IndexByte(content, 0) >= 0
	style, args := "pairs", c.programArgs()
	if binary || bytes.Contains(content, []byte("WANT_JSON")) {
		style = "json"
	} else {
		for k, v := range args.All() {
			args.Set(k, jinja.Str(v))
		}
	}
	call := jinja.NewDict("name", c.Task.Action, "content", base64.StdEncoding.EncodeToString(content), "style", style, "args", args)
	if !binary {
		words, err := c.interpreter(content)
		if err != nil {
			return nil, err
		}
		call.Set("interpreter", words)
	}
	return c.Module(ctx, "program", call, nil)
}

// programArgs are the task's arguments, and what Ansible tells every module.
func (c *Call) programArgs() *jinja.Dict {
	return with(c.Args, nil, "_ansible_check_mode", c.Check, "_ansible_diff", c.Diff, "_ansible_no_log", false, "_ansible_debug", false,
		"_ansible_verbosity", c.Verbosity, "_ansible_module_name", c.Task.Action)
}

// interpreter is the program that a script's first line names, with its
// arguments. A variable ansible_NAME_interpreter of the host has another path
// for it.
func (c *Call) interpreter(content []byte) (*jinja.List, error) {
	words := jinja.NewList()
	line, ok := strings.CutPrefix(firstLine(content), "#!")
	fields := strings.Fields(line)
	if !ok || len(fields) == 0 {
		return words, nil
	}
	name := path.Base(fields[0])
	if name == "env" && len(fields) > 1 {
		name = fields[1]
	}
	v, set, err := c.Scope.Setting("ansible_" + name + "_interpreter")
	if err != nil {
		return nil, err
	}
	if set && jinja.Str(v) != "" {
		fields = []string{jinja.Str(v)}
	}
	for _, f := range fields {
		words.Items = append(words.Items, f)
	}
	return words, nil
}

func firstLine(content []byte) string {
	line, _ := bufio.NewReader(bytes.NewReader(content)).ReadString('\n')
	return strings.TrimSpace(line)
}
