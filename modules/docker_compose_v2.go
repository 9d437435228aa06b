package modules

import (
	"context"
	"errors"

	"github.com/docker/docker/api/types/container"

	"gplay/modules/engine"
)

// DockerComposeV2 runs a project with whichever Compose the host has, with
// the arguments that go with Compose 2.
var DockerComposeV2 = define("docker_compose_v2", "run a project with docker compose or docker-compose, whichever the host has",
	dockerComposeV2Args{composeV2Project: composeV2Defaults, State: "present", Dependencies: true, Recreate: "auto", Pull: "policy", Build: "policy"}, dockerComposeV2).
	oneOf("project_src", "definition").exclusive("project_src", "definition")

// composeV2Project are the arguments of all docker_compose_v2 modules.
type composeV2Project struct {
	dockerEngineArgs
	ProjectSrc         string         `arg:"project_src" type:"path" doc:"The project's directory. Its files may be of the format of 2015."`
	ProjectName        string         `arg:"project_name" doc:"Its name, that of its directory by default."`
	Files              []string       `arg:"files" doc:"The project's files, seen from there."`
	Definition         map[string]any `arg:"definition" doc:"The project itself, in place of files."`
	EnvFiles           []string       `arg:"env_files" doc:"The files of variables, .env by default."`
	Profiles           []string       `arg:"profiles" doc:"The profiles whose services count."`
	DockerCLI          string         `arg:"docker_cli" type:"path" doc:"The docker program."`
	CheckFilesExisting bool           `arg:"check_files_existing" doc:"Accepted: a project without a file is always an error."`
	CLIContext         string         `arg:"cli_context" doc:"The context of the docker program."`
}

var composeV2Defaults = composeV2Project{CheckFilesExisting: true}

type dockerComposeV2Args struct {
	composeV2Project
	State             string         `arg:"state" choices:"absent,present,restarted,stopped" doc:"What the services are to be."`
	Services          []string       `arg:"services" doc:"Only these services."`
	Scale             map[string]any `arg:"scale" doc:"How many containers a service has: {web: 2}."`
	Dependencies      bool           `arg:"dependencies" doc:"Also what the services depend on."`
	Pull              string         `arg:"pull" choices:"always,missing,never,policy" doc:"When images are pulled; policy is what the files say."`
	Build             string         `arg:"build" choices:"always,never,policy" doc:"When images are built; policy is when they are missing."`
	Recreate          string         `arg:"recreate" choices:"always,never,auto" doc:"When containers are made anew; auto is when they differ."`
	RenewAnonVolumes  bool           `arg:"renew_anon_volumes" doc:"Containers that are made anew get new volumes without a name."`
	RemoveImages      string         `arg:"remove_images" choices:"all,local" doc:"With state absent: images to remove."`
	RemoveVolumes     bool           `arg:"remove_volumes" doc:"With state absent: remove the volumes too."`
	RemoveOrphans     bool           `arg:"remove_orphans" doc:"Remove containers of services that are no longer there."`
	IgnoreBuildEvents bool           `arg:"ignore_build_events" doc:"Accepted: a build alone is no change."`
	Timeout           *int           `arg:"stop_timeout" doc:"Seconds until a container that is stopped is killed; timeout says the same."`
	Wait              bool           `arg:"wait" doc:"Wait until the services run or are healthy."`
	WaitTimeout       *int           `arg:"wait_timeout" doc:"Seconds to wait."`
	AssumeYes         bool           `arg:"assume_yes" doc:"Accepted: nothing is asked."`
}

func dockerComposeV2(ctx context.Context, c *Call, a dockerComposeV2Args) (Result, error) {
	if c.Given("timeout") && a.Timeout == nil {
		a.Timeout = &a.dockerEngineArgs.Timeout
	}
	j, err := a.job(ctx, c)
	if err != nil {
		return nil, err
	}
	defer j.docker.Close()
	if !j.tool.v2 && (a.Wait || a.RenewAnonVolumes) {
		return nil, errors.New("wait and renew_anon_volumes need Compose 2, and this host has Compose 1")
	}
	j.state, j.services, j.dependencies, j.scale = a.State, a.Services, a.Dependencies, a.Scale
	j.recreate, j.removeOrphans, j.removeImages, j.removeVolumes = a.Recreate, a.RemoveOrphans, a.RemoveImages, a.RemoveVolumes
	j.stop, j.timeout, j.wait, j.waitTimeout = a.State == "stopped", a.Timeout, a.Wait, a.WaitTimeout
	j.renewVolumes = a.RenewAnonVolumes
	if a.Pull != "policy" {
		j.pull = a.Pull
	}
	if a.Build != "policy" {
		j.build = a.Build
	}
	err = j.run()
	return j.result(err), err
}

func (p composeV2Project) job(ctx context.Context, c *Call) (*composeJob, error) {
	if p.Definition != nil && p.ProjectName == "" {
		return nil, errors.New("definition needs a project_name")
	}
	return composeProject{dockerEngineArgs: p.dockerEngineArgs, dir: p.ProjectSrc, files: p.Files, definition: p.Definition,
		name: p.ProjectName, envFiles: p.EnvFiles, profiles: p.Profiles, cli: p.DockerCLI, context: p.CLIContext}.job(ctx, c)
}

// result is what the modules of Compose 2 report.
func (j *composeJob) result(failed error) Result {
	r := Result{"actions": j.actionList(), "stdout": j.stdout.String(), "stderr": j.stderr.String(), "containers": []any{}, "images": []any{}}
	state := j.after
	if state == nil {
		state = j.before
	}
	if state == nil || failed != nil {
		return r
	}
	containers, images := []any{}, []any{}
	for _, c := range state.containers {
		repository, tag := engine.SplitTag(c.Image)
		one := map[string]any{"ID": c.ID, "Name": containerLabel(c), "Names": containerLabel(c), "Service": serviceOf(c), "Project": j.tool.name,
			"Image": c.Image, "Command": c.Command, "State": c.State, "Status": c.Status, "Labels": engine.Plain(c.Labels),
			"Publishers": publishers(c.Ports), "Networks": []any{}}
		if c.NetworkSettings != nil {
			names := []any{}
			for name := range c.NetworkSettings.Networks {
				names = append(names, name)
			}
			one["Networks"] = names
		}
		containers = append(containers, one)
		images = append(images, map[string]any{"ContainerName": containerLabel(c), "ID": c.ImageID, "Repository": repository, "Tag": tag})
	}
	r["containers"], r["images"] = containers, images
	return r
}

func publishers(ports []container.Port) []any {
	list := []any{}
	for _, p := range ports {
		list = append(list, map[string]any{"URL": p.IP, "TargetPort": int(p.PrivatePort), "PublishedPort": int(p.PublicPort), "Protocol": p.Type})
	}
	return list
}
