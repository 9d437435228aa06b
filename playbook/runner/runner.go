// Package runner decides who runs what, when: plays and batches of hosts,
// tasks in lockstep, loops, handlers, blocks, delegation.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"gplay/connection"
	"gplay/internal/source"
	"gplay/inventory"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/actions"
	"gplay/playbook/vars"
)

// Options are what a run is told beside its playbook; the zero value of each
// is ansible-playbook's default.
type Options struct {
	Inventory *inventory.Inventory
	// Mismatch says what a pattern of hosts that matches none is: an "error",
	// something to "ignore", else a warning.
	Mismatch string
	Callback Callback
	// Templar and Pool are made when they are nil.
	Templar *vars.Templar
	Pool    *connection.Pool

	RolesPath       []string // where roles are, besides the playbook's own
	CollectionsPath []string // and collections
	Library         []string // where modules of a playbook's own are, besides those beside it
	// ListOnly is set when nothing will be run: then modules that gplay does
	// not have are no error.
	ListOnly       bool
	Limit          string
	Forks          int
	Check, Diff    bool
	Tags, SkipTags []string
	StartAt        string
	FactCache      vars.FactCache
	HideFacts      bool   // facts are no variables of their own
	RetryFiles     bool   // write the hosts that failed into a file
	RetryDir       string // for that; beside the playbook when empty
	ForceHandlers  bool   // of plays that do not say
	// MissingHandlers lets tasks notify handlers that there are not; they are
	// warned of.
	MissingHandlers bool
	// PrivateRoleVars keeps the vars of roles from the rest of the play.
	PrivateRoleVars bool
	Strategy        string // of plays that say none; linear when empty
	DebugFailures   bool   // go to the debugger, whatever the strategy
	DebugIgnored    bool   // failures that are ignored do so, too
	ExtraVars       *jinja.Dict
	// Rejected are modules and actions that no task may use.
	Rejected []string
	// DuplicateKeys is what a key that is twice in a dict of YAML is: "warn",
	// "error" or "ignore".
	DuplicateKeys string
	// Interpreter is the Python that Ansible would be told to use; empty, or
	// auto and the like, leaves it to find one.
	Interpreter string
	// RunVars are variables of the run itself: ansible_version and its like.
	RunVars *jinja.Dict

	Connection      Connection
	HostKeyChecking string // "true", "accept-new" or "false"
	Verbosity       int
	// Prompt asks the person at the terminal, for vars_prompt; nil when there
	// is nobody.
	Prompt func(text string, private bool) (string, error)
	// Keys opens the terminal for pause; nil when there is nobody.
	Keys func(echo bool) (actions.Keys, error)
	// Keywords are those of plays that do not have them.
	Keywords map[string]any
	// SmartGathering lets a play that says nothing of facts gather those of
	// hosts whose facts are not known yet.
	SmartGathering bool
	// Confirm asks before each task whether to perform it; nil performs all.
	Confirm func(question string) (answer string, err error)
	// Console is where the task debugger talks; nil is nowhere.
	Console Console
	// Secret is told of every password before it is used, so that the
	// Callback can keep it to itself; nil when nobody needs to know.
	Secret func(text string)
}

// Connection is what the command line says of how to reach hosts. Variables
// of a host win over it.
type Connection struct {
	Transport  string // ssh when empty
	User       string
	Password   string
	KeyFile    string
	CommonArgs string
	ExtraArgs  string
	Timeout    time.Duration

	Become         bool
	BecomeMethod   string
	BecomeUser     string
	BecomePassword string
	// BecomeSameUser goes through the become method to be the same user, too.
	BecomeSameUser bool
}

// The exit codes of a run, as ansible-playbook's.
const (
	ExitOK          = 0
	ExitError       = 1
	ExitFailed      = 2
	ExitUnreachable = 4
	ExitBadSource   = 4
	ExitBadOption   = 5
	ExitInterrupted = 99
	ExitUnexpected  = 250
)

// Runner runs playbooks against one inventory.
type Runner struct {
	Options
	pool  *connection.Pool
	store *vars.Store
	stats *Stats

	mu sync.Mutex // guards the callback
	// Templates look up who failed while, with the strategy free, other hosts
	// do: outMu guards writing, and reading outside of a turn.
	outMu       sync.RWMutex
	result      int // the exit code, of the last batch
	failed      map[string]bool
	unreachable map[string]bool
	started     bool   // the task of StartAt was reached
	uuids       string // what those of this run begin with
	uuidCount   int
	pb          *playbook.Playbook
}

// New makes a Runner. Close ends its connections.
func New(o Options) *Runner {
	if o.Forks <= 0 {
		o.Forks = 5
	}
	if o.Templar == nil {
		o.Templar = vars.NewTemplar()
	}
	if o.Pool == nil {
		o.Pool = connection.NewPool(connection.Options{Prompt: o.Prompt, Warn: o.Callback.Warning})
	}
	store := vars.NewStore(o.Templar, o.Inventory, o.ExtraVars, o.RunVars)
	store.Cache, store.HideFacts = o.FactCache, o.HideFacts
	r := &Runner{
		Options: o, pool: o.Pool, store: store,
		stats:  &Stats{Counts: map[string]*Counts{}, Custom: map[string]*jinja.Dict{}},
		failed: map[string]bool{}, unreachable: map[string]bool{}, started: o.StartAt == "",
		uuids: fmt.Sprintf("%08x-%04x-%04x-%04x", rand.Uint32(), rand.Uint32N(1<<16), rand.Uint32N(1<<16), rand.Uint32N(1<<16)),
	}
	o.Templar.Warn = func(msg string) { r.warn("%s", msg) }
	return r
}

// uuid is a new name for a play or a task that was begun.
func (r *Runner) uuid() string {
	r.uuidCount++
	return fmt.Sprintf("%s-%012x", r.uuids, r.uuidCount)
}

// Close ends all connections and what still runs behind them.
func (r *Runner) Close() { r.pool.Close() }

// Started reports whether the task to start at was reached; true where there is
// none.
func (r *Runner) Started() bool { return r.started }

// Run runs the plays of pb in order, shows the recap, and returns the exit
// code. Cancelling ctx starts no more tasks and ends those that run.
func (r *Runner) Run(ctx context.Context, pb *playbook.Playbook) (int, error) {
	r.pb = pb
	r.Callback.PlaybookStart(pb)
	if !pb.Text {
		r.TellPlays(pb)
	}
	var err error
	for _, play := range pb.Plays {
		var goOn bool
		if goOn, err = r.runPlay(ctx, play); err != nil || !goOn {
			break
		}
	}
	if errors.Is(err, errQuit) {
		return ExitInterrupted, nil
	}
	if err != nil {
		return errorCode(err), err
	}
	r.writeRetry(pb)
	r.Callback.Stats(r.recap())
	return r.exitCode(ctx), nil
}

// placeOf is the place of a play or task; what the command line gave has none.
func (r *Runner) placeOf(pos source.Pos) source.Pos {
	if r.pb.Text {
		return source.Pos{}
	}
	return pos
}

// TellPlays says how many plays a playbook has.
func (r *Runner) TellPlays(pb *playbook.Playbook) {
	r.Callback.Verbose(2, fmt.Sprintf("%d plays in %s", len(pb.Plays), source.Rel(pb.File)))
}

// errorCode is the exit code of an error that ended a playbook: one in what it
// included counts as one in the playbook.
func errorCode(err error) int {
	var bad *badSource
	var value *badValue
	switch {
	case errors.Is(err, errNoMatch):
		return ExitError
	case errors.As(err, &bad):
		return ExitBadSource
	case errors.As(err, &value):
		return value.code
	}
	return ExitError
}

func (r *Runner) exitCode(ctx context.Context) int {
	if ctx.Err() != nil {
		return ExitInterrupted
	}
	return r.result
}

// CheckLimit refuses a limit that leaves none of the inventory's hosts.
func (r *Runner) CheckLimit() error {
	if r.Limit == "" {
		return nil
	}
	all, err := r.Inventory.Match("all")
	if err != nil || len(all) == 0 {
		return err
	}
	selection, err := r.selection("all")
	if err != nil {
		return err
	}
	if err := r.checkMatch(source.Pos{}, selection); err != nil {
		return err
	}
	if len(selection.Hosts) == 0 {
		return fmt.Errorf("--limit %s leaves no host to run on", r.Limit)
	}
	return nil
}

// errNoMatch is the error of a pattern that matches no host, where it is one.
var errNoMatch = fmt.Errorf("there is no such host: %w", fs.ErrNotExist)

// checkMatch tells of the patterns that match no host.
func (r *Runner) checkMatch(pos source.Pos, selection inventory.Selection) error {
	for _, pattern := range selection.Unmatched {
		switch r.Mismatch {
		case "error":
			return &source.Error{Pos: pos, Msg: fmt.Sprintf("no host matches the pattern %q", pattern), Err: errNoMatch}
		case "ignore":
		default:
			r.warn("Could not match supplied host pattern, ignoring: %s", pattern)
		}
	}
	return nil
}

// Hosts are the hosts of a pattern that --limit leaves.
func (r *Runner) Hosts(pattern string) ([]*inventory.Host, error) {
	selection, err := r.selection(pattern)
	if err != nil {
		return nil, err
	}
	return selection.Hosts, r.checkMatch(source.Pos{}, selection)
}

// selection is what --limit leaves of the hosts of patterns.
func (r *Runner) selection(patterns ...string) (inventory.Selection, error) {
	if len(patterns) == 0 { // which to the inventory is no restriction
		return inventory.Selection{}, nil
	}
	limit, err := inventory.ParseLimit(r.Limit)
	if err != nil {
		return inventory.Selection{}, err
	}
	return r.Inventory.Select(patterns, limit)
}

// FlushCache forgets the cached facts of the hosts that --limit leaves.
func (r *Runner) FlushCache() error {
	hosts, err := r.Hosts("all")
	for _, host := range hosts {
		err = errors.Join(err, r.store.ClearFacts(host.Name))
	}
	return err
}

func (r *Runner) recap() *Stats {
	r.stats.Hosts = nil // of the playbook before
	for host, n := range r.stats.Counts {
		if *n != (Counts{}) {
			r.stats.Hosts = append(r.stats.Hosts, host)
		}
	}
	slices.Sort(r.stats.Hosts)
	return r.stats
}

// out notes that a host takes no more part: in Runner.failed, unreachable or
// playRun.removed.
func (r *Runner) out(of map[string]bool, host string) {
	r.outMu.Lock()
	defer r.outMu.Unlock()
	of[host] = true
}

func (r *Runner) counts(host string) *Counts {
	c := r.stats.Counts[host]
	if c == nil {
		c = &Counts{}
		r.stats.Counts[host] = c
	}
	return c
}

// tell calls the callback; results come from many goroutines.
func (r *Runner) tell(say func(c Callback)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	say(r.Callback)
}

// warn shows a warning.
func (r *Runner) warn(format string, args ...any) {
	r.tell(func(c Callback) { c.Warning(fmt.Sprintf(format, args...)) })
}
