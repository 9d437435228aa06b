package lookups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gplay/internal/unixcrypt"
	"gplay/jinja"
	"gplay/playbook/filters"
)

// characterSets are the sets that chars= can name.
var characterSets = map[string]string{
	"ascii_letters":   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"ascii_lowercase": "abcdefghijklmnopqrstuvwxyz",
	"ascii_uppercase": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"digits":          "0123456789",
	"hexdigits":       "0123456789abcdefABCDEF",
	"octdigits":       "01234567",
	"printable":       "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\v\f",
	"punctuation":     "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
	"whitespace":      " \t\n\r\v\f",
}

// saltSizes are how long the salt of a scheme is that is kept in the file.
var saltSizes = map[string]int{"md5_crypt": 8, "bcrypt": 22, "sha256_crypt": 16, "sha512_crypt": 16}

var passwordOptions = []string{"length", "encrypt", "chars", "ident", "seed"}

// password gives the password that a file holds, and makes the file where
// there is none. /dev/null is a new password each time.
func password(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	return each(terms, lacks("split"), func(term string) ([]any, error) {
		path, given, _ := strings.Cut(term, " ")
		rest, own, err := inline(given)
		if err != nil {
			return nil, err
		}
		if rest != "" {
			path += " " + rest
		}
		if others := unknown(own, passwordOptions); len(others) > 0 {
			return nil, fmt.Errorf("Unrecognized parameter(s) given to password lookup: %s", strings.Join(others, ", "))
		}
		o := read(c, overlaid(options, own), passwordOptions...)
		p := wantedPassword{
			length: max(o.int("length", 20), 0), encrypt: o.text("encrypt", ""), ident: o.text("ident", ""),
			letters: candidates(o.value("chars", jinja.NewList("ascii_letters", "digits", ".,:-_"))),
		}
		if o.value("seed", nil) != nil {
			p.seed = o.text("seed", "")
		}
		if chars, ok := options.Get("chars"); ok && chars != nil && !hasKey(own, "chars") {
			p.letters = candidates(listOption(chars))
		}
		if !filepath.IsAbs(path) {
			path = c.candidatesBelow(path)
		}
		if o.err != nil {
			return nil, o.err
		}
		v, err := p.get(path)
		return []any{v}, err
	})
}

// candidatesBelow is the path of a password file beside the playbook.
func (c *Context) candidatesBelow(path string) string {
	if strings.HasPrefix(path, "~/") {
		return c.candidates(path, "")[0]
	}
	return filepath.Join(c.baseDir(), path)
}

func hasKey(d *jinja.Dict, key string) bool { _, ok := d.Get(key); return ok }

// listOption is an option that is a list: of a text, what stands between commas.
func listOption(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	l := jinja.NewList()
	for part := range strings.SplitSeq(s, ",") {
		l.Items = append(l.Items, strings.TrimSpace(part))
	}
	return l
}

// candidates are the characters of chars=: names of sets and the characters
// themselves, without quotes.
func candidates(v any) string {
	var parts []string
	switch v := v.(type) {
	case string:
		if strings.Contains(v, ",,") {
			parts = append(parts, ",")
		}
		parts = append(parts, strings.Split(strings.ReplaceAll(v, ",,", ","), ",")...)
	case *jinja.List:
		for _, item := range v.Items {
			parts = append(parts, jinja.Str(item))
		}
	}
	var letters strings.Builder
	for _, part := range parts {
		if set, ok := characterSets[part]; ok {
			part = set
		}
		letters.WriteString(part)
	}
	return strings.NewReplacer(`"`, "", "'", "").Replace(letters.String())
}

type wantedPassword struct {
	length                  int
	encrypt, ident, letters string
	seed                    any
}

func (p wantedPassword) get(path string) (string, error) {
	if path == os.DevNull {
		plain, err := p.random()
		if err != nil {
			return "", err
		}
		return p.shown(plain, "")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	defer root.Close()
	name := filepath.Base(path)
	// Two hosts may ask for the same file at once: the one that makes it wins.
	content, err := p.readOrMake(root, name)
	if err != nil {
		return "", err
	}
	plain, salt, ident := parsePassword(content)
	if p.ident == "" {
		p.ident = ident
	}
	if p.encrypt != "" && salt == "" {
		if salt, err = p.newSalt(); err != nil {
			return "", err
		}
		line := plain + " salt=" + salt
		if p.encrypt == "bcrypt" {
			line += " ident=" + p.bcryptIdent()
		}
		if err := root.WriteFile(name, []byte(line+"\n"), 0o600); err != nil {
			return "", err
		}
	}
	return p.shown(plain, salt)
}

func (p wantedPassword) bcryptIdent() string {
	if p.ident != "" {
		return p.ident
	}
	return "2b"
}

func (p wantedPassword) readOrMake(root *os.Root, name string) (string, error) {
	content, err := root.ReadFile(name)
	if err == nil {
		return strings.TrimRightFunc(string(content), isSpace), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	plain, err := p.random()
	if err != nil {
		return "", err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(plain + "\n")
	return plain, errors.Join(err, f.Close())
}

func (p wantedPassword) random() (string, error) {
	if p.seed != nil {
		return filters.SeededText(p.length, p.letters, p.seed)
	}
	return unixcrypt.Random(p.length, p.letters)
}

// newSalt leaves the bits of bcrypt's last letter that mean nothing zero.
func (p wantedPassword) newSalt() (string, error) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./"
	size, ok := saltSizes[p.encrypt]
	if !ok {
		size = 8
	}
	if p.encrypt != "bcrypt" {
		return unixcrypt.Random(size, letters)
	}
	salt, err := unixcrypt.Random(size-1, letters)
	return salt + "u", err
}

// shown is the password as the lookup gives it: plain or hashed.
func (p wantedPassword) shown(plain, salt string) (string, error) {
	if p.encrypt == "" {
		return plain, nil
	}
	switch p.encrypt {
	case "md5", "blowfish", "sha256", "sha512": // which only the filter knows
		return "", fmt.Errorf("passlib does not support '%s' algorithm", p.encrypt)
	}
	hash, err := filters.EncryptPassword(plain, p.encrypt, unixcrypt.Options{Salt: salt, Ident: p.ident})
	if err != nil {
		return "", fmt.Errorf("the password cannot be encrypted: %w", err)
	}
	return hash, nil
}

// parsePassword takes a line `password salt=… ident=…` apart.
func parsePassword(content string) (plain, salt, ident string) {
	i := strings.LastIndex(content, " salt=")
	if i < 0 {
		return content, "", ""
	}
	salt, ident, _ = strings.Cut(content[i+len(" salt="):], " ident=")
	return content[:i], salt, ident
}
