package modules

import (
	"context"
	"strconv"
)

// Group makes groups of users.
var Group = define("group", "make sure that a group of users exists, or does not", groupArgs{State: "present"}, group).
	requiredIf("non_unique", true, "gid").
	gives("name state changed system gid")

type groupArgs struct {
	Name      string `arg:"name" required:"true" doc:"The group."`
	State     string `arg:"state" choices:"absent,present" doc:"Whether it is to be there."`
	GID       *int   `arg:"gid" doc:"Its number."`
	System    bool   `arg:"system" doc:"A new group is to be a system group."`
	Local     bool   `arg:"local" doc:"Use the commands for local groups (luseradd and its like)."`
	NonUnique bool   `arg:"non_unique" doc:"The number may be another group's too."`
}

func group(ctx context.Context, c *Call, a groupArgs) (Result, error) {
	if err := noOption("name", a.Name); err != nil {
		return nil, err
	}
	tool := &accountTool{ctx: ctx, c: c, name: a.Name}
	old, exists := findGroup(ctx, c, a.Name, a.Local)
	exists = exists && old.name == a.Name
	var err error
	switch {
	case a.State == "absent" && exists:
		err = tool.run("", a.program("groupdel", "delgroup", c), a.Name)
	case a.State == "present" && !exists:
		err = tool.run("", a.addCommand(c)...)
	case a.State == "present" && a.GID != nil && *a.GID != old.gid:
		err = tool.run("", a.numbered([]string{a.program("groupmod", "groupmod", c)})...)
	}
	result := Result{"name": a.Name, "state": a.State}
	tool.addTo(result)
	if g, there := findGroup(ctx, c, a.Name, a.Local); there && g.name == a.Name && a.State == "present" {
		result["system"], result["gid"] = a.System, g.gid
	}
	return foretold(c, exists != (a.State == "present"), result), err
}

// program is the usual one, the one for local groups, or BusyBox's.
func (a groupArgs) program(usual, busybox string, c *Call) string {
	switch {
	case a.Local:
		return "l" + usual
	case !hasProgram(c, usual):
		return busybox
	}
	return usual
}

func (a groupArgs) addCommand(c *Call) []string {
	program := a.program("groupadd", "addgroup", c)
	if program != "addgroup" {
		cmd := []string{program}
		if a.System {
			cmd = append(cmd, "-r")
		}
		return a.numbered(cmd)
	}
	cmd := []string{program}
	if a.GID != nil {
		cmd = append(cmd, "-g", strconv.Itoa(*a.GID))
	}
	if a.System {
		cmd = append(cmd, "-S")
	}
	return append(cmd, a.Name)
}

func (a groupArgs) numbered(cmd []string) []string {
	if a.GID != nil {
		cmd = append(cmd, "-g", strconv.Itoa(*a.GID))
		if a.NonUnique {
			cmd = append(cmd, "-o")
		}
	}
	return append(cmd, a.Name)
}
