package modules

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	"gplay/modules/engine"
	"gplay/modules/host"
)

// DockerSwarm makes swarms, and lets engines join and leave them.
var DockerSwarm = define("docker_swarm", "make swarms, let engines join and leave them",
	dockerSwarmArgs{State: "present", ListenAddr: "0.0.0.0:2377"}, dockerSwarm).
	requiredIf("state", "join", "remote_addrs", "join_token").requiredIf("state", "remove", "node_id")

type dockerSwarmArgs struct {
	dockerEngineArgs
	State               string         `arg:"state" choices:"present,join,absent,remove" doc:"present makes or changes a swarm, join and absent are this engine's, remove is the node's of node_id."`
	AdvertiseAddr       string         `arg:"advertise_addr" doc:"The address that other nodes reach this one at."`
	ListenAddr          string         `arg:"listen_addr" doc:"The address it listens on."`
	DataPathAddr        string         `arg:"data_path_addr" doc:"The address for the traffic of containers."`
	DataPathPort        int            `arg:"data_path_port" doc:"The port for it."`
	RemoteAddrs         []string       `arg:"remote_addrs" doc:"Managers to join."`
	JoinToken           string         `arg:"join_token" secret:"true" doc:"The token to join with."`
	Force               bool           `arg:"force" doc:"Make a new swarm even if there is one; leave although this is a manager."`
	NodeID              string         `arg:"node_id" doc:"The node to remove."`
	DefaultAddrPool     []string       `arg:"default_addr_pool" doc:"Subnets for the swarm's networks."`
	SubnetSize          int            `arg:"subnet_size" doc:"Their size."`
	RotateWorkerToken   bool           `arg:"rotate_worker_token" doc:"Make a new token for workers."`
	RotateManagerToken  bool           `arg:"rotate_manager_token" doc:"Make a new token for managers."`
	Name                string         `arg:"name" doc:"The swarm's name."`
	Labels              map[string]any `arg:"labels" doc:"The swarm's labels."`
	AutolockManagers    *bool          `arg:"autolock_managers" doc:"Managers need a key after a restart."`
	TaskHistory         *int           `arg:"task_history_retention_limit" doc:"How many ended tasks are kept."`
	SnapshotInterval    *int           `arg:"snapshot_interval" doc:"Log entries between two snapshots."`
	KeepOldSnapshots    *int           `arg:"keep_old_snapshots" doc:"How many snapshots are kept."`
	LogEntries          *int           `arg:"log_entries_for_slow_followers" doc:"Log entries kept for slow managers."`
	HeartbeatTick       *int           `arg:"heartbeat_tick" doc:"Ticks between two heartbeats."`
	ElectionTick        *int           `arg:"election_tick" doc:"Ticks until an election."`
	DispatcherHeartbeat *int           `arg:"dispatcher_heartbeat_period" doc:"Nanoseconds between heartbeats of nodes."`
	NodeCertExpiry      *int           `arg:"node_cert_expiry" doc:"Nanoseconds for which nodes' certificates hold."`
	SigningCACert       string         `arg:"signing_ca_cert" doc:"The CA's certificate, in PEM."`
	SigningCAKey        string         `arg:"signing_ca_key" secret:"true" doc:"The CA's key, in PEM."`
	CAForceRotate       *int           `arg:"ca_force_rotate" doc:"Another number makes a new CA."`
}

func dockerSwarm(ctx context.Context, c *Call, a dockerSwarmArgs) (Result, error) {
	docker, err := a.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer docker.Close()
	info, err := docker.Info(ctx)
	if err != nil {
		return nil, engine.Failure("asking the engine", err)
	}
	j := swarmJob{a, ctx, c, docker, info.Swarm}
	switch a.State {
	case "join":
		return j.join()
	case "absent":
		return j.leave()
	case "remove":
		return j.remove()
	}
	if info.Swarm.ControlAvailable && !a.Force {
		return j.update()
	}
	return j.init()
}

type swarmJob struct {
	dockerSwarmArgs
	ctx    context.Context
	c      *Call
	docker *client.Client
	info   swarm.Info
}

func (j swarmJob) member() bool {
	return j.info.LocalNodeState != swarm.LocalNodeStateInactive && j.info.LocalNodeState != ""
}

func (j swarmJob) change(before, after string, do func() error) error {
	return j.c.Change(Diff{Path: "swarm", Before: before, After: after}, func(host.Writer) error { return do() })
}

func (j swarmJob) init() (Result, error) {
	spec := j.spec(swarm.Spec{Annotations: swarm.Annotations{Name: "default"}})
	request := swarm.InitRequest{ListenAddr: j.ListenAddr, AdvertiseAddr: j.AdvertiseAddr, DataPathAddr: j.DataPathAddr,
		DataPathPort: uint32(j.DataPathPort), ForceNewCluster: j.Force, Spec: spec,
		AutoLockManagers: spec.EncryptionConfig.AutoLockManagers, DefaultAddrPool: j.DefaultAddrPool, SubnetSize: uint32(j.SubnetSize)}
	err := j.change("absent", "present", func() error {
		_, err := j.docker.SwarmInit(j.ctx, request)
		return worded("Can not create a new Swarm Cluster: %s", err)
	})
	if err != nil || j.c.Check() {
		return Result{"actions": []any{"New Swarm cluster created: None"}, "swarm_facts": map[string]any{}}, err
	}
	facts, err := j.facts(spec.EncryptionConfig.AutoLockManagers)
	return Result{"actions": []any{fmt.Sprintf("New Swarm cluster created: %v", facts["ID"])}, "swarm_facts": facts}, err
}

// worded is an engine's error in Ansible's words.
func worded(format string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format, err)
}

// facts are what the engine says of its swarm, tokens included.
func (j swarmJob) facts(unlock bool) (map[string]any, error) {
	s, err := j.docker.SwarmInspect(j.ctx)
	if err != nil {
		return nil, engine.Failure("inspecting the swarm", err)
	}
	facts := engine.Plain(s).(map[string]any)
	facts["UnlockKey"] = nil
	if unlock {
		key, err := j.docker.SwarmGetUnlockKey(j.ctx)
		if err != nil {
			return nil, engine.Failure("asking for the unlock key", err)
		}
		facts["UnlockKey"] = key.UnlockKey
	}
	return facts, nil
}

func (j swarmJob) update() (Result, error) {
	have, err := j.docker.SwarmInspect(j.ctx)
	if err != nil {
		return nil, engine.Failure("inspecting the swarm", err)
	}
	want := j.spec(have.Spec)
	r := Result{"actions": []any{"No modification"}}
	if !reflect.DeepEqual(want, have.Spec) || j.RotateWorkerToken || j.RotateManagerToken {
		r["actions"] = []any{"Swarm cluster updated"}
		err = j.c.Change(Diff{Path: "swarm", Before: engine.Plain(have.Spec), After: engine.Plain(want)}, func(host.Writer) error {
			flags := swarm.UpdateFlags{RotateWorkerToken: j.RotateWorkerToken, RotateManagerToken: j.RotateManagerToken}
			return worded("Can not update a Swarm Cluster: %s", j.docker.SwarmUpdate(j.ctx, have.Version, want, flags))
		})
	}
	if err != nil {
		return r, err
	}
	unlock := want.EncryptionConfig.AutoLockManagers && !have.Spec.EncryptionConfig.AutoLockManagers
	r["swarm_facts"], err = j.facts(unlock && !j.c.Check())
	return r, err
}

// spec is the swarm's configuration with what the arguments say of it.
func (j swarmJob) spec(s swarm.Spec) swarm.Spec {
	if j.Name != "" {
		s.Name = j.Name
	}
	if j.Labels != nil {
		s.Labels = map[string]string{}
		for k, v := range j.Labels {
			s.Labels[k] = engine.Text(v)
		}
	}
	if j.AutolockManagers != nil {
		s.EncryptionConfig.AutoLockManagers = *j.AutolockManagers
	}
	set64 := func(to **int64, n *int) {
		if n != nil {
			v := int64(*n)
			*to = &v
		}
	}
	set64(&s.Orchestration.TaskHistoryRetentionLimit, j.TaskHistory)
	if j.KeepOldSnapshots != nil {
		v := uint64(*j.KeepOldSnapshots)
		s.Raft.KeepOldSnapshots = &v
	}
	setTo(&s.Raft.SnapshotInterval, j.SnapshotInterval)
	setTo(&s.Raft.LogEntriesForSlowFollowers, j.LogEntries)
	setTo(&s.Raft.HeartbeatTick, j.HeartbeatTick)
	setTo(&s.Raft.ElectionTick, j.ElectionTick)
	setTo(&s.Dispatcher.HeartbeatPeriod, j.DispatcherHeartbeat)
	setTo(&s.CAConfig.NodeCertExpiry, j.NodeCertExpiry)
	setTo(&s.CAConfig.ForceRotate, j.CAForceRotate)
	if j.SigningCACert != "" {
		s.CAConfig.SigningCACert, s.CAConfig.SigningCAKey = j.SigningCACert, j.SigningCAKey
	}
	return s
}

func setTo[N int | uint64 | int64 | time.Duration](to *N, n *int) {
	if n != nil {
		*to = N(*n)
	}
}

func (j swarmJob) join() (Result, error) {
	if j.member() {
		return Result{"actions": []any{"This node is already part of a swarm."}}, nil
	}
	request := swarm.JoinRequest{ListenAddr: j.ListenAddr, AdvertiseAddr: j.AdvertiseAddr, DataPathAddr: j.DataPathAddr,
		RemoteAddrs: j.RemoteAddrs, JoinToken: j.JoinToken}
	err := j.change("not in a swarm", "joined", func() error {
		return worded("Can not join the Swarm Cluster: %s", j.docker.SwarmJoin(j.ctx, request))
	})
	return Result{"actions": []any{"New node is added to swarm cluster"}}, err
}

func (j swarmJob) leave() (Result, error) {
	if !j.member() {
		return Result{"actions": []any{"This node is not part of a swarm."}}, nil
	}
	err := j.change("in a swarm", "left", func() error {
		return worded("This node can not leave the Swarm Cluster: %s", j.docker.SwarmLeave(j.ctx, j.Force))
	})
	return Result{"actions": []any{"Node has left the swarm cluster"}}, err
}

func (j swarmJob) remove() (Result, error) {
	if !j.info.ControlAvailable {
		return nil, errors.New("This node is not a manager.")
	}
	node, _, err := j.docker.NodeInspectWithRaw(j.ctx, j.NodeID)
	if err != nil {
		return nil, engine.Failure("inspecting node "+j.NodeID, err)
	}
	if node.Status.State != swarm.NodeStateDown {
		return nil, errors.New("Can not remove the node. The status node is ready and not down.")
	}
	err = j.change("node "+j.NodeID, "removed", func() error {
		return worded("Can not remove the node from the Swarm Cluster: %s",
			j.docker.NodeRemove(j.ctx, j.NodeID, swarm.NodeRemoveOptions{Force: j.Force}))
	})
	return Result{"actions": []any{"Node is removed from swarm cluster."}}, err
}
