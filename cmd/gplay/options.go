package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// options are the command line's, under ansible-playbook's names.
type options struct {
	books          []string // the playbooks
	inventory      []string
	limit          string
	extraVars      []string
	tags, skipTags []string
	forks          int
	given          func(option string) bool
	check, diff    bool
	verbosity      int
	startAt        string
	forceHandlers  bool
	modulePath     string
	step           bool
	flushCache     bool

	user, connection, keyFile      string
	commonArgs, extraArgs          string
	sftpArgs, scpArgs              string
	timeout                        int
	askPass, askBecome             bool
	passFile, becomePassFile       string
	become                         bool
	becomeMethod, becomeUser       string
	syntaxCheck                    bool
	listHosts, listTasks, listTags bool
	sudo, su                       bool
	askVaultPass                   bool
	vaultIDs, vaultPassFiles       []string
	sudoUser, suUser               string
}

func (o *options) define(f *pflag.FlagSet) {
	f.SortFlags = false
	o.defineCommon(f)
	f.StringArrayVarP(&o.tags, "tags", "t", nil, "run only what has these `tags`")
	f.StringArrayVar(&o.skipTags, "skip-tags", nil, "pass over what has these `tags`")
	f.StringVar(&o.startAt, "start-at-task", "", "begin with the task of this `name`")
	f.BoolVar(&o.forceHandlers, "force-handlers", false, "run handlers even of hosts that failed")
	f.BoolVar(&o.step, "step", false, "ask before each task whether to run it")
	f.BoolVar(&o.flushCache, "flush-cache", false, "forget the facts that are cached of the inventory's hosts")
	f.BoolVar(&o.syntaxCheck, "syntax-check", false, "read the playbook, run nothing")
	f.BoolVar(&o.listTasks, "list-tasks", false, "list the tasks, run nothing")
	f.BoolVar(&o.listTags, "list-tags", false, "list the tags, run nothing")
	o.defineOld(f)
}

// defineCommon are the options of whatever runs tasks.
func (o *options) defineCommon(f *pflag.FlagSet) {
	o.given = f.Changed
	f.StringArrayVarP(&o.inventory, "inventory", "i", nil, "inventory file, directory, or comma-separated `hosts`")
	f.StringVarP(&o.limit, "limit", "l", "", "run only on the hosts that match this `pattern`")
	f.StringArrayVarP(&o.extraVars, "extra-vars", "e", nil, "`variables`: k=v, YAML, JSON, or @file")
	f.IntVarP(&o.forks, "forks", "f", 0, "how many hosts at a time (default 5)")
	f.BoolVarP(&o.check, "check", "C", false, "change nothing, say what would change")
	f.BoolVarP(&o.diff, "diff", "D", false, "show what changes in files")
	f.CountVarP(&o.verbosity, "verbose", "v", "say more; -vvv more still")
	f.BoolVar(&o.listHosts, "list-hosts", false, "list the hosts, run nothing")

	f.StringVarP(&o.user, "user", "u", "", "connect as this `user`")
	f.StringVarP(&o.connection, "connection", "c", "", "the `transport`: ssh, local or docker")
	f.StringVar(&o.keyFile, "private-key", "", "the `file` of the key to connect with")
	f.StringVar(&o.commonArgs, "ssh-common-args", "", "`options` of ssh: -o, -J, -i, -F")
	f.StringVar(&o.extraArgs, "ssh-extra-args", "", "more `options` of ssh")
	f.StringVar(&o.sftpArgs, "sftp-extra-args", "", "`options` of sftp: without effect, as files go through ssh")
	f.StringVar(&o.scpArgs, "scp-extra-args", "", "`options` of scp: without effect, as files go through ssh")
	f.IntVarP(&o.timeout, "timeout", "T", 0, "`seconds` to connect (default 10)")
	f.BoolVarP(&o.askPass, "ask-pass", "k", false, "ask for the password to connect with")
	f.StringVar(&o.passFile, "connection-password-file", "", "the `file` of the password to connect with")

	f.BoolVarP(&o.become, "become", "b", false, "run as another user")
	f.StringVar(&o.becomeMethod, "become-method", "", "the `method`: sudo, su or doas")
	f.StringVar(&o.becomeUser, "become-user", "", "as which `user` (default root)")
	f.BoolVarP(&o.askBecome, "ask-become-pass", "K", false, "ask for the password to become another user")
	f.StringVar(&o.becomePassFile, "become-password-file", "", "the `file` of the password to become another user")

	f.BoolVarP(&o.askVaultPass, "ask-vault-password", "J", false, "ask for the password of what is encrypted with Ansible Vault")
	f.StringArrayVar(&o.vaultPassFiles, "vault-password-file", nil, "the `file` of that password, or a program that prints it")
	f.StringArrayVar(&o.vaultIDs, "vault-id", nil, "an `id@source` of that password: a file, a program, or prompt")
	f.StringVarP(&o.modulePath, "module-path", "M", "", "`directories` of modules that are programs, with colons between them")
}

// defineOld are the options that 1.x had, and old spellings of today's.
func (o *options) defineOld(f *pflag.FlagSet) {
	f.BoolVarP(&o.sudo, "sudo", "s", false, "run as another user through sudo")
	f.StringVarP(&o.sudoUser, "sudo-user", "U", "", "as which user")
	f.BoolVarP(&o.su, "su", "S", false, "run as another user through su")
	f.StringVarP(&o.suUser, "su-user", "R", "", "as which user")
	f.StringArrayVar(&o.inventory, "inventory-file", nil, "inventory")
	f.StringVar(&o.keyFile, "key-file", "", "key")
	f.BoolVar(&o.askBecome, "ask-sudo-pass", false, "password")
	f.BoolVar(&o.askBecome, "ask-su-pass", false, "password")
	f.StringVar(&o.passFile, "conn-pass-file", "", "password file")
	f.StringVar(&o.becomePassFile, "become-pass-file", "", "password file")
	f.BoolVar(&o.askVaultPass, "ask-vault-pass", false, "password")
	f.StringArrayVar(&o.vaultPassFiles, "vault-pass-file", nil, "password file")
	for _, name := range []string{"ask-vault-pass", "vault-pass-file", "sudo", "sudo-user", "su", "su-user", "inventory-file", "key-file", "ask-sudo-pass", "ask-su-pass", "conn-pass-file", "become-pass-file"} {
		f.Lookup(name).Hidden = true
	}
}

// settle lets the old options mean what they mean today, and the
// configuration give what the command line does not.
func (o *options) settle(c *config) error {
	if o.askBecome && o.becomePassFile != "" {
		return usage{errors.New("-K asks for the password that --become-password-file gives: only one of them can be used")}
	}
	if o.askPass && o.passFile != "" {
		return usage{errors.New("-k asks for the password that --connection-password-file gives: only one of them can be used")}
	}
	if o.askVaultPass && len(o.vaultPassFiles) > 0 {
		return usage{errors.New("-J asks for the password that --vault-password-file gives: only one of them can be used")}
	}
	if o.sudo || o.su || o.sudoUser != "" || o.suUser != "" {
		o.become = true
		o.becomeUser = first(o.becomeUser, o.sudoUser, o.suUser)
		if o.su || o.suUser != "" {
			o.becomeMethod = first(o.becomeMethod, "su")
		}
	}
	o.becomeMethod = first(o.becomeMethod, c.becomeMethod)
	of := c.becomeOf[first(o.becomeMethod, "sudo")]
	o.becomeUser = first(o.becomeUser, of["user"], c.becomeUser)
	c.becomePass = first(of["password"], c.becomePass)
	for keyword, setting := range map[string]string{"become_exe": "executable", "become_flags": "flags"} {
		if text, ok := of[setting]; ok {
			c.keywords[keyword] = text
		}
	}
	o.become = o.become || c.become
	o.user = first(o.user, c.remoteUser)
	o.keyFile = first(o.keyFile, c.keyFile)
	o.connection = first(o.connection, c.transport)
	o.commonArgs = first(o.commonArgs, c.sshCommonArgs)
	o.extraArgs = first(o.extraArgs, c.sshExtraArgs)
	if c.sshArgs != "" {
		o.commonArgs = c.sshArgs + " " + o.commonArgs
	}
	if !o.given("forks") {
		o.forks = c.forks
	}
	if o.forks < 1 {
		return usage{fmt.Errorf("the number of forks is %d: it must be at least 1", o.forks)}
	}
	if o.timeout == 0 {
		o.timeout = c.timeout
	}
	if len(o.inventory) == 0 {
		o.inventory = c.inventory
	}
	o.diff = o.diff || c.diff
	o.askPass = o.askPass || c.askPass && o.passFile == ""
	o.askBecome = o.askBecome || c.askBecome && o.becomePassFile == ""
	if !o.askPass {
		o.passFile = first(o.passFile, c.passFile)
	}
	if !o.askBecome {
		o.becomePassFile = first(o.becomePassFile, c.becomePassFile)
	}
	o.tags = append(c.runTags, o.tags...)
	o.skipTags = append(c.skipTags, o.skipTags...)
	if c.gathering == "explicit" {
		c.keywords["gather_facts"] = false
	}
	o.verbosity = max(o.verbosity, c.verbosity)
	o.forceHandlers = o.forceHandlers || c.forceHandlers
	if o.modulePath != "" {
		c.library = append(strings.Split(o.modulePath, ":"), c.library...)
	}
	return nil
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
