package connection

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	sshagent "golang.org/x/crypto/ssh/agent"
)

// sshShell is a host over SSH.
type sshShell struct {
	client  *ssh.Client
	name    string
	forward bool
	ended   chan struct{}
}

func (p *Pool) dialSSH(t Target) (shell, error) {
	s, err := p.settings(t)
	if err != nil {
		return nil, err
	}
	conn, err := p.reach(s)
	if err != nil {
		return nil, err
	}
	client, err := p.login(s, conn)
	if err != nil {
		conn.Close()
		if proxy, ok := conn.(*proxyConn); ok {
			err = proxy.explain(err)
		}
		return nil, err
	}
	sh := &sshShell{client: client, name: s.name(), ended: make(chan struct{})}
	sh.forward = s.forward && forwardAgent(p, s, client)
	go func() {
		client.Wait()
		close(sh.ended)
	}()
	if s.aliveInterval > 0 {
		go sh.watch(s.aliveInterval, s.aliveMax)
	}
	return sh, nil
}

// reach opens the way to the host's SSH port.
func (p *Pool) reach(s *sshSettings) (net.Conn, error) {
	switch {
	case s.jump != "":
		return p.jump(s)
	case s.command != "":
		return startProxy(s)
	}
	dialer := net.Dialer{Timeout: s.timeout}
	if bind := s.options.first("BindAddress"); bind != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(bind)}
	}
	network := map[string]string{"inet": "tcp4", "inet6": "tcp6"}[s.options.first("AddressFamily")]
	conn, err := dialer.Dial(firstOf(network, "tcp"), s.addr())
	if err != nil {
		return nil, unreached(s, err)
	}
	return conn, nil
}

func unreached(s *sshSettings, err error) error {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Errorf("the name %s does not resolve: is it right in the inventory, or is ansible_host missing?", s.host)
	case errors.As(err, &dns):
		return fmt.Errorf("the name %s cannot be resolved: %s", s.host, dns.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s port %d refuses connections: does sshd run there, on this port?", s.host, s.port)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s port %d does not answer within %v: is the host up, and does a firewall let SSH through?", s.host, s.port, s.timeout)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Errorf("there is no route to %s", s.host)
	}
	return fmt.Errorf("%s port %d cannot be reached: %w", s.host, s.port, err)
}

// authTimeout is how long a host may take to decide about a login, once it has
// shown its key: what it asks (PAM, a directory, DNS) can be slow.
const authTimeout = time.Minute

// login does the handshake, within the timeouts but for questions to the user.
func (p *Pool) login(s *sshSettings, conn net.Conn) (*ssh.Client, error) {
	limit := s.timeout
	timer := time.AfterFunc(limit, func() { conn.Close() })
	defer timer.Stop()
	pause := func(f func()) {
		timer.Stop()
		f()
		timer.Reset(limit)
	}
	hosts, err := p.hostKeys(s, pause)
	if err != nil {
		return nil, err
	}
	keys := &sshKeys{pool: p, settings: s, pause: pause}
	var refusal error
	config := &ssh.ClientConfig{
		User: s.user,
		Auth: keys.methods(),
		HostKeyCallback: func(name string, addr net.Addr, key ssh.PublicKey) error {
			refusal = hosts.check(name, addr, key)
			limit = max(limit, authTimeout)
			timer.Reset(limit)
			return refusal
		},
		HostKeyAlgorithms: chosen(s.options.first("HostKeyAlgorithms"), hosts.algorithms()),
		ClientVersion:     "SSH-2.0-gplay",
	}
	config.Ciphers = chosen(s.options.first("Ciphers"), ssh.SupportedAlgorithms().Ciphers)
	config.KeyExchanges = chosen(s.options.first("KexAlgorithms"), ssh.SupportedAlgorithms().KeyExchanges)
	config.MACs = chosen(s.options.first("MACs"), ssh.SupportedAlgorithms().MACs)
	c, channels, requests, err := ssh.NewClientConn(conn, s.addr(), config)
	if err == nil {
		return ssh.NewClient(c, channels, requests), nil
	}
	if refusal != nil {
		return nil, refusal
	}
	return nil, loginError(s, keys, err, !timer.Stop(), limit)
}

// chosen applies an option that lists algorithms, adds to them (+), removes
// (-) or puts them in front (^).
func chosen(option string, standard []string) []string {
	if option == "" {
		return standard
	}
	mode := option[0]
	named := strings.Split(strings.TrimLeft(option, "+-^"), ",")
	switch mode {
	case '+':
		return append(append([]string{}, standard...), named...)
	case '^':
		return append(named, standard...)
	case '-':
		var left []string
		for _, a := range standard {
			if !strings.Contains(","+option[1:]+",", ","+a+",") {
				left = append(left, a)
			}
		}
		return left
	}
	return named
}

func loginError(s *sshSettings, keys *sshKeys, err error, late bool, limit time.Duration) error {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "ssh: handshake failed: "), "ssh: ")
	switch {
	case late:
		return fmt.Errorf("%s did not finish the login within %v", s.name(), limit)
	case strings.Contains(text, "unable to authenticate") || strings.Contains(text, "too many authentication") || strings.Contains(text, "Too many authentication"):
		return fmt.Errorf("%s: Permission denied: %s", s.name(), keys.attempts())
	case errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("%s port %d closed the connection during the login (%s)", s.host, s.port, text)
	}
	return fmt.Errorf("%s: %s", s.name(), text)
}

// attempts says what a refused login was tried with.
func (k *sshKeys) attempts() string {
	if len(k.tried) == 0 {
		return "there is no key and no password to try: name a key with ansible_ssh_private_key_file, add one to the ssh-agent, or give the password with --ask-pass"
	}
	said := "the host took none of " + strings.Join(k.tried, ", ")
	if len(k.tried) == 1 {
		said = "the host did not take " + k.tried[0]
	}
	if k.trouble != nil {
		said += ": " + k.trouble.Error()
	}
	return said
}

// jump reaches a host through another one.
func (p *Pool) jump(s *sshSettings) (net.Conn, error) {
	if err := p.loops(s); err != nil {
		return nil, err
	}
	hop, err := s.hop()
	if err != nil {
		return nil, err
	}
	sh, err := p.shell(context.Background(), hop)
	var gone *Unreachable
	if errors.As(err, &gone) {
		err = errors.Unwrap(gone.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("on the way to %s: %w", s.host, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	conn, err := sh.(*sshShell).client.DialContext(ctx, "tcp", s.addr())
	if err != nil {
		return nil, fmt.Errorf("%s cannot reach %s port %d: %s", hop.Host, s.host, s.port, strings.TrimPrefix(err.Error(), "ssh: "))
	}
	return conn, nil
}

// loops finds a ProxyJump that leads to itself, which would wait for ever.
func (p *Pool) loops(s *sshSettings) error {
	way := []string{s.target.Host}
	for s.jump != "" {
		hop, err := s.hop()
		if err != nil {
			return err
		}
		way = append(way, hop.Host)
		if len(way) > 8 {
			return fmt.Errorf("ProxyJump leads in a circle: %s", strings.Join(way, " → "))
		}
		if s, err = p.settings(hop); err != nil {
			return err
		}
	}
	return nil
}

func forwardAgent(p *Pool, s *sshSettings, client *ssh.Client) bool {
	socket := (&sshKeys{settings: s}).agentSocket()
	if socket == "" {
		return false
	}
	if err := sshagent.ForwardToRemote(client, socket); err != nil {
		p.warn("the ssh-agent is not forwarded to %s: %v", s.host, err)
		return false
	}
	return true
}

// watch asks the host whether it is there, and gives it up when it does not
// answer several times.
func (s *sshShell) watch(every time.Duration, most int) {
	missed := 0
	for {
		select {
		case <-s.ended:
			return
		case <-time.After(every):
		}
		answered := make(chan struct{})
		go func() {
			if _, _, err := s.client.SendRequest("keepalive@openssh.com", true, nil); err == nil {
				close(answered)
			}
		}()
		select {
		case <-answered:
			missed = 0
		case <-s.ended:
			return
		case <-time.After(every):
			missed++
		}
		if missed >= max(most, 1) {
			s.client.Close()
			return
		}
	}
}

func (s *sshShell) dead() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

func (s *sshShell) close() { s.client.Close() }

// rawTerminal makes a terminal carry bytes as they are.
var rawTerminal = ssh.TerminalModes{
	ssh.ECHO: 0, ssh.ICANON: 0, ssh.ISIG: 0, ssh.IEXTEN: 0, ssh.OPOST: 0, ssh.ONLCR: 0,
	ssh.ICRNL: 0, ssh.INLCR: 0, ssh.IGNCR: 0, ssh.IXON: 0, ssh.IXOFF: 0, ssh.ISTRIP: 0, ssh.INPCK: 0, ssh.CS8: 1,
}

func (s *sshShell) start(command string, terminal bool) (*process, error) {
	session, err := s.client.NewSession()
	if err != nil {
		return nil, s.sessionError(err)
	}
	proc, err := s.prepare(session, terminal)
	if err == nil {
		err = session.Start(command)
	}
	if err != nil {
		session.Close()
		return nil, s.sessionError(err)
	}
	return proc, nil
}

func (s *sshShell) sessionError(err error) error {
	var refused *ssh.OpenChannelError
	if errors.As(err, &refused) {
		return fmt.Errorf("%s gives no further session (%s): see MaxSessions in its sshd_config", s.name, refused.Message)
	}
	if s.dead() || errors.Is(err, io.EOF) {
		return fmt.Errorf("lost the connection to %s", s.name)
	}
	return err
}

func (s *sshShell) prepare(session *ssh.Session, terminal bool) (*process, error) {
	if s.forward {
		if err := sshagent.RequestAgentForwarding(session); err != nil {
			return nil, err
		}
	}
	if terminal {
		if err := session.RequestPty("dumb", 24, 80, rawTerminal); err != nil {
			return nil, err
		}
	}
	stdin, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	proc := &process{stdin: stdin, stdout: stdout, kill: func() { session.Close() }}
	if !terminal {
		if proc.stderr, err = session.StderrPipe(); err != nil {
			return nil, err
		}
	}
	proc.wait = sync.OnceValues(func() (int, error) {
		err := session.Wait()
		var exit *ssh.ExitError
		if errors.As(err, &exit) {
			return exit.ExitStatus(), nil
		}
		return 0, err
	})
	return proc, nil
}

// proxyConn is a ProxyCommand as a connection.
type proxyConn struct {
	io.Reader
	io.WriteCloser
	cmd    *exec.Cmd
	closed sync.Once
	stderr *bytes.Buffer // whole after end
	end    func() error
}

func startProxy(s *sshSettings) (net.Conn, error) {
	cmd := exec.Command("/bin/sh", "-c", "exec "+s.expand(s.command))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("ProxyCommand: %w", err)
	}
	return &proxyConn{Reader: out, WriteCloser: in, cmd: cmd, stderr: &stderr, end: sync.OnceValue(cmd.Wait)}, nil
}

func (c *proxyConn) Close() error {
	c.closed.Do(func() {
		c.WriteCloser.Close()
		go func() {
			// It may have something to say before it ends.
			late := time.AfterFunc(time.Second, func() { syscall.Kill(-c.cmd.Process.Pid, syscall.SIGTERM) })
			c.end()
			late.Stop()
		}()
	})
	return nil
}

// explain adds what the command said. It must be closed.
func (c *proxyConn) explain(err error) error {
	c.end()
	if said := strings.TrimSpace(c.stderr.String()); said != "" {
		return fmt.Errorf("%w; its ProxyCommand said: %s", err, said)
	}
	return err
}

func (c *proxyConn) LocalAddr() net.Addr              { return noAddr{} }
func (c *proxyConn) RemoteAddr() net.Addr             { return noAddr{} }
func (c *proxyConn) SetDeadline(time.Time) error      { return nil }
func (c *proxyConn) SetReadDeadline(time.Time) error  { return nil }
func (c *proxyConn) SetWriteDeadline(time.Time) error { return nil }
