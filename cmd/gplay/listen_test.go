package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// gplay and its agent talk over the channel that they were started on, and
// wait for nobody: nothing in this module opens a port or a socket.
func TestNothingListens(t *testing.T) {
	const files = `{{if .Module}}{{if .Module.Main}}{{range .GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`
	out, err := exec.Command("go", "list", "-deps", "-f", files, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	listens := regexp.MustCompile(`net\.Listen|ListenAndServe|\.ListenPacket\(|httptest\.`)
	paths := strings.Fields(string(out))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if found := listens.Find(data); found != nil {
			t.Errorf("%s has %s", path, found)
		}
	}
	if len(paths) < 100 {
		t.Errorf("only %d files were looked at", len(paths))
	}
}
