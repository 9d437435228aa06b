package actions

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gplay/jinja"
)

var copyFiles = &Action{Name: "copy", Module: true, Run: runCopy}

// runCopy says in check mode no more of a file of the controller than that it
// would change.
func runCopy(ctx context.Context, c *Call) (*jinja.Dict, error) {
	out, err := c.copySource(ctx)
	if remote, _ := c.bool("remote_src", false); err != nil || remote {
		return out, err
	}
	return c.predicted(out), nil
}

// predicted is the result of copying in check mode.
func (c *Call) predicted(out *jinja.Dict) *jinja.Dict {
	if changed, _ := out.Get("changed"); !c.Check || changed != true {
		return out
	}
	if _, same := out.Get("path"); same { // the content is there
		return out
	}
	brief := jinja.NewDict("changed", true)
	for _, key := range []string{"diff", "invocation", "warnings"} {
		if v, ok := out.Get(key); ok {
			brief.Set(key, v)
		}
	}
	return brief
}

// copySource offers the source to the module, which asks for it where the
// host's differs.
func (c *Call) copySource(ctx context.Context) (*jinja.Dict, error) {
	content, hasContent := c.Args.Get("content")
	src := c.text("src")
	remote, err := c.bool("remote_src", false)
	switch {
	case err != nil:
		return nil, err
	case c.text("dest", "path") == "":
		return nil, fmt.Errorf("dest is required")
	case hasContent && content != nil && src != "":
		return nil, fmt.Errorf("src and content are mutually exclusive")
	case hasContent && content != nil:
		args, err := withText(c.Args, content)
		if err != nil {
			return nil, err
		}
		return c.Module(ctx, "copy", args, nil)
	case src == "":
		return nil, fmt.Errorf("src (or content) is required")
	case remote:
		return c.Module(ctx, "copy", c.Args, nil)
	}
	path, err := c.find("files", strings.TrimSuffix(src, "/"))
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return c.copyDir(ctx, path, strings.HasSuffix(src, "/"))
	}
	return c.copyFile(ctx, path, filepath.Base(path), c.Args)
}

// withText writes content that is a dict or list as JSON here, where its
// order is known.
func withText(args *jinja.Dict, content any) (*jinja.Dict, error) {
	switch content.(type) {
	case *jinja.Dict, *jinja.List:
		text, err := jinja.JSON(content, jinja.JSONOptions{ASCII: true})
		if err != nil {
			return nil, fmt.Errorf("could not write content temp file: %w", err)
		}
		return with(args, nil, "content", text), nil
	}
	return args, nil
}

// copyText sends text to the file that args name.
func (c *Call) copyText(ctx context.Context, text, basename string, args *jinja.Dict) (*jinja.Dict, error) {
	sum := sha1.Sum([]byte(text))
	args = with(args, nil, "_checksum", hex.EncodeToString(sum[:]), "_basename", basename)
	out, err := c.send(ctx, args, memory(text))
	if err != nil {
		return nil, err
	}
	return c.predicted(out), nil
}

// copyFile sends a file of the controller.
func (c *Call) copyFile(ctx context.Context, path, basename string, args *jinja.Dict) (*jinja.Dict, error) {
	file, sum, err := c.summed(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	args = with(args, []string{"decrypt"}, "src", path, "_checksum", sum, "_basename", basename, "_title", path)
	if mode, _ := args.Get("mode"); mode == "preserve" {
		args.Set("mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
	return c.send(ctx, args, file)
}

// send offers a file to the module. A failure names its checksum, too.
func (c *Call) send(ctx context.Context, args *jinja.Dict, file File) (*jinja.Dict, error) {
	out, err := c.Module(ctx, "copy", args, map[string]File{"src": file})
	if err != nil {
		return nil, err
	}
	if _, ok := out.Get("checksum"); !ok {
		sum, _ := args.Get("_checksum")
		out.Set("checksum", sum)
	}
	return out, nil
}

// summed offers a file of the controller, with its checksum.
func (c *Call) summed(path string) (file File, sum string, err error) {
	if file, err = c.offer(path); err != nil {
		return file, "", err
	}
	sum, err = checksum(file)
	return file, sum, err
}

func checksum(file File) (string, error) {
	f, err := file.Open()
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha1.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// copyDir sends a directory: all that is in it goes in one call, and the
// module asks for the files that differ. With inside, its contents are meant
// and not the directory itself.
func (c *Call) copyDir(ctx context.Context, root string, inside bool) (*jinja.Dict, error) {
	entries, files := jinja.NewList(), map[string]File{}
	preserve := c.text("mode") == "preserve"
	followed, err := c.bool("local_follow", true)
	if err != nil {
		return nil, err
	}
	prefix := ""
	if !inside {
		prefix = filepath.Base(root)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name := filepath.Join(prefix, rel)
		if name == "." {
			return nil
		}
		entry, err := dirEntry(path, name, d, followed, preserve)
		if err != nil {
			return err
		}
		_, isLink := entry.Get("link")
		if _, isDir := entry.Get("dir"); !isLink && !isDir {
			file, sum, err := c.summed(path)
			if err != nil {
				return err
			}
			entry.Set("checksum", sum)
			files["src/"+name] = file
		}
		entries.Items = append(entries.Items, entry)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out, err := c.Module(ctx, "copy", with(c.Args, nil, "_entries", entries), files)
	if err == nil && len(files) != 1 {
		nameTree(out, root, inside)
	}
	return out, err
}

// nameTree makes the result of a directory Ansible's: it names both sides and
// says no more of them.
func nameTree(out *jinja.Dict, root string, inside bool) {
	dest, _ := out.Get("dest")
	if failed, _ := out.Get("failed"); dest == nil || failed == true {
		return
	}
	for _, key := range []string{"uid", "gid", "owner", "group", "mode", "size", "state"} {
		out.Delete(key)
	}
	if inside {
		root += "/"
	}
	out.Set("dest", strings.TrimSuffix(jinja.Str(dest), "/")+"/")
	out.Set("src", root)
}

// dirEntry describes one file, directory or link to the module; the checksum
// of a file is not yet there.
func dirEntry(path, name string, d fs.DirEntry, follow, preserve bool) (*jinja.Dict, error) {
	entry := jinja.NewDict("path", name)
	if d.Type()&fs.ModeSymlink != 0 && !follow {
		target, err := os.Readlink(path)
		entry.Set("link", target)
		return entry, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if preserve {
		entry.Set("mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
	if info.IsDir() {
		entry.Set("dir", true)
	}
	return entry, nil
}
