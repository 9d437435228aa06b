package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"gplay/connection"
	"gplay/internal/vault"
	"gplay/inventory"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/callback"
	"gplay/playbook/runner"
	"gplay/playbook/vars"
)

// run reads and runs the playbooks in turn.
func (o *options) run(ctx context.Context, files []string) (code int, err error) {
	o.books = files
	c, err := o.configure()
	if err != nil {
		return 0, err
	}
	output := first(c.callback, "default")
	r, err := o.runner(c, output)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	for _, file := range files {
		if err := r.Exists(file); err != nil {
			return 0, err
		}
	}
	c.warnOfNoHosts(r)
	if err := r.CheckLimit(); err != nil {
		return 0, err
	}
	if o.listOnly() {
		return runner.ExitOK, o.show(ctx, r, files)
	}
	for i, file := range files {
		pb, err := r.Load(ctx, file)
		if err != nil {
			return 0, err
		}
		if i == 0 {
			c.tellRedirects(r, output)
		}
		if code, err = r.Run(ctx, pb); err != nil {
			return code, err
		}
		if code != runner.ExitOK {
			break
		}
	}
	if !r.Started() {
		fmt.Fprintf(os.Stderr, " [ERROR]: No matching task \"%s\" found. Note: --start-at-task can only follow static includes.\n", o.startAt)
	}
	return code, nil
}

// tellRedirects tells in which collections the callbacks are.
func (c *config) tellRedirects(r *runner.Runner, output string) {
	for _, line := range callback.Redirects(output, c.callbacks) {
		r.Callback.Verbose(2, line)
	}
}

func (c *config) warnOfNoHosts(r *runner.Runner) {
	if len(r.Inventory.Hosts) == 0 && !c.noLocalhostWarning {
		r.Callback.Warning("provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'")
	}
}

// show says what is in the playbooks, and runs nothing.
func (o *options) show(ctx context.Context, r *runner.Runner, files []string) error {
	books, err := loadAll(ctx, r, files)
	switch {
	case err != nil:
		return err
	case o.syntaxCheck:
		return o.checkSyntax(ctx, books, r)
	}
	return o.list(ctx, books, r)
}

// configure reads the configuration and settles the options by it.
func (o *options) configure() (*config, error) {
	c, err := loadConfig(func(msg string) { fmt.Fprintln(os.Stderr, "[WARNING]: "+msg) })
	if err != nil {
		return nil, err
	}
	if err := o.settle(c); err != nil {
		return nil, err
	}
	return c, nil
}

// runner makes the runner whose output is the callback's of that name.
func (o *options) runner(c *config, output string) (*runner.Runner, error) {
	secrets := &callback.Secrets{}
	show, err := o.callback(c, output, secrets)
	if err != nil {
		return nil, err
	}
	show.Verbose(2, versionText())
	show.Verbose(1, c.describe())
	keys, err := o.vaultKeys(c, show.Warning)
	if err != nil {
		return nil, err
	}
	keys.Reveal = secrets.Add
	ro, err := o.runnerOptions(c, show, keys)
	if err != nil {
		return nil, err
	}
	ro.Secret = secrets.Add
	ro.FactCache = c.factCache(show.Warning, secrets.Add)
	if redis, ok := ro.FactCache.(*redisFacts); ok && !o.listOnly() {
		if err := redis.reach(); err != nil {
			return nil, err
		}
	}
	r := runner.New(ro)
	if o.flushCache {
		err = r.FlushCache()
	}
	return r, err
}

func (o *options) callback(c *config, output string, secrets *callback.Secrets) (runner.Callback, error) {
	color, columns := callback.Terminal(os.Stdout, os.Getenv)
	color = (color || c.forceColor) && (!c.noColor || c.forceColor)
	return callback.New(output, callback.Options{
		Out: os.Stdout, Err: os.Stderr, Verbosity: o.verbosity, Color: color, Columns: columns, Check: o.check,
		HideSkipped: !c.displaySkipped, HideOK: !c.displayOK, NoDeprecations: !c.deprecations,
		CustomStats: c.customStats, FailedToErr: c.failedToErr, CheckMarkers: c.checkMarkers, PathOnFailure: c.pathOnFailure,
		PerHostStart: c.perHostStart, YAML: c.resultFormat == "yaml", Pretty: c.pretty, Setting: c.callbackSetting,
		Secrets: secrets, Log: logTo(c.logPath), Enabled: c.callbacks, ShowArgs: c.showArgs, DiffContext: c.diffContext,
		Colors: c.colors, VerboseToErr: c.verboseToErr, NoModuleWarnings: c.noModuleWarnings,
	})
}

// loadInventory reads the inventory. As with Ansible, a source that cannot be
// read is only warned of, unless the settings say otherwise.
func (o *options) loadInventory(c *config, show runner.Callback, keys *vault.Keys) (*inventory.Inventory, error) {
	how := inventory.Options{Warn: show.Warning, Vault: keys, MergeDicts: c.hashBehaviour == "merge", GroupNames: c.groupNames,
		IgnoredEndings: c.inventoryEndings, IgnoredPatterns: c.inventoryPatterns}
	if !c.anyUnparsedFails {
		how.Faulty = func(err error) { show.Warning(" * Failed to parse the inventory: " + err.Error()) }
	}
	inv, err := inventory.Load(o.inventory, how)
	switch {
	case err != nil:
		return nil, err
	case len(inv.Sources) > 0:
	case c.unparsedFails:
		return nil, errors.New("No inventory was parsed, please check your configuration and options.")
	case !c.noUnparsedWarning:
		show.Warning("No inventory was parsed, only implicit localhost is available")
	}
	return inv, nil
}

func (o *options) runnerOptions(c *config, show runner.Callback, keys *vault.Keys) (runner.Options, error) {
	inv, err := o.loadInventory(c, show, keys)
	if err != nil {
		return runner.Options{}, err
	}
	extra, err := extraVars(o.extraVars, keys, c.hashBehaviour == "merge", show.Warning)
	if err != nil {
		return runner.Options{}, err
	}
	to, err := o.connectionOptions(c)
	if err != nil {
		return runner.Options{}, err
	}
	checking := "true"
	if !c.hostKeyChecking {
		checking = "false"
	}
	rejected, err := c.rejected(show.Warning)
	if err != nil {
		return runner.Options{}, err
	}
	templar := vars.NewTemplar()
	templar.Vault, templar.Settings = keys, o.constants(c)
	templar.MergeDicts = c.hashBehaviour == "merge"
	if !c.undefinedIsError {
		show.Warning("error_on_undefined_vars has no effect: what is undefined is an error")
	}
	if c.textFilters != nil {
		templar.TextFilters(c.textFilters)
	}
	if c.jinjaNative {
		templar.Native()
	}
	ro := runner.Options{
		Inventory: inv, Callback: show, Templar: templar, Limit: o.limit, Mismatch: c.hostMismatch, Forks: o.forks, Check: o.check, Diff: o.diff,
		Tags: split(o.tags), SkipTags: split(o.skipTags), StartAt: o.startAt, ForceHandlers: o.forceHandlers, MissingHandlers: !c.missingHandlerIsError, PrivateRoleVars: c.privateRoleVars, Strategy: c.strategy, Interpreter: c.interpreter, DebugFailures: c.debugFailures, DebugIgnored: c.debugIgnored,
		RetryFiles: c.retryFiles, RetryDir: c.retryDir, HideFacts: !c.injectFacts,
		RolesPath: c.rolesPath, CollectionsPath: c.collectionsPath, Library: c.library, Rejected: rejected, ListOnly: o.listOnly(), Keywords: c.keywords, SmartGathering: c.gathering == "smart", ExtraVars: extra, DuplicateKeys: c.duplicateKeys, RunVars: runVars(c), Connection: to, HostKeyChecking: checking, Verbosity: o.verbosity, Prompt: asker(), Keys: keyboard(), Console: console{},
		Pool: connection.NewPool(connection.Options{Prompt: prompter(), Warn: show.Warning}),
	}
	if o.step {
		ro.Confirm = confirm()
	}
	return ro, nil
}

// listOnly reports whether nothing is to be run.
func (o *options) listOnly() bool {
	return o.syntaxCheck || o.listHosts || o.listTasks || o.listTags
}

// split takes the comma-separated lists of --tags apart. An empty tag is one,
// which no task has.
func split(args []string) []string {
	var out []string
	for _, a := range args {
		for part := range strings.SplitSeq(a, ",") {
			out = append(out, strings.TrimSpace(part))
		}
	}
	return out
}

func runVars(c *config) *jinja.Dict {
	version := jinja.NewDict("string", coreVersion, "full", coreVersion, "major", 2, "minor", 18, "revision", 0)
	d := jinja.NewDict("ansible_version", version, "ansible_playbook_python", "/usr/bin/python3", "ansible_config_file", nil)
	if c.file != "" {
		d.Set("ansible_config_file", c.file)
	}
	return d
}

func (o *options) connectionOptions(c *config) (runner.Connection, error) {
	to := runner.Connection{
		Transport: o.connection, User: o.user, KeyFile: o.keyFile, CommonArgs: o.commonArgs, ExtraArgs: o.extraArgs,
		Timeout: seconds(o.timeout), Become: o.become, BecomeMethod: o.becomeMethod, BecomeUser: o.becomeUser, BecomeSameUser: c.becomeSameUser,
	}
	var err error
	if to.Password, err = secret(o.askPass, "SSH password: ", o.passFile); err != nil {
		return to, err
	}
	question := "BECOME password: "
	if o.askPass {
		question = "BECOME password[defaults to SSH password]: "
	}
	if to.BecomePassword, err = secret(o.askBecome, question, o.becomePassFile); err != nil {
		return to, err
	}
	if o.askBecome && to.BecomePassword == "" {
		to.BecomePassword = to.Password
	}
	to.BecomePassword = first(to.BecomePassword, c.becomePass)
	return to, nil
}

// loadAll reads every playbook.
func loadAll(ctx context.Context, r *runner.Runner, files []string) ([]*playbook.Playbook, error) {
	var books []*playbook.Playbook
	for _, file := range files {
		pb, err := r.Load(ctx, file)
		if err != nil {
			return nil, err
		}
		r.TellPlays(pb)
		books = append(books, pb)
	}
	return books, nil
}
