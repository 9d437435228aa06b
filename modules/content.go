package modules

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"gplay/modules/host"
)

var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224,
	"sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// fileHash is a file's checksum in hexadecimal.
func fileHash(r host.Reader, p, algorithm string) (string, error) {
	f, err := r.Open(p)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := hashes[algorithm]()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func dataHash(algorithm string, data []byte) string {
	h := hashes[algorithm]()
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// hashing reads on, and keeps the SHA-1 and MD5 of what it read.
type hashing struct {
	io.Reader
	sha1, md5 hash.Hash
}

func newHashing(r io.Reader) *hashing {
	h := &hashing{sha1: sha1.New(), md5: md5.New()}
	h.Reader = io.TeeReader(r, io.MultiWriter(h.sha1, h.md5))
	return h
}

// verified fails at its end when what was read has another SHA-1.
type verified struct {
	*hashing
	want string
}

func (v verified) Read(p []byte) (int, error) {
	n, err := v.hashing.Read(p)
	if err == io.EOF && v.want != "" {
		if got := hex.EncodeToString(v.sha1.Sum(nil)); got != v.want {
			return n, Fail("Copied file does not match the expected checksum. Transfer failed.",
				Result{"checksum": got, "expected_checksum": v.want})
		}
	}
	return n, err
}

// backup keeps a copy of a file beside it, and gives the copy's path.
func backup(c *Call, w host.Writer, p string) (string, error) {
	info, err := c.Stat(p)
	if err != nil {
		return "", err
	}
	copied := fmt.Sprintf("%s.%d.%s~", p, os.Getpid(), time.Now().Format("2006-01-02@15:04:05"))
	from, err := c.Open(p)
	if err != nil {
		return "", err
	}
	defer from.Close()
	if err := w.WriteFile(copied, from, host.Attr{UID: info.UID, GID: info.GID, Mode: info.Perm()}); err != nil {
		return "", fmt.Errorf("Could not make backup of %s to %s: %w", p, copied, err)
	}
	return copied, w.Chtimes(copied, info.Atime, info.ModTime())
}

// replacement is a file's new content.
type replacement struct {
	path     string
	attr     host.Attr
	backup   bool   // keep a copy of what was there
	validate string // a command that must accept the content; %s is its file
	// invalid words the failure of validate.
	invalid func(out host.Output) error
}

// write puts data in place, and gives the backup's path when one was made.
func (r replacement) write(ctx context.Context, c *Call, w host.Writer, data io.Reader) (copied string, err error) {
	if r.validate != "" {
		tmp, err := r.validated(ctx, c, w, data)
		if tmp != "" {
			defer w.RemoveAll(path.Dir(tmp))
		}
		if err != nil {
			return "", err
		}
		f, err := c.Open(tmp)
		if err != nil {
			return "", err
		}
		defer f.Close()
		data = f
	}
	if r.backup {
		if _, err := c.Stat(r.path); err == nil {
			if copied, err = backup(c, w, r.path); err != nil {
				return "", err
			}
		}
	}
	return copied, w.WriteFile(r.path, data, r.attr)
}

// validated runs validate on data in a directory that only this user can
// read, and gives the file.
func (r replacement) validated(ctx context.Context, c *Call, w host.Writer, data io.Reader) (string, error) {
	if !strings.Contains(r.validate, "%s") {
		return "", fmt.Errorf("validate must contain %%s: %s", r.validate)
	}
	dir := path.Join(tempDir(c), ".gplay-"+rand.Text())
	if err := w.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	tmp := path.Join(dir, path.Base(r.path))
	if err := w.WriteFile(tmp, data, r.attr); err != nil {
		return tmp, err
	}
	words, err := splitWords(strings.ReplaceAll(r.validate, "%s", quoteWord(tmp)))
	if err != nil {
		return tmp, err
	}
	out, err := w.Run(ctx, host.Command(words...))
	if err != nil {
		return tmp, err
	}
	if out.Code != 0 {
		return tmp, r.invalid(out)
	}
	return tmp, nil
}

// invalidContent is how copy and its like word a failed validation.
func invalidContent(out host.Output) error {
	return Fail("failed to validate", Result{"exit_status": out.Code, "stdout": string(out.Stdout), "stderr": string(out.Stderr)})
}

// shown is a file's content for a diff; "" for none.
func shownContent(r host.Reader, p string) any {
	info, err := r.Stat(p)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return ""
	}
	if err == nil && info.Size() > MaxDiff {
		return Unshown{Larger: true}
	}
	data, err := r.ReadFile(p)
	if err != nil {
		return Unshown{}
	}
	return Content(data)
}
