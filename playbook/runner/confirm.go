package runner

import (
	"strings"

	"gplay/playbook"
)

// confirmed asks whether to perform a task, as --step does. An answer that is
// not yes passes over it; without one the play ends, as in Ansible.
func (p *playRun) confirmed(task *playbook.Task) bool {
	if p.Confirm == nil || p.unasked {
		return true
	}
	question := "Perform task: " + task.String() + " (N)o/(y)es/(c)ontinue: "
	answer, err := p.Confirm(question)
	if err != nil {
		p.warn("--step ends the play: %v", err)
		p.over, p.fatal = true, true
		return false
	}
	p.tell(func(c Callback) { c.Banner(question) })
	switch strings.ToLower(answer) {
	case "y", "yes":
		return true
	case "c", "continue":
		p.unasked = true
		return true
	}
	return false
}
