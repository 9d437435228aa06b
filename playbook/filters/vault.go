package filters

import (
	"errors"
	"fmt"

	"gplay/internal/vault"
	"gplay/jinja"
)

var vaultFilters = map[string]jinja.Filter{
	"unvault": unvaultFilter,
	"vault":   vaultFilter,
}

// Sealed is why an encrypted text could not be decrypted, which the filter
// unvault can with a password of its own.
type Sealed struct {
	Text string
	Err  error
}

func (s *Sealed) Error() string { return s.Err.Error() }
func (s *Sealed) Unwrap() error { return s.Err }

// sealed is why v could not be decrypted; nil where that is not v's fault.
func sealed(v any) (s *Sealed) {
	if u, ok := v.(*jinja.Undefined); ok {
		errors.As(u.Cause, &s)
	}
	return s
}

// filterID is the id of what is encrypted where none is given.
const filterID = "filter_default"

func vaultFilter(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "secret", "salt=", "vaultid=", "wrap_object=")
	password, err := vaultSecret(p, "Secret passed is required to be a string, instead we got: %s")
	if err != nil {
		return nil, err
	}
	data, ok := rawText(v)
	if !ok {
		return nil, fmt.Errorf("Can only vault strings, instead we got: %s", typeOf(v))
	}
	salt, id, wrap := p.text(1, ""), p.text(2, filterID), p.truth(3, false)
	switch {
	case p.err != nil:
		return nil, p.err
	case p.set(1) && salt == "":
		return nil, fmt.Errorf("Unable to encrypt: Empty or invalid salt passed to encrypt()")
	}
	text, err := vault.Encrypt(data, password, id, []byte(salt))
	if err == nil && wrap {
		return jinja.Text{Value: text, Class: VaultText}, nil
	}
	return text, err
}

func unvaultFilter(c *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "secret", "vaultid=")
	password, err := vaultSecret(p, "Secret passed is required to be as string, instead we got: %s")
	if err != nil {
		return nil, err
	}
	if s := sealed(v); s != nil {
		v = s.Text
	}
	if err := undefined(v); err != nil {
		return nil, err
	}
	data, ok := rawText(v)
	if !ok {
		return nil, fmt.Errorf("Vault should be in the form of a string, instead we got: %s", typeOf(v))
	}
	if !vault.IsEncrypted(data) {
		return string(data), nil
	}
	plain, err := vault.Decrypt(data, password)
	if err != nil {
		return nil, fmt.Errorf("Unable to decrypt: %w", err)
	}
	if s, ok := c.Scope().(interface{ Vault() *vault.Keys }); ok {
		s.Vault().Hide(string(plain))
	}
	return string(plain), nil
}

// vaultSecret is the argument secret, the first one.
func vaultSecret(p *params, wrong string) ([]byte, error) {
	v := p.value(0, nil)
	if p.err != nil {
		return nil, p.err
	}
	secret, ok := rawText(v)
	if !ok {
		return nil, fmt.Errorf(wrong, typeOf(v))
	}
	return secret, nil
}

// rawText is v as bytes, where it is text or bytes.
func rawText(v any) ([]byte, bool) {
	switch v := v.(type) {
	case string:
		return []byte(v), true
	case []byte:
		return v, true
	case jinja.Text:
		return []byte(v.Value), true
	}
	return nil, false
}
