package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Password gives the password of a file, or what a program prints; the file
// may itself be encrypted with one that k has already. id is told to programs
// whose names end in -client.
func (k *Keys) Password(path, id string) ([]byte, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		path = filepath.Join(home, rest)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("The vault password file %s was not found", path)
	}
	read := k.passwordFile
	if info.Mode()&0o111 != 0 && !info.IsDir() {
		read = func(path string) ([]byte, error) { return runPassword(path, id) }
	}
	password, err := read(path)
	if err == nil && len(password) == 0 {
		err = fmt.Errorf("Invalid vault password was provided from file (%s): it is empty", path)
	}
	return password, err
}

func (k *Keys) passwordFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("Could not read vault password file %s: %w", path, err)
	}
	plain, _, err := k.Open(bytes.TrimSpace(data))
	return bytes.Trim(plain, "\r\n"), err
}

// runPassword runs a program that prints a password; it may ask the person at
// the terminal for one.
func runPassword(path, id string) ([]byte, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(abs)
	client := strings.HasSuffix(strings.TrimSuffix(path, filepath.Ext(path)), "-client")
	if client && id != "" {
		cmd.Args = append(cmd.Args, "--vault-id", id)
	}
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && client && exit.ExitCode() == 2:
		return nil, fmt.Errorf("Vault password client script %s did not find a secret for vault-id=%s", path, id)
	case errors.As(err, &exit):
		return nil, fmt.Errorf("Vault password script %s returned non-zero (%d)", path, exit.ExitCode())
	case err != nil:
		return nil, fmt.Errorf("Problem running vault password script %s (%w). If this is not a script, remove the executable bit from the file.", path, err)
	}
	return bytes.Trim(out, "\r\n"), nil
}
