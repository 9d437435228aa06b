package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"github.com/google/shlex"
)

// Text is a scalar as it is written: True and False as Python does.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any, map[string]any:
		raw, _ := json.Marshal(v)
		return string(raw)
	}
	return fmt.Sprint(v)
}

func texts(m map[string]any) map[string]string {
	if m == nil {
		return nil
	}
	out := map[string]string{}
	for k, v := range m {
		out[k] = Text(v)
	}
	return out
}

// Words makes a command of a list or of a line.
func Words(v any) ([]string, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		out := make([]string, len(v))
		for i, e := range v {
			out[i] = Text(e)
		}
		return out, nil
	case string:
		words, err := shlex.Split(v)
		if err != nil {
			return nil, fmt.Errorf("%q is no command line: %w", v, err)
		}
		return words, nil
	}
	return nil, fmt.Errorf("a command is a list or a line of text, got %s", Text(v))
}

// Bytes reads a size such as 512M; "" is 0, unlimited and -1 are -1.
func Bytes(s string) (int64, error) {
	switch s {
	case "":
		return 0, nil
	case "-1", "unlimited":
		return -1, nil
	}
	n, err := units.RAMInBytes(s)
	if err != nil {
		return 0, fmt.Errorf("a size is a number with a unit such as 512M, got %q", s)
	}
	return n, nil
}

// Pairs makes NAME=value strings, sorted.
func Pairs(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return out
}

func unpaired(list []string) map[string]string {
	out := map[string]string{}
	for _, s := range list {
		k, v, _ := strings.Cut(s, "=")
		out[k] = v
	}
	return out
}
