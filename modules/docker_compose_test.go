package modules_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gplay/modules"
	"gplay/modules/host"
)

// eachCompose runs a test with Compose 1 and with Compose 2, as far as they
// are here.
func eachCompose(t *testing.T, test func(t *testing.T, run composeRunner)) {
	t.Parallel()
	dockerEngine(t)
	t.Run("Compose1", func(t *testing.T) {
		t.Parallel()
		if _, err := exec.LookPath("docker-compose"); err != nil {
			lacking(t, "docker-compose (apt-get install docker-compose)")
		}
		test(t, composeRunner{t, &host.Local{Env: []string{"DOCKER_CONFIG=" + t.TempDir()}}, true})
	})
	t.Run("Compose2", func(t *testing.T) {
		t.Parallel()
		plugin := filepath.Join(cmp.Or(os.Getenv("LAB_CACHE"), "/var/cache/gplay-lab"), "docker-compose-v2")
		if _, err := os.Stat(plugin); err != nil {
			lacking(t, "Compose 2 at "+plugin)
		}
		config := t.TempDir()
		if err := os.Mkdir(filepath.Join(config, "cli-plugins"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(plugin, filepath.Join(config, "cli-plugins", "docker-compose")); err != nil {
			t.Fatal(err)
		}
		test(t, composeRunner{t, &host.Local{Env: []string{"DOCKER_CONFIG=" + config}}, false})
	})
}

type composeRunner struct {
	*testing.T
	host   *host.Local
	python bool // Compose 1
}

func (r composeRunner) run(m *modules.Module, check bool, base map[string]any, args ...any) map[string]any {
	all := map[string]any{}
	for k, v := range base {
		all[k] = v
	}
	for i := 0; i < len(args); i += 2 {
		all[args[i].(string)] = args[i+1]
	}
	return m.Run(context.WithoutCancel(r.Context()), r.host, r.host, nil, check, true, all)
}

// project writes a project's file; what it made goes at the test's end.
func (r composeRunner) project(text string) map[string]any {
	dir := filepath.Join(r.TempDir(), strings.ToLower(fmt.Sprintf("gplay-%s-%d", strings.ReplaceAll(r.Name(), "/", "-"), os.Getpid())))
	if err := os.Mkdir(dir, 0o755); err != nil {
		r.Fatal(err)
	}
	write(r.T, filepath.Join(dir, "docker-compose.yml"), text)
	base := map[string]any{"project_src": dir}
	r.Cleanup(func() {
		r.run(modules.DockerCompose, false, base, "state", "absent", "timeout", 0, "remove_orphans", true)
	})
	return base
}

func write(t *testing.T, path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const composeOf2015 = `
db:
  image: gplay-test-idle:1
  command: db
blue:
  image: gplay-test-idle:1
  ports: ["8080"]
  environment:
    - SERVICE_NAME=books-blue
  log_driver: json-file
`

// actions are what a result says was done: "blue Created".
func actions(got map[string]any) string {
	var list []string
	for _, a := range got["actions"].([]any) {
		m := a.(map[string]any)
		list = append(list, fmt.Sprint(m["service"], " ", m["status"]))
	}
	return strings.Join(list, ", ")
}

// The order of a deployment in 2015: the database is never recreated, the
// colour is stopped, removed, and scaled.
func TestDockerComposeOf2015(t *testing.T) {
	eachCompose(t, func(t *testing.T, r composeRunner) {
		base := r.project(composeOf2015)
		up := func(check bool, args ...any) map[string]any {
			return r.run(modules.DockerCompose, check, base, append([]any{"timeout", 0}, args...)...)
		}
		want(t, up(true, "services", "db", "recreate", "never"), "changed", true)
		made := up(false, "services", "db", "recreate", "never")
		want(t, made, "changed", true)
		if got := actions(made); got != "db Created, db Started" {
			t.Errorf("actions: %s", got)
		}
		want(t, up(false, "services", "db", "recreate", "never"), "changed", false)
		want(t, up(true, "services", "db", "recreate", "never"), "changed", false)

		blue := []any{"services", "blue", "scale", map[string]any{"blue": 2}, "dependencies", false}
		want(t, up(false, blue...), "changed", true)
		want(t, up(false, blue...), "changed", false)
		want(t, up(true, blue...), "changed", false)
		want(t, up(false, append(blue, "recreate", "always")...), "changed", true)
		want(t, up(true, append(blue, "recreate", "never", "stopped", true)...), "changed", true)
		want(t, up(false, append(blue, "recreate", "never", "stopped", true)...), "changed", true)
		want(t, up(false, append(blue, "recreate", "never", "stopped", true)...), "changed", false)
		want(t, up(true, append(blue, "recreate", "never", "stopped", true)...), "changed", false)

		gone := up(false, "services", "blue", "state", "absent")
		if got := actions(gone); got != "blue Removed, blue Removed" {
			t.Errorf("actions: %s", got)
		}
		want(t, up(false, "services", "blue", "state", "absent"), "changed", false)
		still := up(false, "services", "db", "recreate", "never")
		want(t, still, "changed", false)
		for _, c := range at(still, "services.db").(map[string]any) {
			want(t, c.(map[string]any), "state.running", true, "cmd.0", "db", "image", testImage+":1", "networks.bridge.Aliases", nil)
		}
		want(t, up(true, "state", "absent"), "changed", true)
		want(t, up(false, "state", "absent"), "changed", true)
		want(t, up(false, "state", "absent"), "changed", false)
	})
}

func TestDockerComposeOfToday(t *testing.T) {
	eachCompose(t, func(t *testing.T, r composeRunner) {
		file := "services:\n  web:\n    image: gplay-test-idle:%s\n    command: web\n    stop_grace_period: 0s\n    depends_on: [app]\n  app:\n    image: gplay-test-idle:1\n    stop_grace_period: 0s\n"
		base := r.project(fmt.Sprintf(file, "1"))
		v2 := func(check bool, args ...any) map[string]any {
			return r.run(modules.DockerComposeV2, check, base, args...)
		}
		want(t, v2(true), "changed", true)
		got := v2(false)
		want(t, got, "changed", true, "containers.1.Service", "web", "containers.1.State", "running", "images.0.Repository", testImage)
		want(t, v2(false), "changed", false)
		want(t, v2(true), "changed", false)
		write(t, filepath.Join(base["project_src"].(string), "docker-compose.yml"), fmt.Sprintf(file, "2"))
		want(t, v2(true), "changed", true)
		if got := actions(v2(false)); got != "web Recreated, web Started" && got != "web Recreated" {
			t.Errorf("actions: %s", got)
		}
		if r.python {
			return // what follows is the same for both, and each of its runs takes seconds here
		}
		want(t, v2(false, "state", "restarted", "services", "web"), "changed", true)
		want(t, v2(true, "state", "stopped"), "changed", true)
		want(t, v2(false, "state", "stopped"), "changed", true)
		want(t, v2(true, "state", "stopped"), "changed", false)
		want(t, v2(false, "state", "stopped"), "changed", false)
		want(t, v2(false, "services", "wbe"), "failed", true, "msg", "No such service: wbe")
		want(t, v2(false, "state", "absent"), "changed", true)
		want(t, v2(false, "state", "absent"), "changed", false)
	})
}

func TestDockerComposeDefinition(t *testing.T) {
	eachCompose(t, func(t *testing.T, r composeRunner) {
		name := fmt.Sprintf("gplay-test-%s-%d", strings.ToLower(filepath.Base(t.Name())), os.Getpid())
		base := map[string]any{"project_name": name, "timeout": 0, "definition": map[string]any{
			"services": map[string]any{"a": map[string]any{"image": testImage + ":1", "network_mode": "bridge"}}}}
		t.Cleanup(func() { r.run(modules.DockerCompose, false, base, "state", "absent") })
		want(t, r.run(modules.DockerCompose, false, base), "changed", true)
		want(t, r.run(modules.DockerCompose, false, base), "changed", false)
		want(t, r.run(modules.DockerCompose, false, base, "state", "absent"), "changed", true)
	})
}

func TestDockerComposeFaults(t *testing.T) {
	eachCompose(t, func(t *testing.T, r composeRunner) {
		base := r.project("services:\n  a:\n    image: gplay-test-idle:1\n    imagine: x\n")
		got := r.run(modules.DockerCompose, false, base)
		if msg := fmt.Sprint(got["msg"]); got["failed"] != true || !strings.Contains(msg, "imagine") {
			t.Errorf("got %v", got)
		}
		want(t, r.run(modules.DockerCompose, false, base, "files", "none.yml"), "failed", true, "msg", fmt.Sprintf("there is no file %s/none.yml", base["project_src"]))
		want(t, r.run(modules.DockerCompose, false, nil), "failed", true)
	})
}
