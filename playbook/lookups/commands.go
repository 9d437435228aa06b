package lookups

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"gplay/jinja"
)

func env(_ *Context, terms []any, options *jinja.Dict) ([]any, error) {
	o := read(options, "default")
	otherwise := o.value("default", "")
	if o.err != nil {
		return nil, o.err
	}
	return each(terms, func(term string) ([]any, error) {
		name, _, _ := strings.Cut(strings.TrimSpace(term), " ")
		if v, ok := os.LookupEnv(name); ok {
			return []any{v}, nil
		}
		return []any{otherwise}, nil
	})
}

func pipe(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	return each(terms, func(command string) ([]any, error) {
		out, err := c.shell("pipe", command, options)
		return []any{strings.TrimRightFunc(out, isSpace)}, err
	})
}

func lines(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	return each(terms, func(command string) ([]any, error) {
		out, err := c.shell("lines", command, options)
		return asValues(splitLines(out)), err
	})
}

func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// shell gives what a command prints on this machine.
func (c *Context) shell(lookup, command string, options *jinja.Dict) (string, error) {
	if o := read(options); o.err != nil {
		return "", o.err
	}
	cmd := exec.CommandContext(c, "/bin/sh", "-c", command)
	cmd.Dir = c.baseDir()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState != nil {
		return "", fmt.Errorf("lookup_plugin.%s(%s) returned %d: %s", lookup, command, cmd.ProcessState.ExitCode(), strings.TrimSpace(stderr.String()))
	}
	return string(out), err
}

func url(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	o := read(options, "validate_certs", "split_lines", "use_proxy", "username", "password", "headers", "force", "timeout",
		"http_agent", "force_basic_auth", "follow_redirects", "ca_path")
	client, err := httpClient(o)
	if err != nil {
		return nil, err
	}
	split := o.truth("split_lines", true)
	if o.err != nil {
		return nil, o.err
	}
	return each(terms, func(address string) ([]any, error) {
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

func httpClient(o *settings) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: !o.truth("validate_certs", true)}
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
	client := &http.Client{Transport: transport, Timeout: time.Duration(o.int("timeout", 10)) * time.Second}
	switch o.text("follow_redirects", "urllib2") {
	case "none", "no", "False":
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return client, nil
}

func fetch(c *Context, client *http.Client, address string, o *settings) (string, error) {
	req, err := http.NewRequestWithContext(c, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("Failed lookup url for %s : %w", address, err)
	}
	req.Header.Set("User-Agent", o.text("http_agent", "ansible-httpget"))
	if headers, ok := o.value("headers", nil).(*jinja.Dict); ok {
		for k, v := range headers.All() {
			req.Header.Set(jinja.Str(k), jinja.Str(v))
		}
	}
	if user := o.text("username", ""); user != "" {
		req.SetBasicAuth(user, o.text("password", ""))
	}
	if o.truth("force", false) {
		req.Header.Set("Cache-Control", "no-cache")
	}
	resp, err := client.Do(req)
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
