package modules

import (
	"fmt"
	"io/fs"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"

	"gplay/modules/engine"
	"gplay/modules/host"
)

// serviceFile is a config or a secret of the swarm as containers see it.
type serviceFile struct {
	Filename string `arg:"filename" doc:"The file's name inside; without it the object's."`
	UID      string `arg:"uid" doc:"The number of the user that owns it."`
	GID      string `arg:"gid" doc:"The number of the group that owns it."`
	Mode     Mode   `arg:"mode" doc:"Its permissions."`
}

type serviceConfig struct {
	ID   string `arg:"config_id" doc:"The config's id; without it the name is looked up."`
	Name string `arg:"config_name" required:"true" doc:"The config's name."`
	serviceFile
}

type serviceSecret struct {
	ID   string `arg:"secret_id" doc:"The secret's id; without it the name is looked up."`
	Name string `arg:"secret_name" required:"true" doc:"The secret's name."`
	serviceFile
}

// target is what the engine wants to know of the file.
func (f serviceFile) target(name string) (file, uid, gid string, mode fs.FileMode) {
	file, uid, gid, mode = name, "0", "0", 0o444
	give(&file, f.Filename != "", f.Filename)
	give(&uid, f.UID != "", f.UID)
	give(&gid, f.GID != "", f.GID)
	give(&mode, f.Mode.Given(), host.FileMode(f.Mode.Apply(0, false, 0)))
	return file, uid, gid, mode
}

// files are the service's configs and secrets.
func (j serviceJob) files(s *swarm.ServiceSpec) error {
	c := s.TaskTemplate.ContainerSpec
	if j.Configs != nil {
		c.Configs = nil
		for _, given := range j.Configs {
			id, err := j.configID(given)
			if err != nil {
				return err
			}
			file, uid, gid, mode := given.target(given.Name)
			c.Configs = append(c.Configs, &swarm.ConfigReference{ConfigID: id, ConfigName: given.Name,
				File: &swarm.ConfigReferenceFileTarget{Name: file, UID: uid, GID: gid, Mode: mode}})
		}
	}
	if j.Secrets == nil {
		return nil
	}
	c.Secrets = nil
	for _, given := range j.Secrets {
		id, err := j.secretID(given)
		if err != nil {
			return err
		}
		file, uid, gid, mode := given.target(given.Name)
		c.Secrets = append(c.Secrets, &swarm.SecretReference{SecretID: id, SecretName: given.Name,
			File: &swarm.SecretReferenceFileTarget{Name: file, UID: uid, GID: gid, Mode: mode}})
	}
	return nil
}

// configID looks the name up; the engine finds the beginnings of names, too.
func (j serviceJob) configID(given serviceConfig) (string, error) {
	if given.ID != "" {
		return given.ID, nil
	}
	found, err := j.docker.ConfigList(j.ctx, swarm.ConfigListOptions{Filters: filters.NewArgs(filters.Arg("name", given.Name))})
	if err != nil {
		return "", engine.Failure("looking for config "+given.Name, err)
	}
	for _, config := range found {
		if config.Spec.Name == given.Name {
			return config.ID, nil
		}
	}
	return "", fmt.Errorf("Could not find a config named %q", given.Name)
}

func (j serviceJob) secretID(given serviceSecret) (string, error) {
	if given.ID != "" {
		return given.ID, nil
	}
	found, err := j.docker.SecretList(j.ctx, swarm.SecretListOptions{Filters: filters.NewArgs(filters.Arg("name", given.Name))})
	if err != nil {
		return "", engine.Failure("looking for secret "+given.Name, err)
	}
	for _, secret := range found {
		if secret.Spec.Name == given.Name {
			return secret.ID, nil
		}
	}
	return "", fmt.Errorf("Could not find a secret named %q", given.Name)
}
