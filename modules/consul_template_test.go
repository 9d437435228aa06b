package modules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gplay/modules"
)

func TestConsulTemplate(t *testing.T) {
	agent := consulAgent(t)
	dest := filepath.Join(t.TempDir(), "out.conf")
	base := map[string]any{"dest": dest, "consul_addr": fmt.Sprintf("http://127.0.0.1:%d", agent["port"]), "wait": "1s"}
	render := func(check bool, args ...any) map[string]any {
		return runOn(t, modules.ConsulTemplate, check, base, args...)
	}
	set := func(color string) { runOn(t, modules.ConsulKV, false, agent, "key", "color", "value", color) }
	file := func(text string) {
		t.Helper()
		if got, _ := os.ReadFile(dest); string(got) != text {
			t.Errorf("the file holds %q, want %q", got, text)
		}
	}

	want(t, render(false, "src", "c.ctmpl"), "failed", true, "msg", "template c.ctmpl: there is no key color (waited 1s)")
	file("")
	set("blue")
	want(t, render(true, "src", "c.ctmpl", "mode", "0640"), "changed", true, "diff.after", "color=blue")
	file("")
	want(t, render(false, "src", "c.ctmpl", "mode", "0640"), "changed", true, "mode", "0640")
	file("color=blue")
	ran := filepath.Join(t.TempDir(), "ran")
	want(t, render(false, "src", "c.ctmpl", "command", "touch "+ran), "changed", false)
	if _, err := os.Stat(ran); err == nil {
		t.Error("the command ran without a change")
	}
	set("green")
	want(t, render(false, "src", "c.ctmpl", "command", "cat "+dest+"; echo bad >&2; exit 3"), "failed", true,
		"msg", "command failed with exit code 3: bad (the previous file is back in place)", "stdout", "color=green", "rc", 3)
	file("color=blue")
	want(t, render(false, "src", "c.ctmpl", "validate", "grep -q blue %s"), "failed", true, "msg", "failed to validate: rc:1 error:")
	want(t, render(false, "src", "c.ctmpl", "require", "(?m)^server "), "failed", true)
	file("color=blue")
	want(t, render(false, "src", "c.ctmpl", "validate", "grep -q green %s", "command", "touch "+ran, "backup", true), "changed", true, "rc", 0)
	file("color=green")
	if backups, _ := filepath.Glob(dest + ".*~"); len(backups) != 1 {
		t.Errorf("backups: %v", backups)
	}
	if _, err := os.Stat(ran); err != nil {
		t.Error("the command did not run after the change")
	}
	want(t, render(false, "content", `[[ key "color" ]] {{ x }}`, "left_delimiter", "[[", "right_delimiter", "]]"), "changed", true)
	file("green {{ x }}")
	os.WriteFile(dest+".ctmpl", []byte(`{{ keyOrDefault "none" "n" }}`), 0o600)
	want(t, render(false, "src", dest+".ctmpl", "remote_src", true), "changed", true, "mode", "0640")
	file("n")
	want(t, render(false), "failed", true, "msg", "one of the following is required: src, content")
}
