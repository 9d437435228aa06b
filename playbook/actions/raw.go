package actions

import (
	"context"
	"io"
	"strings"

	"gplay/jinja"
)

var raw = &Action{Name: "raw", Doc: "run a command line without any of gplay's on the host", FreeForm: true, Params: []string{"executable"}, Run: runRaw}

func runRaw(ctx context.Context, c *Call) (*jinja.Dict, error) {
	if c.Check {
		return jinja.NewDict("skipped", true, "changed", false), nil
	}
	command := c.text("_raw_params")
	if shell := c.text("executable"); shell != "" {
		command = shell + " -c " + shellWord(command)
	}
	return c.execute(ctx, command, nil)
}

// execute makes a result of a command line.
func (c *Call) execute(ctx context.Context, command string, stdin io.Reader) (*jinja.Dict, error) {
	code, stdout, stderr, err := c.Exec(ctx, command, stdin)
	if err != nil {
		return nil, err
	}
	out := jinja.NewDict("rc", code, "stdout", string(stdout), "stdout_lines", lines(string(stdout)),
		"stderr", string(stderr), "stderr_lines", lines(string(stderr)), "changed", true)
	if code != 0 {
		out.Set("failed", true)
		out.Set("msg", "non-zero return code")
	}
	return out, nil
}

func lines(text string) *jinja.List {
	out := jinja.NewList()
	text = strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if text == "" {
		return out
	}
	for line := range strings.SplitSeq(text, "\n") {
		out.Items = append(out.Items, line)
	}
	return out
}

// shellWord makes one word of s for a POSIX shell.
func shellWord(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
