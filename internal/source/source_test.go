package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestDescribe(t *testing.T) {
	t.Chdir(t.TempDir())
	wd, _ := os.Getwd()
	text := "- hosts: all\n  tasks:\n  - file:\n    stat: directory\n\tx: y\n  名: \"値\" z\r\n\x1b[31m\n"
	if err := os.WriteFile("site.yml", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	at := func(line, col int) Pos { return Pos{filepath.Join(wd, "site.yml"), line, col} }
	full := &Error{Pos: at(4, 5), Len: 4, Msg: `file: unknown argument "stat"`, Hint: `did you mean "state"?`,
		Within: []Note{{"in role web", at(1, 3)}, {Text: "in a play"}}}

	tests := []struct {
		name string
		err  error
		want string
	}{
		{"all of it", full, `site.yml:4:5: file: unknown argument "stat"
4 |    stat: directory
  |    ^^^^
hint: did you mean "state"?
  in role web (site.yml:1:3)
  in a play
`},
		{"wrapped", fmt.Errorf("host a: %w", Errorf(at(1, 3), "bad")), "host a: site.yml:1:3: bad\n1 |- hosts: all\n  |  ^\n"},
		{"joined", errors.Join(Errorf(at(1, 0), "one"), errors.New("two")), "site.yml:1: one\n1 |- hosts: all\ntwo\n"},
		{"a tab", Errorf(at(5, 2), "tab"), "site.yml:5:2: tab\n5 |\tx: y\n  |\t^\n"},
		{"wide characters", &Error{Pos: at(6, 7), Len: 1, Msg: "wide"}, "site.yml:6:7: wide\n6 |  名: \"値\" z\n  |       ^^\n"},
		{"control characters", Errorf(at(7, 1), "x"), "site.yml:7:1: x\n7 |·[31m\n  |^\n"},
		{"past the line", Errorf(at(1, 99), "x"), "site.yml:1:99: x\n1 |- hosts: all\n  |            ^\n"},
		{"past the file", Errorf(at(99, 1), "x"), "site.yml:99:1: x\n"},
		{"no such file", Errorf(Pos{"/nowhere/a.yml", 1, 2}, "x"), "/nowhere/a.yml:1:2: x\n"},
		{"no place", Errorf(Pos{}, "x"), "x\n"},
	}
	for _, tt := range tests {
		if got := Describe(tt.err); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"state", "src", "dest", "become_user", "become", "copy", "command"}
	for name, want := range map[string]string{
		"stat": "state", "desr": "dest", "becom": "become", "beocme": "become", "become_usr": "become_user",
		"STATE": "state", "recurse": "", "completely": "", "comand": "command", "zzzzzz": "", "x": "", "cpoy": "copy", "sr": "src",
	} {
		if got := Nearest(name, candidates); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := DidYouMean("stat", candidates); got != `did you mean "state"?` {
		t.Errorf("DidYouMean: %q", got)
	}
}
