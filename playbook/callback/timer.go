package callback

import (
	"fmt"
	"time"

	"gplay/playbook/runner"
)

// timer says at the end how long the run took.
type timer struct {
	silent
	start time.Time
}

func (t *timer) Stats(*runner.Stats) {
	s := int(time.Since(t.start).Seconds())
	t.line(fmt.Sprintf("Playbook run took %d days, %d hours, %d minutes, %d seconds", s/86400, s/3600%24, s/60%60, s%60), "")
}
