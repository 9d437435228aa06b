package modules

import (
	"context"

	"github.com/docker/docker/api/types/swarm"

	"gplay/modules/engine"
)

// DockerSwarmInfo looks at the swarm of an engine.
var DockerSwarmInfo = define("docker_swarm_info", "look at a swarm", dockerSwarmInfoArgs{}, dockerSwarmInfo)

type dockerSwarmInfoArgs struct {
	dockerEngineArgs
	Nodes     bool `arg:"nodes" doc:"List its nodes."`
	Services  bool `arg:"services" doc:"List its services."`
	Tasks     bool `arg:"tasks" doc:"List its tasks."`
	UnlockKey bool `arg:"unlock_key" doc:"Report the key that unlocks managers."`
}

func dockerSwarmInfo(ctx context.Context, c *Call, a dockerSwarmInfoArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	info, err := docker.Info(ctx)
	if err != nil {
		return nil, engine.Failure("asking the engine", err)
	}
	active := info.Swarm.LocalNodeState == swarm.LocalNodeStateActive
	r := Result{"can_talk_to_docker": true, "docker_swarm_active": active, "docker_swarm_manager": info.Swarm.ControlAvailable}
	if !info.Swarm.ControlAvailable {
		if !active {
			return r, Fail("Error running docker swarm module: the engine is in no swarm", r)
		}
		return r, Fail("Error running docker swarm module: must run on swarm manager node", r)
	}
	for _, part := range []struct {
		wanted bool
		name   string
		get    func() (any, error)
	}{
		{true, "swarm_facts", func() (any, error) { return docker.SwarmInspect(ctx) }},
		{a.Nodes, "nodes", func() (any, error) { return docker.NodeList(ctx, swarm.NodeListOptions{}) }},
		{a.Services, "services", func() (any, error) { return docker.ServiceList(ctx, swarm.ServiceListOptions{}) }},
		{a.Tasks, "tasks", func() (any, error) { return docker.TaskList(ctx, swarm.TaskListOptions{}) }},
		{a.UnlockKey, "swarm_unlock_key", func() (any, error) {
			key, err := docker.SwarmGetUnlockKey(ctx)
			return key.UnlockKey, err
		}},
	} {
		if !part.wanted {
			continue
		}
		found, err := part.get()
		if err != nil {
			return nil, engine.Failure("inspecting the swarm: "+part.name, err)
		}
		r[part.name] = engine.Plain(found)
	}
	return r, nil
}
