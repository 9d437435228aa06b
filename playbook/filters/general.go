package filters

import (
	"encoding/csv"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sort"
	"strings"
	"sync"

	"gplay/internal/jmespath"
	"gplay/jinja"
)

var generalFilters = map[string]jinja.Filter{
	"counter":           simple(counter),
	"crc32":             ofText(func(s string) any { return fmt.Sprintf("%x", crc32.ChecksumIEEE([]byte(s))) }),
	"dict":              simple(toDict),
	"dict_kv":           dictKV,
	"from_csv":          fromCSV,
	"groupby_as_dict":   groupByAsDict,
	"json_query":        jsonQuery,
	"random_mac":        randomMAC,
	"unicode_normalize": unicodeNormalize,
	"version_sort":      versionSort,
}

func jsonQuery(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "expr")
	expr := p.text(0, "")
	if p.err != nil {
		return nil, p.err
	}
	query, err := compiledQuery(expr)
	if err != nil {
		return nil, fmt.Errorf("JMESPathError in json_query filter plugin: %w", err)
	}
	found, err := query.Search(jinja.Unroll(v))
	if err != nil {
		return nil, fmt.Errorf("JMESPathError in json_query filter plugin: %w", err)
	}
	return found, nil
}

var queries sync.Map // text → *jmespath.Expression

func compiledQuery(text string) (*jmespath.Expression, error) {
	if q, ok := queries.Load(text); ok {
		return q.(*jmespath.Expression), nil
	}
	q, err := jmespath.Compile(text)
	if err == nil {
		queries.Store(text, q)
	}
	return q, err
}

func randomMAC(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "seed=")
	prefix, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("Invalid value type (%s) for random_mac (%s)", typeOf(v), jinja.Str(v))
	}
	g, err := newGenerator(p.value(0, nil))
	if err = errors.Join(p.err, err); err != nil {
		return nil, err
	}
	parts := strings.FieldsFunc(strings.ToLower(prefix), func(r rune) bool { return r == ':' })
	if len(parts) > 5 {
		return nil, fmt.Errorf("Invalid value (%s) for random_mac: 5 colon(:) separated items max", prefix)
	}
	for _, part := range parts {
		if len(part) != 2 || strings.Trim(part, "0123456789abcdef") != "" {
			return nil, fmt.Errorf("Invalid value (%s) for random_mac: %s not hexa byte", prefix, part)
		}
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("Invalid value (%s) for random_mac: there is no prefix", prefix)
	}
	// One number of ten digits gives all bytes that are missing, as there.
	const low, high = 0x1000000000, 0xffffffffff
	i, err := g.below(high - low + 1)
	if err != nil {
		return nil, err
	}
	digits := fmt.Sprintf("%x", low+i)
	for at := 0; len(parts) < 6; at += 2 {
		parts = append(parts, digits[at:at+2])
	}
	return strings.Join(parts, ":"), nil
}

func counter(v any) (any, error) {
	items, ok := sequence(v)
	if s, isText := v.(string); isText {
		items, _ = jinja.Iterate(s)
		ok = true
	}
	if !ok {
		return nil, fmt.Errorf("Argument for community.general.counter must be a sequence (string or list). %s is %s", jinja.Str(v), typeOf(v))
	}
	counts := jinja.NewDict()
	for _, item := range items {
		if err := jinja.Hashable(item); err != nil {
			return nil, fmt.Errorf("community.general.counter needs a sequence with hashable elements (int, float or str) - %w", err)
		}
		n, _ := counts.Get(item)
		i, _ := integer(n)
		counts.Set(item, i+1)
	}
	return counts, nil
}

func toDict(v any) (any, error) {
	pairs, err := jinja.Iterate(v)
	if err != nil {
		return nil, err
	}
	d := jinja.NewDict()
	for _, pair := range pairs {
		kv, err := jinja.Iterate(pair)
		if err != nil || len(kv) != 2 {
			return nil, fmt.Errorf("the filter dict wants pairs of a key and a value, not %s", jinja.Repr(pair))
		}
		d.Set(kv[0], kv[1])
	}
	return d, nil
}

func dictKV(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "key")
	return jinja.NewDict(p.value(0, nil), v), p.err
}

func fromCSV(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "dialect=", "fieldnames=", "delimiter=", "skipinitialspace=", "strict=")
	s, err := text(v)
	delimiter := p.text(2, ",")
	switch dialect := p.text(0, "excel"); dialect {
	case "excel", "unix":
	case "excel-tab":
		delimiter = p.text(2, "\t")
	default:
		return nil, fmt.Errorf("Dialect '%s' is not supported: it is excel, excel-tab or unix", dialect)
	}
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	if len([]rune(delimiter)) != 1 {
		return nil, errors.New("Unable to process file: \"delimiter\" must be a 1-character string")
	}
	r := csv.NewReader(strings.NewReader(s))
	r.Comma, r.FieldsPerRecord = []rune(delimiter)[0], -1
	r.LazyQuotes, r.TrimLeadingSpace = !p.truth(4, false), p.truth(3, false)
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("Unable to process file: %w", err)
	}
	var names []any
	switch fields := p.value(1, nil).(type) {
	case *jinja.List:
		names = fields.Items
	case string:
		for _, name := range strings.Split(fields, ",") {
			names = append(names, name)
		}
	default:
		if len(rows) > 0 {
			names, rows = textList(rows[0]).Items, rows[1:]
		}
	}
	out := jinja.NewList()
	for _, row := range rows {
		d := jinja.NewDict()
		for i, name := range names {
			d.Set(name, nil)
			if i < len(row) {
				d.Set(name, row[i])
			}
		}
		if len(row) > len(names) {
			d.Set(nil, textList(row[len(names):]))
		}
		out.Items = append(out.Items, d)
	}
	return out, nil
}

func groupByAsDict(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "attribute")
	attribute := p.value(0, nil)
	items, ok := sequence(v)
	if p.err != nil || !ok {
		return nil, errors.Join(p.err, errors.New("Input is not a sequence"))
	}
	d := jinja.NewDict()
	for i, item := range items {
		m, ok := item.(jinja.Mapping)
		if !ok {
			return nil, fmt.Errorf("Sequence element #%d is not a mapping", i)
		}
		value, ok := m.Get(attribute)
		if !ok {
			return nil, fmt.Errorf("Attribute not contained in element #%d of sequence", i)
		}
		if err := jinja.Hashable(value); err != nil {
			return nil, err
		}
		if _, double := d.Get(value); double {
			return nil, fmt.Errorf("Multiple sequence entries have attribute value %s", jinja.Repr(value))
		}
		d.Set(value, item)
	}
	return d, nil
}

func listsMergeBy(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	var index any
	recursive, lists := false, "replace"
	terms := append([]any{v}, args.Positional...)
	for k, value := range args.Keywords.All() {
		switch k {
		case "index":
			index = value
		case "recursive":
			recursive = jinja.Truth(value)
		case "list_merge":
			lists, _ = value.(string)
		default:
			return nil, errors.New("'recursive' and 'list_merge' are the only valid keyword arguments.")
		}
	}
	if index == nil && len(terms) > 1 {
		index, terms = terms[len(terms)-1], terms[:len(terms)-1]
	}
	if mergeLists[lists] == nil {
		return nil, fmt.Errorf("list_merge cannot be %q", lists)
	}
	if _, ok := index.(string); !ok {
		return nil, fmt.Errorf("community.general.lists_mergeby index must be a string. %s is not", jinja.Repr(index))
	}
	given, err := nonEmptyLists(terms)
	if err != nil {
		return nil, err
	}
	if len(given) == 1 {
		return list(given[0]), nil
	}
	byKey := jinja.NewDict()
	for _, item := range slices.Concat(given...) {
		d, ok := item.(*jinja.Dict)
		if !ok {
			return nil, fmt.Errorf("Elements of list arguments for lists_mergeby must be dictionaries. %s is not", jinja.Repr(item))
		}
		key, ok := d.Get(index)
		if !ok {
			continue
		}
		if old, ok := byKey.Get(key); ok {
			d = merge(old.(*jinja.Dict), d, recursive, lists)
		}
		byKey.Set(key, d)
	}
	keys := byKey.Keys()
	err = sortBy(keys, jinja.Compare)
	out := jinja.NewList()
	for _, key := range keys {
		d, _ := byKey.Get(key)
		out.Items = append(out.Items, d)
	}
	return out, err
}

// nonEmptyLists are the lists that terms are or hold.
func nonEmptyLists(terms []any) ([][]any, error) {
	var all [][]any
	for _, term := range terms {
		items, ok := sequence(term)
		if !ok {
			return nil, fmt.Errorf("All arguments before the argument index for community.general.lists_mergeby must be lists. %s is %s", jinja.Repr(term), typeOf(term))
		}
		nested := len(items) > 0
		for _, item := range items {
			if _, ok := sequence(item); !ok {
				nested = false
			}
		}
		switch {
		case nested:
			for _, item := range items {
				inner, _ := sequence(item)
				all = append(all, inner)
			}
		case len(items) > 0:
			all = append(all, items)
		}
	}
	return all, nil
}

// sortBy sorts in place; an error of compare is given back.
func sortBy(items []any, compare func(a, b any) (int, error)) error {
	var failed error
	sort.SliceStable(items, func(i, j int) bool {
		c, err := compare(items[i], items[j])
		if err != nil {
			failed = err
		}
		return c < 0
	})
	return failed
}

func versionSort(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "reverse=")
	reverse := p.truth(0, false)
	items, err := jinja.Iterate(v)
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	items = append([]any(nil), items...)
	err = sortBy(items, func(a, b any) (int, error) {
		x, err := text(a)
		y, err2 := text(b)
		if err = errors.Join(err, err2); err != nil {
			return 0, err
		}
		c, err := looseCompare(x, y)
		if reverse {
			c = -c
		}
		return c, err
	})
	return list(items), err
}
