package modules

import (
	"context"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"gplay/modules/engine"
)

const composeLabel = "com.docker.compose."

// composeState is what there is of a project.
type composeState struct {
	containers []container.Summary
	others     []string          // its networks and volumes
	images     map[string]string // ids of its services' images, "" where absent
}

func readComposeState(ctx context.Context, docker *client.Client, name string, images []string) (*composeState, error) {
	mine := filters.NewArgs(filters.Arg("label", composeLabel+"project="+name))
	s := &composeState{images: map[string]string{}}
	all, err := docker.ContainerList(ctx, container.ListOptions{All: true, Filters: mine})
	if err != nil {
		return nil, engine.Failure("listing containers", err)
	}
	for _, c := range all {
		if !strings.EqualFold(c.Labels[composeLabel+"oneoff"], "true") {
			s.containers = append(s.containers, c)
		}
	}
	sort.Slice(s.containers, func(i, j int) bool { return containerLabel(s.containers[i]) < containerLabel(s.containers[j]) })
	// A classic swarm's manager knows neither networks nor volumes.
	networks, err := docker.NetworkList(ctx, network.ListOptions{Filters: mine})
	if err != nil && !errdefs.IsNotFound(err) {
		return nil, engine.Failure("listing networks", err)
	}
	for _, n := range networks {
		s.others = append(s.others, "network "+n.Name)
	}
	volumes, err := docker.VolumeList(ctx, volume.ListOptions{Filters: mine})
	if err != nil && !errdefs.IsNotFound(err) {
		return nil, engine.Failure("listing volumes", err)
	}
	for _, v := range volumes.Volumes {
		s.others = append(s.others, "volume "+v.Name)
	}
	slices.Sort(s.others)
	for _, name := range images {
		img, err := engine.FindImage(ctx, docker, engine.WithTag(name, ""))
		if err != nil {
			return nil, err
		}
		if s.images[name] = ""; img != nil {
			s.images[name] = img.ID
		}
	}
	return s, nil
}

// containerLabel is a container's name without the slash, and without the
// node that a classic swarm's manager puts before it.
func containerLabel(c container.Summary) string {
	if len(c.Names) == 0 {
		return c.ID
	}
	return c.Names[0][strings.LastIndexByte(c.Names[0], '/')+1:]
}

func serviceOf(c container.Summary) string { return c.Labels[composeLabel+"service"] }

func (s *composeState) of(service string) []container.Summary {
	var out []container.Summary
	for _, c := range s.containers {
		if serviceOf(c) == service {
			out = append(out, c)
		}
	}
	return out
}

// shown is the state for a diff.
func (s *composeState) shown() map[string]any {
	out := map[string]any{}
	for _, c := range s.containers {
		out["container "+containerLabel(c)] = map[string]any{"id": c.ID[:min(12, len(c.ID))], "state": c.State, "image": c.ImageID}
	}
	for _, o := range s.others {
		out[o] = "present"
	}
	for name, id := range s.images {
		out["image "+name] = id
	}
	return out
}

// composeAction is one thing that was done to a project.
type composeAction struct{ what, service, id, status string }

// since says what was done since before.
func (s *composeState) since(before *composeState) []composeAction {
	var out []composeAction
	had := map[string]container.Summary{} // by id
	name := map[string]bool{}
	for _, c := range before.containers {
		had[c.ID] = c
		name[containerLabel(c)] = true
	}
	has := map[string]bool{}
	for _, c := range s.containers {
		old, existed := had[c.ID]
		label := containerLabel(c)
		has[label] = true
		switch {
		case !existed && name[label]:
			out = append(out, composeAction{"container", serviceOf(c), label, "Recreated"})
		case !existed:
			out = append(out, composeAction{"container", serviceOf(c), label, "Created"})
		}
		if c.State != old.State && (existed || c.State == "running") {
			out = append(out, composeAction{"container", serviceOf(c), label, map[bool]string{true: "Started", false: "Stopped"}[c.State == "running"]})
		}
	}
	for _, c := range before.containers {
		if !has[containerLabel(c)] {
			out = append(out, composeAction{"container", serviceOf(c), containerLabel(c), "Removed"})
		}
	}
	out = append(out, otherActions(before.others, s.others)...)
	for _, image := range slices.Sorted(maps.Keys(s.images)) {
		if s.images[image] != before.images[image] {
			out = append(out, composeAction{"image", "", image, "Pulled"})
		}
	}
	return out
}

// otherActions are those on networks and volumes.
func otherActions(before, after []string) []composeAction {
	var out []composeAction
	for _, o := range after {
		if what, id, _ := strings.Cut(o, " "); !slices.Contains(before, o) {
			out = append(out, composeAction{what, "", id, "Created"})
		}
	}
	for _, o := range before {
		if what, id, _ := strings.Cut(o, " "); !slices.Contains(after, o) {
			out = append(out, composeAction{what, "", id, "Removed"})
		}
	}
	return out
}
