package modules

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"gplay/modules/host"
)

// Program runs a module that is a program: one of a playbook's own, which
// takes the path of a file with its arguments and prints its result as JSON.
// In check mode it is skipped: nobody knows whether it would heed that.
var Program = define("program", "run a module of the playbook's own, a program that is given a file of arguments and prints JSON", programArgs{Style: "json"}, program).noCheck()

type programArgs struct {
	Name        string         `arg:"name" required:"true" doc:"The module's name."`
	Content     string         `arg:"content" required:"true" secret:"content" doc:"The program, in base64."`
	Style       string         `arg:"style" choices:"json,pairs" doc:"How the file of arguments is written: as JSON, or as key=value words."`
	Interpreter []string       `arg:"interpreter" doc:"The program that is to run it, and its arguments; without one it runs by itself."`
	Args        map[string]any `arg:"args" secret:"content" doc:"The module's arguments."`
}

func program(ctx context.Context, c *Call, a programArgs) (Result, error) {
	content, err := base64.StdEncoding.DecodeString(a.Content)
	if err != nil {
		return nil, fmt.Errorf("content is no base64: %w", err)
	}
	arguments, err := a.file()
	if err != nil {
		return nil, err
	}
	var out host.Output
	err = c.Attempt(func(w host.Writer) (*Diff, error) {
		out, err = runProgram(ctx, c, w, a, content, arguments)
		return nil, err
	})
	if err != nil {
		return nil, err
	}
	r, junk, err := programResult(string(out.Stdout))
	if err != nil {
		return nil, Fail("MODULE FAILURE\nSee stdout/stderr for the exact error", Result{
			"rc": out.Code, "module_stdout": string(out.Stdout), "module_stderr": string(out.Stderr),
		})
	}
	if junk != "" {
		c.Warn("Module invocation had junk after the JSON data: " + junk)
	}
	return r, nil
}

// file is the file of arguments.
func (a programArgs) file() ([]byte, error) {
	if a.Style == "json" {
		return json.Marshal(a.Args)
	}
	names := make([]string, 0, len(a.Args))
	for name := range a.Args {
		names = append(names, name)
	}
	slices.Sort(names)
	var b bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&b, "%s=%s ", name, quoteWord(fmt.Sprint(a.Args[name])))
	}
	return b.Bytes(), nil
}

// runProgram runs the program from a directory that only this user can read.
func runProgram(ctx context.Context, c *Call, w host.Writer, a programArgs, content, arguments []byte) (out host.Output, err error) {
	dir := path.Join(tempDir(c), ".gplay-"+rand.Text())
	if err := w.Mkdir(dir, 0o700); err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, w.RemoveAll(dir)) }()
	file, args := path.Join(dir, path.Base(a.Name)), path.Join(dir, "args")
	if err := w.WriteFile(file, bytes.NewReader(content), host.Attr{UID: host.Keep, GID: host.Keep, Mode: 0o700}); err != nil {
		return out, err
	}
	if err := w.WriteFile(args, bytes.NewReader(arguments), host.Attr{UID: host.Keep, GID: host.Keep, Mode: 0o600}); err != nil {
		return out, err
	}
	return w.Run(ctx, host.Cmd{Args: append(interpreter(c, a.Interpreter), file, args)})
}

// interpreter is the program that runs a module. Where there is no python,
// python3 is what is meant.
func interpreter(c *Call, words []string) []string {
	words = slices.Clone(words)
	if len(words) == 0 || path.Base(words[0]) != "python" {
		return words
	}
	if _, err := c.Stat(words[0]); err != nil {
		words[0] = "/usr/bin/python3"
	}
	return words
}

// programResult takes the result out of what a module printed: lines before
// it are left out, and lines behind it are junk.
func programResult(text string) (r Result, junk string, err error) {
	lines := splitLines(text)
	start := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), "{") })
	if start < 0 {
		return nil, "", errors.New("no JSON")
	}
	end := len(lines)
	for end > start && !strings.HasSuffix(strings.TrimSpace(lines[end-1]), "}") {
		end--
	}
	v, err := parseJSON(strings.Join(lines[start:end], "\n"))
	if err != nil {
		return nil, "", err
	}
	return v.(map[string]any), strings.TrimSpace(strings.Join(lines[end:], "\n")), nil
}
