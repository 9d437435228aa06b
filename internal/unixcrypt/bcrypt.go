package unixcrypt

import (
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/blowfish" //lint:ignore SA1019 bcrypt is made of it
)

const bcryptLetters = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

var bcryptEncoding = base64.NewEncoding(bcryptLetters).WithPadding(base64.NoPadding)

// bcryptHash hashes with a salt that is given, which the bcrypt of
// golang.org/x/crypto cannot.
func bcryptHash(password, ident, salt string, cost int) (string, error) {
	if ident != "2a" && ident != "2b" && ident != "2y" {
		return "", fmt.Errorf("the ident of bcrypt is 2a, 2b or 2y, not %q", ident)
	}
	if cost == 0 {
		cost = 12
	}
	if cost < 4 || cost > 31 {
		return "", fmt.Errorf("the rounds of bcrypt go from 4 to 31, not %d", cost)
	}
	raw, err := bcryptEncoding.DecodeString(salt)
	if err != nil {
		return "", err
	}
	key := append([]byte(password), 0)
	key = key[:min(len(key), 72)]
	cipher, err := blowfish.NewSaltedCipher(key, raw)
	if err != nil {
		return "", err
	}
	for range uint64(1) << cost {
		blowfish.ExpandKey(key, cipher)
		blowfish.ExpandKey(raw, cipher)
	}
	text := []byte("OrpheanBeholderScryDoubt")
	for i := 0; i < len(text); i += blowfish.BlockSize {
		for range 64 {
			cipher.Encrypt(text[i:], text[i:])
		}
	}
	// The last bits of the salt that mean nothing are zero in the result, as is
	// the last byte of the hash.
	return fmt.Sprintf("$%s$%02d$%s%s", ident, cost, bcryptEncoding.EncodeToString(raw), bcryptEncoding.EncodeToString(text[:23])), nil
}
