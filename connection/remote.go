package connection

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gplay/connection/agent"
)

// remote is one user on one host, by a shell and an agent.
type remote struct {
	pool   *Pool
	target Target
	shell  shell

	mu      sync.Mutex
	started *lazy[*session]
	calls   atomic.Int32 // of modules that run

	terminal atomic.Bool // become needs one
}

// session is an agent that runs.
type session struct {
	*agent.Client
	talk *talk
	path string // its executable there
}

func newRemote(p *Pool, t Target, sh shell) *remote {
	r := &remote{pool: p, target: t, shell: sh}
	r.terminal.Store(t.Become.terminal())
	return r
}

// agent gives the one that runs, or starts it.
func (r *remote) agent(ctx context.Context) (*session, error) {
	r.mu.Lock()
	l := r.started
	if l == nil || l.failed() {
		l = newLazy(r.launch)
		r.started = l
	}
	r.mu.Unlock()
	return l.get(ctx)
}

// dead says whether the agent, once started, has ended.
func (r *remote) dead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started == nil || !r.started.ready() {
		return false
	}
	select {
	case <-r.started.value.Done():
		return true
	default:
		return false
	}
}

func (r *remote) Module(ctx context.Context, call Call) (map[string]any, error) {
	r.calls.Add(1)
	defer r.calls.Add(-1)
	s, err := r.agent(ctx)
	if err != nil {
		return nil, err
	}
	result, err := s.Module(ctx, call)
	if err != nil && ctx.Err() == nil {
		return nil, r.lost(s, err)
	}
	return result, err
}

func (r *remote) lost(s *session, err error) error {
	text := fmt.Sprintf("lost the connection to %s: %v", r.target.Host, err)
	if !r.ended() {
		if said := s.talk.last(); said != "" {
			text += ": " + fault(said)
		}
	}
	return &Unreachable{r.target.Host, errors.New(text)}
}

// ended says whether the connection ended with the agent. What runs over it
// hears of its end a moment before it is known to have ended, and the next Get
// must not give it again.
func (r *remote) ended() bool {
	for range 10 {
		if r.shell.dead() {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

// fault is what an agent that broke down said, without its stack.
func fault(said string) string {
	if i := strings.Index(said, "panic: "); i >= 0 {
		said, _, _ = strings.Cut(said[i:], "\n")
	}
	return said
}

func (r *remote) Exec(ctx context.Context, command string, stdin io.Reader) (int, []byte, []byte, error) {
	if r.target.Become.Method != "" {
		return r.execAs(ctx, command, stdin)
	}
	proc, err := r.shell.start(command, false)
	if err != nil {
		return 0, nil, nil, &Unreachable{r.target.Host, err}
	}
	var stderr bytes.Buffer
	code, stdout, err := proc.run(ctx, stdin, proc.stdout, &stderr)
	return code, stdout, stderr.Bytes(), r.execError(ctx, err)
}

func (r *remote) execError(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return &Unreachable{r.target.Host, fmt.Errorf("lost the connection to %s: %w", r.target.Host, err)}
}

// execAs runs a command as the become user. Its stderr begins when become is
// done.
func (r *remote) execAs(ctx context.Context, command string, stdin io.Reader) (int, []byte, []byte, error) {
	t, _, err := r.begin(`echo "$n ready"; `+command, "")
	if err != nil {
		return 0, nil, nil, err
	}
	t.forget()
	code, stdout, err := t.proc.run(ctx, stdin, t.out, nil)
	t.stderr.Wait()
	return code, stdout, t.said, r.execError(ctx, err)
}

// begin starts a script and waits for its first line. A sudo that insists on a
// terminal gets one.
func (r *remote) begin(script, feed string) (*talk, string, error) {
	terminal := r.terminal.Load()
	t, err := startTalk(r.shell, r.target.Become, terminal, script, feed)
	if err != nil {
		return nil, "", &Unreachable{r.target.Host, err}
	}
	line, err := t.begin(r.target.Host, r.patience())
	var refused *Refused
	if _, ssh := r.shell.(*sshShell); ssh && !terminal && errors.As(err, &refused) && refused.terminal {
		r.terminal.Store(true)
		return r.begin(script, feed)
	}
	return t, line, err
}

// patience is how long a shell may take to begin.
func (r *remote) patience() time.Duration { return r.target.connectTimeout() + 20*time.Second }

func (r *remote) close() {
	r.mu.Lock()
	l := r.started
	r.started = nil
	r.mu.Unlock()
	if l != nil && l.ready() {
		l.value.hangUp()
	}
}

// rest ends the agent, and what it was started by, if no module runs. The next
// one starts another.
func (r *remote) rest() {
	r.mu.Lock()
	l := r.started
	if l == nil || !l.ready() || r.calls.Load() > 0 {
		r.mu.Unlock()
		return
	}
	r.started = nil
	r.mu.Unlock()
	l.value.hangUp()
	gone := make(chan struct{})
	go func() {
		l.value.talk.stderr.Wait()
		l.value.talk.proc.wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(closeWait):
	}
}

func (s *session) hangUp() {
	s.HangUp(s.talk.proc.stdin)
	select {
	case <-s.Done():
	case <-time.After(closeWait):
		s.talk.proc.kill()
	}
}

// closeWait is how long an agent has to end what runs.
const closeWait = 6 * time.Second

// launch starts the agent, and puts it there first where it is not.
func (r *remote) launch() (*session, error) {
	p := ownPlatform
	for range 3 {
		b, err := r.pool.builds.get(p)
		if err != nil {
			return nil, err
		}
		s, need, err := r.start(b, p)
		if err != nil || s != nil {
			return s, err
		}
		there, err := platformOf(need.uname)
		if err != nil {
			return nil, err
		}
		if there == p {
			if err := r.upload(b, need); err != nil {
				return nil, err
			}
		}
		p = there
	}
	return nil, &NoAgent{fmt.Errorf("gplay's agent was put on %s but is not found there", r.target.Host)}
}

// need is what a host says that has no agent.
type need struct {
	uname string
	gzip  bool
}

// places are where a host may keep the agent, in shell's words. The first
// that exists and is the user's own is taken.
var places = []string{`"$HOME/.cache/gplay"`, `"/var/tmp/gplay-$(id -u)"`, `"/tmp/gplay-$(id -u)"`, `"/dev/shm/gplay-$(id -u)"`}

// launchScript needs w (what uname may say), a (the agent's name) and x (a path
// to try first). An agent that cannot be executed where it is (noexec) gives
// 126 or 127.
const launchScript = `u=$(uname -sm); ` +
	`r() { [ -x "$1" ] || return 0; "$1" agent serve $n; c=$?; [ $c = 126 ] || [ $c = 127 ] || exit $c; }; ` +
	`o() { [ -d "$1" ] && [ -O "$1" ] && { [ -L "$1" ] || r "$1/$a"; }; }; ` +
	`case "$w" in *"/$u/"*) [ -z "$x" ] || r "$x"; %s;; esac; ` +
	`z=plain; command -v gzip >/dev/null 2>&1 && z=gzip; echo "$n need $z $u"`

func (r *remote) start(b *build, p platform) (*session, *need, error) {
	sum, err := b.sum()
	if err != nil {
		return nil, nil, err
	}
	var own string
	if r.target.Transport == "local" {
		own = b.path
	}
	tries := make([]string, len(places))
	for i, place := range places {
		tries[i] = "o " + place
	}
	script := fmt.Sprintf("w=%s; a=%s; x=%s; ", quote("/"+strings.Join(p.unames(), "/")+"/"), agent.Name(sum), quote(own)) +
		fmt.Sprintf(launchScript, strings.Join(tries, "; "))
	t, line, err := r.begin(script, "")
	if err != nil {
		return nil, nil, err
	}
	what, rest, _ := strings.Cut(line, " ")
	if what == "agent" {
		return &session{agent.NewClient(t.out, t.proc.stdin), t, rest}, nil, nil
	}
	t.proc.stdin.Close()
	pack, uname, _ := strings.Cut(rest, " ")
	return nil, &need{uname, pack == "gzip"}, nil
}

// uploadScript needs a (the agent's name), s (its hash), d (the place) and p
// (the command that unpacks).
const uploadScript = `umask 077; t="$d/.$a.$$"; ` +
	`f() { set -f; echo "$n failed $d:" $1; exit 1; }; ` +
	`m=$(mkdir -p "$d" 2>&1) || f "$m"; ` +
	`[ -L "$d" ] && f "it is a link"; [ -O "$d" ] || f "it belongs to somebody else"; ` +
	`trap "rm -f \"$t\"; rmdir \"$d\" 2>/dev/null" 0; trap "exit 1" 1 2 13 15; set -C; echo "$n ready"; ` +
	`m=$({ $p >"$t"; } 2>&1) || f "$m"; chmod 700 "$t" || f "chmod fails"; ` +
	`m=$("$t" agent install $s "$d/$a" </dev/null 2>&1) || f "it does not run there: $m"; echo "$n done"`

// upload puts the agent in the first place that takes it.
func (r *remote) upload(b *build, n *need) error {
	sum, err := b.sum()
	if err != nil {
		return err
	}
	feed, err := r.source(b)
	if err != nil {
		return err
	}
	var content []byte
	unpack := "cat"
	if feed == "" {
		if n.gzip {
			unpack = "gzip -dc"
		}
		if content, err = b.content(n.gzip); err != nil {
			return err
		}
	}
	var reasons []string
	for _, place := range places {
		script := fmt.Sprintf("a=%s; s=%s; d=%s; p=%s; ", agent.Name(sum), sum, place, quote(unpack)) + uploadScript
		reason, err := r.put(script, feed, content)
		if err != nil || reason == "" {
			return err
		}
		reasons = append(reasons, reason)
	}
	return &NoAgent{fmt.Errorf("gplay's agent (%d MB) cannot be put on %s: %s", b.size>>20, r.target.Host, strings.Join(reasons, "; "))}
}

// source is a command that gives the agent on the host itself: it crosses the
// network once, and other users get a copy. "" where there is none.
func (r *remote) source(b *build) (string, error) {
	become := r.target.Become
	if become.Method == "" {
		return "", nil
	}
	path := b.path
	if r.target.Transport != "local" {
		c, err := r.pool.conn(r.target.login(), r.shell)
		if err != nil {
			return "", err
		}
		s, err := c.(*remote).agent(context.Background())
		if err != nil {
			return "", err
		}
		path = s.path
	}
	if r.terminal.Load() {
		return "cat " + quote(path), nil
	}
	// What comes first is the password, if it is asked for.
	return "cat - " + quote(path), nil
}

// put runs an upload script. reason is why the place does not take it.
func (r *remote) put(script, feed string, content []byte) (reason string, err error) {
	t, line, err := r.begin(script, feed)
	if err != nil {
		return "", err
	}
	if line == "ready" {
		// When the host stops reading, its next line says why.
		t.proc.stdin.Write(content)
		t.proc.stdin.Close()
		if line, err = t.line(context.Background()); err != nil {
			return "", &Unreachable{r.target.Host, fmt.Errorf("lost the connection to %s while gplay's agent was sent: %w", r.target.Host, err)}
		}
	}
	t.proc.stdin.Close()
	reason, _ = strings.CutPrefix(line, "failed ")
	if line == "done" {
		return "", nil
	}
	return reason, nil
}
