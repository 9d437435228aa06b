package runner

import (
	"strings"

	"gplay/playbook"
)

// confirmed asks whether to perform a task, as --step does. An answer that is
// not yes passes over it.
func (p *playRun) confirmed(task *playbook.Task) (bool, error) {
	if p.Confirm == nil || p.unasked {
		return true, nil
	}
	question := "Perform task: " + task.String() + " (N)o/(y)es/(c)ontinue: "
	answer, err := p.Confirm(question)
	if err != nil {
		return false, err
	}
	p.tell(func(c Callback) { c.Banner(question) })
	switch strings.ToLower(answer) {
	case "y", "yes":
		return true, nil
	case "c", "continue":
		p.unasked = true
		return true, nil
	}
	return false, nil
}
