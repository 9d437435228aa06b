package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gplay/internal/pyregex"
	"gplay/modules/host"
)

// FindFiles lists files by name, age, size and content.
var FindFiles = define("find", "list files by name, age, size and content", findArgs{
	FileType: "file", AgeStamp: "mtime", ExactMode: true,
}, findFiles).
	gives("files path mode isdir ischr isblk isreg isfifo islnk issock uid gid size inode dev nlink atime mtime ctime gr_name pw_name wusr rusr xusr wgrp rgrp xgrp woth roth xoth isuid isgid checksum changed msg matched examined skipped_paths")

type findArgs struct {
	Paths         []string `arg:"paths" alias:"name,path" type:"path" required:"true" doc:"The directories to look in."`
	Patterns      []string `arg:"patterns" alias:"pattern" doc:"Shell patterns for names, or regular expressions with use_regex."`
	Excludes      []string `arg:"excludes" alias:"exclude" doc:"Patterns for names to leave out."`
	Contains      *string  `arg:"contains" doc:"A regular expression that a line must begin with."`
	ReadWholeFile bool     `arg:"read_whole_file" doc:"Look for contains anywhere in the file as a whole."`
	FileType      string   `arg:"file_type" choices:"any,directory,file,link" doc:"What to list."`
	Age           string   `arg:"age" doc:"Only what is at least so old, such as 3d; negative: at most."`
	AgeStamp      string   `arg:"age_stamp" choices:"atime,ctime,mtime" doc:"Which time the age is of."`
	Size          string   `arg:"size" doc:"Only files that are at least so large, such as 10m; negative: at most."`
	Recurse       bool     `arg:"recurse" doc:"Look in directories below too."`
	Depth         *int     `arg:"depth" doc:"How many levels down to look."`
	Hidden        bool     `arg:"hidden" doc:"List names that begin with a dot too."`
	Follow        bool     `arg:"follow" doc:"Follow links to directories."`
	GetChecksum   bool     `arg:"get_checksum" doc:"Give each file's SHA-1."`
	UseRegex      bool     `arg:"use_regex" doc:"Patterns are regular expressions."`
	Mode          Mode     `arg:"mode" doc:"Only what has these permissions."`
	ExactMode     bool     `arg:"exact_mode" doc:"No more permissions than mode."`
	Limit         *int     `arg:"limit" doc:"Stop after so many."`
}

// search is one run of the module.
type search struct {
	findArgs
	c                  *Call
	now                time.Time
	age                *int // seconds
	size               *int
	patterns, excludes []func(name string) bool
	contains           *pyregex.Regexp
	fault              error // of an expression that takes too long

	found    []Result
	examined int
	skipped  map[string]any
}

// errEnough ends a search that has found its limit.
var errEnough = errors.New("enough")

func findFiles(_ context.Context, c *Call, a findArgs) (Result, error) {
	s := &search{findArgs: a, c: c, now: time.Now(), found: []Result{}, skipped: map[string]any{}}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	msg := "All paths examined"
	for _, p := range a.Paths {
		info, err := c.Stat(p)
		if err == nil && !info.IsDir() || errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("'%s' is not a directory", p)
		}
		if err == nil {
			err = s.directory(path.Clean(p), 1, []host.Info{info})
		}
		if errors.Is(err, errEnough) {
			msg = "Limit of matches reached"
			break
		}
		if err != nil {
			s.skip(p, "Skipped '%s' path due to this access issue: %s\n", err)
		}
	}
	if s.fault != nil {
		return nil, s.fault
	}
	if len(s.skipped) > 0 {
		msg = "Not all paths examined, check warnings for details"
	}
	files := make([]any, len(s.found))
	for i, f := range s.found {
		files[i] = f
	}
	return Result{
		"files": files, "matched": len(files), "examined": s.examined,
		"msg": msg, "skipped_paths": s.skipped,
	}, nil
}

func (s *search) skip(p, format string, err error) {
	s.skipped[p] = err.Error()
	s.c.Warn(fmt.Sprintf(format, p, err))
}

func (s *search) prepare() (err error) {
	if s.age, err = quantity(s.Age, ageUnits); err != nil {
		return Fail("failed to process age", Result{"age": s.Age})
	}
	if s.size, err = quantity(s.Size, sizeUnits); err != nil {
		return Fail("failed to process size", Result{"size": s.Size})
	}
	if s.patterns, err = s.matchers(s.Patterns); err != nil {
		return err
	}
	if s.excludes, err = s.matchers(s.Excludes); err != nil {
		return err
	}
	if s.Contains != nil {
		s.contains, err = pyregex.Compile(*s.Contains, 0)
	}
	return err
}

func (s *search) matchers(patterns []string) ([]func(string) bool, error) {
	var all []func(string) bool
	for _, p := range patterns {
		if !s.UseRegex {
			all = append(all, func(name string) bool { return fnmatch(p, name) })
			continue
		}
		re, err := pyregex.Compile(p, 0)
		if err != nil {
			return nil, err
		}
		all = append(all, func(name string) bool { return s.fits(re.Match, name) })
	}
	return all, nil
}

// fits matches text unless a match took too long before.
func (s *search) fits(match func(string) (*pyregex.Match, error), text string) (ok bool) {
	if s.fault == nil {
		ok, s.fault = pyregex.Found(match(text))
	}
	return ok
}

var (
	ageUnits   = map[string]int{"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
	sizeUnits  = map[string]int{"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
	quantityRE = regexp.MustCompile(`^(-?\d+)([a-z]?)$`)
)

// quantity reads a number with a unit; nil for "".
func quantity(text string, units map[string]int) (*int, error) {
	if text == "" {
		return nil, nil
	}
	m := quantityRE.FindStringSubmatch(strings.ToLower(text))
	if m == nil || units[m[2]] == 0 {
		return nil, fmt.Errorf("%q is no number with a unit", text)
	}
	n, err := strconv.Atoi(m[1])
	n *= units[m[2]]
	return &n, err
}

// directory looks at a directory: at its files, at its directories, and then at
// what is in these; above are the directories it is in, which
// a link may lead back to.
func (s *search) directory(dir string, depth int, above []host.Info) error {
	files, dirs, err := children(s.c, dir)
	if err != nil {
		return err
	}
	s.examined += len(files) + len(dirs)
	if s.Depth != nil && *s.Depth > 0 && depth > *s.Depth { // they are counted, and no more
		return nil
	}
	for _, info := range slices.Concat(files, dirs) {
		if err := s.entry(path.Join(dir, info.Name()), info); err != nil {
			return err
		}
	}
	if !s.Recurse {
		return nil
	}
	for _, info := range dirs {
		p := path.Join(dir, info.Name())
		if info.Mode()&fs.ModeSymlink != 0 && s.Follow {
			if target, err := s.c.Stat(p); err == nil {
				info = target
			}
		}
		if !info.IsDir() || slices.ContainsFunc(above, func(a host.Info) bool { return a.Dev == info.Dev && a.Inode == info.Inode }) {
			continue
		}
		err := s.directory(p, depth+1, append(slices.Clip(above), info))
		if errors.Is(err, errEnough) {
			return err
		}
		if err != nil {
			s.skip(p, "Skipped '%s' path due to this access issue: %s\n", err)
		}
	}
	return nil
}

func (s *search) entry(p string, info host.Info) error {
	name := path.Base(p)
	if strings.HasPrefix(name, ".") && !s.Hidden || !s.wanted(p, name, info) {
		return nil
	}
	r := statInfo(p, info)
	for _, key := range []string{"exists", "blocks", "block_size", "device_type"} {
		delete(r, key)
	}
	r["pw_name"], r["gr_name"] = s.c.UserName(info.UID), s.c.GroupName(info.GID)
	if s.GetChecksum && info.Mode().IsRegular() {
		sum, err := fileHash(s.c, p, "sha1")
		if err != nil {
			s.skip(p, "Skipped entry '%s' due to this access issue: %s\n", err)
			return nil
		}
		r["checksum"] = sum
	}
	s.found = append(s.found, r)
	if s.Limit != nil && *s.Limit > 0 && len(s.found) >= *s.Limit {
		return errEnough
	}
	return nil
}

func (s *search) wanted(p, name string, info host.Info) bool {
	regular := info.Mode().IsRegular()
	kind := map[string]bool{
		"any": true, "directory": info.IsDir(), "file": regular, "link": info.Mode()&fs.ModeSymlink != 0,
	}
	return kind[s.FileType] && s.named(name) && s.aged(info) && s.permitted(info) &&
		(!regular || s.sized(info)) && (s.FileType != "file" || s.holds(p))
}

func (s *search) named(name string) bool {
	matches := func(m func(string) bool) bool { return m(name) }
	return (s.patterns == nil || slices.ContainsFunc(s.patterns, matches)) && !slices.ContainsFunc(s.excludes, matches)
}

func (s *search) aged(info host.Info) bool {
	if s.age == nil {
		return true
	}
	stamp := map[string]time.Time{"atime": info.Atime, "ctime": info.Ctime, "mtime": info.ModTime()}[s.AgeStamp]
	return within(s.now.Sub(stamp).Seconds(), *s.age)
}

func (s *search) sized(info host.Info) bool {
	return s.size == nil || within(float64(info.Size()), *s.size)
}

// within compares with a limit: at least, or at most when it is negative.
func within(value float64, limit int) bool {
	if limit < 0 {
		return value <= float64(-limit)
	}
	return value >= float64(limit)
}

func (s *search) permitted(info host.Info) bool {
	if !s.Mode.Given() {
		return true
	}
	want := s.Mode.Apply(0, false, 0)
	if s.ExactMode {
		return info.Perm() == want
	}
	return info.Perm()&want == want
}

// holds reports whether the file has what contains asks for. A file that
// cannot be read has not.
func (s *search) holds(p string) bool {
	if s.contains == nil {
		return true
	}
	data, err := s.c.ReadFile(p)
	if err != nil {
		return false
	}
	if s.ReadWholeFile {
		return s.fits(s.contains.Search, string(data))
	}
	for line := range strings.Lines(string(data)) {
		if s.fits(s.contains.Match, line) {
			return true
		}
	}
	return false
}
