package callback

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gplay/playbook/runner"
)

// profile shows when each task began, and at the end how long each task, or
// each role, took.
type profile struct {
	silent
	roles       bool
	order       string
	limit       int // how many tasks are shown; all but so many where it is negative
	start, last time.Time
	times       []*taskTime
	current     *taskTime
}

// taskTime is the time that one task or role took.
type taskTime struct {
	key        any // what is added up: *playbook.Task, or the role's name
	name, path string
	begun      time.Time
	taken      time.Duration
}

func newProfile(d *display, roles bool) *profile {
	now := time.Now()
	return &profile{silent: silent{d}, roles: roles, start: now, last: now}
}

func newProfileTasks(d *display) (runner.Callback, error) {
	p := newProfile(d, false)
	orders := []string{"descending", "ascending", "none"}
	p.order = p.setting("PROFILE_TASKS_SORT_ORDER", "callback_profile_tasks", "sort_order", orders[0])
	if !slices.Contains(orders, p.order) {
		return nil, fmt.Errorf("sort_order is %q: it must be one of %s", p.order, strings.Join(orders, ", "))
	}
	limit := p.setting("PROFILE_TASKS_TASK_OUTPUT_LIMIT", "callback_profile_tasks", "task_output_limit", "20")
	if limit == "all" {
		p.limit = math.MaxInt
		return p, nil
	}
	var err error
	if p.limit, err = strconv.Atoi(limit); err != nil {
		return nil, fmt.Errorf("task_output_limit is %q: it must be a whole number or all", limit)
	}
	return p, nil
}

func (p *profile) TaskStart(task *runner.TaskInfo) {
	p.clock()
	p.stop()
	p.current = p.timeOf(task)
	p.current.begun = time.Now()
}

func (p *profile) timeOf(task *runner.TaskInfo) *taskTime {
	var key any = task.Task
	name := task.Name
	if p.roles {
		name = task.Task.ActionAs
		if role := task.Task.Role; role != nil {
			name = role.Name
		}
		key = name
	}
	for _, t := range p.times {
		if t.key == key {
			return t
		}
	}
	t := &taskTime{key: key, name: name}
	if p.Verbosity > 1 && task.Pos.IsValid() {
		t.path = place(task.Pos)
	}
	p.times = append(p.times, t)
	return t
}

// stop ends the time of the task that ran.
func (p *profile) stop() {
	if p.current != nil {
		p.current.taken += time.Since(p.current.begun)
		p.current = nil
	}
}

// clock shows the time, how long the last task took and how long all has.
func (p *profile) clock() {
	now := time.Now()
	p.line(filled(fmt.Sprintf("%s (%s)       %s", now.Format("Monday 02 January 2006  15:04:05 -0700"), elapsed(now.Sub(p.last)), elapsed(now.Sub(p.start))), "*"), "")
	p.last = now
}

func elapsed(d time.Duration) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%d:%02d:%02d.%03d", ms/3600000, ms/60000%60, ms/1000%60, ms%1000)
}

// filled is text, filled up to 79 columns, and a space.
func filled(text, with string) string {
	if text != "" {
		text += " "
	}
	return text + strings.Repeat(with, max(79-len(text), 3)) + " "
}

func (p *profile) Stats(*runner.Stats) {
	p.clock()
	p.line(filled("", "="), "")
	p.stop()
	if p.roles {
		p.showRoles()
		return
	}
	for _, t := range p.shown() {
		p.line(dashed(t.name, p.Columns-9, t.taken), "")
		if t.path != "" {
			p.line(padded(t.path, p.Columns), "")
		}
	}
}

// shown are the times in the order and number that the settings ask for.
func (p *profile) shown() []*taskTime {
	if p.order != "none" {
		p.sort(p.order == "ascending")
	}
	limit := p.limit
	if limit < 0 {
		limit += len(p.times)
	}
	return p.times[:min(max(limit, 0), len(p.times))]
}

func (p *profile) sort(ascending bool) {
	slices.SortStableFunc(p.times, func(a, b *taskTime) int {
		if ascending {
			return cmp.Compare(a.taken, b.taken)
		}
		return cmp.Compare(b.taken, a.taken)
	})
}

func (p *profile) showRoles() {
	p.sort(false)
	var total time.Duration
	for _, t := range p.times {
		p.line(dashed(t.name, 70, t.taken), "")
		total += t.taken
	}
	p.line(filled("", "~"), "")
	p.line(dashed("total", 70, total), "")
}

// dashed is a name and its time with dashes between them.
func dashed(name string, width int, d time.Duration) string {
	seconds := fmt.Sprintf(" %.2fs", d.Seconds())
	return padded(name, width) + strings.Repeat("-", max(9-len(seconds), 0)) + seconds
}

func padded(name string, width int) string {
	name += " "
	return name + strings.Repeat("-", max(width-len([]rune(name)), 0))
}
