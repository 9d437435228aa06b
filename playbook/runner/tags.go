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
	if len(only) == 0 {
		return !slices.Contains(tags, "never") || slices.Contains(tags, "always")
	}
	for _, o := range only {
		switch {
		case slices.Contains(tags, o):
			return true
		case o == "all" && !slices.Contains(tags, "never"),
			o == "tagged" && len(tags) > 0 && !slices.Contains(tags, "never"),
			o == "untagged" && len(tags) == 0:
			return true
		}
	}
	return slices.Contains(tags, "always")
}

func unwanted(tags, skip []string) bool {
	for _, s := range skip {
		switch {
		case slices.Contains(tags, s):
			return true
		case s == "all" && !slices.Contains(tags, "always"),
			s == "tagged" && len(tags) > 0,
			s == "untagged" && len(tags) == 0:
			return true
		}
	}
	return false
}
