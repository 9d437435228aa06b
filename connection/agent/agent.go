// Package agent runs modules on a host for a controller at the other end of
// a channel. Both ends are here: Client is the controller's, Serve the host's.
package agent

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"gplay/modules"
)

// Call is one module to run.
type Call struct {
	Module      string // its canonical name
	Args        map[string]any
	Check, Diff bool
	Environment map[string]string
	Dir         string // the working directory; "" is where a login begins
	// FindPython puts the path of the host's Python into the result, as
	// PythonKey, where there is one.
	FindPython bool
	// Files are what the module may ask for, by name.
	Files map[string]File
	// Timeout ends the module; 0 is none.
	Timeout time.Duration
	// Async lets the module run on by itself for at most this long, and
	// returns at once with ansible_job_id. 0 waits for it.
	Async time.Duration
}

// PythonKey is what a result names the host's Python by, for a call that asks.
const PythonKey = "_python"

// File is a file on the controller that a module may read (Open) or write
// (Create) while it runs. Small ones are read in advance and sent with the
// call, so Open may be called for nothing, and twice.
type File struct {
	Open   func() (io.ReadCloser, error)
	Create func() (io.WriteCloser, error)
}

// Runner runs a module in this process: what the modules package offers, or a
// test's own.
type Runner func(ctx context.Context, call Call, c modules.Controller) map[string]any

// Local runs calls on this machine.
type Local struct {
	run  Runner
	kids children
}

// NewLocal runs modules by run, in this process, and in children of it for
// calls with an environment or a directory of their own.
func NewLocal(run Runner) *Local { return &Local{run: run} }

// Close ends the children.
func (l *Local) Close() { l.kids.close() }

// Module runs a module; it is as Client.Module, without the way there.
func (l *Local) Module(ctx context.Context, call Call) (map[string]any, error) {
	result := l.do(ctx, call, offered(call.Files))
	return result, ctx.Err()
}

func (l *Local) do(ctx context.Context, call Call, c modules.Controller) map[string]any {
	if call.Async > 0 {
		return startJob(call)
	}
	ctx, done := limit(ctx, call.Timeout)
	defer done()
	result := l.ending(ctx, call, c)
	if call.Timeout > 0 && ctx.Err() == context.DeadlineExceeded {
		return failure("The %s action failed to execute in the expected time frame (%v) and was terminated", call.Module, call.Timeout.Seconds())
	}
	return result
}

// stopWait is how long a module may take to end when it is told to. One that
// waits for a device or a dead file system never does.
const stopWait = 5 * time.Second

func (l *Local) ending(ctx context.Context, call Call, c modules.Controller) map[string]any {
	ended := make(chan map[string]any, 1)
	go func() { ended <- l.place(ctx, call, c) }()
	select {
	case result := <-ended:
		return result
	case <-ctx.Done():
	}
	select {
	case result := <-ended:
		return result
	case <-time.After(stopWait):
		return failure("module %s did not end when it was told to: it waits for a file or device that does not answer", call.Module)
	}
}

// place runs a call where its environment and directory are right.
func (l *Local) place(ctx context.Context, call Call, c modules.Controller) map[string]any {
	if len(call.Environment) == 0 && call.Dir == "" {
		return l.run(ctx, call, c)
	}
	child, err := l.kids.get(call.Environment, call.Dir)
	if err != nil {
		return failure("%v", err)
	}
	call.Environment, call.Dir, call.Timeout = nil, "", 0
	result, err := child.relay(ctx, call, c)
	if err != nil {
		return failure("the process of module %s ended: %v", call.Module, err)
	}
	return result
}

func limit(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout > 0 {
		return context.WithTimeout(ctx, timeout)
	}
	return ctx, func() {}
}

func failure(format string, args ...any) map[string]any {
	return map[string]any{"failed": true, "changed": false, "msg": fmt.Sprintf(format, args...)}
}

// offered is the Controller of files in this process.
type offered map[string]File

func (o offered) Open(name string) (io.ReadCloser, error) {
	if f := o[name]; f.Open != nil {
		return f.Open()
	}
	return nil, notOffered(name)
}

func (o offered) Create(name string) (io.WriteCloser, error) {
	if f := o[name]; f.Create != nil {
		return f.Create()
	}
	return nil, notOffered(name)
}

func notOffered(name string) error {
	return fmt.Errorf("the task offers no file %q", name)
}

// executable is this program, also when its file was replaced or removed.
func executable() (string, error) {
	if _, err := os.Stat("/proc/self/exe"); err == nil {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}
