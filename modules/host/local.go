package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Local is the machine that this process runs on. It is a Reader and a
// Writer, and may be used by many at the same time.
type Local struct {
	Dir string   // what relative paths are relative to; "" is the process's
	Env []string // KEY=VALUE, added to the process's environment
}

var (
	_ Reader = (*Local)(nil)
	_ Writer = (*Local)(nil)
)

func (l *Local) path(p string) string {
	if l.Dir == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(l.Dir, p)
}

func (l *Local) Stat(path string) (Info, error)  { return infoOf(os.Stat(l.path(path))) }
func (l *Local) Lstat(path string) (Info, error) { return infoOf(os.Lstat(l.path(path))) }

func infoOf(fi fs.FileInfo, err error) (Info, error) {
	if err != nil {
		return Info{}, err
	}
	st := fi.Sys().(*syscall.Stat_t)
	return Info{
		FileInfo: fi,
		UID:      int(st.Uid), GID: int(st.Gid),
		Inode: st.Ino, Dev: uint64(st.Dev), Nlink: uint64(st.Nlink), Rdev: uint64(st.Rdev),
		Blocks: st.Blocks, BlockSize: int64(st.Blksize),
		Atime: time.Unix(st.Atim.Unix()), Ctime: time.Unix(st.Ctim.Unix()),
	}, nil
}

func (l *Local) Open(path string) (io.ReadCloser, error) { return os.Open(l.path(path)) }
func (l *Local) ReadFile(path string) ([]byte, error)    { return os.ReadFile(l.path(path)) }
func (l *Local) Readlink(path string) (string, error)    { return os.Readlink(l.path(path)) }

// Access asks the system, which knows of capabilities and read-only mounts.
func (l *Local) Access(path string) (read, write, execute bool) {
	may := func(what uint32) bool {
		return unix.Faccessat(unix.AT_FDCWD, l.path(path), what, unix.AT_EACCESS) == nil
	}
	return may(unix.R_OK), may(unix.W_OK), may(unix.X_OK)
}

func (l *Local) ReadDir(path string) ([]Info, error) {
	infos, err := l.Entries(path)
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.Name(), b.Name()) })
	return infos, err
}

func (l *Local) Entries(path string) ([]Info, error) {
	dir, err := os.Open(l.path(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	var infos []Info
	for _, e := range entries {
		info, err := infoOf(e.Info())
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// Getenv looks in Env, then in the process's environment.
func (l *Local) Getenv(name string) (string, bool) {
	for i := len(l.Env) - 1; i >= 0; i-- {
		if k, v, _ := strings.Cut(l.Env[i], "="); k == name {
			return v, true
		}
	}
	return os.LookupEnv(name)
}

// Umask is the process's; reading it any other way would change it.
func (l *Local) Umask() int {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.Lines(string(status)) {
			if v, ok := strings.CutPrefix(line, "Umask:"); ok {
				if n, err := strconv.ParseInt(strings.TrimSpace(v), 8, 32); err == nil {
					return int(n)
				}
			}
		}
	}
	return 0o022
}

// Home is $HOME for the current user, else as the user database has it.
func (l *Local) Home(name string) (string, bool) {
	if name == "" {
		if home, ok := l.Getenv("HOME"); ok && home != "" {
			return home, true
		}
		u, err := user.Current()
		if err != nil {
			return "", false
		}
		return u.HomeDir, true
	}
	if u, err := user.Lookup(name); err == nil {
		return u.HomeDir, true
	}
	fields := l.getent("passwd", name)
	if len(fields) < 6 {
		return "", false
	}
	return fields[5], true
}

func (l *Local) UserID(nameOrID string) (int, error) {
	if id, err := strconv.Atoi(nameOrID); err == nil {
		return id, nil
	}
	if u, err := user.Lookup(nameOrID); err == nil {
		return strconv.Atoi(u.Uid)
	}
	if f := l.getent("passwd", nameOrID); len(f) > 2 {
		return strconv.Atoi(f[2])
	}
	return 0, fmt.Errorf("there is no user %q", nameOrID)
}

func (l *Local) GroupID(nameOrID string) (int, error) {
	if id, err := strconv.Atoi(nameOrID); err == nil {
		return id, nil
	}
	if g, err := user.LookupGroup(nameOrID); err == nil {
		return strconv.Atoi(g.Gid)
	}
	if f := l.getent("group", nameOrID); len(f) > 2 {
		return strconv.Atoi(f[2])
	}
	return 0, fmt.Errorf("there is no group %q", nameOrID)
}

func (l *Local) UserName(id int) string {
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		return u.Username
	}
	if f := l.getent("passwd", strconv.Itoa(id)); len(f) > 0 {
		return f[0]
	}
	return strconv.Itoa(id)
}

func (l *Local) GroupName(id int) string {
	if g, err := user.LookupGroupId(strconv.Itoa(id)); err == nil {
		return g.Name
	}
	if f := l.getent("group", strconv.Itoa(id)); len(f) > 0 {
		return f[0]
	}
	return strconv.Itoa(id)
}

// getent asks the name service, which knows users that are in no file; a
// static program cannot load it.
func (l *Local) getent(database, key string) []string {
	out, err := l.Ask(context.Background(), Command("getent", database, key))
	if err != nil || out.Code != 0 {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(out.Stdout)), ":")
}

// LookPath finds a program in PATH, then where system programs are.
func (l *Local) LookPath(program string) (string, error) {
	path, _ := l.Getenv("PATH")
	for _, dir := range systemDirs {
		if !slices.Contains(filepath.SplitList(path), dir) {
			path += ":" + dir
		}
	}
	return l.lookPath(program, path)
}

func (l *Local) lookPath(program, path string) (string, error) {
	if strings.Contains(program, "/") {
		return program, nil
	}
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			continue
		}
		file := filepath.Join(l.path(dir), program)
		if fi, err := os.Stat(file); err == nil && !fi.IsDir() && fi.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", l.noProgram(program, path)
}

// systemDirs are where programs are that only root runs.
var systemDirs = []string{"/sbin", "/usr/sbin", "/usr/local/sbin"}

// noProgram is the error about a program that is not there, in Ansible's words.
func (l *Local) noProgram(program, path string) error {
	paths := filepath.SplitList(path)
	for _, dir := range systemDirs {
		if _, err := os.Stat(l.path(dir)); err == nil && !slices.Contains(paths, dir) {
			paths = append(paths, dir)
		}
	}
	return &notFound{program, strings.Join(paths, ":")}
}

type notFound struct{ program, paths string }

func (e *notFound) Error() string {
	return fmt.Sprintf("Failed to find required executable \"%s\" in paths: %s", e.program, e.paths)
}
func (e *notFound) Unwrap() error { return ErrNotFound }

// RemoveAll tries again where a program puts files into the directory meanwhile:
// a job that runs on by itself ends with one.
func (l *Local) RemoveAll(path string) (err error) {
	for range 10 {
		if err = os.RemoveAll(l.path(path)); !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

func (l *Local) Mkdir(path string, mode fs.FileMode) error {
	path = l.path(path)
	if err := os.Mkdir(path, mode.Perm()); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

func (l *Local) Remove(path string) error            { return os.Remove(l.path(path)) }
func (l *Local) Rename(from, to string) error        { return os.Rename(l.path(from), l.path(to)) }
func (l *Local) Symlink(target, path string) error   { return os.Symlink(target, l.path(path)) }
func (l *Local) Link(target, path string) error      { return os.Link(l.path(target), l.path(path)) }
func (l *Local) Lchown(p string, uid, gid int) error { return os.Lchown(l.path(p), uid, gid) }
func (l *Local) Root(dir string) (*os.Root, error)   { return os.OpenRoot(l.path(dir)) }

func (l *Local) Chmod(path string, mode fs.FileMode) error { return os.Chmod(l.path(path), mode) }

func (l *Local) Chtimes(path string, atime, mtime time.Time) error {
	return os.Chtimes(l.path(path), atime, mtime)
}
