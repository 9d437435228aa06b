package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
)

// Keys are the passwords that a run was given; nil ones are none. They may be
// used by many at once.
type Keys struct {
	// Reveal is told of each value that was decrypted, so that no output shows
	// it; nil when nobody needs to know.
	Reveal func(text string)
	// IDMatch is set where only the passwords of a text's own id are tried.
	IDMatch bool

	mu      sync.RWMutex
	secrets []secret
}

type secret struct {
	id       string
	password []byte
}

// Add gives k another password; an empty id is the default one's.
func (k *Keys) Add(id string, password []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if id == "" {
		id = DefaultID
	}
	k.secrets = append(k.secrets, secret{id, password})
}

// ErrNoPassword is what Decrypt gives where there is no password at all.
var ErrNoPassword = errors.New("Attempting to decrypt but no vault secrets found")

// ErrNoneFits is what Decrypt gives where no password fits.
var ErrNoneFits = errors.New("Decryption failed (no vault secrets were found that could decrypt)")

// IsLocked reports whether err says that there is no password for a text.
func IsLocked(err error) bool { return errors.Is(err, ErrNoPassword) || errors.Is(err, ErrNoneFits) }

// Decrypt tries the passwords: those of the text's id first.
func (k *Keys) Decrypt(data []byte) ([]byte, error) {
	if k.none() {
		return nil, ErrNoPassword
	}
	e, err := parse(data)
	if err != nil {
		return nil, err
	}
	for _, s := range k.inOrder(e.id) {
		plain, err := e.decrypt(s.password)
		if !errors.Is(err, ErrWrongPassword) {
			return plain, err
		}
	}
	return nil, ErrNoneFits
}

func (k *Keys) none() bool {
	if k == nil {
		return true
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return len(k.secrets) == 0
}

// inOrder are the passwords to try for a text of an id.
func (k *Keys) inOrder(id string) []secret {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var first, others []secret
	for _, s := range k.secrets {
		switch {
		case s.id == id:
			first = append(first, s)
		case !k.IDMatch:
			others = append(others, s)
		}
	}
	return append(first, others...)
}

// Value is Decrypt for one value, which no output is to show.
func (k *Keys) Value(data []byte) (string, error) {
	plain, err := k.Decrypt(data)
	if err != nil {
		return "", err
	}
	k.Hide(string(plain))
	return string(plain), nil
}

// Hide lets no output show text.
func (k *Keys) Hide(text string) {
	if k != nil && k.Reveal != nil {
		k.Reveal(text)
	}
}

// Open gives data as it was before it was encrypted; what is not encrypted
// stays as it is.
func (k *Keys) Open(data []byte) (plain []byte, encrypted bool, err error) {
	if !IsEncrypted(data) {
		return data, false, nil
	}
	plain, err = k.Decrypt(bytes.TrimSpace(data))
	return plain, true, err
}

// lockedFile is the error about a file that could not be decrypted, in Ansible's
// words.
type lockedFile struct {
	msg   string
	cause error
}

func (e *lockedFile) Error() string { return e.msg }
func (e *lockedFile) Unwrap() error { return e.cause }

// ReadFile reads a file that may be encrypted.
func (k *Keys) ReadFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	plain, _, err := k.Open(data)
	switch {
	case errors.Is(err, ErrNoPassword):
		return nil, &lockedFile{"A vault password or secret must be specified to decrypt " + path, err}
	case errors.Is(err, ErrNoneFits):
		return nil, &lockedFile{err.Error() + " on " + path, err}
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return plain, nil
}
