package modules

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"

	"gplay/modules/host"
)

// ConsulKV reads and writes keys of Consul's store, with the arguments of
// community.general or, when action is given, of the module of 2015.
var ConsulKV = define("consul_kv", "read and write keys of Consul's store",
	consulKVArgs{consulAgentArgs: localConsulAgent, State: "present", Retrieve: true}, consulKV)

type consulKVArgs struct {
	consulAgentArgs
	Key        string  `arg:"key" required:"true" doc:"The key."`
	Value      *string `arg:"value" doc:"Its value; without one the key is read."`
	State      string  `arg:"state" choices:"present,absent,acquire,release" doc:"present sets or reads the key, acquire and release lock it with session."`
	Retrieve   bool    `arg:"retrieve" doc:"Return the key after setting it."`
	Recurse    bool    `arg:"recurse" doc:"All keys that begin with key."`
	CAS        *int    `arg:"cas" doc:"Set only if the key's ModifyIndex is this; 0 sets only an absent key."`
	Flags      *int    `arg:"flags" doc:"A number to keep with the key."`
	Session    string  `arg:"session" doc:"The session that acquires or releases the lock."`
	Datacenter string  `arg:"datacenter" alias:"dc" doc:"The datacenter; the agent's own by default."`

	Action    string `arg:"action" doc:"The form of 2015: get, put or delete."`
	Keys      bool   `arg:"keys" doc:"With action get: only the names."`
	Separator string `arg:"separator" doc:"With keys: names up to this character."`
	Acquire   string `arg:"acquire" doc:"With action put: the session to lock the key with."`
	Release   string `arg:"release" doc:"With action put: the session to release the key from."`
	Version   string `arg:"version" choices:"v1" doc:"The API's version."`
}

type consulStore struct {
	consulKVArgs
	kv  *api.KV
	ctx context.Context
}

func consulKV(ctx context.Context, c *Call, a consulKVArgs) (Result, error) {
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	s := consulStore{a, client.KV(), ctx}
	r, err := s.run(c)
	return r, a.failure(err)
}

func (s consulStore) run(c *Call) (Result, error) {
	switch action := strings.ToLower(s.Action); {
	case action == "get" && s.Keys:
		return s.oldKeys()
	case action == "get":
		return s.oldGet()
	case action == "put":
		return s.oldPut(c)
	case action == "delete":
		return s.oldDelete(c)
	case action != "":
		return nil, fmt.Errorf("Action is required and must be one of GET, PUT, DELETE, got %q", s.Action)
	case s.State == "absent":
		return s.delete(c)
	case s.State == "acquire" || s.State == "release":
		return s.lock(c)
	case s.Value == nil:
		return s.get()
	}
	return s.set(c)
}

func (s consulStore) query() *api.QueryOptions {
	return (&api.QueryOptions{Datacenter: s.datacenter(), RequireConsistent: true}).WithContext(s.ctx)
}

func (s consulStore) write() *api.WriteOptions {
	return (&api.WriteOptions{Datacenter: s.datacenter()}).WithContext(s.ctx)
}

// datacenter leaves out dc1 with action, where it was the default and meant
// the agent's own.
func (s consulStore) datacenter() string {
	if s.Action != "" && s.Datacenter == "dc1" {
		return ""
	}
	return s.Datacenter
}

// stored reads the key or, with recurse, all below it.
func (s consulStore) stored(recurse bool) (api.KVPairs, uint64, error) {
	if recurse {
		pairs, meta, err := s.kv.List(s.Key, s.query())
		return pairs, kvIndex(meta), err
	}
	pair, meta, err := s.kv.Get(s.Key, s.query())
	if pair == nil {
		return nil, kvIndex(meta), err
	}
	return api.KVPairs{pair}, kvIndex(meta), err
}

func kvIndex(meta *api.QueryMeta) uint64 {
	if meta == nil {
		return 0
	}
	return meta.LastIndex
}

func (s consulStore) get() (Result, error) {
	pairs, at, err := s.stored(s.Recurse)
	return Result{"index": strconv.FormatUint(at, 10), "data": s.data(pairs, s.Recurse)}, err
}

func (s consulStore) set(c *Call) (Result, error) {
	pairs, at, err := s.stored(false)
	if err != nil {
		return nil, err
	}
	if kvDiffers(pairs, *s.Value) {
		if err := s.put(c, pairs, ""); err != nil {
			return nil, err
		}
		if pairs, at, err = s.stored(false); err != nil {
			return nil, err
		}
	}
	r := Result{"index": strconv.FormatUint(at, 10), "key": s.Key, "data": nil}
	if s.Retrieve {
		r["data"] = s.data(pairs, false)
	}
	return r, nil
}

func (s consulStore) lock(c *Call) (Result, error) {
	if s.Session == "" {
		return nil, fmt.Errorf("%s of lock for %s requested but no session supplied", s.State, s.Key)
	}
	pairs, at, err := s.stored(false)
	if err != nil {
		return nil, err
	}
	held := len(pairs) == 1 && pairs[0].Session == s.Session
	if held != (s.State == "acquire") || s.Value != nil && kvDiffers(pairs, *s.Value) {
		err = s.put(c, pairs, s.State)
	}
	return Result{"index": strconv.FormatUint(at, 10), "key": s.Key}, err
}

func (s consulStore) delete(c *Call) (Result, error) {
	pairs, at, err := s.stored(s.Recurse)
	if err == nil && len(pairs) > 0 {
		err = s.remove(c, pairs)
	}
	return Result{"index": strconv.FormatUint(at, 10), "key": s.Key, "data": s.data(pairs, s.Recurse)}, err
}

// put writes the key; lock is "acquire", "release" or "".
func (s consulStore) put(c *Call, before api.KVPairs, lock string) error {
	pair := &api.KVPair{Key: s.Key, Session: s.Session}
	if s.Value != nil {
		pair.Value = []byte(*s.Value)
	} else if len(before) == 1 {
		pair.Value = before[0].Value
	}
	if s.Flags != nil {
		pair.Flags = uint64(*s.Flags)
	}
	diff := Diff{Path: s.Key, Before: kvText(before), After: string(pair.Value)}
	if lock != "" {
		diff.Before, diff.After = "", lock+" by session "+s.Session
	}
	return c.Change(diff, func(host.Writer) error {
		done, err := s.store(pair, lock)
		if err == nil && !done {
			err = errors.New(s.refusal(lock))
		}
		return err
	})
}

func (s consulStore) store(pair *api.KVPair, lock string) (done bool, err error) {
	switch {
	case lock == "acquire":
		done, _, err = s.kv.Acquire(pair, s.write())
	case lock == "release":
		done, _, err = s.kv.Release(pair, s.write())
	case s.CAS != nil:
		pair.ModifyIndex = uint64(*s.CAS)
		done, _, err = s.kv.CAS(pair, s.write())
	default:
		done = true
		_, err = s.kv.Put(pair, s.write())
	}
	return done, err
}

func (s consulStore) refusal(lock string) string {
	if lock != "" {
		return fmt.Sprintf("Consul refused the %s of %s by session %s: another session holds it, or there is no such session", lock, s.Key, s.Session)
	}
	return fmt.Sprintf("Consul did not set %s: its ModifyIndex is not %d", s.Key, *s.CAS)
}

func (s consulStore) remove(c *Call, pairs api.KVPairs) error {
	return c.Change(Diff{Path: s.Key, Before: kvText(pairs), After: ""}, func(host.Writer) error {
		if s.Recurse {
			_, err := s.kv.DeleteTree(s.Key, s.write())
			return err
		}
		_, err := s.kv.Delete(s.Key, s.write())
		return err
	})
}

func (s consulStore) oldGet() (Result, error) {
	pairs, _, err := s.stored(s.Recurse)
	if err == nil && len(pairs) == 0 {
		err = fmt.Errorf("API call failed: HTTP Error 404: Not Found (there is no key %s)", s.Key)
	}
	return Result{"succeeded": true, "key": s.Key, "value": s.data(pairs, true)}, err
}

func (s consulStore) oldKeys() (Result, error) {
	names, _, err := s.kv.Keys(s.Key, s.Separator, s.query())
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("API call failed: HTTP Error 404: Not Found (there is no key below %s)", s.Key)
	}
	list := make([]any, len(names))
	for i, n := range names {
		list[i] = n
	}
	return Result{"succeeded": true, "key": s.Key, "value": list}, err
}

func (s consulStore) oldPut(c *Call) (Result, error) {
	if s.Value == nil || *s.Value == "" {
		return nil, errors.New("A value is required when using PUT")
	}
	lock := ""
	switch s.Session = cmp.Or(s.Acquire, s.Release); {
	case s.Acquire != "":
		lock = "acquire"
	case s.Release != "":
		lock = "release"
	}
	pairs, _, err := s.stored(false)
	if err == nil && (lock != "" || kvDiffers(pairs, *s.Value)) {
		err = s.put(c, pairs, lock)
	}
	return Result{"succeeded": true, "key": s.Key, "value": *s.Value}, err
}

func (s consulStore) oldDelete(c *Call) (Result, error) {
	pairs, _, err := s.stored(s.Recurse)
	if err == nil && len(pairs) > 0 {
		err = s.remove(c, pairs)
	}
	return Result{"succeeded": true, "key": s.Key, "deleted": true}, err
}

// data is what a task registers of keys: a list, or the one or nil.
func (s consulStore) data(pairs api.KVPairs, list bool) any {
	all := make([]any, len(pairs))
	for i, p := range pairs {
		m := map[string]any{"Key": p.Key, "Value": string(p.Value), "Flags": int(p.Flags),
			"CreateIndex": int(p.CreateIndex), "ModifyIndex": int(p.ModifyIndex), "LockIndex": int(p.LockIndex)}
		if p.Session != "" {
			m["Session"] = p.Session
		}
		all[i] = m
	}
	switch {
	case len(all) == 0:
		return nil
	case list:
		return all
	}
	return all[0]
}

func kvDiffers(pairs api.KVPairs, value string) bool {
	return len(pairs) == 0 || string(pairs[0].Value) != value
}

// kvText shows keys in a diff.
func kvText(pairs api.KVPairs) string {
	if len(pairs) == 1 {
		return string(pairs[0].Value)
	}
	var b strings.Builder
	for _, p := range pairs {
		fmt.Fprintf(&b, "%s: %s\n", p.Key, p.Value)
	}
	return b.String()
}
