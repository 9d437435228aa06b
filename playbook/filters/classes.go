package filters

import (
	"gplay/internal/yaml"
	"gplay/jinja"
)

// The classes of text that Ansible has beside Python's own str.
const (
	// NativeText is never read as a literal, as UnsafeNativeText, which came
	// from a lookup.
	NativeText       = "NativeJinjaText"
	UnsafeNativeText = "NativeJinjaUnsafeText"
	// UnsafeText came from a host, a lookup, or another place that no template
	// is taken from.
	UnsafeText = yaml.UnsafeClass
	// VaultText was encrypted with Ansible Vault where it was written.
	VaultText = "AnsibleVaultEncryptedUnicode"
)

// StaysText tells whether v is text that is never read as a literal.
func StaysText(v any) bool {
	t, ok := v.(jinja.Text)
	return ok && (t.Class == NativeText || t.Class == UnsafeNativeText)
}

// TextFilters are the filters whose result stays text, unless a setting names
// others.
var TextFilters = []string{"string", "to_json", "to_nice_json", "to_yaml", "to_nice_yaml", "ppretty", "json"}
