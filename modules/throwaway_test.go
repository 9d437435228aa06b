package modules_test

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gplay/modules"
	"gplay/modules/moduletest"
)

// Tests of modules that change a whole machine run on one that is thrown away
// afterwards: this test binary is copied into a container and runs the same
// test again there.

const insideThrowaway = "GPLAY_THROWAWAY"

// The images are those of the lab.
const (
	plainImage   = "gplay-lab/debian:bookworm"
	systemdImage = "gplay-lab/node"
)

// throwaway runs a module's cases in a container of an image.
func throwaway(t *testing.T, m *modules.Module, image string) {
	t.Helper()
	if os.Getenv(insideThrowaway) != "" {
		moduletest.Run(t, m)
		return
	}
	t.Parallel()
	id := startMachine(t, image)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	mustBeStatic(t, self)
	docker(t, "exec", id, "mkdir", "-p", "/test/testdata")
	docker(t, "cp", "-q", self, id+":/test/modules.test")
	docker(t, "cp", "-q", filepath.Join("testdata", m.Name), id+":/test/testdata/"+m.Name)
	out, err := exec.Command("docker", "exec", "-w", "/test", "-e", insideThrowaway+"=1", "-e", "CI=true", id,
		"/test/modules.test", "-test.v", "-test.run", "^"+t.Name()+"$").CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name()+"/")) {
		t.Errorf("the cases did not pass in a container of %s: %v", image, err)
	}
}

// mustBeStatic: a container has no libraries for a dynamic test binary.
func mustBeStatic(t *testing.T, program string) {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
		moduletest.Missing(t, "this test needs a static test binary: CGO_ENABLED=0 go test")
	}
}

func startMachine(t *testing.T, image string) string {
	t.Helper()
	if exec.Command("docker", "image", "inspect", image).Run() != nil {
		moduletest.Missing(t, "this test needs Docker with the image "+image+" (lab/images makes it)")
	}
	args := []string{"run", "-d", "--label", "gplay-test=throwaway"}
	if image == systemdImage {
		args = append(args, "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
			"--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cgroupns=host", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw",
			"--tmpfs", "/run", "--tmpfs", "/run/lock", image)
	} else {
		args = append(args, "--network", "none", image, "sleep", "600")
	}
	id := strings.TrimSpace(docker(t, args...))
	t.Cleanup(func() { docker(t, "rm", "-f", "-v", id) })
	if image == systemdImage {
		waitForSystemd(t, id)
	}
	return id
}

func waitForSystemd(t *testing.T, id string) {
	t.Helper()
	for range 300 {
		out, _ := exec.Command("docker", "exec", id, "systemctl", "is-system-running").Output()
		if state := strings.TrimSpace(string(out)); state == "running" || state == "degraded" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("systemd does not come up in the container")
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("docker", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out)
}

func TestApt(t *testing.T)           { throwaway(t, modules.Apt, plainImage) }
func TestAptKey(t *testing.T)        { throwaway(t, modules.AptKey, plainImage) }
func TestAptRepository(t *testing.T) { throwaway(t, modules.AptRepository, plainImage) }
func TestAuthorizedKey(t *testing.T) { throwaway(t, modules.AuthorizedKey, plainImage) }
func TestGroup(t *testing.T)         { throwaway(t, modules.Group, plainImage) }
func TestHostname(t *testing.T)      { throwaway(t, modules.Hostname, systemdImage) }
func TestModprobe(t *testing.T)      { throwaway(t, modules.Modprobe, plainImage) }
func TestMount(t *testing.T)         { throwaway(t, modules.Mount, systemdImage) }
func TestPackage(t *testing.T)       { throwaway(t, modules.Package, plainImage) }
func TestPackageFacts(t *testing.T)  { throwaway(t, modules.PackageFacts, plainImage) }
func TestService(t *testing.T)       { throwaway(t, modules.Service, systemdImage) }
func TestServiceFacts(t *testing.T)  { throwaway(t, modules.ServiceFacts, systemdImage) }
func TestSystemd(t *testing.T)       { throwaway(t, modules.Systemd, systemdImage) }
func TestUser(t *testing.T)          { throwaway(t, modules.User, plainImage) }
