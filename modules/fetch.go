package modules

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"gplay/modules/host"
)

// Fetch sends a file of the host to the controller. The action says what it
// has already, and offers "dest" to write to.
var Fetch = define("fetch", "copy a file of the host to the controller", fetchArgs{
	FailOnMissing: true, ValidateChecksum: true,
}, fetch).
	gives("changed md5sum file dest remote_md5sum checksum remote_checksum")

type fetchArgs struct {
	Src              string `arg:"src" type:"path" required:"true" doc:"The file on the host."`
	Dest             string `arg:"dest" required:"true" doc:"The directory on the controller to save it below; with flat, the file."`
	Flat             bool   `arg:"flat" doc:"Save it as dest, not below dest/HOST/PATH."`
	FailOnMissing    bool   `arg:"fail_on_missing" doc:"Fail when the file is not there."`
	ValidateChecksum bool   `arg:"validate_checksum" doc:"Compare the checksums after the transfer."`

	Have string `arg:"_checksum" doc:"The SHA-1 of what the controller has; empty for nothing."`
}

func fetch(_ context.Context, c *Call, a fetchArgs) (Result, error) {
	if c.Check() {
		return Result{"skipped": true, "msg": "check mode not (yet) supported for this module"}, nil
	}
	info, err := c.Stat(a.Src)
	if fault := fetchFault(info, err); fault != "" {
		if a.FailOnMissing {
			return nil, errors.New(fault)
		}
		r := Result{"file": a.Src, "msg": fault}
		if err == nil {
			r["msg"] = fault + ", not transferring, ignored"
		}
		return r, nil
	}
	sum, err := fileHash(c, a.Src, "sha1")
	if err != nil {
		return nil, unreadable(a.Src, err)
	}
	c.elsewhere = true
	r := Result{"file": a.Src, "dest": a.Dest, "checksum": sum}
	if sum == a.Have {
		r["md5sum"], err = fileHash(c, a.Src, "md5")
		return r, err
	}
	delete(r, "file") // which Ansible names of what it has already
	err = c.Change(NoDiff, func(host.Writer) error { return a.send(c, r) })
	if err == nil && a.ValidateChecksum && r["checksum"] != sum {
		r["remote_checksum"] = sum
		return nil, Fail("checksum mismatch", r)
	}
	r["remote_checksum"], r["remote_md5sum"] = sum, nil
	return r, err
}

func fetchFault(info host.Info, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the remote file does not exist, not transferring, ignored"
	case err != nil:
		return err.Error()
	case info.IsDir():
		return "remote file is a directory, fetch cannot work on directories"
	case !info.Mode().IsRegular():
		return fmt.Sprintf("remote file %s is not a regular file", info.Name())
	}
	return ""
}

func (a fetchArgs) send(c *Call, r Result) error {
	from, err := c.Open(a.Src)
	if err != nil {
		return unreadable(a.Src, err)
	}
	defer from.Close()
	to, err := c.Controller.Create("dest")
	if err != nil {
		return err
	}
	h := newHashing(from)
	if _, err := io.Copy(to, h); err != nil {
		return fmt.Errorf("%s could not be fetched: %w", a.Src, err) // an unclosed file is not kept
	}
	r["checksum"], r["md5sum"] = hex.EncodeToString(h.sha1.Sum(nil)), hex.EncodeToString(h.md5.Sum(nil))
	return to.Close()
}
