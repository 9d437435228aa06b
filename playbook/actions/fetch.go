package actions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gplay/jinja"
)

var fetch = &Action{Name: "fetch", Module: true, Run: runFetch}

// runFetch tells the module what the controller's file is like and takes the
// host's when it differs.
func runFetch(ctx context.Context, c *Call) (*jinja.Dict, error) {
	for _, arg := range []string{"src", "dest"} {
		v, _ := c.Args.Get(arg)
		if _, isText := v.(string); v != nil && !isText {
			return nil, fmt.Errorf("Invalid type supplied for %s option, it must be a string", strings.Replace(arg, "src", "source", 1))
		}
	}
	src, dest := c.text("src"), c.text("dest")
	if src == "" || dest == "" {
		return nil, fmt.Errorf("src and dest are required")
	}
	path, err := c.fetchTo(src, dest)
	if err != nil {
		return nil, err
	}
	sum, err := checksum(local(path))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	args := with(c.Args, []string{"flat"}, "dest", path, "_checksum", sum)
	return c.Module(ctx, "fetch", args, map[string]File{"dest": {Create: func() (io.WriteCloser, error) { return replace(path) }}})
}

// fetchTo is the controller's path: dest/HOST/src, or dest itself where flat.
func (c *Call) fetchTo(src, dest string) (string, error) {
	flat, err := c.bool("flat", false)
	if err != nil {
		return "", err
	}
	asDir := strings.HasSuffix(dest, "/")
	dest = expandHome(dest)
	if !filepath.IsAbs(dest) {
		dest = filepath.Join(c.Dirs[len(c.Dirs)-1], dest)
	}
	switch {
	case !flat && (!filepath.IsLocal(c.Host) || c.Host != filepath.Base(c.Host)):
		return "", fmt.Errorf("the host's name %q is no name for a directory; fetch with flat", c.Host)
	case asDir && filepath.Base(src) == "..", asDir && filepath.Base(src) == "/":
		return "", fmt.Errorf("src %q names no file", src)
	case !flat:
		// A host must not choose where on the controller its file goes.
		return filepath.Join(dest, c.Host, filepath.Clean("/"+src)), nil
	case asDir:
		return filepath.Join(dest, filepath.Base(src)), nil
	}
	if info, err := os.Stat(dest); err == nil && info.IsDir() {
		return "", fmt.Errorf("dest is an existing directory, use a trailing slash if you want to fetch src into that directory")
	}
	return dest, nil
}

// replace writes beside path and takes its place when closed.
func replace(path string) (io.WriteCloser, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".")
	return &replacement{f, path}, err
}

type replacement struct {
	*os.File
	path string
}

// Abort leaves what was there before.
func (r *replacement) Abort() error {
	return errors.Join(r.File.Close(), os.Remove(r.Name()))
}

// Close puts the file in place; what could not be written whole is removed.
func (r *replacement) Close() error {
	err := r.Chmod(0o644)
	if e := r.Sync(); err == nil {
		err = e
	}
	if e := r.File.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(r.Name(), r.path)
	}
	if err != nil {
		os.Remove(r.Name())
	}
	return err
}
