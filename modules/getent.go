package modules

import (
	"context"
	"errors"
	"strings"

	"gplay/modules/host"
)

// Getent reads the host's databases of names.
var Getent = define("getent", "read a database of users, groups, hosts or services as a fact", getentArgs{FailKey: true}, readNames).
	gives("ansible_facts")

type getentArgs struct {
	Database string  `arg:"database" required:"true" doc:"The database: passwd, group, hosts, services …"`
	Key      *string `arg:"key" doc:"The entry; without it all of them."`
	Service  string  `arg:"service" doc:"The name service to ask, such as files."`
	Split    string  `arg:"split" doc:"What separates an entry's fields: a colon in passwd, shadow, group and gshadow, else blanks."`
	FailKey  bool    `arg:"fail_key" doc:"Fail when there is no such entry."`
}

// getentFaults are what the exit codes of the program mean.
var getentFaults = map[int]string{
	1: "Missing arguments, or database unknown.",
	2: "One or more supplied key could not be found in the database.",
	3: "Enumeration not supported on this database.",
}

func readNames(ctx context.Context, c *Call, a getentArgs) (Result, error) {
	cmd := []string{"getent"}
	if a.Service != "" {
		cmd = append(cmd, "-s", a.Service)
	}
	cmd = append(cmd, "--", a.Database)
	if a.Key != nil {
		cmd = append(cmd, *a.Key)
	}
	out, err := c.Ask(ctx, host.Cmd{Args: cmd, Env: english})
	if err != nil {
		return nil, err
	}
	fact := map[string]any{}
	r := Result{"ansible_facts": map[string]any{"getent_" + a.Database: fact}}
	switch {
	case out.Code == 2 && !a.FailKey && a.Key != nil:
		fact[*a.Key] = nil
		r["msg"] = getentFaults[2]
		return r, nil
	case out.Code != 0:
		fault, known := getentFaults[out.Code]
		if !known {
			fault = "Unexpected failure!"
		}
		return nil, errors.New(fault)
	}
	var names []string
	for _, line := range splitLines(string(out.Stdout)) {
		if name := a.add(fact, line); name != "" {
			names = append(names, name)
		}
	}
	r[Order] = names
	return r, nil
}

// add adds one entry, and gives its name. A name that comes twice has a list of
// entries.
func (a getentArgs) add(fact map[string]any, line string) (name string) {
	fields := a.fields(line)
	if len(fields) == 0 {
		return ""
	}
	name, rest := fields[0], plain(fields[1:]).([]any)
	switch old := fact[name].(type) {
	case nil:
		fact[name] = rest
	case several:
		fact[name] = append(old, rest)
	default:
		fact[name] = several{old, rest}
	}
	return name
}

// several are the entries of a name that comes more than once.
type several []any

func (a getentArgs) fields(line string) []string {
	split := a.Split
	if split == "" {
		switch a.Database {
		case "passwd", "shadow", "group", "gshadow":
			split = ":"
		default:
			return strings.Fields(line)
		}
	}
	return strings.Split(line, split)
}
