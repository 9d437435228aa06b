package compose

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Project is what `config` prints of one, as far as it is used.
type Project struct {
	Name     string             `yaml:"name"`
	Services map[string]Service `yaml:"services"`
}

// Service is one of a project's.
type Service struct {
	Image     string `yaml:"image"`
	Build     any    `yaml:"build"`
	Scale     *int   `yaml:"scale"`
	DependsOn any    `yaml:"depends_on"` // a list or a dictionary
	Links     []any  `yaml:"links"`
	Deploy    struct {
		Replicas *int `yaml:"replicas"`
	} `yaml:"deploy"`
}

// Parse reads what `config` printed.
func Parse(text []byte) (*Project, error) {
	var p Project
	if err := yaml.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("Compose's config cannot be read: %w", err)
	}
	return &p, nil
}

// Replicas is how many containers a service has unless it is scaled.
func (s Service) Replicas() int {
	switch {
	case s.Scale != nil:
		return *s.Scale
	case s.Deploy.Replicas != nil:
		return *s.Deploy.Replicas
	}
	return 1
}

func (s Service) needs() []string {
	var names []string
	switch deps := s.DependsOn.(type) {
	case []any:
		for _, d := range deps {
			names = append(names, fmt.Sprint(d))
		}
	case map[string]any:
		for d := range deps {
			names = append(names, d)
		}
	}
	for _, l := range s.Links {
		name, _, _ := strings.Cut(fmt.Sprint(l), ":")
		names = append(names, name)
	}
	return names
}

// Selected are the services of the names, all when there are none, with
// what they depend on if deps is set. An unknown name is an error.
func (p *Project) Selected(names []string, deps bool) ([]string, error) {
	var out []string
	var add func(string)
	add = func(name string) {
		if slices.Contains(out, name) {
			return
		}
		out = append(out, name)
		if deps {
			for _, d := range p.Services[name].needs() {
				add(d)
			}
		}
	}
	if len(names) == 0 {
		for name := range p.Services {
			add(name)
		}
	}
	for _, name := range names {
		if _, ok := p.Services[name]; !ok {
			return nil, fmt.Errorf("No such service: %s", name)
		}
		add(name)
	}
	slices.Sort(out)
	return out, nil
}

var notInName = regexp.MustCompile(`[^-_a-z0-9]`)

// NameOf is the name that a project in a directory has by itself.
func NameOf(dir string) string {
	return strings.TrimLeft(notInName.ReplaceAllString(strings.ToLower(path.Base(dir)), ""), "-_")
}
