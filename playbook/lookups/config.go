package lookups

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"gplay/internal/source"
	"gplay/jinja"
)

// defaults are settings of ansible.cfg that gplay has an answer to, as they are
// where nothing else is said.
var defaults = map[string]any{
	"ANSIBLE_FORCE_COLOR": false, "ANSIBLE_NOCOLOR": false, "ANSIBLE_PIPELINING": false,
	"DEFAULT_ASK_PASS": false, "DEFAULT_ASK_VAULT_PASS": false, "DEFAULT_BECOME": false, "DEFAULT_BECOME_ASK_PASS": false,
	"DEFAULT_BECOME_EXE": nil, "DEFAULT_BECOME_FLAGS": nil, "DEFAULT_BECOME_METHOD": "sudo", "DEFAULT_BECOME_USER": "root",
	"CALLBACKS_ENABLED": jinja.NewList(), "DEFAULT_DEBUG": false, "DEFAULT_EXECUTABLE": "/bin/sh",
	"DEFAULT_FORCE_HANDLERS": false, "DEFAULT_FORKS": 5, "DEFAULT_GATHERING": "implicit", "DEFAULT_GATHER_SUBSET": nil,
	"DEFAULT_HASH_BEHAVIOUR": "replace", "DEFAULT_JINJA2_EXTENSIONS": jinja.NewList(), "DEFAULT_JINJA2_NATIVE": false,
	"DEFAULT_MANAGED_STR": "Ansible managed", "DEFAULT_MODULE_ARGS": nil, "DEFAULT_MODULE_NAME": "command",
	"DEFAULT_NO_LOG": false, "DEFAULT_NO_TARGET_SYSLOG": false, "DEFAULT_POLL_INTERVAL": 15, "DEFAULT_PRIVATE_KEY_FILE": nil,
	"DEFAULT_REMOTE_PORT": nil, "DEFAULT_REMOTE_USER": nil, "DEFAULT_STDOUT_CALLBACK": "default", "DEFAULT_STRATEGY": "linear",
	"DEFAULT_TIMEOUT": 10, "DEFAULT_TRANSPORT": "smart", "DEFAULT_UNDEFINED_VAR_BEHAVIOR": true, "DEFAULT_VAULT_IDENTITY": "default",
	"DEFAULT_VAULT_IDENTITY_LIST": jinja.NewList(), "DEFAULT_VAULT_ID_MATCH": false, "DEFAULT_VAULT_PASSWORD_FILE": nil, "DEFAULT_VERBOSITY": 0,
	"DEPRECATION_WARNINGS": true, "DIFF_ALWAYS": false, "DIFF_CONTEXT": 3, "DISPLAY_SKIPPED_HOSTS": true,
	"ERROR_ON_MISSING_HANDLER": true, "HOST_KEY_CHECKING": true, "INJECT_FACTS_AS_VARS": true, "MAX_FILE_SIZE_FOR_DIFF": 104448,
	"RETRY_FILES_ENABLED": false, "RETRY_FILES_SAVE_PATH": nil, "SHOW_CUSTOM_STATS": false, "STRING_CONVERSION_ACTION": "warn",
	"SYSTEM_WARNINGS": true, "TAGS_RUN": jinja.NewList(), "TAGS_SKIP": jinja.NewList(), "USE_PERSISTENT_CONNECTIONS": false,
	"TRANSFORM_INVALID_GROUP_CHARS": "never", "COLOR_OK": "green", "COLOR_CHANGED": "yellow", "COLOR_ERROR": "red", "COLOR_SKIP": "cyan",
}

// config gives settings of the run by Ansible's names.
func config(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	o := read(c, options, "on_missing", "plugin_type", "plugin_name")
	missing, kind, name := o.choice("config", "on_missing", "error", "error", "skip", "warn"), o.text("plugin_type", ""), o.text("plugin_name", "")
	switch {
	case o.err != nil:
		return nil, o.err
	case (kind == "") != (name == ""):
		return nil, errors.New("Both plugin_type and plugin_name are required, cannot use one without the other")
	case kind != "":
		return nil, fmt.Errorf("gplay has no plugins whose settings could be asked: %s of the %s plugin", jinja.Str(jinja.NewList(terms...)), name)
	}
	var found []any
	for _, term := range terms {
		setting, ok := term.(string)
		if !ok {
			return nil, fmt.Errorf("Invalid setting identifier, \"%s\" is not a string, its a <class '%s'>", jinja.Str(term), jinja.TypeName(term))
		}
		v, ok := c.Settings[setting]
		if !ok {
			v, ok = defaults[setting]
		}
		if !ok && missing == "error" {
			return nil, unknownSetting(setting)
		}
		if ok {
			found = append(found, v)
		}
	}
	return found, nil
}

func unknownSetting(setting string) error {
	err := fmt.Errorf("Unable to find setting %s", setting)
	if near := source.Nearest(setting, slices.Sorted(maps.Keys(defaults))); near != "" {
		err = fmt.Errorf("%w, did you mean %q?", err, near)
	}
	return err
}
