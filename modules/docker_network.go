package modules

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"gplay/modules/engine"
	"gplay/modules/host"
)

// DockerNetwork makes and removes networks, and connects containers to them.
var DockerNetwork = define("docker_network", "make and remove Docker networks, connect containers to them",
	dockerNetworkArgs{State: "present", Driver: "bridge"}, dockerNetwork)

type dockerNetworkArgs struct {
	dockerEngineArgs
	Name              string         `arg:"name" alias:"network_name" required:"true" doc:"The network's name."`
	State             string         `arg:"state" choices:"present,absent" doc:"Whether it is there; absent disconnects its containers."`
	Driver            string         `arg:"driver" doc:"Its driver."`
	DriverOptions     map[string]any `arg:"driver_options" doc:"The driver's options."`
	Attachable        *bool          `arg:"attachable" doc:"Containers may be connected to a swarm's network."`
	Internal          *bool          `arg:"internal" doc:"It leads nowhere outside."`
	EnableIPv6        *bool          `arg:"enable_ipv6" doc:"It has IPv6."`
	Scope             string         `arg:"scope" choices:"local,global,swarm" doc:"Where it is known."`
	Labels            map[string]any `arg:"labels" doc:"Its labels."`
	IPAMDriver        string         `arg:"ipam_driver" doc:"What gives out its addresses."`
	IPAMDriverOptions map[string]any `arg:"ipam_driver_options" doc:"That driver's options."`
	IPAMConfig        []ipamConfig   `arg:"ipam_config" doc:"Its subnets."`
	Connected         []string       `arg:"connected" alias:"containers" doc:"The containers that are connected to it; none leaves them as they are."`
	Appends           bool           `arg:"appends" alias:"incremental" doc:"Other containers stay connected."`
	Force             bool           `arg:"force" doc:"Make it anew even if nothing differs."`
}

type ipamConfig struct {
	Subnet       string         `arg:"subnet" doc:"The subnet."`
	IPRange      string         `arg:"iprange" doc:"The part of it that addresses are from."`
	Gateway      string         `arg:"gateway" doc:"Its gateway."`
	AuxAddresses map[string]any `arg:"aux_addresses" doc:"Addresses that are taken."`
}

func dockerNetwork(ctx context.Context, c *Call, a dockerNetworkArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	j := networkJob{a, ctx, c, docker}
	have, err := j.find()
	if err != nil {
		return nil, err
	}
	if a.State == "absent" {
		if have == nil {
			return Result{}, nil
		}
		return Result{}, j.change(have.Name, "present", "absent", func() error { return j.remove(have) })
	}
	if have, err = j.present(have); err != nil {
		return nil, err
	}
	if err := j.connect(have); err != nil {
		return nil, err
	}
	if have, err = j.find(); have == nil || err != nil {
		return Result{"network": map[string]any{}}, err
	}
	return Result{"network": engine.Plain(have)}, nil
}

type networkJob struct {
	dockerNetworkArgs
	ctx    context.Context
	c      *Call
	docker *client.Client
}

func (j networkJob) change(what string, before, after any, do func() error) error {
	return j.c.Change(Diff{Path: what, Before: before, After: after}, func(host.Writer) error { return do() })
}

func (j networkJob) find() (*network.Inspect, error) {
	n, err := j.docker.NetworkInspect(j.ctx, j.Name, network.InspectOptions{})
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, engine.Failure("inspecting network "+j.Name, err)
	}
	return &n, nil
}

// present makes the network, anew when it differs, with the containers that
// were on it.
func (j networkJob) present(have *network.Inspect) (*network.Inspect, error) {
	if have == nil {
		return nil, j.change(j.Name, "absent", "present", j.create)
	}
	before, after := j.differences(have)
	if len(after) == 0 && !j.Force {
		return have, nil
	}
	err := j.change(j.Name, before, after, func() error {
		if err := j.remove(have); err != nil {
			return err
		}
		return j.create()
	})
	if err == nil && (j.Appends || len(j.Connected) == 0) && !j.c.Check() {
		for _, container := range have.Containers {
			err = errors.Join(err, engine.Failure("connecting container "+container.Name, j.docker.NetworkConnect(j.ctx, j.Name, container.Name, nil)))
		}
	}
	if j.c.Check() {
		return have, err
	}
	now, failed := j.find()
	return now, errors.Join(err, failed)
}

func (j networkJob) create() error {
	options := network.CreateOptions{Driver: j.Driver, Options: scalars(j.DriverOptions), Labels: scalars(j.Labels), Scope: j.Scope,
		Attachable: j.Attachable != nil && *j.Attachable, Internal: j.Internal != nil && *j.Internal, EnableIPv6: j.EnableIPv6}
	if j.IPAMDriver != "" || j.IPAMDriverOptions != nil || j.IPAMConfig != nil {
		options.IPAM = &network.IPAM{Driver: j.IPAMDriver, Options: scalars(j.IPAMDriverOptions), Config: j.ipam()}
	}
	made, err := j.docker.NetworkCreate(j.ctx, j.Name, options)
	if made.Warning != "" {
		j.c.Warn("Docker warning: " + made.Warning)
	}
	return engine.Failure("creating network "+j.Name, err)
}

func (j networkJob) ipam() []network.IPAMConfig {
	var out []network.IPAMConfig
	for _, c := range j.IPAMConfig {
		out = append(out, network.IPAMConfig{Subnet: c.Subnet, IPRange: c.IPRange, Gateway: c.Gateway, AuxAddress: scalars(c.AuxAddresses)})
	}
	return out
}

// scalars makes text of values.
func scalars(m map[string]any) map[string]string {
	if m == nil {
		return nil
	}
	out := map[string]string{}
	for k, v := range m {
		out[k] = engine.Text(v)
	}
	return out
}

// differences are the options that need another network.
func (j networkJob) differences(have *network.Inspect) (before, after map[string]any) {
	before, after = map[string]any{}, map[string]any{}
	differ := func(name string, wanted bool, is, want any) {
		if wanted {
			before[name], after[name] = is, want
		}
	}
	flag := func(name string, want *bool, is bool) { differ(name, want != nil && *want != is, is, want) }
	differ("driver", j.Driver != "" && j.Driver != have.Driver, have.Driver, j.Driver)
	differ("driver_options", !hasOptions(j.DriverOptions, have.Options), have.Options, j.DriverOptions)
	differ("labels", !hasOptions(j.Labels, have.Labels), have.Labels, j.Labels)
	differ("scope", j.Scope != "" && j.Scope != have.Scope, have.Scope, j.Scope)
	differ("ipam_driver", j.IPAMDriver != "" && j.IPAMDriver != have.IPAM.Driver, have.IPAM.Driver, j.IPAMDriver)
	differ("ipam_driver_options", !hasOptions(j.IPAMDriverOptions, have.IPAM.Options), have.IPAM.Options, j.IPAMDriverOptions)
	differ("ipam_config", !sameIPAM(j.ipam(), have.IPAM.Config), have.IPAM.Config, j.IPAMConfig)
	flag("attachable", j.Attachable, have.Attachable)
	flag("internal", j.Internal, have.Internal)
	flag("enable_ipv6", j.EnableIPv6, have.EnableIPv6)
	for k := range after {
		before[k], after[k] = engine.Plain(before[k]), engine.Plain(after[k])
	}
	return before, after
}

// hasOptions reports whether have has all that is wanted.
func hasOptions(want map[string]any, have map[string]string) bool {
	for k, v := range want {
		if got, ok := have[k]; !ok || got != engine.Text(v) {
			return false
		}
	}
	return true
}

func sameIPAM(want, have []network.IPAMConfig) bool {
	for _, w := range want {
		same := func(h network.IPAMConfig) bool {
			return (w.Subnet == "" || strings.EqualFold(w.Subnet, h.Subnet)) && (w.Gateway == "" || w.Gateway == h.Gateway) &&
				(w.IPRange == "" || w.IPRange == h.IPRange) && (w.AuxAddress == nil || maps.Equal(w.AuxAddress, h.AuxAddress))
		}
		if !slices.ContainsFunc(have, same) {
			return false
		}
	}
	return want == nil || len(want) == len(have)
}

func (j networkJob) remove(have *network.Inspect) error {
	for _, container := range have.Containers {
		if err := j.docker.NetworkDisconnect(j.ctx, have.ID, container.Name, true); err != nil && !errdefs.IsNotFound(err) {
			return engine.Failure("disconnecting container "+container.Name, err)
		}
	}
	return engine.Failure("removing network "+j.Name, j.docker.NetworkRemove(j.ctx, have.ID))
}

// connect connects the containers, and disconnects the others without appends.
func (j networkJob) connect(have *network.Inspect) error {
	on := map[string]bool{}
	if have != nil {
		for id, container := range have.Containers {
			on[container.Name] = true
			on[id] = true
			if !j.Appends && !slices.Contains(j.Connected, container.Name) && !slices.Contains(j.Connected, id) && len(j.Connected) > 0 {
				err := j.change(j.Name, "connected: "+container.Name, "disconnected: "+container.Name, func() error {
					return engine.Failure("disconnecting container "+container.Name, j.docker.NetworkDisconnect(j.ctx, j.Name, id, true))
				})
				if err != nil {
					return err
				}
			}
		}
	}
	for _, name := range j.Connected {
		if on[name] {
			continue
		}
		err := j.change(j.Name, "", "connected: "+name, func() error {
			return engine.Failure("connecting container "+name, j.docker.NetworkConnect(j.ctx, j.Name, name, nil))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
