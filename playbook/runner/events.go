package runner

import (
	"time"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/playbook"
)

// Callback is told of everything that happens, one call at a time, in order.
type Callback interface {
	PlaybookStart(pb *playbook.Playbook)
	// PlayStart begins a play; with serial, one call a batch.
	PlayStart(play *PlayInfo)
	NoHostsMatched(play *PlayInfo)
	NoHostsRemaining(play *PlayInfo)
	// TaskStart begins a task for all its hosts.
	TaskStart(task *TaskInfo)
	// HostStart begins it on one of them.
	HostStart(task *TaskInfo, host string)
	// ItemResult is one item of a loop.
	ItemResult(r *Result)
	// Retry is one failed attempt of until.
	Retry(r *Result)
	// Result is a task's result on one host; of a loop, all of it.
	Result(r *Result)
	// Included says that an include_tasks or include_role gave tasks to hosts.
	Included(task *TaskInfo, file string, hosts []string, item string)
	// Notified is a handler notified by a task (shown at -vv).
	Notified(handler, host string)
	Warning(msg string)
	Deprecated(msg string)
	// Banner shows a headline.
	Banner(text string)
	// Async says how a job in the background gets on.
	Async(msg string)
	// Verbose says more of what is going on, from that many -v on.
	Verbose(level int, msg string)
	Stats(s *Stats)
}

// PlayInfo is a play as it is shown.
type PlayInfo struct {
	Name       string // templated; the hosts pattern when it has none
	Pattern    string // of its hosts
	UUID       string
	Lockstep   bool // all hosts run a task before any runs the next
	Hosts      []string
	Check      bool
	Pos        source.Pos
	Serial     bool
	BatchIndex int
}

// TaskInfo is a task as it is shown.
type TaskInfo struct {
	Name    string // "role : name", templated as far as it can be
	Title   string // the name alone, as retries show it
	Action  string
	Handler bool
	Check   bool // this task is a dry run
	Pos     source.Pos
	UUID    string
	NoLog   bool
	Task    *playbook.Task
}

// Status is how a result counts.
type Status int

// A changed result is one of the ok ones in the recap.
const (
	OK Status = iota
	Changed
	Skipped
	Failed
	Unreachable
)

// Result is what a task gave on one host.
type Result struct {
	Task      *TaskInfo
	Host      string
	Delegated string // the host it ran on, "" for Host itself
	Status    Status
	Ignored   bool // failed, or unreachable, and ignored
	Rescued   bool // failed, and a rescue takes over
	// Data is the result as registered, without failed and skipped, which
	// Status says. Under no_log it holds only censored
	// and changed. _ansible_verbose_always in it (assert) shows it without -v,
	// _ansible_verbose_override (setup) never shows it.
	Data *jinja.Dict
	// Loop is set for ItemResult and for Result of a loop; Label is the item's
	// loop_control label as Python shows it.
	Loop     bool
	Label    string
	Attempts int  // of until
	Left     int  // attempts left
	Diff     bool // show Data's "diff"
	Start    time.Time
	Duration time.Duration
}

// Stats are the recap.
type Stats struct {
	Hosts  []string // sorted
	Counts map[string]*Counts
	Custom map[string]*jinja.Dict // set_stats: by host; "" for the run
}

// Counts are one host's line of the recap.
type Counts struct {
	OK, Changed, Unreachable, Failed, Skipped, Rescued, Ignored int
}
