package runner

import (
	"context"
	"fmt"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/playbook"
)

// handlers are a play's handlers and who is to run them.
type handlers struct {
	p        *playRun
	list     []*playbook.Task // the roles' first, then the play's, then those of imported and of included roles
	notified map[*playbook.Task]map[string]bool
}

func newHandlers(p *playRun) *handlers {
	h := &handlers{p: p, notified: map[*playbook.Task]map[string]bool{}}
	var imported []*playbook.Task
	for _, role := range p.play.RoleList {
		if role.Block.Parent == p.play.Roles {
			h.list = append(h.list, role.Handlers...)
		} else {
			imported = append(imported, role.Handlers...)
		}
	}
	h.list = append(append(h.list, p.play.Handlers...), imported...)
	return h
}

// add makes the handlers of an included role known.
func (h *handlers) add(more []*playbook.Task) { h.list = append(h.list, more...) }

// notify marks the handlers of a name, and all that listen to it, for host.
func (h *handlers) notify(name string, by *playbook.Task, host string) error {
	found := h.byName(name)
	if found != nil {
		h.mark(found, host)
	}
	for _, t := range h.list {
		for _, topic := range t.Listen {
			if jinja.Str(topic) == name { // topics are no templates
				h.mark(t, host)
				found = t
			}
		}
	}
	if found == nil {
		e := source.Errorf(by.Pos, "The requested handler '%s' was not found in either the main handlers list nor in the listening handlers list", name)
		e.Known = e.Msg
		if h.p.MissingHandlers {
			h.p.warn("%s", e.Msg)
			return nil
		}
		if near := source.Nearest(name, h.names()); near != "" {
			e.Hint = fmt.Sprintf("did you mean %q?", near)
		}
		return e
	}
	return nil
}

// byName is the handler of that name: with several, the first one of the role
// or play that comes last in the list.
func (h *handlers) byName(name string) *playbook.Task {
	for end := len(h.list); end > 0; {
		start := end - 1
		for start > 0 && h.list[start-1].Role == h.list[start].Role {
			start--
		}
		for _, t := range h.list[start:end] {
			if h.named(t, name) {
				return t
			}
		}
		end = start
	}
	return nil
}

// named reports whether a handler has that name, with its role's before it or
// without. It warns of one that is looked at and can never run.
func (h *handlers) named(t *playbook.Task, name string) bool {
	own, err := h.template(t)
	if isUndefined(err) && len(t.Listen) == 0 {
		h.p.warn("Handler '%s' is unusable because it has no listen topics and the name could not be templated "+
			"(host-specific variables are not supported in handler names). The error: %s", jinja.Str(t.Name), labelError(err))
	}
	return own == name || t.Role != nil && (t.Role.Name+" : "+own == name || t.Role.Short()+" : "+own == name)
}

// fullName is a handler's name with its role's before it.
func (h *handlers) fullName(t *playbook.Task) string {
	name := h.text(t)
	if t.Role != nil {
		return t.Role.Name + " : " + name
	}
	return name
}

func (h *handlers) names() []string {
	var names []string
	for _, t := range h.list {
		names = append(names, h.text(t))
		for _, topic := range t.Listen {
			names = append(names, jinja.Str(topic))
		}
	}
	return names
}

// text is a handler's name, or "" where it cannot be templated.
func (h *handlers) text(t *playbook.Task) string {
	text, _ := h.template(t)
	return text
}

// template is a handler's name, templated as far as the play's
// variables can.
func (h *handlers) template(t *playbook.Task) (string, error) {
	v := t.Name
	if isTemplate(v) {
		templated, err := h.p.scope(context.Background(), t, h.p.batch[0]).Template(v)
		if err != nil {
			return "", err
		}
		v = templated
	}
	if v == nil {
		return "", nil
	}
	return jinja.Str(v), nil
}

func (h *handlers) mark(t *playbook.Task, host string) {
	if h.notified[t] == nil {
		h.notified[t] = map[string]bool{}
	}
	if !h.notified[t][host] {
		h.notified[t][host] = true
		name := h.fullName(t)
		h.p.tell(func(c Callback) { c.Notified(name, host) })
	}
}

// ran notes that host ran a handler.
func (h *handlers) ran(t *playbook.Task, host string) { delete(h.notified[t], host) }

// flush lets hosts run the handlers that they are notified of, in the order
// they are defined, before they go on. It ends those of which one failed and no
// rescue has ended since, as in Ansible, and reports whether there are such.
func (p *playRun) flush(at []*cursor) (ended bool) {
	block := &playbook.Block{Play: p.play}
	for _, t := range p.handlers.list {
		block.Items = append(block.Items, t)
	}
	for _, c := range at {
		if c.handlerFailed {
			c.end()
			ended = true
			continue
		}
		notified := func(t *playbook.Task) bool { return p.handlers.notified[t][c.host] }
		c.frames = append(c.frames, &frame{block: block, notified: notified})
	}
	return ended
}
