package ciphers

import (
	"crypto/tls"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestNames asks OpenSSL whether it knows the suites by the names that they
// have here.
func TestNames(t *testing.T) {
	out, err := exec.Command("openssl", "ciphers", "-v", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").Output()
	if err != nil {
		t.Fatalf("openssl is needed: %v", err)
	}
	var known []string
	for line := range strings.Lines(string(out)) {
		known = append(known, strings.Fields(line)[0])
	}
	for _, s := range tls.CipherSuites() {
		if s.SupportedVersions[0] == tls.VersionTLS13 {
			continue
		}
		if name := openSSL(s.Name); !slices.Contains(known, name) {
			t.Errorf("OpenSSL does not know %s (%s)", name, s.Name)
		}
	}
}

func TestSuites(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  []uint16
	}{
		{nil, nil},
		{[]string{"ECDHE-RSA-AES128-SHA256"}, []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}},
		{[]string{"AES128-SHA:nosuch"}, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}},
		{[]string{"nosuch", "ECDHE-ECDSA-CHACHA20-POLY1305"}, []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}},
	} {
		got, err := Suites(c.names)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%v: %v (%v), want %v", c.names, got, err, c.want)
		}
	}
	if _, err := Suites([]string{"nosuch"}); err == nil {
		t.Error("nosuch is no fault")
	}
}
