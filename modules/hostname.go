package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"gplay/modules/facts"
	"gplay/modules/host"
)

// Hostname sets a host's name.
var Hostname = define("hostname", "set the host's name, now and for every start", hostnameArgs{}, hostname).
	gives("changed name ansible_facts ansible_hostname ansible_nodename ansible_fqdn ansible_domain")

type hostnameArgs struct {
	Name string `arg:"name" required:"true" doc:"The name."`
	Use  string `arg:"use" choices:"alpine,debian,freebsd,generic,macos,macosx,darwin,openbsd,openrc,redhat,sles,solaris,systemd" doc:"How to set it; found out when not given."`
}

func hostname(ctx context.Context, c *Call, a hostnameArgs) (Result, error) {
	if len(a.Name) > 64 {
		return nil, errors.New("name cannot be longer than 64 characters on this host, try a shorter name")
	}
	store, err := nameStoreOf(c, a.Use)
	if err != nil {
		return nil, err
	}
	current, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	permanent, err := store.read(c)
	if err != nil {
		return nil, err
	}
	before := permanent
	if current != a.Name {
		before = current
	}
	_, domain, _ := strings.Cut(a.Name, ".")
	short, _, _ := strings.Cut(a.Name, ".")
	result := Result{"name": a.Name, "ansible_facts": map[string]any{
		"ansible_hostname": short, "ansible_nodename": a.Name, "ansible_fqdn": a.Name, "ansible_domain": domain,
	}}
	if current == a.Name && permanent == a.Name {
		return result, nil
	}
	diff := Diff{Before: "hostname = " + before + "\n", After: "hostname = " + a.Name + "\n"}
	return result, c.Change(diff, func(w host.Writer) error {
		if permanent != a.Name {
			if err := store.write(ctx, w, c, a.Name); err != nil {
				return err
			}
		}
		if current != a.Name {
			return store.set(ctx, w, a.Name)
		}
		return nil
	})
}

// nameStore is where a distribution keeps the host's name: a file with
// nothing else, or a line prefix + name of one.
type nameStore struct {
	file, prefix string
	systemd      bool
}

func nameStoreOf(c *Call, use string) (nameStore, error) {
	if use == "" {
		use = nameStrategy(c)
	}
	switch use {
	case "systemd":
		return nameStore{file: "/etc/hostname", systemd: true}, nil
	case "debian", "alpine", "generic":
		return nameStore{file: "/etc/hostname"}, nil
	case "redhat":
		return nameStore{file: "/etc/sysconfig/network", prefix: "HOSTNAME="}, nil
	case "openrc":
		return nameStore{file: "/etc/conf.d/hostname", prefix: "hostname="}, nil
	case "sles":
		return nameStore{file: "/etc/HOSTNAME"}, nil
	}
	return nameStore{}, fmt.Errorf("hostname cannot be set the way of %s on Linux", use)
}

func nameStrategy(c *Call) string {
	distro := facts.Detect(c)
	switch {
	case hasProgram(c, "hostnamectl") && fileExists(c, "/run/systemd/system"):
		return "systemd"
	case distro.Family == "RedHat" && fileExists(c, "/etc/sysconfig/network"):
		return "redhat"
	case distro.Family == "Gentoo":
		return "openrc"
	case distro.Family == "Suse" && fileExists(c, "/etc/HOSTNAME"):
		return "sles"
	}
	return "generic"
}

func (s nameStore) read(c *Call) (string, error) {
	data, err := c.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, s.prefix); ok && rest != "" && line[0] != '#' {
			return strings.Trim(rest, `"`), nil
		}
	}
	return "", err
}

func (s nameStore) write(ctx context.Context, w host.Writer, c *Call, name string) error {
	if s.systemd {
		return hostnameCommand(ctx, w, "hostnamectl", "--static", "set-hostname", name)
	}
	data, err := c.ReadFile(s.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := name + "\n"
	if s.prefix != "" {
		text = s.replaced(string(data), name)
	}
	return w.WriteFile(s.file, strings.NewReader(text), host.KeepAll)
}

func (s nameStore) replaced(text, name string) string {
	quoted := name
	if s.prefix == "hostname=" {
		quoted = `"` + name + `"`
	}
	var b strings.Builder
	found := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), s.prefix) {
			line, found = s.prefix+quoted+"\n", true
		}
		b.WriteString(line)
	}
	if !found {
		b.WriteString(s.prefix + quoted + "\n")
	}
	return b.String()
}

func (s nameStore) set(ctx context.Context, w host.Writer, name string) error {
	if s.systemd {
		return hostnameCommand(ctx, w, "hostnamectl", "--transient", "set-hostname", name)
	}
	return hostnameCommand(ctx, w, "hostname", name)
}

func hostnameCommand(ctx context.Context, w host.Writer, args ...string) error {
	out, err := w.Run(ctx, host.Command(args...))
	if err == nil && out.Code != 0 {
		err = fmt.Errorf("Command failed rc=%d, out=%s, err=%s", out.Code, out.Stdout, out.Stderr)
	}
	return err
}
