package main

import (
	"errors"
	"fmt"
	"strings"

	"gplay/internal/vault"
)

// The sources of a vault's password that ask for it.
const (
	askByID   = "prompt"
	askByName = "prompt_ask_vault_pass"
)

// vaultKeys reads the passwords of what is encrypted: the configuration's
// first, then --vault-id, --vault-password-file and --ask-vault-pass. A file
// that cannot be read is an error only where no other gives a password.
func (o *options) vaultKeys(c *config, warn func(string)) (*vault.Keys, error) {
	keys := &vault.Keys{IDMatch: c.vaultIDMatch}
	var failed error
	some := false
	for _, identity := range o.vaultSources(c) {
		id, from, found := strings.Cut(identity, "@")
		if !found {
			id, from = "", identity
		}
		password, err := vaultPassword(keys, id, from)
		if errors.Is(err, errNoAnswer) {
			return nil, err
		}
		if err != nil {
			warn(fmt.Sprintf("Error getting vault password file (%s): %s", id, err))
			failed = err
			continue
		}
		keys.Add(id, password)
		some = true
	}
	if !some && failed != nil {
		return nil, failed
	}
	return keys, nil
}

// vaultSources are ids with their sources, in order.
func (o *options) vaultSources(c *config) []string {
	sources := append(append([]string{}, c.vaultIDs...), o.vaultIDs...)
	for _, file := range o.vaultPassFiles {
		sources = append(sources, vault.DefaultID+"@"+file)
	}
	if c.vaultPassFile != "" {
		sources = append(sources, vault.DefaultID+"@"+c.vaultPassFile)
	}
	if o.askVaultPass || c.askVaultPass {
		sources = append(sources, vault.DefaultID+"@"+askByName)
	}
	return sources
}

var errNoAnswer = errors.New("there is no vault password")

func vaultPassword(keys *vault.Keys, id, from string) ([]byte, error) {
	question := "Vault password: "
	switch from {
	case askByID:
		if id == "" {
			id = vault.DefaultID
		}
		question = "Vault password (" + id + "): "
	case askByName:
	default:
		return keys.Password(from, id)
	}
	answer, err := secret(true, question, "")
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errNoAnswer, err)
	}
	if answer = strings.TrimSpace(answer); answer == "" {
		return nil, fmt.Errorf("%w: the answer is empty", errNoAnswer)
	}
	return []byte(answer), nil
}
