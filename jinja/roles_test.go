package jinja

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var templateDirs = flag.String("templates", "", "directories with roles, separated by commas, whose templates are parsed, too")

// ansibleHeader sets options in the first line of a template.
var ansibleHeader = regexp.MustCompile(`^#jinja2:.*\n`)

// TestRoleTemplates parses the templates of roles, those of this repository
// and of -templates, and compares with Python's parser: both accept one or
// both refuse it.
func TestRoleTemplates(t *testing.T) {
	options := map[string]any{"trim_blocks": true, "keep_trailing_newline": true}
	dirs := []string{".."}
	if *templateDirs != "" {
		dirs = append(dirs, strings.Split(*templateDirs, ",")...)
	}
	for _, dir := range dirs {
		var paths []string
		var cases []oracleCase
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".j2" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			paths = append(paths, path)
			cases = append(cases, oracleCase{Template: ansibleHeader.ReplaceAllString(string(text), ""), Options: options, Parse: true})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(cases) == 0 {
			t.Fatalf("%s: no templates", dir)
		}
		e := caseEnvironment(options, nil)
		refused := 0
		askPython(t, cases, func(i int, answer *string) {
			_, err := e.Compile("", cases[i].Template)
			if err != nil && strings.HasPrefix(err.Error(), "No ") { // filters of Ansible's
				err = nil
			}
			if err != nil {
				refused++
			}
			switch {
			case answer == nil:
				t.Errorf("%s: Python does not end", paths[i])
			case err == nil && *answer != "":
				t.Errorf("%s: Python refuses it: %s", paths[i], *answer)
			case err != nil && *answer == "":
				t.Errorf("%s: %v", paths[i], err)
			}
		})
		t.Logf("%s: %d templates, %d refused by both", dir, len(cases), refused)
	}
}
