// Package consultest starts real Consul agents for tests.
package consultest

import (
	"cmp"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Agent starts a Consul agent on a port of its own on this machine, and gives
// that. It ends with the test. Without Consul the test is skipped, and fails
// in CI.
func Agent(t *testing.T) (port int) {
	t.Helper()
	program := filepath.Join(cmp.Or(os.Getenv("LAB_CACHE"), "/var/cache/gplay-lab"), "consul")
	if _, err := os.Stat(program); err != nil {
		missing := t.Skip
		if os.Getenv("CI") == "true" {
			missing = t.Fatal
		}
		missing("needs Consul at " + program + " (lab/images builds it)")
	}
	ports := FreePorts(t, 3)
	agent := exec.Command(program, "agent", "-dev", "-enable-script-checks", "-log-level", "err",
		"-http-port", strconv.Itoa(ports[0]), "-server-port", strconv.Itoa(ports[1]), "-serf-lan-port", strconv.Itoa(ports[2]),
		"-serf-wan-port", "-1", "-dns-port", "-1", "-grpc-port", "-1", "-grpc-tls-port", "-1",
		"-hcl", "disable_update_check = true")
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Process.Kill(); agent.Wait() })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get("http://127.0.0.1:" + strconv.Itoa(ports[0]) + "/v1/catalog/nodes")
		if err == nil {
			nodes, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			if strings.Contains(string(nodes), `"Node"`) { // sessions need the agent's own
				return ports[0]
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("Consul does not know its own node after a minute")
		}
	}
}

// FreePorts are n TCP ports that nothing on this machine listens at.
func FreePorts(t *testing.T, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}
