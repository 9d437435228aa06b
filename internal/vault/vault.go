// Package vault reads and writes Ansible Vault's files: text encrypted with a
// password, versions 1.1 and 1.2, AES256.
package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	mark       = "$ANSIBLE_VAULT"
	cipherName = "AES256"
	lineLength = 80

	saltSize   = 32
	keySize    = 32
	iterations = 10000
)

// DefaultID is the id of a password that has none.
const DefaultID = "default"

// IsEncrypted reports whether data is a vault's.
func IsEncrypted(data []byte) bool { return bytes.HasPrefix(data, []byte(mark)) }

// Encrypt encrypts data. An id other than the default one is written down, by
// version 1.2 of the format. Without a salt one is made.
func Encrypt(data, password []byte, id string, salt []byte) (string, error) {
	if len(salt) == 0 {
		salt = make([]byte, saltSize)
		if _, err := rand.Read(salt); err != nil {
			return "", err
		}
	}
	k, err := derive(password, salt)
	if err != nil {
		return "", err
	}
	text := k.crypt(pad(data))
	body := hex.EncodeToString([]byte(hex.EncodeToString(salt) + "\n" + hex.EncodeToString(k.sum(text)) + "\n" + hex.EncodeToString(text)))
	var out strings.Builder
	if id == "" || id == DefaultID {
		fmt.Fprintf(&out, "%s;1.1;%s\n", mark, cipherName)
	} else {
		fmt.Fprintf(&out, "%s;1.2;%s;%s\n", mark, cipherName, id)
	}
	for ; len(body) > lineLength; body = body[lineLength:] {
		out.WriteString(body[:lineLength] + "\n")
	}
	out.WriteString(body + "\n")
	return out.String(), nil
}

// ErrWrongPassword is what Decrypt gives where the password is not the one
// that data was encrypted with, or where data was changed.
var ErrWrongPassword = errors.New("the password does not fit, or the text was changed")

// Decrypt gives what was encrypted. Nothing is decrypted before the signature
// was found to be right.
func Decrypt(data, password []byte) ([]byte, error) {
	e, err := parse(data)
	if err != nil {
		return nil, err
	}
	return e.decrypt(password)
}

// envelope is a vault's text taken apart.
type envelope struct {
	id              string
	salt, sum, text []byte
}

func parse(data []byte) (*envelope, error) {
	head, body, _ := bytes.Cut(data, []byte("\n"))
	fields := strings.Split(strings.TrimSpace(string(head)), ";")
	if len(fields) < 3 || fields[0] != mark {
		return nil, errors.New("input is not vault encrypted data")
	}
	e := &envelope{id: DefaultID}
	switch version := strings.TrimSpace(fields[1]); {
	case version == "1.1":
	case version == "1.2" && len(fields) > 3:
		e.id = strings.TrimSpace(fields[3])
	default:
		return nil, fmt.Errorf("the vault's format is version %s, which is not 1.1 or 1.2", version)
	}
	if name := strings.TrimSpace(fields[2]); name != cipherName {
		return nil, fmt.Errorf("the vault's cipher is %s, which is not %s", name, cipherName)
	}
	inner, err := unhex(bytes.Join(bytes.Fields(body), nil))
	if err != nil {
		return nil, err
	}
	parts := bytes.Split(inner, []byte("\n"))
	if len(parts) != 3 {
		return nil, errors.New("the vault's text lacks its salt, its signature or its content")
	}
	for i, into := range []*[]byte{&e.salt, &e.sum, &e.text} {
		if *into, err = unhex(parts[i]); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func unhex(text []byte) ([]byte, error) {
	out := make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(out, text); err != nil {
		return nil, errors.New("the vault's text is not hexadecimal throughout")
	}
	return out, nil
}

func (e *envelope) decrypt(password []byte) ([]byte, error) {
	k, err := derive(password, e.salt)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(k.sum(e.text), e.sum) {
		return nil, ErrWrongPassword
	}
	return unpad(k.crypt(e.text))
}

// keys are what a password and a salt give.
type keys struct {
	block  cipher.Block
	iv     []byte
	signer []byte
}

func derive(password, salt []byte) (*keys, error) {
	raw, err := pbkdf2.Key(sha256.New, string(password), salt, iterations, 2*keySize+aes.BlockSize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(raw[:keySize])
	return &keys{block, raw[2*keySize:], raw[keySize : 2*keySize]}, err
}

// crypt encrypts and decrypts.
func (k *keys) crypt(text []byte) []byte {
	out := make([]byte, len(text))
	cipher.NewCTR(k.block, k.iv).XORKeyStream(out, text)
	return out
}

func (k *keys) sum(text []byte) []byte {
	h := hmac.New(sha256.New, k.signer)
	h.Write(text)
	return h.Sum(nil)
}

func pad(data []byte) []byte {
	n := aes.BlockSize - len(data)%aes.BlockSize
	return append(bytes.Clone(data), bytes.Repeat([]byte{byte(n)}, n)...)
}

func unpad(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, errors.New("the vault's content is empty")
	}
	n := int(data[len(data)-1])
	if n == 0 || n > aes.BlockSize || n > len(data) {
		return nil, errors.New("the vault's content is not padded as it should be")
	}
	return data[:len(data)-n], nil
}
