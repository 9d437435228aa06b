package modules

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gplay/modules/host"
)

// Unarchive unpacks an archive. The action offers it as "src" unless it is on
// the host or has a URL.
var Unarchive = define("unarchive", "unpack an archive", unarchiveArgs{Copy: true, Decrypt: true, ValidateCerts: true}, unarchive).
	exclusive("include", "exclude").exclusive("copy", "remote_src")

type unarchiveArgs struct {
	Src           string   `arg:"src" required:"true" doc:"The archive: tar (also gzip, bzip2, xz, zstd) or zip; on the controller, or with remote_src on the host or a URL."`
	Dest          string   `arg:"dest" type:"path" required:"true" doc:"The directory to unpack it in."`
	RemoteSrc     bool     `arg:"remote_src" doc:"src is on the host, or a URL."`
	Copy          bool     `arg:"copy" doc:"The old name of the opposite of remote_src."`
	Creates       string   `arg:"creates" type:"path" doc:"When this is there, nothing is done."`
	Exclude       []string `arg:"exclude" doc:"Patterns of what not to unpack."`
	Include       []string `arg:"include" doc:"Patterns of what to unpack."`
	KeepNewer     bool     `arg:"keep_newer" doc:"Leave files that are newer than the archive's."`
	ListFiles     bool     `arg:"list_files" doc:"Give the names of the archive's files."`
	ExtraOpts     []string `arg:"extra_opts" doc:"Of tar's: --strip-components=N, --no-same-owner."`
	ValidateCerts bool     `arg:"validate_certs" doc:"Verify the certificate of a URL's server."`
	Decrypt       bool     `arg:"decrypt" doc:"Decrypt the archive when it is a vault file."`
	IOBufferSize  int      `arg:"io_buffer_size" type:"bytes" doc:"Has no effect."`
	fileAttrs
}

// unpacking is one run of the module.
type unpacking struct {
	unarchiveArgs
	ctx      context.Context
	c        *Call
	strip    int  // leading parts of names to take off
	owners   bool // give files the archive's owners
	uid, gid int  // what the arguments ask for, or host.Keep
	umask    int
	files    []string
	changed  []string // what differs, by its path below dest
}

func unarchive(ctx context.Context, c *Call, a unarchiveArgs) (Result, error) {
	u := &unpacking{unarchiveArgs: a, ctx: ctx, c: c, owners: os.Geteuid() == 0, umask: c.Umask()}
	r := Result{"dest": a.Dest, "src": a.Src}
	if a.Creates != "" {
		if _, err := c.Stat(a.Creates); err == nil {
			return Result{"skipped": true, "msg": fmt.Sprintf("skipped, since %s exists", a.Creates)}, nil
		}
	}
	if err := u.prepare(); err != nil {
		return nil, err
	}
	f, size, err := u.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	arc, err := openArchive(f, size)
	if err != nil {
		return nil, fmt.Errorf("Failed to find handler for %q: %w", a.Src, err)
	}
	r["handler"] = arc.kind
	if err := u.unpack(arc); err != nil {
		return nil, Fail(fmt.Sprintf("failed to unpack %s to %s: %s", a.Src, a.Dest, err), r)
	}
	if a.ListFiles {
		r["files"] = u.files
	}
	return r, nil
}

func (u *unpacking) prepare() (err error) {
	info, err := u.c.Stat(u.Dest)
	if err != nil || !info.IsDir() {
		return fmt.Errorf("dest '%s' must be an existing dir", u.Dest)
	}
	if u.uid, u.gid, err = u.ids(u.c); err != nil {
		return err
	}
	for i := 0; i < len(u.ExtraOpts); i++ {
		opt, value, given := strings.Cut(u.ExtraOpts[i], "=")
		switch opt {
		case "--strip-components", "--strip":
			if !given && i+1 < len(u.ExtraOpts) {
				i++
				value = u.ExtraOpts[i]
			}
			if u.strip, err = strconv.Atoi(value); err != nil {
				return fmt.Errorf("extra_opts: %s wants a number", opt)
			}
		case "--no-same-owner", "-o":
			u.owners = false
		case "":
		default:
			return fmt.Errorf("extra_opts: %s is not supported", u.ExtraOpts[i])
		}
	}
	return nil
}

// open gives the archive as a file that can be read again and again.
func (u *unpacking) open() (interface {
	archiveFile
	io.Closer
}, int64, error) {
	var r io.ReadCloser
	var err error
	src := u.Src
	remote := u.RemoteSrc || !u.Copy
	switch {
	case remote && strings.Contains(src, "://"):
		r, err = u.download()
	case remote:
		src = expansion{u.c.Getenv, u.c.Home}.path(src)
		if _, err := u.c.Stat(src); err != nil {
			return nil, 0, fmt.Errorf("Source '%s' does not exist", src)
		}
		r, err = u.c.Open(src)
	default:
		r, err = u.c.Controller.Open("src")
	}
	if err != nil {
		return nil, 0, err
	}
	f, ok := r.(*os.File)
	if !ok {
		defer r.Close()
		if f, err = spool(tempDir(u.c), r); err != nil {
			return nil, 0, err
		}
	}
	size, err := f.Seek(0, io.SeekEnd)
	return f, size, err
}

func (u *unpacking) download() (io.ReadCloser, error) {
	web := httpDefaults
	web.ValidateCerts = u.ValidateCerts
	resp, err := web.do(u.ctx, u.c, request{method: http.MethodGet, url: u.Src, redirects: "all"})
	if err != nil {
		return nil, fmt.Errorf("Failure downloading %s, %s", u.Src, httpFault(err))
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("Failure downloading %s, %s", u.Src, statusText(resp))
	}
	return resp.Body, nil
}

// spool keeps what is read in a file that has no name and goes when it is
// closed.
func spool(dir string, r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".gplay-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// unpack looks for what differs, and then unpacks only that.
func (u *unpacking) unpack(arc *archive) error {
	different := map[string]bool{}
	err := u.each(arc, func(m member) error {
		u.files = append(u.files, m.listed())
		same, err := u.same(m)
		if err == nil && !same {
			different[m.name] = true
			u.changed = append(u.changed, m.name)
		}
		return err
	})
	if err != nil || len(different) == 0 {
		return err
	}
	d := Diff{"", map[string]any{"path": u.Dest}, map[string]any{"path": u.Dest, "unpacked": u.changed}}
	return u.c.Change(d, func(w host.Writer) error {
		root, err := w.Root(u.Dest)
		if err != nil {
			return err
		}
		defer root.Close()
		var dirs []member // their times come last: what is put in them changes them
		err = u.each(arc, func(m member) error {
			if !different[m.name] {
				return nil
			}
			if m.mode.IsDir() {
				dirs = append(dirs, m)
			}
			return u.put(root, m)
		})
		for _, m := range slices.Backward(dirs) {
			err = errors.Join(err, root.Chtimes(m.name, time.Time{}, m.mtime))
		}
		return err
	})
}

// each visits the members that are asked for, with clean names.
func (u *unpacking) each(arc *archive, visit func(member) error) error {
	return arc.each(func(m member) error {
		if err := u.ctx.Err(); err != nil {
			return err
		}
		name, err := u.localName(m.name)
		if name == "" || err != nil {
			return err
		}
		m.name = name
		if m.hard != "" {
			if m.hard, err = u.localName(m.hard); err != nil {
				return err
			}
		}
		if u.Include != nil && !matchesAny(u.Include, name) || matchesAny(u.Exclude, name) {
			return nil
		}
		return visit(m)
	})
}

// localName is a member's path below dest; "" for dest itself.
func (u *unpacking) localName(name string) (string, error) {
	clean := path.Clean(strings.TrimLeft(name, "/"))
	if !fs.ValidPath(clean) {
		return "", fmt.Errorf("the archive's %q leads out of the directory", name)
	}
	parts := strings.Split(clean, "/")
	if clean == "." || len(parts) <= u.strip {
		return "", nil
	}
	return path.Join(parts[u.strip:]...), nil
}

// matchesAny matches as tar does: a pattern may begin at any part of the
// name, * matches / too, and what matches a directory matches all below it.
func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		re, err := regexp.Compile(`(^|/)` + wildcards(strings.Trim(p, "/")) + `(/|$)`)
		return err == nil && re.MatchString(name)
	})
}

// wildcards is a shell pattern as a regular expression.
func wildcards(pattern string) string {
	var out strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			out.WriteString(".*")
		case '?':
			out.WriteByte('.')
		case '[':
			end := strings.IndexByte(pattern[i+1:], ']')
			if end < 1 {
				out.WriteString(`\[`)
				continue
			}
			out.WriteString("[" + strings.Replace(pattern[i+1:i+1+end], "!", "^", 1) + "]")
			i += end + 1
		default:
			out.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	return out.String()
}

// owner is who a member is to belong to; host.Keep where it does not matter.
func (u *unpacking) owner(m member) (uid, gid int) {
	uid, gid = host.Keep, host.Keep
	if u.owners && m.uid >= 0 {
		uid, gid = m.uid, m.gid
		if id, err := u.c.UserID(m.user); err == nil && m.user != "" {
			uid = id
		}
		if id, err := u.c.GroupID(m.group); err == nil && m.group != "" {
			gid = id
		}
	}
	if u.uid != host.Keep {
		uid = u.uid
	}
	if u.gid != host.Keep {
		gid = u.gid
	}
	return uid, gid
}

func (u *unpacking) perm(m member) int {
	perm := host.UnixMode(m.mode)
	if !u.owners {
		perm &^= u.umask
	}
	if u.Mode.Given() {
		perm = u.Mode.Apply(perm, m.mode.IsDir(), u.umask)
	}
	return perm
}

// same reports whether a member is there as it is in the archive.
func (u *unpacking) same(m member) (bool, error) {
	p := path.Join(u.Dest, m.name)
	info, err := u.c.Lstat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if u.KeepNewer && info.ModTime().After(m.mtime) {
		return true, nil
	}
	uid, gid := u.owner(m)
	ownerSame := (uid == host.Keep || uid == info.UID) && (gid == host.Keep || gid == info.GID)
	switch {
	case m.hard != "":
		other, err := u.c.Lstat(path.Join(u.Dest, m.hard))
		return err == nil && other.Inode == info.Inode && other.Dev == info.Dev, nil
	case info.Mode().Type() != m.mode.Type():
		return false, nil
	case m.link != "":
		target, err := u.c.Readlink(p)
		return target == m.link && ownerSame, err
	case !ownerSame || info.Perm() != u.perm(m):
		return false, nil
	case m.mode.IsDir():
		return true, nil
	}
	if info.Size() != m.size || info.ModTime().Unix() != m.mtime.Unix() {
		return false, nil
	}
	return u.sameData(p, m.data)
}

func (u *unpacking) sameData(p string, data io.Reader) (bool, error) {
	f, err := u.c.Open(p)
	if err != nil {
		return false, err
	}
	defer f.Close()
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(data, a)
		m, otherErr := io.ReadFull(f, b)
		if !bytes.Equal(a[:n], b[:m]) {
			return false, nil
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return true, nil
		}
		if err != nil || otherErr != nil {
			return false, errors.Join(err, otherErr)
		}
	}
}

// put unpacks a member. Nothing is followed that leads out of the root.
func (u *unpacking) put(root *os.Root, m member) error {
	if dir := path.Dir(m.name); dir != "." {
		if err := root.MkdirAll(dir, 0o777&^fs.FileMode(u.umask)); err != nil {
			return err
		}
	}
	if m.mode.IsDir() {
		if info, err := root.Lstat(m.name); err != nil || !info.IsDir() {
			if err := root.Mkdir(m.name, 0o700); err != nil {
				return err
			}
		}
		return u.attributes(root, m.name, m)
	}
	tmp := path.Join(path.Dir(m.name), ".gplay-"+rand.Text())
	err := u.create(root, tmp, m)
	if err == nil {
		err = root.Rename(tmp, m.name)
	}
	if err != nil {
		root.Remove(tmp)
	}
	return err
}

func (u *unpacking) create(root *os.Root, name string, m member) error {
	switch {
	case m.hard != "":
		return root.Link(m.hard, name)
	case m.link != "":
		if err := root.Symlink(m.link, name); err != nil {
			return err
		}
		uid, gid := u.owner(m)
		return root.Lchown(name, uid, gid)
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, m.data)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := u.attributes(root, name, m); err != nil {
		return err
	}
	return root.Chtimes(name, time.Time{}, m.mtime)
}

func (u *unpacking) attributes(root *os.Root, name string, m member) error {
	if uid, gid := u.owner(m); uid != host.Keep || gid != host.Keep {
		if err := root.Chown(name, uid, gid); err != nil {
			return err
		}
	}
	return root.Chmod(name, host.FileMode(u.perm(m)))
}
