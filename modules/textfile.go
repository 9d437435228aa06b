package modules

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"gplay/modules/host"
)

// textFile is a file whose content a module makes as a whole.
type textFile struct {
	path     string
	attrs    fileAttrs
	backup   bool
	validate string
	title    string // the diff's headers; "" is path
	// attrsTitle is for the diff of owner and permissions; "" shows them as the
	// module file does.
	attrsTitle string
}

// unshownDiff is what Ansible registers of an edited file when nobody asks for
// a diff: headers alone.
func unshownDiff(path string) []any {
	content, attributes := path+" (content)", path+" (file attributes)"
	return []any{
		map[string]any{"before": "", "after": "", "before_header": content, "after_header": content},
		map[string]any{"before_header": attributes, "after_header": attributes},
	}
}

// put makes data the file's content, and sees to its owner and permissions;
// attrs says that those were not as they are to be. A link is followed.
// backup_file is added to r.
func (t textFile) put(ctx context.Context, c *Call, data []byte, r Result) (attrs bool, err error) {
	target := followLinks(c, t.path)
	info, err := c.Lstat(target)
	if errors.Is(err, fs.ErrNotExist) {
		return t.create(ctx, c, target, data, r)
	}
	if err != nil {
		return false, err
	}
	old, err := c.ReadFile(target)
	if err != nil {
		return false, err
	}
	ch, err := t.attrs.change(ctx, c, target, info)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(old, data) {
		if err := t.write(ctx, c, target, &info, old, data, r); err != nil {
			return false, err
		}
	}
	if t.attrsTitle == "" || ch.empty() {
		return !ch.empty(), t.attrs.ensure(ctx, c, target)
	}
	return true, c.Change(Diff{t.attrsTitle, ch.before, ch.after}, ch.apply)
}

func (t textFile) create(ctx context.Context, c *Call, target string, data []byte, r Result) (attrs bool, err error) {
	missing, err := missingDirs(c, path.Dir(target))
	if err != nil {
		return false, err
	}
	if len(missing) > 0 {
		err := c.Change(NoDiff, func(w host.Writer) error {
			for _, dir := range missing {
				if err := makeDir(w, dir, 0o777&^c.Umask(), host.Keep, host.Keep); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	if err := t.write(ctx, c, target, nil, nil, data, r); err != nil {
		return false, err
	}
	if !c.Check() {
		if attrs, err = t.showAttrs(c); err != nil {
			return false, err
		}
	}
	return attrs, t.attrs.ensure(ctx, c, target)
}

// showAttrs adds to the diff of a new file its owner and permissions, where they
// are not those it has by default, and reports whether they are not. As in
// Ansible, check mode says nothing of them.
func (t textFile) showAttrs(c *Call) (attrs bool, err error) {
	attr, err := t.attrs.attr(c, nil, host.Keep)
	if err != nil {
		return false, err
	}
	ch := unusual(0o666&^c.Umask(), attr)
	attrs = len(ch.after) > 0
	if attrs && t.attrsTitle != "" {
		c.diffs = append(c.diffs, Diff{t.attrsTitle, ch.before, ch.after})
	}
	return attrs, nil
}

// write replaces old, which is nil where there is none, by data.
func (t textFile) write(ctx context.Context, c *Call, target string, info *host.Info, old, data []byte, r Result) error {
	attr, err := t.attrs.attr(c, info, host.Keep)
	if err != nil {
		return err
	}
	title := t.title
	if title == "" {
		title = t.path
	}
	return c.Change(Diff{title, Content(old), Content(data)}, func(w host.Writer) error {
		file := replacement{path: target, attr: attr, backup: t.backup, validate: t.validate, invalid: invalidText}
		copied, err := file.write(ctx, c, w, bytes.NewReader(data))
		if copied != "" {
			r["backup_file"] = copied
		}
		return err
	})
}

// withAttrs adds to a message that owner or permissions changed.
func withAttrs(msg string, changed bool) string {
	const text = "ownership, perms or SE linux context changed"
	switch {
	case !changed:
		return msg
	case msg == "":
		return text
	}
	return msg + " and " + text
}

func invalidText(out host.Output) error {
	return fmt.Errorf("failed to validate: rc:%d error:%s", out.Code, strings.ToValidUTF8(string(out.Stderr), "�"))
}

// readIfThere is a file's text, "" when there is none.
func readIfThere(c *Call, p string) (string, error) {
	data, err := c.ReadFile(p)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(data), err
}
