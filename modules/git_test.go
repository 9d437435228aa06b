package modules_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gplay/modules"
	"gplay/modules/moduletest"
)

func TestGit(t *testing.T) { moduletest.Run(t, modules.Git, gitServer(t)) }

// gitServer serves the repositories main and sub on the host $GITHOST to who
// knows the password; sub is a submodule of main, by a relative URL. $TRACES is
// a directory for what git tells of the programs it starts.
func gitServer(t *testing.T) moduletest.Vars {
	dir := t.TempDir()
	cmd := exec.Command("sh", "-e", "-c", `
		git config --global protocol.file.allow always
		git config --global init.defaultBranch main
		git init -q sub; cd sub; echo sub > s; git add s; git commit -q -m sub; git update-server-info; cd ..
		git init -q main; cd main; echo one > f; git add f; git commit -q -m one
		git branch plain
		git submodule --quiet add ../sub sub; sed -i 's=\.\./sub=../../sub/.git=' .gitmodules
		git commit -q -a -m two; git update-server-info`)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	if out, err := cmd.CombinedOutput(); err != nil {
		moduletest.Missing(t, "this test needs git: "+err.Error()+"\n"+string(out))
	}
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "p@ss1234" {
			w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return moduletest.Vars{"GITHOST": strings.TrimPrefix(server.URL, "http://"), "TRACES": t.TempDir()}
}
