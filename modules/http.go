package modules

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"

	"gplay/internal/ciphers"
	"gplay/internal/netrc"
)

// httpArgs are the arguments of modules that speak HTTP.
type httpArgs struct {
	URL                 string            `arg:"url" required:"true" doc:"The URL: http, https or file."`
	URLUsername         string            `arg:"url_username" alias:"username,user" doc:"The user for basic authentication."`
	URLPassword         string            `arg:"url_password" alias:"password" secret:"true" doc:"The password."`
	ForceBasicAuth      bool              `arg:"force_basic_auth" doc:"Send user and password without being asked."`
	Headers             map[string]string `arg:"headers" doc:"More headers."`
	UnredirectedHeaders []string          `arg:"unredirected_headers" doc:"Headers that are not sent to where a redirect leads."`
	HTTPAgent           string            `arg:"http_agent" doc:"The User-Agent header."`
	Timeout             int               `arg:"timeout" doc:"Seconds to wait for the connection, and for each part of the answer."`
	ValidateCerts       bool              `arg:"validate_certs" doc:"Verify the server's certificate."`
	CAPath              string            `arg:"ca_path" type:"path" doc:"The certificates to trust, in PEM."`
	ClientCert          string            `arg:"client_cert" type:"path" doc:"The client's certificate, in PEM."`
	ClientKey           string            `arg:"client_key" type:"path" doc:"Its key, when it is not in the same file."`
	UseProxy            bool              `arg:"use_proxy" doc:"Use the proxy of the environment."`
	Force               bool              `arg:"force" alias:"thirsty" doc:"Ask caches for a fresh answer; do not ask whether it changed."`
	Decompress          bool              `arg:"decompress" doc:"Decompress a gzip answer."`
	UseNetrc            bool              `arg:"use_netrc" doc:"Take user and password from ~/.netrc."`
	UseGSSAPI           bool              `arg:"use_gssapi" doc:"Accepted as false only."`
	Ciphers             []string          `arg:"ciphers" doc:"The ciphers of TLS to offer, by OpenSSL's names; TLS 1.3 has its own."`
}

var httpDefaults = httpArgs{
	HTTPAgent: "ansible-httpget", Timeout: 10, ValidateCerts: true, UseProxy: true, Decompress: true, UseNetrc: true,
}

// request is one HTTP request.
type request struct {
	method    string
	url       string
	body      func() (io.ReadCloser, error) // nil for none
	length    int64                         // of body; -1 when not known
	since     time.Time                     // If-Modified-Since, unless zero
	redirects string                        // all, safe or none
	socket    string                        // a Unix socket to connect to
}

// do sends a request. Credentials go along at once when they are forced, else
// when the server asks for them.
func (a httpArgs) do(ctx context.Context, c *Call, r request) (*http.Response, error) {
	if a.UseGSSAPI {
		return nil, errors.New("use_gssapi is not supported")
	}
	client, err := a.client(c, r)
	if err != nil {
		return nil, err
	}
	user, password := a.URLUsername, a.URLPassword
	if user == "" && a.UseNetrc {
		user, password = fromNetrc(c, r.url)
	}
	resp, err := a.send(ctx, client, r, user, password, a.ForceBasicAuth)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || user == "" || a.ForceBasicAuth {
		return resp, err
	}
	resp.Body.Close()
	return a.send(ctx, client, r, user, password, true)
}

func (a httpArgs) send(ctx context.Context, client *http.Client, r request, user, password string, auth bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, nil)
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		req.GetBody, req.ContentLength = r.body, r.length
		if req.Body, err = r.body(); err != nil {
			return nil, err
		}
	}
	req.Header.Set("User-Agent", a.HTTPAgent)
	if a.Force {
		req.Header.Set("Cache-Control", "no-cache")
	} else if !r.since.IsZero() {
		req.Header.Set("If-Modified-Since", r.since.UTC().Format(http.TimeFormat))
	}
	for k, v := range a.Headers {
		req.Header.Set(k, v)
		if strings.EqualFold(k, "Host") {
			req.Host = v
		}
	}
	if r.body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as Python's urllib
	}
	if auth && user != "" {
		req.SetBasicAuth(user, password)
	}
	return client.Do(req)
}

func (a httpArgs) client(c *Call, r request) (*http.Client, error) {
	tlsConfig, err := a.tls(c)
	if err != nil {
		return nil, err
	}
	timeout := time.Duration(a.Timeout) * time.Second
	t := &http.Transport{
		TLSClientConfig: tlsConfig, DisableCompression: !a.Decompress, DisableKeepAlives: true,
		TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if r.socket != "" {
				network, address = "unix", r.socket
			}
			conn, err := (&net.Dialer{Timeout: timeout}).DialContext(ctx, network, address)
			return idleConn{conn, timeout}, err
		},
	}
	t.RegisterProtocol("file", http.NewFileTransport(http.Dir("/")))
	if a.UseProxy {
		proxy := proxyConfig(c).ProxyFunc()
		t.Proxy = func(req *http.Request) (*url.URL, error) { return proxy(req.URL) }
	}
	return &http.Client{Transport: t, CheckRedirect: a.redirect(r)}, nil
}

func proxyConfig(c *Call) *httpproxy.Config {
	env := func(name string) string {
		if v, ok := c.Getenv(strings.ToLower(name)); ok {
			return v
		}
		v, _ := c.Getenv(name)
		return v
	}
	return &httpproxy.Config{HTTPProxy: env("HTTP_PROXY"), HTTPSProxy: env("HTTPS_PROXY"), NoProxy: env("NO_PROXY")}
}

func (a httpArgs) redirect(r request) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		safe := r.method == http.MethodGet || r.method == http.MethodHead
		if r.redirects == "none" || r.redirects == "safe" && !safe {
			return http.ErrUseLastResponse
		}
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		if via[0].Header.Get("Referer") == "" {
			next.Header.Del("Referer") // Go's own
		}
		for _, name := range a.UnredirectedHeaders {
			next.Header.Del(name)
		}
		return nil
	}
}

func (a httpArgs) tls(c *Call) (*tls.Config, error) {
	suites, err := ciphers.Suites(a.Ciphers)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{InsecureSkipVerify: !a.ValidateCerts, CipherSuites: suites}
	if a.CAPath != "" {
		pem, err := c.ReadFile(a.CAPath)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", a.CAPath)
		}
	}
	if a.ClientCert == "" {
		return config, nil
	}
	key := a.ClientKey
	if key == "" {
		key = a.ClientCert
	}
	certPEM, err := c.ReadFile(a.ClientCert)
	if err != nil {
		return nil, err
	}
	keyPEM, err := c.ReadFile(key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	config.Certificates = []tls.Certificate{pair}
	return config, err
}

// idleConn fails when nothing moves for the timeout.
type idleConn struct {
	net.Conn
	timeout time.Duration
}

func (c idleConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c idleConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// fromNetrc finds a host's user and password in ~/.netrc.
func fromNetrc(c *Call, rawURL string) (user, password string) {
	u, err := url.Parse(rawURL)
	home, ok := c.Home("")
	if err != nil || !ok {
		return "", ""
	}
	data, err := c.ReadFile(path.Join(home, ".netrc"))
	if err != nil {
		return "", ""
	}
	return netrc.Find(string(data), u.Hostname())
}

// statusText is how Ansible words an answer.
func statusText(resp *http.Response) string {
	if resp.StatusCode >= 300 {
		return fmt.Sprintf("HTTP Error %d: %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	length := resp.Header.Get("Content-Length")
	if length == "" {
		length = "unknown"
	}
	return fmt.Sprintf("OK (%s bytes)", length)
}

// httpFault words the failure of a request.
func httpFault(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var errno syscall.Errno
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && !dns.IsNotFound:
		return "Request failed: <urlopen error [Errno -3] Temporary failure in name resolution>"
	case errors.As(err, &dns):
		return "Request failed: <urlopen error [Errno -2] Name or service not known>"
	case errors.As(err, &errno):
		return fmt.Sprintf("Request failed: <urlopen error [Errno %d] %s>", int(errno), errnoText(errno))
	case errors.As(err, &timeout) && timeout.Timeout():
		return "Connection failure: timed out"
	}
	return fmt.Sprintf("Request failed: <urlopen error %s>", err)
}
