package modules

import (
	"fmt"

	"gplay/modules/facts"
)

// Package installs packages with whatever the host has for that. It takes all
// arguments of the module of that name.
var Package = define("package", "install, upgrade and remove packages with the host's own package manager", packageArgs{Use: "auto"}, nil).standsFor(packageManager)

type packageArgs struct {
	Name  []string `arg:"name" required:"true" doc:"The packages, by the names they have there."`
	State string   `arg:"state" required:"true" choices:"absent,installed,latest,present,removed" doc:"Whether they are to be there."`
	Use   string   `arg:"use" doc:"The package manager; auto finds out."`
}

func packageManager(c *Call, args map[string]any) (*Module, map[string]any, error) {
	name := used(args)
	if name == "auto" {
		name = facts.PackageManager(c, facts.Detect(c))
	}
	for _, m := range []*Module{Apt, Dnf, Yum, Apk} {
		if m.Name == name {
			return m, args, nil
		}
	}
	return nil, nil, fmt.Errorf("Could not find a module for %s.", name)
}

// used takes the argument use out of args.
func used(args map[string]any) string {
	use := "auto"
	if v := args["use"]; v != nil {
		use = fmt.Sprint(v)
	}
	delete(args, "use")
	return use
}
