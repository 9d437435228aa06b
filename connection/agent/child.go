package agent

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// children are processes of this program that run modules with an environment
// or in a directory of their own: both belong to a whole process, and a module
// may read them anywhere. Each lives as long as its calls come.
type children struct {
	mu     sync.Mutex
	byKey  map[string]*child
	closed bool
}

type child struct {
	*Client
	cmd   *exec.Cmd
	close func() error
}

func (c *children) get(env map[string]string, dir string) (*child, error) {
	extra := assignments(env)
	key := dir + "\x00" + strings.Join(extra, "\x00")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, fmt.Errorf("the connection is closed")
	}
	if k := c.byKey[key]; k != nil && k.alive() {
		return k, nil
	}
	k, err := startChild(extra, dir)
	if err != nil {
		return nil, err
	}
	if c.byKey == nil {
		c.byKey = map[string]*child{}
	}
	c.byKey[key] = k
	return k, nil
}

func (c *children) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, k := range c.byKey {
		k.end()
	}
	c.byKey = nil
}

func assignments(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

func startChild(env []string, dir string) (*child, error) {
	exe, err := executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe, "agent", "serve")
	cmd.Env = append(os.Environ(), env...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		if dir != "" {
			if _, statErr := os.Stat(dir); statErr != nil {
				return nil, fmt.Errorf("the working directory: %w", statErr)
			}
		}
		return nil, err
	}
	return &child{NewClient(out, in), cmd, in.Close}, nil
}

func (k *child) alive() bool {
	select {
	case <-k.Done():
		return false
	default:
		return true
	}
}

// end closes the child's input, which ends it and what it started.
func (k *child) end() {
	k.close()
	select {
	case <-k.Done():
	case <-time.After(lastWait):
		k.cmd.Process.Kill()
	}
	k.cmd.Wait()
}
