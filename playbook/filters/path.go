package filters

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"gplay/jinja"
)

var pathFilters = map[string]jinja.Filter{
	"basename":       ofPath(func(s string) any { return s[strings.LastIndexByte(s, '/')+1:] }),
	"commonpath":     simple(commonPath),
	"dirname":        ofPath(func(s string) any { return dirname(s) }),
	"expanduser":     ofPath(func(s string) any { return expandUser(s) }),
	"expandvars":     ofPath(func(s string) any { return expandVars(s) }),
	"fileglob":       simple(fileGlob),
	"normpath":       ofPath(func(s string) any { return normPath(s) }),
	"path_join":      simple(pathJoin),
	"realpath":       ofPath(func(s string) any { return RealPath(s) }),
	"relpath":        relativePath,
	"splitext":       ofPath(func(s string) any { return splitExt(s) }),
	"win_basename":   ofPath(func(s string) any { _, base := splitWindows(s); return base }),
	"win_dirname":    ofPath(func(s string) any { dir, _ := splitWindows(s); return dir }),
	"win_splitdrive": ofPath(func(s string) any { drive, rest := splitDrive(s); return jinja.Tuple{drive, rest} }),
}

// ofPath is a filter of a path without arguments.
func ofPath(f func(s string) any) jinja.Filter {
	return simple(func(v any) (any, error) {
		s, err := pathText(v)
		if err != nil {
			return nil, err
		}
		return f(s), nil
	})
}

func pathText(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", jinja.TypeErrorf("expected str, bytes or os.PathLike object, not %s", jinja.TypeName(v))
	}
	return s, nil
}

func dirname(s string) string {
	head := s[:strings.LastIndexByte(s, '/')+1]
	if strings.Trim(head, "/") != "" {
		head = strings.TrimRight(head, "/")
	}
	return head
}

// splitExt splits off the last extension; leading dots begin none.
func splitExt(s string) jinja.Tuple {
	base := strings.LastIndexByte(s, '/') + 1
	for base < len(s) && s[base] == '.' {
		base++
	}
	if i := strings.LastIndexByte(s[base:], '.'); i >= 0 {
		return jinja.Tuple{s[:base+i], s[base+i:]}
	}
	return jinja.Tuple{s, ""}
}

func expandUser(s string) string {
	if !strings.HasPrefix(s, "~") {
		return s
	}
	name, rest, slash := strings.Cut(s[1:], "/")
	home := ""
	if name == "" {
		home = os.Getenv("HOME")
		if u, err := user.Current(); home == "" && err == nil {
			home = u.HomeDir
		}
	} else if u, err := user.Lookup(name); err == nil {
		home = u.HomeDir
	}
	if home == "" {
		return s
	}
	home = strings.TrimRight(home, "/")
	if slash {
		home += "/" + rest
	}
	if home == "" {
		return "/"
	}
	return home
}

var shellVariable = regexp.MustCompile(`\$(\w+|\{[^}]*\})`)

// expandVars fills in $name and ${name}; what is not set stays as it is.
func expandVars(s string) string {
	return shellVariable.ReplaceAllStringFunc(s, func(ref string) string {
		if v, ok := os.LookupEnv(strings.Trim(ref[1:], "{}")); ok {
			return v
		}
		return ref
	})
}

func fileGlob(v any) (any, error) {
	s, err := pathText(v)
	if err != nil {
		return nil, err
	}
	return textList(GlobFiles(s)), nil
}

// GlobFiles gives the regular files that match a shell pattern.
func GlobFiles(pattern string) []string {
	var files []string
	for _, m := range glob(pattern) {
		if info, err := os.Stat(m); err == nil && info.Mode().IsRegular() {
			files = append(files, m)
		}
	}
	return files
}

const magic = "*?["

// glob gives the paths that match a shell pattern, as Python's glob does: names
// with a leading dot only where the pattern has one, and in the order in which
// the directories have them.
func glob(pattern string) []string {
	if !strings.ContainsAny(pattern, magic) {
		if _, err := os.Lstat(pattern); err != nil {
			return nil
		}
		return []string{pattern}
	}
	dir, base := filepath.Split(pattern)
	dirs := []string{dir}
	if strings.ContainsAny(dir, magic) {
		dirs = glob(strings.TrimRight(dir, "/"))
	}
	var found []string
	for _, dir := range dirs {
		if dir != "" && !strings.HasSuffix(dir, "/") {
			dir += "/"
		}
		if !strings.ContainsAny(base, magic) {
			found = append(found, glob(dir+base)...)
			continue
		}
		for _, e := range Directory(cmp.Or(dir, ".")) {
			if hidden(e.Name()) == hidden(base) && fnmatch(base, e.Name()) {
				found = append(found, dir+e.Name()) // as the pattern is written
			}
		}
	}
	return found
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

func fnmatch(pattern, name string) bool {
	ok, err := filepath.Match(strings.NewReplacer(`\`, `\\`, "[!", "[^").Replace(pattern), name)
	return ok && err == nil
}

// Directory is what stands in a directory, in the order in which it has that:
// Ansible does not sort either. What cannot be read has nothing.
func Directory(path string) []os.DirEntry {
	dir, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer dir.Close()
	entries, _ := dir.ReadDir(-1)
	return entries
}

// pathJoin joins as os.path.join does: an absolute part begins anew.
func pathJoin(v any) (any, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	parts, ok := sequence(v)
	if !ok {
		return nil, fmt.Errorf("|path_join expects string or sequence, got %s instead.", typeOf(v))
	}
	if len(parts) == 0 {
		return nil, errors.New("path_join wants at least one part")
	}
	joined := ""
	for i, part := range parts {
		s, ok := part.(string)
		switch {
		case undefined(part) != nil:
			return nil, undefined(part)
		case !ok:
			return nil, fmt.Errorf("path_join wants strings, not %s", jinja.Repr(part))
		case i == 0 || strings.HasPrefix(s, "/"):
			joined = s
		case joined == "" || strings.HasSuffix(joined, "/"):
			joined += s
		default:
			joined += "/" + s
		}
	}
	return joined, nil
}

// normPath is path.Clean, but for two slashes at the beginning, which stay.
func normPath(s string) string {
	clean := path.Clean(s)
	if strings.HasPrefix(s, "//") && !strings.HasPrefix(s, "///") {
		return "/" + clean
	}
	return clean
}

// commonPath is the longest path that all paths of a list begin with.
func commonPath(v any) (any, error) {
	items, ok := sequence(v)
	switch {
	case !ok:
		return nil, fmt.Errorf("|commonpath expects sequence, got %s instead.", typeOf(v))
	case len(items) == 0:
		return nil, errors.New("commonpath() arg is an empty sequence")
	}
	var common []string
	absolute := false
	for i, item := range items {
		s, err := pathText(item)
		if err != nil {
			return nil, err
		}
		parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' })
		parts = slices.DeleteFunc(parts, func(part string) bool { return part == "." })
		if i == 0 {
			common, absolute = parts, path.IsAbs(s)
		}
		if path.IsAbs(s) != absolute {
			return nil, errors.New("Can't mix absolute and relative paths")
		}
		n := 0
		for n < min(len(common), len(parts)) && common[n] == parts[n] {
			n++
		}
		common = common[:n]
	}
	joined := strings.Join(common, "/")
	if absolute {
		joined = "/" + joined
	}
	return joined, nil
}

// RealPath resolves the symbolic links of a path, as far as it exists.
func RealPath(s string) string {
	s, err := filepath.Abs(s)
	if err != nil {
		return s
	}
	rest := ""
	for at := s; ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return path.Join(real, rest)
		}
		if at == "/" {
			return s
		}
		rest = path.Join(filepath.Base(at), rest)
	}
}

func relativePath(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "start=")
	s, err := pathText(v)
	start := p.text(0, ".")
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	if s == "" {
		return nil, errors.New("no path specified")
	}
	from, err := filepath.Abs(start)
	to, err2 := filepath.Abs(s)
	if err = errors.Join(err, err2); err != nil {
		return nil, err
	}
	return filepath.Rel(from, to)
}

// splitDrive splits a Windows path after its drive or its share.
func splitDrive(s string) (drive, rest string) {
	norm := strings.ReplaceAll(s, "/", `\`)
	if strings.HasPrefix(norm, `\\`) && !strings.HasPrefix(norm, `\\\`) {
		host := strings.IndexByte(norm[2:], '\\')
		if host < 0 {
			return s, ""
		}
		share := strings.IndexByte(norm[2+host+1:], '\\')
		switch {
		case share == 0:
			return "", s
		case share < 0:
			return s, ""
		}
		return s[:2+host+1+share], s[2+host+1+share:]
	}
	if len(s) > 1 && s[1] == ':' {
		return s[:2], s[2:]
	}
	return "", s
}

func splitWindows(s string) (dir, base string) {
	drive, rest := splitDrive(s)
	i := strings.LastIndexAny(rest, `\/`) + 1
	dir, base = rest[:i], rest[i:]
	if trimmed := strings.TrimRight(dir, `\/`); trimmed != "" {
		dir = trimmed
	}
	return drive + dir, base
}

var fileTests = map[string]jinja.Test{
	"abs": pathTest(path.IsAbs), "is_abs": pathTest(path.IsAbs),
	"directory": pathTest(isDir), "is_dir": pathTest(isDir),
	"file": pathTest(isFile), "is_file": pathTest(isFile),
	"exists":      pathTest(exists),
	"link":        pathTest(isLink),
	"is_link":     pathTest(isLink),
	"link_exists": pathTest(func(s string) bool { _, err := os.Lstat(s); return err == nil }),
	"mount":       pathTest(isMount), "is_mount": pathTest(isMount),
	"same_file": sameFile, "is_same_file": sameFile,
}

func pathTest(is func(path string) bool) jinja.Test {
	return func(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
		p := bind(args)
		s, ok := v.(string)
		if err := errors.Join(p.err, undefined(v)); err != nil {
			return false, err
		}
		if !ok {
			return false, fmt.Errorf("a path must be a string, not %s", jinja.Repr(v))
		}
		return is(s), nil
	}
}

func exists(s string) bool {
	_, err := os.Stat(s)
	return err == nil
}

func isDir(s string) bool {
	info, err := os.Stat(s)
	return err == nil && info.IsDir()
}

func isFile(s string) bool {
	info, err := os.Stat(s)
	return err == nil && info.Mode().IsRegular()
}

func isLink(s string) bool {
	info, err := os.Lstat(s)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// isMount reports whether another file system begins at s.
func isMount(s string) bool {
	var here, above syscall.Stat_t
	if isLink(s) || syscall.Lstat(s, &here) != nil || syscall.Lstat(RealPath(s+"/.."), &above) != nil {
		return false
	}
	return here.Dev != above.Dev || here.Ino == above.Ino
}

func sameFile(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
	p := bind(args, "other")
	a, err := text(v)
	b := p.text(0, "")
	if err = errors.Join(err, p.err); err != nil {
		return false, err
	}
	one, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other), err
}
