package connection

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"gplay/modules/moduletest"
)

// image is the lab's: Debian with sudo, without Python where that matters.
const image = "gplay-lab/node"

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// container is one where users may become others, by a password or without.
func container(t *testing.T, options ...string) string {
	t.Helper()
	if err := exec.Command("docker", "image", "inspect", image).Run(); err != nil {
		moduletest.Missing(t, "there is no image "+image+": lab/images makes it")
	}
	id := docker(t, slices.Concat([]string{"run", "-d", "--label=gplay-test=throwaway", "--network=none", "--entrypoint=sleep"}, options, []string{image, "infinity"})...)
	t.Cleanup(func() { docker(t, "rm", "-f", "-v", id) })
	docker(t, "exec", id, "sh", "-ec", `
		id=2000
		for u in asker free stranger other; do id=$((id+1)); useradd -u $id -m -s /bin/sh $u; echo "$u:secret word" | chpasswd; chmod 700 /home/$u; done
		echo "asker ALL=(ALL) ALL" >/etc/sudoers.d/test
		echo "free ALL=(ALL) NOPASSWD: ALL" >>/etc/sudoers.d/test
		echo "Defaults:other requiretty" >>/etc/sudoers.d/test
		echo "other ALL=(ALL) NOPASSWD: ALL" >>/etc/sudoers.d/test
		echo "root:root word" | chpasswd`)
	return id
}

func TestBecome(t *testing.T) {
	id := container(t)
	p := newPool(t, Options{})
	sudo := func(user, password string) Become { return Become{Method: "sudo", User: user, Password: password} }
	for name, test := range map[string]struct {
		from   string
		become Become
		want   string // the home, or the error
	}{
		"nobody else":               {"free", Become{}, "2002 /home/free"},
		"root":                      {"free", sudo("", ""), "0 /root"},
		"another":                   {"free", sudo("other", ""), "2004 /home/other"},
		"one without a home":        {"free", sudo("nobody", ""), "65534 /nonexistent"},
		"with a password":           {"asker", sudo("root", "secret word"), "0 /root"},
		"another, with a password":  {"asker", sudo("other", "secret word"), "2004 /home/other"},
		"with a needless password":  {"free", sudo("root", "secret word"), "0 /root"},
		"own flags":                 {"free", Become{Method: "sudo", Flags: "-n -H"}, "0 /root"},
		"own flags, a password":     {"asker", Become{Method: "sudo", Flags: "-H -n", Password: "secret word"}, "0 /root"},
		"without the password":      {"asker", sudo("root", ""), "Missing sudo password"},
		"with the wrong password":   {"asker", sudo("root", "nonsense"), "Incorrect sudo password"},
		"not allowed":               {"stranger", sudo("root", "secret word"), "stranger is not in the sudoers file"},
		"a terminal wanted":         {"other", sudo("root", ""), "remove requiretty"},
		"unknown":                   {"free", sudo("ghost", ""), "unknown user"},
		"no such program":           {"free", Become{Method: "sudo", Exe: "/opt/sudo"}, "there is no sudo on"},
		"su":                        {"stranger", Become{Method: "su", Password: "root word"}, "0 /root"},
		"su to another":             {"stranger", Become{Method: "su", User: "other", Password: "secret word"}, "2004 /home/other"},
		"su, the wrong password":    {"stranger", Become{Method: "su", Password: "nonsense"}, "Incorrect su password"},
		"su, without the password":  {"stranger", Become{Method: "su"}, "Missing su password"},
		"su of root, without one":   {"root", Become{Method: "su", User: "other"}, "2004 /home/other"},
		"su, nobody logs in as bin": {"root", Become{Method: "su", User: "bin"}, "not available"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := Target{Transport: "docker", Host: id, User: test.from, Become: test.become}
			c := connect(t, p, target)
			result, err := c.Module(t.Context(), Call{Module: "test_where"})
			got := fmt.Sprint(result["user"], " ", result["home"])
			var refused *Refused
			if err != nil && !errors.As(err, &refused) {
				t.Errorf("%v is no *Refused", err)
			}
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if strings.Contains(got, test.become.Password) && test.become.Password != "" {
				t.Errorf("the error tells the password")
			}
			code, stdout, _, execErr := c.Exec(t.Context(), "id -u; exit 4", nil)
			if err == nil && (code != 4 || string(stdout) != fmt.Sprintln(result["user"])) {
				t.Errorf("Exec gave %d %q %v", code, stdout, execErr)
			}
			if (err == nil) != (execErr == nil) {
				t.Errorf("Exec gave %v, Module %v", execErr, err)
			}
		})
	}
}

// A password is in no process's arguments or environment.
func TestPasswordIsNotShown(t *testing.T) {
	id := container(t)
	p := newPool(t, Options{})
	c := connect(t, p, Target{Transport: "docker", Host: id, User: "asker", Become: Become{Method: "sudo", Password: "secret word"}})
	var watching sync.WaitGroup
	stop := make(chan struct{})
	watching.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			out, err := exec.Command("docker", "exec", id, "sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null").Output()
			if strings.Contains(string(out), "secret word") {
				t.Error("a process shows the password")
				return
			}
			if len(out) == 0 {
				t.Errorf("no process was seen: %v", err)
			}
		}
	})
	call(t, c, Call{Module: "ping"})
	close(stop)
	watching.Wait()
}

func TestPlaces(t *testing.T) {
	noexec, tiny, open := "rw,mode=1777,noexec", "rw,mode=1777,exec,size=1m", "rw,mode=1777,exec"
	for name, test := range map[string]struct {
		home, varTmp, tmp string
		prepare           string
		want              string // the agent's folder, or the error
	}{
		"home":           {open, open, open, "", "/home/free/.cache/gplay"},
		"home is noexec": {noexec, open, open, "", "/var/tmp/gplay-2002"},
		"home is full":   {tiny, open, open, "", "/var/tmp/gplay-2002"},
		"all but tmp":    {noexec, noexec, open, "", "/tmp/gplay-2002"},
		"taken":          {noexec, open, open, "mkdir -m 777 /var/tmp/gplay-2002", "/tmp/gplay-2002"},
		"linked":         {noexec, open, open, "mkdir -m 777 /opt/x; chown free /opt/x; ln -s /opt/x /var/tmp/gplay-2002", "/tmp/gplay-2002"},
		"nowhere":        {tiny, noexec, noexec, "", "cannot be put on .*/home/free/.cache/gplay: .*No space left on device; /var/tmp/gplay-2002: .*[Pp]ermission denied; /tmp/.*; /dev/shm/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := container(t, "--tmpfs=/home:"+test.home, "--tmpfs=/var/tmp:"+test.varTmp, "--tmpfs=/tmp:"+test.tmp)
			docker(t, "exec", id, "sh", "-ec", test.prepare)
			p := newPool(t, Options{})
			target := Target{Transport: "docker", Host: id, User: "free"}
			_, err := connect(t, p, target).Module(t.Context(), Call{Module: "ping"})
			found := docker(t, "exec", id, "find", "/home", "/var/tmp", "/tmp", "/dev/shm", "-name", "*agent-*")
			got := fmt.Sprint(err, " ", found)
			if err == nil {
				got = filepath.Dir(found)
			} else if found != "" {
				t.Errorf("a failed upload left %s", found)
			}
			if !regexp.MustCompile("^[^/]*" + test.want).MatchString(got) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// A user can be removed although gplay ran as that user, but not under what
// still runs.
func TestLeave(t *testing.T) {
	id := container(t)
	p := newPool(t, Options{})
	root := Target{Transport: "docker", Host: id, User: "root"}
	for _, method := range []string{"sudo", "su"} {
		as := root
		as.Become = Become{Method: method, User: "stranger"}
		call(t, connect(t, p, as), Call{Module: "test_where"})
	}
	p.Leave(root, "stranger")
	docker(t, "exec", id, "userdel", "stranger")

	as := root
	as.Become = Become{Method: "sudo", User: "other"}
	c := connect(t, p, as)
	call(t, c, Call{Module: "test_where"})
	gate := "/tmp/gate"
	ended := make(chan error, 1)
	go func() {
		_, err := c.Module(t.Context(), Call{Module: "test_until", Args: map[string]any{"path": gate}})
		ended <- err
	}()
	within(t, "the module runs", func() bool { return c.(*remote).calls.Load() > 0 })
	p.Leave(root, "other")
	docker(t, "exec", id, "touch", gate)
	if err := <-ended; err != nil {
		t.Errorf("a module that ran was ended: %v", err)
	}
}
