package modules

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"

	"gplay/modules/host"
)

// File manages files, directories and links, and their owner and permissions.
var File = define("file", "manage files, directories and links", fileArgs{
	Follow:   true,
	timeArgs: timeArgs{ModFormat: defaultTimeFormat, AccessFormat: defaultTimeFormat},
}, file).
	gives("path dest src changed diff before after")

type fileArgs struct {
	Path    string `arg:"path" alias:"dest,name" type:"path" required:"true" doc:"The file."`
	State   string `arg:"state" choices:"absent,directory,file,hard,link,touch" doc:"What is to be there; without it, what is there already, or a file."`
	Src     string `arg:"src" type:"path" doc:"What a link points to."`
	Recurse bool   `arg:"recurse" doc:"Give owner and permissions to everything below a directory too."`
	Force   bool   `arg:"force" doc:"Make a link although its target is missing or something else is in its place."`
	Follow  bool   `arg:"follow" doc:"Follow links."`

	timeArgs
	fileAttrs
}

// fileTask is one run of the module.
type fileTask struct {
	ctx  context.Context
	c    *Call
	a    fileArgs
	path string
	info host.Info // of path, when it exists
	prev string    // file, directory, link, hard or absent
	when times
	attrChange
}

func file(ctx context.Context, c *Call, a fileArgs) (Result, error) {
	c.AlwaysDiff()
	t := &fileTask{ctx: ctx, c: c, a: a}
	if err := t.look(a.Path); err != nil {
		return nil, err
	}
	if err := t.settle(); err != nil {
		return nil, Fail(err.Error(), Result{"path": t.path})
	}
	var err error
	if t.when, err = a.timeArgs.times(t.a.State == "touch"); err != nil {
		return nil, err
	}
	states := map[string]func() error{
		"absent": t.absent, "directory": t.directory, "file": t.file,
		"hard": t.hard, "link": t.link, "touch": t.touch,
	}
	if err := states[t.a.State](); err != nil {
		var f *Failure
		if errors.As(err, &f) {
			return nil, err
		}
		return nil, Fail(err.Error(), Result{"path": t.path})
	}
	return t.result(), nil
}

func (t *fileTask) result() Result {
	r := Result{"diff": map[string]any{"before": t.before, "after": t.after}}
	switch t.a.State {
	case "link", "hard":
		r["dest"], r["src"] = t.path, nil
		if t.a.Src != "" {
			r["src"] = t.a.Src
		}
	case "touch":
		r["dest"] = t.path
		if t.c.Check() {
			delete(r, "diff")
		}
	case "absent":
		r["path"], r["state"] = t.path, "absent"
		if t.prev == "absent" {
			delete(r, "diff")
		}
	default:
		r["path"] = t.path
	}
	return r
}

// look sees what is at a path.
func (t *fileTask) look(p string) error {
	t.path = p
	t.before, t.after = map[string]any{"path": p}, map[string]any{"path": p}
	info, err := t.c.Lstat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t.prev = "absent"
	case err != nil:
		return err
	default:
		t.info, t.prev = info, fileState(info)
	}
	return nil
}

// settle finds the state that is meant, and checks what goes with it.
func (t *fileTask) settle() error {
	if t.a.Src != "" && (t.a.State == "hard" || t.a.State == "file" || t.a.State == "touch") {
		if info, err := t.c.Stat(t.path); err == nil && info.IsDir() {
			if err := t.look(path.Join(t.path, path.Base(t.a.Src))); err != nil {
				return err
			}
		}
	}
	switch {
	case t.a.State != "":
	case t.prev != "absent":
		t.a.State = t.prev
	case t.a.Recurse:
		t.a.State = "directory"
	default:
		t.a.State = "file"
	}
	if t.a.Recurse && t.a.State != "directory" {
		return errors.New("recurse option requires state to be 'directory'")
	}
	if t.a.Src != "" && t.a.State != "link" && t.a.State != "hard" {
		return errors.New("src option requires state to be 'link' or 'hard'")
	}
	return nil
}

// follow goes on with what a link points to.
func (t *fileTask) follow() error {
	if !t.a.Follow || t.prev != "link" {
		return nil
	}
	return t.look(followLinks(t.c, t.path))
}

// becomes records the change of state.
func (t *fileTask) becomes(state string, do func(host.Writer) error) {
	t.add("state", t.prev, state, do)
}

// commit makes the change, when there is one.
func (t *fileTask) commit() error {
	if t.empty() {
		return nil
	}
	return t.c.Change(Diff{"", t.before, t.after}, t.apply)
}

// attributes adds what is to change of owner, permissions and times of what
// is there.
func (t *fileTask) attributes(p string, info host.Info) error {
	ch, err := t.a.change(t.ctx, t.c, p, info)
	if err != nil {
		return err
	}
	t.when.change(ch, p, info)
	t.merge(ch)
	return nil
}

func (ch *attrChange) merge(other *attrChange) {
	maps.Copy(ch.before, other.before)
	maps.Copy(ch.after, other.after)
	ch.do = append(ch.do, other.do...)
}

func (t *fileTask) absent() error {
	switch t.prev {
	case "absent":
		return nil
	case "directory":
		t.becomes("absent", func(w host.Writer) error { return w.RemoveAll(t.path) })
		if t.c.WantDiff() {
			t.before["path_content"] = t.content()
		}
	default:
		t.becomes("absent", func(w host.Writer) error { return w.Remove(t.path) })
	}
	return t.commit()
}

// content lists what a directory holds, for the diff.
func (t *fileTask) content() map[string]any {
	allFiles, allDirs := []any{}, []any{}
	var list func(dir string)
	list = func(dir string) {
		files, dirs, _ := children(t.c, dir) // what cannot be read is not listed
		for _, d := range dirs {
			allDirs = append(allDirs, path.Join(dir, d.Name()))
		}
		for _, f := range files {
			allFiles = append(allFiles, path.Join(dir, f.Name()))
		}
		for _, d := range dirs {
			if d.IsDir() { // no link to one
				list(path.Join(dir, d.Name()))
			}
		}
	}
	list(t.path)
	return map[string]any{"directories": allDirs, "files": allFiles}
}

func (t *fileTask) file() error {
	if err := t.follow(); err != nil {
		return err
	}
	if t.prev != "file" && t.prev != "hard" {
		return Fail(fmt.Sprintf("file (%s) is %s, cannot continue", t.path, t.prev), Result{"path": t.path, "state": t.prev})
	}
	if err := t.attributes(t.path, t.info); err != nil {
		return err
	}
	return t.commit()
}

func (t *fileTask) directory() error {
	if err := t.follow(); err != nil {
		return err
	}
	switch t.prev {
	case "directory":
	case "absent":
		return t.makeDirectory()
	default:
		return fmt.Errorf("%s already exists as a %s", t.path, t.prev)
	}
	if err := t.attributes(t.path, t.info); err != nil {
		return err
	}
	if err := t.commit(); err != nil || !t.a.Recurse {
		return err
	}
	return t.recurse(t.path, map[string]bool{})
}

func (t *fileTask) makeDirectory() error {
	uid, gid, err := t.a.ids(t.c)
	if err != nil {
		return err
	}
	missing, err := missingDirs(t.c, t.path)
	if err != nil {
		return fmt.Errorf("There was an issue creating %s as requested: %w", t.path, err)
	}
	bits := t.a.Mode.newDir(t.c.Umask())
	if !t.c.Check() { // as in Ansible
		t.merge(unusual(0o777&^t.c.Umask(), host.Attr{Mode: bits, UID: uid, GID: gid}))
	}
	t.becomes("directory", func(w host.Writer) error {
		for _, dir := range missing {
			if err := makeDir(w, dir, bits, uid, gid); err != nil {
				return fmt.Errorf("There was an issue creating %s as requested: %w", dir, err)
			}
		}
		return nil
	})
	return t.commit()
}

// recurse gives owner and permissions to everything below a directory. seen
// holds the directories that links led to.
func (t *fileTask) recurse(dir string, seen map[string]bool) error {
	return walk(t.c, dir, func(p string, info host.Info) error {
		if err := t.entry(p, info); err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 || !t.a.Follow {
			return nil
		}
		target := followLinks(t.c, p)
		info, err := t.c.Lstat(target)
		if err != nil || seen[target] {
			return nil // it points nowhere, or was here before
		}
		seen[target] = true
		if err := t.entry(target, info); err != nil || !info.IsDir() {
			return err
		}
		return t.recurse(target, seen)
	})
}

func (t *fileTask) entry(p string, info host.Info) error {
	ch, err := t.a.change(t.ctx, t.c, p, info)
	if err != nil {
		return err
	}
	if t.when.change(ch, p, info); ch.empty() {
		return nil
	}
	return t.c.Change(NoDiff, ch.apply) // as in Ansible, which shows the directory alone
}

// rest changes owner, permissions and times of what is at path by now, in the
// same diff as what was changed before.
func (t *fileTask) rest(p string, info host.Info) error {
	begun := !t.empty()
	t.do = nil
	if err := t.attributes(p, info); err != nil {
		return err
	}
	switch {
	case t.empty():
		return nil
	case begun:
		return t.c.Change(NoDiff, t.apply)
	}
	return t.commit()
}

func (t *fileTask) link() error {
	if t.a.Src == "" {
		return t.sameLink()
	}
	if err := t.checkTarget(); err != nil {
		return err
	}
	old := ""
	if t.prev == "link" {
		var err error
		if old, err = t.c.Readlink(t.path); err != nil {
			return err
		}
	}
	switch {
	case t.prev != "link":
		t.becomes("link", t.replace(func(w host.Writer, p string) error { return w.Symlink(t.a.Src, p) }))
	case old != t.a.Src:
		t.add("src", old, t.a.Src, t.replace(func(w host.Writer, p string) error { return w.Symlink(t.a.Src, p) }))
	}
	if err := t.commit(); err != nil || t.c.Check() && t.prev == "absent" {
		return err
	}
	return t.linkAttributes()
}

// sameLink keeps a link that is there, for its owner and permissions.
func (t *fileTask) sameLink() error {
	if t.prev != "link" {
		return errors.New("src is required for creating new symlinks")
	}
	target, err := t.c.Readlink(t.path)
	if err != nil {
		return err
	}
	if t.a.Follow {
		t.a.Src = target
	}
	return t.linkAttributes()
}

// checkTarget refuses a link to nothing, or in place of something else,
// unless force is set.
func (t *fileTask) checkTarget() error {
	target := t.a.Src
	if !path.IsAbs(target) && t.prev == "directory" {
		target = path.Join(t.path, target)
	} else if !path.IsAbs(target) {
		target = path.Join(path.Dir(t.path), target)
	}
	_, err := t.c.Stat(target)
	switch {
	case err != nil && !t.a.Force:
		return Fail(fmt.Sprintf(`src file does not exist, use "force=yes" if you really want to create the link: %s`, target),
			Result{"path": t.path, "src": t.a.Src})
	case t.prev == "absent" || t.prev == "link":
		return nil
	case !t.a.Force:
		return fmt.Errorf("refusing to convert from %s to symlink for %s", t.prev, t.path)
	case t.prev != "directory":
		return nil
	}
	entries, err := t.c.ReadDir(t.path)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("the directory %s is not empty, refusing to convert it", t.path)
	}
	return err
}

// linkAttributes is for the link's target with follow, else for the link.
func (t *fileTask) linkAttributes() error {
	p := t.path
	if t.a.Follow {
		p = followLinks(t.c, p)
	}
	info, err := t.c.Lstat(p)
	if errors.Is(err, fs.ErrNotExist) {
		if !t.c.Check() {
			t.c.Warn("Cannot set fs attributes on a non-existent symlink target. follow should be set to False to avoid this.")
		}
		return nil
	}
	if err != nil {
		return err
	}
	return t.rest(p, info)
}

func (t *fileTask) hard() error {
	if t.a.Src == "" && t.prev != "hard" {
		return errors.New("src is required for creating new hardlinks")
	}
	if t.a.Src == "" {
		return t.rest(t.path, t.info)
	}
	about := Result{"dest": t.path, "src": t.a.Src}
	src, err := t.c.Stat(t.a.Src)
	if err != nil {
		return Fail("src does not exist", about)
	}
	same := t.prev != "absent" && t.info.Inode == src.Inode && t.info.Dev == src.Dev
	switch {
	case same || t.prev == "absent" || t.prev == "link" || t.a.Force && t.prev != "directory":
	case t.prev == "file":
		return Fail("Cannot link, file exists at destination", about)
	default:
		return Fail("Cannot link, different hard link exists at destination", about)
	}
	if !same {
		t.becomes("hard", t.replace(func(w host.Writer, p string) error { return w.Link(t.a.Src, p) }))
		if err := t.commit(); err != nil {
			return err
		}
	}
	return t.rest(t.path, src)
}

// replace makes something at path: beside it and renamed, where something is
// there already.
func (t *fileTask) replace(create func(w host.Writer, p string) error) func(host.Writer) error {
	return func(w host.Writer) error {
		if t.prev == "absent" {
			return create(w, t.path)
		}
		if t.prev == "directory" {
			if err := w.Remove(t.path); err != nil {
				return err
			}
		}
		tmp := path.Join(path.Dir(t.path), ".gplay-"+rand.Text())
		if err := create(w, tmp); err != nil {
			return err
		}
		if err := w.Rename(tmp, t.path); err != nil {
			return errors.Join(err, w.Remove(tmp))
		}
		return nil
	}
}

// stamp sets the times of what was just made. They are in its diff.
func (t *fileTask) stamp(w host.Writer) error {
	info, err := t.c.Lstat(t.path)
	if err != nil {
		return err
	}
	ch := attrChange{before: t.before, after: t.after}
	t.when.change(&ch, t.path, info)
	return ch.apply(w)
}

func (t *fileTask) touch() error {
	if t.prev == "absent" {
		attr, err := t.a.attr(t.c, nil, host.Keep)
		if err != nil {
			return err
		}
		if t.c.Check() { // Ansible shows no diff of it
			return t.c.Change(NoDiff, nil)
		}
		t.merge(unusual(0o666&^t.c.Umask(), attr))
		t.becomes("touch", func(w host.Writer) error {
			if err := w.WriteFile(t.path, strings.NewReader(""), attr); err != nil {
				return err
			}
			return t.stamp(w)
		})
		return t.commit()
	}
	if err := t.follow(); err != nil {
		return err
	}
	if t.prev == "absent" {
		return fmt.Errorf("Error, could not touch target: %s is a link to nothing", t.a.Path)
	}
	t.before["state"], t.after["state"] = t.prev, "touch"
	if err := t.attributes(t.path, t.info); err != nil {
		return err
	}
	return t.commit()
}
