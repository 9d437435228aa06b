// Package connection reaches hosts: over SSH, on this machine, or in a
// container, as any user, and runs modules there.
package connection

import (
	"context"
	"io"
	"time"

	"gplay/connection/agent"
)

// Conn runs modules and commands on one host as one user. Its methods may be
// called at the same time.
type Conn interface {
	// Module runs a module there, in one round trip unless it asks for a large
	// file. A module that fails returns a result with "failed": true and no
	// error. An error is *Unreachable, ctx's, or a reason why no module can run
	// there (*NoAgent, become refused …), which is the task's failure.
	Module(ctx context.Context, call Call) (map[string]any, error)
	// Exec runs a command line in the user's shell without any help of
	// gplay's on the host, for raw. Its errors are as Module's.
	Exec(ctx context.Context, command string, stdin io.Reader) (code int, stdout, stderr []byte, err error)
	// Upload puts a program there by SFTP, for a host without an agent: at a
	// path that only this user and root can write and the become user can read,
	// in a directory that remove takes away. Only SSH has SFTP.
	Upload(ctx context.Context, name string, content io.Reader) (path string, remove func() error, err error)
}

// Call is one module to run.
type Call = agent.Call

// PythonKey is what a result names the host's Python by, for a call that asks.
const PythonKey = agent.PythonKey

// File is a file on the controller that a module may read or write.
type File = agent.File

// Target says which host to reach, and how. Two equal Targets share a Conn.
type Target struct {
	Transport string // ssh, local, docker
	Host      string // address or name to connect to
	Port      int    // 0: ssh_config's, else 22
	User      string // "": ssh_config's, else the current one
	Password  string
	KeyFile   string // ansible_ssh_private_key_file
	SSHArgs   string // ssh_common_args and ssh_extra_args: the -o, -F, -J and -i that apply
	// HostKeyChecking: "true" verifies against known_hosts, "accept-new" takes
	// new keys, "false" takes any.
	HostKeyChecking string
	Timeout         time.Duration // to connect, and to become
	Become          Become
}

// Become is another user to be on the host; the zero value is none.
type Become struct {
	Method   string // sudo, su, doas; "" is none
	User     string // "" is root
	Password string
	Flags    string // "" is the method's usual ones
	Exe      string
}

// Unreachable is the error of a host that cannot be reached, or no longer.
type Unreachable struct {
	Host string
	Err  error
}

func (u *Unreachable) Error() string { return u.Err.Error() }
func (u *Unreachable) Unwrap() error { return u.Err }

// NoAgent is the error of a host where gplay's agent cannot be: there is none
// for its processor, or no place takes it and lets it run.
type NoAgent struct{ Err error }

func (n *NoAgent) Error() string { return n.Err.Error() }
func (n *NoAgent) Unwrap() error { return n.Err }

// Refused is the error of a become that the host refuses.
type Refused struct {
	Msg string

	terminal bool // one would help
}

func (r *Refused) Error() string { return r.Msg }
