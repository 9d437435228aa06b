package lookups

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"gplay/jinja"
)

func env(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	o := read(c, options, "default")
	return each(terms, lacks("split"), func(term string) ([]any, error) {
		name, _, _ := strings.Cut(strings.TrimSpace(term), " ")
		if name == "" {
			return nil, jinja.Exceptionf("IndexError", "list index out of range")
		}
		if v, ok := os.LookupEnv(name); ok {
			return []any{v}, nil
		}
		return []any{o.value("default", "")}, o.err
	})
}

func pipe(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	commands := make([]any, len(terms))
	for i, term := range terms {
		commands[i] = term
		if _, undefined := term.(*jinja.Undefined); !undefined {
			commands[i] = jinja.Str(term)
		}
	}
	return each(commands, nil, func(command string) ([]any, error) {
		out, err := c.shell("pipe", command, options)
		return []any{strings.TrimRightFunc(out, isSpace)}, err
	})
}

func lines(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	return each(terms, notIterable, func(command string) ([]any, error) {
		out, err := c.shell("lines", command, options)
		return asValues(splitLines(out)), err
	})
}

func notIterable(term any) error {
	return jinja.Exceptionf("TypeError", "'%s' object is not iterable", jinja.TypeName(term))
}

func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// shell gives what a command prints on this machine.
func (c *Context) shell(lookup, command string, options *jinja.Dict) (string, error) {
	read(c, options)
	cmd := exec.CommandContext(c, "/bin/sh", "-c", command)
	cmd.Dir = c.baseDir()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState != nil {
		code := cmd.ProcessState.ExitCode()
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			code = -int(status.Signal())
		}
		return "", fmt.Errorf("lookup_plugin.%s(%s) returned %d: %s", lookup, command, code, strings.TrimSpace(stderr.String()))
	}
	return string(out), err
}
