package host_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gplay/modules/host"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWriteFileKeepsAndSets(t *testing.T) {
	l := &host.Local{Dir: t.TempDir()}
	path := filepath.Join(l.Dir, "f")
	write(t, path, "old", 0o604)
	if err := l.WriteFile("f", strings.NewReader("new"), host.KeepAll); err != nil {
		t.Fatal(err)
	}
	info, err := l.Stat("f")
	if err != nil || info.Perm() != 0o604 || read(t, path) != "new" {
		t.Errorf("got %04o %q, %v", info.Perm(), read(t, path), err)
	}
	if err := l.WriteFile("f", strings.NewReader(""), host.Attr{UID: host.Keep, GID: host.Keep, Mode: 0o4711}); err != nil {
		t.Fatal(err)
	}
	if info, err = l.Stat("f"); err != nil || info.Perm() != 0o4711 {
		t.Errorf("got %04o, %v", info.Perm(), err)
	}
}

func TestWriteFileReplacesLinks(t *testing.T) {
	l := &host.Local{Dir: t.TempDir()}
	write(t, filepath.Join(l.Dir, "f"), "old", 0o600)
	if err := os.Symlink("f", filepath.Join(l.Dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := l.WriteFile("link", strings.NewReader("new"), host.KeepAll); err != nil {
		t.Fatal(err)
	}
	if read(t, filepath.Join(l.Dir, "f")) != "old" || read(t, filepath.Join(l.Dir, "link")) != "new" {
		t.Error("the link was followed")
	}
}

// broken gives some data and then an error.
type broken struct{ given bool }

func (b *broken) Read(p []byte) (int, error) {
	if b.given {
		return 0, io.ErrUnexpectedEOF
	}
	b.given = true
	return copy(p, "half"), nil
}

func TestWriteFileLeavesNothingBehind(t *testing.T) {
	l := &host.Local{Dir: t.TempDir()}
	write(t, filepath.Join(l.Dir, "f"), "old", 0o600)
	err := l.WriteFile("f", &broken{}, host.KeepAll)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	onlyFile(t, l.Dir, "old")
}

func onlyFile(t *testing.T, dir, text string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || read(t, filepath.Join(dir, "f")) != text {
		t.Errorf("got %v", entries)
	}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func mount(t *testing.T, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	if err := syscall.Mount(source, target, kind, flags, data); err != nil {
		missing(t, "this test must be allowed to mount: "+err.Error())
	}
	t.Cleanup(func() { syscall.Unmount(target, syscall.MNT_DETACH) })
}

func TestWriteFileWithoutSpace(t *testing.T) {
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, "size=64k")
	l := &host.Local{Dir: dir}
	write(t, filepath.Join(dir, "f"), "old", 0o600)
	err := l.WriteFile("f", bytes.NewReader(make([]byte, 1<<20)), host.KeepAll)
	if err == nil || !strings.HasPrefix(err.Error(), "no space left to write "+dir+"/f") {
		t.Errorf("got %v", err)
	}
	onlyFile(t, dir, "old")
}

func TestWriteFileOverMountPoint(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "f"), "", 0o600)
	write(t, filepath.Join(other, "f"), "a longer old text", 0o600)
	mount(t, filepath.Join(other, "f"), filepath.Join(dir, "f"), "", syscall.MS_BIND, "")
	l := &host.Local{Dir: dir}
	if err := l.WriteFile("f", strings.NewReader("new"), host.KeepAll); err != nil {
		t.Fatal(err)
	}
	onlyFile(t, dir, "new")
	if got := read(t, filepath.Join(other, "f")); got != "new" {
		t.Errorf("the mounted file is %q", got)
	}
}

// TestAskEndsWhatItStarted has a grandchild that holds a named pipe open: the
// pipe's reader sees its end when the grandchild is gone.
func TestAskEndsWhatItStarted(t *testing.T) {
	l := &host.Local{Dir: t.TempDir()}
	pipe := filepath.Join(l.Dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	asked := make(chan error, 1)
	go func() {
		_, err := l.Ask(ctx, host.Command("sh", "-c", "(exec >pipe; echo up; sleep 600) & wait"))
		asked <- err
	}()
	r, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-asked; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("got %q, %v", rest, err)
	}
}

func TestAskSignal(t *testing.T) {
	l := &host.Local{}
	out, err := l.Ask(context.Background(), host.Command("sh", "-c", "echo out; echo err >&2; kill -15 $$"))
	if err != nil || out.Code != -15 || string(out.Stdout) != "out\n" || string(out.Stderr) != "err\n" {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestAskMissing(t *testing.T) {
	l := &host.Local{Env: []string{"PATH=/nowhere"}}
	if _, err := l.Ask(context.Background(), host.Command("sh")); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
