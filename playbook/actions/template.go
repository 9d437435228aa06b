package actions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gplay/jinja"
	"gplay/playbook/vars"
)

// templateOptions are the arguments that say how the text is rendered; the
// module on the host does not see them.
var templateOptions = []string{
	"newline_sequence", "block_start_string", "block_end_string", "variable_start_string", "variable_end_string",
	"comment_start_string", "comment_end_string", "trim_blocks", "lstrip_blocks", "output_encoding",
}

var template = &Action{
	Name: "template", Doc: "render a template file and put it on the host", Run: runTemplate,
	Params: append([]string{"src", "dest", "backup", "force", "follow", "validate", "mode", "owner", "group", "attributes", "attr",
		"selevel", "serole", "setype", "seuser", "unsafe_writes", "directory_mode"}, templateOptions...),
}

// runTemplate renders the template and lets copy's module put it in place.
func runTemplate(ctx context.Context, c *Call) (*jinja.Dict, error) {
	src, dest := c.text("src"), c.text("dest")
	if src == "" || dest == "" {
		return nil, fmt.Errorf("src and dest are required")
	}
	path, err := c.find("templates", src)
	if err != nil {
		return nil, err
	}
	if err := notDir(path); err != nil {
		return nil, fmt.Errorf("could not find src=%s, %w", path, err)
	}
	text, err := c.render(path, dest)
	if err != nil {
		return nil, vars.FileFault(err)
	}
	data, err := jinja.Encode(text, cmp.Or(c.text("output_encoding"), "utf-8"), "strict")
	if err != nil {
		return nil, fmt.Errorf("output_encoding: %w", err)
	}
	args := with(c.Args, append([]string{"src"}, templateOptions...), "_title", path)
	if c.text("mode") == "preserve" {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		args.Set("mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
	return c.copyText(ctx, string(data), filepath.Base(path), args)
}

func (c *Call) render(path, dest string) (string, error) {
	data, err := c.readVault(path)
	if err != nil {
		return "", err
	}
	options, err := c.lexer()
	if err != nil {
		return "", err
	}
	scope, err := c.Scope.InTemplate(c.text("src"), path, dest)
	if err != nil {
		return "", err
	}
	return scope.RenderFile(string(data), path, options)
}

// lexer reads the arguments that say how templates are written.
func (c *Call) lexer() (jinja.Options, error) {
	o := jinja.Options{
		BlockStart: c.text("block_start_string"), BlockEnd: c.text("block_end_string"),
		VariableStart: c.text("variable_start_string"), VariableEnd: c.text("variable_end_string"),
		CommentStart: c.text("comment_start_string"), CommentEnd: c.text("comment_end_string"),
	}
	newlines := map[string]string{"": "\n", `\n`: "\n", `\r`: "\r", `\r\n`: "\r\n", "\n": "\n", "\r": "\r", "\r\n": "\r\n"}
	newline, ok := newlines[c.text("newline_sequence")]
	if !ok {
		return o, errors.New("newline_sequence needs to be one of: \n, \r or \r\n")
	}
	if o.NewlineSequence = newline; newline == "\n" {
		o.NewlineSequence = ""
	}
	var err error
	if o.TrimBlocks, err = c.bool("trim_blocks", true); err != nil {
		return o, err
	}
	o.LstripBlocks, err = c.bool("lstrip_blocks", false)
	return o, err
}
