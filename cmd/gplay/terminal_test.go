package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// typing is what somebody at the terminal types: a line when they see a prompt,
// or keys when the program reads these one by one. Ansible's worker may show
// its prompt only afterwards.
type typing struct{ prompt, answer, keys string }

// screen is what somebody at the terminal sees.
type screen struct {
	mu    sync.Mutex
	shown bytes.Buffer
	seen  int // how much of it was answered
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.Write(p)
}

// prompts reports whether the prompt has come since the last answer.
func (s *screen) prompts(prompt string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := strings.Index(s.shown.String()[s.seen:], prompt)
	if i >= 0 {
		s.seen += i + len(prompt)
	}
	return i >= 0
}

// atTerminal runs cmd with a terminal of its own. Standard output goes to the
// screen as well as to out.
func atTerminal(cmd *exec.Cmd, out io.Writer, typed []typing) error {
	tty, stdin, err := pty.Open()
	if err != nil {
		return err
	}
	defer tty.Close()
	s := &screen{}
	cmd.Stdin, cmd.Stdout = stdin, io.MultiWriter(out, s)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	stdin.Close()
	go io.Copy(s, tty)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for _, t := range typed {
		for !s.prompts(t.prompt) {
			select {
			case err := <-ended:
				return fmt.Errorf("it ended without asking %q (%v):\n%s", t.prompt, err, s.shown.String())
			case <-time.After(5 * time.Millisecond):
			}
		}
		for t.keys != "" && !readsKeys(tty) {
			time.Sleep(5 * time.Millisecond)
		}
		// getpass throws away what is typed before it is ready.
		time.Sleep(50 * time.Millisecond)
		answer := t.answer + "\n"
		if t.keys != "" || t.answer == "^C" {
			answer = keyNames.Replace(t.keys + t.answer)
		}
		if _, err := io.WriteString(tty, answer); err != nil {
			return err
		}
	}
	return <-ended
}

var keyNames = strings.NewReplacer("^C", "\x03", "^?", "\x7f", "^M", "\r")

// readsKeys reports whether the program at the terminal reads key by key.
func readsKeys(tty *os.File) bool {
	mode, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	return err != nil || mode.Lflag&unix.ICANON == 0
}
