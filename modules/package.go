package modules

import (
	"context"
	"fmt"

	"gplay/modules/facts"
)

// Package installs packages with whatever the host has for that.
var Package = define("package", "install, upgrade and remove packages with the host's own package manager", packageArgs{Use: "auto"}, packages)

type packageArgs struct {
	Name        []string `arg:"name" required:"true" alias:"pkg" doc:"The packages, by the names they have there."`
	State       string   `arg:"state" required:"true" choices:"absent,installed,latest,present,removed" doc:"Whether they are to be there."`
	Use         string   `arg:"use" doc:"The package manager; auto finds out."`
	UpdateCache *bool    `arg:"update_cache" alias:"update-cache" doc:"Refresh the lists of packages first."`
}

func packages(ctx context.Context, c *Call, a packageArgs) (Result, error) {
	manager := a.Use
	if manager == "" || manager == "auto" {
		manager = facts.PackageManager(c, facts.Detect(c))
	}
	update := a.UpdateCache != nil && *a.UpdateCache
	switch manager {
	case "apt":
		args := Apt.args.(aptArgs)
		args.Package, args.State, args.UpdateCache = a.Name, a.State, a.UpdateCache
		return apt(ctx, c, args)
	case "dnf", "yum":
		return rpmPackages(ctx, c, rpmArgs{Name: a.Name, State: a.State, UpdateCache: update}, manager)
	case "apk":
		args := Apk.args.(apkArgs)
		args.Name, args.State, args.UpdateCache = a.Name, a.State, update
		return apk(ctx, c, args)
	}
	return nil, fmt.Errorf("Could not find a module for %s: packages are installed with apt, dnf, yum and apk", manager)
}
