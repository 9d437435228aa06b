// Package unixcrypt hashes passwords as crypt(3) does.
package unixcrypt

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/GehirnInc/crypt"
	"github.com/GehirnInc/crypt/md5_crypt"
	"github.com/GehirnInc/crypt/sha256_crypt"
	"github.com/GehirnInc/crypt/sha512_crypt"
)

// Scheme is a way to hash.
type Scheme int

// The schemes of /etc/shadow.
const (
	MD5 Scheme = iota
	SHA256
	SHA512
	Bcrypt
)

var schemes = map[Scheme]struct {
	ident    string
	saltSize int
	exact    bool // the salt has that size and no other
	rounds   int  // passlib's, which Ansible hashes with
	crypter  func() crypt.Crypter
}{
	MD5:    {"1", 8, false, 0, md5_crypt.New},
	SHA256: {"5", 16, false, 535000, sha256_crypt.New},
	SHA512: {"6", 16, false, 656000, sha512_crypt.New},
	Bcrypt: {"2b", 22, true, 0, nil},
}

// plainRounds are crypt's own for SHA256 and SHA512, which go without saying.
const plainRounds = 5000

// Options choose what is chosen by chance or convention where they are zero.
type Options struct {
	Salt     string
	SaltSize int
	Rounds   int
	Ident    string // 2a, 2b or 2y, for Bcrypt
}

const saltLetters = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Hash gives the text for /etc/shadow.
func Hash(password string, scheme Scheme, o Options) (string, error) {
	s := schemes[scheme]
	salt, err := saltFor(s.saltSize, s.exact, o)
	if err != nil {
		return "", err
	}
	if strings.IndexByte(password, 0) >= 0 {
		return "", errors.New("a password cannot hold the character NUL")
	}
	if scheme == Bcrypt {
		ident := s.ident
		if o.Ident != "" {
			ident = o.Ident
		}
		return bcryptHash(password, ident, salt, o.Rounds)
	}
	prefix := "$" + s.ident + "$"
	if rounds := cmp.Or(o.Rounds, s.rounds); scheme != MD5 && rounds != plainRounds {
		if rounds < 1000 || rounds > 999999999 {
			return "", fmt.Errorf("rounds must be between 1000 and 999999999, not %d", rounds)
		}
		prefix += fmt.Sprintf("rounds=%d$", rounds)
	}
	return s.crypter().Generate([]byte(password), []byte(prefix+salt))
}

func saltFor(size int, exact bool, o Options) (string, error) {
	limit := size
	if o.SaltSize > 0 {
		size = o.SaltSize
	}
	salt := o.Salt
	if salt == "" {
		var err error
		if salt, err = Random(size, saltLetters); err != nil {
			return "", err
		}
	}
	if strings.Trim(salt, saltLetters) != "" {
		return "", errors.New("invalid characters in salt")
	}
	if len(salt) > limit || exact && len(salt) != limit {
		return "", fmt.Errorf("invalid salt size: %d, the scheme takes %d", len(salt), limit)
	}
	return salt, nil
}

// Random gives n characters of letters, by a generator fit for secrets.
func Random(n int, letters string) (string, error) {
	runes := []rune(letters)
	if len(runes) == 0 {
		return "", errors.New("there are no characters to choose from")
	}
	out := make([]rune, n)
	for i := range out {
		at, err := rand.Int(rand.Reader, big.NewInt(int64(len(runes))))
		if err != nil {
			return "", err
		}
		out[i] = runes[at.Int64()]
	}
	return string(out), nil
}
