package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/ini.v1"

	"gplay/playbook/callback"
)

// config is what ansible.cfg and the environment say, under Ansible's names.
type config struct {
	file          string // "" when there is none
	playbookDir   string // of commands that have no playbook
	home          string // Ansible's, with roles and collections
	scanPython    bool
	base          string // what a relative path in the setting that is being read starts from
	ini           *ini.File
	duplicateKeys string

	inventory, rolesPath, library        []string
	collectionsPath                      []string
	remoteUser, keyFile, transport       string
	sshArgs, sshCommonArgs, sshExtraArgs string
	managed                              string
	forks, timeout, verbosity            int
	hostKeyChecking                      bool
	become, becomeSameUser               bool
	becomeUser, becomeMethod, becomePass string
	becomeOf                             map[string]map[string]string // by the method, then the setting
	diff, forceHandlers, jinjaNative     bool
	textFilters                          []string
	deprecations                         bool
	pluginFilters                        string
	callback, resultFormat, logPath      string
	strategy                             string
	callbacks                            []string
	pretty                               *bool
	retryFiles                           bool
	retryDir                             string
	cachePlugin, cachePrefix             string
	cacheConnection, cacheDir            string // as it is written, and as a path
	redisKeyset, redisSentinel           string
	cacheTimeout                         int
	injectFacts                          bool
	displaySkipped, displayOK            bool
	customStats, failedToErr             bool
	checkMarkers, pathOnFailure          bool
	vaultIDs                             []string
	vaultPassFile                        string
	vaultIDMatch                         bool
	askVaultPass                         bool
	perHostStart, loadCallbacks          bool
	diffContext                          int
	showArgs, noSystemWarnings           bool
	askPass, askBecome                   bool
	passFile, becomePassFile             string
	debugFailures, debugIgnored          bool
	interpreter                          string
	moduleName, moduleArgs               string
	verboseToErr, noModuleWarnings       bool
	inventoryEndings, inventoryPatterns  []string
	forceColor, noColor                  bool
	colors                               map[string]string
	undefinedIsError                     bool
	missingHandlerIsError                bool
	gathering, hashBehaviour             string
	groupNames, hostMismatch             string
	noLocalhostWarning                   bool
	noUnparsedWarning                    bool
	unparsedFails, anyUnparsedFails      bool
	treeDir                              string // of the command line
	privateRoleVars                      bool
	runTags, skipTags                    []string
	keywords                             map[string]any // of plays that do not have them
}

// setting is one option: its environment variables, then its place in the
// file, where it may have several names.
type setting struct {
	env          []string
	section, key string
	set          func(text string) error
}

// loadConfig reads the first ansible.cfg there is: $ANSIBLE_CONFIG, here, at
// home, in /etc/ansible.
func loadConfig(warn func(string)) (*config, error) {
	c := &config{forks: 5, scanPython: true, injectFacts: true, cacheTimeout: 86400, diffContext: 3, hostKeyChecking: true, deprecations: true, displaySkipped: true, displayOK: true, undefinedIsError: true, missingHandlerIsError: true, keywords: map[string]any{}, colors: map[string]string{}, becomeOf: map[string]map[string]string{}}
	c.home = c.absolute("~/.ansible")
	c.file = configFile(warn)
	c.ini = ini.Empty()
	if c.file != "" {
		var err error
		if c.ini, err = ini.LoadSources(ini.LoadOptions{IgnoreInlineComment: true, AllowBooleanKeys: true, SpaceBeforeInlineComment: true, AllowPythonMultilineValues: true}, c.file); err != nil {
			return nil, fmt.Errorf("%s: %w", c.file, err)
		}
	}
	for _, s := range slices.Concat(c.settings(), c.becomeSettings(), c.colorSettings()) {
		text, from := c.value(s)
		if from == "" {
			continue
		}
		c.base = "."
		if from == c.file {
			c.base = filepath.Dir(c.file)
		}
		if err := s.set(text); err != nil {
			return nil, badValue{fmt.Errorf("%s: %s is %q: %w", from, s.key, text, err)}
		}
	}
	c.defaultPaths()
	return c, nil
}

// defaultPaths are where roles and collections are when nothing is set. What
// is installed as a Python package beside Ansible is found in any case.
func (c *config) defaultPaths() {
	if c.rolesPath == nil {
		c.rolesPath = []string{filepath.Join(c.home, "roles"), "/usr/share/ansible/roles", "/etc/ansible/roles"}
	}
	if c.collectionsPath == nil {
		c.collectionsPath = []string{filepath.Join(c.home, "collections"), "/usr/share/ansible/collections"}
	}
	if !c.scanPython {
		return
	}
	for _, packages := range []string{"$VIRTUAL_ENV/lib/python3*/site-packages", "~/.local/lib/python3*/site-packages", "/usr/local/lib/python3*/*-packages", "/usr/lib/python3*/*-packages"} {
		found, _ := filepath.Glob(filepath.Join(c.absolute(packages), "ansible_collections"))
		c.collectionsPath = append(c.collectionsPath, found...)
	}
}

// value is a setting's text and where it is from; "" where it is not set.
func (c *config) value(s setting) (text, from string) {
	for _, name := range s.env {
		if text, ok := os.LookupEnv(name); ok && text != "" {
			return text, "$" + name
		}
	}
	section, err := c.ini.GetSection(s.section)
	if err != nil {
		return "", ""
	}
	for name := range strings.FieldsSeq(s.key) {
		if !section.HasKey(name) {
			continue
		}
		return uncommented(section.Key(name).Value()), c.file
	}
	return "", ""
}

// uncommented is a value without the comments at the ends of its lines and
// between them.
func uncommented(value string) string {
	var lines []string
	for line := range strings.Lines(value) {
		line, _, _ = strings.Cut(line, " ;")
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// callbackSetting is a setting that only one callback knows.
func (c *config) callbackSetting(env, section, key string) string {
	if env == "ANSIBLE_CALLBACK_TREE_DIR" && c.treeDir != "" {
		return c.treeDir
	}
	text, _ := c.value(setting{env: []string{env}, section: section, key: key})
	return text
}

func configFile(warn func(string)) string {
	if path := os.Getenv("ANSIBLE_CONFIG"); path != "" {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			path = filepath.Join(path, "ansible.cfg")
		}
		if abs, err := filepath.Abs(path); err == nil && existing(abs) != "" {
			return abs
		}
	}
	if here, err := filepath.Abs("ansible.cfg"); err == nil && existing(here) != "" {
		info, err := os.Stat(filepath.Dir(here))
		if err == nil && info.Mode().Perm()&0o002 == 0 {
			return here
		}
		warn(fmt.Sprintf("Ansible is being run in a world writable directory (%s), ignoring it as an ansible.cfg source.", filepath.Dir(here)))
	}
	if home, err := os.UserHomeDir(); err == nil && existing(filepath.Join(home, ".ansible.cfg")) != "" {
		return filepath.Join(home, ".ansible.cfg")
	}
	return existing("/etc/ansible/ansible.cfg")
}

func existing(path string) string {
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// describe says which file counts, as Ansible does at -v.
func (c *config) describe() string {
	if c.file == "" {
		return "No config file found; using defaults"
	}
	return "Using " + c.file + " as config file"
}

// becomeSettings are those that count for one become method alone.
func (c *config) becomeSettings() []setting {
	var settings []setting
	for _, method := range []string{"sudo", "su"} {
		of := map[string]string{}
		c.becomeOf[method] = of
		for key, env := range map[string]string{"user": "USER", "executable": "EXE", "flags": "FLAGS", "password": "PASS"} {
			settings = append(settings, setting{[]string{"ANSIBLE_" + strings.ToUpper(method) + "_" + env}, method + "_become_plugin", key, func(t string) error {
				of[key] = t
				return nil
			}})
		}
	}
	return settings
}

// colorSettings are the colours of the output.
func (c *config) colorSettings() []setting {
	var settings []setting
	for use := range callback.Colors {
		settings = append(settings, setting{[]string{"ANSIBLE_COLOR_" + strings.ToUpper(use)}, "colors", use, func(t string) error {
			c.colors[use] = t
			return choice(&t, callback.ColorNames()...)(t)
		}})
	}
	return settings
}

func (c *config) settings() []setting {
	const defaults = "defaults"
	return []setting{
		{[]string{"ANSIBLE_INVENTORY"}, defaults, "inventory", c.paths(&c.inventory, ",")},
		{[]string{"ANSIBLE_HOME"}, defaults, "home", c.path(&c.home)},
		{[]string{"ANSIBLE_ROLES_PATH"}, defaults, "roles_path", c.paths(&c.rolesPath, ":")},
		{[]string{"ANSIBLE_PLAYBOOK_DIR"}, defaults, "playbook_dir", c.path(&c.playbookDir)},
		{[]string{"ANSIBLE_DUPLICATE_YAML_DICT_KEY"}, defaults, "duplicate_dict_key", text(&c.duplicateKeys)},
		{[]string{"ANSIBLE_LIBRARY"}, defaults, "library", c.paths(&c.library, ":")},
		{[]string{"ANSIBLE_COLLECTIONS_SCAN_SYS_PATH"}, defaults, "collections_scan_sys_path", boolean(&c.scanPython)},
		{[]string{"ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"}, defaults, "collections_path collections_paths", c.paths(&c.collectionsPath, ":")},
		{[]string{"ANSIBLE_REMOTE_USER"}, defaults, "remote_user", text(&c.remoteUser)},
		{[]string{"ANSIBLE_PRIVATE_KEY_FILE"}, defaults, "private_key_file", c.path(&c.keyFile)},
		{[]string{"ANSIBLE_TRANSPORT"}, defaults, "transport", text(&c.transport)},
		{[]string{"ANSIBLE_FORKS"}, defaults, "forks", number(&c.forks)},
		{[]string{"ANSIBLE_TIMEOUT"}, defaults, "timeout", number(&c.timeout)},
		{[]string{"ANSIBLE_VERBOSITY"}, defaults, "verbosity", number(&c.verbosity)},
		{[]string{"ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"}, defaults, "host_key_checking", boolean(&c.hostKeyChecking)},
		{[]string{"ANSIBLE_FORCE_HANDLERS"}, defaults, "force_handlers", boolean(&c.forceHandlers)},
		{[]string{"ANSIBLE_JINJA2_NATIVE"}, defaults, "jinja2_native", boolean(&c.jinjaNative)},
		{nil, defaults, "ansible_managed", text(&c.managed)},
		{[]string{"ANSIBLE_STRING_TYPE_FILTERS"}, "jinja2", "dont_type_filters", list(&c.textFilters)},
		{nil, defaults, "plugin_filters_cfg", c.path(&c.pluginFilters)},
		{[]string{"ANSIBLE_DEPRECATION_WARNINGS"}, defaults, "deprecation_warnings", boolean(&c.deprecations)},
		{[]string{"ANSIBLE_RETRY_FILES_ENABLED"}, defaults, "retry_files_enabled", boolean(&c.retryFiles)},
		{[]string{"ANSIBLE_RETRY_FILES_SAVE_PATH"}, defaults, "retry_files_save_path", c.path(&c.retryDir)},
		{[]string{"ANSIBLE_INJECT_FACT_VARS"}, defaults, "inject_facts_as_vars", boolean(&c.injectFacts)},
		{[]string{"ANSIBLE_CACHE_PLUGIN"}, defaults, "fact_caching", text(&c.cachePlugin)},
		{[]string{"ANSIBLE_CACHE_PLUGIN_CONNECTION"}, defaults, "fact_caching_connection", both(text(&c.cacheConnection), c.path(&c.cacheDir))},
		{[]string{"ANSIBLE_CACHE_PLUGIN_PREFIX"}, defaults, "fact_caching_prefix", text(&c.cachePrefix)},
		{[]string{"ANSIBLE_CACHE_PLUGIN_TIMEOUT"}, defaults, "fact_caching_timeout", number(&c.cacheTimeout)},
		{[]string{"ANSIBLE_CACHE_REDIS_KEYSET_NAME"}, defaults, "fact_caching_redis_keyset_name", text(&c.redisKeyset)},
		{[]string{"ANSIBLE_CACHE_REDIS_SENTINEL"}, defaults, "fact_caching_redis_sentinel", text(&c.redisSentinel)},
		{[]string{"ANSIBLE_STRATEGY"}, defaults, "strategy", text(&c.strategy)},
		{[]string{"ANSIBLE_STDOUT_CALLBACK"}, defaults, "stdout_callback", text(&c.callback)},
		{[]string{"ANSIBLE_DISPLAY_SKIPPED_HOSTS", "DISPLAY_SKIPPED_HOSTS"}, defaults, "display_skipped_hosts", boolean(&c.displaySkipped)},
		{[]string{"ANSIBLE_DISPLAY_OK_HOSTS"}, defaults, "display_ok_hosts", boolean(&c.displayOK)},
		{[]string{"ANSIBLE_SHOW_CUSTOM_STATS"}, defaults, "show_custom_stats", boolean(&c.customStats)},
		{[]string{"ANSIBLE_DISPLAY_FAILED_STDERR"}, defaults, "display_failed_stderr", boolean(&c.failedToErr)},
		{[]string{"ANSIBLE_CHECK_MODE_MARKERS"}, defaults, "check_mode_markers", boolean(&c.checkMarkers)},
		{[]string{"ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"}, defaults, "show_task_path_on_failure", boolean(&c.pathOnFailure)},
		{[]string{"ANSIBLE_VAULT_IDENTITY_LIST"}, defaults, "vault_identity_list", list(&c.vaultIDs)},
		{[]string{"ANSIBLE_VAULT_ID_MATCH"}, defaults, "vault_id_match", boolean(&c.vaultIDMatch)},
		{[]string{"ANSIBLE_VAULT_PASSWORD_FILE"}, defaults, "vault_password_file", c.path(&c.vaultPassFile)},
		{[]string{"ANSIBLE_ASK_VAULT_PASS"}, defaults, "ask_vault_pass", boolean(&c.askVaultPass)},
		{[]string{"ANSIBLE_SHOW_PER_HOST_START"}, defaults, "show_per_host_start", boolean(&c.perHostStart)},
		{[]string{"ANSIBLE_CALLBACK_RESULT_FORMAT"}, defaults, "callback_result_format", choice(&c.resultFormat, "json", "yaml")},
		{[]string{"ANSIBLE_CALLBACK_FORMAT_PRETTY"}, defaults, "callback_format_pretty", optional(&c.pretty)},
		{[]string{"ANSIBLE_CALLBACK_WHITELIST"}, defaults, "callback_whitelist", list(&c.callbacks)},
		{[]string{"ANSIBLE_CALLBACKS_ENABLED"}, defaults, "callbacks_enabled", list(&c.callbacks)},
		{[]string{"ANSIBLE_LOAD_CALLBACK_PLUGINS"}, defaults, "bin_ansible_callbacks", boolean(&c.loadCallbacks)},
		{[]string{"ANSIBLE_LOG_PATH"}, defaults, "log_path", c.path(&c.logPath)},
		{[]string{"ANSIBLE_SSH_ARGS"}, "ssh_connection", "ssh_args", text(&c.sshArgs)},
		{[]string{"ANSIBLE_SSH_COMMON_ARGS"}, "ssh_connection", "ssh_common_args", text(&c.sshCommonArgs)},
		{[]string{"ANSIBLE_SSH_EXTRA_ARGS"}, "ssh_connection", "ssh_extra_args", text(&c.sshExtraArgs)},
		{[]string{"ANSIBLE_BECOME"}, "privilege_escalation", "become", boolean(&c.become)},
		{[]string{"ANSIBLE_BECOME_USER"}, "privilege_escalation", "become_user", text(&c.becomeUser)},
		{[]string{"ANSIBLE_BECOME_METHOD"}, "privilege_escalation", "become_method", text(&c.becomeMethod)},
		{[]string{"ANSIBLE_BECOME_PASS"}, "", "", text(&c.becomePass)},
		{[]string{"ANSIBLE_BECOME_ALLOW_SAME_USER"}, "privilege_escalation", "become_allow_same_user", boolean(&c.becomeSameUser)},
		{[]string{"ANSIBLE_BECOME_ASK_PASS"}, "privilege_escalation", "become_ask_pass", boolean(&c.askBecome)},
		{[]string{"ANSIBLE_BECOME_PASSWORD_FILE"}, defaults, "become_password_file", c.path(&c.becomePassFile)},
		{[]string{"ANSIBLE_CONNECTION_PASSWORD_FILE"}, defaults, "connection_password_file", c.path(&c.passFile)},
		{[]string{"ANSIBLE_ASK_PASS"}, defaults, "ask_pass", boolean(&c.askPass)},
		{[]string{"ANSIBLE_DISPLAY_ARGS_TO_STDOUT"}, defaults, "display_args_to_stdout", boolean(&c.showArgs)},
		{[]string{"ANSIBLE_SYSTEM_WARNINGS"}, defaults, "system_warnings", not(&c.noSystemWarnings)},
		{[]string{"ANSIBLE_FORCE_COLOR"}, defaults, "force_color", boolean(&c.forceColor)},
		{[]string{"ANSIBLE_NOCOLOR"}, defaults, "nocolor", boolean(&c.noColor)},
		{[]string{"ANSIBLE_ERROR_ON_MISSING_HANDLER"}, defaults, "error_on_missing_handler", boolean(&c.missingHandlerIsError)},
		{[]string{"ANSIBLE_ERROR_ON_UNDEFINED_VARS"}, defaults, "error_on_undefined_vars", boolean(&c.undefinedIsError)},
		{[]string{"ANSIBLE_HASH_BEHAVIOUR"}, defaults, "hash_behaviour", choice(&c.hashBehaviour, "replace", "merge")},
		{[]string{"ANSIBLE_PRIVATE_ROLE_VARS"}, defaults, "private_role_vars", boolean(&c.privateRoleVars)},
		{[]string{"ANSIBLE_GATHERING"}, defaults, "gathering", choice(&c.gathering, "implicit", "explicit", "smart")},
		{[]string{"ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"}, defaults, "force_valid_group_names", choice(&c.groupNames, "always", "never", "ignore", "silently")},
		{[]string{"ANSIBLE_HOST_PATTERN_MISMATCH"}, "inventory", "host_pattern_mismatch", choice(&c.hostMismatch, "error", "warning", "ignore")},
		{[]string{"ANSIBLE_LOCALHOST_WARNING"}, defaults, "localhost_warning", not(&c.noLocalhostWarning)},
		{[]string{"ANSIBLE_INVENTORY_UNPARSED_WARNING"}, "inventory", "inventory_unparsed_warning", not(&c.noUnparsedWarning)},
		{[]string{"ANSIBLE_INVENTORY_UNPARSED_FAILED"}, "inventory", "unparsed_is_failed", boolean(&c.unparsedFails)},
		{[]string{"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"}, "inventory", "any_unparsed_is_failed", boolean(&c.anyUnparsedFails)},
		{[]string{"ANSIBLE_INVENTORY_IGNORE"}, defaults, "inventory_ignore_extensions", list(&c.inventoryEndings)},
		{nil, "inventory", "ignore_extensions", list(&c.inventoryEndings)},
		{[]string{"ANSIBLE_INVENTORY_IGNORE_REGEX"}, defaults, "inventory_ignore_patterns", list(&c.inventoryPatterns)},
		{nil, "inventory", "ignore_patterns", list(&c.inventoryPatterns)},
		{[]string{"ANSIBLE_ENABLE_TASK_DEBUGGER"}, defaults, "enable_task_debugger", boolean(&c.debugFailures)},
		{[]string{"ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS"}, defaults, "task_debugger_ignore_errors", not(&c.debugIgnored)},
		{nil, defaults, "module_name", text(&c.moduleName)},
		{[]string{"ANSIBLE_MODULE_ARGS"}, defaults, "module_args", text(&c.moduleArgs)},
		{[]string{"ANSIBLE_VERBOSE_TO_STDERR"}, defaults, "verbose_to_stderr", boolean(&c.verboseToErr)},
		{[]string{"ANSIBLE_ACTION_WARNINGS"}, defaults, "action_warnings", not(&c.noModuleWarnings)},
		{[]string{"ANSIBLE_RUN_TAGS"}, "tags", "run", list(&c.runTags)},
		{[]string{"ANSIBLE_SKIP_TAGS"}, "tags", "skip", list(&c.skipTags)},
		{[]string{"ANSIBLE_ANY_ERRORS_FATAL"}, defaults, "any_errors_fatal", c.keyword("any_errors_fatal", asBoolean)},
		{[]string{"ANSIBLE_REMOTE_PORT"}, defaults, "remote_port", c.keyword("port", asNumber)},
		{[]string{"ANSIBLE_PYTHON_INTERPRETER"}, defaults, "interpreter_python", text(&c.interpreter)},
		{[]string{"ANSIBLE_TASK_TIMEOUT"}, defaults, "task_timeout", c.keyword("timeout", asNumber)},
		{[]string{"ANSIBLE_GATHER_SUBSET"}, defaults, "gather_subset", c.keyword("gather_subset", asList)},
		{[]string{"ANSIBLE_GATHER_TIMEOUT"}, defaults, "gather_timeout", c.keyword("gather_timeout", asNumber)},
		{[]string{"ANSIBLE_FACT_PATH"}, defaults, "fact_path", c.keyword("fact_path", asText)},
		{[]string{"ANSIBLE_POLL_INTERVAL"}, defaults, "poll_interval", c.keyword("poll", asNumber)},
		{[]string{"ANSIBLE_BECOME_EXE"}, "privilege_escalation", "become_exe", c.keyword("become_exe", asText)},
		{[]string{"ANSIBLE_BECOME_FLAGS"}, "privilege_escalation", "become_flags", c.keyword("become_flags", asText)},
		{[]string{"ANSIBLE_NO_LOG"}, defaults, "no_log", c.keyword("no_log", asBoolean)},
		{[]string{"ANSIBLE_DIFF_ALWAYS"}, "diff", "always", boolean(&c.diff)},
		{[]string{"ANSIBLE_DIFF_CONTEXT"}, "diff", "context", number(&c.diffContext)},
	}
}

func text(into *string) func(string) error {
	return func(t string) error { *into = t; return nil }
}

// both gives two settings the same text.
func both(one, other func(string) error) func(string) error {
	return func(t string) error { return errors.Join(one(t), other(t)) }
}

func number(into *int) func(string) error {
	return func(t string) error {
		n, err := strconv.Atoi(t)
		if *into = n; err != nil {
			return fmt.Errorf("it must be a whole number")
		}
		return nil
	}
}

func boolean(into *bool) func(string) error {
	return func(t string) error {
		switch strings.ToLower(t) {
		case "true", "yes", "on", "1", "t", "y":
			*into = true
		case "false", "no", "off", "0", "f", "n":
			*into = false
		default:
			return fmt.Errorf("it must be yes or no")
		}
		return nil
	}
}

// optional is a boolean that may be left open.
func optional(into **bool) func(string) error {
	return func(t string) error {
		*into = new(bool)
		return boolean(*into)(t)
	}
}

func choice(into *string, of ...string) func(string) error {
	return func(t string) error {
		if *into = t; !slices.Contains(of, t) {
			return fmt.Errorf("it must be one of %s", strings.Join(of, ", "))
		}
		return nil
	}
}

// path is a setting that is relative to the file it stands in, or to the
// working directory in an environment variable.
func (c *config) path(into *string) func(string) error {
	return func(t string) error { *into = c.absolute(t); return nil }
}

func (c *config) paths(into *[]string, separator string) func(string) error {
	return func(t string) error {
		for part := range strings.SplitSeq(t, separator) {
			if part = strings.TrimSpace(part); part != "" {
				*into = append(*into, c.absolute(part))
			}
		}
		return nil
	}
}

func list(into *[]string) func(string) error {
	return func(t string) error { *into = split([]string{t}); return nil }
}

func (c *config) absolute(path string) string {
	path = os.Expand(strings.ReplaceAll(path, "{{CWD}}", "."), func(name string) string {
		if v, ok := os.LookupEnv(name); ok {
			return v
		}
		return "$" + name
	})
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(path) {
		return path
	}
	if abs, err := filepath.Abs(filepath.Join(c.base, path)); err == nil {
		return abs
	}
	return filepath.Join(c.base, path)
}
