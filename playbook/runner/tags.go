package runner

import (
	"errors"
	"slices"

	"gplay/internal/source"
	"gplay/playbook"
)

// selected reports whether --tags and --skip-tags let a task run.
func (p *playRun) selected(t *playbook.Task) bool {
	if t.Implicit && t.Action == "meta" {
		return true
	}
	tags := p.tagsOf(t)
	return wanted(tags, p.Tags) && !unwanted(tags, p.SkipTags)
}

// tagsOf are the tags of a task and of all that encloses it. Facts are
// gathered whatever the tags, unless the play has some.
func (p *playRun) tagsOf(t *playbook.Task) []string {
	var tags []string
	for _, k := range t.Chain("tags") {
		v, err := p.tagScope.Template(k.Value)
		if err != nil { // of what was included: checkTags saw the play's own
			v = nil
		}
		tags = append(tags, asNames(v)...)
	}
	if len(tags) == 0 && t.Implicit {
		return []string{"always"}
	}
	return tags
}

// checkTags sees that all tags of a block and what is in it have values.
func (p *playRun) checkTags(b *playbook.Block) error {
	for _, item := range slices.Concat(b.Items, b.Rescue, b.Always) {
		switch item := item.(type) {
		case *playbook.Block:
			if err := p.checkTags(item); err != nil {
				return err
			}
		case *playbook.Task:
			for _, k := range item.Chain("tags") {
				if _, err := p.tagScope.Template(k.Value); err != nil {
					return tagFault(err)
				}
			}
		}
	}
	return nil
}

// tagFault is the error of a tag that has no value, which to Ansible is no fault
// of the source.
func tagFault(err error) error {
	var placed *source.Error
	if !errors.As(err, &placed) {
		return err
	}
	fault := *placed
	fault.Err = err
	return &fault
}

func wanted(tags, only []string) bool {
	never := slices.Contains(tags, "never")
	switch {
	case slices.Contains(tags, "always"):
		return true
	case len(only) == 0, slices.Contains(only, "all") && !never:
		return !never
	case slices.Contains(only, "tagged") && !untagged(tags) && !never:
		return true
	}
	return meet(tags, only)
}

func unwanted(tags, skip []string) bool {
	switch {
	case slices.Contains(skip, "all"):
		return !slices.Contains(tags, "always") || slices.Contains(skip, "always")
	case slices.Contains(skip, "tagged") && !untagged(tags):
		return true
	}
	return meet(tags, skip)
}

// untagged reports whether there is no tag but the one of that name.
func untagged(tags []string) bool {
	return !slices.ContainsFunc(tags, func(tag string) bool { return tag != "untagged" })
}

// meet reports whether one of the tags is named; without any it is untagged.
func meet(tags, named []string) bool {
	return untagged(tags) && slices.Contains(named, "untagged") ||
		slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(named, tag) })
}
