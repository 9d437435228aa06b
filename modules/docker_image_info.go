package modules

import (
	"context"

	"github.com/docker/docker/api/types/image"

	"gplay/modules/engine"
)

// DockerImageInfo looks at images.
var DockerImageInfo = define("docker_image_info", "look at Docker images", dockerImageInfoArgs{}, dockerImageInfo)

type dockerImageInfoArgs struct {
	dockerEngineArgs
	Name []string `arg:"name" doc:"The images, all by default. Those that are absent are left out."`
}

func dockerImageInfo(ctx context.Context, c *Call, a dockerImageInfoArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	names := a.Name
	if !c.Given("name") {
		all, err := docker.ImageList(ctx, image.ListOptions{})
		if err != nil {
			return nil, engine.Failure("listing images", err)
		}
		for _, i := range all {
			names = append(names, i.ID)
		}
	}
	images := []any{}
	for _, name := range names {
		found, err := engine.FindImage(ctx, docker, engine.WithTag(name, ""))
		if err != nil {
			return nil, err
		}
		if found != nil {
			images = append(images, engine.Plain(found))
		}
	}
	return Result{"images": images}, nil
}
