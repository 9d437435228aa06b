package connection

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"gplay/connection/agent"
	"gplay/modules"
	"gplay/modules/host"
)

func TestMain(m *testing.M) {
	// The test binary is what hosts get.
	if agent.Asked(os.Args[1:]) {
		os.Exit(agent.Main(os.Args[2:], run))
	}
	os.Exit(m.Run())
}

// run has modules of its own for what none of gplay's shows.
func run(ctx context.Context, call Call, c modules.Controller) map[string]any {
	switch call.Module {
	case "test_where":
		dir, _ := os.Getwd()
		return map[string]any{"dir": dir, "colour": os.Getenv("COLOUR"), "pid": os.Getpid(), "user": os.Getuid(), "home": os.Getenv("HOME")}
	case "test_copy":
		return copyFile(c)
	case "test_program":
		path, _ := call.Args["pidfile"].(string)
		out, err := (&host.Local{}).Run(ctx, host.Command("sh", "-c", "echo $$ >"+path+"; sleep 600"))
		return map[string]any{"code": out.Code, "err": fmt.Sprint(err)}
	case "test_until":
		path, _ := call.Args["path"].(string)
		for {
			if _, err := os.Stat(path); err == nil {
				return map[string]any{"changed": true, "colour": os.Getenv("COLOUR")}
			}
			time.Sleep(5 * time.Millisecond)
		}
	case "test_wait":
		<-ctx.Done()
		return map[string]any{"ended": true}
	}
	return agent.Modules(ctx, call, c)
}

// copyFile reads the file "in" and writes it to "out".
func copyFile(c modules.Controller) map[string]any {
	in, err := c.Open("in")
	if err != nil {
		return map[string]any{"failed": true, "msg": err.Error()}
	}
	out, err := c.Create("out")
	if err != nil {
		return map[string]any{"failed": true, "msg": err.Error()}
	}
	n, err := io.Copy(out, in)
	if err = errors.Join(err, in.Close(), out.Close()); err != nil {
		return map[string]any{"failed": true, "msg": err.Error()}
	}
	return map[string]any{"size": int(n)}
}

func newPool(t testing.TB, opts Options) *Pool {
	opts.Run = run
	p := NewPool(opts)
	t.Cleanup(p.Close)
	return p
}

func connect(t testing.TB, p *Pool, target Target) Conn {
	t.Helper()
	c, err := p.Get(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func call(t testing.TB, c Conn, call Call) map[string]any {
	t.Helper()
	result, err := c.Module(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// login is a server that takes the user's key, and the user's home.
func login(t testing.TB) (*server, string) {
	t.Helper()
	dir, key := newUser(t)
	s := &server{keys: []ssh.PublicKey{key.PublicKey()}}
	s.start(t)
	return s, dir
}

func TestModuleOverSSH(t *testing.T) {
	s, _ := login(t)
	c := connect(t, newPool(t, Options{}), s.target())
	if got := call(t, c, Call{Module: "ping", Args: map[string]any{"data": "hello"}}); got["ping"] != "hello" {
		t.Errorf("ping gave %v", got)
	}
	if got := call(t, c, Call{Module: "test_where"}); got["dir"] != s.home {
		t.Errorf("a login begins in %v, want %v", got["dir"], s.home)
	}
	got := call(t, c, Call{Module: "test_where", Dir: "/", Environment: map[string]string{"COLOUR": "blue"}})
	if got["dir"] != "/" || got["colour"] != "blue" {
		t.Errorf("with a directory and an environment: %v", got)
	}
	if got := call(t, c, Call{Module: "no_such"}); got["failed"] != true {
		t.Errorf("an unknown module gave %v", got)
	}
}

func TestAgentIsCached(t *testing.T) {
	s, _ := login(t)
	call(t, connect(t, newPool(t, Options{}), s.target()), Call{Module: "ping"})
	if got := s.commands.Load(); got != 3 {
		t.Errorf("the first connection took %d commands, want 3: look, upload, run", got)
	}
	files, err := filepath.Glob(filepath.Join(s.home, ".cache", "gplay", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the cache holds %v %v", files, err)
	}
	for path, want := range map[string]os.FileMode{files[0]: 0o700, filepath.Dir(files[0]): os.ModeDir | 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s is %v %v, want %v", path, info.Mode(), err, want)
		}
	}
	s.commands.Store(0)
	call(t, connect(t, newPool(t, Options{}), s.target()), Call{Module: "ping"})
	if got := s.commands.Load(); got != 1 {
		t.Errorf("the second connection took %d commands, want 1", got)
	}
}

// folder makes a PATH of some of this machine's programs and own scripts.
func folder(t testing.TB, programs []string, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range programs {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range scripts {
		write(t, filepath.Join(dir, name), text)
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSparseHost(t *testing.T) {
	s, _ := login(t)
	s.env = []string{"PATH=" + folder(t, []string{"uname", "id", "mkdir", "chmod", "cat", "rm"}, nil)}
	call(t, connect(t, newPool(t, Options{}), s.target()), Call{Module: "ping"})
}

func TestTalkativeHost(t *testing.T) {
	s, _ := login(t)
	s.profile = "echo welcome; echo 'gplay- agent /x'; echo watch out >&2; "
	call(t, connect(t, newPool(t, Options{}), s.target()), Call{Module: "ping"})
}

func TestHostsWithoutAgent(t *testing.T) {
	for name, test := range map[string]struct {
		profile, uname, want string
	}{
		"another processor":  {"", "Linux aarch64", `the host is linux/arm64, and there is no /.*/gplay-linux-arm64: make bin/gplay-linux-arm64 builds it`},
		"an unknown one":     {"", "Minix pdp11", `gplay cannot run on a host that is "Minix pdp11"`},
		"a shell that ends":  {"echo this account is closed >&2; exit 1; ", "", "the shell on 127.0.0.1 ended with code 1: this account is closed"},
		"a damaged transfer": {"", "", "the upload is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := login(t)
			s.profile = test.profile
			scripts := map[string]string{"uname": "#!/bin/sh\necho " + test.uname}
			if test.uname == "" {
				// An executable that works and is not what was sent.
				own, err := os.Executable()
				if err != nil {
					t.Fatal(err)
				}
				scripts = map[string]string{"gzip": "#!/bin/sh\ncat >/dev/null; cat " + quote(own) + "; echo more"}
			}
			s.env = []string{"PATH=" + folder(t, nil, scripts) + ":" + os.Getenv("PATH")}
			c := connect(t, newPool(t, Options{}), s.target())
			_, err := c.Module(t.Context(), Call{Module: "ping"})
			if err == nil || !regexp.MustCompile(test.want).MatchString(err.Error()) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if left, _ := filepath.Glob(filepath.Join(s.home, ".cache", "gplay", "*agent*")); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

func TestFilesTravel(t *testing.T) {
	s, _ := login(t)
	c := connect(t, newPool(t, Options{}), s.target())
	for _, size := range []int{0, 1, 16 << 10, 16<<10 + 1, 5 << 20} {
		in := bytes.Repeat([]byte("0123456\n"), size/8+1)[:size]
		var out bytes.Buffer
		got := call(t, c, Call{Module: "test_copy", Files: map[string]File{
			"in":  {Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(in)), nil }},
			"out": {Create: func() (io.WriteCloser, error) { return nopWriteCloser{&out}, nil }},
		}})
		if got["size"] != size || !bytes.Equal(out.Bytes(), in) {
			t.Errorf("of %d bytes %v were copied and %d came back", size, got, out.Len())
		}
	}
}

type nopWriteCloser struct{ io.Writer }

func (nopWriteCloser) Close() error { return nil }

func TestFileErrorsTravel(t *testing.T) {
	s, _ := login(t)
	c := connect(t, newPool(t, Options{}), s.target())
	in := File{Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }}
	broken := File{
		Open:   func() (io.ReadCloser, error) { return nil, errors.New("it is locked") },
		Create: func() (io.WriteCloser, error) { return nil, errors.New("the disk is full") },
	}
	for name, test := range map[string]struct {
		files map[string]File
		want  string
	}{
		"nothing offered": {nil, `no file "in"`},
		"cannot open":     {map[string]File{"in": broken}, "it is locked"},
		"cannot create":   {map[string]File{"in": in, "out": broken}, "the disk is full"},
	} {
		got := call(t, c, Call{Module: "test_copy", Files: test.files})
		if msg, _ := got["msg"].(string); !strings.Contains(msg, test.want) {
			t.Errorf("%s: %v, want %q", name, got, test.want)
		}
	}
}

func TestLostConnection(t *testing.T) {
	s, _ := login(t)
	p := newPool(t, Options{})
	c := connect(t, p, s.target())
	call(t, c, Call{Module: "ping"})
	failed := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := c.Module(context.Background(), Call{Module: "test_wait"})
			failed <- err
		}()
	}
	time.Sleep(50 * time.Millisecond) // until the calls are under way, most likely
	s.drop()
	for range 2 {
		var gone *Unreachable
		if err := <-failed; !errors.As(err, &gone) || gone.Host != "127.0.0.1" {
			t.Errorf("a call on a lost connection gave %v", err)
		}
	}
	call(t, connect(t, p, s.target()), Call{Module: "ping"})
}

func TestReset(t *testing.T) {
	s, _ := login(t)
	p := newPool(t, Options{})
	call(t, connect(t, p, s.target()), Call{Module: "ping"})
	call(t, connect(t, p, s.target()), Call{Module: "ping"})
	if got := s.logins.Load(); got != 1 {
		t.Errorf("two Gets logged in %d times", got)
	}
	p.Reset(s.target())
	call(t, connect(t, p, s.target()), Call{Module: "ping"})
	if got := s.logins.Load(); got != 2 {
		t.Errorf("after Reset there were %d logins, want 2", got)
	}
}

func TestCancelEndsModule(t *testing.T) {
	s, _ := login(t)
	c := connect(t, newPool(t, Options{}), s.target())
	call(t, c, Call{Module: "ping"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Module(ctx, Call{Module: "test_wait"}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call gave %v", err)
	}
	got := call(t, c, Call{Module: "test_wait", Timeout: time.Millisecond})
	if msg, _ := got["msg"].(string); got["failed"] != true || !strings.Contains(msg, "expected time frame") {
		t.Errorf("a call that timed out gave %v", got)
	}
}

func TestExec(t *testing.T) {
	s, _ := login(t)
	for name, target := range map[string]Target{"ssh": s.target(), "local": {Transport: "local"}} {
		c := connect(t, newPool(t, Options{}), target)
		code, stdout, stderr, err := c.Exec(t.Context(), "cat; echo err >&2; exit 3", strings.NewReader("in"))
		if code != 3 || string(stdout) != "in" || string(stderr) != "err\n" || err != nil {
			t.Errorf("%s: %d %q %q %v", name, code, stdout, stderr, err)
		}
	}
}

func TestLocal(t *testing.T) {
	c := connect(t, newPool(t, Options{}), Target{Transport: "local"})
	if got := call(t, c, Call{Module: "test_where"}); got["pid"] != os.Getpid() {
		t.Errorf("a local module ran in another process: %v", got)
	}
	got := call(t, c, Call{Module: "test_where", Dir: "/", Environment: map[string]string{"COLOUR": "blue"}})
	if got["dir"] != "/" || got["colour"] != "blue" || got["pid"] == os.Getpid() {
		t.Errorf("with a directory and an environment: %v", got)
	}
	got = call(t, c, Call{Module: "test_where", Dir: "/no/such"})
	if msg, _ := got["msg"].(string); got["failed"] != true || !strings.Contains(msg, "/no/such") {
		t.Errorf("in a directory that is not there: %v", got)
	}
}

func TestBadTargets(t *testing.T) {
	p := newPool(t, Options{})
	for want, target := range map[string]Target{
		`connection "winrm"`:    {Transport: "winrm"},
		`become method "runas"`: {Transport: "local", Become: Become{Method: "runas"}},
		"host key checking":     {Transport: "ssh", HostKeyChecking: "perhaps"},
	} {
		if _, err := p.Get(t.Context(), target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v gave %v, want %q", target, err, want)
		}
	}
}

// within waits for something that must come true soon.
func within(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatal("never: " + what)
}

func TestLostConnectionEndsPrograms(t *testing.T) {
	s, _ := login(t)
	c := connect(t, newPool(t, Options{}), s.target())
	call(t, c, Call{Module: "ping"})
	for name, env := range map[string]map[string]string{"here": nil, "in a child": {"COLOUR": "blue"}} {
		pidfile := filepath.Join(s.home, "pid "+name)
		go c.Module(context.Background(), Call{Module: "test_program", Args: map[string]any{"pidfile": quote(pidfile)}, Environment: env})
		within(t, "the program starts "+name, func() bool { return pidIn(pidfile) > 0 })
	}
	s.drop()
	for _, name := range []string{"here", "in a child"} {
		pid := pidIn(filepath.Join(s.home, "pid "+name))
		within(t, "the program ends "+name, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
	}
}

func pidIn(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

func TestAsync(t *testing.T) {
	s, _ := login(t)
	p := newPool(t, Options{})
	c := connect(t, p, s.target())
	gate := filepath.Join(s.home, "gate")
	env := map[string]string{"COLOUR": "blue"}
	long := call(t, c, Call{Module: "test_until", Args: map[string]any{"path": gate}, Environment: env, Async: time.Hour})
	short := call(t, c, Call{Module: "test_wait", Async: time.Second})
	for _, job := range []map[string]any{long, short} {
		id, _ := job["ansible_job_id"].(string)
		if job["started"] != 1 || job["finished"] != 0 || id == "" || job["results_file"] != filepath.Join(s.home, ".ansible_async", id) {
			t.Fatalf("a started job gave %v", job)
		}
	}
	if got := jobStatus(t, long); got["finished"] != 0.0 || got["started"] != 1.0 || got["ansible_job_id"] != long["ansible_job_id"] {
		t.Errorf("a running job's file says %v", got)
	}
	p.Close()
	write(t, gate, "")
	within(t, "the job ends", func() bool { return jobStatus(t, long)["finished"] == 1.0 })
	if got := jobStatus(t, long); got["changed"] != true || got["colour"] != "blue" {
		t.Errorf("a job's result is %v", got)
	}
	within(t, "the job is ended", func() bool { return jobStatus(t, short)["finished"] == 1.0 })
	if got := jobStatus(t, short); got["failed"] != true || got["msg"] != "Timeout exceeded" {
		t.Errorf("a job that took too long gave %v", got)
	}
}

func jobStatus(t testing.TB, job map[string]any) map[string]any {
	t.Helper()
	text, err := os.ReadFile(job["results_file"].(string))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// A file that nobody reads on holds up nothing else, and takes no memory
// without bound.
func TestStalledFile(t *testing.T) {
	s, _ := login(t)
	c := connect(t, newPool(t, Options{}), s.target())
	reading := make(chan struct{})
	release := make(chan struct{})
	var sent atomic.Int64
	endless := File{Open: func() (io.ReadCloser, error) {
		return io.NopCloser(readFunc(func(p []byte) (int, error) {
			sent.Add(int64(len(p)))
			return len(p), nil
		})), nil
	}}
	stalled := File{Create: func() (io.WriteCloser, error) {
		close(reading)
		return nopWriteCloser{writeFunc(func([]byte) (int, error) {
			<-release
			return 0, errors.New("enough")
		})}, nil
	}}
	ended := make(chan map[string]any)
	go func() {
		result, err := c.Module(context.Background(), Call{Module: "test_copy", Files: map[string]File{"in": endless, "out": stalled}})
		if err != nil {
			t.Error(err)
		}
		ended <- result
	}()
	<-reading
	call(t, c, Call{Module: "ping"})
	last := int64(-1)
	within(t, "the file stops", func() bool {
		before := last
		last = sent.Load()
		call(t, c, Call{Module: "ping"})
		return before == last
	})
	if last > 8<<20 {
		t.Errorf("%d MB were taken from a file that stalls", last>>20)
	}
	close(release)
	if got := <-ended; got["failed"] != true || !strings.Contains(fmt.Sprint(got["msg"]), "enough") {
		t.Errorf("the copy gave %v", got)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

func BenchmarkCall(b *testing.B) {
	s, _ := login(b)
	c := connect(b, newPool(b, Options{}), s.target())
	call(b, c, Call{Module: "ping"})
	for b.Loop() {
		call(b, c, Call{Module: "ping"})
	}
}

func BenchmarkFile(b *testing.B) {
	s, _ := login(b)
	c := connect(b, newPool(b, Options{}), s.target())
	call(b, c, Call{Module: "ping"})
	data := make([]byte, 16<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		call(b, c, Call{Module: "test_copy", Files: map[string]File{
			"in":  {Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }},
			"out": {Create: func() (io.WriteCloser, error) { return nopWriteCloser{io.Discard}, nil }},
		}})
	}
}
