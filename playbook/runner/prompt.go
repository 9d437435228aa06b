package runner

import (
	"context"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/playbook/vars"
)

// prompt asks for the play's vars_prompt.
func (p *playRun) prompt(ctx context.Context) error { return p.eachQuestion(ctx, p.ask) }

// presume gives the play's vars_prompt their defaults, for a play that is only
// listed.
func (p *playRun) presume(ctx context.Context) error {
	err := p.eachQuestion(ctx, func(q question) error {
		otherwise, _ := q.Get("default")
		p.prompted.Set(q.text("name", ""), otherwise)
		return nil
	})
	if err != nil {
		return &PromptError{err}
	}
	return nil
}

// PromptError is a fault in the vars_prompt of a play that is only listed,
// which is none of the source.
type PromptError struct{ error }

func (e *PromptError) Unwrap() error { return e.error }

func (p *playRun) eachQuestion(ctx context.Context, do func(question) error) error {
	k, ok := p.play.Keywords["vars_prompt"]
	if !ok {
		return nil
	}
	p.prompted = jinja.NewDict()
	v, err := p.playScope(ctx).Template(k.Value)
	if err != nil {
		return err
	}
	for _, item := range asList(v) {
		q, ok := item.(*jinja.Dict)
		if !ok {
			return source.Errorf(k.Pos, "vars_prompt is a list of dicts with name and prompt")
		}
		if err := do(question{q, k.Pos}); err != nil {
			return err
		}
	}
	return nil
}

// question is one entry of vars_prompt.
type question struct {
	*jinja.Dict
	pos source.Pos
}

func (q question) text(key, otherwise string) string {
	if v, ok := q.Get(key); ok && v != nil && v != vars.Omit {
		return jinja.Str(v)
	}
	return otherwise
}

func (q question) bool(key string, otherwise bool) (bool, error) {
	v, ok := q.Get(key)
	if !ok || v == nil {
		return otherwise, nil
	}
	return asBool(v, key, q.pos)
}

// ask gets one variable. Where nobody is at the terminal it has its default,
// and without one is the text None, as Ansible has it.
func (p *playRun) ask(q question) error {
	name := q.text("name", "")
	if _, given := p.ExtraVars.Get(name); given {
		return nil
	}
	answer := ""
	if p.Prompt == nil {
		p.warn("Not prompting as we are not in interactive mode")
	} else {
		var err error
		if answer, err = p.answer(q, name); err != nil {
			return err
		}
	}
	var value any = answer
	if otherwise, ok := q.Get("default"); ok && otherwise != nil && answer == "" {
		value = otherwise
	} else if p.Prompt == nil {
		value = "None"
	}
	if scheme := q.text("encrypt", ""); scheme != "" {
		hash, err := p.encrypted(q, jinja.Str(value), scheme)
		if err != nil {
			return source.Errorf(q.pos, "vars_prompt: %s", err)
		}
		value = hash
	}
	unsafe, err := q.bool("unsafe", false)
	if err != nil {
		return err
	}
	if unsafe {
		p.prompted.Set(name, jinja.Text{Value: jinja.Str(value), Class: vars.UnsafeText})
	} else {
		p.prompted.Set(name, vars.Again(jinja.Text{Value: jinja.Str(value), Class: "str"}))
	}
	return nil
}

// encrypted is a password hashed as the filter password_hash does it.
func (p *playRun) encrypted(q question, password, scheme string) (any, error) {
	size, _ := asInt(q.text("salt_size", "0"))
	own := jinja.NewDict("password", password, "scheme", scheme, "salt", q.text("salt", ""), "size", size)
	return p.store.Templar.NewScope(p.ctx, own).Expr("password | password_hash(scheme, salt, size)")
}

// answer is what the person at the terminal says, twice the same where it is
// to be confirmed.
func (p *playRun) answer(q question, name string) (string, error) {
	private, err := q.bool("private", true)
	if err != nil {
		return "", err
	}
	confirm, err := q.bool("confirm", false)
	if err != nil {
		return "", err
	}
	text := q.text("prompt", name)
	if text == "" {
		text = "input for " + name
	} else if otherwise, ok := q.Get("default"); ok && otherwise != nil {
		text += " [" + jinja.Str(otherwise) + "]"
	}
	for {
		answer, err := p.Prompt(text+": ", private)
		if err != nil || !confirm {
			return answer, err
		}
		again, err := p.Prompt("confirm "+text+": ", private)
		if err != nil || again == answer {
			return answer, err
		}
		p.tell(func(c Callback) { c.Verbose(0, "***** VALUES ENTERED DO NOT MATCH ****") })
	}
}
