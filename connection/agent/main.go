package agent

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// lastWait is how long modules have to end after they were told to.
const lastWait = 5 * time.Second

// Asked says whether arguments of gplay (without its own name) are for Main:
// a playbook or a host may be called "agent" as well.
func Asked(args []string) bool {
	return len(args) >= 2 && args[0] == "agent" && (args[1] == "serve" || args[1] == "install" || args[1] == "job")
}

// Main is `gplay agent`, which only gplay starts: with args
//
//	serve [GREETING]   greets, then speaks frames on stdin and stdout
//	install SUM PATH   checks this executable and moves it to PATH
//	job                runs the call on stdin by itself
func Main(args []string, run Runner) int {
	var err error
	switch {
	case len(args) >= 1 && args[0] == "serve":
		err = serveStdio(args[1:], run)
	case len(args) == 3 && args[0] == "install":
		err = install(args[1], args[2])
	case len(args) == 1 && args[0] == "job":
		err = job(os.Stdin, run)
	default:
		err = fmt.Errorf("gplay starts its agent itself; this command is not for people")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gplay agent:", err)
		return 1
	}
	return 0
}

func serveStdio(greeting []string, run Runner) error {
	// A write to a closed channel is an error here, and no signal.
	signal.Ignore(syscall.SIGPIPE)
	if len(greeting) > 0 {
		path, err := os.Executable()
		if err != nil {
			return err
		}
		if _, err := fmt.Printf("%s agent %s\n", greeting[0], path); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ended := make(chan error, 1)
	input := &endingReader{os.Stdin, make(chan struct{})}
	go func() { ended <- Serve(ctx, input, os.Stdout, run) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	case <-input.ended:
	}
	// A module that does not heed its context must not keep the agent here.
	select {
	case err := <-ended:
		return err
	case <-time.After(lastWait):
		return nil
	}
}

// endingReader says when its file ended.
type endingReader struct {
	f     *os.File
	ended chan struct{}
}

func (r *endingReader) Read(p []byte) (int, error) {
	n, err := r.f.Read(p)
	if err != nil {
		close(r.ended)
	}
	return n, err
}
