package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"gplay/modules/host"
)

// Mount mounts file systems, and keeps them in fstab.
var Mount = define("mount", "mount and unmount file systems, and keep them in fstab", mountArgs{
	Boot: true, Opts: "defaults", Dump: "0", PassNo: "0", FSTab: fstab,
}, mount).
	requiredIf("state", "mounted", "src", "fstype").
	requiredIf("state", "present", "src", "fstype").
	requiredIf("state", "ephemeral", "src", "fstype")

const fstab = "/etc/fstab"

type mountArgs struct {
	Path   string `arg:"path" alias:"name" type:"path" required:"true" doc:"Where it is mounted."`
	Src    string `arg:"src" type:"path" doc:"The device, the server's directory, or the like."`
	FSType string `arg:"fstype" doc:"The type of the file system."`
	Opts   string `arg:"opts" doc:"The options."`
	Dump   string `arg:"dump" doc:"The fifth field of fstab."`
	PassNo string `arg:"passno" doc:"The sixth field of fstab."`
	State  string `arg:"state" required:"true" choices:"absent,absent_from_fstab,mounted,present,unmounted,remounted,ephemeral" doc:"mounted and absent see to fstab and to the mount, present and absent_from_fstab to fstab only, unmounted, remounted and ephemeral to the mount only."`
	FSTab  string `arg:"fstab" doc:"The file to use instead of /etc/fstab."`
	Boot   bool   `arg:"boot" doc:"Mount it at every start; if not, noauto is added to the options."`
	Backup bool   `arg:"backup" doc:"Keep a copy of fstab as it was."`
}

func mount(ctx context.Context, c *Call, a mountArgs) (Result, error) {
	a.settleBoot(c)
	m := &mounting{mountArgs: a, ctx: ctx, c: c}
	var err error
	if m.points, err = mountPoints(c); err != nil {
		return nil, err
	}
	switch a.State {
	case "present":
		err = m.table(true)
	case "absent_from_fstab":
		err = m.table(false)
	case "absent":
		err = m.absent()
	case "unmounted":
		if m.mounted() {
			err = m.unmount()
		}
	case "remounted":
		err = m.remounted()
	default:
		err = m.mount()
	}
	if err != nil {
		return nil, err
	}
	return m.result(), nil
}

// settleBoot turns boot into an option.
func (a *mountArgs) settleBoot(c *Call) {
	opts := strings.Split(a.Opts, ",")
	switch {
	case slices.Contains(opts, "noauto"):
		c.Warn("Ignore the 'boot' due to 'opts' contains 'noauto'.")
	case !a.Boot && slices.Contains(opts, "defaults"):
		c.Warn("Ignore the 'boot' due to 'opts' contains 'defaults'.")
	case !a.Boot:
		a.Opts += ",noauto"
	}
}

// mounting is one run of the module.
type mounting struct {
	mountArgs
	ctx    context.Context
	c      *Call
	points map[string]string // what is mounted, by where
	copied string            // the backup
	made   []string          // the directories made for the mount point
}

func (m *mounting) result() Result {
	boot := "yes"
	if !m.Boot && strings.HasSuffix(m.Opts, ",noauto") {
		boot = "no"
	}
	r := Result{
		"name": m.Path, "opts": m.Opts, "dump": m.Dump, "passno": m.PassNo,
		"fstab": m.FSTab, "boot": boot, "backup_file": m.copied,
	}
	give := func(key, value string) {
		if value != "" {
			r[key] = value
		}
	}
	give("src", m.Src)
	give("fstype", m.FSType)
	return r
}

// mountPoints reads the kernel's list. Of a bind mount the source is the
// directory that is mounted.
func mountPoints(c *Call) (map[string]string, error) {
	data, err := c.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	type point struct{ parent, root, dst, src string }
	all := map[string]point{}
	var order []string
	for line := range strings.Lines(string(data)) {
		own, rest, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(own), strings.Fields(rest)
		if len(f) < 6 || len(g) < 2 {
			continue
		}
		all[f[0]] = point{f[1], unescapeMount(f[3]), unescapeMount(f[4]), unescapeMount(g[1])}
		order = append(order, f[0])
	}
	points := map[string]string{}
	for _, id := range order {
		p := all[id]
		src := p.src
		if up, ok := all[p.parent]; ok && p.parent != "1" {
			root := p.root
			if up.root != "/" && strings.HasPrefix(root, up.root+"/") {
				root = strings.TrimPrefix(root, up.root)
			}
			src = path.Join(up.dst, root)
		}
		points[p.dst] = src
		if p.root == "/" {
			points[p.dst] = p.src
		}
	}
	return points, nil
}

var unescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

func (m *mounting) mounted() bool {
	_, there := m.points[path.Clean(m.Path)]
	return there
}

// table sees to fstab.
func (m *mounting) table(present bool) error {
	old, err := readIfThere(m.c, m.FSTab)
	if err != nil {
		return err
	}
	text := m.edit(old, present)
	if text == old {
		return nil
	}
	r := Result{}
	_, err = textFile{path: m.FSTab, backup: m.Backup}.put(m.ctx, m.c, []byte(text), r)
	if copied, ok := r["backup_file"].(string); ok {
		m.copied = copied
	}
	return err
}

// escapeMount writes what a field of fstab cannot hold.
var escapeMount = strings.NewReplacer(`\`, `\134`, " ", `\040`, "&", `\046`).Replace

// edit gives fstab with the entry as it is to be; a line that is right stays
// as it is written.
func (m *mounting) edit(old string, present bool) string {
	want := []string{escapeMount(m.Src), escapeMount(m.Path), escapeMount(m.FSType), escapeMount(m.Opts), m.Dump, m.PassNo}
	var b strings.Builder
	found := false
	for line := range strings.Lines(old) {
		if !strings.HasSuffix(line, "\n") {
			line += "\n"
		}
		if !m.isEntry(line, want) {
			b.WriteString(line)
			continue
		}
		fields := append(strings.Fields(line), "0", "0")[:6]
		switch {
		case !present:
		case slices.Equal(fields, want):
			b.WriteString(line)
		default:
			b.WriteString(strings.Join(want, " ") + "\n")
		}
		found = true
	}
	if present && !found {
		b.WriteString(strings.Join(want, " ") + "\n")
	}
	if !present && !found {
		return old
	}
	return b.String()
}

// isEntry reports whether a line is for the mount point. Swap areas share the
// name none, and are told apart by their device.
func (m *mounting) isEntry(line string, want []string) bool {
	f := strings.Fields(line)
	if len(f) < 4 || len(f) > 6 || strings.HasPrefix(f[0], "#") || f[1] != want[1] {
		return false
	}
	return f[1] != "none" || f[2] != "swap" || m.Src == "" || f[0] == want[0]
}

func (m *mounting) absent() error {
	old, err := readIfThere(m.c, m.FSTab)
	if err != nil {
		return err
	}
	if m.edit(old, false) == old {
		return nil
	}
	if err := m.table(false); err != nil {
		return err
	}
	if m.mounted() {
		if err := m.unmount(); err != nil {
			return err
		}
	}
	if !fileExists(m.c, m.Path) {
		return nil
	}
	return m.c.Change(NoDiff, func(w host.Writer) error {
		if err := w.Remove(m.Path); err != nil {
			return fmt.Errorf("Error rmdir %s: %w", m.Path, err)
		}
		return nil
	})
}

func (m *mounting) unmount() error {
	return m.c.Change(NoDiff, func(w host.Writer) error {
		return succeed(m.ctx, w, "Error unmounting "+m.Path, host.Cmd{Args: []string{"umount", m.Path}, Env: english})
	})
}

// mount is for mounted and ephemeral.
func (m *mounting) mount() error {
	if err := m.makePoint(); err != nil {
		return err
	}
	old, err := readIfThere(m.c, m.FSTab)
	if err != nil {
		return err
	}
	entry := m.State == "mounted" && m.edit(old, true) != old
	if entry {
		if err := m.table(true); err != nil {
			return err
		}
	}
	if err := m.bring(entry); err != nil {
		return errors.Join(err, m.undo(entry, old))
	}
	return nil
}

// bring mounts what is not mounted; entry says that fstab's entry changed.
func (m *mounting) bring(entry bool) error {
	switch {
	case m.mounted() && m.State == "ephemeral" && m.points[path.Clean(m.Path)] != m.Src:
		return fmt.Errorf("Ephemeral mount point is already mounted with a different source. Unmount it first, or use another path than %s", m.Path)
	case m.mounted() && (entry || m.State == "ephemeral"):
		return m.remount()
	case m.mounted():
		return nil
	}
	return m.c.Change(NoDiff, func(w host.Writer) error { return m.run(w, nil) })
}

// undo puts fstab back, and removes the directories that were made: an entry
// that does not work may keep the host from starting.
func (m *mounting) undo(entry bool, old string) error {
	return m.c.Upkeep(func(w host.Writer) error {
		for _, dir := range slices.Backward(m.made) {
			if err := w.Remove(dir); err != nil {
				return err
			}
		}
		if !entry {
			return nil
		}
		return w.WriteFile(followLinks(m.c, m.FSTab), strings.NewReader(old), host.KeepAll)
	})
}

// makePoint makes the directory; a bind mount may have a file there.
func (m *mounting) makePoint() error {
	missing, err := missingDirs(m.c, m.Path)
	if err != nil || len(missing) == 0 {
		return err
	}
	return m.c.Change(NoDiff, func(w host.Writer) error {
		for _, dir := range missing {
			if err := makeDir(w, dir, 0o777&^m.c.Umask(), host.Keep, host.Keep); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			m.made = append(m.made, dir)
		}
		return nil
	})
}

// run is the program mount, with fstab's entry or with what was given.
func (m *mounting) run(w host.Writer, extra []string) error {
	cmd := append([]string{"mount"}, extra...)
	switch {
	case m.State == "ephemeral":
		cmd = append(cmd, "-t", m.FSType)
		if m.Opts != "defaults" {
			cmd = append(cmd, "-o", m.Opts)
		}
		cmd = append(cmd, m.Src)
	case m.FSTab != fstab:
		cmd = append(cmd, "-T", m.FSTab)
	}
	return succeed(m.ctx, w, "Error mounting "+m.Path, host.Cmd{Args: append(cmd, m.Path), Env: english})
}

func (m *mounting) remounted() error {
	if !m.mounted() {
		return fmt.Errorf("Error remounting %s: it is not mounted", m.Path)
	}
	return m.remount()
}

// remount mounts anew what cannot be remounted.
func (m *mounting) remount() error {
	options := "remount"
	if m.State == "remounted" && m.Opts != "defaults" {
		options += "," + m.Opts
	}
	return m.c.Change(NoDiff, func(w host.Writer) error {
		err := m.run(w, []string{"-o", options})
		if err == nil {
			return nil
		}
		if options != "remount" {
			return fmt.Errorf("the mount could not be given these options (unmount and mount it instead): %w", err)
		}
		if err := succeed(m.ctx, w, "Error remounting "+m.Path, host.Cmd{Args: []string{"umount", m.Path}, Env: english}); err != nil {
			return err
		}
		return m.run(w, nil)
	})
}
