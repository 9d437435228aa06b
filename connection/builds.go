package connection

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"gplay/connection/agent"
)

// builds are the executables that hosts may get.
type builds struct {
	path func() (string, error)

	mu    sync.Mutex
	known map[platform]*build
}

// platform is a system and processor by Go's names.
type platform struct{ os, arch string }

var ownPlatform = platform{runtime.GOOS, runtime.GOARCH}

// build is one executable.
type build struct {
	path    string
	size    int64
	sum     func() (string, error)
	gzipped func() ([]byte, error)
}

func newBuilds(path string) *builds {
	b := &builds{known: map[platform]*build{}, path: os.Executable}
	if path != "" {
		b.path = func() (string, error) { return path, nil }
	}
	return b
}

// get finds the executable for a platform: this program, or
// gplay-OS-ARCH beside it.
func (b *builds) get(p platform) (*build, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.known[p]; known != nil {
		return known, nil
	}
	path, err := b.path()
	if err != nil {
		return nil, err
	}
	if p != ownPlatform {
		path = filepath.Join(filepath.Dir(path), "gplay-"+p.os+"-"+p.arch)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && p != ownPlatform {
		return nil, &NoAgent{fmt.Errorf("the host is %s/%s, and there is no %s: make bin/gplay-%s-%s builds it", p.os, p.arch, path, p.os, p.arch)}
	}
	if err != nil {
		return nil, err
	}
	found := &build{path: path, size: info.Size()}
	found.sum = sync.OnceValues(func() (string, error) { return agent.Sum(path) })
	found.gzipped = sync.OnceValues(func() ([]byte, error) { return compress(path) })
	b.known[p] = found
	return found, nil
}

// prepare computes the hash that most hosts need, while they are being
// reached. An error shows when it is used.
func (b *builds) prepare() {
	if own, err := b.get(ownPlatform); err == nil {
		own.sum()
	}
}

// fast is nearly as small as the best, in a tenth of the time.
const fast = 3

func compress(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, fast)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// content is what to send: compressed if the host can unpack it.
func (b *build) content(gzipped bool) ([]byte, error) {
	if gzipped {
		return b.gzipped()
	}
	return os.ReadFile(b.path)
}

// gplay is built for 64 bits and reads its facts from Linux.
var (
	goSystems    = map[string]string{"Linux": "linux"}
	goProcessors = map[string]string{
		"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64",
		"riscv64": "riscv64", "ppc64le": "ppc64le", "s390x": "s390x", "loongarch64": "loong64",
	}
)

// platformOf reads what `uname -sm` prints.
func platformOf(uname string) (platform, error) {
	system, processor, _ := strings.Cut(strings.TrimSpace(uname), " ")
	p := platform{goSystems[system], goProcessors[processor]}
	if p.os == "" || p.arch == "" {
		return p, &NoAgent{fmt.Errorf("gplay cannot run on a host that is %q", strings.TrimSpace(uname))}
	}
	return p, nil
}

// unames are what hosts of p may print for `uname -sm`.
func (p platform) unames() []string {
	var list []string
	for system, goos := range goSystems {
		for processor, goarch := range goProcessors {
			if goos == p.os && goarch == p.arch {
				list = append(list, system+" "+processor)
			}
		}
	}
	return list
}
