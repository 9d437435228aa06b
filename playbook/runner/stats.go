package runner

import (
	"gplay/jinja"
)

// customStats takes what set_stats gave, in one task or in the items of a
// loop.
func (r *Runner) customStats(host string, data *jinja.Dict) {
	items := []any{data}
	if list, _ := data.Get("results"); list != nil {
		if list, ok := list.(*jinja.List); ok {
			items = append(items, list.Items...)
		}
	}
	for _, item := range items {
		result, _ := item.(*jinja.Dict)
		v, _ := result.Get("ansible_stats")
		if stats, ok := v.(*jinja.Dict); ok {
			r.addStats(host, stats)
		}
	}
}

func (r *Runner) addStats(host string, stats *jinja.Dict) {
	if perHost, _ := stats.Get("per_host"); perHost != true {
		host = ""
	}
	all := r.stats.Custom[host]
	if all == nil {
		all = jinja.NewDict()
		r.stats.Custom[host] = all
	}
	aggregate, _ := stats.Get("aggregate")
	data, _ := stats.Get("data")
	d, _ := data.(*jinja.Dict)
	for name, value := range d.All() {
		if old, ok := all.Get(name); ok && aggregate == true {
			value = together(old, value)
		}
		all.Set(name, value)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// together adds up two values of one kind. Of two kinds the first stays, as in
// Ansible.
func together(old, value any) any {
	switch o := old.(type) {
	case bool: // numbers, for Python
		if v, ok := value.(bool); ok {
			return count(o) + count(v)
		}
	case int:
		if v, ok := value.(int); ok {
			return o + v
		}
	case float64:
		if v, ok := value.(float64); ok {
			return o + v
		}
	case string:
		if v, ok := value.(string); ok {
			return o + v
		}
	case *jinja.List:
		if v, ok := value.(*jinja.List); ok {
			return jinja.NewList(append(append([]any{}, o.Items...), v.Items...)...)
		}
	case *jinja.Dict:
		if v, ok := value.(*jinja.Dict); ok {
			return jinja.MergeDicts(o, v)
		}
	}
	return old
}
