package runner

import (
	"context"
	"slices"

	"gplay/playbook"
)

// Listing is a play as --list-tasks, --list-tags and --list-hosts show it.
type Listing struct {
	Name     string
	Pattern  string
	Patterns any // of the play's hosts: a list of texts, or nil
	Tags     []string
	Hosts    []string
	Tasks    []ListedTask
	TaskTags []string // of all tasks that are listed
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
	r.pb = pb
	for _, play := range pb.Plays {
		p := r.playRun(ctx, play)
		if err := p.foresee(ctx); err != nil {
			return nil, err
		}
		p.tagScope = p.playScope(ctx)
		l := Listing{Name: p.info.Name, Pattern: p.info.Pattern, Patterns: p.patternList(), Hosts: p.info.Hosts, Tags: p.playTags()}
		for _, section := range []*playbook.Block{play.PreTasks, play.Roles, play.Tasks, play.PostTasks} {
			if section == nil {
				continue
			}
			if err := p.checkTags(section); err != nil {
				return nil, err
			}
			p.list(&l, section)
		}
		l.TaskTags = sorted(append(l.TaskTags, l.Tags...))
		out = append(out, l)
	}
	return out, nil
}

// CheckHosts tells whether it can be known on which hosts each play of pb runs,
// and how.
func (r *Runner) CheckHosts(ctx context.Context, pb *playbook.Playbook) error {
	r.pb = pb
	for _, play := range pb.Plays {
		p := r.playRun(ctx, play)
		if err := p.foresee(ctx); err != nil {
			return err
		}
	}
	return nil
}

// foresee finds what can be known of a play that does not run.
func (p *playRun) foresee(ctx context.Context) error {
	if err := p.presume(ctx); err != nil {
		return err
	}
	if err := p.checkKeywords(ctx); err != nil {
		return err
	}
	return p.resolveHosts(ctx)
}

// list adds the tasks of a block, without those of rescue and always, as
// Ansible does.
func (p *playRun) list(l *Listing, b *playbook.Block) {
	for _, item := range b.Items {
		switch item := item.(type) {
		case *playbook.Block:
			p.list(l, item)
		case *playbook.Task:
			if p.selected(item) {
				tags := sorted(p.tagsOf(item))
				l.Tasks = append(l.Tasks, ListedTask{Name: listedName(item), Tags: tags})
				l.TaskTags = append(l.TaskTags, tags...)
			}
		}
	}
}

func (p *playRun) playTags() []string {
	var tags []string
	for _, k := range p.play.Chain("tags") {
		for _, tag := range asNames(k.Value) {
			if !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

// listedName is a task's name as written.
func listedName(t *playbook.Task) string {
	name := ""
	if t.Name != nil {
		name = conditionText(t.Name)
	}
	switch {
	case name == "":
		return t.ActionAs
	case t.Role != nil && t.Action != "include_role":
		return t.Role.Name + " : " + name
	}
	return name
}

// patternList are the patterns of a play's hosts; nil where they are omitted.
func (p *playRun) patternList() any {
	if p.patterns == nil {
		return nil
	}
	return textList(p.patterns)
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}
