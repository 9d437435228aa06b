package modules

import (
	"context"
	"strings"

	"gplay/modules/host"
)

// DpkgSelections holds packages, or lets them go.
var DpkgSelections = define("dpkg_selections", "say what dpkg is to do with a package: hold it, for one", dpkgSelectionsArgs{}, dpkgSelections).
	gives("changed before after")

type dpkgSelectionsArgs struct {
	Name      string `arg:"name" required:"true" doc:"The package."`
	Selection string `arg:"selection" required:"true" choices:"install,hold,deinstall,purge" doc:"What to do with it."`
}

func dpkgSelections(ctx context.Context, c *Call, a dpkgSelectionsArgs) (Result, error) {
	if err := noOption("name", a.Name); err != nil {
		return nil, err
	}
	out, err := c.Ask(ctx, host.Cmd{Args: []string{"dpkg", "--get-selections", a.Name}, Env: english})
	if err != nil {
		return nil, err
	}
	if out.Code != 0 {
		r := outputs(out)
		r["rc"] = out.Code
		return nil, Fail(firstText(out.Stderr, out.Stdout), r)
	}
	current := "not present"
	if fields := strings.Fields(string(out.Stdout)); len(fields) > 1 {
		current = fields[1]
	}
	r := Result{"before": current, "after": a.Selection}
	if current == a.Selection {
		return r, nil
	}
	return r, c.Change(NoDiff, func(w host.Writer) error {
		return succeed(ctx, w, "dpkg --set-selections failed", host.Cmd{
			Args: []string{"dpkg", "--set-selections"}, Stdin: strings.NewReader(a.Name + " " + a.Selection), Env: english,
		})
	})
}
