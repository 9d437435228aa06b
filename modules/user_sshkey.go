package modules

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/crypto/ssh"

	"gplay/modules/host"
)

// sshKey makes the user's key pair, unless there is one. It is made here, not
// by ssh-keygen: that takes a passphrase only where others can see it.
func (u *userCall) sshKey(owner account, result Result) error {
	file := u.a.SSHKeyFile
	if file == "" {
		file = path.Join(".ssh", "id_"+u.a.SSHKeyType)
	}
	if !path.IsAbs(file) {
		file = path.Join(owner.home, file)
	}
	_, keyErr := u.c.Stat(file)
	_, publicErr := u.c.Stat(file + ".pub")
	switch {
	case u.a.Force && (keyErr == nil || publicErr == nil):
		u.c.Warn(fmt.Sprintf("Overwriting existing ssh key private file \"%s\"", file))
		keyErr, publicErr = os.ErrNotExist, os.ErrNotExist
	case keyErr == nil:
		u.c.Warn(fmt.Sprintf("Found existing ssh key private file \"%s\", no force, so skipping ssh-keygen generation", file))
	case publicErr == nil:
		u.c.Warn(fmt.Sprintf("Found existing ssh key public file \"%s\", no force, so skipping ssh-keygen generation", file+".pub"))
	}
	if keyErr != nil && publicErr != nil {
		err := u.c.Change(NoDiff, func(w host.Writer) error { return u.writeKey(w, owner, file) })
		if err != nil {
			return err
		}
	}
	result["ssh_key_file"] = file
	result["ssh_public_key"] = nil
	if public, err := u.c.ReadFile(file + ".pub"); err == nil {
		result["ssh_public_key"] = strings.TrimSpace(string(public))
		result["ssh_fingerprint"] = sshFingerprint(public)
	}
	return nil
}

func (u *userCall) writeKey(w host.Writer, owner account, file string) error {
	private, public, err := u.newKey()
	if err != nil {
		return err
	}
	dir := path.Dir(file)
	if _, err := u.c.Stat(dir); err != nil {
		if err := errors.Join(w.Mkdir(dir, 0o700), w.Lchown(dir, owner.uid, owner.gid)); err != nil {
			return fmt.Errorf("Failed to create %s: %w", dir, err)
		}
	}
	err = w.WriteFile(file, bytes.NewReader(private), host.Attr{UID: owner.uid, GID: owner.gid, Mode: 0o600})
	if err != nil {
		return err
	}
	return w.WriteFile(file+".pub", bytes.NewReader(public), host.Attr{UID: owner.uid, GID: owner.gid, Mode: 0o644})
}

func (u *userCall) newKey() (private, public []byte, err error) {
	key, err := generateKey(u.a.SSHKeyType, u.a.SSHKeyBits)
	if err != nil {
		return nil, nil, err
	}
	comment := u.a.SSHKeyComment
	if comment == "" {
		name, _ := os.Hostname()
		comment = "ansible-generated on " + name
	}
	var block *pem.Block
	if u.a.SSHKeyPassphrase != nil && *u.a.SSHKeyPassphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, comment, []byte(*u.a.SSHKeyPassphrase))
	} else {
		block, err = ssh.MarshalPrivateKey(key, comment)
	}
	if err != nil {
		return nil, nil, err
	}
	half, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil, nil, err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(half))) + " " + comment + "\n"
	return pem.EncodeToMemory(block), []byte(line), nil
}

func generateKey(kind string, bits int) (crypto.Signer, error) {
	switch kind {
	case "rsa":
		if bits == 0 {
			bits = 3072
		}
		return rsa.GenerateKey(rand.Reader, bits)
	case "ecdsa":
		curve := map[int]elliptic.Curve{0: elliptic.P256(), 256: elliptic.P256(), 384: elliptic.P384(), 521: elliptic.P521()}[bits]
		if curve == nil {
			return nil, fmt.Errorf("an ecdsa key has 256, 384 or 521 bits, not %d", bits)
		}
		return ecdsa.GenerateKey(curve, rand.Reader)
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("ssh_key_type is rsa, ecdsa or ed25519, not %q", kind)
}

// sshFingerprint is what ssh-keygen -l says of a public key.
func sshFingerprint(line []byte) any {
	key, comment, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return nil
	}
	kind, bits := "", 0
	if public, ok := key.(ssh.CryptoPublicKey); ok {
		switch k := public.CryptoPublicKey().(type) {
		case *rsa.PublicKey:
			kind, bits = "RSA", k.N.BitLen()
		case *ecdsa.PublicKey:
			kind, bits = "ECDSA", k.Curve.Params().BitSize
		case ed25519.PublicKey:
			kind, bits = "ED25519", 256
		}
	}
	return fmt.Sprintf("%d %s %s (%s)", bits, ssh.FingerprintSHA256(key), comment, kind)
}
