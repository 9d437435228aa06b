package modules

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"
	"strings"

	"gplay/modules/host"
)

// Script runs a script of the controller on the host. The action offers it
// as "script".
var Script = define("script", "run a script of the controller on the host", scriptArgs{Decrypt: true}, script).freeForm("cmd")

type scriptArgs struct {
	Cmd        string `arg:"cmd" required:"true" doc:"The script's path on the controller, and its arguments."`
	Chdir      string `arg:"chdir" doc:"The directory to run it in; absolute."`
	Creates    string `arg:"creates" type:"path" doc:"A pattern; when a file matches it, the script is not run."`
	Removes    string `arg:"removes" type:"path" doc:"A pattern; when no file matches it, the script is not run."`
	Executable string `arg:"executable" doc:"The program that is to run the script."`
	Decrypt    bool   `arg:"decrypt" doc:"Decrypt the script when it is a vault file."`
}

func script(ctx context.Context, c *Call, a scriptArgs) (Result, error) {
	if a.Chdir != "" && !path.IsAbs(a.Chdir) {
		return nil, fmt.Errorf("chdir %s must be an absolute path for a Unix-aware remote node", a.Chdir)
	}
	x := execution{dir: a.Chdir, creates: a.Creates, removes: a.Removes}
	if skip := scriptSkip(c, x); skip != "" {
		return Result{"skipped": true, "msg": skip}, nil
	}
	name, arguments, err := SplitScript(a.Cmd)
	if err != nil {
		return nil, err
	}
	var out host.Output
	err = c.Change(NoDiff, func(w host.Writer) (err error) {
		out, err = runScript(ctx, c, w, a, name, arguments)
		return err
	})
	if err == nil && c.Check() {
		return nil, nil
	}
	r := Result{"rc": out.Code, "stdout": string(out.Stdout), "stderr": string(out.Stderr)}
	if err == nil && out.Code != 0 {
		r["changed"] = true
		err = Fail("non-zero return code", r)
	}
	return r, err
}

func scriptSkip(c *Call, x execution) string {
	switch {
	case x.creates != "" && len(glob(c, x.creates)) > 0:
		return x.creates + " exists, matching creates option"
	case x.removes != "" && len(glob(c, x.removes)) == 0:
		return x.removes + " does not exist, matching removes option"
	case c.Check() && x.creates == "" && x.removes == "":
		return "Check mode is not supported for this task."
	}
	return ""
}

// runScript runs the script from a directory that only this user can read.
func runScript(ctx context.Context, c *Call, w host.Writer, a scriptArgs, name, arguments string) (out host.Output, err error) {
	source, err := c.Controller.Open("script")
	if err != nil {
		return out, err
	}
	defer source.Close()
	dir := path.Join(tempDir(c), ".gplay-"+rand.Text())
	if err := w.Mkdir(dir, 0o700); err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, w.RemoveAll(dir)) }()
	file := path.Join(dir, path.Base(name))
	if err := w.WriteFile(file, source, host.Attr{UID: host.Keep, GID: host.Keep, Mode: 0o700}); err != nil {
		return out, err
	}
	line := quoteWord(file) + " " + arguments
	if a.Executable != "" {
		line = a.Executable + " " + line
	}
	if a.Chdir != "" {
		line = "cd " + quoteWord(a.Chdir) + " && " + line // the shell says what is wrong with the directory
	}
	return w.Run(ctx, host.Command("/bin/sh", "-c", line))
}

// SplitScript splits a command line into the script and its arguments, as they
// are: the shell is to read their quotes.
func SplitScript(line string) (name, arguments string, err error) {
	words, err := splitWords(line)
	if err != nil || len(words) == 0 {
		return "", "", errors.Join(errors.New("no script given"), err)
	}
	return words[0], scriptArguments(line), nil
}

// scriptArguments is the command line after its first word, quotes and all:
// the shell is to read them.
func scriptArguments(line string) string {
	line = strings.TrimLeft(line, " \t\r\n")
	for i := 1; i <= len(line); i++ {
		if i < len(line) && !strings.ContainsRune(" \t\r\n", rune(line[i])) {
			continue
		}
		if words, err := splitWords(line[:i]); err == nil && len(words) == 1 {
			return line[i:]
		}
	}
	return ""
}

func tempDir(r host.Reader) string {
	if dir, ok := r.Getenv("TMPDIR"); ok && dir != "" {
		return dir
	}
	return "/tmp"
}
