// Package lab tests gplay and this project's playbooks on the four hosts that
// lab/up brings up.
package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	master  = "http://10.100.199.200"
	consul  = master + ":8500/v1"
	jenkins = master + ":8080/job/books-service"
	books   = master + "/api/v1/books"
)

var hosts = []string{"10.100.199.200", "10.100.199.201", "10.100.199.202", "10.100.199.203"}

// TestCluster provisions the cluster and deploys books-service on it. Its
// steps follow one another on the same hosts.
func TestCluster(t *testing.T) {
	needLab(t)
	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"one node has no Python", onePythonless},
		{"infra is idempotent", func(t *testing.T) { idempotent(t, "infra.yml", hosts) }},
		{"jenkins is idempotent", func(t *testing.T) { idempotent(t, "jenkins.yml", hosts[:1]) }},
		{"a first deployment serves", func(t *testing.T) { deploy(t) }},
		{"three deployments lose no request", threeDeployments},
		{"a new color that fails leaves the old one", failingColor},
		{"a killed service is deployed again", selfHealing},
	} {
		if !t.Run(step.name, step.run) {
			t.FailNow()
		}
	}
}

// needLab brings the lab and gplay up, or skips.
func needLab(t *testing.T) {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("CI") == "true" {
		missing = t.Fatalf
	}
	if testing.Short() {
		t.Skip("the lab takes minutes: not with -short")
	}
	if out, err := exec.Command("docker", "version").CombinedOutput(); err != nil {
		missing("the lab needs a Docker engine, which lab/engine installs and starts: %s", bytes.TrimSpace(out))
	}
	if out, err := exec.Command("./up").CombinedOutput(); err != nil {
		t.Fatalf("lab/up: %v\n%s", err, out)
	}
	build := exec.Command("go", "build", "-trimpath", "-o", "bin/gplay", "./cmd/gplay")
	build.Dir = ".."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building gplay: %v\n%s", err, out)
	}
}

// gplay runs a playbook on the lab.
func gplay(playbook string, args ...string) (output string, code int) {
	cmd := exec.Command("bin/gplay", append([]string{playbook, "-i", "hosts/lab"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		return err.Error(), -1
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// on runs a command on a node and returns what it prints.
func on(t *testing.T, node string, command ...string) string {
	t.Helper()
	out, err := exec.Command("docker", append([]string{"exec", node}, command...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s", node, strings.Join(command, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

var recapLine = regexp.MustCompile(`(?m)^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)`)

// changes is the number of changes by host in a recap without failures.
func changes(t *testing.T, output string) map[string]int {
	t.Helper()
	changed := map[string]int{}
	for _, m := range recapLine.FindAllStringSubmatch(output, -1) {
		changed[m[1]], _ = strconv.Atoi(m[3])
		if m[4] != "0" || m[5] != "0" {
			t.Errorf("%s: unreachable=%s failed=%s", m[1], m[4], m[5])
		}
	}
	return changed
}

func onePythonless(t *testing.T) {
	if got := on(t, "swarm-node-03", "sh", "-c", "command -v python python2 python3 || echo none"); got != "none" {
		t.Fatalf("swarm-node-03 has %s", got)
	}
}

func idempotent(t *testing.T, playbook string, hosts []string) {
	for run := range 2 {
		out, code := gplay(playbook)
		if code != 0 {
			t.Fatalf("run %d of %s: exit code %d\n%s", run+1, playbook, code, out)
		}
		changed := changes(t, out)
		if got := slices.Sorted(maps.Keys(changed)); !slices.Equal(got, hosts) {
			t.Fatalf("recap names %v, not %v\n%s", got, hosts, out)
		}
		for host, n := range changed {
			if run == 1 && n != 0 {
				t.Errorf("second run of %s: changed=%d on %s\n%s", playbook, n, host, out)
			}
		}
	}
}

// get answers the body of a URL that must answer 200.
func get(t *testing.T, url string) []byte {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v\n%s", url, resp.Status, err, body)
	}
	return body
}

func getJSON(t *testing.T, url string, v any) {
	t.Helper()
	if err := json.Unmarshal(get(t, url), v); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
}

// color is the one that Consul names.
func color(t *testing.T) string {
	t.Helper()
	return string(get(t, consul+"/kv/services/books-service/color?raw"))
}

func other(color string) string {
	if color == "blue" {
		return "green"
	}
	return "blue"
}

// containers are the ids of the running containers of a compose service.
func containers(t *testing.T, service string) []string {
	t.Helper()
	return strings.Fields(on(t, "swarm-master", "docker", "ps", "-q", "--no-trunc",
		"--filter", "label=com.docker.compose.project=books-service",
		"--filter", "label=com.docker.compose.service="+service))
}

// serves checks that a color is what Consul, nginx and the engine agree on.
func serves(t *testing.T, want string) {
	t.Helper()
	if got := color(t); got != want {
		t.Errorf("the color in Consul is %q, not %q", got, want)
	}
	var answer struct{ Service string }
	getJSON(t, books, &answer)
	if answer.Service != "books-service-"+want {
		t.Errorf("%s answers as %q, not as %s", books, answer.Service, want)
	}
	var catalog []struct {
		ServiceAddress string
		ServicePort    int
	}
	getJSON(t, consul+"/catalog/service/books-service-"+want, &catalog)
	var registered []string
	for _, c := range catalog {
		registered = append(registered, fmt.Sprintf("%s:%d", c.ServiceAddress, c.ServicePort))
	}
	upstream := on(t, "swarm-master", "cat", "/data/nginx/upstreams/books-service.conf")
	servers := regexp.MustCompile(`\d+\.\d+\.\d+\.\d+:\d+`).FindAllString(upstream, -1)
	slices.Sort(registered)
	slices.Sort(servers)
	if len(servers) == 0 || !slices.Equal(servers, registered) {
		t.Errorf("nginx points at %v, Consul has %v for %s", servers, registered, want)
	}
	if n := len(containers(t, want)); n != len(registered) {
		t.Errorf("%d containers of %s run, %d are registered", n, want, len(registered))
	}
	if old := containers(t, other(want)); len(old) != 0 {
		t.Errorf("%s still runs: %v", other(want), old)
	}
}

func deploy(t *testing.T, args ...string) {
	t.Helper()
	out, code := gplay("books-service.yml", args...)
	if code != 0 {
		t.Fatalf("books-service.yml: exit code %d\n%s", code, out)
	}
	changes(t, out)
	serves(t, color(t))
}

// load sends requests to the service until stop is called, which returns how
// many there were and those that failed.
func load(url string) (sent *atomic.Int64, stop func() []string) {
	sent = new(atomic.Int64)
	var (
		failed []string
		mu     sync.Mutex
		wg     sync.WaitGroup
		done   = make(chan struct{})
	)
	for range 4 {
		wg.Go(func() {
			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
			for {
				select {
				case <-done:
					return
				case <-time.After(5 * time.Millisecond):
				}
				sent.Add(1)
				if err := ask(client, url); err != nil {
					mu.Lock()
					failed = append(failed, err.Error())
					mu.Unlock()
				}
			}
		})
	}
	return sent, func() []string {
		close(done)
		wg.Wait()
		return failed
	}
}

func ask(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	return nil
}

// noneFailed ends a load and reports what failed.
func noneFailed(t *testing.T, sent *atomic.Int64, stop func() []string) {
	t.Helper()
	failed := stop()
	t.Logf("%d requests, %d failed", sent.Load(), len(failed))
	if len(failed) > 0 {
		t.Errorf("%d of %d requests failed, such as %s", len(failed), sent.Load(), failed[0])
	}
}

func threeDeployments(t *testing.T) {
	db := containers(t, "db")
	sent, stop := load(books)
	want := color(t)
	for range 3 {
		want = other(want)
		deploy(t)
		serves(t, want)
	}
	for sent.Load() < 5000 {
		time.Sleep(50 * time.Millisecond)
	}
	noneFailed(t, sent, stop)
	if now := containers(t, "db"); len(db) != 1 || !slices.Equal(db, now) {
		t.Errorf("the database was %v and is %v", db, now)
	}
}

func failingColor(t *testing.T) {
	old := color(t)
	sent, stop := load(books)
	out, code := gplay("books-service.yml", "-e", `{"service_environment": {"BOOKS_FAIL": "1"}, "service_answer_wait": 2}`)
	noneFailed(t, sent, stop)
	if code != 2 {
		t.Errorf("exit code %d, not 2", code)
	}
	for _, want := range []string{"books-service: " + other(old) + " does not take over", old + " still serves", "Status code was 500"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not say %q", want)
		}
	}
	serves(t, old)
	if t.Failed() {
		t.Log(out)
	}
}

type build struct {
	Number   int
	Building bool
	InQueue  bool
	Result   string
}

// lastBuild is the job's last build, of number 0 when there was none.
func lastBuild(t *testing.T) (b build) {
	t.Helper()
	resp, err := http.Get(jenkins + "/lastBuild/api/json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		if err := json.NewDecoder(resp.Body).Decode(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// eventually waits for a condition; what it waits for is named in the failure.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("it never came to this: %s", what)
}

func selfHealing(t *testing.T) {
	// A service that failed before may have asked for builds.
	idle := func() bool { b := lastBuild(t); return !b.Building && !b.InQueue }
	eventually(t, "Jenkins is idle", idle)
	old, before := color(t), lastBuild(t).Number

	on(t, "swarm-master", append([]string{"docker", "kill"}, containers(t, old)...)...)
	eventually(t, "the service is critical in Consul", func() bool {
		var checks []struct{ CheckID, Status string }
		getJSON(t, consul+"/health/checks/books-service", &checks)
		return len(checks) == 1 && checks[0].CheckID == "service:books-service" && checks[0].Status == "critical"
	})
	eventually(t, "the watch made Jenkins build", func() bool { return lastBuild(t).Number > before })
	eventually(t, "Jenkins has built", idle)

	b := lastBuild(t)
	console := string(get(t, fmt.Sprintf("%s/%d/consoleText", jenkins, b.Number)))
	if b.Result != "SUCCESS" || !strings.Contains(console, "+ gplay /vagrant/books-service.yml -i /vagrant/hosts/prod") {
		t.Fatalf("build %d: %s\n%s", b.Number, b.Result, console)
	}
	if builds := b.Number - before; builds == 1 {
		serves(t, other(old))
	} else {
		serves(t, color(t))
	}
	eventually(t, "the service is passing in Consul", func() bool {
		var checks []struct{ Status string }
		getJSON(t, consul+"/health/checks/books-service", &checks)
		return len(checks) == 1 && checks[0].Status == "passing"
	})
}
