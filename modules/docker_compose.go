package modules

import (
	"cmp"
	"context"
	"errors"
	"path"

	"gopkg.in/yaml.v3"

	"gplay/modules/engine"
)

// DockerCompose runs a project with whichever Compose the host has, with the
// arguments that went with Compose 1.
var DockerCompose = define("docker_compose", "run a project with docker compose or docker-compose, whichever the host has",
	dockerComposeArgs{State: "present", Recreate: "smart", Dependencies: true}, dockerCompose).
	oneOf("project_src", "definition").exclusive("project_src", "definition").together("definition", "project_name")

type dockerComposeArgs struct {
	dockerEngineArgs
	ProjectSrc    string         `arg:"project_src" type:"path" doc:"The project's directory. Its files may be of the format of 2015."`
	Files         []string       `arg:"files" doc:"The project's files, seen from there."`
	Definition    map[string]any `arg:"definition" doc:"The project itself, in place of files."`
	ProjectName   string         `arg:"project_name" doc:"Its name, that of its directory by default."`
	EnvFile       string         `arg:"env_file" type:"path" doc:"The file of variables, .env by default."`
	Profiles      []string       `arg:"profiles" doc:"The profiles whose services count."`
	State         string         `arg:"state" choices:"present,absent,stopped,restarted" doc:"What the services are to be; stopped is present with stopped."`
	Services      []string       `arg:"services" doc:"Only these services; with state absent only their containers go."`
	Scale         map[string]any `arg:"scale" doc:"How many containers a service has: {web: 2}."`
	Dependencies  bool           `arg:"dependencies" doc:"Also what the services depend on."`
	Pull          bool           `arg:"pull" doc:"Pull the images first."`
	Build         bool           `arg:"build" doc:"Build the images first."`
	NoCache       bool           `arg:"nocache" doc:"Build them without the cache."`
	Recreate      string         `arg:"recreate" choices:"always,never,smart" doc:"When containers are made anew; smart is when they differ."`
	RemoveImages  string         `arg:"remove_images" choices:"all,local" doc:"With state absent: images to remove."`
	RemoveVolumes bool           `arg:"remove_volumes" doc:"With state absent: remove the volumes too."`
	RemoveOrphans bool           `arg:"remove_orphans" doc:"Remove containers of services that are no longer there."`
	Stopped       bool           `arg:"stopped" doc:"The containers are there and do not run."`
	Restarted     bool           `arg:"restarted" doc:"Restart the containers."`
	Hostname      bool           `arg:"hostname_check" doc:"Accepted for old playbooks: the engine's name is verified with validate_certs."`
	StopTimeout   *int           `arg:"stop_timeout" doc:"Seconds until a container that is stopped is killed; timeout says the same."`
}

func dockerCompose(ctx context.Context, c *Call, a dockerComposeArgs) (Result, error) {
	if c.Given("timeout") && a.StopTimeout == nil {
		a.StopTimeout = &a.Timeout
	}
	p := composeProject{dockerEngineArgs: a.dockerEngineArgs, dir: a.ProjectSrc, files: a.Files, definition: a.Definition,
		name: a.ProjectName, profiles: a.Profiles}
	if a.EnvFile != "" {
		p.envFiles = []string{a.EnvFile}
	}
	j, err := p.job(ctx, c)
	if err != nil {
		return nil, err
	}
	defer j.docker.Close()
	j.state, j.services, j.dependencies, j.scale = a.State, a.Services, a.Dependencies, a.Scale
	j.recreate, j.removeOrphans, j.removeImages, j.removeVolumes = a.Recreate, a.RemoveOrphans, a.RemoveImages, a.RemoveVolumes
	j.stop, j.restart, j.noCache, j.timeout = a.Stopped || a.State == "stopped", a.Restarted, a.NoCache, a.StopTimeout
	if a.Recreate == "smart" {
		j.recreate = "auto"
	}
	if a.Pull {
		j.pull = "always"
	}
	if a.Build {
		j.build = "always"
	}
	err = j.run()
	return j.oldResult(err), err
}

// composeProject says where a project is.
type composeProject struct {
	dockerEngineArgs
	dir, name  string
	files      []string
	definition map[string]any
	envFiles   []string
	profiles   []string
	cli        string // the docker program
	context    string
}

// job finds the host's Compose and reads the project.
func (p composeProject) job(ctx context.Context, c *Call) (*composeJob, error) {
	program, v2, err := findCompose(ctx, c, p.cli)
	if err != nil {
		return nil, err
	}
	if p.context != "" && v2 {
		program = append([]string{program[0], "--context", p.context}, program[1:]...)
	}
	t := &composeTool{c: c, program: program, v2: v2, dir: p.dir}
	if err := p.options(c, t); err != nil {
		return nil, err
	}
	j := &composeJob{ctx: ctx, c: c, tool: t}
	if j.project, err = t.project(ctx, p.name); err != nil {
		return nil, err
	}
	if p.definition == nil {
		t.options = append(t.options, "--project-name", t.name)
	}
	j.docker, err = p.connect(ctx, c)
	return j, err
}

// options sets what stands before Compose's subcommand. The engine it talks
// to goes through the environment.
func (p composeProject) options(c *Call, t *composeTool) error {
	address := p.address(c)
	if p.DockerHost != "" {
		t.env = append(t.env, "DOCKER_HOST="+address.Host)
	}
	if v := address.APIVersion; v != "" && v != "auto" {
		t.env = append(t.env, "DOCKER_API_VERSION="+v)
	}
	if dir := path.Dir(cmp.Or(p.ClientCert, p.CACert)); dir != "." {
		t.env = append(t.env, "DOCKER_CERT_PATH="+dir)
	}
	if p.TLS || p.ValidateCerts {
		t.env = append(t.env, "DOCKER_TLS_VERIFY=1")
	}
	if p.TLSHostname != "" {
		return errors.New("tls_hostname cannot be given to Compose: use docker_host with the name in the certificate")
	}
	for _, f := range p.envFiles {
		t.options = append(t.options, "--env-file", f)
	}
	for _, name := range p.profiles {
		t.options = append(t.options, "--profile", name)
	}
	if p.definition == nil {
		return t.files(p.files)
	}
	text, err := yaml.Marshal(p.definition)
	t.input = text
	t.options = append(t.options, "-f", "-", "--project-name", p.name)
	if t.dir != "" {
		t.options = append(t.options, "--project-directory", t.dir)
	}
	return err
}

// oldResult is what the module of Compose 1 reports: the containers of each
// service, and what was done to them.
func (j *composeJob) oldResult(failed error) Result {
	state := j.after
	if state == nil {
		state = j.before
	}
	r := Result{"services": map[string]any{}, "actions": j.actionList(), "stdout": j.stdout.String(), "stderr": j.stderr.String()}
	if state == nil || failed != nil {
		return r
	}
	services := map[string]any{}
	for name := range j.project.Services {
		containers := map[string]any{}
		for _, c := range state.of(name) {
			facts := map[string]any{"image": c.Image, "labels": engine.Plain(c.Labels), "networks": map[string]any{},
				"state": map[string]any{"running": c.State == "running", "status": c.State}}
			if c.NetworkSettings != nil {
				facts["networks"] = engine.Plain(c.NetworkSettings.Networks)
			}
			if info, err := j.docker.ContainerInspect(j.ctx, c.ID); err == nil {
				facts["cmd"] = engine.Plain(info.Config.Cmd)
			}
			containers[containerLabel(c)] = facts
		}
		services[name] = containers
	}
	r["services"] = services
	return r
}

func (j *composeJob) actionList() []any {
	list := []any{}
	for _, a := range j.actions {
		list = append(list, map[string]any{"what": a.what, "service": a.service, "id": a.id, "status": a.status})
	}
	return list
}
