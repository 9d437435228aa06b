package modules

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/docker/docker/client"

	"gplay/modules/engine"
)

// dockerEngineArgs say which engine to talk to. What is not given comes from
// DOCKER_HOST and its like.
type dockerEngineArgs struct {
	DockerHost    string `arg:"docker_host" alias:"docker_url" doc:"Where the engine listens; DOCKER_HOST or unix:///var/run/docker.sock by default."`
	TLSHostname   string `arg:"tls_hostname" doc:"The name in the engine's certificate."`
	APIVersion    string `arg:"api_version" alias:"docker_api_version" doc:"The version of its API; the newest both know by default."`
	Timeout       int    `arg:"timeout" doc:"Seconds to wait for an answer."`
	CACert        string `arg:"ca_cert" type:"path" alias:"tls_ca_cert,cacert_path" doc:"The CA's certificate."`
	ClientCert    string `arg:"client_cert" type:"path" alias:"tls_client_cert,cert_path" doc:"The client's certificate."`
	ClientKey     string `arg:"client_key" type:"path" alias:"tls_client_key,key_path" doc:"Its key."`
	SSLVersion    string `arg:"ssl_version" doc:"Accepted for old playbooks: the best version both know is used."`
	TLS           bool   `arg:"tls" doc:"Encrypt without verifying the engine."`
	ValidateCerts bool   `arg:"validate_certs" alias:"tls_verify" doc:"Encrypt and verify the engine."`
	UseSSHClient  bool   `arg:"use_ssh_client" doc:"Accepted for old playbooks; engines are not reached over ssh."`
	Debug         bool   `arg:"debug" doc:"Accepted for old playbooks."`
}

func (a dockerEngineArgs) address(c *Call) engine.Address {
	return engine.FromEnvironment(engine.Address{Host: a.DockerHost, APIVersion: a.APIVersion,
		Timeout: time.Duration(cmp.Or(a.Timeout, 60)) * time.Second, TLS: a.TLS, Verify: a.ValidateCerts,
		Hostname: a.TLSHostname, CACert: a.CACert, Cert: a.ClientCert, Key: a.ClientKey}, c.Getenv)
}

// connect makes a client, and asks the engine whether it is there.
func (a dockerEngineArgs) connect(ctx context.Context, c *Call) (*client.Client, error) {
	address := a.address(c)
	docker, err := engine.Connect(address, c.ReadFile)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, address.Timeout)
	defer cancel()
	if _, err := docker.Ping(limited); err != nil {
		docker.Close()
		return nil, errors.New("Error connecting to Docker: " + err.Error())
	}
	return docker, nil
}

// savedAuth is the login for an image's registry that docker login saved.
func savedAuth(c *Call, image string) engine.Auth {
	dir, ok := c.Getenv("DOCKER_CONFIG")
	if !ok || dir == "" {
		home, _ := c.Home("")
		dir = home + "/.docker"
	}
	config, err := c.ReadFile(dir + "/config.json")
	if err != nil {
		return engine.Auth{}
	}
	return engine.SavedAuth(config, image)
}

// place is where a container's paths begin.
func place(c *Call) engine.Place {
	home, _ := c.Home("")
	dir, _ := c.Getenv("PWD")
	return engine.Place{Dir: dir, Home: home, ReadFile: c.ReadFile}
}
