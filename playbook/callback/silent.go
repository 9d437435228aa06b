package callback

import (
	"gplay/playbook"
	"gplay/playbook/runner"
)

// silent shows nothing but warnings. Callbacks that are told of only some
// events embed it.
type silent struct{ *display }

func (silent) PlaybookStart(*playbook.Playbook)                    {}
func (silent) PlayStart(*runner.PlayInfo)                          {}
func (silent) NoHostsMatched(*runner.PlayInfo)                     {}
func (silent) NoHostsRemaining(*runner.PlayInfo)                   {}
func (silent) TaskStart(*runner.TaskInfo)                          {}
func (silent) HostStart(*runner.TaskInfo, string)                  {}
func (silent) ItemResult(*runner.Result)                           {}
func (silent) Retry(*runner.Result)                                {}
func (silent) Result(*runner.Result)                               {}
func (silent) Included(*runner.TaskInfo, string, []string, string) {}
func (silent) Async(string)                                        {}
func (silent) Notified(string, string)                             {}
func (silent) Stats(*runner.Stats)                                 {}
