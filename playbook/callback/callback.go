// Package callback is what the user sees of a run: the output formats.
package callback

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"gplay/internal/source"
	"gplay/playbook/runner"
)

// Options say how a run is shown.
type Options struct {
	Out, Err  io.Writer
	Verbosity int  // the number of -v
	Color     bool // see Terminal
	Columns   int  // the width of banners and warnings; 79 when smaller
	Check     bool // the run is a dry run
	// HideOK and HideSkipped leave out results that are ok or skipped.
	HideOK, HideSkipped bool
	FailedToErr         bool // failed results go to Err
	CheckMarkers        bool // banners say that a dry run is one
	CustomStats         bool // show what set_stats set
	PathOnFailure       bool // show the place of a task that failed
	NoDeprecations      bool
	// Secrets are never shown.
	Secrets *Secrets
}

// New gives the callback of a name: default, minimal, oneline or json.
func New(name string, o Options) (runner.Callback, error) {
	d := newDisplay(o)
	switch strings.TrimPrefix(strings.TrimPrefix(name, "ansible.builtin."), "ansible.posix.") {
	case "", "default":
		return &standard{display: d}, nil
	case "minimal":
		return &minimal{display: d}, nil
	case "oneline":
		return &minimal{display: d, oneline: true}, nil
	case "json":
		return newJSON(d), nil
	}
	e := source.Errorf(source.Pos{}, "there is no callback %q", name)
	e.Hint = source.DidYouMean(name, []string{"default", "minimal", "oneline", "json"})
	return nil, e
}

// Terminal tells whether output to f is coloured and how wide it is, as the
// environment (ANSIBLE_FORCE_COLOR, ANSIBLE_NOCOLOR, NO_COLOR, TERM) and the
// terminal say.
func Terminal(f *os.File, getenv func(string) string) (color bool, columns int) {
	tty := term.IsTerminal(int(f.Fd()))
	switch {
	case isTrue(getenv("ANSIBLE_FORCE_COLOR")):
		color = true
	case isTrue(getenv("ANSIBLE_NOCOLOR")), getenv("NO_COLOR") != "":
	default:
		t := getenv("TERM")
		color = tty && t != "" && t != "dumb"
	}
	columns = minColumns
	if tty {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			columns = max(columns, width-1)
		}
	}
	return color, columns
}

func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "on", "y", "t":
		return true
	}
	return false
}

// hostLabel names the host of a result, and the one it was delegated to.
func hostLabel(r *runner.Result) string {
	if r.Delegated == "" || r.Delegated == r.Host {
		return r.Host
	}
	label := r.Host + " -> " + r.Delegated
	if address := delegatedAddress(r); address != "" && address != r.Delegated {
		label += fmt.Sprintf("(%s)", address)
	}
	return label
}
