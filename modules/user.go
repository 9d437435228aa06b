package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gplay/modules/host"
)

// User makes user accounts.
var User = define("user", "make sure that a user exists, or does not", userArgs{
	State: "present", CreateHome: true, UpdatePassword: "always", SSHKeyType: "rsa",
}, user).
	gives("name state append move_home changed stdout stderr uid group comment home shell create_home system groups password")

type userArgs struct {
	Name           string    `arg:"name" required:"true" alias:"user" doc:"The user."`
	State          string    `arg:"state" choices:"absent,present" doc:"Whether it is to be there."`
	UID            *int      `arg:"uid" doc:"Its number."`
	NonUnique      bool      `arg:"non_unique" doc:"The number may be another user's too."`
	Group          string    `arg:"group" doc:"Its primary group."`
	Groups         *[]string `arg:"groups" doc:"The other groups it is in; empty for none."`
	Append         bool      `arg:"append" doc:"Leave it in groups that are not listed."`
	Comment        *string   `arg:"comment" doc:"The full name, or a description."`
	Home           string    `arg:"home" type:"path" doc:"Its home directory."`
	Shell          string    `arg:"shell" doc:"Its login shell."`
	Password       *string   `arg:"password" secret:"true" doc:"The encrypted password."`
	UpdatePassword string    `arg:"update_password" choices:"always,on_create" doc:"Whether the password of a user who is there is changed."`
	PasswordLock   *bool     `arg:"password_lock" doc:"Whether logging in by password is off."`
	CreateHome     bool      `arg:"create_home" alias:"createhome" doc:"Make the home directory when it is missing."`
	MoveHome       bool      `arg:"move_home" doc:"Move what is in the old home directory to the new one."`
	Skeleton       string    `arg:"skeleton" doc:"The directory whose files a new home directory gets."`
	Umask          string    `arg:"umask" doc:"The umask for a new home directory."`
	System         bool      `arg:"system" doc:"A new user is to be a system account."`
	Force          bool      `arg:"force" doc:"Remove even a user who is logged in; overwrite an SSH key."`
	Remove         bool      `arg:"remove" doc:"Remove the home directory with the user."`
	Expires        *float64  `arg:"expires" doc:"When the account expires, in seconds since 1970; negative for never."`
	Local          bool      `arg:"local" doc:"Use the commands for local users (luseradd and its like)."`
	SEUser         string    `arg:"seuser" doc:"The SELinux user."`
	LoginClass     string    `arg:"login_class" doc:"Accepted for playbooks that are for BSD too."`
	Hidden         *bool     `arg:"hidden" doc:"Accepted for playbooks that are for macOS too."`
	Profile        string    `arg:"profile" doc:"Accepted for playbooks that are for Solaris too."`
	Authorization  string    `arg:"authorization" doc:"Accepted for playbooks that are for Solaris too."`
	Role           string    `arg:"role" doc:"Accepted for playbooks that are for Solaris too."`

	PasswordExpireMax *int `arg:"password_expire_max" doc:"Days after which the password must be changed."`
	PasswordExpireMin *int `arg:"password_expire_min" doc:"Days before the password may be changed."`

	GenerateSSHKey   bool    `arg:"generate_ssh_key" doc:"Make an SSH key when there is none."`
	SSHKeyBits       int     `arg:"ssh_key_bits" doc:"Its length."`
	SSHKeyType       string  `arg:"ssh_key_type" doc:"rsa, ecdsa or ed25519."`
	SSHKeyFile       string  `arg:"ssh_key_file" type:"path" doc:"Where it is, from the home directory."`
	SSHKeyComment    string  `arg:"ssh_key_comment" doc:"Its comment."`
	SSHKeyPassphrase *string `arg:"ssh_key_passphrase" secret:"true" doc:"What it is encrypted with."`
}

func user(ctx context.Context, c *Call, a userArgs) (Result, error) {
	if err := noOption("name", a.Name); err != nil {
		return nil, err
	}
	if a.Umask != "" && a.Local {
		return nil, errors.New("'umask' can not be used with 'local'")
	}
	if a.Password != nil && strings.ContainsAny(*a.Password, "\n:") {
		return nil, errors.New("an encrypted password has no colon and no line break")
	}
	if a.Append && a.Groups == nil {
		c.Warn("'append' is set, but no 'groups' are specified. Use 'groups' for appending new groups.")
	}
	if a.Password != nil && !looksEncrypted(*a.Password) {
		c.Warn("The input password appears not to have been hashed. The 'password' argument must be encrypted for this module to work properly.")
	}
	u := &userCall{accountTool{ctx: ctx, c: c, name: a.Name}, a}
	result := Result{"name": a.Name, "state": a.State}
	old, exists := findAccount(ctx, c, a.Name, a.Local)
	if a.State == "absent" {
		if exists {
			result["force"], result["remove"] = a.Force, a.Remove
			if err := u.remove(); err != nil {
				return nil, err
			}
		}
		u.addTo(result)
		return foretold(c, exists, result), nil
	}
	err := u.bring(old, exists, result)
	u.addTo(result)
	return foretold(c, !exists, result), err
}

// foretold is the result of making or removing an account: as in Ansible,
// check mode says no more of it than that it would change.
func foretold(c *Call, change bool, r Result) Result {
	if c.Check() && change {
		return nil
	}
	return r
}

type userCall struct {
	accountTool
	a userArgs
}

// bring creates the user or changes what is not as it is to be.
func (u *userCall) bring(old account, exists bool, result Result) error {
	var err error
	if exists {
		result["append"], result["move_home"] = u.a.Append, u.a.MoveHome
		err = u.modify(old)
	} else if u.c.Check() { // the groups may come with the user
		return u.c.Change(NoDiff, nil)
	} else {
		result["system"], result["create_home"] = u.a.System, u.a.CreateHome
		err = u.create()
	}
	if err != nil {
		return err
	}
	if u.a.Password != nil {
		result["password"] = "NOT_LOGGING_PASSWORD"
	}
	now, exists := findAccount(u.ctx, u.c, u.a.Name, u.a.Local)
	if !exists {
		if u.c.Check() {
			return nil
		}
		return fmt.Errorf("failed to look up user name: %s", u.a.Name)
	}
	result["uid"], result["group"], result["comment"], result["home"], result["shell"] = now.uid, now.gid, now.comment, now.home, now.shell
	if u.a.Groups != nil {
		result["groups"] = strings.Join(*u.a.Groups, ",")
	}
	if err := u.makeHome(now); err != nil {
		return err
	}
	if u.a.GenerateSSHKey {
		if err := u.sshKey(now, result); err != nil {
			return err
		}
	}
	return u.passwordAges(now)
}

var cryptField = regexp.MustCompile(`^[./0-9A-Za-z]*$`)

// looksEncrypted tells a crypt(3) hash, or a word that disables a password.
func looksEncrypted(p string) bool {
	if p == "" || p == "*" || p == "!" || p == "*************" {
		return true
	}
	fields := strings.Split(p, "$")
	if strings.ContainsAny(p, ":*!") || len(fields) < 3 {
		return false
	}
	last := fields[len(fields)-1]
	length := map[string]int{"1": 22, "5": 43, "6": 86}[fields[1]]
	return cryptField.MatchString(last) && (length == 0 || len(last) == length)
}

func (u *userCall) program(name string) string {
	if u.a.Local {
		return "l" + name
	}
	return name
}

func (u *userCall) remove() error {
	if !hasProgram(u.c, "userdel") && hasProgram(u.c, "deluser") {
		args := []string{"deluser"}
		if u.a.Remove {
			args = append(args, "--remove-home")
		}
		return u.run("", append(args, u.a.Name)...)
	}
	args := []string{u.program("userdel")}
	if u.a.Force && !u.a.Local {
		args = append(args, "-f")
	}
	if u.a.Remove {
		args = append(args, "-r")
	}
	return u.run("", append(args, u.a.Name)...)
}

// wantedGroups are the names of the groups, each of which has to exist.
func (u *userCall) wantedGroups() ([]string, error) {
	var names []string
	if u.a.Groups == nil {
		return nil, nil
	}
	for _, g := range *u.a.Groups {
		if g = strings.TrimSpace(g); g == "" {
			continue
		}
		found, exists := findGroup(u.ctx, u.c, g, u.a.Local)
		if !exists {
			return nil, fmt.Errorf("Group %s does not exist", g)
		}
		names = append(names, found.name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func (u *userCall) primaryGroup() (userGroup, error) {
	g, exists := findGroup(u.ctx, u.c, u.a.Group, u.a.Local)
	if !exists {
		return g, fmt.Errorf("Group %s does not exist", u.a.Group)
	}
	return g, nil
}

func (u *userCall) create() error {
	groups, err := u.wantedGroups()
	if err != nil {
		return err
	}
	if u.a.Group != "" {
		if _, err := u.primaryGroup(); err != nil {
			return err
		}
	}
	if err := u.makeParents(u.a.Home); err != nil {
		return err
	}
	if !hasProgram(u.c, u.program("useradd")) && hasProgram(u.c, "adduser") {
		err = u.createByBusyBox(groups)
	} else {
		err = u.run("", u.addCommand(groups)...)
	}
	if err != nil {
		return err
	}
	if u.a.Local {
		if err := u.createLocally(groups); err != nil {
			return err
		}
	}
	return u.setPassword(account{})
}

func (u *userCall) addCommand(groups []string) []string {
	a, cmd := u.a, []string{u.program("useradd")}
	add := func(on bool, words ...string) {
		if on {
			cmd = append(cmd, words...)
		}
	}
	cmd = append(cmd, u.number()...)
	add(a.SEUser != "", "-Z", a.SEUser)
	_, sameName := findGroup(u.ctx, u.c, a.Name, a.Local)
	add(a.Group != "", "-g", a.Group)
	add(a.Group == "" && sameName, map[bool]string{true: "-n", false: "-N"}[a.Local])
	add(len(groups) > 0 && !a.Local, "-G", strings.Join(groups, ","))
	if a.Comment != nil {
		cmd = append(cmd, "-c", *a.Comment)
	}
	add(a.Home != "", "-d", a.Home)
	add(a.Shell != "", "-s", a.Shell)
	if a.Expires != nil && !a.Local {
		cmd = append(cmd, "-e", expiryDate(*a.Expires))
	}
	switch {
	case !a.CreateHome:
		cmd = append(cmd, "-M")
	default:
		add(!a.Local, "-m")
		add(a.Skeleton != "", "-k", a.Skeleton)
		add(a.Umask != "", "-K", "UMASK="+a.Umask)
	}
	add(a.System, "-r")
	return append(cmd, a.Name)
}

func (u *userCall) number() []string {
	if u.a.UID == nil {
		return nil
	}
	words := []string{"-u", strconv.Itoa(*u.a.UID)}
	if u.a.NonUnique {
		words = append(words, "-o")
	}
	return words
}

func expiryDate(seconds float64) string {
	if seconds < 0 {
		return ""
	}
	return time.Unix(int64(seconds), 0).UTC().Format("2006-01-02")
}

func expiryDay(seconds float64) int {
	if seconds < 0 {
		return -1
	}
	return int(math.Floor(seconds)) / 86400
}

// createLocally does what luseradd has no options for.
func (u *userCall) createLocally(groups []string) error {
	if u.a.Expires != nil {
		if err := u.run("", "lchage", "-E", strconv.Itoa(expiryDay(*u.a.Expires)), u.a.Name); err != nil {
			return err
		}
	}
	for _, g := range groups {
		if err := u.run("", "lgroupmod", "-M", u.a.Name, g); err != nil {
			return err
		}
	}
	return nil
}

func (u *userCall) createByBusyBox(groups []string) error {
	a, cmd := u.a, []string{"adduser", "-D"}
	add := func(on bool, words ...string) {
		if on {
			cmd = append(cmd, words...)
		}
	}
	if a.UID != nil {
		cmd = append(cmd, "-u", strconv.Itoa(*a.UID))
	}
	_, sameName := findGroup(u.ctx, u.c, a.Name, false)
	add(a.Group != "", "-G", a.Group)
	add(a.Group == "" && sameName, "-G", a.Name)
	if a.Comment != nil {
		cmd = append(cmd, "-g", *a.Comment)
	}
	add(a.Home != "", "-h", a.Home)
	add(a.Shell != "", "-s", a.Shell)
	add(!a.CreateHome, "-H")
	add(a.Skeleton != "", "-k", a.Skeleton)
	add(a.System, "-S")
	if err := u.run("", append(cmd, a.Name)...); err != nil {
		return err
	}
	for _, g := range groups {
		if err := u.run("", "adduser", a.Name, g); err != nil {
			return err
		}
	}
	return nil
}

func (u *userCall) modify(old account) error {
	words, err := u.modifications(old)
	if err != nil {
		return err
	}
	joined, left, err := u.groupChanges()
	if err != nil {
		return err
	}
	if len(joined)+len(left) > 0 && !u.a.Local {
		words = append(words, u.groupWords()...)
	}
	if len(words) > 0 {
		if err := u.run("", append(append([]string{u.program("usermod")}, words...), u.a.Name)...); err != nil {
			return err
		}
	}
	if u.a.Local {
		if err := u.modifyLocally(old, joined, left); err != nil {
			return err
		}
	}
	if u.a.UpdatePassword == "always" {
		return u.setPassword(old)
	}
	return nil
}

// modifications are usermod's words for what differs, but for groups and the
// password.
func (u *userCall) modifications(old account) ([]string, error) {
	a, words := u.a, []string(nil)
	add := func(on bool, more ...string) {
		if on {
			words = append(words, more...)
		}
	}
	if a.UID != nil && *a.UID != old.uid {
		words = append(words, u.number()...)
	}
	if a.Group != "" {
		g, err := u.primaryGroup()
		if err != nil {
			return nil, err
		}
		add(g.gid != old.gid, "-g", strconv.Itoa(g.gid))
	}
	if a.Comment != nil {
		add(*a.Comment != old.comment, "-c", *a.Comment)
	}
	if a.Home != "" && a.Home != old.home {
		words = append(words, "-d", a.Home)
		add(a.MoveHome, "-m")
	}
	add(a.Shell != "" && a.Shell != old.shell, "-s", a.Shell)
	if a.Expires != nil && !a.Local && expiryDay(*a.Expires) != max(-1, old.expires) {
		words = append(words, "-e", expiryDate(*a.Expires))
	}
	if a.PasswordLock != nil && !u.passwordDiffers(old) {
		locked := strings.HasPrefix(old.password, "!")
		add(*a.PasswordLock && !locked, "-L")
		add(!*a.PasswordLock && locked, "-U")
	}
	return words, nil
}

// groupChanges are the groups the user is to join, and those it is to leave.
func (u *userCall) groupChanges() (joined, left []string, err error) {
	if u.a.Groups == nil {
		return nil, nil, nil
	}
	wanted, err := u.wantedGroups()
	if err != nil {
		return nil, nil, err
	}
	current := memberships(u.c, u.a.Name)
	for _, g := range wanted {
		if !slices.Contains(current, g) {
			joined = append(joined, g)
		}
	}
	for _, g := range current {
		if !u.a.Append && !slices.Contains(wanted, g) {
			left = append(left, g)
		}
	}
	return joined, left, nil
}

func (u *userCall) groupWords() []string {
	groups, _ := u.wantedGroups()
	words := []string{"-G", strings.Join(groups, ",")}
	if u.a.Append {
		words = append([]string{"-a"}, words...)
	}
	return words
}

func (u *userCall) modifyLocally(old account, joined, left []string) error {
	if u.a.Expires != nil && expiryDay(*u.a.Expires) != max(-1, old.expires) {
		if err := u.run("", "lchage", "-E", strconv.Itoa(expiryDay(*u.a.Expires)), u.a.Name); err != nil {
			return err
		}
	}
	for _, g := range joined {
		if err := u.run("", "lgroupmod", "-M", u.a.Name, g); err != nil {
			return err
		}
	}
	for _, g := range left {
		if err := u.run("", "lgroupmod", "-m", u.a.Name, g); err != nil {
			return err
		}
	}
	return nil
}

func (u *userCall) passwordDiffers(old account) bool {
	return u.a.Password != nil && u.a.UpdatePassword == "always" &&
		strings.TrimLeft(old.password, "!") != strings.TrimLeft(*u.a.Password, "!")
}

// setPassword hands the hash to chpasswd on its input: a process's arguments
// can be seen by everyone.
func (u *userCall) setPassword(old account) error {
	if u.a.Password == nil || old.name != "" && !u.passwordDiffers(old) {
		return nil
	}
	hash := *u.a.Password
	if u.a.PasswordLock != nil && *u.a.PasswordLock {
		hash = "!" + hash
	}
	return u.run(u.a.Name+":"+hash+"\n", "chpasswd", "-e")
}

func (u *userCall) passwordAges(now account) error {
	var words []string
	if m := u.a.PasswordExpireMin; m != nil && strconv.Itoa(*m) != now.minAge {
		words = append(words, "-m", strconv.Itoa(*m))
	}
	if m := u.a.PasswordExpireMax; m != nil && strconv.Itoa(*m) != now.maxAge {
		words = append(words, "-M", strconv.Itoa(*m))
	}
	if words == nil {
		return nil
	}
	return u.run("", append(append([]string{"chage"}, words...), u.a.Name)...)
}

// makeParents makes the directories that the home directory is to be in.
func (u *userCall) makeParents(home string) error {
	if home == "" || !u.a.CreateHome {
		return nil
	}
	var missing []string
	for dir := path.Dir(home); ; dir = path.Dir(dir) {
		if _, err := u.c.Stat(dir); err == nil || dir == "/" || dir == "." {
			break
		}
		missing = append(missing, dir)
	}
	if missing == nil {
		return nil
	}
	slices.Reverse(missing)
	return u.c.Change(NoDiff, func(w host.Writer) error {
		for _, dir := range missing {
			if err := w.Mkdir(dir, 0o755); err != nil {
				return err
			}
		}
		return nil
	})
}

// makeHome makes a home directory that is missing, as useradd would have.
func (u *userCall) makeHome(now account) error {
	home := now.home
	if u.a.Home != "" {
		home = u.a.Home
	}
	if _, err := u.c.Stat(home); !u.a.CreateHome || !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := u.makeParents(home); err != nil {
		return err
	}
	skeleton := "/etc/skel"
	if u.a.Skeleton != "" {
		skeleton = u.a.Skeleton
	}
	return u.c.Change(NoDiff, func(w host.Writer) error {
		if err := copySkeleton(u.c, w, skeleton, home, now); err != nil {
			return err
		}
		return w.Chmod(home, u.homeMode())
	})
}

// homeMode is what the umask leaves, ours or that of login.defs.
func (u *userCall) homeMode() os.FileMode {
	umask := u.a.Umask
	data, _ := u.c.ReadFile("/etc/login.defs")
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); umask == "" && len(f) == 2 && f[0] == "UMASK" {
			umask = f[1]
		}
	}
	n, err := strconv.ParseUint(umask, 8, 32)
	if err != nil {
		n = 0o022
	}
	return os.FileMode(0o777 &^ n)
}

func copySkeleton(c *Call, w host.Writer, from, to string, owner account) error {
	if err := w.Mkdir(to, 0o755); err != nil {
		return err
	}
	entries, err := c.ReadDir(from)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		source, target := path.Join(from, e.Name()), path.Join(to, e.Name())
		switch {
		case e.IsDir():
			err = copySkeleton(c, w, source, target, owner)
		case e.Mode()&fs.ModeSymlink != 0:
			var link string
			if link, err = c.Readlink(source); err == nil {
				err = errors.Join(w.Symlink(link, target), w.Lchown(target, owner.uid, owner.gid))
			}
		case e.Mode().IsRegular():
			err = copyFile(c, w, source, target, host.Attr{UID: owner.uid, GID: owner.gid, Mode: e.Perm()})
		}
		if err != nil {
			return err
		}
	}
	return w.Lchown(to, owner.uid, owner.gid)
}

func copyFile(c *Call, w host.Writer, from, to string, attr host.Attr) error {
	f, err := c.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return w.WriteFile(to, f, attr)
}
