package modules

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gplay/modules/host"
)

// account is a user as /etc/passwd has it.
type account struct {
	name           string
	uid, gid       int
	comment        string
	home, shell    string
	password       string // encrypted, from /etc/shadow
	expires        int    // days since 1970, -1 for never
	minAge, maxAge string // days between changes of the password
}

// userGroup is a group as /etc/group has it.
type userGroup struct {
	name    string
	gid     int
	members []string
}

// findAccount looks a user up in the files or, unless local is set, wherever
// the host looks for users.
func findAccount(ctx context.Context, c *Call, name string, local bool) (account, bool) {
	fields := colonEntry(c, "/etc/passwd", name)
	if fields == nil && !local {
		fields = getent(ctx, c, "passwd", name)
	}
	if len(fields) < 7 {
		return account{}, false
	}
	a := account{name: fields[0], comment: fields[4], home: fields[5], shell: fields[6], expires: -1}
	a.uid, _ = strconv.Atoi(fields[2])
	a.gid, _ = strconv.Atoi(fields[3])
	if shadow := colonEntry(c, "/etc/shadow", name); len(shadow) > 7 {
		a.password, a.minAge, a.maxAge = shadow[1], shadow[3], shadow[4]
		if days, err := strconv.Atoi(shadow[7]); err == nil {
			a.expires = days
		}
	}
	return a, true
}

func findGroup(ctx context.Context, c *Call, nameOrID string, local bool) (userGroup, bool) {
	for _, g := range localGroups(c) {
		if g.name == nameOrID || strconv.Itoa(g.gid) == nameOrID {
			return g, true
		}
	}
	if !local {
		if g, ok := parseGroup(getent(ctx, c, "group", nameOrID)); ok {
			return g, true
		}
	}
	return userGroup{}, false
}

func localGroups(c *Call) []userGroup {
	data, err := c.ReadFile("/etc/group")
	if err != nil {
		return nil
	}
	var groups []userGroup
	for line := range strings.Lines(string(data)) {
		if g, ok := parseGroup(strings.Split(strings.TrimSpace(line), ":")); ok {
			groups = append(groups, g)
		}
	}
	return groups
}

func parseGroup(fields []string) (userGroup, bool) {
	if len(fields) < 4 {
		return userGroup{}, false
	}
	gid, err := strconv.Atoi(fields[2])
	g := userGroup{name: fields[0], gid: gid}
	if fields[3] != "" {
		g.members = strings.Split(fields[3], ",")
	}
	return g, err == nil
}

// memberships are the groups that list a user as a member, sorted.
func memberships(c *Call, user string) []string {
	var names []string
	for _, g := range localGroups(c) {
		if slices.Contains(g.members, user) {
			names = append(names, g.name)
		}
	}
	slices.Sort(names)
	return names
}

func colonEntry(c *Call, file, name string) []string {
	data, err := c.ReadFile(file)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, name+":") {
			return strings.Split(strings.TrimRight(line, "\n"), ":")
		}
	}
	return nil
}

func getent(ctx context.Context, c *Call, database, name string) []string {
	out, err := c.Ask(ctx, host.Command("getent", database, name))
	if err != nil || out.Code != 0 {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(out.Stdout)), ":")
}

// accountTool runs the programs that keep the user database, and collects
// what they print.
type accountTool struct {
	ctx            context.Context
	c              *Call
	name           string // of the user or group
	stdout, stderr string
}

// run makes one change. The name comes last; stdin may be empty.
func (t *accountTool) run(stdin string, args ...string) error {
	return t.c.Change(NoDiff, func(w host.Writer) error {
		cmd := host.Command(args...)
		if stdin != "" {
			cmd.Stdin = strings.NewReader(stdin)
		}
		out, err := w.Run(t.ctx, cmd)
		if err != nil {
			return fmt.Errorf("cannot run %s: %w", args[0], err)
		}
		t.stdout += string(out.Stdout)
		t.stderr += string(out.Stderr)
		if out.Code != 0 {
			return Fail(string(out.Stderr), Result{"name": t.name, "rc": out.Code})
		}
		return nil
	})
}

func (t *accountTool) addTo(r Result) {
	if t.stdout != "" {
		r["stdout"] = t.stdout
	}
	if t.stderr != "" {
		r["stderr"] = t.stderr
	}
}
