package modules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	"gplay/modules/engine"
	"gplay/modules/host"
)

// DockerSwarmService makes, changes and removes services of a swarm.
var DockerSwarmService = define("docker_swarm_service", "make, change and remove services of a swarm",
	dockerSwarmServiceArgs{State: "present", Mode: "replicated", Replicas: -1}, dockerSwarmService)

type dockerSwarmServiceArgs struct {
	dockerEngineArgs
	Name            string              `arg:"name" required:"true" doc:"The service's name."`
	State           string              `arg:"state" choices:"present,absent" doc:"Whether it is there."`
	Image           string              `arg:"image" doc:"The image of its containers."`
	ResolveImage    bool                `arg:"resolve_image" doc:"Pin the image to the digest that the registry has now."`
	Mode            string              `arg:"mode" choices:"replicated,global" doc:"A number of containers, or one on each node."`
	Replicas        int                 `arg:"replicas" doc:"How many containers; -1 leaves it, 1 for a new service."`
	Command         any                 `arg:"command" doc:"What is run, in place of the image's entrypoint."`
	Args            []string            `arg:"args" doc:"Its arguments."`
	Env             any                 `arg:"env" doc:"Environment variables: a dictionary, or a list of NAME=value."`
	EnvFiles        []string            `arg:"env_files" doc:"Files of environment variables; env wins."`
	Publish         []servicePort       `arg:"publish" doc:"Ports to publish."`
	EndpointMode    string              `arg:"endpoint_mode" choices:"vip,dnsrr" doc:"How the service's name is resolved."`
	Networks        []any               `arg:"networks" doc:"Its networks: names, or dictionaries with name, aliases and options."`
	Mounts          []serviceMount      `arg:"mounts" doc:"Its mounts."`
	Configs         []serviceConfig     `arg:"configs" doc:"Configs of the swarm that its containers see as files."`
	Secrets         []serviceSecret     `arg:"secrets" doc:"Secrets of the swarm that its containers see as files."`
	Labels          map[string]any      `arg:"labels" doc:"Labels of the service."`
	ContainerLabels map[string]any      `arg:"container_labels" doc:"Labels of its containers."`
	Placement       *servicePlacement   `arg:"placement" doc:"The nodes that its containers run on."`
	Limits          *serviceResources   `arg:"limits" doc:"What a container may use."`
	Reservations    *serviceResources   `arg:"reservations" doc:"What is kept for a container."`
	RestartConfig   *serviceRestart     `arg:"restart_config" doc:"When containers are started again."`
	UpdateConfig    *serviceUpdate      `arg:"update_config" doc:"How updates go."`
	RollbackConfig  *serviceUpdate      `arg:"rollback_config" doc:"How rollbacks go."`
	Logging         *serviceLogging     `arg:"logging" doc:"The logging driver."`
	Healthcheck     *engine.Healthcheck `arg:"healthcheck" doc:"How it is found out whether a container is healthy."`
	Hostname        string              `arg:"hostname" doc:"The containers' host name."`
	Hosts           map[string]any      `arg:"hosts" doc:"Names and addresses for /etc/hosts."`
	DNS             []string            `arg:"dns" doc:"Name servers."`
	DNSSearch       []string            `arg:"dns_search" doc:"Domains to search."`
	DNSOptions      []string            `arg:"dns_options" doc:"Options of the resolver."`
	User            string              `arg:"user" doc:"The containers' user."`
	Groups          []string            `arg:"groups" doc:"Further groups of it."`
	WorkingDir      string              `arg:"working_dir" doc:"The working directory."`
	StopSignal      string              `arg:"stop_signal" doc:"The signal that stops a container."`
	StopGracePeriod string              `arg:"stop_grace_period" doc:"The time until it is killed."`
	ReadOnly        *bool               `arg:"read_only" doc:"The root file system is read-only."`
	Init            *bool               `arg:"init" doc:"Run an init process inside."`
	TTY             *bool               `arg:"tty" doc:"Give it a terminal."`
	CapAdd          []string            `arg:"cap_add" doc:"Capabilities to add."`
	CapDrop         []string            `arg:"cap_drop" doc:"Capabilities to take away."`
	ForceUpdate     bool                `arg:"force_update" doc:"Make all containers anew."`
}

type servicePort struct {
	PublishedPort int    `arg:"published_port" doc:"The port outside."`
	TargetPort    int    `arg:"target_port" required:"true" doc:"The port inside."`
	Protocol      string `arg:"protocol" default:"tcp" choices:"tcp,udp" doc:"The protocol."`
	Mode          string `arg:"mode" choices:"ingress,host" doc:"On all nodes, or on the container's."`
}

type serviceMount struct {
	Source       string         `arg:"source" doc:"A path of the node or a volume."`
	Target       string         `arg:"target" required:"true" doc:"The path inside."`
	Type         string         `arg:"type" default:"bind" choices:"bind,volume,tmpfs,npipe" doc:"What is mounted."`
	ReadOnly     *bool          `arg:"readonly" doc:"Whether it is read-only."`
	Labels       map[string]any `arg:"labels" doc:"Labels of a new volume."`
	NoCopy       *bool          `arg:"no_copy" doc:"Do not fill a new volume from the image."`
	Propagation  string         `arg:"propagation" choices:"shared,slave,private,rshared,rslave,rprivate" doc:"Propagation of a bind mount."`
	TmpfsSize    string         `arg:"tmpfs_size" doc:"The size of a tmpfs."`
	TmpfsMode    string         `arg:"tmpfs_mode" doc:"The permissions of a tmpfs, octal."`
	DriverConfig *serviceDriver `arg:"driver_config" doc:"The volume's driver."`
}

type serviceDriver struct {
	Name    string         `arg:"name" doc:"The driver's name."`
	Options map[string]any `arg:"options" doc:"Its options."`
}

type servicePlacement struct {
	Constraints []string `arg:"constraints" doc:"Conditions such as node.role == manager."`
	Preferences []any    `arg:"preferences" doc:"Labels to spread over: {spread: node.labels.zone}."`
	MaxPerNode  int      `arg:"replicas_max_per_node" doc:"How many at most on a node."`
}

type serviceResources struct {
	CPUs   float64 `arg:"cpus" doc:"CPUs."`
	Memory string  `arg:"memory" doc:"Memory."`
}

type serviceRestart struct {
	Condition   string `arg:"condition" choices:"none,on-failure,any" doc:"When."`
	Delay       string `arg:"delay" doc:"The time between two."`
	MaxAttempts *int   `arg:"max_attempts" doc:"How often."`
	Window      string `arg:"window" doc:"The time in which that counts."`
}

type serviceUpdate struct {
	Parallelism     *int     `arg:"parallelism" doc:"How many at once; 0 is all."`
	Delay           string   `arg:"delay" doc:"The time between two."`
	FailureAction   string   `arg:"failure_action" choices:"continue,pause,rollback" doc:"What a failure leads to."`
	Monitor         string   `arg:"monitor" doc:"How long a container is watched."`
	MaxFailureRatio *float64 `arg:"max_failure_ratio" doc:"How much failure is bearable."`
	Order           string   `arg:"order" doc:"stop-first or start-first."`
}

type serviceLogging struct {
	Driver  string         `arg:"driver" doc:"The driver."`
	Options map[string]any `arg:"options" doc:"Its options."`
}

func dockerSwarmService(ctx context.Context, c *Call, a dockerSwarmServiceArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	j := serviceJob{a, ctx, c, docker}
	have, _, err := docker.ServiceInspectWithRaw(ctx, a.Name, swarm.ServiceInspectOptions{})
	exists := err == nil
	if err != nil && !errdefs.IsNotFound(err) {
		return nil, engine.Failure("inspecting service "+a.Name, err)
	}
	switch {
	case a.State == "absent" && !exists:
		return Result{"msg": "Service absent"}, nil
	case a.State == "absent":
		err := c.Change(Diff{Path: a.Name, Before: "present", After: "absent"}, func(host.Writer) error {
			return engine.Failure("removing service "+a.Name, docker.ServiceRemove(ctx, have.ID))
		})
		return Result{"msg": "Service removed"}, err
	case !exists:
		return j.create()
	}
	return j.update(have)
}

type serviceJob struct {
	dockerSwarmServiceArgs
	ctx    context.Context
	c      *Call
	docker *client.Client
}

// fresh is the specification of a new service.
func (j serviceJob) fresh() (swarm.ServiceSpec, error) {
	spec := swarm.ServiceSpec{Annotations: swarm.Annotations{Name: j.Name}}
	spec.TaskTemplate.ContainerSpec = &swarm.ContainerSpec{}
	if j.Image == "" {
		return spec, errors.New("a new service needs an image")
	}
	if j.Replicas < 0 {
		j.Replicas = 1
	}
	return spec, j.apply(&spec)
}

func (j serviceJob) create() (Result, error) {
	spec, err := j.fresh()
	if err != nil {
		return nil, err
	}
	err = j.c.Change(Diff{Path: j.Name, Before: "absent", After: engine.Plain(spec)}, func(host.Writer) error {
		done, err := j.docker.ServiceCreate(j.ctx, spec, swarm.ServiceCreateOptions{QueryRegistry: j.ResolveImage})
		for _, w := range done.Warnings {
			j.c.Warn("Docker warning: " + w)
		}
		return engine.Failure("creating service "+j.Name, err)
	})
	return j.result("Service created", false, err)
}

// update changes what the arguments say and leaves the rest.
func (j serviceJob) update(have swarm.Service) (Result, error) {
	replicated := have.Spec.Mode.Replicated != nil
	if replicated != (j.Mode == "replicated") {
		return j.rebuild(have)
	}
	want := copyOf(have.Spec)
	if err := j.apply(&want); err != nil {
		return nil, err
	}
	before, after := engine.Plain(have.Spec), engine.Plain(want)
	if reflect.DeepEqual(before, after) {
		return j.result("Service unchanged", false, nil)
	}
	err := j.c.Change(Diff{Path: j.Name, Before: before, After: after}, func(host.Writer) error {
		return engine.Failure("updating service "+j.Name, j.replace(have, want))
	})
	return j.result("Service updated", false, err)
}

// replace updates the service, again when the swarm was about it meanwhile.
func (j serviceJob) replace(have swarm.Service, want swarm.ServiceSpec) error {
	for try := 0; ; try++ {
		done, err := j.docker.ServiceUpdate(j.ctx, have.ID, have.Version, want, swarm.ServiceUpdateOptions{QueryRegistry: j.ResolveImage})
		for _, w := range done.Warnings {
			j.c.Warn("Docker warning: " + w)
		}
		if err == nil || try == 5 || !strings.Contains(err.Error(), "update out of sequence") {
			return err
		}
		if have, _, err = j.docker.ServiceInspectWithRaw(j.ctx, have.ID, swarm.ServiceInspectOptions{}); err != nil {
			return err
		}
	}
}

// rebuild makes a service of another mode.
func (j serviceJob) rebuild(have swarm.Service) (Result, error) {
	if _, err := j.fresh(); err != nil {
		return nil, err
	}
	err := j.c.Change(Diff{Path: j.Name, Before: "present", After: "removed"}, func(host.Writer) error {
		return engine.Failure("removing service "+j.Name, j.docker.ServiceRemove(j.ctx, have.ID))
	})
	if err != nil {
		return nil, err
	}
	r, err := j.create()
	if r != nil {
		r["rebuilt"], r["msg"] = true, "Service rebuilt"
	}
	return r, err
}

func (j serviceJob) result(msg string, rebuilt bool, err error) (Result, error) {
	r := Result{"msg": msg, "rebuilt": rebuilt}
	if err != nil || j.c.Check() {
		return r, err
	}
	now, _, err := j.docker.ServiceInspectWithRaw(j.ctx, j.Name, swarm.ServiceInspectOptions{})
	r["swarm_service"] = engine.Plain(now)
	return r, engine.Failure("inspecting service "+j.Name, err)
}

// apply puts what was given into the specification.
func (j serviceJob) apply(s *swarm.ServiceSpec) error {
	for _, step := range []func(*swarm.ServiceSpec) error{j.mode, j.process, j.environment, j.attach, j.storage, j.files, j.schedule, j.rollout} {
		if err := step(s); err != nil {
			return err
		}
	}
	return nil
}

func (j serviceJob) mode(s *swarm.ServiceSpec) error {
	if j.Mode == "global" {
		s.Mode = swarm.ServiceMode{Global: &swarm.GlobalService{}}
	} else if j.Replicas >= 0 {
		n := uint64(j.Replicas)
		s.Mode = swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &n}}
	}
	if j.Labels != nil {
		s.Labels = scalars(j.Labels)
	}
	if j.ForceUpdate {
		s.TaskTemplate.ForceUpdate++
	}
	return nil
}

// give sets what was given.
func give[T any](to *T, given bool, value T) {
	if given {
		*to = value
	}
}

func (j serviceJob) process(s *swarm.ServiceSpec) error {
	c := s.TaskTemplate.ContainerSpec
	command, err := engine.Words(j.Command)
	if err != nil {
		return fmt.Errorf("command: %w", err)
	}
	// The engine pins images to digests where it can ask the registry.
	give(&c.Image, j.Image != "" && !strings.HasPrefix(c.Image, engine.WithTag(j.Image, "")+"@"), j.Image)
	give(&c.Command, command != nil, command)
	give(&c.Args, j.Args != nil, j.Args)
	give(&c.Hostname, j.Hostname != "", j.Hostname)
	give(&c.User, j.User != "", j.User)
	give(&c.Groups, j.Groups != nil, j.Groups)
	give(&c.Dir, j.WorkingDir != "", j.WorkingDir)
	give(&c.StopSignal, j.StopSignal != "", j.StopSignal)
	give(&c.Labels, j.ContainerLabels != nil, scalars(j.ContainerLabels))
	give(&c.Init, j.Init != nil, j.Init)
	give(&c.CapabilityAdd, j.CapAdd != nil, j.CapAdd)
	give(&c.CapabilityDrop, j.CapDrop != nil, j.CapDrop)
	give(&c.ReadOnly, j.ReadOnly != nil, j.ReadOnly != nil && *j.ReadOnly)
	give(&c.TTY, j.TTY != nil, j.TTY != nil && *j.TTY)
	if j.DNS != nil || j.DNSSearch != nil || j.DNSOptions != nil {
		c.DNSConfig = &swarm.DNSConfig{Nameservers: j.DNS, Search: j.DNSSearch, Options: j.DNSOptions}
	}
	if j.Hosts != nil {
		c.Hosts = nil
		for _, name := range slices.Sorted(maps.Keys(j.Hosts)) {
			c.Hosts = append(c.Hosts, engine.Text(j.Hosts[name])+" "+name)
		}
	}
	if j.Healthcheck != nil {
		if c.Healthcheck, err = j.Healthcheck.Config(); err != nil {
			return fmt.Errorf("healthcheck: %w", err)
		}
	}
	return givenTime(&c.StopGracePeriod, "stop_grace_period", j.StopGracePeriod)
}

func givenTime(to **time.Duration, arg, text string) error {
	if text == "" {
		return nil
	}
	d, err := engine.Duration(text)
	if err != nil {
		return fmt.Errorf("%s: %w", arg, err)
	}
	*to = &d
	return nil
}

func (j serviceJob) environment(s *swarm.ServiceSpec) error {
	if j.Env == nil && j.EnvFiles == nil {
		return nil
	}
	env := map[string]string{}
	for _, f := range j.EnvFiles {
		text, err := j.c.ReadFile(f)
		if err != nil {
			return err
		}
		maps.Copy(env, engine.EnvFile(string(text)))
	}
	switch given := j.Env.(type) {
	case map[string]any:
		maps.Copy(env, scalars(given))
	default:
		lines, err := toList(given)
		if given != nil && err != nil {
			return fmt.Errorf("env: %w", err)
		}
		for _, line := range lines {
			name, value, _ := strings.Cut(engine.Text(line), "=")
			env[name] = value
		}
	}
	s.TaskTemplate.ContainerSpec.Env = engine.Pairs(env)
	return nil
}

func (j serviceJob) attach(s *swarm.ServiceSpec) error {
	if j.Publish != nil || j.EndpointMode != "" {
		if s.EndpointSpec == nil {
			s.EndpointSpec = &swarm.EndpointSpec{Mode: swarm.ResolutionModeVIP}
		}
		give(&s.EndpointSpec.Mode, j.EndpointMode != "", swarm.ResolutionMode(j.EndpointMode))
	}
	if j.Publish != nil {
		s.EndpointSpec.Ports = nil
		for _, p := range j.Publish {
			mode := swarm.PortConfigPublishModeIngress
			give(&mode, p.Mode != "", swarm.PortConfigPublishMode(p.Mode))
			s.EndpointSpec.Ports = append(s.EndpointSpec.Ports, swarm.PortConfig{Protocol: swarm.PortConfigProtocol(p.Protocol),
				TargetPort: uint32(p.TargetPort), PublishedPort: uint32(p.PublishedPort), PublishMode: mode})
		}
	}
	if j.Networks == nil {
		return nil
	}
	s.TaskTemplate.Networks = nil
	for _, n := range j.Networks {
		one, err := j.network(n)
		if err != nil {
			return err
		}
		s.TaskTemplate.Networks = append(s.TaskTemplate.Networks, one)
	}
	return nil
}

// network is one of networks, by its id as the engine keeps it.
func (j serviceJob) network(given any) (n swarm.NetworkAttachmentConfig, err error) {
	name := engine.Text(given)
	if fields, ok := given.(map[string]any); ok {
		name = engine.Text(fields["name"])
		aliases, _ := fields["aliases"].([]any)
		for _, alias := range aliases {
			n.Aliases = append(n.Aliases, engine.Text(alias))
		}
		if options, ok := fields["options"].(map[string]any); ok {
			n.DriverOpts = scalars(options)
		}
	}
	found, err := j.docker.NetworkInspect(j.ctx, name, network.InspectOptions{})
	n.Target = found.ID
	return n, engine.Failure("inspecting network "+name, err)
}

func (j serviceJob) storage(s *swarm.ServiceSpec) error {
	if j.Mounts == nil {
		return nil
	}
	var list []engine.Mount
	for _, m := range j.Mounts {
		one := engine.Mount{Source: m.Source, Target: m.Target, Type: m.Type, ReadOnly: m.ReadOnly, Labels: m.Labels,
			NoCopy: m.NoCopy, Propagation: m.Propagation, TmpfsSize: m.TmpfsSize, TmpfsMode: m.TmpfsMode}
		if m.DriverConfig != nil {
			one.VolumeDriver, one.VolumeOptions = m.DriverConfig.Name, m.DriverConfig.Options
		}
		list = append(list, one)
	}
	mounts, err := engine.Mounts(list)
	s.TaskTemplate.ContainerSpec.Mounts = mounts
	return err
}

func (j serviceJob) schedule(s *swarm.ServiceSpec) error {
	t := &s.TaskTemplate
	if p := j.Placement; p != nil {
		if t.Placement == nil {
			t.Placement = &swarm.Placement{}
		}
		give(&t.Placement.Constraints, p.Constraints != nil, p.Constraints)
		give(&t.Placement.MaxReplicas, p.MaxPerNode > 0, uint64(p.MaxPerNode))
		if p.Preferences != nil {
			t.Placement.Preferences = nil
		}
		for _, preference := range p.Preferences {
			fields, _ := preference.(map[string]any)
			t.Placement.Preferences = append(t.Placement.Preferences,
				swarm.PlacementPreference{Spread: &swarm.SpreadOver{SpreadDescriptor: engine.Text(fields["spread"])}})
		}
	}
	if (j.Limits != nil || j.Reservations != nil) && t.Resources == nil {
		t.Resources = &swarm.ResourceRequirements{}
	}
	if r := j.Limits; r != nil {
		bytes, err := engine.Bytes(r.Memory)
		if err != nil {
			return fmt.Errorf("limits: %w", err)
		}
		t.Resources.Limits = &swarm.Limit{NanoCPUs: int64(r.CPUs * 1e9), MemoryBytes: bytes}
	}
	if r := j.Reservations; r != nil {
		bytes, err := engine.Bytes(r.Memory)
		if err != nil {
			return fmt.Errorf("reservations: %w", err)
		}
		t.Resources.Reservations = &swarm.Resources{NanoCPUs: int64(r.CPUs * 1e9), MemoryBytes: bytes}
	}
	if l := j.Logging; l != nil {
		t.LogDriver = &swarm.Driver{Name: l.Driver, Options: scalars(l.Options)}
	}
	return nil
}

func (j serviceJob) rollout(s *swarm.ServiceSpec) error {
	if r := j.RestartConfig; r != nil {
		if s.TaskTemplate.RestartPolicy == nil {
			s.TaskTemplate.RestartPolicy = &swarm.RestartPolicy{}
		}
		p := s.TaskTemplate.RestartPolicy
		give(&p.Condition, r.Condition != "", swarm.RestartPolicyCondition(r.Condition))
		if r.MaxAttempts != nil {
			n := uint64(*r.MaxAttempts)
			p.MaxAttempts = &n
		}
		if err := errors.Join(givenTime(&p.Delay, "restart_config", r.Delay), givenTime(&p.Window, "restart_config", r.Window)); err != nil {
			return err
		}
	}
	return errors.Join(j.UpdateConfig.set("update_config", &s.UpdateConfig), j.RollbackConfig.set("rollback_config", &s.RollbackConfig))
}

func (u *serviceUpdate) set(arg string, to **swarm.UpdateConfig) error {
	if u == nil {
		return nil
	}
	if *to == nil {
		*to = &swarm.UpdateConfig{Parallelism: 1, FailureAction: "pause", Order: "stop-first"}
	}
	c := *to
	delay, monitor := &c.Delay, &c.Monitor
	if err := errors.Join(givenTime(&delay, arg, u.Delay), givenTime(&monitor, arg, u.Monitor)); err != nil {
		return err
	}
	c.Delay, c.Monitor = *delay, *monitor
	if u.Parallelism != nil {
		c.Parallelism = uint64(*u.Parallelism)
	}
	if u.MaxFailureRatio != nil {
		c.MaxFailureRatio = float32(*u.MaxFailureRatio)
	}
	give(&c.FailureAction, u.FailureAction != "", u.FailureAction)
	give(&c.Order, u.Order != "", u.Order)
	return nil
}

// copyOf is a specification that shares nothing with s.
func copyOf(s swarm.ServiceSpec) swarm.ServiceSpec {
	var out swarm.ServiceSpec
	raw, _ := json.Marshal(s)
	json.Unmarshal(raw, &out)
	if out.TaskTemplate.ContainerSpec == nil {
		out.TaskTemplate.ContainerSpec = &swarm.ContainerSpec{}
	}
	return out
}
