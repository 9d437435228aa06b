package actions

import (
	"os"

	"gplay/internal/vault"
	"gplay/jinja"
)

// decrypted gives the content of a file of the controller that is encrypted
// with Ansible Vault; ok is false where it is not, or decrypt: no wants it as
// it is.
func (c *Call) decrypted(path string) (text string, ok bool, err error) {
	if wanted, err := c.decrypts(); err != nil || !wanted {
		return "", false, err
	}
	if encrypted, err := isEncrypted(path); err != nil || !encrypted {
		return "", false, err
	}
	data, err := c.readVault(path)
	return string(data), true, err
}

// decrypts reports whether decrypt: is set. script and assemble take any text
// for yes, the others all but Ansible's words for no.
func (c *Call) decrypts() (bool, error) {
	v, given := c.Args.Get("decrypt")
	switch {
	case !given:
		return true, nil
	case c.Task.Action == "script" || c.Task.Action == "assemble":
		return jinja.Truth(v), nil
	}
	if err := unhashable(v); err != nil {
		return false, err
	}
	yes, err := c.bool("decrypt", true)
	return v != nil && yes && err == nil || v == 1.0, nil
}

// readVault reads a file that may be encrypted. As in Ansible, nothing of the
// task judges that it cannot be decrypted, but of script and unarchive.
func (c *Call) readVault(path string) ([]byte, error) {
	data, err := c.Scope.Vault().ReadFile(path)
	if vault.IsLocked(err) && c.Task.Action != "script" && c.Task.Action != "unarchive" {
		err = Unrunnable{err}
	}
	return data, err
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
