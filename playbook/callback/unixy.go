package callback

import (
	"cmp"
	"fmt"
	"strings"

	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/runner"
)

// unixy shows a run as a system's start is shown: a line for each host.
type unixy struct{ *standard }

func (u *unixy) PlaybookStart(pb *playbook.Playbook) {
	u.line("Executing playbook "+pb.Name(), "")
}

func (u *unixy) PlayStart(play *runner.PlayInfo) {
	u.line(fmt.Sprintf("\n- %s on hosts: %s -", strings.TrimSpace(play.Name), play.Pattern), "")
}

func (u *unixy) NoHostsMatched(*runner.PlayInfo)   { u.line("  No hosts found!", colorDebug) }
func (u *unixy) NoHostsRemaining(*runner.PlayInfo) { u.line("  Ran out of hosts!", colorError) }

func (u *unixy) TaskStart(task *runner.TaskInfo) {
	parts := strings.Split(strings.TrimSpace(task.Name), " : ")
	name := parts[len(parts)-1]
	switch {
	case strings.HasPrefix(name, "include"):
	case task.Handler:
		u.line(name+" (via handler)... ", "")
	default:
		u.line(name+"...", "")
	}
}

func (u *unixy) Retry(r *runner.Result) {
	text := fmt.Sprintf("  Retrying... (%d of %d)", r.Attempts, r.Attempts+r.Left)
	if u.verbose(r) {
		text += "Result was: " + u.dump(r)
	}
	u.line(text, colorDebug)
}

func (u *unixy) ItemResult(r *runner.Result) {
	u.diffs(r)
	u.result(itemOutcome(r), true)
}

// itemOutcome is the result of an item, which has failed where its host was
// not reached.
func itemOutcome(r *runner.Result) *runner.Result {
	if r.Status != runner.Unreachable {
		return r
	}
	failed := *r
	failed.Status, failed.Ignored = runner.Failed, false
	return &failed
}

func (u *unixy) Result(r *runner.Result) {
	u.diffs(r)
	u.result(r, false)
}

func (u *unixy) result(r *runner.Result, item bool) {
	if r.Status == runner.Skipped && u.HideSkipped || r.Status == runner.OK && u.HideOK {
		return
	}
	u.warn(r)
	label := ""
	if item && !censored(r) {
		label = " | item: " + r.Label
	}
	switch r.Status {
	case runner.Failed:
		u.failure("  " + u.outcome(r, "failed"+label))
	case runner.Unreachable:
		u.failure("  " + u.outcome(r, "unreachable"))
	case runner.Skipped:
		u.line("  "+u.outcome(r, "skipped"), colorSkip)
	case runner.Changed:
		u.line("  "+u.outcome(r, "done"+label), colorChanged)
	default:
		u.line("  "+u.outcome(r, "ok"), colorOK)
	}
}

// delegatedTo is the address of where a task was delegated to, be it the host
// itself. A loop as a whole was not, nor a task that did not run, but one that
// the module skipped was.
func delegatedTo(r *runner.Result) string {
	_, delegated := r.Task.Task.Inherited("delegate_to")
	_, unwanted := r.Data.Get("skip_reason")
	unwanted = unwanted || r.Status == runner.Skipped && censored(r) && r.Delegated == ""
	if !delegated || unwanted || r.Status == runner.Unreachable || itemsShown(r) {
		return ""
	}
	return cmp.Or(delegatedAddress(r), r.Delegated, r.Host)
}

// outcome is the host, what became of it, and what the result says about it.
func (u *unixy) outcome(r *runner.Result, word string) string {
	if u.verbose(r) {
		return fmt.Sprintf("%s %s: %s", r.Host, word, u.encode(u.stripped(r.Data), 4))
	}
	host := r.Host
	if to := delegatedTo(r); to != "" {
		host += " -> " + to
	}
	text := host + " " + word
	for _, key := range []string{"msg", "stdout", "stderr"} {
		v, _ := r.Data.Get(key)
		if jinja.Truth(v) && !(key == "msg" && v == "All items completed") {
			text += fmt.Sprintf(" | %s: %s", key, jinja.Str(v))
		}
	}
	return text
}

func (u *unixy) Stats(s *runner.Stats) {
	u.line("\n- Play recap -", "")
	for _, host := range s.Hosts {
		u.line("  "+u.recap(host, s.Counts[host], false), "")
	}
	if u.CustomStats && len(s.Custom) > 0 {
		u.customStats(s)
	}
}
