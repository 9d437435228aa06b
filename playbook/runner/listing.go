package runner

import (
	"context"
	"slices"

	"gplay/jinja"
	"gplay/playbook"
)

// Listing is a play as --list-tasks, --list-tags and --list-hosts show it.
type Listing struct {
	Name, Pattern string
	Tags          []string
	Hosts         []string
	Tasks         []ListedTask
	TaskTags      []string // of all tasks that are listed
}

// ListedTask is one task of a Listing.
type ListedTask struct {
	Name string
	Tags []string
}

// List gives what the plays of pb would run, as far as it is known before
// they do.
func (r *Runner) List(ctx context.Context, pb *playbook.Playbook) ([]Listing, error) {
	var out []Listing
	for _, play := range pb.Plays {
		p := &playRun{Runner: r, play: play, ctx: ctx}
		if err := p.resolveHosts(ctx); err != nil {
			return nil, err
		}
		pattern, err := p.playScope(ctx).Template(play.Hosts)
		if err != nil {
			return nil, err
		}
		l := Listing{Name: p.info.Name, Pattern: patternText(pattern), Hosts: p.info.Hosts}
		for _, k := range play.Chain("tags") {
			l.Tags = append(l.Tags, asNames(k.Value)...)
		}
		for _, section := range []*playbook.Block{play.PreTasks, play.Roles, play.Tasks, play.PostTasks} {
			eachTask(section, func(t *playbook.Task) { p.list(&l, t) })
		}
		l.TaskTags = sorted(l.TaskTags)
		out = append(out, l)
	}
	return out, nil
}

func (p *playRun) list(l *Listing, t *playbook.Task) {
	if !p.selected(t) {
		return
	}
	tags := sorted(p.tagsOf(t))
	name := t.ActionAs
	if t.Name != nil {
		name = conditionText(t.Name)
		if t.Role != nil {
			name = t.Role.Name + " : " + name
		}
	}
	l.Tasks = append(l.Tasks, ListedTask{Name: jinja.Str(name), Tags: tags})
	l.TaskTags = append(l.TaskTags, tags...)
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}
