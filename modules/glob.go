package modules

import (
	"path"
	"strings"

	"gplay/modules/host"
)

// glob gives the paths that match a shell pattern, as Python's glob does:
// names with a leading dot only where the pattern has one.
func glob(r host.Reader, pattern string) []string {
	if !strings.ContainsAny(pattern, "*?[") {
		if _, err := r.Lstat(pattern); err != nil {
			return nil
		}
		return []string{pattern}
	}
	dir, base := path.Split(pattern)
	dirs := []string{dir}
	if trimmed := strings.TrimRight(dir, "/"); strings.ContainsAny(dir, "*?[") {
		dirs = glob(r, trimmed)
	}
	var found []string
	for _, d := range dirs {
		found = append(found, globIn(r, d, base)...)
	}
	return found
}

func globIn(r host.Reader, dir, base string) []string {
	list := dir
	if list == "" {
		list = "."
	}
	entries, err := r.ReadDir(list)
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(base, ".") {
			continue
		}
		if fnmatch(base, e.Name()) {
			found = append(found, path.Join(dir, e.Name()))
		}
	}
	return found
}

// fnmatch matches a name with a shell pattern, as Python's fnmatch does.
func fnmatch(pattern, name string) bool {
	ok, err := path.Match(strings.ReplaceAll(strings.ReplaceAll(pattern, `\`, `\\`), "[!", "[^"), strings.ReplaceAll(name, "/", "\x00"))
	return ok && err == nil
}
