package connection

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	sshagent "golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// login tries to, and gives the error's text.
func tryLogin(t *testing.T, opts Options, target Target) string {
	t.Helper()
	_, err := newPool(t, opts).Get(t.Context(), target)
	if err == nil {
		return ""
	}
	var gone *Unreachable
	if !errors.As(err, &gone) {
		t.Errorf("%v is no *Unreachable", err)
	}
	return err.Error()
}

func checkError(t *testing.T, got, want string) {
	t.Helper()
	if (got == "") != (want == "") || !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPasswords(t *testing.T) {
	newUser(t)
	for name, test := range map[string]struct {
		server *server
		given  string
		want   string
	}{
		"password":    {&server{password: "secret"}, "secret", ""},
		"wrong":       {&server{password: "secret"}, "guess-1", `Permission denied: the host took none of .*id_ed25519, the password$`},
		"none given":  {&server{password: "secret"}, "", `Permission denied: the host did not take .*id_ed25519$`},
		"interactive": {&server{password: "secret", ask: true}, "secret", ""},
		"interactive, wrong": {&server{password: "secret", ask: true}, "guess-1",
			`Permission denied: the host took none of .*, the password \(keyboard-interactive\)$`},
	} {
		t.Run(name, func(t *testing.T) {
			s := test.server
			s.start(t)
			target := s.target()
			target.Password = test.given
			got := tryLogin(t, Options{}, target)
			checkError(t, got, test.want)
			if test.given != "" && strings.Contains(got, test.given) {
				t.Errorf("the error tells the password: %s", got)
			}
		})
	}
}

func encrypted(t *testing.T, path string) ssh.PublicKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("phrase"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(pem.EncodeToMemory(block)))
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer.PublicKey()
}

func TestKeyFiles(t *testing.T) {
	s, dir := login(t)
	key, text := newKey(t)
	other := filepath.Join(dir, "other")
	write(t, other, string(text))
	locked := filepath.Join(dir, "locked")
	s.keys = append(s.keys, encrypted(t, locked))
	known := s.keys[0]
	phrase := func(text string) Options {
		return Options{Prompt: func(q string, secret bool) (string, error) {
			if !secret || !strings.Contains(q, locked) {
				t.Errorf("asked %q, secret %v", q, secret)
			}
			return text, nil
		}}
	}
	for name, test := range map[string]struct {
		keys []ssh.PublicKey
		file string
		opts Options
		want string
	}{
		"the usual one":       {[]ssh.PublicKey{known}, "", Options{}, ""},
		"a named one":         {[]ssh.PublicKey{key.PublicKey()}, other, Options{}, ""},
		"the wrong one":       {[]ssh.PublicKey{known}, other, Options{}, "did not take .*/other$"},
		"none there":          {[]ssh.PublicKey{known}, other + "x", Options{}, `otherx \(no such file or directory\)`},
		"locked":              {s.keys, locked, phrase("phrase"), ""},
		"locked, wrong":       {s.keys, locked, phrase("nonsense"), "locked: the passphrase is wrong"},
		"locked, nobody":      {s.keys, locked, Options{}, "locked is encrypted .* ssh-add"},
		"locked, not wanted":  {[]ssh.PublicKey{key.PublicKey()}, locked, Options{}, "did not take .*/locked$"},
		"a file without keys": {s.keys, os.DevNull, Options{}, `/dev/null \(no key found\)`},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{keys: test.keys}
			s.start(t)
			target := s.target()
			target.KeyFile = test.file
			checkError(t, tryLogin(t, test.opts, target), test.want)
		})
	}
}

func TestSSHAgent(t *testing.T) {
	_, dir := login(t)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ring := sshagent.NewKeyring()
	if err := ring.Add(sshagent.AddedKey{PrivateKey: private, Comment: "joe's card"}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go sshagent.ServeAgent(ring, c)
		}
	}()
	t.Setenv("SSH_AUTH_SOCK", socket)
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{keys: []ssh.PublicKey{signer.PublicKey()}}
	s.start(t)
	checkError(t, tryLogin(t, Options{}, s.target()), "")

	only := s.target()
	only.SSHArgs = "-o IdentitiesOnly=yes"
	checkError(t, tryLogin(t, Options{}, only), "did not take .*id_ed25519$")

	stranger := &server{}
	stranger.start(t)
	checkError(t, tryLogin(t, Options{}, stranger.target()), "took none of the ssh-agent's joe's card, .*id_ed25519$")
}

func TestHostKeys(t *testing.T) {
	s, dir := login(t)
	file := filepath.Join(dir, ".ssh", "known_hosts")
	_, other := otherLine(t, s)
	hashed := knownhosts.HashHostname(fmt.Sprintf("[127.0.0.1]:%d", s.port())) + strings.TrimPrefix(s.line(), strings.Fields(s.line())[0])
	answer := func(text string) Options {
		return Options{Prompt: func(string, bool) (string, error) { return text, nil }}
	}
	unknown := fmt.Sprintf(`the key of \[127.0.0.1\]:%d is not known \(ssh-ed25519 SHA256:.*ssh-keyscan -p %d 127.0.0.1 >> .*known_hosts`, s.port(), s.port())
	for name, test := range map[string]struct {
		known    string
		checking string
		args     string
		opts     Options
		want     string
		kept     bool // the key is in the file afterwards
	}{
		"known":            {s.line(), "true", "", Options{}, "", true},
		"hashed":           {hashed, "true", "", Options{}, "", false},
		"changed":          {"\n" + other, "true", "", Options{}, "has CHANGED: it shows ssh-ed25519 SHA256:.*, but .*known_hosts:2 has SHA256:", false},
		"changed, new":     {other, "accept-new", "", Options{}, "has CHANGED", false},
		"changed, any":     {other, "false", "", Options{}, "", false},
		"revoked":          {s.line() + "@revoked * " + strings.SplitN(s.line(), " ", 2)[1], "true", "", Options{}, "is revoked by .*known_hosts:2", true},
		"unknown":          {"", "true", "", Options{}, unknown, false},
		"unknown, asked":   {"", "true", "", answer("yes"), "", true},
		"unknown, refused": {"", "true", "", answer("no"), unknown, false},
		"unknown, strict":  {"", "true", "-o StrictHostKeyChecking=yes", answer("yes"), unknown, false},
		"unknown, new":     {"# no newline", "accept-new", "", Options{}, "", true},
		"unknown, any":     {"", "false", "", Options{}, "", false},
		"by argument":      {"", "true", "-o StrictHostKeyChecking=no", Options{}, "", false},
		"nowhere":          {"", "true", "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=accept-new", Options{}, "", false},
		"broken":           {"[127.0.0.1] ssh-ed25519 !", "true", "", Options{}, "known_hosts:1", false},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, file, test.known)
			target := s.target()
			target.HostKeyChecking, target.SSHArgs = test.checking, test.args
			checkError(t, tryLogin(t, test.opts, target), test.want)
			after, err := os.ReadFile(file)
			if err != nil || strings.Contains("\n"+string(after), "\n"+s.line()) != test.kept {
				t.Errorf("known_hosts is %q afterwards %v", after, err)
			}
		})
	}
}

// otherLine is a key for s that it does not have.
func otherLine(t *testing.T, s *server) (ssh.Signer, string) {
	t.Helper()
	key, _ := newKey(t)
	return key, fmt.Sprintf("[127.0.0.1]:%d %s", s.port(), ssh.MarshalAuthorizedKey(key.PublicKey()))
}

func TestHostCertificate(t *testing.T) {
	dir, key := newUser(t)
	authority, _ := newKey(t)
	host, _ := newKey(t)
	cert := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, ValidBefore: ssh.CertTimeInfinity, ValidPrincipals: []string{"127.0.0.1"}}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(cert, host)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{host: signer, keys: []ssh.PublicKey{key.PublicKey()}}
	s.start(t)
	target := s.target()
	target.HostKeyChecking = "true"
	file := filepath.Join(dir, ".ssh", "known_hosts")
	write(t, file, fmt.Sprintf("@cert-authority [127.0.0.1]:%d %s", s.port(), ssh.MarshalAuthorizedKey(authority.PublicKey())))
	checkError(t, tryLogin(t, Options{}, target), "")
	another, _ := newKey(t)
	write(t, file, fmt.Sprintf("@cert-authority [127.0.0.1]:%d %s", s.port(), ssh.MarshalAuthorizedKey(another.PublicKey())))
	checkError(t, tryLogin(t, Options{}, target), "127.0.0.1")
}

func TestUnreachable(t *testing.T) {
	newUser(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := closed.Addr().(*net.TCPAddr).Port
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for want, target := range map[string]Target{
		"the name no-such-host.invalid (does not resolve|cannot be resolved)": {Host: "no-such-host.invalid"},
		"127.0.0.1 port [0-9]+ refuses connections":                           {Host: "127.0.0.1", Port: port},
		"joe@127.0.0.1:[0-9]+ did not finish the login within 200ms":          {Host: "127.0.0.1", Port: silent.Addr().(*net.TCPAddr).Port, Timeout: 200 * time.Millisecond},
		"no port":                       {Host: "x", SSHArgs: "-J y:ssh"},
		"ssh arguments .* is no option": {Host: "x", SSHArgs: "x"},
	} {
		target.Transport, target.User, target.HostKeyChecking = "ssh", "joe", "false"
		checkError(t, tryLogin(t, Options{}, target), want)
	}
}

func TestProxyJump(t *testing.T) {
	s, dir := login(t)
	bastion := &server{keys: s.keys}
	bastion.start(t)
	write(t, filepath.Join(dir, ".ssh", "config"), fmt.Sprintf(`
Host inner
  HostName 127.0.0.1
  Port %d
  ProxyJump bastion
Host bastion
  HostName 127.0.0.1
  Port %d
  User jim
Host round
  ProxyJump about
Host about
  ProxyJump round
Host command
  HostName 127.0.0.1
  Port %d
  ProxyCommand echo %%h is closed >&2; exit 1
`, s.port(), bastion.port(), s.port()))
	target := Target{Transport: "ssh", Host: "inner", User: "joe", HostKeyChecking: "false"}
	p := newPool(t, Options{})
	call(t, connect(t, p, target), Call{Module: "ping"})
	if bastion.logins.Load() != 1 || s.logins.Load() != 1 {
		t.Errorf("%d logins on the way, %d at the end", bastion.logins.Load(), s.logins.Load())
	}
	if bastion.commands.Load() != 0 {
		t.Error("a command ran on the way")
	}
	two := s.target()
	two.SSHArgs = fmt.Sprintf("-J joe@127.0.0.1:%d,joe@127.0.0.1:%d", bastion.port(), bastion.port())
	call(t, connect(t, p, two), Call{Module: "ping"})

	target.Host = "round"
	checkError(t, tryLogin(t, Options{}, target), "in a circle: round → about → round")
	target.Host = "command"
	checkError(t, tryLogin(t, Options{}, target), "ProxyCommand said: 127.0.0.1 is closed")
	bastion.listener.Close()
	target.Host = "inner"
	checkError(t, tryLogin(t, Options{}, target), "on the way to 127.0.0.1: 127.0.0.1 port .* refuses")
}

func TestSSHOptions(t *testing.T) {
	dir, _ := newUser(t)
	write(t, filepath.Join(dir, ".ssh", "config"), `
Host web*
  User deploy
  Port 2200
  IdentityFile ~/.ssh/web
Match exec "true"
  User nobody
Host *
  User everyone
`)
	var warned []string
	p := newPool(t, Options{Warn: func(msg string) { warned = append(warned, msg) }})
	for name, test := range map[string]struct {
		target Target
		want   string // user, host, port, keys
	}{
		"nothing said":      {Target{Host: "db"}, "everyone db 22 []"},
		"by the file":       {Target{Host: "web1"}, "deploy web1 2200 [DIR/.ssh/web]"},
		"by arguments":      {Target{Host: "web1", SSHArgs: `-o User=me -oPort=23 -o 'IdentityFile="/a b"' -i ~/c -o ControlMaster=auto -C`}, "me web1 23 [/a b DIR/c DIR/.ssh/web]"},
		"by the inventory":  {Target{Host: "web1", User: "joe", Port: 24, KeyFile: "/k", SSHArgs: "-o User=me"}, "joe web1 24 [/k DIR/.ssh/web]"},
		"with another file": {Target{Host: "web1", SSHArgs: "-F none -l me -o HostName=%h.example.org"}, "me web1.example.org 22 []"},
	} {
		s, err := p.settings(test.target)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		keys := (&sshKeys{settings: s}).named()
		got := fmt.Sprint(s.user, " ", s.host, " ", s.port, " ", keys)
		if want := strings.ReplaceAll(test.want, "DIR", dir); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "config:6: this kind of Match") {
		t.Errorf("warned of %q", warned)
	}
}

func TestSSHArgs(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "[] []",
		"-o A=b":            "[] [ssh's option A is not supported, and ignored]",
		"-L 1:x:2 -vvv":     "[] [ssh's -L is not supported, and ignored]",
		"-o":                "-o needs a value",
		"-o User":           "not of the form",
		"-Z":                "ssh has no option -Z",
		"-o 'User=x":        "a quote is not closed",
		`-o "User=x y" -4A`: "[{user x y} {addressfamily inet} {forwardagent yes}] []",
		`-o ProxyCommand="ssh -W %h:%p \"b\" -q"`: `[{proxycommand ssh -W %h:%p "b" -q}] []`,
	} {
		args, err := parseSSHArgs(text)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(args.options, " ", args.warn)
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s gave %s, want %s", text, got, want)
		}
	}
}
