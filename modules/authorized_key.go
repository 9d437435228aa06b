package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gplay/modules/host"
)

// AuthorizedKey manages the SSH keys that may log in as a user.
var AuthorizedKey = define("authorized_key", "add or remove SSH keys that may log in as a user", authorizedKeyArgs{
	State: "present", ManageDir: true, ValidateCerts: true,
}, authorizedKey).
	gives("user key path manage_dir state exclusive validate_certs follow key_options comment keyfile changed diff before_header after_header before after")

type authorizedKeyArgs struct {
	User          string  `arg:"user" required:"true" doc:"The user."`
	Key           string  `arg:"key" required:"true" doc:"The public keys, a line each, or the URL where they are."`
	Path          string  `arg:"path" type:"path" doc:"The file, instead of the one in the user's home directory."`
	ManageDir     bool    `arg:"manage_dir" doc:"Make the file's directory, and give it owner and mode."`
	State         string  `arg:"state" choices:"absent,present" doc:"Whether the keys are to be there."`
	KeyOptions    *string `arg:"key_options" doc:"The options the keys are to have."`
	Exclusive     bool    `arg:"exclusive" doc:"Remove all other keys."`
	Comment       *string `arg:"comment" doc:"The comment the keys are to have."`
	ValidateCerts bool    `arg:"validate_certs" doc:"Check the certificate of a URL's server."`
	Follow        bool    `arg:"follow" doc:"Change what a link points to, not the link."`
}

func authorizedKey(ctx context.Context, c *Call, a authorizedKeyArgs) (Result, error) {
	text := a.Key
	if strings.HasPrefix(text, "http") {
		data, err := httpGetAll(ctx, text, a.ValidateCerts)
		if err != nil {
			return nil, fmt.Errorf("Error getting key from: %s", text)
		}
		text = string(data)
	}
	owner, file, err := a.file(ctx, c)
	if err != nil {
		return nil, err
	}
	old, err := c.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	wanted, err := a.keys(text)
	if err != nil {
		return nil, err
	}
	lines := a.merge(parseKeyFile(string(old)), wanted)
	result := Result{
		"user": a.User, "key": a.Key, "keyfile": file, "state": a.State, "manage_dir": a.ManageDir, "exclusive": a.Exclusive,
		"validate_certs": a.ValidateCerts, "follow": a.Follow, "path": nil, "comment": nil, "key_options": nil,
	}
	if a.Path != "" {
		result["path"] = a.Path
	}
	if a.Comment != nil {
		result["comment"] = *a.Comment
	}
	if a.KeyOptions != nil {
		result["key_options"] = *a.KeyOptions
	}
	if lines == nil {
		return result, nil
	}
	content := formatKeyFile(lines)
	return result, c.Change(Diff{file, string(old), content}, func(w host.Writer) error {
		return a.write(c, w, owner, file, content)
	})
}

// file is where the user's keys are.
func (a authorizedKeyArgs) file(ctx context.Context, c *Call) (account, string, error) {
	owner, exists := findAccount(ctx, c, a.User, false)
	switch {
	case !exists && a.Path == "" && c.Check():
		return owner, "", errors.New("Either user must exist or you must provide full path to key file in check mode")
	case !exists && !c.Check():
		return owner, "", fmt.Errorf("Failed to lookup user %s: there is no such user", a.User)
	}
	file := a.Path
	if file == "" {
		file = path.Join(owner.home, ".ssh", "authorized_keys")
	}
	if a.Follow {
		if target, err := filepath.EvalSymlinks(file); err == nil {
			file = target
		}
	}
	return owner, file, nil
}

func (a authorizedKeyArgs) write(c *Call, w host.Writer, owner account, file, content string) error {
	dir := path.Dir(file)
	_, err := c.Stat(dir)
	missing := errors.Is(err, fs.ErrNotExist)
	if missing {
		if !a.ManageDir && a.Path == "" {
			return fmt.Errorf("Failed to create directory %s: manage_dir is off", dir)
		}
		if err := w.Mkdir(dir, 0o700); err != nil {
			return fmt.Errorf("Failed to create directory %s : %w", dir, err)
		}
	}
	if a.ManageDir {
		if err := errors.Join(w.Lchown(dir, owner.uid, owner.gid), w.Chmod(dir, 0o700)); err != nil {
			return err
		}
	}
	return w.WriteFile(file, strings.NewReader(content), host.Attr{UID: owner.uid, GID: owner.gid, Mode: 0o600})
}

// keyLine is a line of authorized_keys: a key, or text that is none.
type keyLine struct {
	options       []string // name or name="value", in order
	kind, key     string
	comment, text string // text of a line that is no key
}

func (k keyLine) String() string {
	if k.key == "" {
		return k.text
	}
	words := []string{k.kind, k.key}
	if len(k.options) > 0 {
		words = append([]string{strings.Join(k.options, ",")}, words...)
	}
	if k.comment != "" {
		words = append(words, k.comment)
	}
	return strings.Join(words, " ")
}

func (k keyLine) same(o keyLine) bool {
	set := func(options []string) map[string]bool {
		m := map[string]bool{}
		for _, o := range options {
			m[o] = true
		}
		return m
	}
	return k.key == o.key && k.kind == o.kind && k.comment == o.comment && maps.Equal(set(k.options), set(o.options))
}

var keyKinds = []string{"sk-ecdsa-sha2-nistp256@openssh.com", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
	"webauthn-sk-ecdsa-sha2-nistp256@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com",
	"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp521",
	"ecdsa-sha2-nistp521-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com",
	"ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", "ssh-dss", "ssh-rsa", "ssh-xmss@openssh.com",
	"ssh-xmss-cert-v01@openssh.com", "rsa-sha2-256", "rsa-sha2-512", "ssh-rsa-cert-v01@openssh.com",
	"rsa-sha2-256-cert-v01@openssh.com", "rsa-sha2-512-cert-v01@openssh.com", "ssh-dss-cert-v01@openssh.com"}

// parseKeyLine reads [options] kind key [comment].
func parseKeyLine(line string) (keyLine, bool) {
	words := unquotedFields(line, ' ')
	i := slices.IndexFunc(words, func(w string) bool { return slices.Contains(keyKinds, w) })
	if i < 0 || i > 1 || len(words) < i+2 || strings.HasPrefix(line, "#") {
		return keyLine{text: line}, false
	}
	k := keyLine{kind: words[i], key: words[i+1], comment: strings.Join(words[i+2:], " ")}
	if i == 1 {
		k.options = unquotedFields(words[0], ',')
	}
	return k, true
}

// unquotedFields splits at a sign outside of double quotes.
func unquotedFields(s string, sign rune) []string {
	quoted, escaped := false, false
	return strings.FieldsFunc(s, func(r rune) bool {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case (r == sign || sign == ' ' && r == '\t') && !quoted:
			return true
		}
		return false
	})
}

func parseKeyFile(text string) []keyLine {
	if text == "" {
		return nil
	}
	var lines []keyLine
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		k, _ := parseKeyLine(line)
		lines = append(lines, k)
	}
	return lines
}

func formatKeyFile(lines []keyLine) string {
	var b strings.Builder
	for _, k := range lines {
		b.WriteString(k.String() + "\n")
	}
	return b.String()
}

func (a authorizedKeyArgs) keys(text string) ([]keyLine, error) {
	var keys []keyLine
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, "\r")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, ok := parseKeyLine(line)
		if !ok {
			return nil, fmt.Errorf("invalid key specified: %s", line)
		}
		if a.KeyOptions != nil {
			k.options = unquotedFields(*a.KeyOptions, ',')
		}
		if a.Comment != nil {
			k.comment = *a.Comment
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// merge gives the lines as they are to be, nil when they are so already.
// Changed keys and new ones come last, in the order they were given.
func (a authorizedKeyArgs) merge(old, wanted []keyLine) []keyLine {
	lines, changed := slices.Clone(old), false
	drop := func(which func(keyLine) bool) {
		before := len(lines)
		lines = slices.DeleteFunc(lines, which)
		changed = changed || len(lines) < before
	}
	for _, k := range wanted {
		switch {
		case a.State == "absent":
			drop(func(l keyLine) bool { return l.key == k.key })
		case !slices.ContainsFunc(lines, k.same):
			drop(func(l keyLine) bool { return l.key == k.key })
			lines, changed = append(lines, k), true
		}
	}
	if a.Exclusive && a.State == "present" {
		drop(func(l keyLine) bool {
			return !slices.ContainsFunc(wanted, func(k keyLine) bool { return k.key == l.key })
		})
	}
	if !changed {
		return nil
	}
	if lines == nil {
		lines = []keyLine{}
	}
	return lines
}
