package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gplay/playbook"
	"gplay/playbook/runner"
)

// adhoc is the command ansible: one task, without a playbook.
type adhoc struct {
	options
	module, arguments string
	background, poll  int
	taskTimeout       int
	oneline           bool
	tree              string
	playbookDir       string
}

func adhocCommand(code *int) *cobra.Command {
	var a adhoc
	cmd := &cobra.Command{
		Use:   "ansible PATTERN",
		Short: "Run one task on hosts, without a playbook",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage{errors.New("ansible needs one pattern of hosts: ansible all -i hosts -m ping (ansible --help tells more)")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			*code, err = a.run(cmd.Context(), args[0])
			return err
		},
	}
	a.define(cmd.Flags())
	return cmd
}

func (a *adhoc) define(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringVarP(&a.module, "module-name", "m", "command", "the `module` to run")
	f.StringVarP(&a.arguments, "args", "a", "", "its `arguments`: k=v, free text, or JSON")
	f.IntVarP(&a.background, "background", "B", 0, "let it run in the background for at most so many `seconds`")
	f.IntVarP(&a.poll, "poll", "P", 15, "ask every so many `seconds` how it goes, with -B")
	f.IntVar(&a.taskTimeout, "task-timeout", 0, "end the task after so many `seconds`")
	f.BoolVarP(&a.oneline, "one-line", "o", false, "show each result on one line")
	f.StringVarP(&a.tree, "tree", "t", "", "write the results to this `directory`, a file for each host")
	f.StringVar(&a.playbookDir, "playbook-dir", "", "take this `directory` as a playbook's")
	a.defineCommon(f)
}

func (a *adhoc) run(ctx context.Context, pattern string) (int, error) {
	c, err := a.configure()
	if err != nil {
		return 0, err
	}
	if !a.given("module-name") {
		a.module = first(c.moduleName, a.module)
	}
	a.arguments = first(a.arguments, c.moduleArgs)
	text, err := a.playbook(pattern)
	if err != nil {
		return 0, err
	}
	if !c.loadCallbacks {
		c.callbacks = nil
	}
	if a.tree != "" {
		c.callbacks, c.treeDir = append(c.callbacks, "tree"), a.tree
	}
	r, err := a.runner(c, a.output(c))
	if err != nil {
		return 0, err
	}
	defer r.Close()
	if pattern != "localhost" && pattern != "127.0.0.1" && pattern != "::1" {
		c.warnOfNoHosts(r)
	}
	if err := r.CheckLimit(); err != nil {
		return 0, err
	}
	hosts, err := r.Hosts(pattern)
	switch {
	case err != nil:
		return 0, err
	case a.listHosts:
		fmt.Printf("  hosts (%d):\n", len(hosts))
		for _, h := range hosts {
			fmt.Println("    " + h.Name)
		}
		return runner.ExitOK, nil
	case len(hosts) == 0:
		r.Callback.Warning("No hosts matched, nothing to do")
		return runner.ExitOK, nil
	}
	pb, err := r.LoadText(ctx, filepath.Join(first(a.playbookDir, c.playbookDir), "the command line"), text)
	if err != nil {
		return 0, err
	}
	c.tellRedirects(r, a.output(c))
	return r.Run(ctx, pb)
}

func (a *adhoc) output(c *config) string {
	switch {
	case a.oneline:
		return "oneline"
	case c.loadCallbacks && c.callback != "":
		return c.callback
	}
	return "minimal"
}

// playbook is the playbook of one task that the command line asks for.
func (a *adhoc) playbook(pattern string) ([]byte, error) {
	name := playbook.Builtin(a.module)
	if name == "import_playbook" {
		return nil, badValue{fmt.Errorf("'%s' is not a valid action for ad-hoc commands", a.module)}
	}
	if a.arguments == "" && !a.listHosts && slices.Contains([]string{"command", "shell", "script", "raw"}, name) {
		return nil, badValue{fmt.Errorf("No argument passed to %s module", a.module)}
	}
	task := map[string]any{"action": a.module + " " + a.arguments}
	if trimmed := strings.TrimSpace(a.arguments); strings.HasPrefix(trimmed, "{") && json.Valid([]byte(trimmed)) {
		task = map[string]any{a.module: json.RawMessage(trimmed)}
	}
	if a.background > 0 {
		task["async"], task["poll"] = a.background, a.poll
	}
	if a.taskTimeout > 0 {
		task["timeout"] = a.taskTimeout
	}
	play := map[string]any{"name": "Ansible Ad-Hoc", "hosts": pattern, "gather_facts": false, "tasks": []any{task}}
	return json.Marshal([]any{play})
}
