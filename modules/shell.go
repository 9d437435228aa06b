package modules

import (
	"cmp"
	"context"
	"strings"
)

// Shell runs a command line with a shell.
var Shell = define("shell", "run a command line with a shell", shellArgs{
	StdinAddNewline: true, StripEmptyEnds: true,
}, shell).freeForm("cmd").
	gives("changed stdout stderr rc cmd start end delta failed msg")

type shellArgs struct {
	Cmd             string   `arg:"cmd" doc:"The command line."`
	Argv            []string `arg:"argv" doc:"The words of the command line, instead of cmd. The shell takes them as they are."`
	Chdir           string   `arg:"chdir" type:"path" doc:"The directory to run it in."`
	Executable      string   `arg:"executable" type:"path" doc:"The shell, with its path; /bin/sh when it is not set."`
	Creates         string   `arg:"creates" type:"path" doc:"A pattern; when a file matches it, the command is not run."`
	Removes         string   `arg:"removes" type:"path" doc:"A pattern; when no file matches it, the command is not run."`
	Stdin           *string  `arg:"stdin" doc:"What the command reads from its standard input."`
	StdinAddNewline bool     `arg:"stdin_add_newline" doc:"Add a line break to stdin."`
	StripEmptyEnds  bool     `arg:"strip_empty_ends" doc:"Take the line breaks off the ends of stdout and stderr."`
	Warn            *bool    `arg:"warn" doc:"Has no effect; Ansible had it until 2.13."`
}

func shell(ctx context.Context, c *Call, a shellArgs) (Result, error) {
	line, shown := a.Cmd, any(a.Cmd)
	blank := strings.TrimSpace(line) == ""
	switch {
	case !blank && len(a.Argv) > 0:
		return nil, noCommand("only command or argv can be given, not both")
	case blank && len(a.Argv) == 0:
		return nil, noCommand("no command given")
	case blank:
		words := make([]string, len(a.Argv))
		for i, word := range a.Argv {
			words[i] = quoteWord(word)
		}
		line, shown = strings.Join(words, " "), a.Argv
	}
	x := execution{
		shown: shown, args: []string{cmp.Or(a.Executable, "/bin/sh"), "-c", line},
		dir: a.Chdir, creates: a.Creates, removes: a.Removes,
		stdin: a.Stdin, stdinAddNewline: a.StdinAddNewline, stripLineBreaks: a.StripEmptyEnds,
	}
	return x.run(ctx, c)
}
