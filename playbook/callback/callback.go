// Package callback is what the user sees of a run: the output formats.
package callback

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"gplay/internal/source"
	"gplay/playbook"
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
	FailedToErr         bool              // failed results go to Err
	CheckMarkers        bool              // banners say that a dry run is one
	CustomStats         bool              // show what set_stats set
	PathOnFailure       bool              // show the place of a task that failed
	PerHostStart        bool              // say when a task starts on a host
	ShowArgs            bool              // banners show the task's arguments as written
	Colors              map[string]string // names of colours by their use, in place of those in Colors
	VerboseToErr        bool              // what -v adds beside results goes to Err
	NoModuleWarnings    bool              // nor deprecations that modules tell of
	DiffContext         int               // how many lines of a diff stand around a change
	YAML                bool              // results are YAML, else JSON
	// Pretty says whether results are spread over lines, whatever the
	// verbosity; nil leaves it to the format.
	Pretty *bool
	// Enabled are callbacks besides the one that shows the run.
	Enabled []string
	// Setting gives the setting of a callback of its own, by its environment
	// variable and its place in ansible.cfg; "" where it is not set. A nil
	// Setting has none.
	Setting func(env, section, key string) string
	// Log is told of each line that is shown; nil when nobody is.
	Log            func(line string)
	NoDeprecations bool
	// Secrets are never shown.
	Secrets *Secrets
}

// outputs are the callbacks that show a run, by name.
var outputs = map[string]func(d *display) runner.Callback{
	"default":   func(d *display) runner.Callback { return newStandard(d) },
	"minimal":   func(d *display) runner.Callback { return &minimal{silent: silent{d}} },
	"oneline":   func(d *display) runner.Callback { return &minimal{silent: silent{d}, oneline: true} },
	"json":      func(d *display) runner.Callback { return newJSON(d, false) },
	"jsonl":     func(d *display) runner.Callback { return newJSON(d, true) },
	"yaml":      newYAML,
	"null":      func(d *display) runner.Callback { return silent{d} },
	"unixy":     func(d *display) runner.Callback { return &unixy{newStandard(d)} },
	"dense":     func(d *display) runner.Callback { return newDense(newStandard(d)) },
	"selective": func(d *display) runner.Callback { return newSelective(d) },
	"debug":     newDebug,
	"skippy":    func(d *display) runner.Callback { return skippy{newStandard(d)} },
}

// extras are those that can be enabled besides, by name. One whose settings
// make no sense is none.
var extras = map[string]func(d *display) (runner.Callback, error){
	"timer":         func(d *display) (runner.Callback, error) { return &timer{silent{d}, time.Now()}, nil },
	"profile_tasks": newProfileTasks,
	"profile_roles": func(d *display) (runner.Callback, error) { return newProfile(d, true), nil },
	"junit":         func(d *display) (runner.Callback, error) { return newJUnit(d), nil },
	"tree":          func(d *display) (runner.Callback, error) { return newTree(d), nil },
	"log_plays":     func(d *display) (runner.Callback, error) { return newLogPlays(d), nil },
}

// collections have the callbacks that ansible-core has not itself.
var collections = map[string]string{
	"debug": "ansible.posix", "json": "ansible.posix", "profile_roles": "ansible.posix",
	"profile_tasks": "ansible.posix", "skippy": "ansible.posix", "timer": "ansible.posix",
	"dense": "community.general", "log_plays": "community.general", "null": "community.general",
	"selective": "community.general", "unixy": "community.general", "yaml": "community.general",
}

// Redirects say of callbacks that were named without their collection where they
// are. As in Ansible, the one that shows the run is looked for twice.
func Redirects(output string, enabled []string) []string {
	var lines []string
	for _, name := range append([]string{output, output}, enabled...) {
		bare := playbook.Builtin(name)
		if collection := collections[bare]; collection != "" {
			lines = append(lines, fmt.Sprintf("redirecting (type: callback) ansible.builtin.%s to %s.%[1]s", bare, collection))
		}
	}
	return lines
}

// short takes the collection off the name of a callback.
func short(name string) string {
	name = playbook.Builtin(name)
	for _, collection := range []string{"ansible.posix.", "community.general."} {
		name = strings.TrimPrefix(name, collection)
	}
	return name
}

// New gives the callback of a name, together with those that are enabled. An
// enabled one that there is not is warned of and left out, as Ansible does.
func New(name string, o Options) (runner.Callback, error) {
	d := newDisplay(o)
	output, err := newOutput(cmp.Or(name, "default"), d)
	if err != nil {
		return nil, err
	}
	all := several{output}
	for _, name := range o.Enabled {
		if extra := extras[short(name)]; extra != nil {
			c, err := extra(d)
			if err != nil {
				d.Warning(fmt.Sprintf("Skipping callback '%s', unable to load due to: %v", name, err))
				continue
			}
			all = append(all, c)
		} else if outputs[short(name)] == nil {
			d.Warning(fmt.Sprintf("Skipping callback plugin '%s', unable to load", name))
		}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

// newOutput gives the callback that shows the run. One of the extras shows
// nothing else.
func newOutput(name string, d *display) (runner.Callback, error) {
	if output := outputs[short(name)]; output != nil {
		return output(d), nil
	}
	if extra := extras[short(name)]; extra != nil {
		return extra(d)
	}
	e := source.Errorf(source.Pos{}, "there is no callback %q", name)
	e.Err = fs.ErrNotExist
	e.Hint = source.DidYouMean(name, slices.Sorted(maps.Keys(outputs)))
	return nil, e
}

// setting is a callback's own setting.
func (o *Options) setting(env, section, key, otherwise string) string {
	if o.Setting == nil {
		return otherwise
	}
	return cmp.Or(o.Setting(env, section, key), otherwise)
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
