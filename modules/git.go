package modules

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"gplay/modules/host"
)

// Git keeps a checkout of a git repository.
var Git = define("git", "keep a checkout of a git repository", gitArgs{
	Version: "HEAD", Remote: "origin", Clone: true, Update: true, Recursive: true,
}, git).exclusive("separate_git_dir", "bare").exclusive("accept_hostkey", "accept_newhostkey").requiredBy("archive_prefix", "archive")

type gitArgs struct {
	Repo             string   `arg:"repo" alias:"name" required:"true" doc:"Where the repository is: a URL, host:path or a directory."`
	Dest             string   `arg:"dest" type:"path" required:"true" doc:"Where the checkout is to be."`
	Version          string   `arg:"version" doc:"What to check out: a branch, a tag or a commit; HEAD is what the repository has chosen."`
	Remote           string   `arg:"remote" doc:"The name of the remote."`
	Clone            bool     `arg:"clone" doc:"Clone the repository when it is not there."`
	Update           bool     `arg:"update" doc:"Fetch what is new."`
	Force            bool     `arg:"force" doc:"Throw local modifications away."`
	Bare             bool     `arg:"bare" doc:"Make a repository without files."`
	Depth            *int     `arg:"depth" doc:"How many commits of history to fetch."`
	SingleBranch     bool     `arg:"single_branch" doc:"Clone no other branch."`
	Refspec          string   `arg:"refspec" doc:"What to fetch besides."`
	Reference        string   `arg:"reference" doc:"A repository on the host to take objects from."`
	SeparateGitDir   string   `arg:"separate_git_dir" type:"path" doc:"Where to put the repository itself."`
	Recursive        bool     `arg:"recursive" doc:"See to submodules, too."`
	TrackSubmodules  bool     `arg:"track_submodules" doc:"Take the newest commit of each submodule's branch."`
	VerifyCommit     bool     `arg:"verify_commit" doc:"The commit or tag must be signed."`
	GPGWhitelist     []string `arg:"gpg_whitelist" doc:"The fingerprints whose signatures count; without any, each that gpg trusts."`
	Archive          string   `arg:"archive" type:"path" doc:"Make an archive of it: .zip, .tar, .tar.gz or .tgz."`
	ArchivePrefix    string   `arg:"archive_prefix" doc:"A directory that is put before the names in the archive."`
	KeyFile          string   `arg:"key_file" type:"path" doc:"The private key for SSH."`
	SSHOpts          string   `arg:"ssh_opts" doc:"More options for the ssh program."`
	AcceptHostkey    bool     `arg:"accept_hostkey" doc:"Do not check the SSH server's key."`
	AcceptNewHostkey bool     `arg:"accept_newhostkey" doc:"Take a new SSH server's key as it is."`
	Umask            any      `arg:"umask" doc:"The umask for new files, as octal text or a number."`
	Executable       string   `arg:"executable" type:"path" doc:"The git program."`
}

func git(ctx context.Context, c *Call, a gitArgs) (Result, error) {
	g := &gitRepo{gitArgs: a, ctx: ctx, c: c}
	if err := g.check(); err != nil {
		return nil, err
	}
	if !g.there() {
		return g.clone()
	}
	return g.refresh()
}

// gitRepo is one run of the module.
type gitRepo struct {
	gitArgs
	ctx   context.Context
	c     *Call
	refs  gitRefs
	mask  string
	login *gitLogin
}

func (g *gitRepo) check() (err error) {
	for arg, value := range map[string]string{"repo": g.Repo, "version": g.Version, "remote": g.Remote, "refspec": g.Refspec} {
		err = errors.Join(err, noOption(arg, value))
	}
	if err != nil {
		return err
	}
	if strings.HasPrefix(g.Repo, "~") {
		g.Repo = expansion{g.c.Getenv, g.c.Home}.path(g.Repo)
	}
	if path.IsAbs(g.Repo) { // as Ansible: depth needs a URL
		g.Repo = "file://" + g.Repo
	}
	if g.login, err = splitLogin(g.Repo); err != nil {
		return err
	}
	if g.Archive != "" && archiveFormat(g.Archive) == "" {
		return fmt.Errorf("Unsupported archive format: %s; use .zip, .tar, .tar.gz or .tgz", g.Archive)
	}
	switch mask := g.Umask.(type) {
	case nil:
	case string:
		g.mask = mask
	default:
		bits, err := toInt(mask)
		if err != nil {
			return errors.New("umask must be octal text or a number")
		}
		g.mask = fmt.Sprintf("%04o", bits)
	}
	if strings.Trim(g.mask, "01234567") != "" {
		return errors.New("umask must be octal text or a number")
	}
	return nil
}

// dir is the repository itself.
func (g *gitRepo) dir() string {
	if g.Bare {
		return g.Dest
	}
	dir := path.Join(g.Dest, ".git")
	if info, err := g.c.Stat(dir); err == nil && info.Mode().IsRegular() {
		if data, err := g.c.ReadFile(dir); err == nil {
			dir = strings.TrimSpace(strings.TrimPrefix(string(data), "gitdir:"))
			if !path.IsAbs(dir) {
				dir = path.Join(g.Dest, dir)
			}
		}
	}
	return dir
}

func (g *gitRepo) there() bool { return fileExists(g.c, path.Join(g.dir(), "config")) }

func (g *gitRepo) clone() (Result, error) {
	if err := g.lookUp(); err != nil {
		return nil, err
	}
	r := Result{"before": nil, "after": g.refs.commit}
	d := Diff{After: Prepared(">> Newly checked out " + g.refs.commit)}
	if !g.Clone { // as Ansible: a change, although nothing is done
		return r, g.c.Change(d, func(host.Writer) error { return nil })
	}
	if err := g.c.Change(d, g.cloneNow); err != nil {
		return nil, err
	}
	return g.finish(r)
}

func (g *gitRepo) cloneNow(w host.Writer) error {
	missing, err := missingDirs(g.c, path.Dir(g.Dest))
	if err != nil {
		return err
	}
	for _, dir := range missing {
		if err := makeDir(w, dir, 0o777&^g.c.Umask(), host.Keep, host.Keep); err != nil {
			return err
		}
	}
	cmd := []string{"clone"}
	if g.Bare {
		cmd = append(cmd, "--bare")
	} else {
		cmd = append(cmd, "--origin", g.Remote)
	}
	named := g.refs.branch != "" || g.refs.tag
	if named && !g.Bare {
		cmd = append(cmd, "--branch", g.name())
	}
	if g.SingleBranch {
		cmd = append(cmd, "--single-branch")
	}
	if g.Depth != nil && (named || g.Refspec != "") {
		cmd = append(cmd, "--depth", fmt.Sprint(*g.Depth))
	}
	if g.Reference != "" {
		cmd = append(cmd, "--reference", g.Reference)
	}
	if g.SeparateGitDir != "" {
		cmd = append(cmd, "--separate-git-dir="+g.SeparateGitDir)
	}
	if err := g.run(w, "", append(cmd, "--", g.url(), g.Dest)...); err != nil {
		return err
	}
	if g.Bare && g.Remote != "origin" {
		if err := g.run(w, g.Dest, "remote", "add", g.Remote, g.url()); err != nil {
			return err
		}
	}
	if g.Refspec != "" {
		if err := g.run(w, g.Dest, "fetch", g.Remote, g.Refspec); err != nil {
			return err
		}
	}
	if !g.Bare && !named {
		if err := g.checkout(w); err != nil {
			return err
		}
	}
	return g.storeLogin(w)
}

// name is the branch's or tag's.
func (g *gitRepo) name() string {
	if g.refs.branch != "" {
		return g.refs.branch
	}
	return strings.TrimPrefix(g.Version, "refs/tags/")
}

func (g *gitRepo) refresh() (Result, error) {
	before, err := g.head()
	if err != nil {
		return nil, err
	}
	r := Result{"before": before, "after": before}
	if !g.Update {
		return g.finish(r)
	}
	modified, err := g.modified()
	if err != nil {
		return nil, err
	}
	if modified && !g.Force {
		return nil, Fail(fmt.Sprintf("Local modifications exist in the destination: %s (force=no).", g.Dest), Result{"before": before})
	}
	url, err := g.output("config", "--get", "remote."+g.Remote+".url")
	if err != nil {
		return nil, err
	}
	if modified {
		r["msg"] = "Local modifications exist in the destination: " + g.Dest
	}
	moved := g.moved(url)
	r["remote_url_changed"] = moved
	if err := g.lookUp(); err != nil {
		return nil, err
	}
	update := func(w host.Writer) error { return g.update(w, url) }
	if g.refs.is(before) && !modified && !moved {
		err = g.c.Upkeep(update)
	} else {
		r["after"] = g.refs.commit
		err = g.change(before, update)
	}
	if err != nil {
		return nil, err
	}
	return g.finish(r)
}

// moved reports whether url is another place, not the same spelled otherwise.
func (g *gitRepo) moved(url string) bool { return path.Clean(url) != path.Clean(g.Repo) }

// change runs update. What it brings is git's own diff, for which the new
// commit must be there.
func (g *gitRepo) change(before string, update func(host.Writer) error) error {
	if g.c.Check() {
		return g.c.Change(g.difference(before), update)
	}
	return g.c.Attempt(func(w host.Writer) (*Diff, error) {
		if err := update(w); err != nil {
			return nil, err
		}
		d := g.difference(before)
		return &d, nil
	})
}

func (g *gitRepo) difference(before string) Diff {
	after := g.refs.commit
	if !g.c.WantDiff() || before == after {
		return NoDiff
	}
	out, err := g.c.Ask(g.ctx, g.program(g.Dest, []string{"diff", before, after}))
	switch {
	case err != nil || out.Code != 0: // check mode has not fetched it
		return Diff{g.Dest, before + "\n", after + "\n"}
	case len(out.Stdout) == 0:
		return Diff{After: Prepared(">> No visual differences between " + before + " and " + after)}
	}
	return Diff{After: Prepared(out.Stdout)}
}

// update fetches, and checks out. url is the remote's as it was.
func (g *gitRepo) update(w host.Writer, url string) error {
	if g.moved(url) {
		set := "set-url"
		if url == "" {
			set = "add"
		}
		if err := errors.Join(g.run(w, g.Dest, "remote", set, g.Remote, g.url()), g.storeLogin(w)); err != nil {
			return err
		}
	}
	cmd := []string{"fetch", "--force"}
	refspecs := []string{}
	switch {
	case g.Bare:
		refspecs = []string{"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"}
	case g.Depth != nil && g.refs.branch != "":
		refspecs = []string{"+refs/heads/" + g.refs.branch + ":refs/remotes/" + g.Remote + "/" + g.refs.branch}
	case g.Depth != nil && g.refs.tag:
		refspecs = []string{"+refs/tags/" + g.name() + ":refs/tags/" + g.name()}
	default:
		cmd = append(cmd, "--tags")
		if g.refs.branch != "" {
			// The branch may be one that a single-branch clone does not follow.
			refspecs = []string{"+refs/heads/*:refs/remotes/" + g.Remote + "/*"}
		}
	}
	if g.Depth != nil && len(refspecs) > 0 {
		cmd = append(cmd, "--depth", fmt.Sprint(*g.Depth))
	}
	if g.Refspec != "" {
		refspecs = append(refspecs, g.Refspec)
	}
	if err := g.run(w, g.Dest, slices.Concat(cmd, []string{g.Remote}, refspecs)...); err != nil {
		return err
	}
	if g.Bare {
		return nil
	}
	return g.checkout(w)
}

// checkout brings the files to the version; a branch of that name is set to
// the remote's.
func (g *gitRepo) checkout(w host.Writer) error {
	switch {
	case g.refs.branch != "":
		b := g.refs.branch
		return g.run(w, g.Dest, "checkout", "--force", "-B", b, "--track", g.Remote+"/"+b)
	case g.refs.tag:
		return g.run(w, g.Dest, "checkout", "--force", "--detach", "refs/tags/"+g.name())
	}
	return g.run(w, g.Dest, "checkout", "--force", "--detach", g.refs.commit)
}

// finish does what is left once the files are there.
func (g *gitRepo) finish(r Result) (Result, error) {
	if g.c.Check() {
		if g.Archive != "" && (g.c.Changed() || !fileExists(g.c, g.Archive)) {
			r["archive"] = g.Archive
			return r, g.c.Change(NoDiff, nil)
		}
		return r, nil
	}
	if err := g.verify(); err != nil {
		return nil, err
	}
	if g.Update && g.Recursive && !g.Bare {
		if err := g.submodules(); err != nil {
			return nil, err
		}
	}
	var err error
	if r["after"], err = g.head(); err != nil {
		return nil, err
	}
	if g.Archive == "" {
		return r, nil
	}
	r["archive"] = g.Archive
	return r, g.archive()
}
