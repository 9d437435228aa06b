package lookups

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"gplay/jinja"
	"gplay/playbook/filters"
)

// fileTree gives what is below each directory, as community.general.filetree
// has it: of a path that is in several of them, what is in the first.
func fileTree(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	read(c, options)
	seen := map[string]bool{}
	var all []any
	for _, v := range terms {
		term, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("expected str, bytes or os.PathLike object, not %s", jinja.TypeName(v))
		}
		parent, base := "", term
		if i := strings.LastIndexByte(term, '/'); i >= 0 {
			parent, base = cmp.Or(term[:i], "/"), term[i+1:]
		}
		if dir, ok := c.find(parent, "files"); ok {
			all = append(all, walk(strings.TrimSuffix(dir, "/")+"/"+base, "", seen)...)
		}
	}
	return all, nil
}

// walk is what stands in a directory below root, and then what stands in the
// directories of it. What cannot be read is left out.
func walk(root, dir string, seen map[string]bool) []any {
	entries := filters.Directory(filepath.Join(root, dir))
	var dirs, files []fs.DirEntry
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(root, dir, e.Name())); err == nil && info.IsDir() {
			dirs = append(dirs, e)
		} else {
			files = append(files, e)
		}
	}
	var all []any
	for _, e := range slices.Concat(dirs, files) {
		path := filepath.Join(dir, e.Name())
		if seen[path] {
			continue
		}
		if found := properties(root, path); found != nil {
			seen[path] = true
			all = append(all, found)
		}
	}
	for _, e := range dirs {
		if e.IsDir() { // no link to one
			all = append(all, walk(root, filepath.Join(dir, e.Name()), seen)...)
		}
	}
	return all
}

func properties(root, path string) *jinja.Dict {
	full := filepath.Join(root, path)
	info, err := os.Lstat(full)
	if err != nil {
		return nil
	}
	d := jinja.NewDict("root", root, "path", path)
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		to, _ := os.Readlink(full)
		d.Set("state", "link")
		d.Set("src", to)
	case mode.IsDir():
		d.Set("state", "directory")
	case mode.IsRegular():
		d.Set("state", "file")
		d.Set("src", full)
	default:
		return nil
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	uid, gid := int(st.Uid), int(st.Gid)
	d.Set("uid", uid)
	d.Set("gid", gid)
	d.Set("owner", uid)
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		d.Set("owner", u.Username)
	}
	d.Set("group", gid)
	if g, err := user.LookupGroupId(strconv.Itoa(gid)); err == nil {
		d.Set("group", g.Name)
	}
	d.Set("mode", fmt.Sprintf("0%03o", st.Mode&0o7777))
	d.Set("size", int(st.Size))
	d.Set("mtime", seconds(st.Mtim))
	d.Set("ctime", seconds(st.Ctim))
	return d
}

func seconds(t syscall.Timespec) float64 { return float64(t.Nano()) / 1e9 }
