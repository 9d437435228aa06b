package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"gplay/playbook/actions"
)

// keyboard opens the terminal at standard input, or is nil where nobody can
// type there: it is none, or gplay runs in the background.
func keyboard() func(echo bool) (actions.Keys, error) {
	fd := int(os.Stdin.Fd())
	front, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	if !term.IsTerminal(fd) || err != nil || front != unix.Getpgrp() {
		return nil
	}
	return func(echo bool) (actions.Keys, error) {
		before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return nil, err
		}
		raw := *before
		raw.Iflag &^= unix.BRKINT | unix.ICRNL | unix.INPCK | unix.ISTRIP | unix.IXON
		raw.Lflag &^= unix.ECHO | unix.ICANON | unix.IEXTEN | unix.ISIG
		if echo {
			raw.Lflag |= unix.ECHO
		}
		raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
		// What was typed before the question is no answer.
		if err := unix.IoctlSetTermios(fd, unix.TCSETSF, &raw); err != nil {
			return nil, err
		}
		return &keys{fd, before}, nil
	}
}

// keys is the terminal while it is read key by key.
type keys struct {
	fd     int
	before *unix.Termios
}

// Key waits for a key. The one that interrupts and the one that takes a
// character back are what they are on most terminals.
func (k *keys) Key(ctx context.Context) (byte, error) {
	fds := []unix.PollFd{{Fd: int32(k.fd), Events: unix.POLLIN}}
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := unix.Poll(fds, int((50 * time.Millisecond).Milliseconds()))
		if err != nil && err != unix.EINTR {
			return 0, err
		}
		if n <= 0 {
			continue
		}
		key := make([]byte, 1)
		if n, err := unix.Read(k.fd, key); err != nil || n == 0 {
			return 0, fmt.Errorf("nothing more can be read from the terminal: %w", io.ErrUnexpectedEOF)
		}
		switch key[0] {
		case k.before.Cc[unix.VINTR]:
			return actions.KeyInterrupt, nil
		case k.before.Cc[unix.VERASE]:
			return actions.KeyErase, nil
		}
		return key[0], nil
	}
}

// Line shows text in place of the line where the person types.
func (k *keys) Line(text string) {
	if term.IsTerminal(int(os.Stdout.Fd())) {
		fmt.Print("\r\x1b[K" + text)
	}
}

func (k *keys) Close() error { return unix.IoctlSetTermios(k.fd, unix.TCSETSW, k.before) }
