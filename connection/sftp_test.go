package connection

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// strange is a host that no gplay is built for.
func strange(t *testing.T) *server {
	s, _ := login(t)
	sudo := "#!/bin/sh\nwhile [ \"$1\" != /bin/sh ]; do shift; done; exec \"$@\"\n"
	s.env = []string{"PATH=" + folder(t, nil, map[string]string{"uname": "#!/bin/sh\necho Minix pdp11", "sudo": sudo}) + ":" + os.Getenv("PATH")}
	return s
}

func TestUpload(t *testing.T) {
	for name, test := range map[string]struct {
		become    Become
		dir, file os.FileMode
	}{
		"login user":       {Become{}, 0o700, 0o700},
		"root":             {Become{Method: "sudo"}, 0o700, 0o700},
		"root by name":     {Become{Method: "sudo", User: "root"}, 0o700, 0o700},
		"another one":      {Become{Method: "sudo", User: "joe"}, 0o711, 0o755},
		"no become at all": {Become{User: "joe"}, 0o700, 0o700},
	} {
		t.Run(name, func(t *testing.T) {
			target := strange(t).target()
			target.Become = test.become
			c := connect(t, newPool(t, Options{}), target)
			_, err := c.Module(t.Context(), Call{Module: "ping"})
			var none *NoAgent
			if !errors.As(err, &none) {
				t.Fatalf("a module gave %v", err)
			}
			path, remove, err := c.Upload(t.Context(), "a b.sh", strings.NewReader("echo \"$0: $1\"; exit 4"))
			if err != nil {
				t.Fatal(err)
			}
			inner := filepath.Dir(path)
			for p, want := range map[string]os.FileMode{path: test.file, inner: os.ModeDir | test.dir, filepath.Dir(inner): os.ModeDir | test.dir} {
				if info, err := os.Stat(p); err != nil || info.Mode() != want {
					t.Errorf("%s is %v %v, want %v", p, info, err, want)
				}
			}
			code, stdout, _, err := c.Exec(t.Context(), quote(path)+" x", nil)
			if code != 4 || string(stdout) != path+": x\n" || err != nil {
				t.Errorf("it gave %d %q %v", code, stdout, err)
			}
			if err := remove(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Dir(inner)); !os.IsNotExist(err) {
				t.Errorf("it left its directory: %v", err)
			}
		})
	}
}

func TestFailedUpload(t *testing.T) {
	s := strange(t)
	c := connect(t, newPool(t, Options{}), s.target())
	before, _ := filepath.Glob(uploads + "*")
	broken := errors.New("broken")
	if _, _, err := c.Upload(t.Context(), "x", readFunc(func([]byte) (int, error) { return 0, broken })); !errors.Is(err, broken) {
		t.Errorf("a file that cannot be read gave %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := c.Upload(ctx, "x", readFunc(func([]byte) (int, error) { cancel(); return 0, io.EOF }))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an upload that is given up gave %v", err)
	}
	after, _ := filepath.Glob(uploads + "*")
	left := func() []string { // what other tests upload goes by itself
		return slices.DeleteFunc(after, func(dir string) bool {
			_, err := os.Stat(dir)
			return err != nil || slices.Contains(before, dir)
		})
	}
	for range 100 {
		if after = left(); len(after) == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if len(after) > 0 {
		t.Errorf("left over: %v", after)
	}
	s.noSFTP = true
	if _, _, err := c.Upload(t.Context(), "x", strings.NewReader("")); err == nil || !strings.Contains(err.Error(), "has no SFTP: see Subsystem") {
		t.Errorf("a host without SFTP gave %v", err)
	}
}
