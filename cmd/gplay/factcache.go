package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gplay/internal/pyjson"
	"gplay/jinja"
	"gplay/playbook/vars"
)

// factCache is the cache that the configuration names; nil keeps facts for the
// run only.
func (c *config) factCache() (vars.FactCache, error) {
	switch strings.TrimPrefix(c.cachePlugin, "ansible.builtin.") {
	case "", "memory":
		return nil, nil
	case "jsonfile":
		if c.cacheConnection == "" {
			return nil, errors.New("the fact cache jsonfile needs a directory: set fact_caching_connection")
		}
		return &jsonFiles{dir: c.cacheConnection, prefix: c.cachePrefix, timeout: time.Duration(c.cacheTimeout) * time.Second}, nil
	}
	return nil, fmt.Errorf("there is no fact cache %q: it can be memory or jsonfile", c.cachePlugin)
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
	v, err := pyjson.Decode(string(data))
	if err != nil {
		return nil
	}
	facts, _ := v.(*jinja.Dict)
	return facts
}

func (j *jsonFiles) Set(host string, facts *jinja.Dict) error {
	if err := os.MkdirAll(j.dir, 0o755); err != nil {
		return err
	}
	text, err := jinja.JSON(facts, jinja.JSONOptions{Indent: "    ", SortKeys: true, Default: func(v any) (any, error) { return jinja.Str(v), nil }})
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
	if host != "" {
		if err := os.Remove(j.path(host)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	files, err := filepath.Glob(filepath.Join(j.dir, j.prefix+"*"))
	for _, file := range files {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}
