package callback

import (
	"gplay/playbook"
	"gplay/playbook/runner"
)

// several tells every one of some callbacks, in their order.
type several []runner.Callback

func (s several) PlaybookStart(pb *playbook.Playbook) {
	for _, c := range s {
		c.PlaybookStart(pb)
	}
}

func (s several) PlayStart(play *runner.PlayInfo) {
	for _, c := range s {
		c.PlayStart(play)
	}
}

func (s several) NoHostsMatched(play *runner.PlayInfo) {
	for _, c := range s {
		c.NoHostsMatched(play)
	}
}

func (s several) NoHostsRemaining(play *runner.PlayInfo) {
	for _, c := range s {
		c.NoHostsRemaining(play)
	}
}

func (s several) TaskStart(task *runner.TaskInfo) {
	for _, c := range s {
		c.TaskStart(task)
	}
}

func (s several) HostStart(task *runner.TaskInfo, host string) {
	for _, c := range s {
		c.HostStart(task, host)
	}
}

func (s several) ItemResult(r *runner.Result) {
	for _, c := range s {
		c.ItemResult(r)
	}
}

func (s several) Retry(r *runner.Result) {
	for _, c := range s {
		c.Retry(r)
	}
}

func (s several) Result(r *runner.Result) {
	for _, c := range s {
		c.Result(r)
	}
}

func (s several) Included(task *runner.TaskInfo, file string, hosts []string, item string) {
	for _, c := range s {
		c.Included(task, file, hosts, item)
	}
}

func (s several) Async(msg string) {
	for _, c := range s {
		c.Async(msg)
	}
}

func (s several) Notified(handler, host string) {
	for _, c := range s {
		c.Notified(handler, host)
	}
}

func (s several) Stats(stats *runner.Stats) {
	for _, c := range s {
		c.Stats(stats)
	}
}

// Warning is for the first alone: all write to one terminal.
func (s several) Warning(msg string) { s[0].Warning(msg) }

// Deprecated is for the first alone.
func (s several) Deprecated(msg string) { s[0].Deprecated(msg) }

// Verbose is for the first alone.
func (s several) Verbose(level int, msg string) { s[0].Verbose(level, msg) }

// Banner is for the first alone.
func (s several) Banner(text string) { s[0].Banner(text) }
