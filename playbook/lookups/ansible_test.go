package lookups_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gplay/internal/consultest"
	"gplay/internal/oracle"
	"gplay/internal/oracle/evaluate"
	"gplay/internal/yaml"
	"gplay/inventory"
	"gplay/jinja"
	"gplay/playbook/vars"
)

// TestLookupsAsAnsible compares what each query of the table gives with what
// Ansible gives for it, in a copy of testdata.
func TestLookupsAsAnsible(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(serve))
	defer server.Close()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "vars.yml")
	text, err := os.ReadFile(file)
	if err == nil {
		text = append(text, "url: "+server.URL+"\nplaybook_dir: "+dir+"\n"...)
		err = os.WriteFile(file, text, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, ".netrc"), []byte("machine localhost login n password np\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"LOOKUP_TEST_ENV=from env", "ANSIBLE_LOOKUP_URL_FORCE=yes", "LOOKUP_EMPTY=", "HOME=" + dir, "NO_PROXY=127.0.0.1,localhost", "LC_ALL=C.UTF-8"}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	w := oracle.World{Dir: dir, Vars: file, Hosts: []string{filepath.Join(dir, "hosts")}, Host: "web1", Env: env}
	oracle.Table(t, w, "testdata/table/*.txt", evaluator(t, dir, file))
}

// TestConsulAsAnsible compares the lookup consul_kv on a real agent.
func TestConsulAsAnsible(t *testing.T) {
	agent := consultest.Agent(t)
	address := fmt.Sprint("http://127.0.0.1:", agent)
	for key, value := range map[string]string{"app/one": "1", "app/two": "zwei ü", "app": "top", "empty": "", "tpl": "{{ 1 + 1 }}"} {
		r, err := http.NewRequest(http.MethodPut, address+"/v1/kv/"+key, strings.NewReader(value))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	dir := t.TempDir()
	file, hosts := filepath.Join(dir, "vars.yml"), filepath.Join(dir, "hosts")
	text := fmt.Sprintf("agent: %d\nnobody: %d\naddress: %s\n", agent, consultest.FreePorts(t, 1)[0], address)
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.WriteFile(hosts, []byte("web1\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	w := oracle.World{Dir: dir, Vars: file, Hosts: []string{hosts}, Host: "web1"}
	oracle.Table(t, w, "testdata/consul/*.txt", evaluator(t, dir, file))
	t.Setenv("ANSIBLE_CONSUL_URL", address)
	w.Env = []string{"ANSIBLE_CONSUL_URL=" + address}
	oracle.Table(t, w, "testdata/consul/env/*.txt", evaluator(t, dir, file))
}

// serve answers as the path says.
func serve(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	switch r.URL.Path {
	case "/text":
		w.Write([]byte("one\ntwo ü\n\nlast\n"))
	case "/moved":
		http.Redirect(w, r, "/text", http.StatusFound)
	case "/movedheader":
		http.Redirect(w, r, "/header", http.StatusFound)
	case "/who":
		fmt.Fprintf(w, "%s:%s", user, password)
	case "/agent":
		w.Write([]byte(r.UserAgent()))
	case "/header":
		w.Write([]byte(r.Header.Get("X-Test")))
	case "/cache":
		w.Write([]byte(r.Header.Get("Cache-Control")))
	case "/secret":
		if user != "u" || password != "p" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Write([]byte("secret"))
	case "/empty":
	default:
		http.NotFound(w, r)
	}
}

// evaluator evaluates expressions with the variables of a file, beside it.
func evaluator(t *testing.T, dir, file string) func(expr string) oracle.Outcome {
	d, err := yaml.LoadDict(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := inventory.Load([]string{filepath.Join(dir, "hosts")}, inventory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	store := vars.NewStore(vars.NewTemplar(), inv, d, nil)
	hostvars := store.HostVars(context.Background(), dir, nil)
	magic := jinja.NewDict("hostvars", hostvars)
	return func(expr string) oracle.Outcome {
		scope := store.Templar.NewScope(context.Background(), append([]jinja.Mapping{magic}, store.Layers(inv.Host("web1"), dir, vars.Levels{})...)...)
		scope.Dirs = []string{dir}
		scope.Hosts = func(patterns []string) ([]string, error) {
			selection, err := inv.Select(patterns, nil)
			if err != nil {
				return nil, err
			}
			var names []string
			for _, h := range selection.Hosts {
				names = append(names, h.Name)
			}
			return names, nil
		}
		return evaluate.Expression(scope, expr)
	}
}
