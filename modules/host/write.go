package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// WriteFile replaces what is at path, a link too; a link is not followed.
// Where the file cannot be replaced (it is a mount point, or its directory
// may not be written) it is overwritten in place.
func (l *Local) WriteFile(path string, data io.Reader, attr Attr) error {
	path = l.path(path)
	final, err := l.finalAttr(path, attr)
	if err != nil {
		return err
	}
	tmp, err := os.OpenFile(filepath.Join(filepath.Dir(path), ".gplay-"+rand.Text()), os.O_CREATE|os.O_EXCL|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		if final.exists && isAny(err, syscall.EACCES, syscall.EPERM, syscall.EROFS) {
			return final.overwrite(path, data)
		}
		return writeError(path, err)
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if err := final.write(tmp, data); err != nil {
		return writeError(path, err)
	}
	err = os.Rename(tmp.Name(), path)
	if final.exists && isAny(err, syscall.EBUSY, syscall.EXDEV, syscall.ETXTBSY, syscall.EPERM) {
		if _, err := tmp.Seek(0, io.SeekStart); err != nil {
			return err
		}
		return final.overwrite(path, tmp)
	}
	return writeError(path, err)
}

func isAny(err error, targets ...error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}

func writeError(path string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("no space left to write %s: %w", path, err)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}

// finalAttr is what a file is to have when it is written.
type finalAttr struct {
	uid, gid int  // Keep for the process's own
	mode     int  // always set
	asked    bool // an owner was asked for, so it must succeed
	exists   bool
}

func (l *Local) finalAttr(path string, attr Attr) (finalAttr, error) {
	f := finalAttr{uid: attr.UID, gid: attr.GID, mode: attr.Mode, asked: attr.UID != Keep || attr.GID != Keep}
	old, err := l.Lstat(path)
	switch {
	case err == nil && old.IsDir():
		return f, fmt.Errorf("cannot write %s: it is a directory", path)
	case err == nil && old.Mode().IsRegular():
		f.exists = true
		f.uid, f.gid, f.mode = kept(f.uid, old.UID), kept(f.gid, old.GID), kept(f.mode, old.Perm())
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return f, err
	}
	if f.mode == Keep {
		f.mode = 0o666 &^ l.Umask()
	}
	return f, nil
}

func kept(want, old int) int {
	if want == Keep {
		return old
	}
	return want
}

// write fills a file and gives it its attributes. The owner comes first: a
// change of owner clears setuid and setgid.
func (f finalAttr) write(file *os.File, data io.Reader) error {
	if _, err := io.Copy(file, data); err != nil {
		return err
	}
	if f.uid != Keep || f.gid != Keep {
		if err := file.Chown(f.uid, f.gid); err != nil && (f.asked || !errors.Is(err, syscall.EPERM)) {
			return err
		}
	}
	if err := file.Chmod(FileMode(f.mode)); err != nil {
		return err
	}
	return file.Sync()
}

func (f finalAttr) overwrite(path string, data io.Reader) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return writeError(path, err)
	}
	err = f.write(file, data)
	return writeError(path, errors.Join(err, file.Close()))
}
