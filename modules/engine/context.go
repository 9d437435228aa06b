package engine

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// BuildContext is the archive of a directory that an image is built from,
// without what its .dockerignore says. The Dockerfile always comes along.
func BuildContext(dir, dockerfile string) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(writeContext(w, dir, dockerfile)) }()
	return r
}

func writeContext(to io.Writer, dir, dockerfile string) error {
	ignore, err := ignored(dir)
	if err != nil {
		return err
	}
	out := tar.NewWriter(to)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err != nil || name == "." {
			return err
		}
		skip, err := ignore.MatchesOrParentMatches(name)
		if err != nil {
			return err
		}
		if skip && name != dockerfile && name != ".dockerignore" {
			if entry.IsDir() && !ignore.Exclusions() && !strings.HasPrefix(dockerfile, name+"/") {
				return filepath.SkipDir
			}
			return nil
		}
		return addToArchive(out, path, name, entry)
	})
	if err != nil {
		return err
	}
	return out.Close()
}

func ignored(dir string) (*patternmatcher.PatternMatcher, error) {
	text, err := os.ReadFile(filepath.Join(dir, ".dockerignore"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return patternmatcher.New(patterns)
}

func addToArchive(out *tar.Writer, path, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(path); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return nil // a socket
	}
	header.Name = filepath.ToSlash(name)
	header.Uid, header.Gid, header.Uname, header.Gname = 0, 0, "", ""
	if err := out.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(out, file)
	return err
}
