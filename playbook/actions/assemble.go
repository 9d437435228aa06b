package actions

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"gplay/jinja"
)

var assemble = &Action{Name: "assemble", Module: true, Run: runAssemble}

// runAssemble puts fragments of the controller together and lets copy's
// module write them.
func runAssemble(ctx context.Context, c *Call) (*jinja.Dict, error) {
	if c.Check {
		return jinja.NewDict("changed", false, "skipped", true, "msg", "check mode is not supported for this task."), nil
	}
	if c.text("src") == "" || c.text("dest") == "" {
		return nil, fmt.Errorf("src and dest are required")
	}
	remote, err := c.bool("remote_src", true)
	if err != nil || remote {
		return c.Module(ctx, "assemble", c.Args, nil)
	}
	dir, err := c.find("files", c.text("src"))
	if err != nil {
		return nil, err
	}
	text, err := c.fragments(dir)
	if err != nil {
		return nil, err
	}
	return c.copyText(ctx, text, "", with(c.Args, []string{"src", "remote_src", "regexp", "delimiter", "ignore_hidden", "decrypt"}))
}

func (c *Call) fragments(dir string) (string, error) {
	wanted, err := regexp.Compile(c.text("regexp"))
	if err != nil {
		return "", fmt.Errorf("regexp: %w", err)
	}
	skipHidden, err := c.bool("ignore_hidden", false)
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("Source (%s) is not a directory", dir)
	}
	delimiter := strings.ReplaceAll(c.text("delimiter"), `\n`, "\n")
	var b strings.Builder
	for _, e := range entries {
		hidden := skipHidden && strings.HasPrefix(e.Name(), ".")
		if e.IsDir() || hidden || !wanted.MatchString(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		data, encrypted, err := c.decrypted(path)
		if err == nil && !encrypted {
			var plain []byte
			plain, err = os.ReadFile(path)
			data = string(plain)
		}
		if err != nil {
			return "", err
		}
		if b.Len() > 0 {
			if !strings.HasSuffix(b.String(), "\n") {
				b.WriteByte('\n')
			}
			if b.WriteString(delimiter); delimiter != "" && !strings.HasSuffix(delimiter, "\n") {
				b.WriteByte('\n')
			}
		}
		b.WriteString(data)
	}
	return b.String(), nil
}
