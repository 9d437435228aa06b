package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"gplay/internal/pyregex"
)

// Replace replaces all matches of a regular expression in a file.
var Replace = define("replace", "replace all matches of a regular expression in a file", replaceArgs{Encoding: "utf-8"}, replace).
	gives("rc msg changed diff before after before_header after_header backup_file")

type replaceArgs struct {
	Path     string `arg:"path" alias:"dest,destfile,name" type:"path" required:"true" doc:"The file."`
	Regexp   string `arg:"regexp" required:"true" doc:"What to replace; ^ and $ match at every line."`
	Replace  string `arg:"replace" doc:"By what, with \\1 and \\g<name>; nothing removes the matches."`
	After    string `arg:"after" doc:"A regular expression; only what follows it is looked at."`
	Before   string `arg:"before" doc:"A regular expression; only what precedes it is looked at."`
	Backup   bool   `arg:"backup" doc:"Keep a copy of what is there."`
	Validate string `arg:"validate" doc:"A command that must accept the file before it is put in place; %s is its path."`
	Encoding string `arg:"encoding" doc:"The file's; any in which ASCII is ASCII."`
	fileAttrs
}

func replace(ctx context.Context, c *Call, a replaceArgs) (Result, error) {
	if e := strings.ToLower(a.Encoding); strings.HasPrefix(e, "utf-16") || strings.HasPrefix(e, "utf-32") || strings.HasPrefix(e, "utf_16") || strings.HasPrefix(e, "utf_32") {
		return nil, fmt.Errorf("the encoding %s is not supported", a.Encoding)
	}
	data, err := readEditable(c, a.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Fail(fmt.Sprintf("Path %s does not exist !", a.Path), Result{"rc": 257})
	}
	if err != nil {
		return nil, err
	}
	before, section, after, pattern, err := a.section(data)
	if err != nil {
		return nil, err
	}
	if pattern != "" {
		return Result{"rc": 0, "msg": "Pattern for before/after params did not match the given file: " + pattern}, nil
	}
	re, err := pyregex.Compile(a.Regexp, pyregex.Multiline)
	if err != nil {
		return nil, err
	}
	replaced, n, err := re.Sub(a.Replace, section, 0)
	if err != nil {
		return nil, err
	}
	msg := ""
	if replaced != section {
		msg = fmt.Sprintf("%d replacements made", n)
	}
	r := Result{"rc": 0}
	t := textFile{path: a.Path, attrs: a.fileAttrs, backup: a.Backup, validate: a.Validate}
	attrs, err := t.put(ctx, c, slices.Concat([]byte(before), []byte(replaced), []byte(after)), r)
	r["msg"] = withAttrs(msg, attrs)
	return r, err
}

// section is the part of data to look at, with what is around it. When the
// limits are not there, missing is their expression.
func (a replaceArgs) section(data string) (before, section, after, missing string, err error) {
	if a.After == "" && a.Before == "" {
		return "", data, "", "", nil
	}
	part := "(?P<subsection>.*)"
	if a.After != "" && a.Before != "" {
		part = "(?P<subsection>.*?)"
	}
	pattern := a.After + part + a.Before
	re, err := pyregex.Compile(pattern, pyregex.DotAll)
	if err != nil {
		return "", "", "", "", err
	}
	m, err := re.Search(data)
	if m == nil {
		return "", "", "", pattern, err
	}
	group := re.Names()["subsection"]
	section, _ = m.Group(group)
	before = m.Before(group)
	return before, section, data[len(before)+len(section):], "", nil
}
