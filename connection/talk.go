package connection

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// talk is a script that runs on a host, as the become user, and says lines
// that begin with a word of its own. What else comes (a banner, what a
// profile prints, sudo's lecture) is kept for error messages.
type talk struct {
	proc   *process
	out    *bufio.Reader
	word   string
	become Become

	mu       sync.Mutex
	said     []byte
	answered bool
	err      error // why the script was killed
	stderr   sync.WaitGroup
}

// saidMax is how much of what a host says is kept.
const saidMax = 8 << 10

// startTalk runs script, which may use $n for the word. feed, when not empty,
// is a command whose output the script reads, after what is sent to it.
func startTalk(sh shell, become Become, terminal bool, script, feed string) (*talk, error) {
	t := &talk{word: nonce(), become: become}
	command := become.wrap("n="+t.word+"; "+script, t.prompt(), terminal)
	if feed != "" {
		command = feed + " | " + command
	}
	if become.Method != "" {
		command = "/bin/sh -c " + quote(command)
	}
	proc, err := sh.start("exec "+command, terminal)
	if err != nil {
		return nil, err
	}
	t.proc, t.out = proc, bufio.NewReaderSize(proc.stdout, 64<<10)
	if proc.stderr != nil {
		t.stderr.Go(t.listen)
	}
	return t, nil
}

func (t *talk) prompt() string { return "[" + t.word + "] password: " }

func (t *talk) listen() {
	buf := make([]byte, 4096)
	for {
		n, err := t.proc.stderr.Read(buf)
		t.hear(buf[:n])
		if err != nil {
			return
		}
	}
}

// hear takes what is no line of the script's, and answers a question for the
// password, once.
func (t *talk) hear(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said = append(t.said, p...)
	if over := len(t.said) - saidMax; over > 0 {
		t.said = t.said[over:]
	}
	if t.become.Method == "" || !t.become.asks(string(t.said), t.prompt()) {
		return
	}
	t.said = nil
	switch {
	case t.become.Password == "":
		t.stop(t.become.missing())
	case t.answered:
		t.stop(t.become.incorrect())
	default:
		t.answered = true
		io.WriteString(t.proc.stdin, t.become.Password+"\n")
	}
}

func (t *talk) stop(err error) {
	if t.err == nil {
		t.err = err
	}
	t.proc.stdin.Close()
	t.proc.kill()
}

// line waits for the script's next line, and gives it without the word.
// io.EOF is the script's end.
func (t *talk) line(ctx context.Context) (string, error) {
	stop := context.AfterFunc(ctx, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.stop(ctx.Err())
	})
	defer stop()
	var line []byte
	for {
		b, err := t.out.ReadByte()
		if err != nil {
			t.hear(line)
			return "", t.end(err)
		}
		line = append(line, b)
		switch {
		case b == '\n':
			if rest, ok := strings.CutPrefix(string(line), t.word+" "); ok {
				return strings.TrimSpace(rest), nil
			}
			t.hear(line)
			line = nil
		case t.proc.stderr == nil && b == ' ' && t.become.asks(string(line), t.prompt()):
			t.hear(line)
			line = nil
		}
	}
}

func (t *talk) end(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return t.err
	}
	return err
}

// last is what the host said besides the script's lines, when all was read.
func (t *talk) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ReplaceAll(string(t.said), "\r", ""))
}

// forget drops what the host said so far; what looks like a question from now
// on is the command's own.
func (t *talk) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said, t.become = nil, Become{}
}

// begin waits for the first line, and makes its absence an error to show.
func (t *talk) begin(host string, wait time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	line, err := t.line(ctx)
	if err == nil {
		return line, nil
	}
	var refused *Refused
	if errors.As(err, &refused) {
		return "", err
	}
	if ctx.Err() != nil {
		return "", t.silent(host, wait)
	}
	t.proc.stdin.Close()
	code, waitErr := t.proc.wait()
	t.stderr.Wait()
	switch {
	case waitErr != nil:
		return "", &Unreachable{host, fmt.Errorf("the connection to %s was closed: %w", host, waitErr)}
	case t.become.Method != "":
		return "", t.become.refused(host, t.last(), code)
	}
	return "", fmt.Errorf("the shell on %s ended with code %d: %s", host, code, t.last())
}

func (t *talk) silent(host string, wait time.Duration) error {
	if t.become.Method != "" {
		return &Refused{Msg: fmt.Sprintf("%s on %s did not answer within %v: %s", t.become.Method, host, wait, t.last())}
	}
	return &Unreachable{host, fmt.Errorf("the shell on %s did not answer within %v: %s", host, wait, t.last())}
}
