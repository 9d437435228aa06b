package modules

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"gplay/modules/host"
)

// followLinks is where a path leads when it is a link, link after link, even
// to what is not there.
func followLinks(r host.Reader, p string) string {
	for range 40 {
		target, err := r.Readlink(p)
		if err != nil {
			return p
		}
		if path.IsAbs(target) {
			p = target
		} else {
			p = path.Join(path.Dir(p), target)
		}
	}
	return p
}

// children is what stands in a directory, as Python's os.walk has it: what is no
// directory, and directories with the links to them, as the directory has them.
func children(r host.Reader, dir string) (files, dirs []host.Info, err error) {
	entries, err := r.Entries(dir)
	for _, info := range entries {
		if target, err := r.Stat(path.Join(dir, info.Name())); err == nil && target.IsDir() {
			dirs = append(dirs, info)
		} else {
			files = append(files, info)
		}
	}
	return files, dirs, err
}

// walk calls visit for everything below a directory, a directory before what
// it holds; links are not followed.
func walk(r host.Reader, dir string, visit func(p string, info host.Info) error) error {
	entries, err := r.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, info := range entries {
		p := path.Join(dir, info.Name())
		if err := visit(p, info); err != nil {
			return err
		}
		if info.IsDir() {
			if err := walk(r, p, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// missingDirs lists the directories that are to be made for p to be one,
// outermost first.
func missingDirs(r host.Reader, p string) ([]string, error) {
	var missing []string
	for p = path.Clean(p); ; p = path.Dir(p) {
		info, err := r.Stat(p)
		if err == nil && !info.IsDir() {
			return nil, fmt.Errorf("%s exists and is no directory", p)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		missing = append(missing, p)
		if p == path.Dir(p) {
			break
		}
	}
	slices.Reverse(missing)
	return missing, nil
}

// newDir is the permissions of a directory that is made with the mode m.
func (m Mode) newDir(umask int) int {
	bits := 0o777 &^ umask
	if m.Given() && !m.Preserve() {
		bits = m.Apply(bits, true, umask)
	}
	return bits
}

func makeDir(w host.Writer, dir string, bits, uid, gid int) error {
	if err := w.Mkdir(dir, host.FileMode(bits)); err != nil {
		return err
	}
	if uid == host.Keep && gid == host.Keep {
		return nil
	}
	if err := w.Lchown(dir, uid, gid); err != nil {
		return err
	}
	if bits&0o6000 == 0 {
		return nil
	}
	return w.Chmod(dir, host.FileMode(bits)) // the chown took setuid and setgid
}
