package modules

import (
	"context"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"

	"gplay/modules/engine"
)

// DockerHostInfo looks at an engine.
var DockerHostInfo = define("docker_host_info", "look at a Docker engine and what it has", dockerHostInfoArgs{}, dockerHostInfo)

type dockerHostInfoArgs struct {
	dockerEngineArgs
	Containers bool `arg:"containers" doc:"List its containers."`
	AllStates  bool `arg:"containers_all" doc:"Also those that do not run."`
	Images     bool `arg:"images" doc:"List its images."`
	Networks   bool `arg:"networks" doc:"List its networks."`
	Volumes    bool `arg:"volumes" doc:"List its volumes."`
}

func dockerHostInfo(ctx context.Context, c *Call, a dockerHostInfoArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	r := Result{"can_talk_to_docker": true}
	for _, part := range []struct {
		wanted bool
		name   string
		get    func() (any, error)
	}{
		{true, "host_info", func() (any, error) { return docker.Info(ctx) }},
		{a.Containers, "containers", func() (any, error) {
			return docker.ContainerList(ctx, container.ListOptions{All: a.AllStates})
		}},
		{a.Images, "images", func() (any, error) { return docker.ImageList(ctx, image.ListOptions{}) }},
		{a.Networks, "networks", func() (any, error) { return docker.NetworkList(ctx, network.ListOptions{}) }},
		{a.Volumes, "volumes", func() (any, error) {
			list, err := docker.VolumeList(ctx, volume.ListOptions{})
			return list.Volumes, err
		}},
	} {
		if !part.wanted {
			continue
		}
		found, err := part.get()
		if err != nil {
			return nil, engine.Failure("inspecting docker host: "+part.name, err)
		}
		r[part.name] = engine.Plain(found)
	}
	return r, nil
}
