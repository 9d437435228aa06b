package modules

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/google/shlex"

	"gplay/modules/consultemplate"
	"gplay/modules/host"
)

// ConsulTemplate renders a consul-template template against Consul.
var ConsulTemplate = define("consul_template", "render a consul-template template against Consul",
	consulTemplateArgs{ConsulAddr: "127.0.0.1:8500", ValidateCerts: true, Wait: "30s"}, consulTemplate).
	oneOf("src", "content").exclusive("src", "content")

type consulTemplateArgs struct {
	fileAttrs
	Src           string  `arg:"src" doc:"The template: a file of the controller, looked for where template looks, or of the host with remote_src."`
	Content       *string `arg:"content" doc:"The template itself. Write it with !unsafe or {% raw %} so that {{ }} are left to consul-template."`
	RemoteSrc     bool    `arg:"remote_src" doc:"src is a file of the host."`
	Dest          string  `arg:"dest" type:"path" required:"true" doc:"The file to write. Its directory must exist."`
	ConsulAddr    string  `arg:"consul_addr" alias:"consul" doc:"The Consul agent: host:port or a URL."`
	ConsulToken   string  `arg:"consul_token" alias:"token" secret:"true" doc:"The ACL token to use."`
	ValidateCerts bool    `arg:"validate_certs" doc:"Verify the agent's certificate when consul_addr is https."`
	Wait          string  `arg:"wait" alias:"timeout" doc:"How long to wait for what the template asks for, such as a key that is absent: 30s, 2m, a plain number is seconds."`
	LeftDelim     string  `arg:"left_delimiter" doc:"What begins an action of the template, {{ by default."`
	RightDelim    string  `arg:"right_delimiter" doc:"What ends it, }} by default."`
	Require       string  `arg:"require" doc:"A regular expression that must match the result, else the module fails and writes nothing: '(?m)^\\s*server ' refuses an upstream without servers."`
	Validate      string  `arg:"validate" doc:"A command that checks the result before it is put in place; %s is the file to check."`
	Command       string  `arg:"command" alias:"reload" doc:"A shell command to run after a change. When it fails, the file that was there before is put back."`
	Backup        bool    `arg:"backup" doc:"Keep the previous file beside the new one."`
}

func consulTemplate(ctx context.Context, c *Call, a consulTemplateArgs) (Result, error) {
	source, err := a.template(c)
	if err != nil {
		return nil, err
	}
	out, err := a.render(ctx, source)
	if err != nil {
		return nil, err
	}
	r := Result{"dest": a.Dest, "src": a.Src}
	before, err := c.ReadFile(a.Dest)
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return nil, err
	}
	if absent || string(before) != string(out) {
		f := renderedFile{a, c, out, before, absent, r}
		diff := Diff{Path: a.Dest, Before: string(before), After: string(out)}
		if err := c.Change(diff, func(w host.Writer) error { return f.publish(ctx, w) }); err != nil {
			return r, err
		}
	}
	if err := a.ensure(ctx, c, a.Dest); err != nil {
		return r, err
	}
	return r, nil
}

func (a consulTemplateArgs) template(c *Call) (string, error) {
	switch {
	case a.Content != nil:
		return *a.Content, nil
	case a.RemoteSrc:
		text, err := c.ReadFile(a.Src)
		return string(text), err
	}
	f, err := c.Controller.Open("src")
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	return string(text), err
}

func (a consulTemplateArgs) render(ctx context.Context, text string) ([]byte, error) {
	wait, err := time.ParseDuration(seconds(a.Wait))
	if err != nil {
		return nil, fmt.Errorf("wait must be a time such as 30s or 2m, got %q", a.Wait)
	}
	required, err := regexp.Compile(a.Require)
	if err != nil {
		return nil, fmt.Errorf("require is no regular expression: %w", err)
	}
	t := consultemplate.Template{Name: a.Src, Text: text, Left: a.LeftDelim, Right: a.RightDelim,
		Address: a.ConsulAddr, Token: a.ConsulToken, SkipVerify: !a.ValidateCerts}
	if a.Src == "" {
		t.Name = "content"
	}
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	out, err := consultemplate.Render(limited, t)
	if err != nil && limited.Err() != nil {
		return nil, fmt.Errorf("%w (waited %s)", err, wait)
	}
	if err == nil && !required.Match(out) {
		err = fmt.Errorf("template %s: the result does not match require (%s); %s is left as it is", t.Name, a.Require, a.Dest)
	}
	return out, err
}

// renderedFile is a result on its way to its place.
type renderedFile struct {
	consulTemplateArgs
	c      *Call
	out    []byte
	before []byte
	absent bool // there was no file before
	result Result
}

func (f renderedFile) publish(ctx context.Context, w host.Writer) error {
	var old *host.Info
	if info, err := f.c.Stat(f.Dest); err == nil {
		old = &info
	}
	attr, err := f.attr(f.c, old, host.Keep)
	if err != nil {
		return err
	}
	if err := f.check(ctx, w, attr); err != nil {
		return err
	}
	if f.Backup && !f.absent {
		backup := fmt.Sprintf("%s.%s~", f.Dest, time.Now().Format("2006-01-02@15:04:05"))
		if err := w.WriteFile(backup, strings.NewReader(string(f.before)), fileAttr(old)); err != nil {
			return err
		}
		f.result["backup_file"] = backup
	}
	if err := w.WriteFile(f.Dest, strings.NewReader(string(f.out)), attr); err != nil {
		return err
	}
	if f.Command == "" {
		return nil
	}
	out, err := w.Run(ctx, host.Command("/bin/sh", "-c", f.Command))
	f.result["rc"], f.result["stdout"], f.result["stderr"] = out.Code, string(out.Stdout), string(out.Stderr)
	if err == nil && out.Code != 0 {
		err = fmt.Errorf("command failed with exit code %d: %s", out.Code, lastLines(out))
	}
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("%w (%s)", err, f.undone()), f.restore(w, old))
}

// check runs validate on the result under another name.
func (f renderedFile) check(ctx context.Context, w host.Writer, attr host.Attr) error {
	if f.Validate == "" {
		return nil
	}
	if !strings.Contains(f.Validate, "%s") {
		return fmt.Errorf("validate must contain %%s: %s", f.Validate)
	}
	temporary := path.Join(path.Dir(f.Dest), "."+path.Base(f.Dest)+".validate")
	if err := w.WriteFile(temporary, strings.NewReader(string(f.out)), attr); err != nil {
		return err
	}
	defer w.Remove(temporary)
	args, err := shlex.Split(f.Validate)
	if err != nil {
		return fmt.Errorf("validate is no command line: %w", err)
	}
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "%s", temporary)
	}
	out, err := w.Run(ctx, host.Command(args...))
	if err == nil && out.Code != 0 {
		err = Fail(fmt.Sprintf("failed to validate: rc:%d error:%s", out.Code, lastLines(out)),
			Result{"rc": out.Code, "stdout": string(out.Stdout), "stderr": string(out.Stderr)})
	}
	return err
}

func (f renderedFile) undone() string {
	if f.absent {
		return "the file is removed again"
	}
	return "the previous file is back in place"
}

func (f renderedFile) restore(w host.Writer, old *host.Info) error {
	if f.absent {
		return w.Remove(f.Dest)
	}
	return w.WriteFile(f.Dest, strings.NewReader(string(f.before)), fileAttr(old))
}

// fileAttr is the owner and permissions that a file has.
func fileAttr(info *host.Info) host.Attr {
	return host.Attr{UID: info.UID, GID: info.GID, Mode: info.Perm()}
}

// lastLines is the end of what a command said, for a message.
func lastLines(out host.Output) string {
	text := strings.TrimSpace(string(out.Stderr))
	if text == "" {
		text = strings.TrimSpace(string(out.Stdout))
	}
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}
