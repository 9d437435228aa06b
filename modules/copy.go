package modules

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"gplay/modules/host"
)

// Copy puts files of the controller, or of the host, in place. The action
// offers a file as "src", and those of a directory as "src/PATH", with what
// it knows of them in the arguments that begin with _.
var Copy = define("copy", "copy files to the host", copyArgs{Force: true, LocalFollow: true, Decrypt: true}, copyModule).
	exclusive("src", "content").
	gives("diff before after before_header after_header dest src md5sum checksum changed backup_file")

type copyArgs struct {
	Src           string `arg:"src" doc:"The file or directory on the controller; on the host with remote_src. With a slash at its end, what the directory holds."`
	Content       any    `arg:"content" secret:"content" doc:"The content itself, instead of src; a list or dict becomes JSON."`
	Dest          string `arg:"dest" type:"path" required:"true" doc:"Where to put it. With a slash at its end, a directory."`
	Backup        bool   `arg:"backup" doc:"Keep a copy of what is there."`
	Force         bool   `arg:"force" alias:"thirsty" doc:"Replace a file that differs."`
	Validate      string `arg:"validate" doc:"A command that must accept the file before it is put in place; %s is its path."`
	DirectoryMode Mode   `arg:"directory_mode" doc:"The permissions of directories that are made."`
	RemoteSrc     bool   `arg:"remote_src" doc:"src is on the host."`
	LocalFollow   bool   `arg:"local_follow" doc:"Copy what links in a directory point to."`
	Follow        bool   `arg:"follow" doc:"When dest is a link, replace what it points to."`
	Checksum      string `arg:"checksum" doc:"The SHA-1 that the file must have."`
	Decrypt       bool   `arg:"decrypt" doc:"Decrypt the source when it is a vault file."`
	fileAttrs

	Sum      string      `arg:"_checksum" doc:"The SHA-1 of the offered file."`
	Basename string      `arg:"_basename" doc:"Its name, for a dest that is a directory."`
	Title    string      `arg:"_title" doc:"What the diff calls it."`
	Entries  []copyEntry `arg:"_entries" doc:"The offered directory: what it holds, directories before what is in them."`
}

// copyEntry is a file, a directory or a link below the source.
type copyEntry struct {
	Path     string `arg:"path" doc:"Relative to the source."`
	Mode     Mode   `arg:"mode" doc:"Its permissions, where they are to be kept."`
	Checksum string `arg:"checksum" doc:"The SHA-1 of a file."`
	Dir      bool   `arg:"dir" doc:"It is a directory."`
	Link     string `arg:"link" doc:"What a link points to."`
}

// copyTask is one run of the module.
type copyTask struct {
	ctx context.Context
	c   *Call
	a   copyArgs
}

// copySource is one file to be put in place.
type copySource struct {
	name string // its base name
	sum  string // SHA-1
	mode Mode   // for a new file, and for an old one when it is preserve
	open func() (io.ReadCloser, error)
}

func copyModule(ctx context.Context, c *Call, a copyArgs) (Result, error) {
	t := &copyTask{ctx, c, a}
	switch {
	case a.RemoteSrc:
		return t.remote()
	case a.Entries != nil:
		return t.tree(a.Dest, a.Entries, func(p string) (io.ReadCloser, error) { return c.Controller.Open("src/" + p) })
	case a.Content != nil:
		return t.content()
	case a.Sum == "":
		return nil, errors.New("src (or content) is required")
	}
	return t.file(copySource{
		name: a.Basename, sum: a.Sum,
		open: func() (io.ReadCloser, error) { return c.Controller.Open("src") },
	})
}

func (t *copyTask) content() (Result, error) {
	text := pyStr(t.a.Content)
	switch t.a.Content.(type) {
	case []any, map[string]any:
		var err error
		if text, err = pyJSON(t.a.Content); err != nil {
			return nil, err
		}
	}
	info, err := t.c.Stat(t.a.Dest)
	if strings.HasSuffix(t.a.Dest, "/") || err == nil && info.IsDir() {
		return nil, errors.New("can not use content with a dir as dest")
	}
	return t.file(copySource{
		sum:  dataHash("sha1", []byte(text)),
		open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	})
}

// remote copies from the host itself.
func (t *copyTask) remote() (Result, error) {
	if t.a.Src == "" {
		return nil, errors.New("src is required with remote_src")
	}
	src := expansion{t.c.Getenv, t.c.Home}.path(t.a.Src)
	info, err := t.c.Stat(src)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("Source %s not found", src)
	case err != nil:
		return nil, fmt.Errorf("Source %s not readable", src)
	case info.IsDir():
		return t.remoteTree(src)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("Cannot copy invalid source '%s': not a file", src)
	}
	sum, err := fileHash(t.c, src, "sha1")
	if err != nil {
		return nil, fmt.Errorf("Source %s not readable", src)
	}
	if t.a.Mode.Preserve() {
		t.a.Mode = Octal(info.Perm())
	}
	r, err := t.file(copySource{name: path.Base(src), sum: sum, open: func() (io.ReadCloser, error) { return t.c.Open(src) }})
	if err == nil {
		r["src"] = src
	}
	return r, err
}

func (t *copyTask) remoteTree(src string) (Result, error) {
	dest := t.a.Dest
	if !strings.HasSuffix(src, "/") {
		dest = path.Join(dest, path.Base(src))
	}
	follow := t.a.LocalFollow && t.c.Given("local_follow")
	entries, err := remoteEntries(t.c, src, follow)
	if err != nil {
		return nil, err
	}
	r, err := t.tree(dest, entries, func(p string) (io.ReadCloser, error) { return t.c.Open(path.Join(src, p)) })
	if err == nil {
		r["src"], r["checksum"], r["md5sum"] = src, nil, nil
	}
	return r, err
}

func remoteEntries(c *Call, src string, follow bool) ([]copyEntry, error) {
	var entries []copyEntry
	err := walk(c, src, func(p string, info host.Info) (err error) {
		e := copyEntry{Path: strings.TrimPrefix(strings.TrimPrefix(p, path.Clean(src)), "/"), Dir: info.IsDir()}
		if info.Mode()&fs.ModeSymlink != 0 {
			if !follow {
				e.Link, err = c.Readlink(p)
				entries = append(entries, e)
				return err
			}
			if info, err = c.Stat(p); err != nil {
				return err
			}
			if info.IsDir() {
				return fmt.Errorf("%s is a link to a directory, which cannot be copied with local_follow", p)
			}
		}
		e.Mode = Octal(info.Perm())
		if !e.Dir {
			e.Checksum, err = fileHash(c, p, "sha1")
		}
		entries = append(entries, e)
		return err
	})
	return entries, err
}

// file puts one file in place.
func (t *copyTask) file(s copySource) (Result, error) {
	if t.a.Checksum != "" && t.a.Checksum != s.sum {
		return nil, Fail("Copied file does not match the expected checksum. Transfer failed.",
			Result{"checksum": s.sum, "expected_checksum": t.a.Checksum})
	}
	dest := t.a.Dest
	made := false
	if strings.HasSuffix(dest, "/") {
		var err error
		if made, err = t.makeParents(path.Clean(dest)); err != nil {
			return nil, err
		}
		dest = path.Join(dest, s.name)
	}
	if info, err := t.c.Stat(dest); err == nil && info.IsDir() {
		dest = path.Join(dest, s.name)
	}
	r, err := t.put(dest, s, made)
	if err == nil && r["path"] != nil { // the content is there: as the file module
		t.c.AlwaysDiff()
	}
	return r, err
}

// put writes one file to dest. made says that its directory will be there,
// also in check mode.
func (t *copyTask) put(dest string, s copySource, made bool) (Result, error) {
	if t.a.Follow {
		dest = followLinks(t.c, dest)
	}
	info, err := t.c.Lstat(dest)
	exists := err == nil
	switch {
	case exists && info.IsDir():
		return nil, fmt.Errorf("cannot copy to %s: it is a directory", dest)
	case exists && !t.a.Force:
		return Result{"dest": dest}, nil
	case errors.Is(err, fs.ErrNotExist):
		// In check mode a task before this one may be what makes the directory.
		if parent, err := t.c.Stat(path.Dir(dest)); !made && !t.c.Check() && (err != nil || !parent.IsDir()) {
			r := Result{}
			if !t.a.RemoteSrc { // as Ansible, which has asked for it on the controller
				r["checksum"] = s.sum
			}
			return nil, Fail(fmt.Sprintf("Destination directory %s does not exist", path.Dir(dest)), r)
		}
	case err != nil:
		return nil, err
	}
	r := Result{"dest": dest, "checksum": s.sum}
	if exists && info.Mode().IsRegular() {
		if sum, err := fileHash(t.c, dest, "sha1"); err == nil && sum == s.sum {
			r["path"] = dest
			same := map[string]any{"path": dest}
			r["diff"] = map[string]any{"before": same, "after": same}
			return r, t.a.ensure(t.ctx, t.c, dest)
		}
	}
	if !strings.Contains(dest, "/") {
		r["dest"] = "./" + dest // Ansible's module names it so, its file module does not
	}
	old := &info
	if !exists || !info.Mode().IsRegular() {
		old = nil
	}
	r["diff"] = []any{}
	if err := t.write(dest, s, old, r); err != nil {
		return nil, err
	}
	return r, nil
}

func (t *copyTask) write(dest string, s copySource, old *host.Info, r Result) error {
	newMode := host.Keep
	if s.mode.Given() {
		newMode = s.mode.Apply(0, false, 0)
	}
	attr, err := t.a.attr(t.c, old, newMode)
	if err != nil {
		return err
	}
	d, err := t.diff(dest, s)
	if err != nil {
		return err
	}
	return t.c.Change(d, func(w host.Writer) error {
		data, err := s.open()
		if err != nil {
			return err
		}
		defer data.Close()
		h := newHashing(data)
		file := replacement{path: dest, attr: attr, backup: t.a.Backup, validate: t.a.Validate, invalid: invalidContent}
		copied, err := file.write(t.ctx, t.c, w, verified{h, s.sum})
		if copied != "" {
			r["backup_file"] = copied
		}
		if err != nil {
			return err
		}
		r["md5sum"] = hex.EncodeToString(h.md5.Sum(nil))
		return t.a.ensure(t.ctx, t.c, dest)
	})
}

// diff shows both contents, when it is wanted.
func (t *copyTask) diff(dest string, s copySource) (Diff, error) {
	if !t.c.WantDiff() {
		return NoDiff, nil
	}
	data, err := s.open()
	if err != nil {
		return NoDiff, err
	}
	defer data.Close()
	after, err := io.ReadAll(io.LimitReader(data, MaxDiff+1))
	if err != nil {
		return NoDiff, err
	}
	title := t.a.Title
	if title == "" {
		title = dest
	}
	before := dest
	if _, err := t.c.Stat(dest); errors.Is(err, fs.ErrNotExist) {
		before = "" // as Ansible: what is not there has no name
	}
	return Diff{before, shownContent(t.c, dest), Titled{title, Content(after)}}, nil
}

// makeParents makes a directory that is to hold the file.
func (t *copyTask) makeParents(dir string) (made bool, err error) {
	missing, err := missingDirs(t.c, dir)
	if err != nil || len(missing) == 0 {
		return false, err
	}
	uid, gid, err := t.a.ids(t.c)
	if err != nil {
		return false, err
	}
	bits := t.a.DirectoryMode.newDir(t.c.Umask())
	return true, t.c.Change(NoDiff, func(w host.Writer) error {
		for _, d := range missing {
			if err := makeDir(w, d, bits, uid, gid); err != nil {
				return err
			}
		}
		return nil
	})
}

// tree puts a directory's content below dest.
func (t *copyTask) tree(dest string, entries []copyEntry, open func(p string) (io.ReadCloser, error)) (Result, error) {
	made := map[string]bool{}
	var err error
	root := path.Clean(dest)
	if made[root], err = t.makeParents(root); err != nil {
		return nil, err
	}
	t.a.Follow = false
	files, r := 0, Result{}
	for _, e := range entries {
		if !fs.ValidPath(e.Path) {
			return nil, fmt.Errorf("%s is no path below the source", e.Path)
		}
		p := path.Join(root, e.Path)
		switch {
		case e.Dir:
			made[p], err = t.treeDir(p, e)
		case e.Link != "":
			err = t.treeLink(p, e.Link)
		default:
			files++
			r, err = t.treeFile(p, e, made[path.Dir(p)], open)
		}
		if err != nil {
			return nil, err
		}
	}
	if files == 1 && t.a.Entries != nil { // as Ansible: the result is the file's
		return r, nil
	}
	return Result{"dest": dest}, nil
}

// treeDir makes a directory, or gives one that is there the permissions that
// were asked for.
func (t *copyTask) treeDir(p string, e copyEntry) (made bool, err error) {
	info, err := t.c.Stat(p)
	attrs := t.a.fileAttrs
	attrs.Mode = t.a.DirectoryMode
	if err == nil && info.IsDir() {
		return false, attrs.ensure(t.ctx, t.c, p)
	}
	if err == nil {
		return false, fmt.Errorf("%s already exists as a %s", p, fileState(info))
	}
	uid, gid, err := t.a.ids(t.c)
	if err != nil {
		return false, err
	}
	mode := t.a.DirectoryMode
	if !mode.Given() {
		mode = e.Mode
	}
	bits := mode.newDir(t.c.Umask())
	d := Diff{"", map[string]any{"path": p, "state": "absent"}, map[string]any{"path": p, "state": "directory"}}
	return true, t.c.Change(d, func(w host.Writer) error { return makeDir(w, p, bits, uid, gid) })
}

func (t *copyTask) treeLink(p, target string) error {
	link := &fileTask{ctx: t.ctx, c: t.c, a: fileArgs{Path: p, Src: target, Force: true, fileAttrs: t.a.fileAttrs}}
	link.a.Mode = Mode{}
	if err := link.look(p); err != nil {
		return err
	}
	return link.link()
}

func (t *copyTask) treeFile(p string, e copyEntry, made bool, open func(p string) (io.ReadCloser, error)) (Result, error) {
	one := *t
	if t.a.Mode.Preserve() {
		one.a.Mode = e.Mode
	}
	return one.put(p, copySource{
		name: path.Base(p), sum: e.Checksum, mode: e.Mode,
		open: func() (io.ReadCloser, error) { return open(e.Path) },
	}, made)
}
