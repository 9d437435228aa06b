package actions

import (
	"context"

	"gplay/jinja"
)

var uri = &Action{Name: "uri", Module: true, Async: true, Run: runURI}

// runURI offers the controller's files that are to be sent, unless remote_src
// says that the host has them: src, and those that fields of a form name.
func runURI(ctx context.Context, c *Call) (*jinja.Dict, error) {
	remote, err := c.bool("remote_src", false)
	if err != nil {
		return nil, err
	}
	if remote {
		return c.Module(ctx, "uri", c.Args, nil)
	}
	files := map[string]File{}
	if src := c.text("src"); src != "" {
		if files["src"], err = c.offerFound(src); err != nil {
			return nil, err
		}
	}
	body, _ := c.Args.Get("body")
	if fields, ok := body.(*jinja.Dict); ok && c.text("body_format") == "form-multipart" {
		for name, field := range fields.All() {
			filename := uploaded(field)
			if filename == "" {
				continue
			}
			if files["body/"+jinja.Str(name)], err = c.offerFound(filename); err != nil {
				return nil, err
			}
		}
	}
	return c.Module(ctx, "uri", c.Args, files)
}

// uploaded is the file that a form's field sends, "" for one whose content
// stands in the task.
func uploaded(field any) string {
	d, ok := field.(*jinja.Dict)
	if !ok {
		return ""
	}
	filename, _ := d.Get("filename")
	if content, _ := d.Get("content"); filename == nil || jinja.Truth(content) {
		return ""
	}
	return jinja.Str(filename)
}

func (c *Call) offerFound(name string) (File, error) {
	path, err := c.find("files", name)
	if err != nil {
		return File{}, err
	}
	return c.offer(path)
}
