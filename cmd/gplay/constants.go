package main

import "gplay/jinja"

// constants are the settings that the lookup config gives, by Ansible's names.
func (o *options) constants(c *config) map[string]any {
	all := map[string]any{
		"DEFAULT_BECOME": c.become, "HOST_KEY_CHECKING": c.hostKeyChecking, "DEFAULT_FORCE_HANDLERS": o.forceHandlers,
		"DIFF_ALWAYS": c.diff, "DEPRECATION_WARNINGS": c.deprecations, "DISPLAY_SKIPPED_HOSTS": c.displaySkipped,
		"SHOW_CUSTOM_STATS": c.customStats, "DEFAULT_ASK_VAULT_PASS": c.askVaultPass, "DEFAULT_VERBOSITY": c.verbosity,
	}
	for name, text := range map[string]string{
		"DEFAULT_REMOTE_USER": c.remoteUser, "DEFAULT_PRIVATE_KEY_FILE": c.keyFile, "DEFAULT_TRANSPORT": c.transport,
		"DEFAULT_BECOME_USER": c.becomeUser, "DEFAULT_BECOME_METHOD": c.becomeMethod, "DEFAULT_STDOUT_CALLBACK": c.callback,
		"DEFAULT_VAULT_PASSWORD_FILE": c.vaultPassFile, "CONFIG_FILE": c.file, "DEFAULT_MANAGED_STR": c.managed,
	} {
		if text != "" {
			all[name] = text
		}
	}
	for name, n := range map[string]int{"DEFAULT_FORKS": c.forks, "DEFAULT_TIMEOUT": c.timeout} {
		if n != 0 {
			all[name] = n
		}
	}
	for name, texts := range map[string][]string{"DEFAULT_ROLES_PATH": c.rolesPath, "DEFAULT_HOST_LIST": c.inventory, "DEFAULT_VAULT_IDENTITY_LIST": c.vaultIDs} {
		if len(texts) > 0 {
			list := jinja.NewList()
			for _, text := range texts {
				list.Items = append(list.Items, text)
			}
			all[name] = list
		}
	}
	return all
}
