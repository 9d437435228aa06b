package modules

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gplay/modules/host"
)

// Apk installs and removes Alpine's packages.
var Apk = define("apk", "install, upgrade and remove packages with apk", apkArgs{State: "present", World: "/etc/apk/world"}, apk)

type apkArgs struct {
	Name        []string `arg:"name" doc:"The packages."`
	State       string   `arg:"state" choices:"absent,installed,latest,present,removed" doc:"Whether they are to be there."`
	UpdateCache bool     `arg:"update_cache" doc:"Refresh the lists of packages first."`
	Upgrade     bool     `arg:"upgrade" doc:"Upgrade everything that is installed."`
	Available   bool     `arg:"available" doc:"While upgrading, take what the repositories have even if it is older."`
	NoCache     bool     `arg:"no_cache" doc:"Use no local cache."`
	Repository  []string `arg:"repository" doc:"Repositories to use instead of the host's."`
	World       string   `arg:"world" doc:"The file of packages that were asked for."`
}

func apk(ctx context.Context, c *Call, a apkArgs) (Result, error) {
	if a.UpdateCache {
		err := c.Upkeep(func(w host.Writer) error {
			out, err := w.Run(ctx, host.Command(a.command("update")...))
			if err == nil && out.Code != 0 {
				err = Fail("could not update package db", outputs(out))
			}
			return err
		})
		if err != nil || len(a.Name) == 0 && !a.Upgrade {
			return Result{"msg": "updated repository indexes", "packages": []any{}}, err
		}
	}
	if a.Upgrade {
		words := []string{"upgrade"}
		if a.Available {
			words = append(words, "--available")
		}
		return a.change(ctx, c, "upgraded packages", "packages already upgraded", words, nil)
	}
	if len(a.Name) == 0 {
		return nil, fmt.Errorf("one of the following is required: name, update_cache, upgrade")
	}
	if a.State == "absent" || a.State == "removed" {
		there, err := a.filter(ctx, c, func(n string) (bool, error) { return apkInstalled(ctx, c, n) })
		if err != nil || len(there) == 0 {
			return Result{"msg": "package(s) already removed"}, err
		}
		return a.change(ctx, c, fmt.Sprintf("removed %s package(s)", strings.Join(there, " ")), "", []string{"del", "--purge"}, there)
	}
	wanted, err := a.filter(ctx, c, func(n string) (bool, error) { return a.wanted(ctx, c, n) })
	if err != nil || len(wanted) == 0 {
		return Result{"msg": "package(s) already installed"}, err
	}
	words := []string{"add"}
	if a.State == "latest" {
		words = append(words, "--upgrade")
	}
	return a.change(ctx, c, fmt.Sprintf("installed %s package(s)", strings.Join(wanted, " ")), "", words, wanted)
}

func (a apkArgs) command(words ...string) []string {
	cmd := []string{"apk"}
	if a.NoCache {
		cmd = append(cmd, "--no-cache")
	}
	if len(a.Repository) > 0 {
		cmd = append(cmd, "--repositories-file", "/dev/null")
	}
	for _, r := range a.Repository {
		cmd = append(cmd, "--repository", r)
	}
	return append(cmd, words...)
}

func (a apkArgs) filter(ctx context.Context, c *Call, keep func(string) (bool, error)) ([]string, error) {
	var left []string
	for _, n := range a.Name {
		yes, err := keep(strings.TrimSpace(n))
		if err != nil {
			return nil, err
		}
		if yes {
			left = append(left, strings.TrimSpace(n))
		}
	}
	return left, nil
}

// apkName is a package's name without the version that is asked for.
func apkName(spec string) string {
	if i := strings.IndexAny(spec, "<>=~@"); i > 0 {
		return spec[:i]
	}
	return spec
}

func apkInstalled(ctx context.Context, c *Call, spec string) (bool, error) {
	out, err := c.Ask(ctx, host.Command("apk", "info", "-e", "--", spec))
	return out.Code == 0, err
}

// wanted reports whether a package is missing, or could be newer and is to be.
func (a apkArgs) wanted(ctx context.Context, c *Call, spec string) (bool, error) {
	there, err := apkInstalled(ctx, c, spec)
	if err != nil || !there || a.State != "latest" {
		return !there, err
	}
	out, err := c.Ask(ctx, host.Command("apk", "version", "--", apkName(spec)))
	return strings.Contains(string(out.Stdout), "<"), err
}

// change runs a command. One that is not known to have something to do is
// tried first.
func (a apkArgs) change(ctx context.Context, c *Call, done, nothing string, words, names []string) (Result, error) {
	trial, err := c.Ask(ctx, host.Command(append(a.command(append(slices.Clone(words), "--simulate")...), names...)...))
	if err != nil {
		return nil, err
	}
	if trial.Code != 0 {
		return nil, Fail("failed to "+words[0]+" "+strings.Join(names, " "), outputs(trial))
	}
	packages := apkPackages(trial.Stdout)
	if nothing != "" && len(packages) == 0 {
		return Result{"msg": nothing, "packages": []any{}}, nil
	}
	out := trial
	err = c.Change(NoDiff, func(w host.Writer) (err error) {
		out, err = w.Run(ctx, host.Command(append(a.command(words...), names...)...))
		if err == nil && out.Code != 0 {
			err = Fail("failed to "+words[0]+" "+strings.Join(names, " "), outputs(out))
		}
		return err
	})
	result := outputs(out)
	result["msg"], result["packages"] = done, packages
	return result, err
}

// apkPackages reads the steps apk prints: "(1/2) Installing foo (1.0)".
func apkPackages(stdout []byte) []any {
	packages := []any{}
	for line := range strings.Lines(string(stdout)) {
		if f := strings.Fields(line); len(f) > 2 && strings.HasPrefix(f[0], "(") && strings.Contains(f[0], "/") {
			packages = append(packages, f[2])
		}
	}
	return packages
}
