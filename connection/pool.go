package connection

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kevinburke/ssh_config"

	"gplay/connection/agent"
)

// Options are what a Pool needs from the program around it.
type Options struct {
	// Run runs modules in this process, for local. Nil is agent.Modules.
	Run agent.Runner
	// Executable is the program that hosts get, when it is not this one. Builds
	// for other systems are beside it, as gplay-OS-ARCH.
	Executable string
	// Prompt asks the user; secret input is not shown. Nil answers nothing, so
	// that questions are errors.
	Prompt func(question string, secret bool) (string, error)
	// Warn tells the user something. Nil drops it.
	Warn func(msg string)
}

// Pool holds the connections of a run. Its methods may be called at the same
// time.
type Pool struct {
	opts   Options
	builds *builds
	asking sync.Mutex // one question at a time

	mu      sync.Mutex
	configs map[string]*configFile  // ssh_config, by path
	shells  map[Target]*lazy[shell] // by Target without Become
	conns   map[Target]Conn
	local   *agent.Local
	closed  bool
}

// NewPool makes an empty Pool.
func NewPool(opts Options) *Pool {
	if opts.Run == nil {
		opts.Run = agent.Modules
	}
	return &Pool{
		opts:    opts,
		builds:  newBuilds(opts.Executable),
		configs: map[string]*configFile{},
		shells:  map[Target]*lazy[shell]{},
		conns:   map[Target]Conn{},
		local:   agent.NewLocal(opts.Run),
	}
}

// Get connects to a host, or gives the connection that is there. A Conn whose
// host went away is not given again. An error is *Unreachable, ctx's, or says
// what is wrong with the Target.
func (p *Pool) Get(ctx context.Context, t Target) (Conn, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.Transport == "local" && t.Become.Method == "" {
		return &localConn{p.local}, nil
	}
	sh, err := p.shell(ctx, t)
	if err != nil {
		return nil, err
	}
	return p.conn(t, sh)
}

func (t Target) check() error {
	switch t.Transport {
	case "local", "ssh", "docker":
	default:
		return fmt.Errorf("connection %q is not supported: it is ssh, local or docker", t.Transport)
	}
	switch t.Become.Method {
	case "", "sudo", "su", "doas":
	default:
		return fmt.Errorf("become method %q is not supported: it is sudo, su or doas", t.Become.Method)
	}
	switch t.HostKeyChecking {
	case "", "true", "false", "accept-new":
		return nil
	}
	return fmt.Errorf("host key checking is true, false or accept-new, not %q", t.HostKeyChecking)
}

// login is the Target without become: what the connection itself depends on.
func (t Target) login() Target {
	t.Become = Become{}
	return t
}

func (p *Pool) shell(ctx context.Context, t Target) (shell, error) {
	key := t.login()
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errors.New("the connections were closed")
	}
	l := p.shells[key]
	if l == nil || l.failed() || l.ready() && l.value.dead() {
		l = newLazy(func() (shell, error) { return p.dial(key) })
		p.shells[key] = l
	}
	p.mu.Unlock()
	return l.get(ctx)
}

func (p *Pool) dial(t Target) (shell, error) {
	switch t.Transport {
	case "local":
		return localShell{}, nil
	case "docker":
		return &dockerShell{container: t.Host, user: t.User}, nil
	}
	go p.builds.prepare()
	sh, err := p.dialSSH(t)
	if err != nil {
		return nil, &Unreachable{t.Host, fmt.Errorf("Failed to connect to the host via ssh: %w", err)}
	}
	return sh, nil
}

func (p *Pool) conn(t Target, sh shell) (Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.conns[t].(*remote); ok && c.shell == sh && !c.dead() {
		return c, nil
	}
	c := newRemote(p, t, sh)
	p.conns[t] = c
	return c, nil
}

// Reset ends what connects to a host, so that the next Get connects anew.
func (p *Pool) Reset(t Target) {
	key := t.login()
	p.mu.Lock()
	l := p.shells[key]
	delete(p.shells, key)
	var ended []*remote
	for other, c := range p.conns {
		if other.login() == key {
			if r, ok := c.(*remote); ok {
				ended = append(ended, r)
			}
			delete(p.conns, other)
		}
	}
	p.mu.Unlock()
	closeAll(ended)
	if l != nil && l.ready() {
		l.value.close()
	}
}

// Leave ends what runs on a host as a become user and has nothing to do, so
// that the user can be removed there.
func (p *Pool) Leave(t Target, user string) {
	p.mu.Lock()
	var idle []*remote
	for other, c := range p.conns {
		r, ok := c.(*remote)
		there := other.Transport == t.Transport && other.Host == t.Host && other.Port == t.Port
		if ok && there && other.Become.Method != "" && other.Become.User == user {
			idle = append(idle, r)
		}
	}
	p.mu.Unlock()
	for _, r := range idle {
		r.rest()
	}
}

// Close ends all connections.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	shells, conns := p.shells, p.conns
	p.shells, p.conns = map[Target]*lazy[shell]{}, map[Target]Conn{}
	p.mu.Unlock()
	var ended []*remote
	for _, c := range conns {
		if r, ok := c.(*remote); ok {
			ended = append(ended, r)
		}
	}
	closeAll(ended)
	for _, l := range shells {
		if l.ready() {
			l.value.close()
		}
	}
	p.local.Close()
}

func closeAll(conns []*remote) {
	var all sync.WaitGroup
	for _, c := range conns {
		all.Go(c.close)
	}
	all.Wait()
}

func (p *Pool) warn(format string, args ...any) {
	if p.opts.Warn != nil {
		p.opts.Warn(fmt.Sprintf(format, args...))
	}
}

var errNobody = errors.New("there is nobody to ask")

func (p *Pool) ask(question string, secret bool) (string, error) {
	if p.opts.Prompt == nil {
		return "", errNobody
	}
	p.asking.Lock()
	defer p.asking.Unlock()
	return p.opts.Prompt(question, secret)
}

// connectTimeout is the Target's, or Ansible's default.
func (t Target) connectTimeout() time.Duration {
	if t.Timeout > 0 {
		return t.Timeout
	}
	return 10 * time.Second
}

// configFile is an ssh_config, read once.
type configFile struct {
	once   sync.Once
	config *ssh_config.Config
	err    error
}

// lazy is a value that the first who needs it makes and all share.
type lazy[T any] struct {
	make  func() (T, error)
	once  sync.Once
	done  chan struct{}
	value T
	err   error
}

func newLazy[T any](f func() (T, error)) *lazy[T] {
	return &lazy[T]{make: f, done: make(chan struct{})}
}

func (l *lazy[T]) get(ctx context.Context) (T, error) {
	go l.once.Do(func() {
		l.value, l.err = l.make()
		close(l.done)
	})
	select {
	case <-l.done:
		return l.value, l.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (l *lazy[T]) finished() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

func (l *lazy[T]) ready() bool  { return l.finished() && l.err == nil }
func (l *lazy[T]) failed() bool { return l.finished() && l.err != nil }
