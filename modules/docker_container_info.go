package modules

import (
	"context"

	"gplay/modules/engine"
)

// DockerContainerInfo looks at a container.
var DockerContainerInfo = define("docker_container_info", "look at a Docker container", dockerContainerInfoArgs{}, dockerContainerInfo)

type dockerContainerInfoArgs struct {
	dockerEngineArgs
	Name string `arg:"name" required:"true" doc:"The container's name or id."`
}

func dockerContainerInfo(ctx context.Context, c *Call, a dockerContainerInfoArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	j := containerJob{dockerContainerArgs: dockerContainerArgs{Name: a.Name}, ctx: ctx, docker: docker}
	have, err := j.find()
	if have == nil {
		return Result{"exists": false, "container": nil}, err
	}
	return Result{"exists": true, "container": engine.Plain(have)}, err
}
