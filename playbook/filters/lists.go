package filters

import (
	"fmt"

	"golang.org/x/text/unicode/norm"

	"gplay/jinja"
)

// listFilters are community.general's filters of several lists.
var listFilters = map[string]jinja.Filter{
	"lists_difference": ofLists(without),
	"lists_intersect":  ofLists(func(a, b []any) []any { return without(a, without(a, b)) }),
	"lists_mergeby":    listsMergeBy,
	"lists_symmetric_difference": ofLists(func(a, b []any) []any {
		return concat(without(a, b), without(b, a))
	}),
	"lists_union": ofLists(concat),
}

// ofLists applies f to the first two lists, to that and the third, and so on.
func ofLists(f func(a, b []any) []any) jinja.Filter {
	return func(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
		flat := false
		for k, value := range args.Keywords.All() {
			if k != "flatten" {
				return nil, fmt.Errorf("got an unexpected keyword argument '%s'", jinja.Str(k))
			}
			flat = jinja.Truth(value)
		}
		inputs := append([]any{v}, args.Positional...)
		if flat && len(inputs) == 1 {
			nested, ok := sequence(v)
			if !ok {
				return nil, fmt.Errorf("the lists must be lists, not %s", jinja.TypeName(v))
			}
			inputs = nested
		}
		var result []any
		for i, input := range inputs {
			if err := undefined(input); err != nil {
				return nil, err
			}
			items, ok := sequence(input)
			if !ok {
				return nil, fmt.Errorf("the lists must be lists, not %s", jinja.TypeName(input))
			}
			if i > 0 {
				items = f(result, items)
			}
			result = unique(items, func(v any) any { return v })
		}
		return list(result), nil
	}
}

var normalForms = map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD}

func unicodeNormalize(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "form=")
	name := p.text(0, "NFC")
	form, known := normalForms[name]
	s, ok := v.(string)
	switch {
	case p.err != nil:
		return nil, p.err
	case !ok:
		return nil, fmt.Errorf("%s is not a valid input type", typeOf(v))
	case !known:
		return nil, fmt.Errorf("%s is not a valid form", name)
	}
	return form.String(s), nil
}
