package modules

import (
	"context"
	"errors"
	"slices"
	"strings"

	"gplay/modules/dpkg"
	"gplay/modules/host"
)

// PackageFacts tells which packages a host has.
var PackageFacts = define("package_facts", "find out which packages a host has", packageFactsArgs{Manager: []string{"auto"}, Strategy: "first"}, packageFacts).
	gives("ansible_facts packages name version release epoch arch category origin source")

type packageFactsArgs struct {
	Manager  []string `arg:"manager" doc:"Whose packages: apt, rpm, apk; auto tries them all."`
	Strategy string   `arg:"strategy" choices:"first,all" doc:"Stop at the first package manager that is there, or ask all."`
}

// packageListers list the packages of one manager; none when it is not there.
var packageListers = []struct {
	name string
	list func(context.Context, *Call) ([]map[string]any, error)
}{{"apt", listDebs}, {"rpm", listRPMs}, {"apk", listApks}}

func packageFacts(ctx context.Context, c *Call, a packageFactsArgs) (Result, error) {
	found := map[string]any{}
	for _, l := range packageListers {
		if !slices.Contains(a.Manager, "auto") && !slices.Contains(a.Manager, l.name) {
			continue
		}
		list, err := l.list(ctx, c)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			name := p["name"].(string)
			before, _ := found[name].([]any)
			found[name] = append(before, p)
		}
		if len(list) > 0 && a.Strategy == "first" {
			break
		}
	}
	if len(found) == 0 {
		return nil, errors.New("Could not detect a supported package manager from the following list: apt, rpm, apk")
	}
	return Result{"ansible_facts": map[string]any{"packages": found}}, nil
}

func listDebs(_ context.Context, c *Call) ([]map[string]any, error) {
	if !fileExists(c, "/var/lib/dpkg/status") {
		return nil, nil
	}
	all, err := dpkg.Status(c)
	var list []map[string]any
	for _, p := range all {
		if p.Installed {
			list = append(list, map[string]any{"name": p.Name, "version": p.Version, "arch": p.Arch,
				"category": p.Section, "origin": p.Origin, "source": "apt"})
		}
	}
	return list, err
}

func listRPMs(ctx context.Context, c *Call) ([]map[string]any, error) {
	if !hasProgram(c, "rpm") {
		return nil, nil
	}
	out, err := c.Ask(ctx, host.Command("rpm", "-qa", "--queryformat", `%{NAME}\t%{VERSION}\t%{RELEASE}\t%{EPOCH}\t%{ARCH}\n`))
	var list []map[string]any
	for line := range strings.Lines(string(out.Stdout)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 5 {
			continue
		}
		var epoch any
		if f[3] != "(none)" {
			epoch = f[3]
		}
		list = append(list, map[string]any{"name": f[0], "version": f[1], "release": f[2], "epoch": epoch, "arch": f[4], "source": "rpm"})
	}
	return list, err
}

func listApks(_ context.Context, c *Call) ([]map[string]any, error) {
	data, err := c.ReadFile("/lib/apk/db/installed")
	if err != nil {
		return nil, nil // this is no Alpine
	}
	var list []map[string]any
	for entry := range strings.SplitSeq(string(data), "\n\n") {
		p := map[string]any{"source": "apk"}
		for line := range strings.Lines(entry) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			switch key {
			case "P":
				p["name"] = value
			case "V":
				i := max(0, strings.LastIndex(value, "-"))
				p["version"], p["release"] = value[:i], strings.TrimPrefix(value[i:], "-")
			}
		}
		if p["name"] != nil {
			list = append(list, p)
		}
	}
	return list, nil
}
