package modules

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gplay/modules/host"
)

// TestSymbolicModes does what chmod does.
func TestSymbolicModes(t *testing.T) {
	dir := t.TempDir()
	for _, isDir := range []bool{false, true} {
		for _, old := range []int{0o644, 0o755, 0o600, 0o421, 0o000, 0o7777} {
			for _, mode := range []string{
				"u=rwX,g=rX,o=", "a+x", "go-rwx", "u+s", "g+s", "o+t", "a=r", "u=g", "g=u,o=g", "ug+w,o-r", "+x", "u+rw-x", "g=rws", "0711", "u-s,g-s", "=r",
			} {
				p := filepath.Join(dir, "f")
				if err := makeWith(p, isDir, old); err != nil {
					t.Fatal(err)
				}
				out, err := exec.Command("sh", "-c", fmt.Sprintf("umask 022; chmod -- %s %s", mode, p)).CombinedOutput()
				if err != nil {
					t.Fatalf("%s: %s", err, out)
				}
				info, err := os.Lstat(p)
				if err != nil {
					t.Fatal(err)
				}
				m, err := ParseMode(mode)
				if err != nil {
					t.Fatal(err)
				}
				want, got := host.UnixMode(info.Mode()), m.Apply(old, isDir, 0o022)
				if isDir {
					// GNU chmod keeps a directory's setuid and setgid unless they are named.
					want, got = want&^0o6000, got&^0o6000
				}
				if got != want {
					t.Errorf("%04o %s (directory: %v) is %04o, want %04o", old, mode, isDir, got, want)
				}
				if err := os.RemoveAll(p); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func makeWith(p string, isDir bool, mode int) error {
	var err error
	if isDir {
		err = os.Mkdir(p, 0o700)
	} else {
		err = os.WriteFile(p, nil, 0o600)
	}
	if err != nil {
		return err
	}
	return os.Chmod(p, host.FileMode(mode))
}

func TestParseMode(t *testing.T) {
	for _, test := range []struct {
		value any
		want  int
	}{
		{"0644", 0o644}, {"644", 0o644}, {"0o755", 0o755}, {"1777", 0o1777}, {420, 0o644}, {int64(493), 0o755},
	} {
		m, err := ParseMode(test.value)
		if err != nil || m.Apply(0, false, 0) != test.want {
			t.Errorf("%v is %04o, %v, want %04o", test.value, m.Apply(0, false, 0), err, test.want)
		}
	}
	for _, bad := range []any{"u+q", "z=r", "rwx", "u=r,,g=r", []any{}, -1, 1.5} {
		if _, err := ParseMode(bad); err == nil {
			t.Errorf("%v is no mode, and was taken", bad)
		}
	}
}
