package engine

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/blkiodev"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"
	"github.com/docker/go-units"
)

// Spec is a container in the engine's own terms.
type Spec struct {
	Config   *container.Config
	Host     *container.HostConfig
	Networks map[string]*network.EndpointSettings
	Order    []string // of Networks; the first is given at creation
}

// Place is where a container is described: its paths are relative to it.
type Place struct {
	Dir, Home string
	ReadFile  func(string) ([]byte, error)
}

// Spec puts c in the engine's terms; img, its image, may be nil.
func (c Container) Spec(img *image.InspectResponse, p Place) (*Spec, error) {
	s := &Spec{Config: &container.Config{}, Host: &container.HostConfig{}, Networks: map[string]*network.EndpointSettings{}}
	for _, step := range []func(*Spec, Place) error{c.process, c.environment, c.ports, c.storage, c.limits, c.devices, c.system, c.health, c.networks} {
		if err := step(s, p); err != nil {
			return nil, err
		}
	}
	s.Config.Image = c.imageName(img)
	return s, nil
}

func (c Container) imageName(img *image.InspectResponse) string {
	if img == nil {
		return ""
	}
	return img.ID
}

func (c Container) process(s *Spec, _ Place) (err error) {
	cfg := s.Config
	if cfg.Cmd, err = Words(c.Command); err != nil {
		return fmt.Errorf("command: %w", err)
	}
	cfg.Entrypoint = c.Entrypoint
	cfg.Hostname, cfg.Domainname = c.Hostname, c.Domainname
	cfg.User, cfg.WorkingDir = c.User, c.WorkingDir
	cfg.Tty, cfg.OpenStdin = isSet(c.TTY), isSet(c.Interactive)
	cfg.StopSignal, cfg.StopTimeout = c.StopSignal, c.StopTimeout
	cfg.Labels = texts(c.Labels)
	cfg.MacAddress = c.MacAddress //lint:ignore SA1019 engines before API 1.44 know no other place
	return nil
}

func (c Container) environment(s *Spec, p Place) error {
	env := map[string]string{}
	if c.EnvFile != "" {
		text, err := p.ReadFile(c.EnvFile)
		if err != nil {
			return err
		}
		env = EnvFile(string(text))
	}
	for k, v := range c.Env {
		text, ok := v.(string)
		if !ok && v != nil {
			return fmt.Errorf("Non-string value found for env option. Ambiguous env options must be wrapped in quotes to avoid them being interpreted. Key: %s", k)
		}
		env[k] = text
	}
	s.Config.Env = Pairs(env)
	return nil
}

// EnvFile reads NAME=value lines.
func EnvFile(text string) map[string]string {
	env := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			env[name] = value
		}
	}
	return env
}

func (c Container) ports(s *Spec, _ Place) error {
	ip := "0.0.0.0"
	if c.DefaultHostIP != nil {
		ip = *c.DefaultHostIP
	}
	bindings, all, err := published(c.PublishedPorts, ip)
	if err != nil {
		return err
	}
	open, err := exposed(c.ExposedPorts)
	if err != nil {
		return err
	}
	for port := range bindings {
		open[port] = struct{}{}
	}
	for _, l := range c.Links {
		name, alias, ok := strings.Cut(l, ":")
		if !ok {
			alias = name
		}
		s.Host.Links = append(s.Host.Links, name+":"+alias)
	}
	s.Config.ExposedPorts, s.Host.PortBindings = open, bindings
	s.Host.PublishAllPorts = all || isSet(c.PublishAllPorts)
	return nil
}

func (c Container) storage(s *Spec, p Place) (err error) {
	if s.Host.Binds, s.Config.Volumes, err = volumes(c.Volumes, p.Dir, p.Home); err != nil {
		return err
	}
	if s.Host.Mounts, err = Mounts(c.Mounts); err != nil {
		return err
	}
	s.Host.VolumeDriver, s.Host.VolumesFrom = c.VolumeDriver, c.VolumesFrom
	s.Host.StorageOpt = texts(c.StorageOpts)
	for _, t := range c.Tmpfs {
		if s.Host.Tmpfs == nil {
			s.Host.Tmpfs = map[string]string{}
		}
		path, options, _ := strings.Cut(t, ":")
		s.Host.Tmpfs[path] = options
	}
	s.Host.ShmSize, err = Bytes(c.ShmSize)
	return named("shm_size", err)
}

func named(arg string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", arg, err)
	}
	return nil
}

func (c Container) limits(s *Spec, _ Place) (err error) {
	r := &s.Host.Resources
	for _, size := range []struct {
		arg, text string
		to        *int64
	}{{"memory", c.Memory, &r.Memory}, {"memory_reservation", c.MemoryReservation, &r.MemoryReservation},
		{"memory_swap", c.MemorySwap, &r.MemorySwap}, {"kernel_memory", c.KernelMemory, &r.KernelMemory}} {
		if *size.to, err = Bytes(size.text); err != nil {
			return named(size.arg, err)
		}
	}
	if c.CPUs != nil {
		r.NanoCPUs = int64(math.Round(*c.CPUs * 1e9))
	}
	r.CPUPeriod, r.CPUQuota, r.CPUShares = number(c.CPUPeriod), number(c.CPUQuota), number(c.CPUShares)
	r.CpusetCpus, r.CpusetMems = c.CpusetCpus, c.CpusetMems
	r.BlkioWeight = uint16(number(c.BlkioWeight))
	r.MemorySwappiness, r.PidsLimit = pointed(c.MemorySwappiness), pointed(c.PidsLimit)
	if c.OomKiller != nil {
		off := !*c.OomKiller
		r.OomKillDisable = &off
	}
	r.CgroupParent = c.CgroupParent
	for _, u := range c.Ulimits {
		parsed, err := ulimit(u)
		if err != nil {
			return err
		}
		r.Ulimits = append(r.Ulimits, parsed)
	}
	return nil
}

func number(n *int) int64 {
	if n == nil {
		return 0
	}
	return int64(*n)
}

func pointed(n *int) *int64 {
	if n == nil {
		return nil
	}
	v := int64(*n)
	return &v
}

// ulimit reads name:soft:hard.
func ulimit(s string) (*units.Ulimit, error) {
	u, err := units.ParseUlimit(strings.Replace(strings.Replace(s, ":", "=", 1), ":", ":", 1))
	if err != nil {
		return nil, fmt.Errorf("a ulimit is name:soft:hard, got %q", s)
	}
	return u, nil
}

func (c Container) devices(s *Spec, _ Place) (err error) {
	r := &s.Host.Resources
	for _, d := range c.Devices {
		parts := strings.SplitN(d, ":", 3)
		m := container.DeviceMapping{PathOnHost: parts[0], PathInContainer: parts[0], CgroupPermissions: "rwm"}
		if len(parts) > 1 {
			m.PathInContainer = parts[1]
		}
		if len(parts) > 2 {
			m.CgroupPermissions = parts[2]
		}
		r.Devices = append(r.Devices, m)
	}
	for _, d := range c.DeviceRequests {
		req := container.DeviceRequest{Driver: d.Driver, Count: int(number(d.Count)), DeviceIDs: d.DeviceIDs, Options: texts(d.Options)}
		for _, all := range d.Capabilities {
			words, err := Words(all)
			if err != nil {
				return named("device_requests", err)
			}
			req.Capabilities = append(req.Capabilities, words)
		}
		r.DeviceRequests = append(r.DeviceRequests, req)
	}
	for _, limit := range []struct {
		arg   string
		rates []DeviceRate
		to    *[]*blkiodev.ThrottleDevice
	}{{"device_read_bps", c.DeviceReadBPS, &r.BlkioDeviceReadBps}, {"device_write_bps", c.DeviceWriteBPS, &r.BlkioDeviceWriteBps},
		{"device_read_iops", c.DeviceReadIOPS, &r.BlkioDeviceReadIOps}, {"device_write_iops", c.DeviceWriteIOPS, &r.BlkioDeviceWriteIOps}} {
		for _, rate := range limit.rates {
			n, err := Bytes(rate.Rate)
			if err != nil {
				return named(limit.arg, err)
			}
			*limit.to = append(*limit.to, &blkiodev.ThrottleDevice{Path: rate.Path, Rate: uint64(n)})
		}
	}
	return nil
}

func (c Container) system(s *Spec, _ Place) error {
	h := s.Host
	h.AutoRemove, h.Privileged, h.ReadonlyRootfs = isSet(c.AutoRemove), isSet(c.Privileged), isSet(c.ReadOnly)
	h.CapAdd, h.CapDrop = c.Capabilities, c.CapDrop
	h.CgroupnsMode, h.IpcMode = container.CgroupnsMode(c.CgroupnsMode), container.IpcMode(c.IpcMode)
	h.PidMode, h.UTSMode, h.UsernsMode = container.PidMode(c.PidMode), container.UTSMode(c.UTS), container.UsernsMode(c.UsernsMode)
	h.DNS, h.DNSOptions, h.DNSSearch = c.DNSServers, c.DNSOpts, c.DNSSearch
	for _, name := range slices.Sorted(maps.Keys(c.EtcHosts)) {
		h.ExtraHosts = append(h.ExtraHosts, name+":"+Text(c.EtcHosts[name]))
	}
	h.GroupAdd, h.SecurityOpt, h.Sysctls = c.Groups, c.SecurityOpts, texts(c.Sysctls)
	h.Init, h.Runtime = c.Init, c.Runtime
	h.OomScoreAdj = int(number(c.OomScoreAdj))
	h.LogConfig = container.LogConfig{Type: c.LogDriver, Config: texts(c.LogOptions)}
	h.RestartPolicy = container.RestartPolicy{Name: container.RestartPolicyMode(c.RestartPolicy), MaximumRetryCount: int(number(c.RestartRetries))}
	return nil
}

func (c Container) health(s *Spec, _ Place) error {
	check, err := c.Healthcheck.Config()
	s.Config.Healthcheck = check
	return named("healthcheck", err)
}

// Config is h in the engine's terms, nil for nil.
func (h *Healthcheck) Config() (*container.HealthConfig, error) {
	if h == nil {
		return nil, nil
	}
	cfg := &container.HealthConfig{Retries: int(number(h.Retries))}
	switch test := h.Test.(type) {
	case string:
		cfg.Test = []string{"CMD-SHELL", test}
		if test == "NONE" {
			return &container.HealthConfig{Test: []string{"NONE"}}, nil
		}
	default:
		words, err := Words(test)
		if err != nil {
			return nil, err
		}
		cfg.Test = words
	}
	for _, d := range []struct {
		text string
		to   *time.Duration
	}{{h.Interval, &cfg.Interval}, {h.Timeout, &cfg.Timeout}, {h.StartPeriod, &cfg.StartPeriod}} {
		if d.text == "" {
			continue
		}
		var err error
		if *d.to, err = Duration(d.text); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

// Duration reads a time such as 1m30s; a plain number is seconds.
func Duration(s string) (time.Duration, error) {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("a time is written such as 1m30s, got %q", s)
	}
	return d, nil
}

// networks makes the first network the container's mode, as docker run does.
func (c Container) networks(s *Spec, _ Place) error {
	for _, n := range c.Networks {
		end := &network.EndpointSettings{Aliases: n.Aliases, Links: n.Links}
		if n.IPv4Address != "" || n.IPv6Address != "" {
			end.IPAMConfig = &network.EndpointIPAMConfig{IPv4Address: n.IPv4Address, IPv6Address: n.IPv6Address}
		}
		s.Networks[n.Name] = end
		s.Order = append(s.Order, n.Name)
	}
	s.Host.NetworkMode = container.NetworkMode(c.NetworkMode)
	if c.NetworkMode == "" && len(s.Order) > 0 {
		s.Host.NetworkMode = container.NetworkMode(s.Order[0])
	}
	return nil
}

// portKeys are a set of ports, sorted.
func portKeys[V any](ports map[nat.Port]V) []string {
	var out []string
	for p := range ports {
		out = append(out, string(p))
	}
	slices.Sort(out)
	return out
}
