package modules

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"
)

// consulAgentArgs say which Consul agent to talk to.
type consulAgentArgs struct {
	Host          string `arg:"host" doc:"The host of the Consul agent."`
	Port          int    `arg:"port" doc:"The port of its HTTP API."`
	Scheme        string `arg:"scheme" choices:"http,https" doc:"How to talk to it."`
	ValidateCerts bool   `arg:"validate_certs" doc:"Verify the agent's certificate."`
	Token         string `arg:"token" secret:"true" doc:"The ACL token to use."`
}

var localConsulAgent = consulAgentArgs{Host: "localhost", Port: 8500, Scheme: "http", ValidateCerts: true}

func (a consulAgentArgs) address() string {
	return net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
}

func (a consulAgentArgs) client() (*api.Client, error) {
	return newConsulClient(a.address(), a.Scheme, a.Token, a.ValidateCerts)
}

// newConsulClient makes a client for an address, which may be a URL.
func newConsulClient(address, scheme, token string, verify bool) (*api.Client, error) {
	if before, after, ok := strings.Cut(address, "://"); ok && before != "unix" {
		scheme, address = before, after
	}
	config := api.Config{Address: strings.TrimSuffix(address, "/"), Scheme: scheme, Token: token,
		Transport: http.DefaultTransport.(*http.Transport).Clone()}
	config.TLSConfig.InsecureSkipVerify = !verify
	client, err := api.NewClient(&config)
	if err != nil {
		return nil, fmt.Errorf("cannot use the Consul agent at %s: %w", address, err)
	}
	return client, nil
}

// failure words an error of the agent's as Ansible does.
func (a consulAgentArgs) failure(err error) error {
	var refused net.Error
	if errors.As(err, &refused) {
		return fmt.Errorf("Could not connect to consul agent at %s:%d, error was %w", a.Host, a.Port, err)
	}
	return err
}
