package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gplay/internal/source"
	"gplay/internal/yaml"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/vars"
)

// loop is a task's loop on one host.
type loop struct {
	x        *execution
	items    []any
	variable string // loop_var
	index    string // index_var
	label    any
	pause    time.Duration
	extended bool
	allItems bool // ansible_loop holds all items, too
	control  *jinja.Dict
	brought  *jinja.Dict // facts and results of the items so far, for the next
	held     []func()    // tell of items that add to the inventory
}

func (x *execution) loop(ctx context.Context) (*loop, error) {
	l := &loop{x: x, variable: "item", brought: jinja.NewDict()}
	if err := l.controls(); err != nil {
		return nil, err
	}
	var err error
	l.items, err = x.loopItems(x.task.Loop)
	return l, err
}

func (x *execution) loopItems(l *playbook.Loop) ([]any, error) {
	items, err := x.rawItems(l)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = vars.WithoutTuples(item)
		if l.Lookup == "" {
			out[i] = vars.Again(out[i])
		}
	}
	return out, nil
}

func (x *execution) rawItems(l *playbook.Loop) ([]any, error) {
	v, err := x.loopValue(l)
	if err != nil {
		return nil, err
	}
	if l.Lookup == "" {
		switch v := v.(type) {
		case *jinja.List:
			items := make([]any, len(v.Items))
			for i, item := range v.Items {
				items[i] = v.Typed(item)
			}
			return items, nil
		case jinja.Tuple:
			return v, nil
		}
		return nil, source.Errorf(l.Pos, "Invalid data passed to 'loop', it requires a list, got this instead: %s. Hint: If you passed a list/dict of just one element, try adding wantlist=True to your lookup invocation or use q/query instead of lookup.", jinja.Str(v))
	}
	items, err := terms(l.Lookup, v)
	switch {
	case err != nil:
	case l.Lookup == "items" || l.Lookup == "list":
		return vars.Unsafe(flat(items, l.Lookup == "items")), nil
	default:
		items, err = x.scope.Run(l.Lookup, items, nil)
	}
	if err != nil {
		return nil, &source.Error{Pos: l.Pos, Msg: err.Error(), Err: err, Known: vars.LookupWords(err)}
	}
	return vars.Unsafe(items), nil
}

// loopValue is what the loop is written as, templated. Of the files of
// first_found some may have names that are not known.
func (x *execution) loopValue(l *playbook.Loop) (any, error) {
	if l.Lookup != "first_found" {
		return x.scope.Variable(l.Value)
	}
	switch v := l.Value.(type) {
	case *jinja.List:
		return x.lenient(v), nil
	case *jinja.Dict: // of which the keys are looked for
		return v, nil
	}
	return x.lenient(jinja.NewList(l.Value)).Items[0], nil
}

// lenient is a list whose items stay as written where they cannot be
// templated.
func (x *execution) lenient(list *jinja.List) *jinja.List {
	out := jinja.NewList()
	for _, item := range list.Items {
		v, err := x.scope.Template(item)
		if err != nil {
			v = conditionText(item)
		}
		out.Items = append(out.Items, v)
	}
	return out
}

// needList are the lookups that take a list and no dict.
var needList = map[string]bool{"list": true, "indexed_items": true, "flattened": true}

// terms is a with_ value as the lookup's terms: lists are its items, dicts
// their keys. dict takes what it is given as one term.
func terms(lookup string, v any) ([]any, error) {
	switch v := v.(type) {
	case *jinja.List:
		if lookup != "dict" {
			return v.Items, nil
		}
	case *jinja.Dict:
		if needList[lookup] {
			return nil, fmt.Errorf("with_%s expects a list", lookup)
		}
		if lookup != "dict" {
			return v.Keys(), nil
		}
	}
	return []any{v}, nil
}

// flat is with_items: a list whose lists are taken apart, one level deep.
func flat(terms []any, deep bool) []any {
	var items []any
	for _, item := range terms {
		if deep && item != nil {
			items = append(items, asList(item)...)
		} else {
			items = append(items, item)
		}
	}
	return items
}

// controls reads loop_control. The label is templated an item.
func (l *loop) controls() error {
	l.control = l.x.task.Loop.Control
	read := &keywordReader{chain: l.written, scope: l.x.scope}
	var pause float64
	read.text("loop_var", &l.variable)
	read.text("index_var", &l.index)
	read.number("pause", "float", &pause)
	read.bool("extended", &l.extended, false)
	read.bool("extended_allitems", &l.allItems, true)
	if read.err != nil {
		return read.err
	}
	l.pause = time.Duration(pause * float64(time.Second))
	if label, _ := l.control.Get("label"); jinja.Truth(label) {
		l.label = label
	}
	if _, taken := l.x.scope.Raw(l.variable); taken && !l.x.task.Implicit {
		l.x.warn("The loop variable '%s' is already in use. You should set the `loop_var` value in the `loop_control` option for the task to something else to avoid variable collisions and unexpected behavior.", l.variable)
	}
	return nil
}

// written is what loop_control says of a keyword.
func (l *loop) written(keyword string) []playbook.Keyword {
	v, ok := l.control.Get(keyword)
	if !ok {
		return nil
	}
	return []playbook.Keyword{{Value: v, Pos: l.x.task.Loop.Pos}}
}

// run runs the items. What they add to the inventory it has, and those that add
// are told of, when all are done and none has failed.
func (l *loop) run(ctx context.Context) []*try {
	var tries []*try
	for i := range l.items {
		if i > 0 {
			sleep(ctx, l.pause)
		}
		if ctx.Err() != nil && i > 0 {
			break
		}
		t := l.one(ctx, i)
		tries = append(tries, t)
		if t.fatal || t.last {
			break
		}
	}
	if !slices.ContainsFunc(tries, func(t *try) bool { return t.status == Failed || t.status == Unreachable }) {
		for _, tell := range l.held {
			tell()
		}
	}
	return tries
}

func (l *loop) one(ctx context.Context, i int) *try {
	own := l.vars(i)
	t := l.x.try(ctx, l.x.scope.With(l.brought).With(own))
	if t.fatal {
		return t
	}
	if !t.unwanted {
		merge(l.brought, l.x.afterwards(t.data))
	}
	l.breaks(t, own)
	for k, v := range own.All() {
		t.data.Set(k, jinja.Plain(vars.AsWritten(v)))
	}
	label, err := l.shown(t.scope, i)
	if err != nil && !isUndefined(err) { // it ends the loop, and this item is not told of
		return l.x.unlooped(err)
	}
	if t.include != nil && t.status == OK {
		t.include.loop = own
		if t.include.label == "" && jinja.Truth(label) {
			t.include.label = jinja.Str(label)
		}
	}
	if err != nil {
		t.data.Set("failed", true)
		t.data.Set("msg", "Failed to template loop_control.label: "+labelError(err))
		t.status, t.include = Failed, nil
		if t.ignored, _ = l.x.keywordBool(t.scope, "ignore_errors", false); t.unwanted { // no keyword was read
			t.ignored = written(l.x.task, "ignore_errors")
		}
	}
	shown := l.labelOf(i, label, err)
	if err == nil {
		t.data.Set("_ansible_item_label", shown)
	}
	if t.noLog {
		shown = "None"
	}
	if t.grow == nil || err != nil {
		l.tell(t, shown)
		return t
	}
	l.held = append(l.held, func() {
		if err := l.x.grown(t); err != nil {
			explain(t.data, "msg", err)
			t.status = Failed
		}
		l.tell(t, shown)
	})
	return t
}

// labelOf is the label of an item: where its own cannot be templated, the item
// unless the result is debug's, of which only the message is left.
func (l *loop) labelOf(i int, label any, err error) string {
	switch {
	case err == nil:
		return jinja.Str(vars.PublicValue(label))
	case l.x.task.Action == "debug":
		return "None"
	}
	return jinja.Str(vars.PublicValue(l.items[i]))
}

func (l *loop) tell(t *try, label string) {
	r := l.x.result(t)
	r.Loop, r.Label = true, label
	l.x.tell(func(c Callback) { c.ItemResult(r) })
}

// breaks ends the loop after an item for which break_when holds, as
// ansible-core has it since 2.18. It sees the item and what is registered.
func (l *loop) breaks(t *try, own *jinja.Dict) {
	when := l.x.task.Loop.Breaks
	if when.Value == nil {
		return
	}
	done, bad, err := allHold(l.x.scope.With(l.brought).With(own), when)
	if err != nil {
		explain(t.data, "msg", &vars.ConditionError{Condition: conditionText(bad), Err: err})
		t.status, done = Failed, true
	}
	t.last = done
}

// shown is what is shown of an item.
func (l *loop) shown(scope *vars.Scope, i int) (any, error) {
	label := l.label
	if label == nil {
		label = l.items[i]
	}
	return scope.Template(label)
}

func labelError(err error) string {
	var placed *source.Error
	switch {
	case !errors.As(err, &placed):
		return err.Error()
	case placed.Known != "":
		return placed.Known
	}
	return plainText(err, placed)
}

// vars are the loop's variables for item i.
func (l *loop) vars(i int) *jinja.Dict {
	d := jinja.NewDict(l.variable, l.items[i], "ansible_loop_var", l.variable)
	if l.index != "" {
		d.Set(l.index, i)
		d.Set("ansible_index_var", l.index)
	}
	if l.extended {
		d.Set("ansible_loop", l.position(i))
	}
	return d
}

func (l *loop) position(i int) *jinja.Dict {
	n := len(l.items)
	d := jinja.NewDict("index", i+1, "index0", i, "first", i == 0,
		"last", i == n-1, "length", n, "revindex", n-i, "revindex0", n-i-1)
	if l.allItems {
		d.Set("allitems", jinja.NewList(l.items...))
	}
	if i > 0 {
		d.Set("previtem", l.items[i-1])
	}
	if i < n-1 {
		d.Set("nextitem", l.items[i+1])
	}
	return d
}

// loopResult sums up a loop's items. A failure is ignored when those of all items
// are; of a host that was not reached only what is written counts.
func (x *execution) loopResult(tries []*try) *try {
	sum := &try{scope: x.scope, status: OK, delegated: x.delegatedAsWritten()}
	results := jinja.NewList()
	sum.data = jinja.NewDict("results", results, "skipped", true)
	changed, skipped, failed, said := false, true, false, false
	ignored := true
	for _, t := range tries {
		results.Items = append(results.Items, public(t.data))
		if c, _ := t.data.Get("changed"); t.status == Changed || jinja.Truth(c) {
			changed = true
			sum.data.Set("changed", true)
		}
		omitted, _ := t.data.Get("skipped") // also of one whose label failed
		skipped = skipped && jinja.Truth(omitted)
		failed = failed || t.status == Failed
		if f, _ := t.data.Get("failed"); jinja.Truth(f) { // whatever failed_when says
			said = true
			sum.data.Set("failed", true)
			sum.data.Set("msg", "One or more items failed")
		}
		sum.noLog = sum.noLog || t.noLog
		ignored = ignored && (t.ignored || t.status != Failed)
		if t.status == Unreachable {
			sum.status = Unreachable
		}
	}
	sum.data.Set("skipped", skipped)
	switch {
	case skipped:
		sum.data.Set("msg", "All items skipped")
	case said:
	default:
		sum.data.Set("msg", "All items completed")
	}
	sum.data.Set("changed", changed)
	switch {
	case sum.status == Unreachable:
		sum.data.Set("unreachable", true)
		sum.ignored = written(x.task, "ignore_unreachable")
	case failed:
		sum.status, sum.ignored = Failed, ignored
	case skipped:
		sum.status = Skipped
	case changed:
		sum.status = Changed
	}
	return sum
}

// isTemplate reports whether v still has to be templated.
func isTemplate(v any) bool {
	_, ok := v.(*yaml.Template)
	return ok
}
