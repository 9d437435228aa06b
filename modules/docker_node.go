package modules

import (
	"context"
	"fmt"
	"maps"
	"reflect"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	"gplay/modules/engine"
	"gplay/modules/host"
)

// DockerNode changes a node of a swarm.
var DockerNode = define("docker_node", "change role, availability and labels of a swarm's node",
	dockerNodeArgs{LabelsState: "merge"}, dockerNode)

type dockerNodeArgs struct {
	dockerEngineArgs
	Hostname       string         `arg:"hostname" required:"true" doc:"The node's host name or id."`
	Availability   string         `arg:"availability" choices:"active,pause,drain" doc:"Whether it gets tasks."`
	Role           string         `arg:"role" choices:"manager,worker" doc:"What it is."`
	Labels         map[string]any `arg:"labels" doc:"Its labels."`
	LabelsState    string         `arg:"labels_state" choices:"merge,replace" doc:"Whether other labels stay."`
	LabelsToRemove []string       `arg:"labels_to_remove" doc:"Labels that go."`
}

func dockerNode(ctx context.Context, c *Call, a dockerNodeArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	node, err := findNode(ctx, docker, a.Hostname)
	if err != nil {
		return nil, err
	}
	want := a.spec(node.Spec)
	if !reflect.DeepEqual(want, node.Spec) {
		err = c.Change(Diff{Path: a.Hostname, Before: engine.Plain(node.Spec), After: engine.Plain(want)}, func(host.Writer) error {
			return engine.Failure("updating node "+a.Hostname, docker.NodeUpdate(ctx, node.ID, node.Version, want))
		})
		if err == nil && !c.Check() {
			node, err = findNode(ctx, docker, a.Hostname)
		}
	}
	return Result{"node": engine.Plain(node)}, err
}

func findNode(ctx context.Context, docker *client.Client, name string) (*swarm.Node, error) {
	nodes, err := docker.NodeList(ctx, swarm.NodeListOptions{})
	if err != nil {
		return nil, engine.Failure("listing the swarm's nodes", err)
	}
	for _, n := range nodes {
		if n.ID == name || n.Description.Hostname == name {
			return &n, nil
		}
	}
	return nil, fmt.Errorf("the swarm has no node %s", name)
}

func (a dockerNodeArgs) spec(s swarm.NodeSpec) swarm.NodeSpec {
	if a.Availability != "" {
		s.Availability = swarm.NodeAvailability(a.Availability)
	}
	if a.Role != "" {
		s.Role = swarm.NodeRole(a.Role)
	}
	labels := map[string]string{}
	if a.LabelsState == "merge" {
		maps.Copy(labels, s.Labels)
	}
	for k, v := range a.Labels {
		labels[k] = engine.Text(v)
	}
	for _, k := range a.LabelsToRemove {
		delete(labels, k)
	}
	if len(labels) > 0 || a.LabelsState == "replace" && a.Labels != nil || len(a.LabelsToRemove) > 0 {
		s.Labels = labels
	}
	return s
}
