package vault

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	for _, text := range []string{"", "x", strings.Repeat("a", 15), strings.Repeat("b", 16), strings.Repeat("ü\n", 1000)} {
		for _, id := range []string{"", "default", "dev"} {
			sealed, err := Encrypt([]byte(text), []byte("pass"), id, nil)
			if err != nil {
				t.Fatal(err)
			}
			head, _, _ := strings.Cut(sealed, "\n")
			if want := map[string]string{"dev": "$ANSIBLE_VAULT;1.2;AES256;dev"}[id]; want != "" && head != want {
				t.Errorf("the header is %q, want %q", head, want)
			}
			plain, err := Decrypt([]byte(sealed), []byte("pass"))
			if err != nil || string(plain) != text {
				t.Errorf("%q comes back as %q, %v", text, plain, err)
			}
			if _, err := Decrypt([]byte(sealed), []byte("other")); !errors.Is(err, ErrWrongPassword) {
				t.Errorf("with another password: %v", err)
			}
		}
	}
}

// TestEveryChangeIsSeen changes digits all over a vault in turn.
func TestEveryChangeIsSeen(t *testing.T) {
	sealed, err := Encrypt([]byte("a secret"), []byte("pass"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	start := strings.Index(sealed, "\n") + 1
	for i := start; i < len(sealed); i += 13 {
		if sealed[i] == '\n' {
			continue
		}
		changed := []byte(sealed)
		if changed[i]++; changed[i] == '9'+1 {
			changed[i] = '0'
		}
		if plain, err := Decrypt(changed, []byte("pass")); err == nil {
			t.Fatalf("with byte %d changed it decrypts to %q", i, plain)
		}
	}
}

func TestWhatIsNoVault(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                            "input is not vault encrypted data",
		"$ANSIBLE_VAULT;1.0;AES256\n3030":  "the vault's format is version 1.0, which is not 1.1 or 1.2",
		"$ANSIBLE_VAULT;1.2;AES256\n3030":  "the vault's format is version 1.2, which is not 1.1 or 1.2",
		"$ANSIBLE_VAULT;1.1;ROT13\n3030":   "the vault's cipher is ROT13, which is not AES256",
		"$ANSIBLE_VAULT;1.1;AES256\nxx":    "the vault's text is not hexadecimal throughout",
		"$ANSIBLE_VAULT;1.1;AES256\n3030":  "the vault's text lacks its salt, its signature or its content",
		"$ANSIBLE_VAULT;1.1;AES256\n0a0a":  "the password does not fit, or the text was changed",
		"$ANSIBLE_VAULT;1.1;AES256":        "the vault's text lacks its salt, its signature or its content",
		"$ANSIBLE_VAULT;1.1;AES256\n3a0a0": "the vault's text is not hexadecimal throughout",
	} {
		if _, err := Decrypt([]byte(text), []byte("pass")); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestKeysOfTheIDComeFirst(t *testing.T) {
	var k Keys
	if _, err := k.Decrypt([]byte("$ANSIBLE_VAULT;1.1;AES256\n0a0a")); !errors.Is(err, ErrNoPassword) {
		t.Error(err)
	}
	k.Add("a", []byte("one"))
	k.Add("b", []byte("two"))
	if order := k.inOrder("b"); order[0].id != "b" || order[1].id != "a" {
		t.Error(order)
	}
	sealed, err := Encrypt([]byte("text"), []byte("one"), "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := k.Decrypt([]byte(sealed)); err != nil || string(plain) != "text" {
		t.Errorf("an id that is not known: %q, %v", plain, err)
	}
	var none *Keys
	if _, err := none.Decrypt([]byte(sealed)); !errors.Is(err, ErrNoPassword) {
		t.Error(err)
	}
}

func TestPasswordFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var k Keys
	for _, c := range []struct{ path, id, want, fails string }{
		{write("plain", " pass word \n", 0o600), "", "pass word", ""},
		{write("program", "#!/bin/sh\necho \" from $#\"\n", 0o700), "dev", " from 0", ""},
		{write("x-client.sh", "#!/bin/sh\necho \"$1 $2\"\n", 0o700), "dev", "--vault-id dev", ""},
		{write("y-client", "#!/bin/sh\nexit 2\n", 0o700), "dev", "", "did not find a secret for vault-id=dev"},
		{write("fails", "#!/bin/sh\nexit 3\n", 0o700), "", "", "returned non-zero (3)"},
		{write("no-program", "pass\n", 0o700), "", "", "If this is not a script, remove the executable bit"},
		{write("empty", "\n", 0o600), "", "", "Invalid vault password was provided from file"},
		{filepath.Join(dir, "nosuch"), "", "", "was not found"},
	} {
		got, err := k.Password(c.path, c.id)
		switch {
		case c.fails == "" && (err != nil || string(got) != c.want):
			t.Errorf("%s: %q, %v", c.path, got, err)
		case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
			t.Errorf("%s: %v, want %s", c.path, err, c.fails)
		case bytes.Contains(got, []byte("\n")):
			t.Errorf("%s: %q", c.path, got)
		}
	}
}
