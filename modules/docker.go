package modules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"gplay/modules/engine"
)

// Docker is the module that managed containers in 2015.
var Docker = define("docker", "manage containers as in 2015; docker_container is today's module",
	dockerArgs{State: "started", Pull: "missing", Count: 1, StopTimeout: 10}, docker2015)

type dockerArgs struct {
	dockerEngineArgs
	Image              string         `arg:"image" required:"true" doc:"The image."`
	Name               string         `arg:"name" doc:"The container's name. Without one, containers are known by image and command."`
	State              string         `arg:"state" choices:"present,running,started,reloaded,restarted,stopped,killed,absent" doc:"started and running take what is there as it is, reloaded makes it anew when it differs."`
	Count              int            `arg:"count" doc:"How many containers without a name."`
	Pull               string         `arg:"pull" choices:"missing,always" doc:"When the image is pulled."`
	Command            string         `arg:"command" doc:"The command."`
	Entrypoint         string         `arg:"entrypoint" doc:"What is run with command as its arguments."`
	Ports              []string       `arg:"ports" doc:"Ports to publish."`
	Expose             []string       `arg:"expose" doc:"Ports that other containers may use."`
	PublishAllPorts    *bool          `arg:"publish_all_ports" doc:"Publish all exposed ports."`
	Volumes            []string       `arg:"volumes" doc:"Volumes."`
	VolumesFrom        []string       `arg:"volumes_from" doc:"Containers whose volumes it uses."`
	Links              []string       `arg:"links" doc:"Links to other containers."`
	MemoryLimit        string         `arg:"memory_limit" doc:"Limit of memory, such as 512MB."`
	CPUSet             string         `arg:"cpu_set" doc:"The CPUs it runs on."`
	CPUShares          *int           `arg:"cpu_shares" doc:"Relative weight of CPU time."`
	Hostname           string         `arg:"hostname" doc:"The host name."`
	Domainname         string         `arg:"domainname" doc:"The domain name."`
	Env                map[string]any `arg:"env" doc:"Environment variables."`
	EnvFile            string         `arg:"env_file" type:"path" doc:"A file of environment variables."`
	DNS                []string       `arg:"dns" doc:"Name servers."`
	Detach             *bool          `arg:"detach" doc:"false waits for the container's end."`
	Signal             string         `arg:"signal" doc:"The signal of state killed."`
	Privileged         *bool          `arg:"privileged" doc:"Give it all of the host."`
	LxcConf            []string       `arg:"lxc_conf" doc:"Refused: engines have no LXC any more."`
	StdinOpen          *bool          `arg:"stdin_open" doc:"Keep stdin open."`
	TTY                *bool          `arg:"tty" doc:"Give it a terminal."`
	Net                string         `arg:"net" doc:"The network mode."`
	PID                string         `arg:"pid" doc:"The PID namespace."`
	Registry           string         `arg:"registry" doc:"The registry to log in to."`
	Username           string         `arg:"username" doc:"The user there."`
	Password           string         `arg:"password" secret:"true" doc:"That user's password."`
	Email              string         `arg:"email" doc:"Accepted: registries no longer ask."`
	InsecureRegistry   bool           `arg:"insecure_registry" doc:"Accepted: the engine is told which registries are."`
	ReadOnly           *bool          `arg:"read_only" doc:"Its root file system is read-only."`
	RestartPolicy      string         `arg:"restart_policy" choices:"no,on-failure,always,unless-stopped" doc:"When the engine starts it again."`
	RestartPolicyRetry *int           `arg:"restart_policy_retry" doc:"How often, with on-failure."`
	ExtraHosts         map[string]any `arg:"extra_hosts" doc:"Names and addresses for /etc/hosts."`
	CapAdd             []string       `arg:"cap_add" doc:"Capabilities to add."`
	CapDrop            []string       `arg:"cap_drop" doc:"Capabilities to take away."`
	StopTimeout        int            `arg:"stop_timeout" doc:"Seconds until it is killed."`
	Labels             map[string]any `arg:"labels" doc:"Labels."`
	LogDriver          string         `arg:"log_driver" doc:"The logging driver."`
	LogOpt             map[string]any `arg:"log_opt" doc:"Its options."`
	Devices            []string       `arg:"devices" doc:"Devices."`
	Ulimits            []string       `arg:"ulimits" doc:"Limits: name:soft:hard."`
	UseTLS             string         `arg:"use_tls" choices:"no,encrypt,verify" doc:"How the engine is talked to."`
}

func docker2015(ctx context.Context, c *Call, a dockerArgs) (Result, error) {
	switch {
	case len(a.LxcConf) > 0:
		return nil, errors.New("lxc_conf has no counterpart: engines have no LXC any more")
	case a.Count < 0:
		return nil, errors.New("Count must be greater than zero")
	case a.Count > 1 && a.Name != "":
		return nil, errors.New("Count and name must not be used together")
	}
	a.TLS, a.ValidateCerts = a.TLS || a.UseTLS == "encrypt", a.ValidateCerts || a.UseTLS == "verify"
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	m := &docker2015Job{dockerArgs: a, ctx: ctx, c: c, docker: docker, summary: map[string]any{}}
	for _, done := range []string{"created", "started", "stopped", "killed", "removed", "restarted", "pulled"} {
		m.summary[done] = 0
	}
	return m.run()
}

type docker2015Job struct {
	dockerArgs
	ctx     context.Context
	c       *Call
	docker  *client.Client
	summary map[string]any // how many were created, started …
	last    *containerJob
}

func (m *docker2015Job) run() (Result, error) {
	have, err := m.find()
	if err != nil {
		return nil, err
	}
	switch m.State {
	case "stopped", "killed", "absent":
		err = m.end(have)
	default:
		err = m.begin(have)
	}
	if err != nil {
		return nil, err
	}
	return m.result()
}

// job is the container of a name or id, as docker_container would treat it.
func (m *docker2015Job) job(name string) (*containerJob, error) {
	env := map[string]any{}
	for k, v := range m.Env {
		env[k] = engine.Text(v)
	}
	entrypoint, err := engine.Words(m.Entrypoint)
	if err != nil {
		return nil, fmt.Errorf("entrypoint: %w", err)
	}
	a := dockerContainerArgs{dockerEngineArgs: m.dockerEngineArgs, Name: name, Image: m.Image, State: "started", Pull: m.Pull,
		KeepVolumes: true, Detach: m.Detach, KillSignal: m.Signal, ForceKill: m.State == "killed", ImageComparison: "desired-image"}
	a.Container = engine.Container{PublishedPorts: m.Ports, ExposedPorts: m.Expose, PublishAllPorts: m.PublishAllPorts,
		Volumes: m.Volumes, VolumesFrom: m.VolumesFrom, Links: m.Links, Memory: m.MemoryLimit, CpusetCpus: m.CPUSet, CPUShares: m.CPUShares,
		Hostname: m.Hostname, Domainname: m.Domainname, EnvFile: m.EnvFile, DNSServers: m.DNS, Privileged: m.Privileged,
		Interactive: m.StdinOpen, TTY: m.TTY, NetworkMode: m.Net, PidMode: m.PID, ReadOnly: m.ReadOnly, RestartPolicy: m.RestartPolicy,
		RestartRetries: m.RestartPolicyRetry, EtcHosts: m.ExtraHosts, Capabilities: m.CapAdd, CapDrop: m.CapDrop, Labels: m.Labels,
		LogDriver: m.LogDriver, LogOptions: m.LogOpt, Devices: m.Devices, Ulimits: m.Ulimits, StopTimeout: &m.StopTimeout}
	if m.Env != nil {
		a.Env = env
	}
	if m.Command != "" {
		a.Command = m.Command
	}
	if len(entrypoint) > 0 {
		a.Entrypoint = entrypoint
	}
	return &containerJob{dockerContainerArgs: a, ctx: m.ctx, c: m.c, docker: m.docker, auth: engine.Auth{Username: m.Username, Password: m.Password}}, nil
}

// find gives the container of the name, or those of image and command.
func (m *docker2015Job) find() ([]container.InspectResponse, error) {
	if m.Name != "" {
		j := &containerJob{dockerContainerArgs: dockerContainerArgs{Name: m.Name}, ctx: m.ctx, docker: m.docker}
		have, err := j.find()
		if have == nil {
			return nil, err
		}
		return []container.InspectResponse{*have}, err
	}
	command, err := engine.Words(m.Command)
	if err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	all, err := m.docker.ContainerList(m.ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, engine.Failure("listing containers", err)
	}
	var out []container.InspectResponse
	for _, summary := range all {
		info, err := m.docker.ContainerInspect(m.ctx, summary.ID)
		if err != nil {
			continue // gone since
		}
		if engine.WithTag(info.Config.Image, "") == engine.WithTag(m.Image, "") && (m.Command == "" || slices.Equal(info.Config.Cmd, command)) {
			out = append(out, info)
		}
	}
	return out, nil
}

func (m *docker2015Job) count(done string) { m.summary[done] = m.summary[done].(int) + 1 }

// end stops, kills or removes containers.
func (m *docker2015Job) end(have []container.InspectResponse) error {
	for _, info := range have {
		j, err := m.job(info.ID)
		if err != nil {
			return err
		}
		if m.State == "absent" {
			err = j.change("state", info.State.Status, "absent", func() error { return j.remove(&info) })
			m.count("removed")
		} else if info.State.Running {
			err = j.change("state", info.State.Status, m.State, func() error { return j.stop(&info) })
			m.count(m.State)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begin makes as many containers as are wanted, and starts them.
func (m *docker2015Job) begin(have []container.InspectResponse) error {
	if err := m.surplus(&have); err != nil {
		return err
	}
	for _, info := range have {
		if err := m.keep(&info); err != nil {
			return err
		}
	}
	for range m.Count - len(have) {
		j, img, err := m.prepared(m.Name)
		if err != nil {
			return err
		}
		if m.State == "present" {
			j.State = "present"
		} else {
			m.count("started")
		}
		m.count("created")
		if err := j.create(img, "absent", "present"); err != nil {
			return err
		}
		m.last = j
	}
	return nil
}

// surplus removes containers without a name that are more than count.
func (m *docker2015Job) surplus(have *[]container.InspectResponse) error {
	for len(*have) > m.Count {
		info := (*have)[0]
		*have = (*have)[1:]
		j, err := m.job(info.ID)
		if err != nil {
			return err
		}
		m.count("removed")
		if err := j.change("state", info.State.Status, "absent", func() error { return j.remove(&info) }); err != nil {
			return err
		}
	}
	return nil
}

// prepared is a container with its image, pulled as pull says.
func (m *docker2015Job) prepared(name string) (*containerJob, *image.InspectResponse, error) {
	j, err := m.job(name)
	if err != nil {
		return nil, nil, err
	}
	before, err := engine.FindImage(m.ctx, m.docker, engine.WithTag(m.Image, ""))
	if err != nil {
		return nil, nil, err
	}
	img, err := j.findImage(nil)
	if err != nil {
		return nil, nil, err
	}
	if before == nil || before.ID != img.ID {
		m.count("pulled")
	}
	j.want, err = j.Container.Spec(img, place(m.c))
	return j, img, err
}

// keep brings a container that is there to the state: only reloaded looks at
// how it is set up.
func (m *docker2015Job) keep(info *container.InspectResponse) error {
	j, img, err := m.prepared(strings.TrimPrefix(info.Name, "/"))
	if err != nil {
		return err
	}
	m.last = j
	switch {
	case m.State == "present":
		return nil
	case m.State == "reloaded":
		return m.reload(j, info, img)
	case m.State == "restarted" && info.State.Running:
		j.Restart = true
		m.count("restarted")
	case !info.State.Running:
		m.count("started")
	}
	return j.setState(info)
}

func (m *docker2015Job) reload(j *containerJob, info *container.InspectResponse, img *image.InspectResponse) error {
	differences, err := j.Container.Differences(j.want, *info, img, nil)
	if err != nil {
		return err
	}
	if before, after, differs := j.imageDiffers(info, img); differs {
		differences = append(differences, engine.Difference{Option: "image", Have: before, Want: after})
	}
	if len(differences) > 0 {
		m.count("removed")
		m.count("created")
		m.count("started")
		return j.recreate(info, img, differences)
	}
	if !info.State.Running {
		m.count("started")
	}
	return j.setState(info)
}

func (m *docker2015Job) result() (Result, error) {
	have, err := m.find()
	if err != nil {
		return nil, err
	}
	containers := []any{}
	for _, info := range have {
		containers = append(containers, engine.Plain(info))
	}
	r := Result{"ansible_facts": map[string]any{"docker_containers": containers}, "containers": containers,
		"summary": m.summary, "msg": m.message()}
	if m.last != nil && m.last.output != nil {
		r["status"], r["stdout"] = m.last.output.status, m.last.output.text
	}
	return r, nil
}

// message counts what was done: started 1 container.
func (m *docker2015Job) message() string {
	var parts []string
	for _, done := range []string{"created", "killed", "pulled", "removed", "restarted", "started", "stopped"} {
		switch n := m.summary[done].(int); n {
		case 0:
		case 1:
			parts = append(parts, done+" 1 container")
		default:
			parts = append(parts, fmt.Sprintf("%s %d containers", done, n))
		}
	}
	if len(parts) == 0 {
		return "No containers were started, stopped, killed, removed, restarted, created or pulled."
	}
	return strings.Join(parts, ", ") + "."
}
