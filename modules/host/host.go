// Package host is a machine as modules see it: what can be read of it, and
// what can be changed.
package host

import (
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"time"
)

// Reader looks at a machine and changes nothing.
type Reader interface {
	Stat(path string) (Info, error)  // follows links
	Lstat(path string) (Info, error) // does not
	Open(path string) (io.ReadCloser, error)
	ReadFile(path string) ([]byte, error)
	ReadDir(path string) ([]Info, error) // sorted by name, as Lstat sees them
	// Entries is what ReadDir gives, in the order in which the directory has it.
	Entries(path string) ([]Info, error)
	Readlink(path string) (string, error)
	LookPath(program string) (string, error)
	// Ask runs a command that only reads. An exit code other than 0 is no
	// error: see Output.Code.
	Ask(ctx context.Context, cmd Cmd) (Output, error)
	UserID(nameOrID string) (int, error)
	GroupID(nameOrID string) (int, error)
	UserName(id int) string // the number where it has no name
	GroupName(id int) string
	Getenv(name string) (string, bool)
	Home(user string) (string, bool) // a user's home directory; "" is the current user
	Umask() int
	// Access reports what this user may do with a file.
	Access(path string) (read, write, execute bool)
}

// Writer changes a machine. A module gets one inside Call.Change only.
type Writer interface {
	// WriteFile puts data in place of path: written beside it under a hidden
	// temporary name with its final owner and mode, synced, then renamed.
	WriteFile(path string, data io.Reader, attr Attr) error
	Mkdir(path string, mode fs.FileMode) error
	Remove(path string) error // one file or an empty directory
	RemoveAll(path string) error
	Rename(from, to string) error
	Symlink(target, path string) error
	Link(target, path string) error
	Chmod(path string, mode fs.FileMode) error
	Lchown(path string, uid, gid int) error // -1 leaves one as it is
	Chtimes(path string, atime, mtime time.Time) error
	// Root opens a directory from which no name leads out, for what comes from
	// archives.
	Root(dir string) (*os.Root, error)
	// Run runs a command that may change things.
	Run(ctx context.Context, cmd Cmd) (Output, error)
}

// Info is what is known of a file.
type Info struct {
	fs.FileInfo
	UID, GID     int
	Inode, Dev   uint64
	Nlink        uint64
	Blocks       int64
	BlockSize    int64
	Rdev         uint64
	Atime, Ctime time.Time
}

// Perm is the permissions with setuid, setgid and sticky as in chmod(2).
func (i Info) Perm() int { return UnixMode(i.Mode()) }

// UnixMode is a mode's permission bits as in chmod(2).
func UnixMode(m fs.FileMode) int {
	bits := int(m.Perm())
	for flag, bit := range special {
		if m&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

// FileMode is Go's form of permission bits as in chmod(2).
func FileMode(bits int) fs.FileMode {
	m := fs.FileMode(bits & 0o777)
	for flag, bit := range special {
		if bits&bit != 0 {
			m |= flag
		}
	}
	return m
}

var special = map[fs.FileMode]int{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000}

// Attr is a file's owner and permissions as they are to be. Keep leaves the
// one that an existing file has, or the system's default for a new one.
type Attr struct {
	UID, GID int // Keep or an id
	Mode     int // Keep or permission bits with setuid, setgid and sticky as in chmod(2)
}

// Keep in an Attr leaves the value as it is.
const Keep = -1

// KeepAll leaves owner, group and mode as they are.
var KeepAll = Attr{Keep, Keep, Keep}

// Cmd is a command to run.
type Cmd struct {
	Args  []string // program and arguments; never read by a shell
	Dir   string
	Env   []string // KEY=VALUE, added to the environment
	Stdin io.Reader
}

// Command is a Cmd of its arguments.
func Command(args ...string) Cmd { return Cmd{Args: args} }

// Output is what a command did.
type Output struct {
	Code           int // the exit code; minus the signal's number when killed by one
	Stdout, Stderr []byte
	Truncated      bool // there was more than MaxOutput
}

// MaxOutput is how many bytes are kept of each of a command's two outputs.
const MaxOutput = 64 << 20

// ErrNotFound is in the error of Ask and Run when the program is not there.
var ErrNotFound = exec.ErrNotFound
