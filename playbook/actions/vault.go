package actions

import (
	"os"

	"gplay/internal/vault"
)

// decrypted gives the content of a file of the controller that is encrypted
// with Ansible Vault; ok is false where it is not, or decrypt: no wants it as
// it is.
func (c *Call) decrypted(path string) (text string, ok bool, err error) {
	wanted, err := c.bool("decrypt", true)
	if err != nil || !wanted {
		return "", false, err
	}
	if encrypted, err := isEncrypted(path); err != nil || !encrypted {
		return "", false, err
	}
	data, err := c.Scope.Vault().ReadFile(path)
	return string(data), true, err
}

func isEncrypted(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	start := make([]byte, 64)
	n, _ := f.Read(start)
	return vault.IsEncrypted(start[:n]), nil
}

// offer offers a file of the controller, decrypted where it is encrypted.
func (c *Call) offer(path string) (File, error) {
	text, encrypted, err := c.decrypted(path)
	if encrypted {
		return memory(text), err
	}
	return local(path), err
}
