package runner

import (
	"slices"

	"gplay/jinja"
	"gplay/playbook"
)

// selected reports whether --tags and --skip-tags let a task run.
func (p *playRun) selected(t *playbook.Task) bool {
	if t.Implicit && t.Action == "meta" {
		return true
	}
	tags := p.tagsOf(t)
	return wanted(tags, p.Tags) && !unwanted(tags, p.SkipTags) && p.reached(t)
}

// tagsOf are the tags of a task and of all that encloses it. Facts are
// gathered whatever the tags, unless the play has some.
func (p *playRun) tagsOf(t *playbook.Task) []string {
	var tags []string
	for _, k := range t.Chain("tags") {
		v, err := p.store.Templar.NewScope(p.ctx, p.store.Extra, p.play.Vars).Template(k.Value)
		if err != nil {
			v = nil
		}
		tags = append(tags, asNames(v)...)
	}
	if len(tags) == 0 && t.Implicit {
		return []string{"always"}
	}
	return tags
}

func wanted(tags, only []string) bool {
	if len(only) == 0 {
		return !slices.Contains(tags, "never")
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

// reached reports whether --start-at-task lets a task run: it is the one, or
// comes after it.
func (p *playRun) reached(t *playbook.Task) bool {
	if p.started || t.Implicit {
		return true
	}
	name := ""
	if t.Name != nil {
		name = jinja.Str(t.Name)
	}
	full := name
	if t.Role != nil {
		full = t.Role.Name + " : " + name
	}
	for _, n := range []string{name, full} {
		if ok, _ := matchGlob(p.StartAt, n); ok {
			p.started = true
		}
	}
	return p.started
}
