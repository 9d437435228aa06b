package modules

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// Slurp reads a file of the host.
var Slurp = define("slurp", "read a file of the host", slurpArgs{}, slurp).
	gives("content source encoding")

type slurpArgs struct {
	Src string `arg:"src" alias:"path" type:"path" required:"true" doc:"The file."`
}

func slurp(_ context.Context, c *Call, a slurpArgs) (Result, error) {
	data, err := c.ReadFile(a.Src)
	if err != nil {
		return nil, unreadable(a.Src, err)
	}
	return Result{"content": base64.StdEncoding.EncodeToString(data), "source": a.Src, "encoding": "base64"}, nil
}

func unreadable(p string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("file not found: %s", p)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("file is not readable: %s", p)
	case errors.Is(err, syscall.EISDIR):
		return fmt.Errorf("source is a directory and must be a file: %s", p)
	}
	return fmt.Errorf("unable to slurp file: %w", err)
}
