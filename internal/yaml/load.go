package yaml

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	yamlv3 "gopkg.in/yaml.v3"

	"gplay/internal/source"
	"gplay/internal/vault"
	"gplay/jinja"
)

// Options say how a text is read. The zero value is for trusted files: text
// with Jinja2 in it becomes a *Template.
type Options struct {
	Data bool             // nothing is a template
	Warn func(msg string) // of duplicate keys; may be nil
	// DuplicateKeys says what a key that is there twice is: "error", "ignore",
	// or else worth a warning.
	DuplicateKeys string
	// Vault decrypts what a trusted text has encrypted.
	Vault *vault.Keys
}

// ReadFile reads a YAML or JSON file. An empty file gives a null node.
func ReadFile(file string, o Options) (*Node, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, data, o)
}

// Locked is the error about a file that could not be decrypted.
func Locked(file string, err error) *source.Error {
	e := &source.Error{Pos: source.Pos{File: file}, Msg: "the file is encrypted: " + err.Error(), Known: err.Error(), Err: err}
	switch {
	case errors.Is(err, vault.ErrNoPassword):
		e.Msg = "the file is encrypted, and there is no vault password"
		e.Hint = "give it with --vault-password-file, --vault-id or --ask-vault-pass"
	case errors.Is(err, vault.ErrNoneFits):
		e.Msg = "the file is encrypted, and no vault password fits"
		if abs, err := filepath.Abs(file); err == nil {
			e.Known += " on " + abs
		}
	}
	return e
}

// Load reads a trusted text into template values: *jinja.Dict, *jinja.List,
// scalars, and a *Template where the text has Jinja2.
func Load(file string, data []byte, o Options) (any, error) {
	n, err := Parse(file, data, o)
	if err != nil {
		return nil, err
	}
	return n.Any(), nil
}

// Parse reads a YAML or JSON text with the places of its parts; file is the
// name they carry. An empty text gives a null node. Its errors are
// *source.Error.
func Parse(file string, data []byte, o Options) (*Node, error) {
	if !o.Data && vault.IsEncrypted(data) {
		var err error
		if data, _, err = o.Vault.Open(data); err != nil {
			return nil, Locked(file, err)
		}
	}
	src := &text{file: file, data: data}
	if !utf8.Valid(data) {
		return nil, notUTF8(src)
	}
	c := &converter{src: src, opts: o}
	if looksLikeJSON(data) {
		if n, err := parseJSON(c); err == nil {
			return n, nil
		}
	}
	dec, restored := decoder(data)
	var doc, second yamlv3.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && doc.Kind == 0 {
		return &Node{Pos: source.Pos{File: file, Line: 1, Col: 1}}, nil
	}
	if err == nil {
		restored(&doc)
		err = dec.Decode(&second)
		if err == nil {
			return nil, &source.Error{Pos: c.pos(&second), Msg: "a second YAML document begins here, but a file may hold only one",
				Hint: "remove the --- line before it, or move it to a file of its own"}
		}
		if errors.Is(err, io.EOF) {
			return c.convert(doc.Content[0])
		}
	}
	return nil, syntaxError(src, err)
}

// LoadAll reads the documents of a text, as Load does with one.
func LoadAll(file string, data []byte, o Options) ([]any, error) {
	src := &text{file: file, data: data}
	if !utf8.Valid(data) {
		return nil, notUTF8(src)
	}
	var all []any
	dec, restored := decoder(data)
	for {
		var doc yamlv3.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, syntaxError(src, err)
		}
		if doc.Kind == 0 {
			all = append(all, nil)
			continue
		}
		restored(&doc)
		c := &converter{src: src, opts: o}
		n, err := c.convert(doc.Content[0])
		if err != nil {
			return nil, err
		}
		all = append(all, n.Any())
	}
}

func looksLikeJSON(data []byte) bool {
	t := bytes.TrimLeft(data, " \t\r\n")
	return len(t) > 0 && (t[0] == '{' || t[0] == '[')
}

// LoadDict reads a trusted file of variables: a dict, or nothing.
func LoadDict(file string, keys *vault.Keys) (*jinja.Dict, error) {
	n, err := LoadNode(file, keys)
	if err != nil {
		return nil, err
	}
	switch v := n.Any().(type) {
	case nil:
		return jinja.NewDict(), nil
	case *jinja.Dict:
		return v, nil
	}
	fault := NoDict(n)
	fault.Known = file + " must be stored as a dictionary/hash"
	return nil, fault
}

// NoDict is the error of a file that is to be a dict of variables and is n.
func NoDict(n *Node) *source.Error {
	return source.Errorf(n.Pos, "a dict of variables is expected here, not %s", n.Describe())
}

// LoadNode reads a trusted file. No output shows the values of an encrypted
// one.
func LoadNode(file string, keys *vault.Keys) (*Node, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	n, err := Parse(file, data, Options{Vault: keys})
	if err == nil && vault.IsEncrypted(data) {
		n.Hide(keys)
	}
	return n, err
}
