package vars

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"gplay/internal/pytime"
	"gplay/jinja"
)

// InTemplate is the scope that the template file at path is rendered in: it
// has variables that tell the template about itself, whatever others are named
// so, and finds the files beside it first. The name is the file's as the task
// has it, dest where the text goes, nil when it goes to no file.
func (s *Scope) InTemplate(name, path string, dest any) (*Scope, error) {
	about, err := s.about(name, path, dest)
	if err != nil {
		return nil, err
	}
	scope := s.With(about)
	scope.Dirs = append([]string{filepath.Dir(path)}, scope.Dirs...)
	return scope, nil
}

func (s *Scope) about(name, path string, dest any) (*jinja.Dict, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	uid := owner(info)
	managed, err := s.managed(jinja.NewDict("host", host, "uid", uid, "file", name), info.ModTime())
	if err != nil {
		return nil, err
	}
	return jinja.NewDict("template_host", host, "template_path", name, "template_mtime", pytime.Naive(info.ModTime()),
		"template_uid", uid, "template_run_date", pytime.Naive(time.Now()), "template_destpath", dest,
		"template_fullpath", path, "ansible_managed", managed), nil
}

// managed is the text that the setting ansible_managed makes of the template's
// file and the time of its last change.
func (s *Scope) managed(file *jinja.Dict, changed time.Time) (string, error) {
	text, ok := s.templar.Settings["DEFAULT_MANAGED_STR"].(string)
	if !ok {
		return "Ansible managed", nil
	}
	managed, err := jinja.Format(text, file)
	if err != nil {
		return "", fmt.Errorf("the setting ansible_managed: %w", err)
	}
	return pytime.Strftime(managed, changed), nil
}

// owner is the name of the user who owns a file, or the number of one who has
// none.
func owner(info os.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	uid := strconv.Itoa(int(stat.Uid))
	if u, err := user.LookupId(uid); err == nil {
		return u.Username
	}
	return uid
}
