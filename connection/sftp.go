package connection

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pkg/sftp"
)

// uploads is where Upload makes its directories.
const uploads = "/tmp/.gplay-"

// Upload makes two directories of random names, one in the other. They and the
// file are the login user's alone, and root may read them all the same. For
// another become user they may be passed but not listed, and the file may be
// read by who knows its path, since SFTP cannot give it away: that is nobody
// until the process list shows it. Others never may write it.
func (r *remote) Upload(ctx context.Context, name string, content io.Reader) (string, func() error, error) {
	sh, ok := r.shell.(*sshShell)
	if !ok {
		return "", nil, fmt.Errorf("connection %s has no SFTP", r.target.Transport)
	}
	dirMode, fileMode := os.FileMode(0o700), os.FileMode(0o700)
	if become := r.target.Become; become.Method != "" && become.User != "" && become.User != "root" {
		dirMode, fileMode = 0o711, 0o755
	}
	dir := uploads + rand.Text()
	inner := dir + "/" + rand.Text()
	path := inner + "/" + name
	remove := func() error {
		// ctx may have ended.
		ctx, cancel := context.WithTimeout(context.Background(), closeWait)
		defer cancel()
		return sh.sftp(ctx, func(c *sftp.Client) error { return c.RemoveAll(dir) })
	}
	err := sh.sftp(ctx, func(c *sftp.Client) error {
		for _, d := range []string{dir, inner} {
			err := c.Mkdir(d)
			if err == nil {
				err = c.Chmod(d, dirMode)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", d, err)
			}
		}
		return put(c, path, fileMode, content)
	})
	if err != nil {
		remove()
		if sh.dead() {
			err = &Unreachable{r.target.Host, err}
		}
		return "", nil, err
	}
	return path, remove, nil
}

func put(c *sftp.Client, path string, mode os.FileMode, content io.Reader) error {
	f, err := c.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	_, err = io.Copy(f, content)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// sftp gives do a client that works until ctx ends.
func (s *sshShell) sftp(ctx context.Context, do func(*sftp.Client) error) error {
	session, err := s.client.NewSession()
	if err != nil {
		return s.sessionError(err)
	}
	defer session.Close()
	stop := context.AfterFunc(ctx, func() { session.Close() })
	defer stop()
	in, errIn := session.StdinPipe()
	out, errOut := session.StdoutPipe()
	if err := errors.Join(errIn, errOut); err != nil {
		return err
	}
	if err := session.RequestSubsystem("sftp"); err != nil {
		return fmt.Errorf("%s has no SFTP: see Subsystem in its sshd_config", s.name)
	}
	c, err := sftp.NewClientPipe(out, in)
	if err == nil {
		err = do(c)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
