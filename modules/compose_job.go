package modules

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"gplay/modules/compose"
	"gplay/modules/engine"
	"gplay/modules/host"
)

// composeJob brings services of a project to a state: what docker_compose and
// docker_compose_v2 have in common.
type composeJob struct {
	ctx     context.Context
	c       *Call
	docker  *client.Client
	tool    *composeTool
	project *compose.Project

	state         string // present, stopped, restarted or absent
	services      []string
	dependencies  bool
	recreate      string // always, never or auto
	pull          string // always, missing, never, or "" for Compose's own way
	build         string // always, never or ""
	noCache       bool
	scale         map[string]any
	removeOrphans bool
	removeImages  string
	removeVolumes bool
	restart       bool
	stop          bool
	timeout       *int
	wait          bool
	waitTimeout   *int
	renewVolumes  bool

	selected []string // services, with their dependencies
	stdout   strings.Builder
	stderr   strings.Builder
	before   *composeState
	after    *composeState
	actions  []composeAction
}

func (j *composeJob) run() error {
	var err error
	for _, s := range slices.Sorted(maps.Keys(j.scale)) {
		if len(j.services) > 0 && !slices.Contains(j.services, s) {
			j.services = append(j.services, s)
		}
	}
	if j.selected, err = j.project.Selected(j.services, j.dependencies && j.state != "absent"); err != nil {
		return err
	}
	if j.before, err = j.look(); err != nil {
		return err
	}
	if j.c.Check() {
		return j.predicted()
	}
	return j.c.Attempt(func(w host.Writer) (*Diff, error) {
		failed := j.steps(w)
		var err error
		if j.after, err = j.look(); err != nil {
			return nil, errors.Join(failed, err)
		}
		j.actions = append(j.actions, j.after.since(j.before)...)
		if len(j.actions) == 0 {
			return nil, failed
		}
		return &Diff{Path: j.tool.name, Before: j.before.shown(), After: j.after.shown()}, failed
	})
}

func (j *composeJob) look() (*composeState, error) {
	var images []string
	for _, s := range j.selected {
		if image := j.project.Services[s].Image; image != "" {
			images = append(images, image)
		}
	}
	return readComposeState(j.ctx, j.docker, j.tool.name, images)
}

// steps runs what brings the project to its state.
func (j *composeJob) steps(w host.Writer) error {
	switch j.state {
	case "absent":
		return j.remove(w)
	case "restarted":
		return j.restarted(w)
	}
	steps := []struct {
		wanted bool
		args   []string
	}{
		{j.pull == "always", append([]string{"pull"}, j.services...)},
		{j.build == "always", j.buildArgs()},
		{true, j.upArgs()},
		{j.stop, append(j.timed("stop"), j.services...)},
	}
	for _, s := range steps {
		if !s.wanted {
			continue
		}
		if err := j.compose(w, s.args...); err != nil {
			return err
		}
	}
	if j.restart {
		return j.restarted(w)
	}
	return nil
}

func (j *composeJob) compose(w host.Writer, args ...string) error {
	out, err := w.Run(j.ctx, j.tool.cmd(args...))
	if err != nil {
		return err
	}
	j.stdout.Write(out.Stdout)
	j.stderr.Write(out.Stderr)
	if out.Code != 0 {
		return composeFailure(args[0], out)
	}
	return nil
}

func (j *composeJob) timed(command string) []string {
	if j.timeout == nil {
		return []string{command}
	}
	return []string{command, "--timeout", strconv.Itoa(*j.timeout)}
}

func (j *composeJob) buildArgs() []string {
	args := []string{"build"}
	if j.noCache {
		args = append(args, "--no-cache")
	}
	if j.pull == "always" {
		args = append(args, "--pull")
	}
	return append(args, j.services...)
}

func (j *composeJob) upArgs() []string {
	args := j.timed("up")
	add := func(wanted bool, flags ...string) {
		if wanted {
			args = append(args, flags...)
		}
	}
	add(!j.stop, "-d")
	add(j.stop, "--no-start")
	add(j.recreate == "always", "--force-recreate")
	add(j.recreate == "never", "--no-recreate")
	add(!j.dependencies, "--no-deps")
	add(j.removeOrphans, "--remove-orphans")
	add(j.build == "never", "--no-build")
	add(j.tool.v2 && (j.pull == "missing" || j.pull == "never"), "--pull", j.pull)
	add(j.renewVolumes, "--renew-anon-volumes")
	add(j.wait, "--wait")
	if j.wait && j.waitTimeout != nil {
		add(true, "--wait-timeout", strconv.Itoa(*j.waitTimeout))
	}
	for _, s := range slices.Sorted(maps.Keys(j.scale)) {
		add(true, "--scale", s+"="+engine.Text(j.scale[s]))
	}
	return append(args, j.services...)
}

func (j *composeJob) restarted(w host.Writer) error {
	for _, s := range j.chosen() {
		for _, c := range j.before.of(s) {
			j.actions = append(j.actions, composeAction{"container", s, containerLabel(c), "Restarted"})
		}
	}
	return j.compose(w, append(j.timed("restart"), j.services...)...)
}

// chosen are the services that were named, or all.
func (j *composeJob) chosen() []string {
	if len(j.services) > 0 {
		return j.services
	}
	return j.selected
}

func (j *composeJob) remove(w host.Writer) error {
	if len(j.services) > 0 {
		if err := j.compose(w, append(j.timed("stop"), j.services...)...); err != nil {
			return err
		}
		args := []string{"rm", "-f"}
		if j.removeVolumes {
			args = append(args, "-v")
		}
		return j.compose(w, append(args, j.services...)...)
	}
	args := j.timed("down")
	if j.removeImages != "" {
		args = append(args, "--rmi", j.removeImages)
	}
	if j.removeVolumes {
		args = append(args, "--volumes")
	}
	if j.removeOrphans {
		args = append(args, "--remove-orphans")
	}
	return j.compose(w, args...)
}

// predicted says in check mode what would be done.
func (j *composeJob) predicted() error {
	var err error
	switch j.state {
	case "absent":
		j.predictAbsent()
	case "restarted":
		j.predictEach(j.chosen(), "", "Restarted")
	default:
		err = j.predictPresent()
	}
	if err != nil || len(j.actions) == 0 {
		return err
	}
	after := j.before.shown()
	for _, a := range j.actions {
		after[a.what+" "+a.id] = a.status
	}
	return j.c.Change(Diff{Path: j.tool.name, Before: j.before.shown(), After: after}, nil)
}

// predictEach adds the status for the services' containers in a state, "" for any.
func (j *composeJob) predictEach(services []string, state, status string) {
	for _, s := range services {
		for _, c := range j.before.of(s) {
			if state == "" || c.State == state {
				j.actions = append(j.actions, composeAction{"container", s, containerLabel(c), status})
			}
		}
	}
}

func (j *composeJob) predictAbsent() {
	if len(j.services) > 0 {
		j.predictEach(j.services, "", "Removed")
		return
	}
	for _, c := range j.before.containers {
		if _, known := j.project.Services[serviceOf(c)]; known || j.removeOrphans {
			j.actions = append(j.actions, composeAction{"container", serviceOf(c), containerLabel(c), "Removed"})
		}
	}
	for _, o := range j.before.others {
		if what, id, _ := strings.Cut(o, " "); what == "network" || j.removeVolumes {
			j.actions = append(j.actions, composeAction{what, "", id, "Removed"})
		}
	}
}

func (j *composeJob) predictPresent() error {
	hashes := map[string]string{}
	if j.recreate == "auto" && len(j.before.containers) > 0 {
		var err error
		if hashes, err = j.tool.hashes(j.ctx); err != nil {
			return err
		}
	}
	for _, s := range j.selected {
		j.predictService(s, hashes[s])
	}
	if j.removeOrphans {
		for _, c := range j.before.containers {
			if _, known := j.project.Services[serviceOf(c)]; !known {
				j.actions = append(j.actions, composeAction{"container", serviceOf(c), containerLabel(c), "Removed"})
			}
		}
	}
	if j.stop {
		j.predictEach(j.chosen(), "running", "Stopped")
	}
	if j.restart {
		j.predictEach(j.chosen(), "", "Restarted")
	}
	return nil
}

func (j *composeJob) predictService(name, hash string) {
	service, have := j.project.Services[name], j.before.of(name)
	want := service.Replicas()
	if n, ok := j.scale[name]; ok {
		want, _ = strconv.Atoi(engine.Text(n))
	} else if !j.tool.v2 {
		want = max(want, len(have))
	}
	add := func(id, status string) { j.actions = append(j.actions, composeAction{"container", name, id, status}) }
	for i, c := range have {
		switch {
		case i >= want:
			add(containerLabel(c), "Removed")
		case j.diverged(c, service.Image, hash):
			add(containerLabel(c), "Recreated")
		case c.State != "running" && !j.stop:
			add(containerLabel(c), "Started")
		}
	}
	for i := len(have); i < want; i++ {
		add(fmt.Sprintf("%s %d", name, i+1), "Created")
	}
	if id, ok := j.before.images[service.Image]; ok && id == "" {
		j.actions = append(j.actions, composeAction{"image", name, service.Image, "Pulled"})
	}
}

func (j *composeJob) diverged(c container.Summary, image, hash string) bool {
	if j.recreate != "auto" {
		return j.recreate == "always"
	}
	id := j.before.images[image]
	return hash != "" && c.Labels[composeLabel+"config-hash"] != hash || id != "" && c.ImageID != id
}
