package modules

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"gplay/modules/host"
)

// gitRefs is what the remote repository says of the version.
type gitRefs struct {
	commit string
	branch string // when the version is one
	tag    bool
}

var gitSHA = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// is compares with a commit; the version may be the beginning of one.
func (r gitRefs) is(commit string) bool { return r.commit != "" && strings.HasPrefix(commit, r.commit) }

// lookUp asks the repository for the version.
func (g *gitRepo) lookUp() error {
	text, err := g.ask("", "ls-remote", "--symref", "--", g.url())
	if err != nil {
		return err
	}
	refs := map[string]string{}
	head := ""
	for line := range strings.Lines(text) {
		value, name, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if target, symbolic := strings.CutPrefix(value, "ref: "); ok && symbolic && name == "HEAD" {
			head = strings.TrimPrefix(target, "refs/heads/")
		} else if ok {
			refs[name] = value
		}
	}
	return g.choose(refs, head)
}

func (g *gitRepo) choose(refs map[string]string, head string) error {
	version := g.Version
	if version == "HEAD" {
		g.refs = gitRefs{commit: refs["HEAD"], branch: head}
		if g.refs.commit == "" {
			return fmt.Errorf("the repository %s has no commit yet", hidePassword(g.Repo))
		}
		return nil
	}
	branch := strings.TrimPrefix(strings.TrimPrefix(version, "refs/heads/"), g.Remote+"/")
	tag := "refs/tags/" + strings.TrimPrefix(version, "refs/tags/")
	switch {
	case refs["refs/heads/"+version] != "":
		g.refs = gitRefs{commit: refs["refs/heads/"+version], branch: version}
	case refs[tag+"^{}"] != "":
		g.refs = gitRefs{commit: refs[tag+"^{}"], tag: true}
	case refs[tag] != "":
		g.refs = gitRefs{commit: refs[tag], tag: true}
	case refs["refs/heads/"+branch] != "":
		g.refs = gitRefs{commit: refs["refs/heads/"+branch], branch: branch}
	case refs[version] != "":
		g.refs = gitRefs{commit: refs[version]}
	case gitSHA.MatchString(version):
		g.refs = gitRefs{commit: version}
	default:
		return fmt.Errorf("%s has no branch, tag or commit %q", hidePassword(g.Repo), version)
	}
	return nil
}

// head is the commit that is checked out.
func (g *gitRepo) head() (string, error) { return g.ask(g.Dest, "rev-parse", "HEAD") }

// modified reports changes of files that git knows.
func (g *gitRepo) modified() (bool, error) {
	if g.Bare {
		return false, nil
	}
	text, err := g.ask(g.Dest, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules")
	return text != "", err
}

// program is git with its environment: it must not ask for anything, and what
// only looks must not write the index anew.
func (g *gitRepo) program(dir string, args []string) host.Cmd {
	program := g.Executable
	if program == "" {
		program = "git"
	}
	cmd := append([]string{program}, args...)
	if g.mask != "" {
		cmd = append([]string{"/bin/sh", "-c", `umask "$0"; exec "$@"`, g.mask}, cmd...)
	}
	env := []string{"GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_SSH_COMMAND=" + g.ssh()}
	return host.Cmd{Args: cmd, Dir: dir, Env: slices.Concat(env, g.login.env(), english)}
}

func (g *gitRepo) ssh() string {
	cmd := []string{"ssh", "-o", "BatchMode=yes"}
	if g.KeyFile != "" {
		cmd = append(cmd, "-i", quoteWord(g.KeyFile), "-o", "IdentitiesOnly=yes")
	}
	switch {
	case g.AcceptHostkey:
		cmd = append(cmd, "-o", "StrictHostKeyChecking=no")
	case g.AcceptNewHostkey:
		cmd = append(cmd, "-o", "StrictHostKeyChecking=accept-new")
	}
	if g.SSHOpts != "" {
		cmd = append(cmd, g.SSHOpts)
	}
	return strings.Join(cmd, " ")
}

// ask runs git for what it says.
func (g *gitRepo) ask(dir string, args ...string) (string, error) {
	out, err := g.c.Ask(g.ctx, g.program(dir, args))
	if err == nil && out.Code != 0 {
		err = g.failure(out)
	}
	return strings.TrimSpace(string(out.Stdout)), err
}

// output is ask where saying nothing, with an exit code, is an answer.
func (g *gitRepo) output(args ...string) (string, error) {
	out, err := g.c.Ask(g.ctx, g.program(g.Dest, args))
	return strings.TrimSpace(string(out.Stdout)), err
}

func (g *gitRepo) run(w host.Writer, dir string, args ...string) error {
	out, err := w.Run(g.ctx, g.program(dir, args))
	if err == nil && out.Code != 0 {
		err = g.failure(out)
	}
	return err
}

func (g *gitRepo) failure(out host.Output) error {
	r := outputs(out)
	r["rc"] = out.Code
	for name, text := range r {
		if text, ok := text.(string); ok {
			r[name] = hidePassword(text)
		}
	}
	return Fail(hidePassword(firstText(out.Stderr, out.Stdout)), r)
}

var urlPassword = regexp.MustCompile(`(://[^/:@\s]*):[^/@\s]+@`)

// hidePassword hides the one in a repository's URL, which git repeats.
func hidePassword(text string) string { return urlPassword.ReplaceAllString(text, "$1:********@") }

// submodules brings them to the commits that the files name.
func (g *gitRepo) submodules() error {
	if !fileExists(g.c, path.Join(g.Dest, ".gitmodules")) {
		return nil
	}
	before, err := g.output("submodule", "status", "--recursive")
	if err != nil {
		return err
	}
	return g.c.Attempt(func(w host.Writer) (*Diff, error) {
		update := []string{"submodule", "update", "--init", "--recursive"}
		if g.TrackSubmodules {
			update = append(update, "--remote")
		}
		if g.Force {
			update = append(update, "--force")
		}
		// Relative URLs of submodules start with the remote's as it is stored.
		if err := g.hideLogin(w); err != nil {
			return nil, err
		}
		err := errors.Join(g.run(w, g.Dest, "submodule", "sync", "--recursive"), g.run(w, g.Dest, update...))
		if err := errors.Join(err, g.storeLogin(w)); err != nil {
			return nil, err
		}
		after, err := g.output("submodule", "status", "--recursive")
		if err != nil || after == before {
			return nil, err
		}
		return &Diff{path.Join(g.Dest, ".gitmodules"), before + "\n", after + "\n"}, nil
	})
}

var gitValid = regexp.MustCompile(`(?m)^\[GNUPG:\] VALIDSIG ([0-9A-F]+)(?: \S+){8} ([0-9A-F]+)`)

// verify checks the signature of the tag, or of the commit.
func (g *gitRepo) verify() error {
	if !g.VerifyCommit {
		return nil
	}
	cmd := []string{"verify-commit", "--raw", "HEAD"}
	if g.refs.tag {
		if kind, err := g.output("cat-file", "-t", "refs/tags/"+g.name()); err == nil && kind == "tag" {
			cmd = []string{"verify-tag", "--raw", g.name()}
		}
	}
	out, err := g.c.Ask(g.ctx, g.program(g.Dest, cmd))
	if err != nil {
		return err
	}
	if out.Code != 0 {
		return Fail(fmt.Sprintf("Failed to verify GPG signature of commit/tag %q", g.Version), outputs(out))
	}
	if len(g.GPGWhitelist) == 0 {
		return nil
	}
	m := gitValid.FindSubmatch(out.Stderr)
	if m == nil || !slices.Contains(g.GPGWhitelist, string(m[1])) && !slices.Contains(g.GPGWhitelist, string(m[2])) {
		return errors.New("The gpg_whitelist does not include the public key that signed the commit or tag.")
	}
	return nil
}

// archiveFormat is git's name for it.
func archiveFormat(file string) string {
	for suffix, format := range map[string]string{".zip": "zip", ".tar": "tar", ".tar.gz": "tar.gz", ".tgz": "tgz"} {
		if strings.HasSuffix(file, suffix) {
			return format
		}
	}
	return ""
}

// archive writes it, and keeps the old one when nothing in it differs.
func (g *gitRepo) archive() error {
	return g.c.Attempt(func(w host.Writer) (*Diff, error) {
		fresh := path.Join(path.Dir(g.Archive), ".gplay-"+path.Base(g.Archive))
		cmd := []string{"archive", "--format=" + archiveFormat(g.Archive), "--output=" + fresh}
		if g.ArchivePrefix != "" {
			cmd = append(cmd, "--prefix="+strings.TrimSuffix(g.ArchivePrefix, "/")+"/")
		}
		if err := g.run(w, g.Dest, append(cmd, "HEAD")...); err != nil {
			return nil, err
		}
		sum, err := fileHash(g.c, fresh, "sha256")
		if err != nil {
			return nil, err
		}
		if old, err := fileHash(g.c, g.Archive, "sha256"); err == nil && old == sum {
			return nil, w.Remove(fresh)
		}
		return &Diff{g.Archive, Unshown{}, Unshown{}}, w.Rename(fresh, g.Archive)
	})
}
