package modules

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"gplay/modules/host"
)

// AptKey manages the keys that apt trusts.
var AptKey = define("apt_key", "add or remove a key that apt trusts", aptKeyArgs{State: "present", ValidateCerts: true}, aptKey).
	exclusive("data", "file", "keyserver", "url")

type aptKeyArgs struct {
	ID            string `arg:"id" doc:"The key's id: 8, 16 or more hexadecimal digits."`
	Data          string `arg:"data" doc:"The key itself."`
	File          string `arg:"file" type:"path" doc:"A file on the host that holds the key."`
	URL           string `arg:"url" doc:"Where the key is."`
	KeyServer     string `arg:"keyserver" doc:"A server that has the key of that id."`
	KeyRing       string `arg:"keyring" type:"path" doc:"The file of keys to change."`
	State         string `arg:"state" choices:"absent,present" doc:"Whether the key is to be there."`
	ValidateCerts bool   `arg:"validate_certs" doc:"Check the certificate of a URL's server."`
}

const (
	aptKeyRing    = "/etc/apt/trusted.gpg"
	aptKeyRingDir = "/etc/apt/trusted.gpg.d"
)

func aptKey(ctx context.Context, c *Call, a aptKeyArgs) (Result, error) {
	if a.ID == "" && a.KeyServer != "" {
		return nil, errors.New("Missing key_id, required with keyserver.")
	}
	var given []pgpKey
	id := a.ID
	if id == "" {
		var err error
		if given, err = a.keys(ctx, c); err != nil {
			return nil, err
		}
		id = given[0].ids[0]
	}
	wanted, err := parseKeyID(id)
	result := Result{"id": id}
	if err != nil {
		return nil, Fail("Invalid key_id", result)
	}
	result["short_id"], result["fp"], result["key_id"] = wanted.short(), wanted.long(), string(wanted)
	rings, err := a.rings(c)
	if err != nil {
		return nil, err
	}
	result["before"] = rings.ids(wanted)
	if a.State == "absent" {
		return result, rings.remove(c, wanted, result)
	}
	if rings.have(wanted) {
		return result, nil
	}
	if c.Check() { // which does not download the key, as in Ansible
		return result, c.Change(NoDiff, nil)
	}
	if given == nil {
		if given, err = a.keys(ctx, c); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(given, wanted.is) {
		return nil, Fail("apt-key did not return an error, but failed to add the key (check that the id is correct and *not* a subkey)", result)
	}
	return result, rings.add(c, given, wanted, result)
}

// keyID is the hexadecimal digits of a key's id, in capitals.
type keyID string

var keyIDForm = regexp.MustCompile(`^[0-9A-F]+$`)

func parseKeyID(s string) (keyID, error) {
	s = strings.TrimPrefix(strings.ReplaceAll(strings.ToUpper(s), " ", ""), "0X")
	if n := len(s); n != 8 && n < 16 || !keyIDForm.MatchString(s) {
		return "", errors.New("a key's id has 8, 16 or more hexadecimal digits")
	}
	return keyID(s), nil
}

func (id keyID) short() string { return string(id[len(id)-8:]) }
func (id keyID) long() string {
	if len(id) < 16 {
		return string(id)
	}
	return string(id[len(id)-16:])
}

// is compares as much of the id as is known.
func (id keyID) is(k pgpKey) bool {
	return slices.ContainsFunc(k.ids, func(own string) bool { return strings.HasSuffix(own, id.long()) })
}

// pgpKey is a public key with all that belongs to it, as bytes of a keyring.
type pgpKey struct {
	ids  []string // of the key and its subkeys, 16 digits each
	data []byte
}

// parseKeys reads public keys, in armour or not.
func parseKeys(data []byte) ([]pgpKey, error) {
	if bytes.Contains(data, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----")) {
		block, err := armor.Decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if data, err = io.ReadAll(block.Body); err != nil {
			return nil, err
		}
	}
	const publicKey, publicSubkey = 6, 14
	var keys []pgpKey
	packets := packet.NewOpaqueReader(bytes.NewReader(data))
	for {
		p, err := packets.Next()
		if err == io.EOF {
			return keys, nil
		}
		if err != nil {
			return nil, err
		}
		if p.Tag == publicKey {
			keys = append(keys, pgpKey{})
		}
		if len(keys) == 0 {
			return nil, errors.New("it starts with no public key")
		}
		k := &keys[len(keys)-1]
		if p.Tag == publicKey || p.Tag == publicSubkey {
			parsed, err := p.Parse()
			if public, ok := parsed.(*packet.PublicKey); ok && err == nil {
				k.ids = append(k.ids, fmt.Sprintf("%016X", public.KeyId))
			}
		}
		var raw bytes.Buffer
		if err := p.Serialize(&raw); err != nil {
			return nil, err
		}
		k.data = append(k.data, raw.Bytes()...)
	}
}

// keys are those that the arguments give.
func (a aptKeyArgs) keys(ctx context.Context, c *Call) ([]pgpKey, error) {
	var data []byte
	var err error
	where := "inline data"
	switch {
	case a.URL != "":
		where = a.URL
		data, err = httpGetAll(ctx, a.URL, a.ValidateCerts)
	case a.File != "":
		where = a.File
		data, err = c.ReadFile(a.File)
	case a.KeyServer != "":
		where = a.KeyServer
		data, err = httpGetAll(ctx, keyServerURL(a.KeyServer, a.ID), a.ValidateCerts)
	case a.Data != "":
		data = []byte(a.Data)
	default:
		return nil, errors.New("one of the following is required: data, file, id, keyserver, url")
	}
	if err != nil {
		return nil, fmt.Errorf("Failed to download key at %s: %w", where, err)
	}
	keys, err := parseKeys(data)
	if err == nil && (len(keys) == 0 || len(keys[0].ids) == 0) {
		err = errors.New("it holds no public key")
	}
	if err != nil {
		return nil, fmt.Errorf("Unable to extract key from '%s': %w", where, err)
	}
	return keys, nil
}

// keyServerURL asks in the protocol of PGP's key servers.
func keyServerURL(server, id string) string {
	scheme, address, found := strings.Cut(server, "://")
	if !found {
		scheme, address = "hkp", server
	}
	web := map[string]string{"hkp": "http", "hkps": "https"}[scheme]
	if web == "" {
		web = scheme
	}
	if scheme == "hkp" && !strings.Contains(address, ":") {
		address += ":11371"
	}
	digits := strings.TrimPrefix(strings.ToUpper(strings.ReplaceAll(id, " ", "")), "0X")
	return fmt.Sprintf("%s://%s/pks/lookup?op=get&options=mr&search=0x%s", web, strings.TrimRight(address, "/"), digits)
}

// keyRings are the files of keys that apt trusts, or the one that was named.
type keyRings struct {
	target string // the one that gets new keys
	files  []string
	data   map[string][]byte
	keys   map[string][]pgpKey
}

func (a aptKeyArgs) rings(c *Call) (keyRings, error) {
	r := keyRings{target: aptKeyRing, data: map[string][]byte{}, keys: map[string][]pgpKey{}}
	files := []string{aptKeyRing}
	if a.KeyRing != "" {
		r.target, files = a.KeyRing, []string{a.KeyRing}
	} else if entries, err := c.ReadDir(aptKeyRingDir); err == nil {
		for _, e := range entries {
			if ext := path.Ext(e.Name()); ext == ".gpg" || ext == ".asc" {
				files = append(files, path.Join(aptKeyRingDir, e.Name()))
			}
		}
	}
	for _, file := range files {
		data, err := c.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return r, err
		}
		keys, err := parseKeys(data)
		if err != nil {
			return r, fmt.Errorf("Unable to list public keys of %s: %w", file, err)
		}
		r.files = append(r.files, file)
		r.data[file], r.keys[file] = data, keys
	}
	return r, nil
}

// ids lists all keys' ids, as short as the one that was asked for.
func (r keyRings) ids(like keyID) []any {
	all := []any{}
	for _, file := range r.files {
		for _, k := range r.keys[file] {
			for _, id := range k.ids {
				if len(like) == 8 {
					id = id[8:]
				}
				all = append(all, id)
			}
		}
	}
	return all
}

func (r keyRings) have(id keyID) bool {
	return slices.ContainsFunc(r.files, func(f string) bool { return slices.ContainsFunc(r.keys[f], id.is) })
}

func (r keyRings) add(c *Call, keys []pgpKey, id keyID, result Result) error {
	var ring []byte
	for _, k := range append(slices.Clone(r.keys[r.target]), keys...) {
		ring = append(ring, k.data...)
	}
	err := c.Change(NoDiff, func(w host.Writer) error { return writeRing(w, r.target, ring) })
	if !slices.Contains(r.files, r.target) {
		r.files = append(r.files, r.target)
	}
	r.keys[r.target] = append(slices.Clone(r.keys[r.target]), keys...)
	result["after"] = r.ids(id)
	return err
}

// writeRing writes keys for apt, which reads them as a user without rights.
func writeRing(w host.Writer, file string, keys []byte) error {
	return w.WriteFile(file, bytes.NewReader(keys), host.Attr{UID: host.Keep, GID: host.Keep, Mode: 0o644})
}

func (r keyRings) remove(c *Call, id keyID, result Result) error {
	if !r.have(id) {
		return nil
	}
	err := c.Change(NoDiff, func(w host.Writer) error {
		for _, file := range r.files {
			if !slices.ContainsFunc(r.keys[file], id.is) {
				continue
			}
			r.keys[file] = slices.DeleteFunc(r.keys[file], id.is)
			if err := r.rewrite(w, file); err != nil {
				return err
			}
		}
		return nil
	})
	if !c.Check() {
		result["after"] = r.ids(id)
	}
	return err
}

func (r keyRings) rewrite(w host.Writer, file string) error {
	var ring []byte
	for _, k := range r.keys[file] {
		ring = append(ring, k.data...)
	}
	if ring == nil {
		return w.Remove(file)
	}
	if path.Ext(file) == ".asc" {
		var text bytes.Buffer
		armored, err := armor.Encode(&text, "PGP PUBLIC KEY BLOCK", nil)
		if err != nil {
			return err
		}
		if _, err := armored.Write(ring); err != nil {
			return err
		}
		if err := armored.Close(); err != nil {
			return err
		}
		ring = text.Bytes()
	}
	return writeRing(w, file, ring)
}
