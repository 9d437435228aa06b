package modules

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/consul/api"

	"gplay/modules/host"
)

// Consul registers services and checks with the Consul agent of a host.
var Consul = define("consul", "register services and checks with a Consul agent",
	consulArgs{consulAgentArgs: localConsulAgent, State: "present"}, consul)

type consulArgs struct {
	consulAgentArgs
	State          string   `arg:"state" choices:"present,absent" doc:"Whether it is registered."`
	ServiceName    string   `arg:"service_name" doc:"The service's name."`
	ServiceID      string   `arg:"service_id" doc:"Its id on this agent; its name by default."`
	ServicePort    int      `arg:"service_port" doc:"Its port."`
	ServiceAddress string   `arg:"service_address" doc:"Its address; the agent's by default."`
	Tags           []string `arg:"tags" doc:"Its tags."`

	CheckID   string `arg:"check_id" doc:"The check's id; its name by default."`
	CheckName string `arg:"check_name" doc:"The check's name."`
	CheckNode string `arg:"check_node" doc:"Accepted for old playbooks; the check is the agent's."`
	CheckHost string `arg:"check_host" doc:"Accepted for old playbooks; the check is the agent's."`
	Notes     string `arg:"notes" doc:"What the check is for."`
	Script    string `arg:"script" doc:"A command that the agent runs as the check."`
	HTTP      string `arg:"http" doc:"A URL that the agent asks for."`
	TCP       string `arg:"tcp" doc:"A host:port that the agent connects to."`
	TTL       string `arg:"ttl" doc:"The time within which the service must report."`
	Interval  string `arg:"interval" doc:"The time between two checks; a plain number is seconds."`
	Timeout   string `arg:"timeout" doc:"The time after which one check fails."`

	AckParamsStateAbsent bool `arg:"ack_params_state_absent" doc:"Accepted for old playbooks; it changes nothing."`
}

func consul(ctx context.Context, c *Call, a consulArgs) (Result, error) {
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	check, err := a.check()
	if err != nil {
		return nil, err
	}
	agent := client.Agent()
	var r Result
	switch {
	case a.State == "absent":
		r, err = a.deregister(ctx, c, agent)
	case a.ServiceName != "":
		r, err = a.registerService(ctx, c, agent, check)
	case check == nil || a.CheckName == "":
		err = errors.New("state present needs the service_name of a service, or a check_name and one of script, http, tcp and ttl")
	default:
		r, err = a.registerCheck(ctx, c, agent, check)
	}
	return r, a.failure(err)
}

var hostPort = regexp.MustCompile(`^.*:[0-9]+$`)

// check is the check that the arguments describe, or nil.
func (a consulArgs) check() (*api.AgentServiceCheck, error) {
	kinds := slices.DeleteFunc([]string{a.Script, a.HTTP, a.TCP, a.TTL}, func(s string) bool { return s == "" })
	switch {
	case len(kinds) > 1:
		return nil, errors.New("checks are either script, tcp, http or ttl driven, supplying more than one does not make sense")
	case len(kinds) == 0:
		return nil, nil
	case a.TTL == "" && a.Interval == "" && a.State == "present":
		return nil, errors.New("a script, http or tcp check needs an interval")
	case a.TCP != "" && !hostPort.MatchString(a.TCP):
		return nil, fmt.Errorf("tcp check must be in host:port format, got %q", a.TCP)
	}
	check := &api.AgentServiceCheck{HTTP: a.HTTP, TCP: a.TCP, TTL: seconds(a.TTL), Notes: a.Notes, Timeout: seconds(a.Timeout)}
	if a.TTL == "" {
		check.Interval = seconds(a.Interval)
	}
	if a.Script != "" {
		check.Args = []string{"/bin/sh", "-c", a.Script}
	}
	return check, nil
}

func (a consulArgs) registerService(ctx context.Context, c *Call, agent *api.Agent, check *api.AgentServiceCheck) (Result, error) {
	want := &api.AgentServiceRegistration{ID: orName(a.ServiceID, a.ServiceName), Name: a.ServiceName,
		Port: a.ServicePort, Address: a.ServiceAddress, Tags: a.Tags, Check: check}
	if check != nil && a.CheckID+a.CheckName != "" {
		check.CheckID, check.Name = orName(a.CheckID, a.CheckName), a.CheckName
	}
	if check != nil {
		want.Meta = map[string]string{checkMark: fingerprint(check)}
	}
	have, err := a.registered(ctx, agent, want.ID)
	if err != nil {
		return nil, err
	}
	if !sameService(have, want) {
		opts := api.ServiceRegisterOpts{ReplaceExistingChecks: true}.WithContext(ctx)
		err = c.Change(Diff{Path: "service " + want.ID, Before: shownService(have), After: shownRegistration(want)},
			func(host.Writer) error { return agent.ServiceRegisterOpts(want, opts) })
	}
	r := Result{"service_id": want.ID, "service_name": want.Name, "service_port": want.Port, "tags": tagList(want.Tags), "checks": []any{}}
	if check != nil {
		r["checks"] = []any{a.shownCheck()}
	}
	return r, err
}

func (a consulArgs) registerCheck(ctx context.Context, c *Call, agent *api.Agent, check *api.AgentServiceCheck) (Result, error) {
	id := orName(a.CheckID, a.CheckName)
	reg := &api.AgentCheckRegistration{ID: id, Name: a.CheckName, Notes: a.Notes, ServiceID: a.ServiceID, AgentServiceCheck: *check}
	reg.AgentServiceCheck.Notes = ""
	// An agent tells nobody what its checks do, so a check is registered anew each time.
	err := c.Change(Diff{Path: "check " + id, Before: "", After: "registered"}, func(host.Writer) error {
		return agent.CheckRegisterOpts(reg, (&api.QueryOptions{}).WithContext(ctx))
	})
	r := Result(a.shownCheck())
	r["check_id"], r["check_name"] = id, a.CheckName
	return r, err
}

func (a consulArgs) deregister(ctx context.Context, c *Call, agent *api.Agent) (Result, error) {
	opts := (&api.QueryOptions{}).WithContext(ctx)
	if id := orName(a.ServiceID, a.ServiceName); id != "" {
		services, err := agent.ServicesWithFilterOpts("", opts)
		for _, s := range services {
			if s.ID == id || s.Service == id {
				err = errors.Join(err, c.Change(Diff{Path: "service " + s.ID, Before: shownService(s), After: "absent"},
					func(host.Writer) error { return agent.ServiceDeregisterOpts(s.ID, opts) }))
			}
		}
		return Result{"id": id}, err
	}
	id := orName(a.CheckID, a.CheckName)
	if id == "" {
		return nil, errors.New("state is absent but any of the following are missing: service_id, service_name, check_id, check_name")
	}
	checks, err := agent.ChecksWithFilterOpts("", opts)
	if err == nil && checks[id] != nil {
		err = c.Change(Diff{Path: "check " + id, Before: "registered", After: "absent"}, func(host.Writer) error {
			return agent.CheckDeregisterOpts(id, opts)
		})
	}
	return Result{"id": id}, err
}

func (a consulArgs) shownCheck() map[string]any {
	return map[string]any{"script": a.Script, "interval": seconds(a.Interval), "ttl": seconds(a.TTL), "tcp": a.TCP,
		"http": a.HTTP, "timeout": seconds(a.Timeout), "service_id": a.ServiceID, "notes": a.Notes}
}

func orName(id, name string) string {
	if id != "" {
		return id
	}
	return name
}

// checkMark is the key of a service's metadata under which a fingerprint of its
// check is kept: an agent tells nobody what its checks do, and registering a
// service anew to be safe would make its check critical for a moment.
const checkMark = "gplay-check"

func fingerprint(check *api.AgentServiceCheck) string {
	raw, _ := json.Marshal(check)
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// registered finds a service, without its mark when its check is gone.
func (a consulArgs) registered(ctx context.Context, agent *api.Agent, id string) (*api.AgentService, error) {
	opts := (&api.QueryOptions{}).WithContext(ctx)
	services, err := agent.ServicesWithFilterOpts("", opts)
	if err != nil || services[id] == nil {
		return nil, err
	}
	checks, err := agent.ChecksWithFilterOpts("", opts)
	for _, check := range checks {
		if check.ServiceID == id {
			return services[id], err
		}
	}
	delete(services[id].Meta, checkMark)
	return services[id], err
}

func sameService(have *api.AgentService, want *api.AgentServiceRegistration) bool {
	return have != nil && have.Service == want.Name && have.Port == want.Port &&
		have.Address == want.Address && slices.Equal(have.Tags, want.Tags) &&
		have.Meta[checkMark] == want.Meta[checkMark]
}

func tagList(tags []string) []any {
	list := make([]any, len(tags))
	for i, t := range tags {
		list[i] = t
	}
	return list
}

func shownService(s *api.AgentService) any {
	if s == nil {
		return "absent"
	}
	return fmt.Sprintf("%s %s:%d tags: %s", s.Service, s.Address, s.Port, strings.Join(s.Tags, ", "))
}

func shownRegistration(s *api.AgentServiceRegistration) string {
	return fmt.Sprintf("%s %s:%d tags: %s", s.Name, s.Address, s.Port, strings.Join(s.Tags, ", "))
}
