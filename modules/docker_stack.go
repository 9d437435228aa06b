package modules

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
	"gopkg.in/yaml.v3"

	"gplay/modules/engine"
	"gplay/modules/host"
)

// DockerStack deploys stacks to a swarm, by the docker program.
var DockerStack = define("docker_stack", "deploy stacks to a swarm, and remove them",
	dockerStackArgs{State: "present", AbsentRetriesInterval: 1}, dockerStack).noCheck()

type dockerStackArgs struct {
	dockerEngineArgs
	Name                  string `arg:"name" required:"true" doc:"The stack's name."`
	State                 string `arg:"state" choices:"present,absent" doc:"Whether it is there."`
	Compose               []any  `arg:"compose" doc:"What it consists of: paths of Compose files, and dictionaries as they would stand in one."`
	Prune                 bool   `arg:"prune" doc:"Remove services that are no longer in the files."`
	WithRegistryAuth      bool   `arg:"with_registry_auth" doc:"Send the login for the registry to the nodes."`
	ResolveImage          string `arg:"resolve_image" choices:"always,changed,never" doc:"When images are pinned to digests."`
	AbsentRetries         int    `arg:"absent_retries" doc:"How often to look whether the stack is gone."`
	AbsentRetriesInterval int    `arg:"absent_retries_interval" doc:"Seconds between two looks."`
}

func dockerStack(ctx context.Context, c *Call, a dockerStackArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	before, err := stackServices(ctx, docker, a.Name)
	if err != nil || a.State == "absent" && len(before) == 0 {
		return Result{}, err
	}
	cmd := host.Command("docker", "stack", "rm", a.Name)
	if a.State == "present" {
		if cmd, err = a.deploy(); err != nil {
			return nil, err
		}
	}
	if a.DockerHost != "" {
		cmd.Env = []string{"DOCKER_HOST=" + a.address(c).Host}
	}
	var out host.Output
	err = c.Attempt(func(w host.Writer) (*Diff, error) {
		if out, err = w.Run(ctx, cmd); err != nil {
			return nil, err
		}
		if out.Code != 0 {
			return nil, Fail(fmt.Sprintf("docker stack %s failed: %s", cmd.Args[2], lastLines(out)),
				Result{"rc": out.Code, "stdout": string(out.Stdout), "stderr": string(out.Stderr)})
		}
		after, err := a.settled(ctx, docker)
		if err != nil || reflect.DeepEqual(before, after) {
			return nil, err
		}
		return &Diff{Path: a.Name, Before: before, After: after}, nil
	})
	return Result{"rc": out.Code, "stdout": string(out.Stdout), "stderr": string(out.Stderr)}, err
}

// deploy is the command; what is given as dictionaries goes to its standard input.
func (a dockerStackArgs) deploy() (host.Cmd, error) {
	if len(a.Compose) == 0 {
		return host.Cmd{}, errors.New("compose parameter must be a list containing at least one element")
	}
	cmd := host.Command("docker", "stack", "deploy")
	inline := map[string]any{}
	for _, c := range a.Compose {
		switch c := c.(type) {
		case string:
			cmd.Args = append(cmd.Args, "--compose-file", c)
		case map[string]any:
			merge(inline, c)
		default:
			return cmd, fmt.Errorf("compose element '%s' must be a string or a dictionary", engine.Text(c))
		}
	}
	if len(inline) > 0 {
		text, err := yaml.Marshal(inline)
		if err != nil {
			return cmd, err
		}
		cmd.Args, cmd.Stdin = append(cmd.Args, "--compose-file", "-"), bytes.NewReader(text)
	}
	if a.Prune {
		cmd.Args = append(cmd.Args, "--prune")
	}
	if a.WithRegistryAuth {
		cmd.Args = append(cmd.Args, "--with-registry-auth")
	}
	if a.ResolveImage != "" {
		cmd.Args = append(cmd.Args, "--resolve-image", a.ResolveImage)
	}
	cmd.Args = append(cmd.Args, "--", a.Name)
	return cmd, nil
}

// merge adds from to into, dictionary by dictionary.
func merge(into, from map[string]any) {
	for k, v := range from {
		old, both := into[k].(map[string]any)
		if add, ok := v.(map[string]any); ok && both {
			old = maps.Clone(old)
			merge(old, add)
			v = old
		}
		into[k] = v
	}
}

// settled are the stack's services; with state absent when they are gone or
// the retries are over.
func (a dockerStackArgs) settled(ctx context.Context, docker *client.Client) (map[string]any, error) {
	for try := 0; ; try++ {
		now, err := stackServices(ctx, docker, a.Name)
		if err != nil || a.State == "present" || len(now) == 0 || try >= a.AbsentRetries {
			return now, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(a.AbsentRetriesInterval) * time.Second):
		}
	}
}

// stackServices are the specifications of a stack's services.
func stackServices(ctx context.Context, docker *client.Client, name string) (map[string]any, error) {
	list, err := docker.ServiceList(ctx, swarm.ServiceListOptions{Filters: filters.NewArgs(filters.Arg("label", "com.docker.stack.namespace="+name))})
	if err != nil {
		return nil, engine.Failure("listing services", err)
	}
	services := map[string]any{}
	for _, s := range list {
		services[s.Spec.Name] = engine.Plain(s.Spec)
	}
	return services, nil
}
