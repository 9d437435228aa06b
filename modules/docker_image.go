package modules

import (
	"archive/tar"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"gplay/modules/engine"
	"gplay/modules/host"
)

// DockerImage pulls, builds, loads, tags, pushes, archives and removes images.
var DockerImage = define("docker_image", "pull, build, load, tag, push, archive and remove Docker images",
	dockerImageArgs{State: "present", Tag: "latest"}, dockerImage)

type dockerImageArgs struct {
	dockerEngineArgs
	Name        string      `arg:"name" required:"true" doc:"The image: name, name:tag, name@digest or an id."`
	Tag         string      `arg:"tag" doc:"Its tag, unless name has one."`
	State       string      `arg:"state" choices:"present,absent" doc:"Whether it is there."`
	Source      string      `arg:"source" choices:"build,load,pull,local" doc:"Where it comes from."`
	ForceSource bool        `arg:"force_source" doc:"Get it even if it is there."`
	ForceTag    bool        `arg:"force_tag" doc:"Tag it even if the tag is another image's."`
	ForceAbsent bool        `arg:"force_absent" doc:"Remove it with all its tags, and though containers use it."`
	Build       *imageBuild `arg:"build" doc:"How it is built."`
	Pull        *imagePull  `arg:"pull" doc:"How it is pulled."`
	LoadPath    string      `arg:"load_path" type:"path" doc:"The archive to load."`
	ArchivePath string      `arg:"archive_path" type:"path" doc:"Write it to this archive."`
	Repository  string      `arg:"repository" doc:"Tag it with this name too."`
	Push        bool        `arg:"push" doc:"Push it."`
}

type imagePull struct {
	Platform string `arg:"platform" doc:"os/arch of the image."`
}

type imageBuild struct {
	Path            string         `arg:"path" type:"path" required:"true" doc:"The directory to build from."`
	Dockerfile      string         `arg:"dockerfile" doc:"The Dockerfile, seen from there."`
	Args            map[string]any `arg:"args" doc:"Arguments of the build."`
	CacheFrom       []string       `arg:"cache_from" doc:"Images to take layers from."`
	ContainerLimits *buildLimits   `arg:"container_limits" doc:"Limits of the build's containers."`
	EtcHosts        map[string]any `arg:"etc_hosts" doc:"Names and addresses for /etc/hosts."`
	HTTPTimeout     *int           `arg:"http_timeout" doc:"Accepted: a build may take its time."`
	Labels          map[string]any `arg:"labels" doc:"Labels."`
	Network         string         `arg:"network" doc:"The network of RUN."`
	NoCache         bool           `arg:"nocache" doc:"Build without the cache."`
	Platform        string         `arg:"platform" doc:"os/arch of the image."`
	Pull            bool           `arg:"pull" doc:"Pull newer base images."`
	RM              bool           `arg:"rm" default:"true" doc:"Remove the build's containers."`
	ShmSize         string         `arg:"shm_size" doc:"Size of /dev/shm."`
	Target          string         `arg:"target" doc:"The stage to build."`
	UseConfigProxy  *bool          `arg:"use_config_proxy" doc:"Accepted for old playbooks."`
}

type buildLimits struct {
	CPUSet    string `arg:"cpusetcpus" doc:"The CPUs."`
	CPUShares int    `arg:"cpushares" doc:"Relative weight of CPU time."`
	Memory    string `arg:"memory" doc:"Limit of memory."`
	MemSwap   string `arg:"memswap" doc:"Limit of memory and swap together."`
}

func dockerImage(ctx context.Context, c *Call, a dockerImageArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	j := &imageJob{dockerImageArgs: a, ctx: ctx, c: c, docker: docker, ref: engine.WithTag(a.Name, a.Tag), actions: []any{}}
	have, err := engine.FindImage(ctx, docker, j.ref)
	if err != nil {
		return nil, err
	}
	if a.State == "absent" {
		return Result{"actions": j.actions, "image": map[string]any{}}, j.absent(have)
	}
	have, err = j.present(have)
	r := Result{"actions": j.actions, "image": map[string]any{}}
	if have != nil {
		r["image"] = engine.Plain(have)
	}
	if len(j.output) > 0 {
		r["stdout"] = strings.Join(j.output, "\n")
	}
	return r, err
}

type imageJob struct {
	dockerImageArgs
	ctx     context.Context
	c       *Call
	docker  *client.Client
	ref     string
	actions []any
	output  []string
}

func (j *imageJob) change(action string, before, after any, do func() error) error {
	j.actions = append(j.actions, action)
	return j.c.Change(Diff{Path: j.ref, Before: before, After: after}, func(host.Writer) error { return do() })
}

func (j *imageJob) absent(have *image.InspectResponse) error {
	if have == nil {
		return nil
	}
	return j.change("Removed image "+j.ref, have.ID, "absent", func() error {
		_, err := j.docker.ImageRemove(j.ctx, j.ref, image.RemoveOptions{Force: j.ForceAbsent, PruneChildren: true})
		return engine.Failure("removing image "+j.ref, err)
	})
}

// present gets the image, then archives, tags and pushes it.
func (j *imageJob) present(have *image.InspectResponse) (*image.InspectResponse, error) {
	have, err := j.get(have)
	if err != nil {
		return have, err
	}
	if j.ArchivePath != "" && have != nil {
		if err := j.archive(have); err != nil {
			return have, err
		}
	}
	pushed := j.ref
	if j.Repository != "" && have != nil {
		pushed = engine.WithTag(j.Repository, j.Tag)
		if err := j.tag(have, pushed); err != nil {
			return have, err
		}
	}
	if j.Push {
		err = j.push(pushed)
	}
	return have, err
}

func (j *imageJob) get(have *image.InspectResponse) (*image.InspectResponse, error) {
	if have != nil && (!j.ForceSource || j.Source == "local") {
		return have, nil
	}
	if have != nil && j.c.Check() && j.Source == "pull" {
		return have, nil // only the registry knows whether there is a newer one
	}
	get := map[string]func() error{"build": j.build, "load": j.load, "pull": j.pull}[j.Source]
	switch {
	case j.Source == "":
		return nil, errors.New("state is present but all of the following are missing: source")
	case j.Source == "build" && j.Build == nil:
		return nil, errors.New("source is build but all of the following are missing: build")
	case j.Source == "load" && j.LoadPath == "":
		return nil, errors.New("source is load but all of the following are missing: load_path")
	case get == nil:
		return nil, fmt.Errorf("Cannot find the image %s locally.", j.ref)
	}
	if j.c.Check() {
		return have, j.change(j.doing(), idOf(have), "new", nil)
	}
	var now *image.InspectResponse
	err := j.c.Attempt(func(host.Writer) (*Diff, error) {
		if err := get(); err != nil {
			return nil, err
		}
		var err error
		now, err = engine.FindImage(j.ctx, j.docker, j.ref)
		if err == nil && now == nil {
			err = fmt.Errorf("there is no image %s after it was to come from %s", j.ref, j.Source)
		}
		if err != nil || have != nil && have.ID == now.ID {
			return nil, err
		}
		j.actions = append(j.actions, j.doing())
		return &Diff{Path: j.ref, Before: idOf(have), After: now.ID}, nil
	})
	return now, err
}

func idOf(img *image.InspectResponse) string {
	if img == nil {
		return "absent"
	}
	return img.ID
}

func (j *imageJob) doing() string {
	switch j.Source {
	case "build":
		return fmt.Sprintf("Built image %s from %s", j.ref, j.Build.Path)
	case "load":
		return fmt.Sprintf("Loaded image %s from %s", j.ref, j.LoadPath)
	}
	return "Pulled image " + j.ref
}

func (j *imageJob) pull() error {
	platform := ""
	if j.Pull != nil {
		platform = j.Pull.Platform
	}
	return engine.Pull(j.ctx, j.docker, j.ref, platform, savedAuth(j.c, j.ref))
}

func (j *imageJob) load() error {
	file, err := j.c.Open(j.LoadPath)
	if err != nil {
		return fmt.Errorf("Error opening image %s - %w", j.LoadPath, err)
	}
	defer file.Close()
	done, err := j.docker.ImageLoad(j.ctx, file)
	if err != nil {
		return engine.Failure("loading image "+j.ref, err)
	}
	defer done.Body.Close()
	j.output, err = engine.Stream(done.Body)
	return err
}

func (j *imageJob) build() error {
	b := j.Build
	dockerfile := cmp.Or(b.Dockerfile, "Dockerfile")
	options := build.ImageBuildOptions{Tags: []string{j.ref}, Dockerfile: dockerfile, NoCache: b.NoCache, PullParent: b.Pull,
		Remove: b.RM, ForceRemove: b.RM, Target: b.Target, NetworkMode: b.Network, Platform: b.Platform, CacheFrom: b.CacheFrom,
		Labels: scalars(b.Labels), BuildArgs: map[string]*string{}, Version: build.BuilderV1}
	for k, v := range b.Args {
		text := engine.Text(v)
		options.BuildArgs[k] = &text
	}
	for name, address := range b.EtcHosts {
		options.ExtraHosts = append(options.ExtraHosts, name+":"+engine.Text(address))
	}
	var err error
	if options.ShmSize, err = engine.Bytes(b.ShmSize); err != nil {
		return err
	}
	if l := b.ContainerLimits; l != nil {
		options.CPUSetCPUs, options.CPUShares = l.CPUSet, int64(l.CPUShares)
		if options.Memory, err = engine.Bytes(l.Memory); err != nil {
			return err
		}
		if options.MemorySwap, err = engine.Bytes(l.MemSwap); err != nil {
			return err
		}
	}
	if _, err := j.c.Stat(path.Join(b.Path, dockerfile)); err != nil {
		return fmt.Errorf("there is no Dockerfile %s", path.Join(b.Path, dockerfile))
	}
	content := engine.BuildContext(b.Path, dockerfile)
	defer content.Close()
	done, err := j.docker.ImageBuild(j.ctx, content, options)
	if err != nil {
		return engine.Failure("building "+j.ref, err)
	}
	defer done.Body.Close()
	if j.output, err = engine.Stream(done.Body); err != nil {
		return Fail(fmt.Sprintf("Error building %s - %s", j.ref, err), Result{"stdout": strings.Join(j.output, "\n")})
	}
	return nil
}

func (j *imageJob) tag(have *image.InspectResponse, name string) error {
	tagged, err := engine.FindImage(j.ctx, j.docker, name)
	if err != nil || tagged != nil && (tagged.ID == have.ID || !j.ForceTag) {
		return err
	}
	return j.change(fmt.Sprintf("Tagged image %s to %s", j.ref, name), idOf(tagged), have.ID, func() error {
		return engine.Failure("tagging image "+j.ref, j.docker.ImageTag(j.ctx, j.ref, name))
	})
}

// push is a change unless the registry has every layer.
func (j *imageJob) push(name string) error {
	if j.c.Check() {
		return j.change("Pushed image "+name, "", "pushed", nil)
	}
	return j.c.Attempt(func(host.Writer) (*Diff, error) {
		lines, err := engine.Push(j.ctx, j.docker, name, savedAuth(j.c, name))
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			if line == "Pushed" {
				j.actions = append(j.actions, "Pushed image "+name)
				return &Diff{Path: name, Before: "", After: "pushed"}, nil
			}
		}
		return nil, nil
	})
}

// archive writes the image to a file, unless the file holds it already.
func (j *imageJob) archive(have *image.InspectResponse) error {
	archived, err := j.archived()
	if err != nil || archived == have.ID {
		return err
	}
	j.actions = append(j.actions, fmt.Sprintf("Archived image %s to %s", j.ref, j.ArchivePath))
	return j.c.Change(Diff{Path: j.ArchivePath, Before: archived, After: have.ID}, func(w host.Writer) error {
		body, err := j.docker.ImageSave(j.ctx, []string{j.ref})
		if err != nil {
			return engine.Failure("getting image "+j.ref, err)
		}
		defer body.Close()
		return w.WriteFile(j.ArchivePath, body, host.KeepAll)
	})
}

// archived is the id of the image that the archive holds, "" for none.
func (j *imageJob) archived() (string, error) {
	file, err := j.c.Open(j.ArchivePath)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	for r := tar.NewReader(file); ; {
		header, err := r.Next()
		if err != nil {
			return "", nil // the end, or no archive
		}
		if header.Name != "manifest.json" {
			continue
		}
		var manifest []struct {
			Config   string
			RepoTags []string
		}
		if json.NewDecoder(r).Decode(&manifest) != nil || len(manifest) != 1 || len(manifest[0].RepoTags) != 1 || manifest[0].RepoTags[0] != j.ref {
			return "", nil
		}
		id := strings.TrimSuffix(path.Base(manifest[0].Config), ".json")
		return "sha256:" + id, nil
	}
}
