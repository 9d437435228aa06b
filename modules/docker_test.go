package modules_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"gplay/internal/consultest"
	"gplay/modules"
)

// testImage is the image of testdata/idle, in two versions :1 and :2.
const testImage = "gplay-test-idle"

var idle = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "idle")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", filepath.Join(dir, "idle"), "./testdata/idle")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(filepath.Join(dir, "idle"))
})

// dockerEngine gives a client of this machine's engine, which then has the
// test image.
func dockerEngine(t *testing.T) *client.Client {
	t.Helper()
	docker, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err == nil {
		_, err = docker.Ping(t.Context())
	}
	if err != nil {
		lacking(t, "a Docker engine: "+err.Error())
	}
	t.Cleanup(func() { docker.Close() })
	for _, tag := range []string{"1", "2"} {
		if _, err := docker.ImageInspect(t.Context(), testImage+":"+tag); err == nil {
			continue
		}
		body, err := docker.ImageImport(t.Context(), image.ImportSource{Source: bytes.NewReader(rootfs(t)), SourceName: "-"},
			testImage+":"+tag, image.ImportOptions{Changes: []string{"ENTRYPOINT [\"/idle\"]", "ENV FROM=image VERSION=" + tag, "EXPOSE 80", "LABEL made=by-test"}})
		if err != nil {
			t.Fatal(err)
		}
		body.Close()
	}
	return docker
}

// rootfs is the archive of a file system that holds only idle.
func rootfs(t *testing.T) []byte {
	t.Helper()
	program, err := idle()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Name: "idle", Mode: 0o755, Size: int64(len(program))})
	w.Write(program)
	w.Close()
	return b.Bytes()
}

// containerName is a name of the test's own, whose container goes at its end.
func containerName(t *testing.T, docker *client.Client) string {
	name := fmt.Sprintf("gplay-test-%s-%d", strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")), os.Getpid())
	t.Cleanup(func() {
		docker.ContainerRemove(context.WithoutCancel(t.Context()), name, container.RemoveOptions{Force: true, RemoveVolumes: true})
	})
	return name
}

func TestDockerContainer(t *testing.T) {
	docker := dockerEngine(t)
	name := containerName(t, docker)
	base := map[string]any{"name": name, "image": testImage + ":1", "stop_timeout": 1}
	run := func(check bool, args ...any) map[string]any {
		return runOn(t, modules.DockerContainer, check, base, args...)
	}
	id := func() string {
		info, err := docker.ContainerInspect(t.Context(), name)
		if err != nil {
			return ""
		}
		return info.ID
	}

	want(t, run(false, "state", "absent"), "changed", false)
	want(t, run(true), "changed", true)
	if id() != "" {
		t.Fatal("check mode made a container")
	}
	want(t, run(false, "state", "present"), "changed", true, "container.State.Running", false)
	want(t, run(false), "changed", true, "container.State.Running", true)
	want(t, run(false), "changed", false)
	first := id()

	want(t, run(false, "restart_policy", "always", "memory", "64M", "memory_swap", "64M"), "changed", true,
		"container.HostConfig.RestartPolicy.Name", "always", "container.HostConfig.Memory", 64<<20)
	want(t, run(false, "restart_policy", "always", "memory", "64M", "memory_swap", "64M"), "changed", false)
	if id() != first {
		t.Error("what the engine can update made a new container")
	}
	want(t, run(false, "restart", true), "changed", true)
	want(t, run(false, "state", "stopped"), "changed", true, "container.State.Running", false)
	want(t, run(false, "state", "stopped"), "changed", false)
	want(t, run(false, "recreate", true), "changed", true, "container.State.Running", true)
	if id() == first {
		t.Error("recreate kept the container")
	}
	want(t, run(true, "image", testImage+":2"), "changed", true, "container.Config.Image", testImage+":1")
	want(t, run(false, "image", testImage+":2", "comparisons", map[string]any{"image": "ignore"}), "changed", false)
	want(t, run(false, "image", testImage+":2"), "changed", true, "container.Config.Image", testImage+":2")
	want(t, run(true, "state", "absent"), "changed", true)
	want(t, run(false, "state", "absent", "force_kill", true), "changed", true)
	if id() != "" {
		t.Error("absent left the container")
	}
}

// Each option makes what it says, changes nothing when given again, and makes
// a new container when given otherwise.
func TestDockerContainerOptions(t *testing.T) {
	docker := dockerEngine(t)
	name := containerName(t, docker)
	base := map[string]any{"name": name, "image": testImage + ":1", "state": "present"}
	env := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(env, []byte("# no\nA=file\nB=file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		option         string
		one, other     any
		path, expected string
	}{
		{"command", "a 'b c'", []any{"a"}, "Config.Cmd", "[a b c]"},
		{"entrypoint", []any{"/idle", "x"}, []any{"/idle"}, "Config.Entrypoint", "[/idle x]"},
		{"env", map[string]any{"A": "1", "FROM": "args"}, map[string]any{"A": "2"}, "Config.Env", "[A=1 FROM=args"},
		{"env_file", env, nil, "Config.Env", "[A=file B=file"},
		{"published_ports", "18080:80", "18081:80", "HostConfig.PortBindings", "map[80/tcp:[map[HostIp:0.0.0.0 HostPort:18080]]]"},
		{"published_ports", "19000-19001:80-81/udp", "80", "HostConfig.PortBindings.81/udp.0.HostPort", "19001"},
		{"ports", "127.0.0.1::80", "80", "HostConfig.PortBindings", "map[80/tcp:[map[HostIp:127.0.0.1 HostPort:]]]"},
		{"exposed_ports", "90-91", "92", "Config.ExposedPorts.91/tcp", "map[]"},
		{"volumes", "/tmp:/x:ro,/anon", "/tmp:/x", "HostConfig.Binds", "[/tmp:/x:ro]"},
		{"mounts", []any{map[string]any{"target": "/t", "type": "tmpfs", "tmpfs_size": "1M"}}, []any{map[string]any{"target": "/t", "type": "tmpfs"}}, "HostConfig.Mounts.0.TmpfsOptions.SizeBytes", "1048576"},
		{"tmpfs", "/run:size=64k", "/run2", "HostConfig.Tmpfs", "map[/run:size=64k]"},
		{"hostname", "h", "g", "Config.Hostname", "h"},
		{"user", "1000", "0:0", "Config.User", "1000"},
		{"working_dir", "/w", "/v", "Config.WorkingDir", "/w"},
		{"labels", map[string]any{"l": "1"}, map[string]any{"l": "2"}, "Config.Labels", "map[l:1 made:by-test]"},
		{"interactive", true, false, "Config.OpenStdin", "true"},
		{"tty", true, false, "Config.Tty", "true"},
		{"cpus", 0.5, nil, "HostConfig.NanoCpus", "500000000"},
		{"log_driver", "none", "json-file", "HostConfig.LogConfig.Type", "none"},
		{"log_options", map[string]any{"max-size": "1m"}, map[string]any{"max-size": "2m"}, "HostConfig.LogConfig.Config", "map[max-size:1m]"},
		{"healthcheck", map[string]any{"test": "true", "interval": "1m30s", "retries": 2}, map[string]any{"test": "NONE"}, "Config.Healthcheck", "map[Interval:90000000000 Retries:2 Test:[CMD-SHELL true]]"},
		{"capabilities", "NET_ADMIN", "SYS_TIME", "HostConfig.CapAdd", "NET_ADMIN]"},
		{"cap_drop", "all", "chown", "HostConfig.CapDrop", "]"},
		{"devices", "/dev/null:/dev/n:r", "/dev/null", "HostConfig.Devices.0.PathInContainer", "/dev/n"},
		{"dns_servers", "10.0.0.1,10.0.0.2", "10.0.0.2,10.0.0.1", "HostConfig.Dns", "[10.0.0.1 10.0.0.2]"},
		{"etc_hosts", map[string]any{"a": "10.0.0.1"}, map[string]any{"a": "10.0.0.2"}, "HostConfig.ExtraHosts", "[a:10.0.0.1]"},
		{"privileged", true, false, "HostConfig.Privileged", "true"},
		{"security_opts", "no-new-privileges", "seccomp=unconfined", "HostConfig.SecurityOpt", "[no-new-privileges]"},
		{"ulimits", "nofile:100:200", "nofile:100", "HostConfig.Ulimits.0", "map[Hard:200 Name:nofile Soft:100]"},
		{"init", true, false, "HostConfig.Init", "true"},
		{"sysctls", map[string]any{"net.ipv4.ip_forward": 1}, map[string]any{"net.ipv4.ip_forward": 0}, "HostConfig.Sysctls", "map[net.ipv4.ip_forward:1]"},
		{"shm_size", "32M", "64M", "HostConfig.ShmSize", "33554432"},
		{"read_only", true, false, "HostConfig.ReadonlyRootfs", "true"},
		{"network_mode", "none", "host", "HostConfig.NetworkMode", "none"},
		{"stop_signal", "SIGINT", "SIGTERM", "Config.StopSignal", "SIGINT"},
		{"pid_mode", "host", nil, "HostConfig.PidMode", "host"},
	}
	for _, tt := range tests {
		t.Run(tt.option, func(t *testing.T) {
			runOn(t, modules.DockerContainer, false, base, "state", "absent")
			made := runOn(t, modules.DockerContainer, false, base, tt.option, tt.one)
			want(t, made, "changed", true)
			if got := fmt.Sprint(at(made, "container."+tt.path)); !strings.Contains(got, tt.expected) {
				t.Errorf("%s is %s, want %s", tt.path, got, tt.expected)
			}
			want(t, runOn(t, modules.DockerContainer, false, base, tt.option, tt.one), "changed", false)
			if tt.other != nil {
				want(t, runOn(t, modules.DockerContainer, true, base, tt.option, tt.other), "changed", true)
			}
		})
	}
	runOn(t, modules.DockerContainer, false, base, "state", "absent")
}

func TestDockerContainerOutput(t *testing.T) {
	docker := dockerEngine(t)
	base := map[string]any{"name": containerName(t, docker), "image": testImage + ":1", "detach": false, "cleanup": true}
	want(t, runOn(t, modules.DockerContainer, false, base, "command", "exit 0"),
		"changed", true, "status", 0, "container.Output", "exit 0\n")
	want(t, runOn(t, modules.DockerContainer, false, base, "command", "exit 3"), "failed", true, "status", 3, "msg", "exit 3\n")
	if _, err := docker.ContainerInspect(t.Context(), base["name"].(string)); err == nil {
		t.Error("cleanup left the container")
	}
}

func TestDockerContainerRefuses(t *testing.T) {
	docker := dockerEngine(t)
	base := map[string]any{"name": containerName(t, docker), "image": testImage + ":1"}
	tests := []struct {
		option string
		value  any
		msg    string
	}{
		{"published_ports", "80:x", `published port 80:x: a port is a number up to 65535 or a range such as 9000-9010, got "x"`},
		{"published_ports", "1-2:80-90", "published port 1-2:80-90: the ranges differ in length"},
		{"volumes", "a:b", `a volume is source:/path:options or a path, got "a:b"`},
		{"memory", "much", `memory: a size is a number with a unit such as 512M, got "much"`},
		{"env", map[string]any{"A": true}, "Non-string value found for env option. Ambiguous env options must be wrapped in quotes to avoid them being interpreted. Key: A"},
		{"comparisons", map[string]any{"imge": "ignore"}, `comparisons: there is no option "imge"`},
		{"comparisons", map[string]any{"command": "allow_more_present"}, "comparisons: command is no set and no dict, so it is compared strict or ignore"},
		{"image", "gplay-test-absent:9", ""},
		{"docker_host", "ssh://host", "docker_host ssh://host: engines are reached over unix:// and tcp://, not over ssh://"},
		{"docker_host", "unix:///nowhere.sock", ""},
	}
	for _, tt := range tests {
		got := runOn(t, modules.DockerContainer, false, base, tt.option, tt.value, "pull", "never")
		if got["failed"] != true || got["changed"] != false || tt.msg != "" && got["msg"] != tt.msg {
			t.Errorf("%s: %v: got %v", tt.option, tt.value, got["msg"])
		}
	}
}

func TestDockerOf2015(t *testing.T) {
	client := dockerEngine(t)
	name := containerName(t, client)
	base := map[string]any{"name": name, "image": testImage + ":1", "stop_timeout": 1}
	run := func(check bool, args ...any) map[string]any {
		return runOn(t, modules.Docker, check, base, args...)
	}
	id := func() string {
		info, err := client.ContainerInspect(t.Context(), name)
		if err != nil {
			return ""
		}
		return info.ID
	}
	port := strconv.Itoa(consultest.FreePorts(t, 1)[0])
	args := []any{"command", "join --advertise=10.0.0.1:2375 consul://10.0.0.1:8500/swarm", "ports", port + ":80",
		"env", map[string]any{"SERVICE_ID": "x", "N": 1}, "volumes", "/tmp:/a,/b", "hostname", "h"}
	want(t, run(true, args...), "changed", true, "msg", "created 1 container, started 1 container.")
	got := run(false, args...)
	want(t, got, "changed", true, "containers.0.State.Running", true, "ansible_facts.docker_containers.0.Config.Hostname", "h",
		"containers.0.Config.Cmd", "[join --advertise=10.0.0.1:2375 consul://10.0.0.1:8500/swarm]",
		"containers.0.HostConfig.Binds", "[/tmp:/a:rw]", "containers.0.HostConfig.PortBindings.80/tcp.0.HostPort", port,
		"summary.created", 1)
	want(t, run(false, args...), "changed", false)
	first := id()
	want(t, run(false, append(args, "state", "running", "hostname", "other")...), "changed", false)
	want(t, run(true, append(args, "state", "reloaded", "hostname", "other")...), "changed", true)
	want(t, run(false, append(args, "state", "reloaded")...), "changed", false)
	if id() != first {
		t.Error("the container was made anew for nothing")
	}
	want(t, run(false, append(args, "state", "reloaded", "env", "SERVICE_ID=y")...), "changed", true, "msg", "created 1 container, removed 1 container, started 1 container.")
	if id() == first {
		t.Error("reloaded kept the container")
	}
	want(t, run(false, "state", "restarted"), "changed", true, "msg", "restarted 1 container.")
	want(t, run(false, "state", "stopped"), "changed", true)
	want(t, run(false, "state", "stopped"), "changed", false)
	want(t, run(false, "state", "present"), "changed", false)
	want(t, run(false), "changed", true, "msg", "started 1 container.")
	want(t, run(false, "state", "killed"), "changed", true)
	want(t, run(false, "state", "absent"), "changed", true, "msg", "removed 1 container.")
	want(t, run(false, "state", "absent"), "changed", false)
	want(t, run(false, "count", 2), "failed", true, "msg", "Count and name must not be used together")
}

func TestDockerOf2015Count(t *testing.T) {
	dockerEngine(t)
	base := map[string]any{"image": testImage + ":1", "command": fmt.Sprintf("count %d", os.Getpid()), "stop_timeout": 1}
	run := func(args ...any) map[string]any { return runOn(t, modules.Docker, false, base, args...) }
	t.Cleanup(func() { run("state", "absent") })
	want(t, run("count", 2), "changed", true, "summary.started", 2)
	want(t, run("count", 2), "changed", false)
	want(t, run("count", 1), "changed", true, "summary.removed", 1)
	want(t, run("state", "absent"), "changed", true, "summary.removed", 1)
}

func TestDockerNetworkAndVolume(t *testing.T) {
	client := dockerEngine(t)
	name := containerName(t, client)
	network := map[string]any{"name": name}
	t.Cleanup(func() {
		client.ContainerRemove(context.WithoutCancel(t.Context()), name, container.RemoveOptions{Force: true})
		runOn(t, modules.DockerNetwork, false, network, "state", "absent")
	})
	subnet := []any{map[string]any{"subnet": "10.231.0.0/24"}}
	want(t, runOn(t, modules.DockerNetwork, true, network, "ipam_config", subnet), "changed", true)
	want(t, runOn(t, modules.DockerNetwork, false, network, "ipam_config", subnet), "changed", true, "network.IPAM.Config.0.Subnet", "10.231.0.0/24")
	want(t, runOn(t, modules.DockerNetwork, false, network, "ipam_config", subnet), "changed", false)
	joined := map[string]any{"name": name, "image": testImage + ":1", "stop_timeout": 1}
	networks := []any{map[string]any{"name": name, "ipv4_address": "10.231.0.9", "aliases": []any{"web"}}}
	want(t, runOn(t, modules.DockerContainer, false, joined, "networks", networks), "changed", true,
		"container.NetworkSettings.Networks."+name+".IPAddress", "10.231.0.9", "container.NetworkSettings.Networks.bridge", nil)
	want(t, runOn(t, modules.DockerContainer, false, joined, "networks", networks), "changed", false)
	networks = append(networks, map[string]any{"name": "bridge"})
	want(t, runOn(t, modules.DockerContainer, false, joined, "networks", networks), "changed", true)
	want(t, runOn(t, modules.DockerContainer, false, joined, "networks", networks), "changed", false)
	networks[0].(map[string]any)["ipv4_address"] = "10.231.0.10"
	want(t, runOn(t, modules.DockerContainer, false, joined, "networks", networks[:1], "purge_networks", true), "changed", true,
		"container.NetworkSettings.Networks."+name+".IPAddress", "10.231.0.10", "container.NetworkSettings.Networks.bridge", nil)
	want(t, runOn(t, modules.DockerNetwork, false, network, "ipam_config", subnet, "labels", map[string]any{"a": 1}), "changed", true, "network.Labels.a", "1")
	want(t, runOn(t, modules.DockerNetwork, false, network, "internal", true), "changed", true, "network.Internal", true)
	want(t, runOn(t, modules.DockerNetwork, false, network, "state", "absent"), "changed", true)
	want(t, runOn(t, modules.DockerNetwork, false, network, "state", "absent"), "changed", false)

	volume := map[string]any{"name": name, "labels": map[string]any{"l": "1"}}
	t.Cleanup(func() { runOn(t, modules.DockerVolume, false, volume, "state", "absent") })
	want(t, runOn(t, modules.DockerVolume, false, volume), "changed", true, "volume.Labels.l", "1")
	want(t, runOn(t, modules.DockerVolume, false, volume), "changed", false)
	volume["labels"] = map[string]any{"l": "2"}
	want(t, runOn(t, modules.DockerVolume, false, volume), "changed", false)
	want(t, runOn(t, modules.DockerVolume, true, volume, "recreate", "options-changed"), "changed", true)
	want(t, runOn(t, modules.DockerVolume, false, volume, "recreate", "options-changed"), "changed", true, "volume.Labels.l", "2")
	want(t, runOn(t, modules.DockerVolume, false, volume, "state", "absent"), "changed", true)
	want(t, runOn(t, modules.DockerVolume, false, volume, "state", "absent"), "changed", false)
}

// oneAtATime waits until no other run of the tests has the engine's swarm.
func oneAtATime(t *testing.T) {
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "gplay-test-swarm.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lock.Close() })
}

// The engine of this machine becomes a swarm of its own for the test.
func TestDockerSwarm(t *testing.T) {
	client := dockerEngine(t)
	oneAtATime(t)
	info, err := client.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.Swarm.LocalNodeState != "inactive" {
		lacking(t, "an engine that is in no swarm")
	}
	swarm := func(check bool, args ...any) map[string]any {
		return runOn(t, modules.DockerSwarm, check, map[string]any{"advertise_addr": "127.0.0.1", "listen_addr": "127.0.0.1:2377"}, args...)
	}
	t.Cleanup(func() { swarm(false, "state", "absent", "force", true) })
	want(t, swarm(true), "changed", true)
	made := swarm(false)
	want(t, made, "changed", true)
	if token := fmt.Sprint(at(made, "swarm_facts.JoinTokens.Worker")); !strings.HasPrefix(token, "SWMTKN-") {
		t.Errorf("the token is %s", token)
	}
	again := swarm(false)
	want(t, again, "changed", false, "actions", "[No modification]", "swarm_facts.JoinTokens.Worker", at(made, "swarm_facts.JoinTokens.Worker"))
	want(t, swarm(false, "task_history_retention_limit", 3), "changed", true, "swarm_facts.Spec.Orchestration.TaskHistoryRetentionLimit", 3)
	want(t, swarm(false, "task_history_retention_limit", 3), "changed", false)
	want(t, swarm(false, "state", "join", "join_token", "t", "remote_addrs", "127.0.0.1:2377"), "changed", false)
	node := map[string]any{"hostname": info.Name}
	want(t, runOn(t, modules.DockerNode, false, node, "labels", map[string]any{"a": 1}), "changed", true, "node.Spec.Labels.a", "1")
	want(t, runOn(t, modules.DockerNode, false, node, "labels", map[string]any{"a": 1}, "availability", "active"), "changed", false)
	want(t, runOn(t, modules.DockerNode, false, node, "labels_to_remove", "a"), "changed", true, "node.Spec.Labels.a", nil)
	want(t, runOn(t, modules.DockerSwarmInfo, false, nil, "nodes", true), "docker_swarm_manager", true, "nodes.0.Spec.Role", "manager", "tasks", nil)
	testSwarmService(t)
	testStack(t)
	want(t, swarm(false, "state", "absent"), "failed", true)
	want(t, swarm(false, "state", "absent", "force", true), "changed", true, "actions", "[Node has left the swarm cluster]")
	want(t, swarm(false, "state", "absent"), "changed", false)
	want(t, runOn(t, modules.DockerSwarmInfo, false, nil), "failed", true, "docker_swarm_active", false)
}

func TestDockerImage(t *testing.T) {
	client := dockerEngine(t)
	dir := t.TempDir()
	program, err := idle()
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"idle": string(program), "secret": "s", ".dockerignore": "secret\n",
		"Dockerfile": "FROM scratch\nARG V\nCOPY . /\nENV V=$V\n"} {
		write(t, filepath.Join(dir, file), text)
	}
	name := fmt.Sprintf("gplay-test-image-%d", os.Getpid())
	t.Cleanup(func() {
		for _, tag := range []string{":latest", ":2", "-copy:latest"} {
			client.ImageRemove(context.WithoutCancel(t.Context()), name+tag, image.RemoveOptions{Force: true})
		}
	})
	base := map[string]any{"name": name, "source": "build", "build": map[string]any{"path": dir, "args": map[string]any{"V": 1}}}
	run := func(check bool, args ...any) map[string]any {
		return runOn(t, modules.DockerImage, check, base, args...)
	}
	want(t, run(true), "changed", true)
	built := run(false)
	want(t, built, "changed", true, "image.RepoTags.0", name+":latest", "image.Config.Env.1", "V=1")
	want(t, run(false), "changed", false)
	want(t, run(false, "force_source", true), "changed", false)
	want(t, run(false, "force_source", true, "build", map[string]any{"path": dir, "args": map[string]any{"V": 2}}), "changed", true, "image.Config.Env.1", "V=2")
	want(t, run(false, "repository", name+"-copy"), "changed", true, "actions.0", fmt.Sprintf("Tagged image %s:latest to %s-copy:latest", name, name))
	want(t, run(false, "repository", name+"-copy"), "changed", false)
	archive := filepath.Join(dir, "secret")
	want(t, run(false, "archive_path", archive), "changed", true)
	want(t, run(false, "archive_path", archive), "changed", false)
	want(t, run(false, "state", "absent"), "changed", true)
	want(t, run(false, "state", "absent"), "changed", false)
	want(t, run(false, "source", "local"), "failed", true, "msg", "Cannot find the image "+name+":latest locally.")
	want(t, run(true, "source", "load", "load_path", archive), "changed", true)
	want(t, run(false, "source", "load", "load_path", archive), "changed", true)
	want(t, run(false, "source", "load", "load_path", archive, "force_source", true), "changed", false)
	write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nRUN false\n")
	want(t, run(false, "tag", "2"), "failed", true)
}

func TestDockerImagePull(t *testing.T) {
	dockerEngine(t)
	got := runOn(t, modules.DockerImage, false, nil, "name", "127.0.0.1:1/none", "source", "pull")
	if msg := fmt.Sprint(got["msg"]); got["failed"] != true || got["changed"] != false || !strings.HasPrefix(msg, "Error pulling image 127.0.0.1:1/none:latest: ") {
		t.Errorf("got %v", got["msg"])
	}
}

func testSwarmService(t *testing.T) {
	base := map[string]any{"name": "gplay-test-service", "image": testImage + ":1", "replicas": 2, "stop_grace_period": "0s",
		"args": []any{"a"}, "env": map[string]any{"B": "2", "A": "1"}, "labels": map[string]any{"l": 1}, "endpoint_mode": "dnsrr",
		"publish":        []any{map[string]any{"target_port": 80, "published_port": 0, "mode": "host"}},
		"mounts":         []any{map[string]any{"source": "/tmp", "target": "/x", "readonly": true}},
		"placement":      map[string]any{"constraints": []any{"node.role == manager"}, "preferences": []any{map[string]any{"spread": "node.labels.z"}}},
		"limits":         map[string]any{"cpus": 0.5, "memory": "64M"},
		"restart_config": map[string]any{"condition": "on-failure", "delay": "5s", "max_attempts": 3},
		"update_config":  map[string]any{"parallelism": 2, "delay": "1s", "order": "start-first"},
		"healthcheck":    map[string]any{"test": []any{"CMD", "true"}, "interval": "10s"}}
	run := func(check bool, args ...any) map[string]any {
		return runOn(t, modules.DockerSwarmService, check, base, args...)
	}
	want(t, run(true), "changed", true)
	want(t, run(false), "changed", true, "msg", "Service created", "swarm_service.Spec.Mode.Replicated.Replicas", 2,
		"swarm_service.Spec.TaskTemplate.ContainerSpec.Env", "[A=1 B=2]", "swarm_service.Spec.EndpointSpec.Ports.0.TargetPort", 80,
		"swarm_service.Spec.TaskTemplate.Resources.Limits.MemoryBytes", 64<<20)
	want(t, run(false), "changed", false, "msg", "Service unchanged")
	want(t, run(true, "image", testImage+":2"), "changed", true)
	want(t, run(false, "image", testImage+":2"), "changed", true, "swarm_service.Spec.TaskTemplate.ContainerSpec.Image", testImage+":2")
	want(t, run(false, "image", testImage+":2", "replicas", -1), "changed", false)
	want(t, run(false, "force_update", true), "changed", true)
	want(t, run(false, "mode", "global", "replicas", -1), "changed", true, "rebuilt", true)
	want(t, run(false, "networks", []any{"gplay-absent"}), "failed", true)
	testServiceFiles(t, run)
	want(t, run(true, "state", "absent"), "changed", true)
	want(t, run(false, "state", "absent"), "changed", true)
	want(t, run(false, "state", "absent"), "changed", false)
}

// testServiceFiles gives the service a config and a secret, which go with the swarm.
func testServiceFiles(t *testing.T, run func(check bool, args ...any) map[string]any) {
	for _, kind := range []string{"config", "secret"} {
		docker(t, kind, "create", "gplay-test-"+kind+"-2", "/etc/hostname")
		docker(t, kind, "create", "gplay-test-"+kind, "/etc/hostname")
	}
	files := []any{"mode", "global", "replicas", -1,
		"configs", []any{map[string]any{"config_name": "gplay-test-config", "filename": "/etc/c", "uid": 5, "mode": 0o440}},
		"secrets", []any{map[string]any{"secret_name": "gplay-test-secret"}}}
	want(t, run(true, files...), "changed", true)
	want(t, run(false, files...), "changed", true, "swarm_service.Spec.TaskTemplate.ContainerSpec.Configs.0.File.Name", "/etc/c",
		"swarm_service.Spec.TaskTemplate.ContainerSpec.Configs.0.File.UID", "5", "swarm_service.Spec.TaskTemplate.ContainerSpec.Configs.0.File.Mode", 0o440,
		"swarm_service.Spec.TaskTemplate.ContainerSpec.Secrets.0.File.Name", "gplay-test-secret",
		"swarm_service.Spec.TaskTemplate.ContainerSpec.Secrets.0.File.Mode", 0o444)
	want(t, run(false, files...), "changed", false)
	want(t, run(false, "mode", "global", "replicas", -1, "configs", []any{map[string]any{"config_name": "gplay-test-none"}}), "failed", true,
		"msg", `Could not find a config named "gplay-test-none"`)
	want(t, run(false, "mode", "global", "replicas", -1, "configs", []any{}, "secrets", []any{}), "changed", true)
}

func testStack(t *testing.T) {
	if _, err := exec.LookPath("docker"); err != nil {
		lacking(t, "the docker program")
	}
	file := filepath.Join(t.TempDir(), "stack.yml")
	write(t, file, "version: '3.7'\nservices:\n  a:\n    image: gplay-test-idle:1\n    networks: [hostnet]\nnetworks:\n  hostnet: {external: true, name: host}\n")
	more := map[string]any{"version": "3.7", "services": map[string]any{"a": map[string]any{"environment": map[string]any{"A": "1"}}}}
	base := map[string]any{"name": "gplay-test-stack", "resolve_image": "never"}
	run := func(args ...any) map[string]any { return runOn(t, modules.DockerStack, false, base, args...) }
	want(t, run("compose", []any{file}), "changed", true)
	want(t, run("compose", []any{file}), "changed", false)
	want(t, run("compose", []any{file, more}), "changed", true)
	want(t, run(), "failed", true, "msg", "compose parameter must be a list containing at least one element")
	want(t, run("state", "absent", "absent_retries", 30), "changed", true)
	want(t, run("state", "absent"), "changed", false)
}

func TestDockerInfoAndExec(t *testing.T) {
	client := dockerEngine(t)
	name := containerName(t, client)
	run := func(m *modules.Module, args ...any) map[string]any { return runOn(t, m, false, nil, args...) }
	want(t, run(modules.DockerContainerInfo, "name", name), "exists", false, "container", nil)
	want(t, run(modules.DockerContainer, "name", name, "image", testImage+":1", "stop_timeout", 1), "changed", true)
	want(t, run(modules.DockerContainerInfo, "name", name), "exists", true, "changed", false, "container.Name", "/"+name)
	want(t, run(modules.DockerImageInfo, "name", testImage+":1,gplay-test-none"), "images.0.Config.Labels.made", "by-test", "images.1", nil)
	want(t, run(modules.DockerHostInfo, "containers", true), "changed", false, "can_talk_to_docker", true, "images", nil)
	want(t, run(modules.DockerContainerExec, "container", name, "argv", []any{"/idle", "exit", "0"}), "changed", true, "rc", 0, "stdout", "exit 0")
	want(t, run(modules.DockerContainerExec, "container", name, "command", "/idle exit 4"), "failed", true, "rc", 4, "msg", "non-zero return code", "stdout", "exit 4")
	want(t, run(modules.DockerContainerExec, "container", name+"-none", "command", "/idle"), "failed", true)
}
