package modules

import (
	"context"
	"crypto/rand"
	"path"
	"strings"

	"gplay/modules/host"
)

// Tempfile makes a temporary file or directory.
var Tempfile = define("tempfile", "make a temporary file or directory", tempfileArgs{State: "file", Prefix: "ansible."}, tempfile).noCheck().
	gives("changed path")

type tempfileArgs struct {
	State  string `arg:"state" choices:"file,directory" doc:"What to make."`
	Path   string `arg:"path" type:"path" doc:"Where; the system's directory for it when not given."`
	Prefix string `arg:"prefix" doc:"What its name begins with."`
	Suffix string `arg:"suffix" doc:"What its name ends with."`
}

func tempfile(_ context.Context, c *Call, a tempfileArgs) (Result, error) {
	dir := a.Path
	if dir == "" {
		dir = tempDir(c)
	}
	p := path.Join(dir, a.Prefix+strings.ToLower(rand.Text()[:8])+a.Suffix)
	err := c.Change(NoDiff, func(w host.Writer) error {
		if a.State == "directory" {
			return w.Mkdir(p, 0o700)
		}
		return w.WriteFile(p, strings.NewReader(""), host.Attr{UID: host.Keep, GID: host.Keep, Mode: 0o600})
	})
	return Result{"path": p}, err
}
