package jinja

// changers are the methods that change a list or a dict.
var changers = []string{"__setitem__", "append", "clear", "extend", "insert", "pop", "popitem", "remove", "reverse", "setdefault", "sort", "update"}

// own gives a value of the scope to templates that may change it: as Ansible
// does, a copy, which is the same wherever they use the variable. The variable
// stays as it is.
func (v *variables) own(name string, value any) any {
	if v.copies == nil {
		return value
	}
	mine, ok := v.copies[name]
	if !ok {
		mine = copied(value)
		v.copies[name] = mine
	}
	return mine
}

// copied is a value whose lists and dicts are copies.
func copied(v any) any {
	switch v := v.(type) {
	case *List:
		c := &List{Items: make([]any, len(v.Items)), Class: v.Class}
		for i, item := range v.Items {
			c.Items[i] = copied(item)
		}
		return c
	case *Dict:
		c := v.Copy()
		for i := range c.items {
			c.items[i].value = copied(c.items[i].value)
		}
		return c
	}
	return v
}
