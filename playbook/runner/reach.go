package runner

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"gplay/inventory"
	"gplay/jinja"
	"gplay/playbook"
)

// reach is how a host is reached where no variable says it, as variables:
// below all others, from the keywords and the command line.
type reach struct {
	p    *playRun
	ctx  context.Context
	task *playbook.Task
	host *inventory.Host
	// above are the other variables.
	above []jinja.Mapping
}

// reached are its variables; those in a row are names for the same.
var reached = [][]string{
	{"ansible_connection"},
	{"ansible_host", "ansible_ssh_host"},
	{"ansible_port", "ansible_ssh_port"},
	{"ansible_private_key_file", "ansible_ssh_private_key_file"},
	{"ansible_timeout", "ansible_ssh_timeout"},
	{"ansible_user", "ansible_ssh_user"},
}

func (r reach) Get(key any) (any, bool) {
	name, _ := key.(string)
	for _, names := range reached {
		if !slices.Contains(names, name) {
			continue
		}
		for _, other := range names {
			for _, l := range r.above {
				if v, ok := l.Get(other); ok && other != name {
					return v, true
				}
			}
		}
		v := r.value(names[0])
		return v, v != nil
	}
	return nil, false
}

func (r reach) value(name string) any {
	o := r.p.Connection
	switch name {
	case "ansible_connection":
		return cmp.Or(strings.TrimPrefix(r.text("connection", o.Transport), "smart"), "ssh")
	case "ansible_host":
		return r.host.Name
	case "ansible_private_key_file":
		return orNil(o.KeyFile)
	case "ansible_timeout":
		if o.Timeout > 0 {
			return int(o.Timeout.Seconds())
		}
		return 10
	case "ansible_user":
		return orNil(r.text("remote_user", o.User))
	}
	return nil
}

// text is a keyword, as far as it is known without these variables.
func (r reach) text(keyword, otherwise string) string {
	k, ok := r.task.Inherited(keyword)
	if !ok {
		return otherwise
	}
	if s, plain := k.Value.(string); plain {
		return s
	}
	v, err := r.p.playScope(r.ctx).Template(k.Value)
	if err != nil || v == nil {
		return otherwise
	}
	return jinja.Str(v)
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (r reach) Keys() []any {
	var keys []any
	for _, names := range reached {
		for _, name := range names {
			if _, ok := r.Get(name); ok {
				keys = append(keys, name)
			}
		}
	}
	return keys
}

func (r reach) Len() int { return len(r.Keys()) }
