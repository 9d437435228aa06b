package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"time"

	"gplay/modules/host"
)

// Command runs a program without a shell.
var Command = define("command", "run a program, without a shell", commandArgs{
	StdinAddNewline: true, StripEmptyEnds: true, ExpandArgumentVars: true,
}, command).freeForm("cmd").
	gives("changed stdout stderr rc cmd start end delta failed msg")

type commandArgs struct {
	Cmd                string   `arg:"cmd" doc:"The command line."`
	Argv               []string `arg:"argv" doc:"The command as a list, instead of cmd."`
	Chdir              string   `arg:"chdir" type:"path" doc:"The directory to run it in."`
	Executable         string   `arg:"executable" doc:"Has no effect; the module shell has it."`
	Creates            string   `arg:"creates" type:"path" doc:"A pattern; when a file matches it, the command is not run."`
	Removes            string   `arg:"removes" type:"path" doc:"A pattern; when no file matches it, the command is not run."`
	Stdin              *string  `arg:"stdin" doc:"What the command reads from its standard input."`
	StdinAddNewline    bool     `arg:"stdin_add_newline" doc:"Add a line break to stdin."`
	StripEmptyEnds     bool     `arg:"strip_empty_ends" doc:"Take the line breaks off the ends of stdout and stderr."`
	ExpandArgumentVars bool     `arg:"expand_argument_vars" doc:"Replace $VAR and ~ in the arguments."`
	Warn               *bool    `arg:"warn" doc:"Has no effect; Ansible had it until 2.13."`
}

// execution is what command, shell and script have in common.
type execution struct {
	shown                            any // cmd in the result
	args                             []string
	dir, creates, removes            string
	stdin                            *string
	stdinAddNewline, stripLineBreaks bool
}

func command(ctx context.Context, c *Call, a commandArgs) (Result, error) {
	args, err := a.words()
	if err != nil {
		return nil, noCommand(err.Error())
	}
	if a.Executable != "" {
		c.Warn(fmt.Sprintf("As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. Not using '%s'.", a.Executable))
	}
	x := execution{
		shown: args, args: args, dir: a.Chdir, creates: a.Creates, removes: a.Removes,
		stdin: a.Stdin, stdinAddNewline: a.StdinAddNewline, stripLineBreaks: a.StripEmptyEnds,
	}
	if a.ExpandArgumentVars {
		expand := expansion{c.Getenv, c.Home}
		x.args = make([]string, len(args))
		for i, arg := range args {
			x.args[i] = expand.path(arg)
		}
	}
	return x.run(ctx, c)
}

func noCommand(msg string) error {
	return Fail(msg, Result{"rc": 256, "cmd": nil, "stdout": "", "stderr": "", "start": nil, "end": nil, "delta": nil})
}

func (a commandArgs) words() ([]string, error) {
	blank := strings.TrimSpace(a.Cmd) == ""
	switch {
	case blank && len(a.Argv) == 0:
		return nil, errors.New("no command given")
	case !blank && len(a.Argv) > 0:
		return nil, errors.New("only command or argv can be given, not both")
	case blank:
		return a.Argv, nil
	}
	return splitWords(a.Cmd)
}

func (x execution) run(ctx context.Context, c *Call) (Result, error) {
	r := Result{
		"cmd": x.shown, "rc": nil, "stdout": "", "stderr": "", "msg": "",
		"start": nil, "end": nil, "delta": nil,
	}
	if err := x.checkDir(c); err != nil {
		return nil, Fail(err.Error(), r)
	}
	if why, what := x.unneeded(c); why != "" {
		verb := "Did"
		if c.Check() {
			verb = "Would"
		}
		r["rc"], r["msg"], r["stdout"] = 0, verb+" not run command since "+why, "skipped, since "+what
		return r, nil
	}
	start := time.Now()
	var out host.Output
	err := c.Change(NoDiff, func(w host.Writer) (err error) {
		out, err = w.Run(ctx, host.Cmd{Args: x.args, Dir: x.dir, Stdin: stdinReader(x.stdin, x.stdinAddNewline)})
		return err
	})
	if err != nil {
		return nil, cannotStart(x.args, err)
	}
	if c.Check() {
		r["rc"], r["msg"] = 0, "Command would have run if not in check mode"
		if x.creates == "" && x.removes == "" {
			r["skipped"] = true
		}
		return r, nil
	}
	x.report(c, r, out, start)
	if out.Code != 0 {
		r["changed"] = true
		return nil, Fail("non-zero return code", r)
	}
	return r, nil
}

func (x execution) report(c *Call, r Result, out host.Output, start time.Time) {
	end := time.Now()
	r["rc"] = out.Code
	r["stdout"], r["stderr"] = string(out.Stdout), string(out.Stderr)
	if x.stripLineBreaks {
		r["stdout"], r["stderr"] = strings.TrimRight(string(out.Stdout), "\r\n"), strings.TrimRight(string(out.Stderr), "\r\n")
	}
	if out.Truncated {
		c.Warn(fmt.Sprintf("the command wrote more than %d MiB; the rest of its output is not kept", host.MaxOutput>>20))
	}
	r["start"], r["end"], r["delta"] = timestamp(start), timestamp(end), duration(end.Sub(start))
}

func (x execution) checkDir(c *Call) error {
	if x.dir == "" {
		return nil
	}
	info, err := c.Stat(x.dir)
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Err: syscall.ENOTDIR}
	}
	if err != nil {
		return fmt.Errorf("Unable to change directory before execution: %s", pyError(err, x.dir))
	}
	return nil
}

// unneeded says why creates or removes make the command unneeded.
func (x execution) unneeded(c *Call) (why, what string) {
	if x.creates != "" && len(glob(c, x.inDir(x.creates))) > 0 {
		return fmt.Sprintf("'%s' exists", x.creates), x.creates + " exists"
	}
	if x.removes != "" && len(glob(c, x.inDir(x.removes))) == 0 {
		return fmt.Sprintf("'%s' does not exist", x.removes), x.removes + " does not exist"
	}
	return "", ""
}

func (x execution) inDir(p string) string {
	if x.dir == "" || path.IsAbs(p) {
		return p
	}
	return path.Join(x.dir, p)
}

func stdinReader(text *string, newline bool) *strings.Reader {
	if text == nil {
		return strings.NewReader("")
	}
	if newline {
		return strings.NewReader(*text + "\n")
	}
	return strings.NewReader(*text)
}

// cannotStart is the failure of a program that is not there or not to be run:
// nothing was changed, and the command is shown as one line.
func cannotStart(args []string, err error) error {
	if errors.Is(err, host.ErrNotFound) {
		err = syscall.ENOENT
	}
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = quoteWord(a)
	}
	return Fail(pyError(errno, args[0]), Result{
		"changed": false, "rc": int(errno), "cmd": strings.Join(words, " "), "stdout": "", "stderr": "",
	})
}

// pyError is a system's error as Python words it.
func pyError(err error, name string) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return fmt.Sprintf("[Errno %d] %s: b%s", int(errno), errnoText(errno), pyQuote(name))
	}
	return err.Error()
}

func errnoText(errno syscall.Errno) string {
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

func timestamp(t time.Time) string { return t.Format("2006-01-02 15:04:05.000000") }

// duration is a time span as Python prints it: 0:00:01.500000.
func duration(d time.Duration) string {
	text := ""
	if days := int(d.Hours()) / 24; days == 1 {
		text = "1 day, "
	} else if days > 1 {
		text = fmt.Sprintf("%d days, ", days)
	}
	text += fmt.Sprintf("%d:%02d:%02d", int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60)
	if micro := d.Microseconds() % 1e6; micro != 0 {
		text += fmt.Sprintf(".%06d", micro)
	}
	return text
}
