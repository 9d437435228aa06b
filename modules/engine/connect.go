// Package engine talks to a Docker engine: what its modules share.
package engine

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/docker/docker/client"
	"github.com/docker/go-connections/sockets"
)

// DefaultHost is where an engine listens unless told otherwise.
const DefaultHost = "unix:///var/run/docker.sock"

// Address says where an engine listens and how it proves who it is.
type Address struct {
	Host       string // unix:///var/run/docker.sock, tcp://10.0.0.1:2376
	APIVersion string // "auto" or "" asks the engine
	Timeout    time.Duration
	TLS        bool   // encrypt
	Verify     bool   // and verify the engine's certificate
	Hostname   string // the name in that certificate; "" is the host's
	CACert     string // paths of PEM files; "" has none
	Cert, Key  string
}

// Connect makes a client for the engine at a. read reads a file of the host.
func Connect(a Address, read func(string) ([]byte, error)) (*client.Client, error) {
	host := strings.Replace(a.Host, "unix://var/", "unix:///var/", 1)
	if strings.HasPrefix(host, "ssh://") {
		return nil, fmt.Errorf("docker_host %s: engines are reached over unix:// and tcp://, not over ssh://", host)
	}
	url, err := client.ParseHostURL(host)
	if err != nil {
		return nil, fmt.Errorf("docker_host must be like unix:///var/run/docker.sock or tcp://10.0.0.1:2375, got %q", a.Host)
	}
	transport := &http.Transport{}
	if a.TLS || a.Verify {
		if transport.TLSClientConfig, err = a.tls(read); err != nil {
			return nil, err
		}
	}
	if err := sockets.ConfigureTransport(transport, url.Scheme, url.Host); err != nil {
		return nil, err
	}
	opts := []client.Opt{client.WithHTTPClient(&http.Client{Transport: transport}), client.WithHost(host)}
	if version := cmp.Or(a.APIVersion, "auto"); version == "auto" {
		opts = append(opts, client.WithAPIVersionNegotiation())
	} else {
		opts = append(opts, client.WithVersion(version))
	}
	return client.NewClientWithOpts(opts...)
}

func (a Address) tls(read func(string) ([]byte, error)) (*tls.Config, error) {
	config := &tls.Config{ServerName: a.Hostname, InsecureSkipVerify: !a.Verify}
	if a.CACert != "" {
		pem, err := read(a.CACert)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form", a.CACert)
		}
	}
	if a.Cert == "" && a.Key == "" {
		return config, nil
	}
	cert, err := read(a.Cert)
	if err != nil {
		return nil, err
	}
	key, err := read(a.Key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s are no certificate with its key: %w", a.Cert, a.Key, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// FromEnvironment fills in what DOCKER_HOST, DOCKER_TLS_VERIFY and their like
// say; a field that is set already stays.
func FromEnvironment(a Address, getenv func(string) (string, bool)) Address {
	env := func(name string) string { v, _ := getenv(name); return v }
	a.Host = cmp.Or(a.Host, env("DOCKER_HOST"), DefaultHost)
	a.APIVersion = cmp.Or(a.APIVersion, env("DOCKER_API_VERSION"))
	a.Hostname = cmp.Or(a.Hostname, env("DOCKER_TLS_HOSTNAME"))
	a.Verify = a.Verify || isTrue(env("DOCKER_TLS_VERIFY"))
	a.TLS = a.TLS || isTrue(env("DOCKER_TLS"))
	if dir := env("DOCKER_CERT_PATH"); dir != "" && (a.TLS || a.Verify) {
		a.CACert = cmp.Or(a.CACert, path.Join(dir, "ca.pem"))
		a.Cert = cmp.Or(a.Cert, path.Join(dir, "cert.pem"))
		a.Key = cmp.Or(a.Key, path.Join(dir, "key.pem"))
	}
	return a
}

func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "", "0", "no", "false", "off", "n", "f":
		return false
	}
	return true
}

// Plain makes of an answer of the engine what a task registers.
func Plain(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if d.Decode(&out) != nil {
		return nil
	}
	return numbers(out)
}

// numbers makes integers of the numbers that are.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	case map[string]any:
		for k, e := range v {
			v[k] = numbers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = numbers(e)
		}
	}
	return v
}

// Failure says of an engine's error what was tried.
func Failure(doing string, err error) error {
	if err == nil {
		return nil
	}
	if client.IsErrConnectionFailed(err) {
		return errors.New(err.Error())
	}
	return fmt.Errorf("Error %s: %s", doing, strings.TrimPrefix(err.Error(), "Error response from daemon: "))
}
