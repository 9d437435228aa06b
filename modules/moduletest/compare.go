package moduletest

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"gplay/modules/host"
)

// subset says where got differs from want; dicts in got may hold more.
func subset(want, got any, where string) string {
	switch want := want.(type) {
	case map[string]any:
		dict, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %s, want a dict", where, show(got))
		}
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if fault := subset(want[k], dict[k], strings.TrimPrefix(where+"."+k, ".")); fault != "" {
				return fault
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("%s is %s, want %s", where, show(got), show(want))
		}
		for i := range want {
			if fault := subset(want[i], list[i], fmt.Sprintf("%s[%d]", where, i)); fault != "" {
				return fault
			}
		}
		return ""
	case string:
		if expr, ok := strings.CutPrefix(want, "re:"); ok {
			if s, isText := got.(string); isText && regexp.MustCompile(expr).MatchString(s) {
				return ""
			}
		}
	}
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return fmt.Sprintf("%s is %s, want %s", where, show(got), show(want))
}

// keys is v with every leaf that is no dict or list forgotten.
func keys(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = keys(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = keys(e)
		}
		return out
	}
	return "…"
}

func show(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	b, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(string(b), "\n")
}

// snapshot is everything below root, by path: kind, permissions, owner, times
// of change and content.
func snapshot(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := fmt.Sprint(info.Mode(), info.ModTime().UnixNano())
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += " " + string(data)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text += " -> " + target
		}
		all[path] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func compareTrees(before, after map[string]string) string {
	var lines []string
	for path, was := range before {
		if is, there := after[path]; !there {
			lines = append(lines, "removed "+path)
		} else if is != was {
			lines = append(lines, fmt.Sprintf("changed %s: %q to %q", path, was, is))
		}
	}
	for path := range after {
		if _, there := before[path]; !there {
			lines = append(lines, "made "+path)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (c *testCase) compareAfter(t *testing.T) {
	t.Helper()
	want := map[string]string{}
	for name, text := range c.files {
		if path, ok := strings.CutPrefix(name, "after/"); ok {
			want[path] = text
		}
	}
	if len(want) == 0 {
		return
	}
	err := filepath.WalkDir(c.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(c.root, path)
		if err != nil {
			return err
		}
		text, expected := want[rel]
		if !expected {
			t.Errorf("%s is there, and should not be", rel)
			return nil
		}
		delete(want, rel)
		data, err := os.ReadFile(path)
		if string(data) != text {
			t.Errorf("%s is\n%q, want\n%q", rel, data, text)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, rel := range slices.Sorted(maps.Keys(want)) {
		t.Errorf("%s is not there", rel)
	}
}

func (c *testCase) compareTree(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(c.files["tree"]) {
		line = strings.TrimSpace(line)
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		path := fields[len(fields)-1]
		if fields[0] == "l" && len(fields) == 4 {
			path = fields[1]
		}
		got, err := treeLine(c.root, path)
		if err != nil {
			t.Error(err)
		}
		if got != line {
			t.Errorf("tree: %s, want %s", got, line)
		}
	}
}

func treeLine(root, path string) (string, error) {
	full := filepath.Join(root, path)
	info, err := os.Lstat(full)
	if os.IsNotExist(err) {
		return "- " + path, nil
	}
	if err != nil {
		return "", err
	}
	perm := fmt.Sprintf("%04o", host.UnixMode(info.Mode()))
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(full)
		return fmt.Sprintf("l %s -> %s", path, target), err
	case info.IsDir():
		return fmt.Sprintf("d %s %s", perm, path), nil
	}
	return fmt.Sprintf("f %s %s", perm, path), nil
}
