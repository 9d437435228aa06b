package modules

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"gplay/modules/host"
)

// GetURL downloads a file.
var GetURL = define("get_url", "download a file", getURLArgs{httpArgs: httpDefaults}, getURL).
	gives("url dest elapsed src checksum_dest checksum_src md5sum status_code changed")

type getURLArgs struct {
	Dest     string `arg:"dest" type:"path" required:"true" doc:"The file, or the directory to put it in."`
	Checksum string `arg:"checksum" doc:"ALGORITHM:CHECKSUM, or ALGORITHM:URL of a file of checksums."`
	Backup   bool   `arg:"backup" doc:"Keep a copy of what is there."`
	TmpDest  string `arg:"tmp_dest" type:"path" doc:"The directory for the download."`
	httpArgs
	fileAttrs
}

// urlDownload is one run of the module.
type urlDownload struct {
	getURLArgs
	ctx    context.Context
	c      *Call
	r      Result
	algo   string // of the checksum; "" for none
	sum    string
	exists bool
	since  time.Time
}

// saved is what a request brought.
type saved struct {
	file string // "" in check mode
	sums map[string]string
	resp *http.Response
}

func getURL(ctx context.Context, c *Call, a getURLArgs) (Result, error) {
	d := &urlDownload{getURLArgs: a, ctx: ctx, c: c, r: Result{
		"dest": a.Dest, "url": a.URL, "elapsed": 0,
	}}
	if err := d.expectedSum(); err != nil {
		return nil, Fail(err.Error(), d.r)
	}
	info, err := c.Stat(a.Dest)
	isDir := err == nil && info.IsDir()
	if err == nil && !isDir {
		if done, err := d.haveAlready(info); done || err != nil {
			return d.r, err
		}
	}
	got, err := d.fetch()
	if got.file != "" {
		defer c.Upkeep(func(w host.Writer) error { return w.RemoveAll(path.Dir(got.file)) })
	}
	if err != nil {
		return nil, Fail(err.Error(), d.r)
	}
	if got.sums == nil { // not modified
		return d.r, nil
	}
	if isDir {
		d.Dest = path.Join(a.Dest, responseName(got.resp))
		d.r["dest"] = d.Dest
	}
	if err := d.put(got); err != nil {
		return nil, err
	}
	return d.r, nil
}

var checksumURL = regexp.MustCompile(`^(https?|ftp|file)://`)

// expectedSum reads the checksum argument, and the file of checksums it may
// name.
func (d *urlDownload) expectedSum() error {
	if d.Checksum == "" {
		return nil
	}
	algo, sum, ok := strings.Cut(d.Checksum, ":")
	if !ok {
		return errors.New("The checksum parameter has to be in format <algorithm>:<checksum>")
	}
	if checksumURL.MatchString(sum) {
		var err error
		if sum, err = d.listedSum(sum); err != nil {
			return err
		}
	}
	d.algo = strings.ToLower(algo)
	d.sum = strings.ToLower(regexp.MustCompile(`\W+`).ReplaceAllString(sum, ""))
	if hashes[d.algo] == nil {
		return fmt.Errorf("Could not hash file with algorithm '%s'. Available algorithms: md5, sha1, sha224, sha256, sha384, sha512", algo)
	}
	if _, err := hex.DecodeString(d.sum); err != nil {
		return errors.New("The checksum format is invalid")
	}
	return nil
}

// listedSum finds the checksum of the URL's file in a file of checksums.
func (d *urlDownload) listedSum(from string) (string, error) {
	resp, err := d.httpArgs.do(d.ctx, d.c, request{method: http.MethodGet, url: from, redirects: "all"})
	if err != nil {
		return "", errors.New(httpFault(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", d.refused(resp)
	}
	var lines []string
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		lines = append(lines, s.Text())
	}
	if len(lines) == 1 && len(strings.Fields(lines[0])) == 1 {
		return lines[0], nil
	}
	name := urlName(d.URL)
	for _, line := range lines {
		sum, file, ok := strings.Cut(line, " ")
		file = strings.TrimPrefix(strings.TrimLeft(file, " *"), "./")
		if ok && file == name {
			return sum, nil
		}
	}
	return "", fmt.Errorf("Unable to find a checksum for file '%s' in '%s'", name, from)
}

func (d *urlDownload) refused(resp *http.Response) error {
	d.r["status_code"], d.r["response"] = resp.StatusCode, statusText(resp)
	return errors.New("Request failed")
}

// haveAlready reports whether the file is there with its checksum.
func (d *urlDownload) haveAlready(info host.Info) (bool, error) {
	d.exists = true
	d.since = info.ModTime()
	if d.Force || d.sum == "" {
		return false, nil
	}
	sum, err := fileHash(d.c, d.Dest, d.algo)
	if err != nil {
		return false, err
	}
	if sum != d.sum {
		d.Force = true // it may be newer than the server's, and wrong
		return false, nil
	}
	err = d.ensure(d.ctx, d.c, followLinks(d.c, d.Dest))
	d.r["msg"] = "file already exists"
	if d.c.Changed() {
		d.r["msg"] = "file already exists but file attributes changed"
	}
	return true, err
}

// fetch downloads to a temporary file; in check mode to nowhere. Without
// sums the file was not modified.
func (d *urlDownload) fetch() (saved, error) {
	start := time.Now()
	resp, err := d.httpArgs.do(d.ctx, d.c, request{method: http.MethodGet, url: d.URL, since: d.since, redirects: "all"})
	if err != nil {
		return saved{}, errors.New(httpFault(err))
	}
	defer resp.Body.Close()
	d.r["msg"], d.r["status_code"] = statusText(resp), resp.StatusCode
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotModified:
		return saved{}, nil
	default:
		return saved{}, d.refused(resp)
	}
	if err := d.checkTmpDest(); err != nil {
		return saved{}, err
	}
	body := newHashing(resp.Body)
	got := saved{resp: resp}
	algo := d.algo
	if algo == "" {
		algo = "sha1"
	}
	wanted := hashes[algo]()
	data := io.TeeReader(body, wanted)
	if d.c.Check() {
		_, err = io.Copy(io.Discard, data)
	} else {
		err = d.c.Upkeep(func(w host.Writer) error { return d.spool(w, &got, data) })
	}
	if err != nil {
		return got, err
	}
	got.sums = map[string]string{
		"sha1": hex.EncodeToString(body.sha1.Sum(nil)), "md5": hex.EncodeToString(body.md5.Sum(nil)),
		"wanted": hex.EncodeToString(wanted.Sum(nil)),
	}
	d.r["elapsed"] = int(time.Since(start).Seconds())
	d.r["checksum_src"], d.r["md5sum"] = got.sums["sha1"], got.sums["md5"]
	return got, nil
}

func (d *urlDownload) checkTmpDest() error {
	if d.TmpDest == "" {
		return nil
	}
	info, err := d.c.Stat(d.TmpDest)
	if err != nil {
		return fmt.Errorf("%s directory does not exist.", d.TmpDest)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is a file but should be a directory.", d.TmpDest)
	}
	return nil
}

func (d *urlDownload) spool(w host.Writer, got *saved, data io.Reader) error {
	dir := d.TmpDest
	if dir == "" {
		dir = tempDir(d.c)
	}
	dir = path.Join(dir, ".gplay-"+rand.Text())
	if err := w.Mkdir(dir, 0o700); err != nil {
		return err
	}
	got.file = path.Join(dir, "download")
	d.r["src"] = got.file
	return w.WriteFile(got.file, data, host.Attr{UID: host.Keep, GID: host.Keep, Mode: 0o600})
}

// put makes the download the file, in place of a link, too. A download with a
// wrong checksum never gets there.
func (d *urlDownload) put(got saved) error {
	if d.sum != "" && got.sums["wanted"] != d.sum {
		return Fail(fmt.Sprintf("The checksum for %s did not match %s; it was %s.", d.Dest, d.sum, got.sums["wanted"]), d.r)
	}
	target := followLinks(d.c, d.Dest)
	info, err := d.c.Lstat(target)
	old := &info
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
		if dir, err := d.c.Stat(path.Dir(target)); err != nil || !dir.IsDir() {
			return Fail(fmt.Sprintf("Destination %s does not exist", path.Dir(d.Dest)), d.r)
		}
	case err != nil:
		return err
	default:
		sum, err := fileHash(d.c, target, "sha1")
		if err != nil {
			return err
		}
		d.r["checksum_dest"] = sum
	}
	if d.r["checksum_dest"] != got.sums["sha1"] {
		if err := d.write(d.Dest, old, got.file); err != nil {
			return err
		}
	}
	return d.ensure(d.ctx, d.c, followLinks(d.c, d.Dest))
}

func (d *urlDownload) write(target string, old *host.Info, from string) error {
	attr, err := d.attr(d.c, old, host.Keep)
	if err != nil {
		return err
	}
	state := "file"
	if old == nil {
		state = "absent"
	}
	diff := Diff{"", map[string]any{"path": target, "state": state}, map[string]any{"path": target, "state": "file", "url": d.URL}}
	return d.c.Change(diff, func(w host.Writer) error {
		data, err := d.c.Open(from)
		if err != nil {
			return err
		}
		defer data.Close()
		file := replacement{path: target, attr: attr, backup: d.Backup}
		copied, err := file.write(d.ctx, d.c, w, data)
		if copied != "" {
			d.r["backup_file"] = copied
		}
		return err
	})
}

// responseName is the file name that a server suggests, or the URL's.
func responseName(resp *http.Response) string {
	if _, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		return path.Base(params["filename"])
	}
	return urlName(resp.Request.URL.String())
}

func urlName(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || path.Base(u.Path) == "/" || path.Base(u.Path) == "." {
		return "index.html"
	}
	return path.Base(u.Path)
}
