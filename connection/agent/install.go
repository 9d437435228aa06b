package agent

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Name is what the executable of a hash is called where hosts keep it.
func Name(sum string) string { return prefix + sum }

const (
	prefix = "agent-"
	// keep is how many executables stay on a host: other controllers may
	// have other versions.
	keep = 3
)

// Sum is the hash of a file, short enough for a name.
func Sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

// install checks that this executable arrived whole, gives it its final name,
// and removes the oldest others.
func install(sum, path string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	got, err := Sum(exe)
	if err != nil {
		return err
	}
	if got != sum {
		return errors.New("the upload is damaged")
	}
	if err := syncFile(exe); err != nil {
		return err
	}
	if err := os.Rename(exe, path); err != nil {
		return err
	}
	return prune(filepath.Dir(path), filepath.Base(path))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func prune(dir, current string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var others []os.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && strings.HasPrefix(e.Name(), prefix) && e.Name() != current {
			others = append(others, info)
		}
	}
	if len(others) < keep {
		return nil
	}
	slices.SortFunc(others, func(a, b os.FileInfo) int {
		return cmp.Compare(b.ModTime().UnixNano(), a.ModTime().UnixNano())
	})
	for _, old := range others[keep-1:] {
		if err := os.Remove(filepath.Join(dir, old.Name())); err != nil {
			return fmt.Errorf("an old version stays: %w", err)
		}
	}
	return nil
}
