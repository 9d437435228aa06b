package connection

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// sshSettings are how to reach one host, decided.
type sshSettings struct {
	options       *sshOptions
	target        Target
	host          string
	port          int
	user          string
	timeout       time.Duration
	aliveInterval time.Duration
	aliveMax      int
	jump          string // ProxyJump
	command       string // ProxyCommand
	forward       bool
}

func (s *sshSettings) addr() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

// name is the host as errors call it: user@host, with the port if it is no
// usual one.
func (s *sshSettings) name() string {
	name := s.user + "@" + s.host
	if s.port != 22 {
		name += ":" + strconv.Itoa(s.port)
	}
	return name
}

func (p *Pool) settings(t Target) (*sshSettings, error) {
	o, err := p.options(t)
	if err != nil {
		return nil, err
	}
	s := &sshSettings{options: o, target: t, forward: o.yes("ForwardAgent")}
	if s.port, err = number(o.first("Port"), 22, "Port"); err != nil {
		return nil, err
	}
	if t.Port > 0 {
		s.port = t.Port
	}
	if s.user = firstOf(t.User, o.first("User")); s.user == "" {
		s.user = currentUser()
	}
	s.host = strings.Trim(strings.ReplaceAll(firstOf(o.first("HostName"), t.Host), "%h", t.Host), "[]")
	if s.host == "" {
		return nil, fmt.Errorf("no host was given")
	}
	if err := s.times(); err != nil {
		return nil, err
	}
	s.proxy()
	return s, nil
}

func (s *sshSettings) times() error {
	o := s.options
	seconds, err := number(o.first("ConnectTimeout"), 0, "ConnectTimeout")
	if err != nil {
		return err
	}
	s.timeout = s.target.connectTimeout()
	if seconds > 0 && s.target.Timeout == 0 {
		s.timeout = time.Duration(seconds) * time.Second
	}
	interval, err := number(o.first("ServerAliveInterval"), 15, "ServerAliveInterval")
	if err != nil {
		return err
	}
	s.aliveInterval = time.Duration(interval) * time.Second
	s.aliveMax, err = number(o.first("ServerAliveCountMax"), 3, "ServerAliveCountMax")
	return err
}

// proxy takes ProxyJump or ProxyCommand, whichever is set first.
func (s *sshSettings) proxy() {
	jump, command := s.options.first("ProxyJump"), s.options.first("ProxyCommand")
	for _, a := range s.options.args {
		if a.key == "proxyjump" || a.key == "proxycommand" {
			if a.key == "proxyjump" {
				command = ""
			} else {
				jump = ""
			}
			break
		}
	}
	if !strings.EqualFold(jump, "none") {
		s.jump = jump
	}
	if !strings.EqualFold(command, "none") && s.jump == "" {
		s.command = command
	}
}

// expand replaces ssh's tokens in a value.
func (s *sshSettings) expand(value string) string {
	local, _ := os.Hostname()
	return strings.NewReplacer("%%", "%", "%h", s.host, "%n", s.target.Host, "%p", strconv.Itoa(s.port),
		"%r", s.user, "%u", currentUser(), "%d", home(), "%l", local).Replace(value)
}

func (s *sshSettings) path(value string) string {
	path := s.expand(expandHome(value))
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func number(value string, standard int, name string) (int, error) {
	if value == "" || strings.EqualFold(value, "none") {
		return standard, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("ssh's %s is a number, not %q", name, value)
	}
	return n, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func currentUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return firstOf(os.Getenv("USER"), "root")
}

// hops are the Targets of ProxyJump: only the last matters, the ones before it
// are its own way.
func (s *sshSettings) hop() (Target, error) {
	before, last := "", s.jump
	if i := strings.LastIndex(s.jump, ","); i >= 0 {
		before, last = s.jump[:i], s.jump[i+1:]
	}
	t := Target{Transport: "ssh", HostKeyChecking: s.target.HostKeyChecking, Timeout: s.target.Timeout}
	spec := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(last), "ssh://"), "/")
	if i := strings.LastIndex(spec, "@"); i >= 0 {
		t.User, spec = spec[:i], spec[i+1:]
	}
	t.Host = spec
	if host, port, err := net.SplitHostPort(spec); err == nil {
		if t.Port, err = strconv.Atoi(port); err != nil {
			return t, fmt.Errorf("ProxyJump %q: %q is no port", s.jump, port)
		}
		t.Host = host
	}
	t.Host = strings.Trim(t.Host, "[]")
	if t.Host == "" {
		return t, fmt.Errorf("ProxyJump %q names no host", s.jump)
	}
	args, err := parseSSHArgs(s.target.SSHArgs)
	if err != nil {
		return t, err
	}
	if args.file != "" {
		t.SSHArgs = "-F " + quote(args.file)
	}
	if before != "" {
		t.SSHArgs += " -J " + quote(before)
	}
	return t, nil
}
