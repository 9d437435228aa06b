package jinja

// Text is text of a class of its own, as a str of a subclass is in Python: it
// is a str in all that is done with it, what is made of it is a plain one, and
// only what passes it on keeps the class.
type Text struct{ Value, Class string }

// String is the text.
func (t Text) String() string { return t.Value }

// class is a Python class: what x.__class__ gives.
type class struct{ name string }

// String is how Python shows it.
func (c class) String() string { return "<class " + Repr(c.name) + ">" }

// Attr gives the class's name.
func (c class) Attr(name string) (any, bool) { return c.name, name == "__name__" }

// TypeName is type, of which every class is.
func (c class) TypeName() string { return "type" }

// classify is v, which stands in a list or dict of that class, as templates see
// it.
func classify(v any, class string) any {
	if s, ok := v.(string); ok && class != "" {
		return Text{s, class}
	}
	return v
}

// Typed is a key or value of d as templates see it.
func (d *Dict) Typed(v any) any { return classify(v, d.Class) }

// Typed is an item of l as templates see it.
func (l *List) Typed(item any) any { return classify(item, l.Class) }

// SetClass gives lists and dicts that nobody else has yet, and those in them, a
// class.
func SetClass(v any, class string) {
	switch v := v.(type) {
	case *List:
		v.Class = class
		for _, item := range v.Items {
			SetClass(item, class)
		}
	case *Dict:
		v.Class = class
		for _, item := range v.All() {
			SetClass(item, class)
		}
	}
}

// typedKeys are the keys of m as templates see them.
func typedKeys(m Mapping) []any {
	keys := m.Keys()
	if d, ok := m.(*Dict); ok && d.Class != "" {
		for i, k := range keys {
			keys[i] = d.Typed(k)
		}
	}
	return keys
}

// typedItems are the items of v as templates see them.
func typedItems(v any) ([]any, error) {
	items, err := Iterate(v)
	l, ok := v.(*List)
	if err != nil || !ok || l.Class == "" {
		return items, err
	}
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = l.Typed(item)
	}
	return out, nil
}

// bare is a text without its class.
func bare(v any) any {
	if t, ok := v.(Text); ok {
		return t.Value
	}
	return v
}

func isClassed(v any) bool { _, ok := v.(Text); return ok }

// mapped are the arguments with those that it is needed for changed.
func (a *Args) mapped(needed func(any) bool, change func(any) any) *Args {
	if !a.any(needed) {
		return a
	}
	out := &Args{Positional: make([]any, len(a.Positional)), Keywords: a.Keywords.Copy(), written: a.written}
	for i, v := range a.Positional {
		out.Positional[i] = change(v)
	}
	for k, v := range a.Keywords.All() {
		out.Keywords.Set(k, change(v))
	}
	return out
}

func (a *Args) any(holds func(any) bool) bool {
	for _, v := range a.Positional {
		if holds(v) {
			return true
		}
	}
	for _, v := range a.Keywords.All() {
		if holds(v) {
			return true
		}
	}
	return false
}

func bareArgs(a *Args) *Args { return a.mapped(isClassed, bare) }

func plainArgs(a *Args) *Args {
	return a.mapped(func(v any) bool { return classed(v, 0) }, Plain)
}

// Plain takes the classes and the marks of safety off the texts in v, which
// stays as it is where it has none.
func Plain(v any) any {
	switch v := v.(type) {
	case Text:
		return v.Value
	case Markup:
		return string(v)
	case *List:
		if items := plainItems(v.Items, 0); items != nil {
			return &List{items, v.Class}
		}
	case Tuple:
		if items := plainItems(v, 0); items != nil {
			return Tuple(items)
		}
	case *Dict:
		if !classedDict(v, 0) {
			return v
		}
		out := &Dict{items: make([]entry, 0, v.Len()), Class: v.Class}
		for k, item := range v.All() {
			out.Set(Plain(k), Plain(item))
		}
		return out
	}
	return v
}

// plainItems are the items as Plain has them; nil where they are plain already.
func plainItems(items []any, depth int) []any {
	if !classedItems(items, depth) {
		return nil
	}
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = Plain(item)
	}
	return out
}

// classed tells whether there is a text in v that is not plain.
func classed(v any, depth int) bool {
	switch v := v.(type) {
	case Text, Markup:
		return true
	case *List:
		return classedItems(v.Items, depth)
	case Tuple:
		return classedItems(v, depth)
	case *Dict:
		return classedDict(v, depth)
	}
	return false
}

func classedItems(items []any, depth int) bool {
	if depth > maxDataDepth {
		return false
	}
	for _, item := range items {
		if classed(item, depth+1) {
			return true
		}
	}
	return false
}

func classedDict(d *Dict, depth int) bool {
	if depth > maxDataDepth {
		return false
	}
	for k, item := range d.All() {
		if classed(k, depth+1) || classed(item, depth+1) {
			return true
		}
	}
	return false
}
