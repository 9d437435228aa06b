package connection

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	sshagent "golang.org/x/crypto/ssh/agent"
)

// sshKeys gathers what a login may be tried with, and notes it for the error
// of a login that is refused.
type sshKeys struct {
	pool     *Pool
	settings *sshSettings
	pause    func(func())
	tried    []string
	trouble  error // with a key that the host would take
}

var standardKeys = []string{"id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk"}

// methods are the ways to log in, in the order to try them.
func (k *sshKeys) methods() []ssh.AuthMethod {
	o := k.settings.options
	password := k.settings.target.Password
	var list []ssh.AuthMethod
	if k.allowed("publickey", "PubkeyAuthentication") {
		list = append(list, ssh.PublicKeysCallback(k.signers))
	}
	if password != "" && k.allowed("password", "PasswordAuthentication") {
		list = append(list, ssh.PasswordCallback(func() (string, error) {
			k.tried = append(k.tried, "the password")
			return password, nil
		}))
	}
	interactive := !o.no("ChallengeResponseAuthentication")
	if password != "" && interactive && k.allowed("keyboard-interactive", "KbdInteractiveAuthentication") {
		list = append(list, ssh.KeyboardInteractive(k.answer))
	}
	return list
}

func (k *sshKeys) allowed(method, option string) bool {
	o := k.settings.options
	if o.no(option) {
		return false
	}
	preferred := o.first("PreferredAuthentications")
	return preferred == "" || strings.Contains(","+preferred+",", ","+method+",")
}

// answer gives the password to questions whose answer is not shown.
func (k *sshKeys) answer(_, _ string, questions []string, shown []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range questions {
		if shown[i] {
			return nil, fmt.Errorf("the host asks %q, which gplay cannot answer", questions[i])
		}
		answers[i] = k.settings.target.Password
	}
	if len(questions) > 0 {
		k.tried = append(k.tried, "the password (keyboard-interactive)")
	}
	return answers, nil
}

// signers are the keys: files that were asked for, then the agent's, then the
// usual files. Hosts allow few tries, so the likely ones come first.
func (k *sshKeys) signers() ([]ssh.Signer, error) {
	named := k.named()
	files := named
	if len(named) == 0 {
		for _, name := range standardKeys {
			files = append(files, filepath.Join(home(), ".ssh", name))
		}
	}
	if len(named) > 0 {
		return distinct(k.load(files, true), k.held(files)), nil
	}
	return distinct(k.held(files), k.load(files, false)), nil
}

func (k *sshKeys) named() []string {
	var list []string
	if file := k.settings.target.KeyFile; file != "" {
		list = append(list, k.settings.path(file))
	}
	for _, file := range k.settings.options.all("IdentityFile") {
		if !strings.EqualFold(file, "none") {
			list = append(list, k.settings.path(file))
		}
	}
	return list
}

func distinct(lists ...[]ssh.Signer) []ssh.Signer {
	var all []ssh.Signer
	seen := map[string]bool{}
	for _, list := range lists {
		for _, s := range list {
			if blob := string(s.PublicKey().Marshal()); !seen[blob] {
				seen[blob] = true
				all = append(all, s)
			}
		}
	}
	return all
}

// load reads key files. Files that nobody named may be absent.
func (k *sshKeys) load(files []string, named bool) []ssh.Signer {
	var list []ssh.Signer
	for _, path := range files {
		signer, err := k.key(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && !named:
		case err != nil:
			k.tried = append(k.tried, path+" ("+reason(err)+")")
		default:
			k.tried = append(k.tried, path)
			if cert := certified(path, signer); cert != nil {
				list = append(list, cert)
			}
			list = append(list, signer)
		}
	}
	return list
}

func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), "ssh: ")
}

func (k *sshKeys) key(path string) (ssh.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		return signer, err
	}
	public := locked.PublicKey
	if public == nil {
		if public, err = publicKey(path + ".pub"); err != nil {
			return nil, errors.New("encrypted, and there is no " + filepath.Base(path) + ".pub beside it")
		}
	}
	return &lockedKey{keys: k, path: path, text: text, public: public}, nil
}

func publicKey(path string) (ssh.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	return key, err
}

// certified is the signer with the certificate beside its file, if there is one.
func certified(path string, signer ssh.Signer) ssh.Signer {
	key, err := publicKey(path + "-cert.pub")
	if err != nil {
		return nil
	}
	cert, ok := key.(*ssh.Certificate)
	if !ok {
		return nil
	}
	with, err := ssh.NewCertSigner(cert, signer)
	if err != nil {
		return nil
	}
	return with
}

// lockedKey asks for its passphrase when the host wants this key, not before.
type lockedKey struct {
	keys   *sshKeys
	path   string
	text   []byte
	public ssh.PublicKey
	signer ssh.Signer
}

func (l *lockedKey) PublicKey() ssh.PublicKey { return l.public }

func (l *lockedKey) Sign(r io.Reader, data []byte) (*ssh.Signature, error) {
	return l.SignWithAlgorithm(r, data, "")
}

func (l *lockedKey) SignWithAlgorithm(r io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	if l.signer == nil {
		if err := l.unlock(); err != nil {
			return nil, err
		}
	}
	if s, ok := l.signer.(ssh.AlgorithmSigner); ok {
		return s.SignWithAlgorithm(r, data, algorithm)
	}
	return l.signer.Sign(r, data)
}

func (l *lockedKey) unlock() (err error) {
	l.keys.pause(func() {
		var phrase string
		phrase, err = l.keys.pool.ask(fmt.Sprintf("Enter passphrase for key '%s': ", l.path), true)
		if errors.Is(err, errNobody) {
			err = fmt.Errorf("key %s is encrypted and there is nobody to ask for its passphrase: add it to the agent with ssh-add", l.path)
		}
		if err == nil {
			l.signer, err = ssh.ParsePrivateKeyWithPassphrase(l.text, []byte(phrase))
			if err != nil {
				err = fmt.Errorf("key %s: the passphrase is wrong", l.path)
			}
		}
	})
	l.keys.trouble = err
	return err
}

// held are the agent's keys; with IdentitiesOnly those of the files alone.
func (k *sshKeys) held(files []string) []ssh.Signer {
	keyring := k.keyring()
	if keyring == nil {
		return nil
	}
	keys, err := keyring.List()
	if err != nil {
		return nil
	}
	signers, err := keyring.Signers()
	if err != nil {
		return nil
	}
	only := k.settings.options.yes("IdentitiesOnly")
	var list []ssh.Signer
	for _, s := range signers {
		if only && !among(s.PublicKey(), files) {
			continue
		}
		k.tried = append(k.tried, "the ssh-agent's "+comment(keys, s.PublicKey()))
		list = append(list, s)
	}
	return list
}

func (k *sshKeys) keyring() sshagent.ExtendedAgent {
	path := k.agentSocket()
	if path == "" {
		return nil
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil
	}
	return sshagent.NewClient(conn)
}

// agentSocket is where the ssh-agent listens, "" where there is none.
func (k *sshKeys) agentSocket() string {
	value := k.settings.options.first("IdentityAgent")
	switch {
	case value == "" || value == "SSH_AUTH_SOCK":
		return os.Getenv("SSH_AUTH_SOCK")
	case strings.EqualFold(value, "none"):
		return ""
	case strings.HasPrefix(value, "$"):
		return os.Getenv(strings.Trim(value[1:], "{}"))
	}
	return k.settings.path(value)
}

func among(key ssh.PublicKey, files []string) bool {
	for _, path := range files {
		for _, name := range []string{path + ".pub", path} {
			if public, err := publicKey(name); err == nil && bytes.Equal(public.Marshal(), key.Marshal()) {
				return true
			}
		}
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if signer, err := ssh.ParsePrivateKey(text); err == nil && bytes.Equal(signer.PublicKey().Marshal(), key.Marshal()) {
			return true
		}
	}
	return false
}

func comment(keys []*sshagent.Key, key ssh.PublicKey) string {
	for _, k := range keys {
		if bytes.Equal(k.Blob, key.Marshal()) && k.Comment != "" {
			return k.Comment
		}
	}
	return ssh.FingerprintSHA256(key)
}
