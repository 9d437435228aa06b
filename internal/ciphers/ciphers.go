// Package ciphers knows the cipher suites of TLS by OpenSSL's names.
package ciphers

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// Suites gives the suites of the names, each of which may be several with
// colons between them. As in OpenSSL, unknown names are passed over as long as
// one is known, and TLS 1.3 keeps its own. No names give nil: all suites.
func Suites(names []string) ([]uint16, error) {
	wanted := strings.FieldsFunc(strings.Join(names, ":"), func(r rune) bool { return r == ':' || r == ',' || r == ' ' })
	var suites []uint16
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if slices.Contains(wanted, openSSL(s.Name)) || slices.Contains(wanted, s.Name) {
			suites = append(suites, s.ID)
		}
	}
	if len(wanted) > 0 && len(suites) == 0 {
		return nil, fmt.Errorf("none of the ciphers %s is known", strings.Join(wanted, ", "))
	}
	return suites, nil
}

var shorter = strings.NewReplacer("TLS_", "", "RSA_WITH_", "RSA-", "ECDSA_WITH_", "ECDSA-", "AES_", "AES", "_CBC", "", "POLY1305_SHA256", "POLY1305", "_", "-")

// openSSL is OpenSSL's name of a suite.
func openSSL(name string) string { return strings.TrimPrefix(shorter.Replace(name), "RSA-") }
