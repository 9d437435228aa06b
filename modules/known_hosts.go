package modules

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"gplay/modules/host"
)

// KnownHosts keeps the keys by which SSH knows hosts.
var KnownHosts = define("known_hosts", "add or remove a host's key in a file of known hosts", knownHostsArgs{
	State: "present", Path: "~/.ssh/known_hosts",
}, knownHosts).
	gives("name path state hash_host key diff before_header after_header before after")

type knownHostsArgs struct {
	Name     string `arg:"name" alias:"host" required:"true" doc:"The host; [host]:port where the port is not 22."`
	Key      string `arg:"key" doc:"The line of its key, as ssh-keyscan prints it. Without it all keys of the host are removed."`
	Path     string `arg:"path" type:"path" doc:"The file."`
	HashHost bool   `arg:"hash_host" doc:"Hide the host's name in the file."`
	State    string `arg:"state" choices:"absent,present" doc:"Whether the key is to be there."`
}

func knownHosts(ctx context.Context, c *Call, a knownHostsArgs) (Result, error) {
	name := strings.ToLower(a.Name)
	key, err := a.key(name)
	if err != nil {
		return nil, err
	}
	old, err := readIfThere(c, a.Path)
	if err != nil {
		return nil, err
	}
	lines := a.edit(slices.Collect(strings.Lines(old)), name, key)
	r := Result{"name": a.Name, "key": nil, "path": a.Path, "hash_host": a.HashHost}
	if a.Key != "" {
		r["key"] = a.Key
	}
	text := strings.Join(lines, "")
	if text == old {
		return r, nil
	}
	title := a.Path
	if old == "" && !fileExists(c, a.Path) {
		title = "/dev/null"
	}
	target := followLinks(c, a.Path)
	return r, c.Change(Diff{"", Titled{title, old}, Titled{a.Path, text}}, func(w host.Writer) error {
		if !fileExists(c, path.Dir(target)) {
			return fmt.Errorf("Failed to write to file %s: the directory %s does not exist", a.Path, path.Dir(target))
		}
		return w.WriteFile(target, strings.NewReader(text), host.KeepAll)
	})
}

// key reads the argument; nil for none.
func (a knownHostsArgs) key(name string) (*knownHost, error) {
	switch {
	case a.Key == "" && a.State == "present":
		return nil, errors.New("No key specified when adding a host")
	case a.Key == "":
		return nil, nil
	case strings.Contains(name, ","):
		return nil, errors.New("Comma separated list of names is not supported. Please pass a single name to lookup in the known_hosts file.")
	}
	key, ok := parseKnownHost(a.Key)
	if !ok || !key.is(name) {
		return nil, errors.New("Host parameter does not match hashed host field in supplied key")
	}
	if a.HashHost {
		key.hosts = hashedHost(name)
	}
	return &key, nil
}

// edit gives the file as it is to be. The first key of the same type is
// replaced, or removed.
func (a knownHostsArgs) edit(lines []string, name string, key *knownHost) []string {
	if key == nil {
		return slices.DeleteFunc(lines, func(l string) bool {
			k, ok := parseKnownHost(l)
			return ok && k.is(name)
		})
	}
	var kept []string
	same, replaced := false, false
	for _, l := range lines {
		k, ok := parseKnownHost(l)
		hit := ok && k.is(name) && k.kind == key.kind && !same && !replaced
		equal := hit && k.key == key.key && k.marker == key.marker && (k.hosts == key.hosts || k.hashed() && key.hashed())
		switch {
		case equal && a.State == "present":
			same = true
		case hit: // as Ansible: absent, too, takes any key of the type
			replaced = true
			continue
		}
		kept = append(kept, l)
	}
	if a.State == "absent" || same {
		return kept
	}
	if n := len(kept); n > 0 && !strings.HasSuffix(kept[n-1], "\n") {
		kept[n-1] += "\n"
	}
	return append(kept, key.line(a.Key))
}

// knownHost is a line of such a file.
type knownHost struct {
	marker    string // @cert-authority, @revoked or nothing
	hosts     string // patterns, or one hashed name
	kind, key string
}

func parseKnownHost(line string) (knownHost, bool) {
	fields := strings.Fields(line)
	if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
		return knownHost{}, false
	}
	var k knownHost
	if strings.HasPrefix(fields[0], "@") {
		k.marker, fields = fields[0], fields[1:]
	}
	if len(fields) < 3 {
		return k, false
	}
	k.hosts, k.kind, k.key = fields[0], fields[1], fields[2]
	return k, true
}

// line is the key as it was given, with the name hidden if it is to be.
func (k knownHost) line(given string) string {
	if !k.hashed() || strings.Contains(given, hashedMark) {
		return strings.TrimSuffix(given, "\n") + "\n"
	}
	return strings.TrimLeft(strings.Join([]string{k.marker, k.hosts, k.kind, k.key}, " "), " ") + "\n"
}

const hashedMark = "|1|"

func (k knownHost) hashed() bool { return strings.HasPrefix(k.hosts, hashedMark) }

// is reports whether the line is for a host.
func (k knownHost) is(name string) bool {
	if k.hashed() {
		salt, sum, _ := strings.Cut(strings.TrimPrefix(k.hosts, hashedMark), "|")
		rawSalt, err := base64.StdEncoding.DecodeString(salt)
		rawSum, err2 := base64.StdEncoding.DecodeString(sum)
		return err == nil && err2 == nil && bytes.Equal(rawSum, hostSum(rawSalt, name))
	}
	found := false
	for pattern := range strings.SplitSeq(strings.ToLower(k.hosts), ",") {
		bare, negated := strings.CutPrefix(pattern, "!")
		if fnmatch(strings.ReplaceAll(bare, "[", "[[]"), name) {
			if negated {
				return false
			}
			found = true
		}
	}
	return found
}

func hostSum(salt []byte, name string) []byte {
	h := hmac.New(sha1.New, salt)
	h.Write([]byte(name))
	return h.Sum(nil)
}

func hashedHost(name string) string {
	salt := make([]byte, sha1.Size)
	rand.Read(salt) // never fails
	return hashedMark + base64.StdEncoding.EncodeToString(salt) + "|" + base64.StdEncoding.EncodeToString(hostSum(salt, name))
}
