package modules

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// URI talks to a web service.
var URI = define("uri", "talk to a web service", uriArgs{
	httpArgs: uriDefaults(), BodyFormat: "raw", Method: "GET", FollowRedirects: "safe", StatusCode: []int{200},
}, uri).noCheck().exclusive("body", "src").
	gives("redirected url status elapsed changed failed msg")

type uriArgs struct {
	Method          string `arg:"method" doc:"GET, POST …"`
	Body            any    `arg:"body" doc:"What to send."`
	BodyFormat      string `arg:"body_format" choices:"form-urlencoded,json,raw,form-multipart" doc:"How to encode body."`
	Src             string `arg:"src" doc:"A file of the controller to send; of the host with remote_src."`
	RemoteSrc       bool   `arg:"remote_src" doc:"src is on the host."`
	Dest            string `arg:"dest" type:"path" doc:"A file, or a directory, to save the answer to."`
	ReturnContent   bool   `arg:"return_content" doc:"Give the answer as content."`
	FollowRedirects string `arg:"follow_redirects" choices:"all,no,none,safe,urllib2,yes" doc:"Which redirects to follow; safe: those of GET and HEAD."`
	StatusCode      []int  `arg:"status_code" doc:"The statuses that mean success."`
	Creates         string `arg:"creates" type:"path" doc:"When this is there, nothing is done."`
	Removes         string `arg:"removes" type:"path" doc:"When this is not there, nothing is done."`
	UnixSocket      string `arg:"unix_socket" type:"path" doc:"A socket to connect to."`
	httpArgs
	fileAttrs
}

func uriDefaults() httpArgs {
	d := httpDefaults
	d.Timeout = 30
	return d
}

var methodPattern = regexp.MustCompile(`^[A-Z]+$`)

func uri(ctx context.Context, c *Call, a uriArgs) (Result, error) {
	a.Method = strings.ToUpper(a.Method)
	if !methodPattern.MatchString(a.Method) {
		return nil, errors.New("Parameter 'method' needs to be a single word in uppercase, like GET or POST.")
	}
	if skip := a.unneeded(c); skip != "" {
		return Result{"stdout": skip}, nil
	}
	r, err := a.request(c)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	resp, err := a.httpArgs.do(ctx, c, r)
	if err != nil {
		return nil, Fail(fmt.Sprintf("Status code was -1 and not %s: %s", pyRepr(plain(a.StatusCode)), httpFault(err)),
			Result{"status": -1, "url": withoutLogin(a.URL), "redirected": false, "elapsed": int(time.Since(start).Seconds())})
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	out := a.result(resp, data)
	out["elapsed"] = int(time.Since(start).Seconds())
	if !slices.Contains(a.StatusCode, resp.StatusCode) {
		return nil, Fail(fmt.Sprintf("Status code was %d and not %s: %s", resp.StatusCode, pyRepr(plain(a.StatusCode)), out["msg"]), out)
	}
	if a.Dest != "" && resp.StatusCode != http.StatusNotModified {
		err = a.save(ctx, c, resp, data, out)
	}
	return out, err
}

func (a uriArgs) unneeded(c *Call) string {
	exists := func(p string) bool { _, err := c.Stat(p); return err == nil }
	switch {
	case a.Creates != "" && exists(a.Creates):
		return fmt.Sprintf("skipped, since '%s' exists", a.Creates)
	case a.Removes != "" && !exists(a.Removes):
		return fmt.Sprintf("skipped, since '%s' does not exist", a.Removes)
	}
	return ""
}

func (a *uriArgs) request(c *Call) (request, error) {
	r := request{method: a.Method, url: a.URL, socket: a.UnixSocket, redirects: a.FollowRedirects}
	switch a.FollowRedirects {
	case "yes", "urllib2":
		r.redirects = "all"
	case "no":
		r.redirects = "none"
	}
	if info, err := c.Stat(a.Dest); a.Dest != "" && err == nil && info.Mode().IsRegular() {
		r.since = info.ModTime()
	}
	if a.Src != "" {
		return r, a.sendFile(c, &r)
	}
	body, kind, err := a.encode(c)
	if err != nil {
		return r, err
	}
	if a.Body != nil {
		r.length = int64(len(body))
		r.body = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	}
	if kind != "" && !a.hasHeader("Content-Type") {
		a.setHeader("Content-Type", kind)
	}
	return r, nil
}

func (a *uriArgs) hasHeader(name string) bool {
	for k := range a.Headers {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}

func (a *uriArgs) setHeader(name, value string) {
	headers := map[string]string{name: value}
	maps.Copy(headers, a.Headers)
	a.Headers = headers
}

// sendFile makes a file the body; its length must be known to most servers.
func (a *uriArgs) sendFile(c *Call, r *request) error {
	open := func() (io.ReadCloser, error) { return c.Controller.Open("src") }
	if a.RemoteSrc {
		src := expansion{c.Getenv, c.Home}.path(a.Src)
		if _, err := c.Stat(src); err != nil {
			return fmt.Errorf("Unable to open source file %s", a.Src)
		}
		open = func() (io.ReadCloser, error) { return c.Open(src) }
	}
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	r.length = int64(len(data))
	r.body = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return err
}

// encode gives the body and its Content-Type.
func (a *uriArgs) encode(c *Call) (body, kind string, err error) {
	text, isText := a.Body.(string)
	switch a.BodyFormat {
	case "json":
		if !isText {
			text, err = pyJSON(a.Body)
		}
		return text, "application/json", err
	case "form-urlencoded":
		if !isText {
			text, err = formEncode(a.Body)
		}
		return text, "application/x-www-form-urlencoded", err
	case "form-multipart":
		return a.multipart(c)
	}
	if a.Body == nil {
		return "", "", nil
	}
	return pyStr(a.Body), "", nil
}

func formEncode(body any) (string, error) {
	var pairs []string
	add := func(key string, value any) {
		values, many := value.([]any)
		if !many {
			values = []any{value}
		}
		for _, v := range values {
			if v != nil {
				pairs = append(pairs, url.QueryEscape(key)+"="+url.QueryEscape(pyStr(v)))
			}
		}
	}
	switch body := body.(type) {
	case nil:
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(body)) {
			add(k, body[k])
		}
	case []any:
		for _, e := range body {
			pair, ok := e.([]any)
			if !ok || len(pair) != 2 {
				return "", errors.New("failed to parse body as form_urlencoded: a list must be of pairs")
			}
			add(pyStr(pair[0]), pair[1])
		}
	default:
		return "", errors.New("failed to parse body as form_urlencoded: cannot form-urlencode body, expect list or dict")
	}
	return strings.Join(pairs, "&"), nil
}

// multipart encodes fields and files. The action offers a file of the
// controller as "body/FIELD".
func (a *uriArgs) multipart(c *Call) (body, kind string, err error) {
	fields, ok := a.Body.(map[string]any)
	if !ok {
		return "", "", fmt.Errorf("failed to parse body as form-multipart: Mapping is required, cannot be type %s", pyType(a.Body))
	}
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if err := a.part(c, w, name, fields[name]); err != nil {
			return "", "", err
		}
	}
	err = w.Close()
	return buf.String(), w.FormDataContentType(), err
}

func (a *uriArgs) part(c *Call, w *multipart.Writer, name string, value any) error {
	file, ok := value.(map[string]any)
	if !ok {
		return w.WriteField(name, pyStr(value))
	}
	filename, _ := file["filename"].(string)
	content, inline := file["content"].(string)
	kind, _ := file["mime_type"].(string)
	if filename == "" && !inline {
		return fmt.Errorf("failed to parse body as form-multipart: at least one of filename or content must be provided for %s", name)
	}
	if kind == "" {
		kind = mime.TypeByExtension(path.Ext(filename))
	}
	if kind == "" {
		kind = "application/octet-stream"
	}
	disposition := "form-data; name=" + quoteParameter(name)
	if filename != "" {
		disposition += "; filename=" + quoteParameter(path.Base(filename))
	}
	to, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {disposition}, "Content-Type": {kind},
	})
	if err != nil {
		return err
	}
	if inline {
		_, err = io.WriteString(to, content)
		return err
	}
	open := func() (io.ReadCloser, error) { return c.Controller.Open("body/" + name) }
	if a.RemoteSrc {
		open = func() (io.ReadCloser, error) { return c.Open(filename) }
	}
	from, err := open()
	if err != nil {
		return err
	}
	defer from.Close()
	_, err = io.Copy(to, from)
	return err
}

func quoteParameter(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "%0D", "\n", "%0A").Replace(s) + `"`
}

func (a uriArgs) result(resp *http.Response, data []byte) Result {
	r := Result{}
	for k, v := range resp.Header {
		r[strings.ReplaceAll(strings.ToLower(k), "-", "_")] = strings.Join(v, ", ")
	}
	final := withoutLogin(resp.Request.URL.String())
	r["url"], r["redirected"], r["status"], r["msg"] = final, final != a.URL, resp.StatusCode, statusText(resp)
	if location, err := resp.Location(); err == nil {
		r["location"] = location.String()
	}
	cookies, texts := map[string]any{}, []string{}
	for _, cookie := range resp.Cookies() {
		cookies[cookie.Name] = cookie.Value
		texts = append(texts, cookie.Name+"="+cookie.Value)
	}
	r["cookies"], r["cookies_string"] = cookies, strings.Join(texts, "; ")
	kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	text := decodeCharset(data, params["charset"])
	if err == nil && isJSON(kind) {
		if v, err := parseJSON(text); err == nil {
			r["json"] = v
		}
	}
	if a.ReturnContent {
		r["content"] = text
	}
	return r
}

// withoutLogin is a URL without user and password.
func withoutLogin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return address
	}
	u.User = nil
	return u.String()
}

func isJSON(kind string) bool {
	_, sub, _ := strings.Cut(kind, "/")
	if i := strings.LastIndexByte(sub, '+'); i >= 0 {
		sub = sub[i+1:]
	}
	return sub == "json" || sub == "javascript"
}

// parseJSON reads JSON with integers as integers.
func parseJSON(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return numbers(v), nil
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i, e := range v {
			v[i] = numbers(e)
		}
	case map[string]any:
		for k, e := range v {
			v[k] = numbers(e)
		}
	}
	return v
}

// decodeCharset reads Latin-1 where the server says so, else UTF-8.
func decodeCharset(data []byte, charset string) string {
	switch strings.ToLower(charset) {
	case "iso-8859-1", "latin1", "latin-1":
		runes := make([]rune, len(data))
		for i, b := range data {
			runes[i] = rune(b)
		}
		return string(runes)
	}
	return string(data)
}

// save writes the answer to dest.
func (a uriArgs) save(ctx context.Context, c *Call, resp *http.Response, data []byte, r Result) error {
	dest := a.Dest
	if info, err := c.Stat(dest); err == nil && info.IsDir() {
		dest = path.Join(dest, responseName(resp))
	}
	r["path"] = dest
	if parent, err := c.Stat(path.Dir(dest)); err != nil || !parent.IsDir() {
		return Fail(fmt.Sprintf("Destination directory %s does not exist", path.Dir(dest)), r)
	}
	_, err := textFile{path: dest, attrs: a.fileAttrs}.put(ctx, c, data, r)
	return err
}
