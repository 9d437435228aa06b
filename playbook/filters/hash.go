package filters

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"
	"golang.org/x/crypto/ripemd160" //lint:ignore SA1019 hash('ripemd160') asks for it

	"gplay/internal/unixcrypt"
	"gplay/jinja"
)

var hashFilters = map[string]jinja.Filter{
	"checksum":      ofText(func(s string) any { return hexDigest(sha1.New(), s) }),
	"hash":          hashFilter,
	"md5":           ofText(func(s string) any { return hexDigest(md5.New(), s) }),
	"password_hash": passwordHash,
	"sha1":          ofText(func(s string) any { return hexDigest(sha1.New(), s) }),
}

func hexDigest(h hash.Hash, s string) string {
	h.Write([]byte(s))
	return hex.EncodeToString(h.Sum(nil))
}

var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New,
	"sha384": sha512.New384, "sha512": sha512.New, "sha512_224": sha512.New512_224, "sha512_256": sha512.New512_256,
	"sha3_224":  func() hash.Hash { return sha3.New224() },
	"sha3_256":  func() hash.Hash { return sha3.New256() },
	"sha3_384":  func() hash.Hash { return sha3.New384() },
	"sha3_512":  func() hash.Hash { return sha3.New512() },
	"ripemd160": ripemd160.New,
	"blake2b":   func() hash.Hash { h, _ := blake2b.New512(nil); return h },
	"blake2s":   func() hash.Hash { h, _ := blake2s.New256(nil); return h },
}

func hashFilter(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "hashtype=")
	s, err := text(v)
	kind := p.text(0, "sha1")
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	h := hashes[strings.ReplaceAll(strings.ToLower(kind), "-", "_")]
	if h == nil {
		return nil, fmt.Errorf("unsupported hash type %s", kind)
	}
	return hexDigest(h(), s), nil
}

var cryptSchemes = map[string]unixcrypt.Scheme{
	"md5": unixcrypt.MD5, "md5_crypt": unixcrypt.MD5,
	"sha256": unixcrypt.SHA256, "sha256_crypt": unixcrypt.SHA256,
	"sha512": unixcrypt.SHA512, "sha512_crypt": unixcrypt.SHA512,
	"blowfish": unixcrypt.Bcrypt, "bcrypt": unixcrypt.Bcrypt,
}

func passwordHash(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "hashtype=", "salt=", "salt_size=", "rounds=", "ident=")
	password, isText := v.(string)
	class := jinja.TypeName(v)
	if v == nil {
		class = "None"
	}
	kind := p.text(0, "sha512")
	o := unixcrypt.Options{Salt: p.text(1, ""), SaltSize: p.int(2, 0), Rounds: p.int(3, 0), Ident: p.text(4, "")}
	switch {
	case p.err != nil:
		return nil, p.err
	case !isText:
		return nil, jinja.TypeErrorf("secret must be unicode or bytes, not %s", class)
	}
	return EncryptPassword(password, kind, o)
}

// EncryptPassword hashes a password for /etc/shadow by one of Ansible's names
// of the schemes, such as sha512_crypt.
func EncryptPassword(password, kind string, o unixcrypt.Options) (string, error) {
	scheme, ok := cryptSchemes[kind]
	if !ok {
		return "", fmt.Errorf("crypt.crypt does not support '%s' algorithm", kind)
	}
	return unixcrypt.Hash(password, scheme, o)
}
