package lookups

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gplay/internal/ciphers"
	"gplay/internal/netrc"
	"gplay/jinja"
)

// urlVars are the options of url that have a variable, ansible_lookup_url_ and
// this name, and one of the environment.
var urlVars = map[string]string{
	"ca_path": "ca_path", "ciphers": "ciphers", "follow_redirects": "follow_redirects", "force": "force",
	"http_agent": "agent", "timeout": "timeout", "unix_socket": "unix_socket",
	"unredirected_headers": "unredir_headers", "use_gssapi": "use_gssapi", "use_netrc": "use_netrc",
}

// url gives what is at URLs: their lines, or all of it where split_lines is
// not set.
func url(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	o := read(c, options, "validate_certs", "split_lines", "use_proxy", "username", "password", "headers", "force", "timeout",
		"http_agent", "force_basic_auth", "follow_redirects", "ca_path", "ciphers", "unix_socket", "unredirected_headers", "use_gssapi", "use_netrc")
	if err := c.urlSettings(o); err != nil {
		return nil, err
	}
	client, err := httpClient(o)
	if err != nil {
		return nil, err
	}
	split := o.truth("split_lines", true)
	if o.truth("use_gssapi", false) {
		return nil, errors.New("use_gssapi is not supported")
	}
	if o.err != nil {
		return nil, o.err
	}
	return each(terms, lacks("decode"), func(address string) ([]any, error) {
		body, err := fetch(c, client, address, o)
		if err != nil {
			return nil, err
		}
		if split {
			return asValues(splitLines(body)), o.err
		}
		return []any{body}, o.err
	})
}

// urlSettings takes from variables and the environment what is not given.
func (c *Context) urlSettings(o *settings) error {
	o.given = o.given.Copy()
	for option, name := range urlVars {
		if _, given := o.given.Get(option); given {
			continue
		}
		v, ok, err := c.Var("ansible_lookup_url_" + name)
		if err != nil {
			return err
		}
		if !ok {
			v, ok = os.LookupEnv("ANSIBLE_LOOKUP_URL_" + strings.ToUpper(name))
		}
		if ok {
			o.given.Set(option, jinja.Plain(v))
		}
	}
	return nil
}

func httpClient(o *settings) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	suites, err := ciphers.Suites(o.splitOn(o.value("ciphers", nil), ",:"))
	if err != nil {
		return nil, err
	}
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: !o.truth("validate_certs", true), CipherSuites: suites}
	if socket := o.text("unix_socket", ""); socket != "" {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}
	}
	if !o.truth("use_proxy", true) {
		transport.Proxy = nil
	}
	if path := o.text("ca_path", ""); path != "" {
		pem, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", path)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	client := &http.Client{Transport: transport, Timeout: o.seconds("timeout", 10*time.Second)}
	follow, unredirected := o.text("follow_redirects", "urllib2"), o.splitOn(o.value("unredirected_headers", nil), ",")
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if !slices.Contains([]string{"urllib2", "all", "yes", "safe"}, follow) {
			return http.ErrUseLastResponse
		}
		for _, name := range unredirected {
			next.Header.Del(strings.TrimSpace(name))
		}
		if len(via) > 9 {
			return errors.New("too many redirects")
		}
		return nil
	}
	return client, nil
}

func fetch(c *Context, client *http.Client, address string, o *settings) (string, error) {
	req, err := http.NewRequestWithContext(c, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("Failed lookup url for %s : %w", address, err)
	}
	req.Header.Set("User-Agent", o.text("http_agent", "ansible-httpget"))
	for k, v := range o.dict("url", "headers").All() {
		req.Header.Set(jinja.Str(k), jinja.Str(v))
	}
	user, password := o.text("username", ""), o.text("password", "")
	unasked := o.truth("force_basic_auth", false)
	if user == "" && o.truth("use_netrc", true) {
		user, password = fromNetrc(req.URL.Hostname())
		unasked = password != ""
	}
	if user != "" && unasked {
		req.SetBasicAuth(user, password)
	}
	if o.truth("force", false) {
		req.Header.Set("Cache-Control", "no-cache")
	}
	resp, err := client.Do(req)
	if err == nil && resp.StatusCode == http.StatusUnauthorized && user != "" && !unasked && resp.Request.URL.Host == req.URL.Host {
		resp.Body.Close()
		req.SetBasicAuth(user, password) // as it was asked for
		resp, err = client.Do(req)
	}
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return "", fmt.Errorf("Error validating the server's certificate for %s: %w", address, untrusted.Err)
	}
	if err != nil {
		return "", fmt.Errorf("Failed lookup url for %s : %w", address, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return "", fmt.Errorf("Received HTTP error for %s : HTTP Error %s", address, resp.Status)
	}
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// fromNetrc is whom the netrc of the person who runs gplay names for a host.
func fromNetrc(host string) (user, password string) {
	file := os.Getenv("NETRC")
	if home, err := os.UserHomeDir(); file == "" && err == nil {
		file = filepath.Join(home, ".netrc")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", ""
	}
	return netrc.Find(string(text), host)
}
