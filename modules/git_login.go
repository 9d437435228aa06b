package modules

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"strings"

	"gplay/modules/host"
)

// gitLogin is the user and password of a repository's URL. git would put them
// on the command lines of the programs it starts, so it never gets such a URL:
// they travel in the environment.
type gitLogin struct {
	bare           string // the repository's URL without them
	server, secret string // the URL's beginning up to the host, without and with them
	user, password string
}

// splitLogin takes the login out of a repository's URL; nil when there is none.
func splitLogin(repo string) (*gitLogin, error) {
	scheme, rest, ok := strings.Cut(repo, "://")
	authority, dir, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@')
	if !ok || at < 0 {
		return nil, nil
	}
	user, password, ok := strings.Cut(authority[:at], ":")
	if !ok {
		return nil, nil
	}
	if scheme != "http" && scheme != "https" {
		return nil, fmt.Errorf("repo: git takes a password from URLs of http and https only, not of %s", scheme)
	}
	l := &gitLogin{server: scheme + "://" + authority[at+1:] + "/", secret: scheme + "://" + authority + "/"}
	l.bare = l.server + dir
	var err error
	if l.user, err = url.PathUnescape(user); err == nil {
		l.password, err = url.PathUnescape(password)
	}
	if err != nil || strings.ContainsAny(l.user+l.password, "\r\n\x00") {
		return nil, fmt.Errorf("repo: the user and password in the URL are not well-formed; characters such as %% and @ are written as %%25 and %%40")
	}
	return l, nil
}

// env makes git (2.31 or later) read the stored URL as the one without login,
// and ask nobody but these variables for it.
func (l *gitLogin) env() []string {
	if l == nil {
		return nil
	}
	helper := "credential." + l.server + ".helper"
	get := `!f() { test "$1" != get || printf 'username=%s\npassword=%s\n' "$GPLAY_GIT_USER" "$GPLAY_GIT_PASSWORD"; }; f`
	env := []string{"GPLAY_GIT_USER=" + l.user, "GPLAY_GIT_PASSWORD=" + l.password, "GIT_CONFIG_COUNT=3"}
	for i, setting := range [][2]string{{"url." + l.server + ".insteadOf", l.secret}, {helper, ""}, {helper, get}} {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, setting[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, setting[1]))
	}
	return env
}

// url is the repository's as git may get it.
func (g *gitRepo) url() string {
	if g.login == nil {
		return g.Repo
	}
	return g.login.bare
}

// storeLogin writes the remote's URL with its login into the repository's
// configuration, where git and Ansible would have it; it stands there without.
func (g *gitRepo) storeLogin(w host.Writer) error {
	if g.login == nil {
		return nil
	}
	return g.rewriteURL(w, g.login.bare, g.Repo)
}

func (g *gitRepo) hideLogin(w host.Writer) error {
	if g.login == nil {
		return nil
	}
	return g.rewriteURL(w, g.Repo, g.login.bare)
}

// rewriteURL replaces the remote's URL.
func (g *gitRepo) rewriteURL(w host.Writer, old, url string) error {
	file := path.Join(g.dir(), "config")
	data, err := g.c.ReadFile(file)
	if err != nil {
		return err
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	section := ""
	for i, line := range lines {
		text := string(bytes.TrimSpace(line))
		if strings.HasPrefix(text, "[") {
			section = text
		}
		if section == `[remote "`+g.Remote+`"]` && text == "url = "+old {
			lines[i] = []byte("\turl = " + url + "\n")
		}
	}
	return w.WriteFile(file, bytes.NewReader(bytes.Join(lines, nil)), host.KeepAll)
}
