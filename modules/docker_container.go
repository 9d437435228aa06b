package modules

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"gplay/modules/engine"
	"gplay/modules/host"
)

// DockerContainer makes, changes, starts, stops and removes containers.
var DockerContainer = define("docker_container", "make, change, start, stop and remove Docker containers",
	dockerContainerArgs{State: "started", KeepVolumes: true, NetworksCLICompatible: true,
		CommandHandling: "correct", DefaultBehavior: "no_defaults", ImageComparison: "desired-image",
		ImageLabelMismatch: "ignore", ImageNameMismatch: "ignore"}, dockerContainer)

type dockerContainerArgs struct {
	dockerEngineArgs
	engine.Container
	Name                  string         `arg:"name" required:"true" doc:"The container's name or id."`
	Image                 string         `arg:"image" doc:"The image it is made of: name, name:tag, name@digest or an id."`
	State                 string         `arg:"state" choices:"absent,present,stopped,started,healthy" doc:"What it is to be; healthy also waits for its health check."`
	Pull                  any            `arg:"pull" doc:"Pull the image: true or always, false or missing, never."`
	Recreate              bool           `arg:"recreate" doc:"Make it anew even if nothing differs."`
	Restart               bool           `arg:"restart" doc:"Restart it when it runs and is as wanted."`
	Comparisons           map[string]any `arg:"comparisons" doc:"How options are compared: strict, ignore or allow_more_present; * for all."`
	ForceKill             bool           `arg:"force_kill" alias:"forcekill" doc:"Kill it instead of stopping it."`
	KillSignal            string         `arg:"kill_signal" doc:"The signal that kills it."`
	KeepVolumes           bool           `arg:"keep_volumes" doc:"Keep volumes without a name when it is removed."`
	Detach                *bool          `arg:"detach" doc:"false waits for its end and reports its output."`
	Cleanup               bool           `arg:"cleanup" doc:"With detach false: remove it then."`
	OutputLogs            bool           `arg:"output_logs" doc:"Accepted: the output is in container.Output."`
	Paused                *bool          `arg:"paused" doc:"Whether its processes are paused."`
	IgnoreImage           bool           `arg:"ignore_image" doc:"Do not compare the image."`
	ImageComparison       string         `arg:"image_comparison" choices:"desired-image,current-image" doc:"Which image's settings count when options are compared."`
	ImageLabelMismatch    string         `arg:"image_label_mismatch" choices:"ignore,fail" doc:"What to do with labels of the image that are not wanted."`
	ImageNameMismatch     string         `arg:"image_name_mismatch" choices:"recreate,ignore" doc:"What to do when only the image's name differs."`
	PurgeNetworks         bool           `arg:"purge_networks" doc:"Disconnect it from networks that are not wanted."`
	NetworksCLICompatible bool           `arg:"networks_cli_compatible" doc:"false also connects it to the default network."`
	RemovalWaitTimeout    *float64       `arg:"removal_wait_timeout" doc:"Seconds to wait for a removal."`
	HealthyWaitTimeout    *float64       `arg:"healthy_wait_timeout" doc:"Seconds to wait for state healthy, 300 by default."`
	CommandHandling       string         `arg:"command_handling" choices:"compatibility,correct" doc:"Accepted for old playbooks: commands are handled correctly."`
	DefaultBehavior       string         `arg:"container_default_behavior" choices:"compatibility,no_defaults" doc:"Accepted for old playbooks: what is not given is left to the engine."`
}

func dockerContainer(ctx context.Context, c *Call, a dockerContainerArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	how, err := engine.Comparisons(a.Comparisons).Canonical()
	if err != nil {
		return nil, err
	}
	if how["networks"] == "strict" {
		a.PurgeNetworks = true
	}
	j := &containerJob{dockerContainerArgs: a, ctx: ctx, c: c, docker: docker, how: how}
	return j.run()
}

// containerJob brings one container to its state.
type containerJob struct {
	dockerContainerArgs
	ctx    context.Context
	c      *Call
	docker *client.Client
	how    engine.Comparisons
	auth   engine.Auth // the zero value is the login that docker login saved

	want   *engine.Spec
	output *containerOutput // of a container that was waited for
}

func (j *containerJob) run() (Result, error) {
	have, err := j.find()
	if err != nil {
		return nil, err
	}
	if j.State == "absent" {
		if have == nil {
			return Result{}, nil
		}
		return Result{}, j.change("state", have.State.Status, "absent", func() error { return j.remove(have) })
	}
	if err := j.present(have); err != nil {
		return nil, err
	}
	return j.result()
}

func (j *containerJob) find() (*container.InspectResponse, error) {
	have, err := j.docker.ContainerInspect(j.ctx, j.Name)
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, engine.Failure("inspecting container "+j.Name, err)
	}
	return &have, nil
}

func (j *containerJob) change(what string, before, after any, do func() error) error {
	diff := Diff{Path: j.Name, Before: map[string]any{what: before}, After: map[string]any{what: after}}
	return j.c.Change(diff, func(host.Writer) error { return do() })
}

// present makes the container or brings an existing one to what is wanted.
func (j *containerJob) present(have *container.InspectResponse) error {
	img, err := j.findImage(have)
	if err != nil {
		return err
	}
	if j.want, err = j.Container.Spec(img, place(j.c)); err != nil {
		return err
	}
	switch {
	case have == nil:
		if j.Image == "" {
			return errors.New("Cannot create container when image is not specified!")
		}
		return j.create(img, "absent", "present")
	case have.State.Dead || have.State.Status == "removing":
		err = j.change("state", have.State.Status, "removed", func() error { return j.remove(have) })
		return errors.Join(err, j.create(img, "absent", "present"))
	}
	return j.adapt(have, img)
}

func (j *containerJob) adapt(have *container.InspectResponse, img *image.InspectResponse) error {
	compared, err := j.comparedImage(have, img)
	if err != nil {
		return err
	}
	differences, err := j.Container.Differences(j.want, *have, compared, j.how)
	if err != nil {
		return err
	}
	fixed := slices.DeleteFunc(slices.Clone(differences), func(d engine.Difference) bool { return d.Update })
	if before, after, differs := j.imageDiffers(have, img); differs {
		fixed = append(fixed, engine.Difference{Option: "image", Have: before, Want: after})
	}
	if j.Recreate {
		fixed = append(fixed, engine.Difference{Option: "recreate", Have: false, Want: true})
	}
	if len(fixed) > 0 {
		return j.recreate(have, img, append(fixed, differences...))
	}
	if len(differences) > 0 {
		if err := j.update(have, differences); err != nil {
			return err
		}
	}
	if err := j.connect(have); err != nil {
		return err
	}
	return j.setState(have)
}

// comparedImage is the image whose settings count as wanted.
func (j *containerJob) comparedImage(have *container.InspectResponse, img *image.InspectResponse) (*image.InspectResponse, error) {
	if img != nil && j.ImageComparison == "desired-image" {
		return img, nil
	}
	return engine.FindImage(j.ctx, j.docker, have.Image)
}

func (j *containerJob) imageDiffers(have *container.InspectResponse, img *image.InspectResponse) (before, after string, differs bool) {
	if img == nil || j.IgnoreImage || j.how["image"] == "ignore" || j.how["*"] == "ignore" && j.how["image"] == nil {
		return "", "", false
	}
	if have.Image != img.ID {
		return have.Image, img.ID, true
	}
	if j.ImageNameMismatch == "recreate" && have.Config.Image != j.Image {
		return have.Config.Image, j.Image, true
	}
	return "", "", false
}

// findImage finds the wanted image, pulled as pull says.
func (j *containerJob) findImage(have *container.InspectResponse) (*image.InspectResponse, error) {
	if j.Image == "" {
		return nil, nil
	}
	name := engine.WithTag(j.Image, "")
	img, err := engine.FindImage(j.ctx, j.docker, name)
	if err != nil {
		return nil, err
	}
	policy := pullPolicy(j.Pull)
	switch {
	case policy == "":
		return nil, fmt.Errorf("pull must be true, false, always, missing or never, got %s", engine.Text(j.Pull))
	case img != nil && policy != "always" || strings.HasPrefix(name, "sha256:"):
		return img, nil
	case policy == "never":
		return nil, fmt.Errorf("Cannot find image %s, and pull is never", name)
	case j.c.Check() && img == nil:
		return &image.InspectResponse{ID: "pulled"}, nil
	case j.c.Check():
		return img, nil
	}
	return j.pull(name, img)
}

// pull counts as a change only when it brought a new image.
func (j *containerJob) pull(name string, before *image.InspectResponse) (*image.InspectResponse, error) {
	auth := j.auth
	if auth == (engine.Auth{}) {
		auth = savedAuth(j.c, name)
	}
	if err := engine.Pull(j.ctx, j.docker, name, j.Platform, auth); err != nil {
		return nil, err
	}
	after, err := engine.FindImage(j.ctx, j.docker, name)
	if err != nil || after == nil {
		return nil, errors.Join(err, fmt.Errorf("Cannot find image %s after pulling it", name))
	}
	if before == nil || before.ID != after.ID {
		err = j.change("image", "", "pulled "+name, func() error { return nil })
	}
	return after, err
}

func pullPolicy(pull any) string {
	switch text := strings.ToLower(engine.Text(pull)); text {
	case "", "false", "no", "missing":
		return "missing"
	case "true", "yes", "always":
		return "always"
	case "never":
		return "never"
	}
	return ""
}

func (j *containerJob) recreate(have *container.InspectResponse, img *image.InspectResponse, differences []engine.Difference) error {
	if img == nil {
		var err error
		if img, err = engine.FindImage(j.ctx, j.docker, have.Config.Image); err != nil || img == nil {
			return errors.Join(err, fmt.Errorf("the image %s of container %s is no longer there: say which image it is to have", have.Config.Image, j.Name))
		}
		j.Image, j.want.Config.Image = have.Config.Image, img.ID
	}
	before, after := map[string]any{}, map[string]any{}
	for _, d := range differences {
		before[d.Option], after[d.Option] = engine.Plain(d.Have), engine.Plain(d.Want)
	}
	err := j.c.Change(Diff{Path: j.Name, Before: before, After: after}, func(host.Writer) error {
		if have.State.Running {
			if err := j.stop(have); err != nil {
				return err
			}
		}
		return j.remove(have)
	})
	if err != nil {
		return err
	}
	return j.create(img, "removed", "present")
}

// create makes the container, connects it, and starts it.
func (j *containerJob) create(img *image.InspectResponse, before, after string) error {
	cfg := *j.want.Config
	cfg.Image = j.Image
	err := j.change("state", before, after, func() error {
		made, err := j.docker.ContainerCreate(j.ctx, &cfg, j.want.Host, j.firstNetwork(), platform(j.Platform), j.Name)
		if err != nil {
			return engine.Failure("creating container "+j.Name, err)
		}
		for _, warning := range made.Warnings {
			j.c.Warn("Docker warning: " + warning)
		}
		if j.Name == "" {
			j.Name = made.ID
		}
		return j.connectRest(made.ID)
	})
	if err != nil || j.State == "present" || j.State == "stopped" {
		return err
	}
	return j.start("created")
}

// platform reads os/arch/variant.
func platform(s string) *ocispec.Platform {
	if s == "" {
		return nil
	}
	p := &ocispec.Platform{OS: "linux", Architecture: s}
	if parts := strings.SplitN(s, "/", 3); len(parts) > 1 {
		p.OS, p.Architecture = parts[0], parts[1]
		if len(parts) > 2 {
			p.Variant = parts[2]
		}
	}
	return p
}

// firstNetwork is what the container is created with: engines before 25
// connect it to one network only.
func (j *containerJob) firstNetwork() *network.NetworkingConfig {
	if len(j.want.Order) == 0 || string(j.want.Host.NetworkMode) != j.want.Order[0] {
		return nil
	}
	first := j.want.Order[0]
	return &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{first: j.want.Networks[first]}}
}

func (j *containerJob) connectRest(id string) error {
	for _, name := range j.want.Order {
		if name == string(j.want.Host.NetworkMode) {
			continue
		}
		if err := j.docker.NetworkConnect(j.ctx, name, id, j.want.Networks[name]); err != nil {
			return engine.Failure("connecting container to network "+name, err)
		}
	}
	if j.PurgeNetworks && len(j.Networks) == 0 && j.NetworkMode == "" {
		return engine.Failure("disconnecting container from network bridge", j.docker.NetworkDisconnect(j.ctx, "bridge", id, true))
	}
	return nil
}

func (j *containerJob) update(have *container.InspectResponse, differences []engine.Difference) error {
	before, after := map[string]any{}, map[string]any{}
	for _, d := range differences {
		before[d.Option], after[d.Option] = engine.Plain(d.Have), engine.Plain(d.Want)
	}
	return j.c.Change(Diff{Path: j.Name, Before: before, After: after}, func(host.Writer) error {
		u := container.UpdateConfig{Resources: j.want.Host.Resources, RestartPolicy: j.want.Host.RestartPolicy}
		done, err := j.docker.ContainerUpdate(j.ctx, have.ID, u)
		for _, warning := range done.Warnings {
			j.c.Warn("Docker warning: " + warning)
		}
		return engine.Failure("updating container "+j.Name, err)
	})
}

// connect brings the networks of an existing container to what is wanted.
func (j *containerJob) connect(have *container.InspectResponse) error {
	if j.Networks == nil && !j.PurgeNetworks || j.how["networks"] == "ignore" {
		return nil
	}
	missing, different, surplus := j.want.NetworkDifferences(have.NetworkSettings.Networks)
	var errs error
	leave := different
	if j.PurgeNetworks {
		leave = append(leave, surplus...)
	}
	for _, name := range leave {
		errs = errors.Join(errs, j.change("network "+name, "connected", "disconnected", func() error {
			return engine.Failure("disconnecting container from network "+name, j.docker.NetworkDisconnect(j.ctx, name, have.ID, false))
		}))
	}
	for _, name := range append(missing, different...) {
		errs = errors.Join(errs, j.change("network "+name, "", "connected", func() error {
			return engine.Failure("connecting container to network "+name, j.docker.NetworkConnect(j.ctx, name, have.ID, j.want.Networks[name]))
		}))
	}
	return errs
}

func (j *containerJob) setState(have *container.InspectResponse) error {
	started := j.State == "started" || j.State == "healthy"
	switch {
	case started && !have.State.Running:
		return j.start(have.State.Status)
	case started && j.Restart:
		return j.change("state", "running", "restarted", func() error {
			return engine.Failure("restarting container "+j.Name, j.docker.ContainerRestart(j.ctx, have.ID, j.stopOptions()))
		})
	case j.State == "stopped" && have.State.Running:
		return j.change("state", "running", "stopped", func() error { return j.stop(have) })
	case j.Paused != nil && have.State.Running && *j.Paused != have.State.Paused:
		return j.pause(have)
	}
	return nil
}

func (j *containerJob) pause(have *container.InspectResponse) error {
	return j.change("paused", have.State.Paused, *j.Paused, func() error {
		if *j.Paused {
			return engine.Failure("pausing container "+j.Name, j.docker.ContainerPause(j.ctx, have.ID))
		}
		return engine.Failure("unpausing container "+j.Name, j.docker.ContainerUnpause(j.ctx, have.ID))
	})
}

func (j *containerJob) start(before string) error {
	return j.change("state", before, "started", func() error {
		if err := j.docker.ContainerStart(j.ctx, j.Name, container.StartOptions{}); err != nil {
			return engine.Failure("starting container "+j.Name, err)
		}
		if j.Detach != nil && !*j.Detach {
			return j.attend()
		}
		return nil
	})
}

func (j *containerJob) stopOptions() container.StopOptions {
	return container.StopOptions{Timeout: j.StopTimeout}
}

func (j *containerJob) stop(have *container.InspectResponse) error {
	if j.ForceKill {
		return engine.Failure("killing container "+j.Name, j.docker.ContainerKill(j.ctx, have.ID, j.KillSignal))
	}
	if have.State.Paused {
		j.docker.ContainerUnpause(j.ctx, have.ID)
	}
	return engine.Failure("stopping container "+j.Name, j.docker.ContainerStop(j.ctx, have.ID, j.stopOptions()))
}

// remove stops and removes the container. One with auto_remove goes by itself.
func (j *containerJob) remove(have *container.InspectResponse) error {
	if have.State.Running {
		if err := j.stop(have); err != nil {
			return err
		}
	}
	err := j.docker.ContainerRemove(j.ctx, have.ID, container.RemoveOptions{RemoveVolumes: !j.KeepVolumes, Force: j.ForceKill})
	if err != nil && !errdefs.IsNotFound(err) && !strings.Contains(err.Error(), "already in progress") {
		return engine.Failure("removing container "+j.Name, err)
	}
	return j.gone(have.ID)
}

func (j *containerJob) gone(id string) error {
	wait := 60.0
	if j.RemovalWaitTimeout != nil {
		wait = *j.RemovalWaitTimeout
	}
	for end := time.Now().Add(time.Duration(wait * float64(time.Second))); ; time.Sleep(100 * time.Millisecond) {
		if _, err := j.docker.ContainerInspect(j.ctx, id); errdefs.IsNotFound(err) {
			return nil
		}
		if j.ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("container %s is still there %gs after it was removed", j.Name, wait)
		}
	}
}

// containerOutput is how a container ended.
type containerOutput struct {
	status int
	text   string
}

// attend waits for the container's end.
func (j *containerJob) attend() error {
	var status int64
	done, failed := j.docker.ContainerWait(j.ctx, j.Name, container.WaitConditionNotRunning)
	select {
	case err := <-failed:
		return engine.Failure("waiting on container", err)
	case w := <-done:
		status = w.StatusCode
	}
	text, err := j.logs()
	if err != nil {
		return err
	}
	j.output = &containerOutput{int(status), text}
	if j.Cleanup {
		have, err := j.find()
		if err == nil && have != nil {
			err = j.remove(have)
		}
		if err != nil {
			return err
		}
	}
	if status != 0 {
		return Fail(text, Result{"status": int(status), "container": map[string]any{"Output": text}})
	}
	return nil
}

func (j *containerJob) logs() (string, error) {
	info, err := j.find()
	if err != nil || info == nil {
		return "", err
	}
	if driver := info.HostConfig.LogConfig.Type; driver != "json-file" && driver != "journald" && driver != "local" {
		return fmt.Sprintf("Result logged using `%s` driver", driver), nil
	}
	body, err := j.docker.ContainerLogs(j.ctx, j.Name, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return "", engine.Failure("reading the logs of container "+j.Name, err)
	}
	defer body.Close()
	var text bytes.Buffer
	if info.Config.Tty {
		_, err = text.ReadFrom(body)
	} else {
		_, err = stdcopy.StdCopy(&text, &text, body)
	}
	return text.String(), err
}

func (j *containerJob) result() (Result, error) {
	var have *container.InspectResponse
	var err error
	if j.State == "healthy" && !j.c.Check() {
		err = j.healthy()
	}
	if err == nil {
		have, err = j.find()
	}
	r := Result{"container": map[string]any{}}
	if have != nil {
		r["container"] = engine.Plain(have)
	}
	if j.output != nil {
		r["container"].(map[string]any)["Output"] = j.output.text
		r["status"] = j.output.status
	}
	return r, err
}

// healthy waits for the health check to pass.
func (j *containerJob) healthy() error {
	wait := 300.0
	if j.HealthyWaitTimeout != nil {
		wait = *j.HealthyWaitTimeout
	}
	for end := time.Now().Add(time.Duration(wait * float64(time.Second))); ; time.Sleep(200 * time.Millisecond) {
		have, err := j.find()
		switch {
		case err != nil || have == nil:
			return errors.Join(err, fmt.Errorf("container %s is gone", j.Name))
		case have.State.Health == nil:
			return fmt.Errorf("container %s has no health check to wait for", j.Name)
		case have.State.Health.Status == container.Healthy:
			return nil
		case !have.State.Running || time.Now().After(end):
			return fmt.Errorf("container %s is %s and %s, not healthy", j.Name, have.State.Status, have.State.Health.Status)
		}
	}
}
