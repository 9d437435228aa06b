package modules

import (
	"context"
	"strings"
)

// Shell runs a command line with a shell.
var Shell = define("shell", "run a command line with a shell", shellArgs{
	Executable: "/bin/sh", StdinAddNewline: true, StripEmptyEnds: true,
}, shell).freeForm("cmd")

type shellArgs struct {
	Cmd             string  `arg:"cmd" doc:"The command line."`
	Chdir           string  `arg:"chdir" type:"path" doc:"The directory to run it in."`
	Creates         string  `arg:"creates" type:"path" doc:"A pattern; when a file matches it, the command is not run."`
	Removes         string  `arg:"removes" type:"path" doc:"A pattern; when no file matches it, the command is not run."`
	Executable      string  `arg:"executable" type:"path" doc:"The shell, with its path."`
	Stdin           *string `arg:"stdin" doc:"What the command reads from its standard input."`
	StdinAddNewline bool    `arg:"stdin_add_newline" doc:"Add a line break to stdin."`
	StripEmptyEnds  bool    `arg:"strip_empty_ends" doc:"Take the line breaks off the ends of stdout and stderr."`
	Warn            *bool   `arg:"warn" doc:"Has no effect; Ansible had it until 2.13."`
}

func shell(ctx context.Context, c *Call, a shellArgs) (Result, error) {
	if strings.TrimSpace(a.Cmd) == "" {
		return nil, Fail("no command given", Result{"rc": 256, "cmd": nil, "stdout": "", "stderr": ""})
	}
	x := execution{
		shown: a.Cmd, args: []string{a.Executable, "-c", a.Cmd},
		dir: a.Chdir, creates: a.Creates, removes: a.Removes,
		stdin: a.Stdin, stdinAddNewline: a.StdinAddNewline, stripLineBreaks: a.StripEmptyEnds,
	}
	return x.run(ctx, c)
}
