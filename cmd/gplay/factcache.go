package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gplay/internal/pyjson"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/vars"
)

// factCache is the cache that the configuration names; nil keeps facts for the
// run only, which is what becomes of a cache that cannot be, as in Ansible.
func (c *config) factCache(warn, secret func(string)) vars.FactCache {
	switch name := playbook.Builtin(c.cachePlugin); name {
	case "", "memory":
		return nil
	case "jsonfile":
		if c.cacheConnection != "" {
			return &jsonFiles{dir: c.cacheDir, prefix: c.cachePrefix, timeout: time.Duration(c.cacheTimeout) * time.Second}
		}
		warn("facts are kept for this run only: the fact cache jsonfile needs a directory, set fact_caching_connection")
	case "redis", "community.general.redis":
		server, err := parseRedis(c.cacheConnection, c.redisSentinel)
		if err != nil {
			warn("facts are kept for this run only: " + err.Error())
			return nil
		}
		secret(server.password)
		return c.redisFacts(server, warn)
	default:
		warn("facts are kept for this run only: there is no fact cache " + name + ", it can be memory, jsonfile or redis")
	}
	return nil
}

// factText is how caches of facts write them.
func factText(facts *jinja.Dict) (string, error) {
	return jinja.JSON(facts, jinja.JSONOptions{Indent: "    ", SortKeys: true, ASCII: true, Default: func(v any) (any, error) { return jinja.Str(v), nil }})
}

// readFacts is nil where text has no facts.
func readFacts(text string) *jinja.Dict {
	v, err := pyjson.Decode(text)
	if err != nil {
		return nil
	}
	facts, _ := v.(*jinja.Dict)
	return facts
}

// jsonFiles is a directory with one JSON file a host.
type jsonFiles struct {
	dir, prefix string
	timeout     time.Duration // 0 is for ever
}

func (j *jsonFiles) path(host string) string { return filepath.Join(j.dir, j.prefix+host) }

func (j *jsonFiles) Get(host string) *jinja.Dict {
	info, err := os.Stat(j.path(host))
	if err != nil || j.timeout > 0 && time.Since(info.ModTime()) > j.timeout {
		return nil
	}
	data, err := os.ReadFile(j.path(host))
	if err != nil {
		return nil
	}
	return readFacts(string(data))
}

func (j *jsonFiles) Set(host string, facts *jinja.Dict) error {
	if err := os.MkdirAll(j.dir, 0o755); err != nil {
		return err
	}
	text, err := factText(facts)
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(j.dir, ".facts")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.WriteString(text)
	if err = errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), j.path(host))
}

func (j *jsonFiles) Delete(host string) error {
	if err := os.Remove(j.path(host)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
