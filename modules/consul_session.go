package modules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"gplay/modules/engine"
	"gplay/modules/host"
)

// ConsulSession makes, ends and lists Consul's sessions, with the arguments of
// community.general or, when action is given, of the module of 2015.
var ConsulSession = define("consul_session", "make, end and list Consul's sessions",
	consulSessionArgs{consulAgentArgs: localConsulAgent, State: "present", Delay: 15, Behavior: "release"}, consulSession)

type consulSessionArgs struct {
	consulAgentArgs
	State      string   `arg:"state" choices:"present,absent,info,node,list" doc:"present makes a new session each time."`
	Name       string   `arg:"name" doc:"The session's name."`
	ID         string   `arg:"id" alias:"session" doc:"The session to end, show or renew."`
	Node       string   `arg:"node" doc:"The node it is bound to, or whose sessions are shown."`
	Checks     []string `arg:"checks" doc:"The checks that end the session when they fail."`
	Delay      int      `arg:"delay" doc:"Seconds for which its locks stay held after it ended."`
	Behavior   string   `arg:"behavior" choices:"release,delete" doc:"What happens to its keys when it ends."`
	TTL        string   `arg:"ttl" doc:"The time without renewal after which it ends; a plain number is seconds."`
	Datacenter string   `arg:"datacenter" alias:"dc" doc:"The datacenter; the agent's own by default."`

	Action    string `arg:"action" doc:"The form of 2015: create, destroy, info, node, list or renew."`
	LockDelay string `arg:"lock_delay" doc:"delay, as 2015 wrote it: 15s."`
	Version   string `arg:"version" choices:"v1" doc:"The API's version."`
}

var sessionActions = map[string]string{"create": "present", "destroy": "absent", "info": "info",
	"node": "node", "list": "list", "renew": "renew"}

func consulSession(ctx context.Context, c *Call, a consulSessionArgs) (Result, error) {
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	if a.Action != "" {
		if a.State = sessionActions[strings.ToLower(a.Action)]; a.State == "" {
			return nil, fmt.Errorf("action must be create, destroy, info, node, list or renew, got %q", a.Action)
		}
	}
	r, err := a.run(ctx, c, client.Session())
	return r, a.failure(err)
}

func (a consulSessionArgs) run(ctx context.Context, c *Call, s *api.Session) (Result, error) {
	query := (&api.QueryOptions{Datacenter: a.Datacenter}).WithContext(ctx)
	if slices.Contains([]string{"absent", "info", "renew"}, a.State) && a.ID == "" {
		return nil, fmt.Errorf("state %s needs the id of a session", a.State)
	}
	switch a.State {
	case "list":
		entries, _, err := s.List(query)
		return a.sessions(entries), err
	case "node":
		if a.Node == "" {
			return nil, errors.New("state node needs the name of a node")
		}
		entries, _, err := s.Node(a.Node, query)
		return a.sessions(entries), err
	case "info":
		entry, _, err := s.Info(a.ID, query)
		return a.sessions(oneSession(entry)), err
	case "present":
		return a.create(ctx, c, s)
	}
	return a.end(ctx, c, s, query)
}

func (a consulSessionArgs) create(ctx context.Context, c *Call, s *api.Session) (Result, error) {
	entry := &api.SessionEntry{Name: a.Name, Node: a.Node, Checks: a.Checks, Behavior: a.Behavior,
		TTL: seconds(a.TTL), LockDelay: time.Duration(a.Delay) * time.Second}
	if a.LockDelay != "" {
		d, err := time.ParseDuration(seconds(a.LockDelay))
		if err != nil {
			return nil, fmt.Errorf("lock_delay must be a time such as 15s, got %q", a.LockDelay)
		}
		entry.LockDelay = d
	}
	if len(a.Checks) == 0 {
		entry.NodeChecks = []string{"serfHealth"}
	}
	id := ""
	err := c.Change(Diff{Path: "session " + a.Name, Before: "absent", After: "present"}, func(host.Writer) (err error) {
		id, _, err = s.Create(entry, a.writeOptions(ctx))
		return err
	})
	if a.Action != "" {
		return Result{"succeeded": true, "value": map[string]any{"ID": id}}, err
	}
	return Result{"session_id": id, "name": a.Name, "behavior": a.Behavior, "ttl": a.TTL,
		"delay": a.Delay, "checks": a.Checks, "node": a.Node}, err
}

func (a consulSessionArgs) end(ctx context.Context, c *Call, s *api.Session, query *api.QueryOptions) (Result, error) {
	entry, _, err := s.Info(a.ID, query)
	if err == nil && entry != nil && a.State == "absent" {
		err = c.Change(Diff{Path: "session " + a.ID, Before: "present", After: "absent"}, func(host.Writer) error {
			_, err := s.Destroy(a.ID, a.writeOptions(ctx))
			return err
		})
	}
	if a.State != "renew" {
		r := Result{"session_id": a.ID}
		if a.Action != "" {
			r = Result{"succeeded": true, "value": true}
		}
		return r, err
	}
	if err == nil && entry == nil {
		err = fmt.Errorf("there is no session %s to renew", a.ID)
	}
	if err == nil {
		err = c.Change(Diff{Path: "session " + a.ID, Before: "present", After: "renewed"}, func(host.Writer) error {
			_, _, err := s.Renew(a.ID, a.writeOptions(ctx))
			return err
		})
	}
	return a.sessions(oneSession(entry)), err
}

func (a consulSessionArgs) writeOptions(ctx context.Context) *api.WriteOptions {
	return (&api.WriteOptions{Datacenter: a.Datacenter}).WithContext(ctx)
}

// sessions is the result of a look at them, in the shape of the API.
func (a consulSessionArgs) sessions(entries []*api.SessionEntry) Result {
	list := engine.Plain(entries)
	if list == nil {
		list = []any{}
	}
	switch {
	case a.Action != "":
		return Result{"succeeded": true, "value": list}
	case a.State == "node":
		return Result{"node": a.Node, "sessions": list}
	case a.State == "info":
		return Result{"session_id": a.ID, "sessions": list}
	}
	return Result{"sessions": list}
}

// oneSession is a list of the entry, or of none.
func oneSession(entry *api.SessionEntry) []*api.SessionEntry {
	if entry == nil {
		return nil
	}
	return []*api.SessionEntry{entry}
}

// seconds adds the unit to a plain number.
func seconds(duration string) string {
	if duration != "" && strings.Trim(duration, "0123456789") == "" {
		return duration + "s"
	}
	return duration
}
