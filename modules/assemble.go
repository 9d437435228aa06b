package modules

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"gplay/internal/pyregex"
)

// Assemble makes a file of fragments.
var Assemble = define("assemble", "make a file of the fragments in a directory", assembleArgs{RemoteSrc: true, Decrypt: true}, assemble).
	gives("src dest checksum md5sum changed msg diff before after before_header after_header")

type assembleArgs struct {
	Src          string `arg:"src" type:"path" required:"true" doc:"The directory of the fragments, which are taken in the order of their names."`
	Dest         string `arg:"dest" type:"path" required:"true" doc:"The file to make."`
	Backup       bool   `arg:"backup" doc:"Keep a copy of what is there."`
	Delimiter    string `arg:"delimiter" doc:"What to put between fragments; \\n and its like are escapes."`
	RemoteSrc    bool   `arg:"remote_src" doc:"src is on the host; else on the controller."`
	Regexp       string `arg:"regexp" doc:"Take only fragments whose name matches."`
	IgnoreHidden bool   `arg:"ignore_hidden" doc:"Leave out names that begin with a dot."`
	Validate     string `arg:"validate" doc:"A command that must accept the file before it is put in place; %s is its path."`
	Decrypt      bool   `arg:"decrypt" doc:"Decrypt fragments of the controller that are vault files."`
	fileAttrs
}

func assemble(ctx context.Context, c *Call, a assembleArgs) (Result, error) {
	data, err := a.content(c)
	if err != nil {
		return nil, err
	}
	r := Result{
		"src": a.Src, "dest": a.Dest, "msg": "OK",
		"checksum": dataHash("sha1", data), "md5sum": dataHash("md5", data),
	}
	t := textFile{path: a.Dest, attrs: a.fileAttrs, backup: a.Backup, validate: a.Validate}
	if dir, err := c.Stat(path.Dir(a.Dest)); err != nil || !dir.IsDir() {
		return nil, fmt.Errorf("Destination directory %s does not exist", path.Dir(a.Dest))
	}
	if _, err := t.put(ctx, c, data, r); err != nil {
		return nil, err
	}
	return r, nil
}

func (a assembleArgs) content(c *Call) ([]byte, error) {
	info, err := c.Stat(a.Src)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("Source (%s) does not exist", a.Src)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("Source (%s) is not a directory", a.Src)
	}
	wanted, err := pyregex.Compile(a.Regexp, 0)
	if err != nil {
		return nil, err
	}
	entries, err := c.ReadDir(a.Src)
	if err != nil {
		return nil, err
	}
	var fragments [][]byte
	for _, e := range entries {
		p := path.Join(a.Src, e.Name())
		info, err := c.Stat(p)
		named, slow := pyregex.Found(wanted.Search(e.Name()))
		if slow != nil {
			return nil, slow
		}
		if err != nil || !info.Mode().IsRegular() || !named || a.IgnoreHidden && strings.HasPrefix(e.Name(), ".") {
			continue
		}
		data, err := c.ReadFile(p)
		if err != nil {
			return nil, err
		}
		fragments = append(fragments, data)
	}
	return joinFragments(fragments, unescape(a.Delimiter)), nil
}

// joinFragments puts the delimiter between fragments, and a line break after
// each and after the delimiter, where there is none.
func joinFragments(fragments [][]byte, delimiter string) []byte {
	var out bytes.Buffer
	if delimiter != "" && !strings.HasSuffix(delimiter, "\n") {
		delimiter += "\n"
	}
	for i, f := range fragments {
		if i > 0 && !bytes.HasSuffix(fragments[i-1], []byte("\n")) {
			out.WriteByte('\n')
		}
		if i > 0 {
			out.WriteString(delimiter)
		}
		out.Write(f)
	}
	return out.Bytes()
}

var escapes = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\'`, "'", `\"`, `"`, `\a`, "\a", `\b`, "\b", `\f`, "\f", `\v`, "\v", `\0`, "\x00")

func unescape(s string) string { return escapes.Replace(s) }
