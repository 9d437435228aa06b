package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"

	"gplay/modules/host"
)

// fileAttrs are the arguments that all modules which make files have in
// common. Embed it in the arguments' struct.
type fileAttrs struct {
	Mode         Mode   `arg:"mode" doc:"The permissions: octal (quote it), or symbolic such as u=rwX,g-w."`
	Owner        string `arg:"owner" doc:"The user that is to own the file, by name or number."`
	Group        string `arg:"group" doc:"The group that is to own the file, by name or number."`
	SEUser       string `arg:"seuser" doc:"The user of the SELinux context."`
	SERole       string `arg:"serole" doc:"The role of the SELinux context."`
	SELevel      string `arg:"selevel" doc:"The level of the SELinux context."`
	SEType       string `arg:"setype" doc:"The type of the SELinux context."`
	Attributes   string `arg:"attributes" alias:"attr" doc:"The file system's flags, as chattr takes them."`
	UnsafeWrites bool   `arg:"unsafe_writes" doc:"Accepted: a file that cannot be replaced is always written in place."`
}

// attr says what WriteFile is to give a file. old is what is there, nil for
// nothing; without a mode a new file gets newMode (or host.Keep).
func (a fileAttrs) attr(c *Call, old *host.Info, newMode int) (host.Attr, error) {
	attr := host.KeepAll
	var err error
	if attr.UID, attr.GID, err = a.ids(c); err != nil {
		return attr, err
	}
	perm := 0o666 &^ c.Umask()
	if old != nil {
		perm = old.Perm()
	} else if newMode != host.Keep {
		perm, attr.Mode = newMode, newMode
	}
	if a.Mode.Given() && !a.Mode.Preserve() {
		attr.Mode = a.Mode.Apply(perm, false, c.Umask())
	}
	return attr, nil
}

// unusual compares owner and permissions of something new with those it has when
// nothing is asked for.
func unusual(usual int, attr host.Attr) *attrChange {
	ch := &attrChange{before: map[string]any{}, after: map[string]any{}}
	if attr.Mode != host.Keep && attr.Mode != usual {
		ch.before["mode"], ch.after["mode"] = modeText(usual), modeText(attr.Mode)
	}
	if uid := os.Geteuid(); attr.UID != host.Keep && attr.UID != uid {
		ch.before["owner"], ch.after["owner"] = uid, attr.UID
	}
	if gid := os.Getegid(); attr.GID != host.Keep && attr.GID != gid {
		ch.before["group"], ch.after["group"] = gid, attr.GID
	}
	return ch
}

// ids looks up owner and group; host.Keep where none is wanted.
func (a fileAttrs) ids(c *Call) (uid, gid int, err error) {
	uid, gid = host.Keep, host.Keep
	if a.Owner != "" {
		if uid, err = c.UserID(a.Owner); err != nil {
			return host.Keep, gid, a.unknown(c, "chown", "user", a.Owner)
		}
	}
	if a.Group != "" {
		if gid, err = c.GroupID(a.Group); err != nil {
			return uid, host.Keep, a.unknown(c, "chgrp", "group", a.Group)
		}
	}
	return uid, gid, nil
}

// unknown is for an owner that the host does not know. In check mode a task
// before this one may be what makes it: only a warning, and a change. For a
// file that is there it is an error even so, as in Ansible: see change.
func (a fileAttrs) unknown(c *Call, what, kind, name string) error {
	if !c.Check() {
		return unknownOwner(what, kind, name)
	}
	c.changed = true
	c.Warn(fmt.Sprintf("failed to look up %s %s. Create %s up to this point in real play", kind, name, kind))
	return nil
}

func unknownOwner(what, kind, name string) error {
	return fmt.Errorf("%s failed: failed to look up %s %s", what, kind, name)
}

// attrChange is what is to change of a file's owner and permissions.
type attrChange struct {
	before, after map[string]any
	do            []func(host.Writer) error
}

func (ch *attrChange) empty() bool { return len(ch.do) == 0 }

func (ch *attrChange) apply(w host.Writer) error {
	for _, do := range ch.do {
		if err := do(w); err != nil {
			return err
		}
	}
	return nil
}

// change compares a file as it is with the arguments. Of a link without
// follow only the owner counts: links have no permissions.
func (a fileAttrs) change(ctx context.Context, c *Call, path string, info host.Info) (*attrChange, error) {
	ch := &attrChange{before: map[string]any{}, after: map[string]any{}}
	uid, gid, err := a.ids(c)
	switch {
	case err != nil:
		return nil, err
	case a.Owner != "" && uid == host.Keep:
		return nil, unknownOwner("chown", "user", a.Owner)
	case a.Group != "" && gid == host.Keep:
		return nil, unknownOwner("chgrp", "group", a.Group)
	}
	if uid != host.Keep && uid != info.UID {
		ch.add("owner", info.UID, uid, func(w host.Writer) error { return w.Lchown(path, uid, host.Keep) })
	}
	if gid != host.Keep && gid != info.GID {
		ch.add("group", info.GID, gid, func(w host.Writer) error { return w.Lchown(path, host.Keep, gid) })
	}
	if a.Mode.Given() && !a.Mode.Preserve() && info.Mode()&fs.ModeSymlink == 0 {
		a.changeMode(c, ch, path, info)
	}
	return ch, a.changeFlags(ctx, c, ch, path, info)
}

// changeMode is also due when a chown would clear setuid or setgid.
func (a fileAttrs) changeMode(c *Call, ch *attrChange, path string, info host.Info) {
	old := info.Perm()
	want := a.Mode.Apply(old, info.IsDir(), c.Umask())
	chmod := func(w host.Writer) error { return w.Chmod(path, host.FileMode(want)) }
	if want != old {
		ch.add("mode", modeText(old), modeText(want), chmod)
	} else if !ch.empty() && want&0o6000 != 0 {
		ch.do = append(ch.do, chmod)
	}
}

func (ch *attrChange) add(what string, before, after any, do func(host.Writer) error) {
	ch.before[what], ch.after[what] = before, after
	ch.do = append(ch.do, do)
}

// changeFlags compares chattr's flags. A file system without them has none.
func (a fileAttrs) changeFlags(ctx context.Context, c *Call, ch *attrChange, path string, info host.Info) error {
	if a.Attributes == "" || info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	out, err := c.Ask(ctx, host.Command("lsattr", "-d", "--", path))
	if err != nil {
		return fmt.Errorf("chattr failed: %w", err)
	}
	fields := strings.Fields(string(out.Stdout))
	if out.Code != 0 || len(fields) == 0 {
		return nil
	}
	current := strings.ReplaceAll(fields[0], "-", "")
	spec := a.Attributes
	if !strings.ContainsRune("+-=", rune(spec[0])) {
		spec = "=" + spec
	}
	if flagsHold(spec, current) {
		return nil
	}
	ch.add("attributes", current, a.Attributes, func(w host.Writer) error {
		out, err := w.Run(ctx, host.Command("chattr", spec, "--", path))
		if err == nil && out.Code != 0 {
			err = errors.New("chattr failed: " + strings.TrimSpace(string(out.Stderr)))
		}
		return err
	})
	return nil
}

// flagsHold reports whether the flags current satisfy spec, such as "+i".
// The flag e (extents) is the file system's own.
func flagsHold(spec, current string) bool {
	op, flags := spec[0], spec[1:]
	for _, f := range flags {
		if strings.ContainsRune(current, f) == (op == '-') {
			return false
		}
	}
	if op != '=' {
		return true
	}
	for _, f := range current {
		if f != 'e' && !strings.ContainsRune(flags, f) {
			return false
		}
	}
	return true
}

// ensure gives path the owner and permissions of the arguments.
func (a fileAttrs) ensure(ctx context.Context, c *Call, path string) error {
	info, err := c.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) && c.Check() {
		return nil
	}
	if err != nil {
		return err
	}
	ch, err := a.change(ctx, c, path, info)
	if err != nil || ch.empty() {
		return err
	}
	before, after := map[string]any{"path": path}, map[string]any{"path": path}
	maps.Copy(before, ch.before)
	maps.Copy(after, ch.after)
	return c.Change(Diff{"", before, after}, ch.apply)
}

func modeText(bits int) string { return fmt.Sprintf("0%03o", bits) }

// addFileInfo adds what a result says of the file that it names as path or
// dest, when that is there: uid, gid, owner, group, mode, state and size.
func (c *Call) addFileInfo(r map[string]any) {
	if c.elsewhere {
		return
	}
	named, ok := r["path"]
	if !ok {
		named = r["dest"]
	}
	path, _ := named.(string)
	if _, err := c.Stat(path); path == "" || err != nil {
		return
	}
	info, err := c.Lstat(path)
	if err != nil {
		return
	}
	r["uid"], r["gid"] = info.UID, info.GID
	r["owner"], r["group"] = c.UserName(info.UID), c.GroupName(info.GID)
	r["mode"] = modeText(info.Perm())
	r["size"] = int(info.Size())
	r["state"] = fileState(info)
}

func fileState(info host.Info) string {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return "link"
	case info.IsDir():
		return "directory"
	case info.Nlink > 1:
		return "hard"
	}
	return "file"
}
