package connection

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// hostKeys checks the keys of hosts against known_hosts.
type hostKeys struct {
	pool    *Pool
	strict  string // no, accept-new, ask, yes
	address string // as known_hosts has it, with a port
	files   []string
	user    string // the file that new keys go to
	known   ssh.HostKeyCallback
	pause   func(func()) // runs something while no time is counted
}

func (p *Pool) hostKeys(s *sshSettings, pause func(func())) (*hostKeys, error) {
	h := &hostKeys{pool: p, strict: strictness(s), pause: pause}
	h.address = s.addr()
	if alias := s.options.first("HostKeyAlias"); alias != "" {
		h.address = net.JoinHostPort(alias, "22")
	}
	if h.strict == "no" {
		return h, nil
	}
	users := fileList(s, "UserKnownHostsFile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")
	h.user = users[0]
	all := append(users, fileList(s, "GlobalKnownHostsFile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2")...)
	for _, path := range all {
		if info, err := os.Stat(path); err == nil && !info.IsDir() && path != os.DevNull {
			h.files = append(h.files, path)
		}
	}
	var err error
	h.known, err = knownhosts.New(h.files...)
	if err != nil {
		return nil, fmt.Errorf("known_hosts cannot be read: %s", strings.TrimPrefix(err.Error(), "knownhosts: "))
	}
	return h, nil
}

func fileList(s *sshSettings, option, standard string) []string {
	words, err := shellWords(firstOf(s.options.first(option), standard))
	if err != nil || len(words) == 0 {
		return []string{os.DevNull}
	}
	for i, w := range words {
		if w == "none" {
			w = os.DevNull
		}
		words[i] = s.path(w)
	}
	return words
}

// strictness is what to do with unknown and changed keys.
func strictness(s *sshSettings) string {
	switch s.target.HostKeyChecking {
	case "false":
		return "no"
	case "accept-new":
		return "accept-new"
	}
	switch v := strings.ToLower(s.options.first("StrictHostKeyChecking")); v {
	case "no", "off", "false":
		return "no"
	case "accept-new":
		return v
	case "yes", "true":
		return "yes"
	}
	return "ask"
}

// algorithms puts the kinds of key that are known for the host in front, so
// that the host shows one that can be compared.
func (h *hostKeys) algorithms() []string {
	all := ssh.SupportedAlgorithms().HostKeys
	if h.known == nil {
		return all
	}
	// A certificate is of use only to who trusts an authority.
	plain := slices.DeleteFunc(slices.Clone(all), isCertificate)
	slices.SortStableFunc(plain, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	var first []string
	for _, k := range h.knownKeys() {
		for _, a := range algorithmsOf(k.Key.Type()) {
			if !slices.Contains(first, a) {
				first = append(first, a)
			}
		}
	}
	if h.authorities() {
		first = append(slices.DeleteFunc(slices.Clone(all), isPlain), first...)
	}
	for _, a := range plain {
		if !slices.Contains(first, a) {
			first = append(first, a)
		}
	}
	return first
}

func algorithmsOf(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{keyType}
}

// rank puts the kinds of key that ssh prefers in front, for a host that ssh
// and gplay then know by the same key.
func rank(algorithm string) int {
	switch {
	case algorithm == ssh.KeyAlgoED25519:
		return 0
	case strings.HasPrefix(algorithm, "ecdsa-"):
		return 1
	}
	return 2
}

func isCertificate(algorithm string) bool { return strings.Contains(algorithm, "-cert-") }
func isPlain(algorithm string) bool       { return !isCertificate(algorithm) }

// authorities says whether any file trusts one to sign hosts' keys.
func (h *hostKeys) authorities() bool {
	for _, path := range h.files {
		text, err := os.ReadFile(path)
		if err == nil && bytes.Contains(text, []byte("@cert-authority")) {
			return true
		}
	}
	return false
}

// knownKeys asks about a key that nobody has; the answer names the known ones.
func (h *hostKeys) knownKeys() []knownhosts.KnownKey {
	var wrong *knownhosts.KeyError
	if errors.As(h.known(h.address, noAddr{}, noKey{}), &wrong) {
		return wrong.Want
	}
	return nil
}

type noAddr struct{}

func (noAddr) Network() string { return "tcp" }
func (noAddr) String() string  { return "0.0.0.0:0" }

type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

// check is the HostKeyCallback.
func (h *hostKeys) check(_ string, _ net.Addr, key ssh.PublicKey) error {
	if h.strict == "no" {
		return nil
	}
	err := h.known(h.address, noAddr{}, key)
	var wrong *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &revoked):
		return fmt.Errorf("the key of %s (%s) is revoked by %s:%d", h.display(), describe(key), revoked.Revoked.Filename, revoked.Revoked.Line)
	case errors.As(err, &wrong):
		return h.unlike(wrong.Want, key)
	}
	return fmt.Errorf("the key of %s: %w", h.display(), err)
}

// unlike handles a key that is not the known one.
func (h *hostKeys) unlike(want []knownhosts.KnownKey, key ssh.PublicKey) error {
	for _, k := range want {
		if k.Key.Type() == key.Type() {
			return fmt.Errorf("the key of %s has CHANGED: it shows %s, but %s:%d has %s. Either the host was made anew, or somebody is between. If it was made anew: ssh-keygen -f %s -R %s",
				h.display(), describe(key), k.Filename, k.Line, ssh.FingerprintSHA256(k.Key), quote(k.Filename), quote(knownhosts.Normalize(h.address)))
		}
	}
	switch h.strict {
	case "accept-new":
		return h.remember(key)
	case "ask":
		return h.question(key)
	}
	return h.unknown(key)
}

func (h *hostKeys) unknown(key ssh.PublicKey) error {
	return fmt.Errorf("the key of %s is not known (%s). Compare it, then add it: ssh-keyscan %s >> %s; or set host_key_checking = accept-new or False",
		h.display(), describe(key), h.scan(), quote(h.user))
}

func (h *hostKeys) display() string { return knownhosts.Normalize(h.address) }

func (h *hostKeys) scan() string {
	host, port, err := net.SplitHostPort(h.address)
	if err != nil || port == "22" {
		return host
	}
	return "-p " + port + " " + host
}

func describe(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

func (h *hostKeys) question(key ssh.PublicKey) (err error) {
	h.pause(func() {
		var answer string
		answer, err = h.pool.ask(fmt.Sprintf("The authenticity of host '%s' can't be established.\nIts key is %s.\nContinue connecting (yes/no)? ", h.display(), describe(key)), false)
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "yes", "y":
			err = h.remember(key)
		default:
			err = h.unknown(key)
		}
	})
	return err
}

// appending keeps two hosts from adding their lines at the same time.
var appending sync.Mutex

// remember adds a key to the user's file.
func (h *hostKeys) remember(key ssh.PublicKey) error {
	if h.user == os.DevNull {
		return nil
	}
	appending.Lock()
	defer appending.Unlock()
	if err := os.MkdirAll(filepath.Dir(h.user), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(h.user, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("the key of %s cannot be kept: %w", h.display(), err)
	}
	line := knownhosts.Line([]string{knownhosts.Normalize(h.address)}, key) + "\n"
	if last, err := lastByte(f); err == nil && last != '\n' {
		line = "\n" + line
	}
	_, err = f.WriteString(line)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("the key of %s cannot be kept: %w", h.display(), err)
	}
	h.pool.warn("Permanently added '%s' (%s) to the list of known hosts.", h.display(), strconv.Quote(key.Type()))
	return nil
}

func lastByte(f *os.File) (byte, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return '\n', err
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return last[0], err
}
