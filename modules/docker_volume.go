package modules

import (
	"context"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/volume"

	"gplay/modules/engine"
	"gplay/modules/host"
)

// DockerVolume makes and removes volumes.
var DockerVolume = define("docker_volume", "make and remove Docker volumes",
	dockerVolumeArgs{State: "present", Driver: "local", Recreate: "never"}, dockerVolume)

type dockerVolumeArgs struct {
	dockerEngineArgs
	Name          string         `arg:"volume_name" alias:"name" required:"true" doc:"The volume's name."`
	State         string         `arg:"state" choices:"present,absent" doc:"Whether it is there."`
	Driver        string         `arg:"driver" doc:"Its driver."`
	DriverOptions map[string]any `arg:"driver_options" doc:"The driver's options."`
	Labels        map[string]any `arg:"labels" doc:"Its labels."`
	Recreate      string         `arg:"recreate" choices:"always,never,options-changed" doc:"When it is made anew, which loses its data."`
}

func dockerVolume(ctx context.Context, c *Call, a dockerVolumeArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	have, err := docker.VolumeInspect(ctx, a.Name)
	exists := err == nil
	if err != nil && !errdefs.IsNotFound(err) {
		return nil, engine.Failure("inspecting volume "+a.Name, err)
	}
	before, after := a.differences(have)
	remove := exists && (a.State == "absent" || a.Recreate == "always" || a.Recreate == "options-changed" && len(after) > 0)
	if remove {
		diff := Diff{Path: a.Name, Before: engine.Plain(before), After: engine.Plain(after)}
		if len(after) == 0 {
			diff.Before, diff.After = "present", "absent"
		}
		err := c.Change(diff, func(host.Writer) error {
			return engine.Failure("removing volume "+a.Name, docker.VolumeRemove(ctx, a.Name, false))
		})
		if err != nil {
			return nil, err
		}
	}
	if a.State == "absent" {
		return Result{}, nil
	}
	if remove || !exists {
		err := c.Change(Diff{Path: a.Name, Before: "absent", After: "present"}, func(host.Writer) error {
			options := volume.CreateOptions{Name: a.Name, Driver: a.Driver, DriverOpts: scalars(a.DriverOptions), Labels: scalars(a.Labels)}
			have, err = docker.VolumeCreate(ctx, options)
			return engine.Failure("creating volume "+a.Name, err)
		})
		if err != nil {
			return nil, err
		}
	}
	return Result{"volume": engine.Plain(have)}, nil
}

// differences are the options that need another volume.
func (a dockerVolumeArgs) differences(have volume.Volume) (before, after map[string]any) {
	before, after = map[string]any{}, map[string]any{}
	if have.Driver != a.Driver {
		before["driver"], after["driver"] = have.Driver, a.Driver
	}
	if !hasOptions(a.DriverOptions, have.Options) {
		before["driver_options"], after["driver_options"] = have.Options, a.DriverOptions
	}
	if !hasOptions(a.Labels, have.Labels) {
		before["labels"], after["labels"] = have.Labels, a.Labels
	}
	return before, after
}
