package modules_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gplay/internal/consultest"
	"gplay/modules"
	"gplay/modules/host"
)

// lacking says what a test lacks: in CI that is a failure.
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("needs " + what)
	}
	t.Skip("needs " + what)
}

// consulAgent starts a real Consul agent and gives the arguments that reach it.
func consulAgent(t *testing.T) map[string]any {
	t.Helper()
	return map[string]any{"host": "127.0.0.1", "port": consultest.Agent(t)}
}

type offered map[string]string

func (o offered) Open(name string) (io.ReadCloser, error) {
	if text, ok := o[name]; ok {
		return io.NopCloser(strings.NewReader(text)), nil
	}
	return nil, fmt.Errorf("%s was not offered", name)
}

func (offered) Create(name string) (io.WriteCloser, error) {
	return nil, fmt.Errorf("%s was not offered", name)
}

// runOn runs a module on this machine.
func runOn(t *testing.T, m *modules.Module, check bool, base map[string]any, args ...any) map[string]any {
	t.Helper()
	all := map[string]any{}
	for k, v := range base {
		all[k] = v
	}
	for i := 0; i < len(args); i += 2 {
		all[args[i].(string)] = args[i+1]
	}
	local := &host.Local{}
	// Cleanup runs modules too, when the test's context has ended.
	return m.Run(context.WithoutCancel(t.Context()), local, local, offered{"src": `color={{ key "color" }}`}, check, true, all)
}

// at follows a path of keys and indices through a result.
func at(got map[string]any, path string) any {
	value := any(got)
	for _, step := range strings.Split(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			n, err := strconv.Atoi(step)
			if value = nil; err == nil && n < len(v) {
				value = v[n]
			}
		default:
			return nil
		}
	}
	return value
}

// want compares some of a result, given as name, value, …; a name may be a
// path: data.Value, value.0.Key. Unless failed is among them it must not be.
func want(t *testing.T, got map[string]any, pairs ...any) {
	t.Helper()
	if got["failed"] == true && !slices.Contains(pairs, any("failed")) {
		t.Errorf("failed: %v", got["msg"])
	}
	for i := 0; i < len(pairs); i += 2 {
		value := at(got, pairs[i].(string))
		if fmt.Sprint(value) != fmt.Sprint(pairs[i+1]) {
			t.Errorf("%s is %v, want %v, in %v", pairs[i], value, pairs[i+1], got)
		}
	}
}

func TestConsulKV(t *testing.T) {
	agent := consulAgent(t)
	kv := func(check bool, args ...any) map[string]any {
		return runOn(t, modules.ConsulKV, check, agent, args...)
	}
	want(t, kv(false, "key", "a/b"), "changed", false, "data", nil)
	want(t, kv(true, "key", "a/b", "value", "1"), "changed", true, "diff.after", "1")
	want(t, kv(false, "key", "a/b"), "data", nil)
	want(t, kv(false, "key", "a/b", "value", 1), "changed", true, "data.Value", "1", "data.Key", "a/b")
	want(t, kv(false, "key", "a/b", "value", "1"), "changed", false)
	want(t, kv(false, "key", "a/b", "value", "2", "cas", 0), "failed", true, "msg", "Consul did not set a/b: its ModifyIndex is not 0")
	want(t, kv(false, "key", "a/c", "value", "3", "flags", 7, "retrieve", false), "changed", true, "data", nil)
	want(t, kv(false, "key", "a/", "recurse", true), "data.0.Key", "a/b", "data.1.Flags", 7, "data.2", nil)
	want(t, kv(true, "key", "a/", "state", "absent", "recurse", true), "changed", true)
	want(t, kv(false, "key", "a/b", "state", "absent"), "changed", true, "data.Value", "1")
	want(t, kv(false, "key", "a/b", "state", "absent"), "changed", false, "data", nil)
	want(t, kv(false, "key", "a/c"), "data.Value", "3")
	want(t, kv(false, "key", "x", "state", "acquire"), "failed", true, "msg", "acquire of lock for x requested but no session supplied")
}

func TestConsulKVAsIn2015(t *testing.T) {
	agent := consulAgent(t)
	kv := func(check bool, args ...any) map[string]any {
		return runOn(t, modules.ConsulKV, check, agent, args...)
	}
	want(t, kv(false, "action", "get", "key", "services/books/color"), "failed", true,
		"msg", "API call failed: HTTP Error 404: Not Found (there is no key services/books/color)")
	want(t, kv(false, "action", "put", "key", "services/books/color", "value", "blue"), "changed", true, "succeeded", true, "value", "blue")
	want(t, kv(false, "action", "PUT", "key", "services/books/color", "value", "blue"), "changed", false)
	want(t, kv(false, "action", "get", "key", "services/books/color", "dc", "dc1"), "changed", false, "value.0.Value", "blue")
	want(t, kv(true, "action", "get", "key", "services/books/color"), "value.0.Value", "blue")
	want(t, kv(false, "action", "get", "key", "services/", "keys", true), "value.0", "services/books/color")
	want(t, kv(false, "action", "put", "key", "k"), "failed", true, "msg", "A value is required when using PUT")
	want(t, kv(false, "action", "delete", "key", "services/", "recurse", true), "changed", true, "deleted", true)
	want(t, kv(false, "action", "delete", "key", "services/", "recurse", true), "changed", false)
	want(t, kv(false, "action", "pat", "key", "k"), "failed", true)
}

func TestConsulSessionLocksKey(t *testing.T) {
	agent := consulAgent(t)
	session := func(args ...any) map[string]any { return runOn(t, modules.ConsulSession, false, agent, args...) }
	kv := func(args ...any) map[string]any { return runOn(t, modules.ConsulKV, false, agent, args...) }
	made := session("name", "deploy", "ttl", 30, "delay", 0)
	id := made["session_id"]
	want(t, made, "changed", true, "name", "deploy")
	want(t, session("state", "info", "id", id), "changed", false, "sessions.0.Name", "deploy", "sessions.0.TTL", "30s")
	want(t, session("state", "list"), "sessions.0.ID", id)
	want(t, kv("key", "lock", "value", "me", "state", "acquire", "session", id), "changed", true)
	want(t, kv("key", "lock", "value", "me", "state", "acquire", "session", id), "changed", false)
	other := session("action", "create", "ttl", "30s", "lock_delay", "1s")
	want(t, kv("key", "lock", "value", "you", "state", "acquire", "session", other["value"].(map[string]any)["ID"]), "failed", true)
	want(t, kv("key", "lock", "value", "me", "state", "release", "session", id), "changed", true)
	want(t, session("state", "absent", "id", id), "changed", true)
	want(t, session("state", "absent", "id", id), "changed", false)
	want(t, session("state", "info"), "failed", true, "msg", "state info needs the id of a session")
}

func TestConsulRegisters(t *testing.T) {
	agent := consulAgent(t)
	consul := func(check bool, args ...any) map[string]any {
		return runOn(t, modules.Consul, check, agent, args...)
	}
	web := []any{"service_name", "web", "service_port", 80, "tags", "a,b"}
	checked := append(web, "http", "http://127.0.0.1:1/", "interval", 10)
	want(t, consul(true, web...), "changed", true)
	want(t, consul(false, web...), "changed", true, "service_id", "web", "tags.1", "b")
	want(t, consul(false, web...), "changed", false)
	want(t, consul(false, checked...), "changed", true, "checks.0.interval", "10s")
	want(t, consul(false, checked...), "changed", false)
	want(t, consul(false, append(checked, "timeout", "2s")...), "changed", true)
	want(t, consul(false, append(web, "script", "true", "interval", "1m")...), "changed", true)
	want(t, consul(false, append(web, "script", "true", "interval", "1m")...), "changed", false)
	want(t, consul(false, append(checked, "ttl", "3s")...), "failed", true)
	want(t, consul(false, append(web, "http", "http://127.0.0.1/")...), "failed", true, "msg", "a script, http or tcp check needs an interval")
	want(t, consul(false, append(web, "tcp", "nowhere", "interval", "1s")...), "failed", true, "msg", `tcp check must be in host:port format, got "nowhere"`)
	want(t, consul(false, "check_name", "disk", "script", "true", "interval", "5s"), "changed", true, "check_id", "disk")
	want(t, consul(false, "check_name", "disk", "state", "absent"), "changed", true)
	want(t, consul(false, "check_name", "disk", "state", "absent"), "changed", false)
	want(t, consul(false, "service_name", "web", "state", "absent"), "changed", true, "id", "web")
	want(t, consul(false, "service_name", "web", "state", "absent"), "changed", false)
	want(t, consul(false, "state", "absent"), "failed", true)
	want(t, consul(false), "failed", true)
}

func TestConsulNotThere(t *testing.T) {
	nobody := map[string]any{"port": consultest.FreePorts(t, 1)[0]}
	got := runOn(t, modules.ConsulKV, false, nobody, "key", "k")
	if msg := fmt.Sprint(got["msg"]); !strings.HasPrefix(msg, "Could not connect to consul agent at localhost:"+fmt.Sprint(nobody["port"])) {
		t.Errorf("got %v", got)
	}
}
