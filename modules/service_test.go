package modules_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gplay/modules"
	"gplay/modules/host"
)

// oldHost is a machine whose first process is init; its files are those
// below root where they exist, its programs those in root/bin.
type oldHost struct {
	*host.Local
	root string
}

func (h *oldHost) Stat(p string) (host.Info, error) { return h.Local.Stat(filepath.Join(h.root, p)) }
func (h *oldHost) ReadFile(p string) ([]byte, error) {
	return h.Local.ReadFile(filepath.Join(h.root, p))
}
func (h *oldHost) ReadDir(p string) ([]host.Info, error) {
	return h.Local.ReadDir(filepath.Join(h.root, p))
}
func (h *oldHost) Readlink(p string) (string, error) {
	return h.Local.Readlink(filepath.Join(h.root, p))
}
func (h *oldHost) LookPath(p string) (string, error) {
	file := filepath.Join(h.root, "bin", p)
	if _, err := os.Stat(file); err != nil {
		return "", host.ErrNotFound
	}
	return file, nil
}

// The programs keep what runs and what is enabled in files, and log what they
// are told to change.
var oldPrograms = map[string]string{
	"upstart/bin/initctl": `case $1 in
status) test -e $R/running && echo "web start/running, process 1" || echo "web stop/waiting";;
*) echo "initctl $*" >> $R/log; case $1 in start) touch $R/running;; stop) rm $R/running;; esac;;
esac`,
	"openrc/bin/rc-service": `case $2 in
status) test -e $R/running && echo " * status: started" || echo " * status: stopped";;
*) echo "rc-service $*" >> $R/log; case $2 in start|restart) touch $R/running;; stop) rm $R/running;; esac;;
esac`,
	"openrc/bin/rc-update": `case $1 in
show) test -e $R/enabled && echo "  web | default";;
*) echo "rc-update $*" >> $R/log; case $1 in add) touch $R/enabled;; delete) rm $R/enabled;; esac;;
esac`,
	"sysv/bin/service": `case $2 in
status) test -e $R/running && { echo "web is running"; exit 0; }; echo "web is stopped"; exit 3;;
*) echo "service $*" >> $R/log; case $2 in start) touch $R/running;; stop) rm $R/running;; esac;;
esac`,
	"sysv/bin/update-rc.d": `echo "update-rc.d $*" >> $R/log
case $2 in enable) touch $R/etc/rc2.d/S01web;; disable) rm $R/etc/rc2.d/S01web;; esac`,
}

func makeOldHost(t *testing.T, init string) *oldHost {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{"proc/1/comm": "init\n", "etc/rc2.d/README": "", "bin/README": ""}
	files[map[string]string{"upstart": "etc/init/web.conf", "openrc": "sbin/openrc", "sysv": "etc/init.d/web"}[init]] = "exec web\n"
	for name, script := range oldPrograms {
		if program, ok := strings.CutPrefix(name, init+"/"); ok {
			files[program] = "#!/bin/sh\nR=" + root + "\n" + script + "\n"
		}
	}
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &oldHost{&host.Local{Env: []string{"PATH=" + root + "/bin:/usr/bin:/bin"}}, root}
}

func (h *oldHost) log() string {
	text, err := os.ReadFile(filepath.Join(h.root, "log"))
	if err != nil && !os.IsNotExist(err) {
		return err.Error()
	}
	os.Remove(filepath.Join(h.root, "log"))
	return strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "; ")
}

func TestServiceBeforeSystemd(t *testing.T) {
	type step struct {
		state   string
		enabled any
		log     string // what the programs were told to change; "" for no change
	}
	tests := map[string][]step{
		"upstart": {
			{"started", nil, "initctl start web"},
			{"started", nil, ""},
			{"restarted", nil, "initctl stop web; initctl start web"},
			{"reloaded", nil, "initctl reload web"},
			{"stopped", nil, "initctl stop web"},
			{"stopped", nil, ""},
			{"reloaded", nil, "initctl start web"},
		},
		"openrc": {
			{"started", true, "rc-update add web default; rc-service web start"},
			{"started", true, ""},
			{"restarted", nil, "rc-service web restart"},
			{"stopped", false, "rc-update delete web default; rc-service web stop"},
			{"stopped", false, ""},
		},
		"sysv": {
			{"started", true, "update-rc.d web defaults; update-rc.d web enable; service web start"},
			{"started", true, ""},
			{"restarted", nil, "service web stop; service web start"},
			{"stopped", false, "update-rc.d web disable; service web stop"},
			{"stopped", false, ""},
		},
	}
	for init, steps := range tests {
		t.Run(init, func(t *testing.T) {
			h := makeOldHost(t, init)
			for i, s := range steps {
				args := map[string]any{"name": "web", "state": s.state}
				if s.enabled != nil {
					args["enabled"] = s.enabled
				}
				predicted := modules.Service.Run(t.Context(), h, h, nil, true, false, args)
				if wrote := h.log(); wrote != "" {
					t.Errorf("step %d: check mode ran %q", i, wrote)
				}
				result := modules.Service.Run(t.Context(), h, h, nil, false, false, args)
				if result["failed"] == true {
					t.Fatalf("step %d: %v", i, result["msg"])
				}
				if got := h.log(); got != s.log {
					t.Errorf("step %d ran %q, want %q", i, got, s.log)
				}
				if changed := s.log != ""; result["changed"] != changed || predicted["changed"] != changed {
					t.Errorf("step %d: changed is %v (in check mode %v), want %v", i, result["changed"], predicted["changed"], changed)
				}
			}
		})
	}
}

// Upstart's jobs are switched off by a word in a file beside them.
func TestUpstartEnable(t *testing.T) {
	h := makeOldHost(t, "upstart")
	w := &rootWriter{h}
	override := filepath.Join(h.root, "etc/init/web.override")
	for i, s := range []struct {
		enabled, changed bool
		text             string
	}{{true, false, ""}, {false, true, "manual\n"}, {false, false, "manual\n"}, {true, true, ""}} {
		r := modules.Service.Run(t.Context(), h, w, nil, false, false, map[string]any{"name": "web", "enabled": s.enabled})
		text, err := os.ReadFile(override)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if r["changed"] != s.changed || strings.TrimSpace(string(text)) != strings.TrimSpace(s.text) {
			t.Errorf("step %d: changed is %v and the file %q, want %v and %q (%v)", i, r["changed"], text, s.changed, s.text, r["msg"])
		}
	}
}

func TestServiceUnknownToInit(t *testing.T) {
	h := makeOldHost(t, "sysv")
	r := modules.Service.Run(t.Context(), h, h, nil, false, false, map[string]any{"name": "db", "state": "started"})
	if r["failed"] != true || r["msg"] != "Could not find the requested service db: host" {
		t.Errorf("got %v", r)
	}
}

// rootWriter writes below the old host's root.
type rootWriter struct{ *oldHost }

func (w *rootWriter) WriteFile(p string, data io.Reader, a host.Attr) error {
	return w.Local.WriteFile(filepath.Join(w.root, p), data, a)
}
