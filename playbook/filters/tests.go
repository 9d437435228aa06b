package filters

import (
	"errors"
	"fmt"
	"strings"

	"gplay/internal/vault"
	"gplay/jinja"
)

var resultTests = map[string]jinja.Test{
	"change": resultTest("changed", changed), "changed": resultTest("changed", changed),
	"failed": resultTest("failed", has("failed")), "failure": resultTest("failed", has("failed")),
	"finished":    resultTest("finished", asyncFlag("finished")),
	"reachable":   resultTest("unreachable", not(has("unreachable"))),
	"skip":        resultTest("skipped", has("skipped")),
	"skipped":     resultTest("skipped", has("skipped")),
	"started":     resultTest("started", asyncFlag("started")),
	"succeeded":   resultTest("failed", not(has("failed"))),
	"success":     resultTest("failed", not(has("failed"))),
	"successful":  resultTest("failed", not(has("failed"))),
	"timedout":    resultTest("timedout", timedOut),
	"unreachable": resultTest("unreachable", has("unreachable")),
}

func resultTest(name string, is func(jinja.Mapping) bool) jinja.Test {
	return func(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
		if err := bind(args).err; err != nil {
			return false, err
		}
		m, ok := v.(jinja.Mapping)
		if !ok { // nor is what is undefined
			return false, fmt.Errorf("The '%s' test expects a dictionary", name)
		}
		return is(m), nil
	}
}

func has(key string) func(jinja.Mapping) bool {
	return func(m jinja.Mapping) bool {
		v, ok := m.Get(key)
		return ok && jinja.Truth(v)
	}
}

func not(is func(jinja.Mapping) bool) func(jinja.Mapping) bool {
	return func(m jinja.Mapping) bool { return !is(m) }
}

// changed looks into the results of a loop where the whole does not say.
func changed(m jinja.Mapping) bool {
	if v, ok := m.Get("changed"); ok {
		return jinja.Truth(v)
	}
	results, _ := m.Get("results")
	l, ok := results.(*jinja.List)
	if !ok {
		return false
	}
	for _, item := range l.Items {
		if r, ok := item.(jinja.Mapping); ok && has("changed")(r) {
			return true
		}
	}
	return false
}

// timedOut looks for the period after which a task was stopped.
func timedOut(m jinja.Mapping) bool {
	v, _ := m.Get("timedout")
	d, ok := v.(jinja.Mapping)
	return ok && has("period")(d)
}

// asyncFlag is 1 or 0 of an async task; any other task counts as done.
func asyncFlag(key string) func(jinja.Mapping) bool {
	return func(m jinja.Mapping) bool {
		v, ok := m.Get(key)
		return !ok || jinja.Equal(v, 1)
	}
}

var truthTests = map[string]jinja.Test{
	"all": quantifier(func(n, of int) bool { return n == of }),
	"any": quantifier(func(n, _ int) bool { return n > 0 }),
	"falsy": func(c *jinja.Context, v any, args *jinja.Args) (bool, error) {
		b, err := truthy(v, args)
		return !b, err
	},
	"truthy": func(c *jinja.Context, v any, args *jinja.Args) (bool, error) { return truthy(v, args) },
	"vault_encrypted": func(_ *jinja.Context, v any, _ *jinja.Args) (bool, error) {
		if sealed(v) != nil {
			return true, nil
		}
		t, ok := v.(jinja.Text) // what the filter vault made was never decrypted
		return ok && t.Class == VaultText && !vault.IsEncrypted([]byte(t.Value)), undefined(v)
	},
}

func quantifier(holds func(n, of int) bool) jinja.Test {
	return func(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
		p := bind(args)
		items, err := jinja.Iterate(v)
		if err = errors.Join(p.err, err); err != nil {
			return false, err
		}
		n := 0
		for _, item := range items {
			if jinja.Truth(item) {
				n++
			}
		}
		return holds(n, len(items)), nil
	}
}

func truthy(v any, args *jinja.Args) (bool, error) {
	p := bind(args, "convert_bool=")
	convert := p.truth(0, false)
	if err := errors.Join(p.err, undefined(v)); err != nil {
		return false, err
	}
	if s, ok := v.(string); ok && convert {
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "y", "yes", "on", "1", "true", "t", "1.0":
			return true, nil
		case "n", "no", "off", "0", "false", "f", "0.0":
			return false, nil
		}
	}
	return jinja.Truth(v), nil
}
