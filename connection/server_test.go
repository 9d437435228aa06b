package connection

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// server is an sshd that runs its commands on this machine, in a home of its
// own.
type server struct {
	home     string
	host     ssh.Signer
	keys     []ssh.PublicKey // that may log in
	password string
	ask      bool // by keyboard-interactive
	env      []string
	profile  string // what the shell runs first
	noSFTP   bool

	listener net.Listener
	commands atomic.Int32 // that were started
	logins   atomic.Int32

	mu    sync.Mutex
	conns []net.Conn
}

func newKey(t testing.TB) (ssh.Signer, []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

// newUser gives the controller a home with one key, and returns the home.
func newUser(t testing.TB) (dir string, key ssh.Signer) {
	t.Helper()
	dir = t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("SSH_AUTH_SOCK", "")
	key, text := newKey(t)
	write(t, filepath.Join(dir, ".ssh", "id_ed25519"), string(text))
	return dir, key
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *server) start(t testing.TB) {
	t.Helper()
	if s.home == "" {
		s.home = t.TempDir()
	}
	if s.host == nil {
		s.host, _ = newKey(t)
	}
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	go s.accept()
	t.Cleanup(s.stop)
}

func (s *server) stop() {
	s.listener.Close()
	s.drop()
}

// drop ends all connections, as a crash would.
func (s *server) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
}

func (s *server) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// target reaches s, taking any host key.
func (s *server) target() Target {
	return Target{Transport: "ssh", Host: "127.0.0.1", Port: s.port(), User: "joe", HostKeyChecking: "false"}
}

// line is what known_hosts has for s.
func (s *server) line() string {
	return fmt.Sprintf("[127.0.0.1]:%d %s", s.port(), ssh.MarshalAuthorizedKey(s.host.PublicKey()))
}

func (s *server) config() *ssh.ServerConfig {
	c := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			ok := slices.ContainsFunc(s.keys, func(k ssh.PublicKey) bool { return string(k.Marshal()) == string(key.Marshal()) })
			return nil, refuse(ok)
		},
	}
	if s.password != "" && !s.ask {
		c.PasswordCallback = func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return nil, refuse(string(password) == s.password)
		}
	}
	if s.ask {
		c.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			return nil, refuse(err == nil && len(answers) == 1 && answers[0] == s.password)
		}
	}
	c.AddHostKey(s.host)
	return c
}

func refuse(ok bool) error {
	if ok {
		return nil
	}
	return fmt.Errorf("no")
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		go s.serve(conn)
	}
}

func (s *server) serve(conn net.Conn) {
	_, channels, requests, err := ssh.NewServerConn(conn, s.config())
	if err != nil {
		conn.Close()
		return
	}
	s.logins.Add(1)
	go ssh.DiscardRequests(requests)
	for c := range channels {
		switch c.ChannelType() {
		case "session":
			go s.session(c)
		case "direct-tcpip":
			go forwardTCP(c)
		default:
			c.Reject(ssh.UnknownChannelType, "")
		}
	}
}

func forwardTCP(c ssh.NewChannel) {
	var to struct {
		Host string
		Port uint32
		From string
		Src  uint32
	}
	if err := ssh.Unmarshal(c.ExtraData(), &to); err != nil {
		c.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	conn, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		c.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	ch, requests, err := c.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	go func() { io.Copy(ch, conn); ch.Close() }()
	io.Copy(conn, ch)
	conn.Close()
}

func (s *server) session(c ssh.NewChannel) {
	ch, requests, err := c.Accept()
	if err != nil {
		return
	}
	defer ch.Close()
	for r := range requests {
		if r.Type == "subsystem" && !s.noSFTP {
			r.Reply(true, nil)
			s.sftp(ch)
			return
		}
		if r.Type != "exec" {
			r.Reply(false, nil)
			continue
		}
		r.Reply(true, nil)
		var exec struct{ Command string }
		ssh.Unmarshal(r.Payload, &exec)
		code := s.run(exec.Command, ch)
		ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(code)}))
		return
	}
}

func (s *server) sftp(ch ssh.Channel) {
	if files, err := sftp.NewServer(ch); err == nil {
		files.Serve()
	}
}

func (s *server) run(command string, ch ssh.Channel) int {
	s.commands.Add(1)
	cmd := exec.Command("/bin/sh", "-c", s.profile+command)
	cmd.Dir = s.home
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "HOME=") }), "HOME="+s.home)
	cmd.Env = append(cmd.Env, s.env...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return 1
	}
	cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
	if err := cmd.Start(); err != nil {
		return 1
	}
	go func() { io.Copy(stdin, ch); stdin.Close() }()
	cmd.Wait()
	return cmd.ProcessState.ExitCode()
}
