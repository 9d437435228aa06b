package jinja

import "slices"

// filters are Jinja2's own.
var filters map[string]builtinFilter

// simple makes a filter of a function that gets its arguments in order. Those
// of them that only stand in for something else may be undefined.
func simple(fn func(c *Context, v any, a []any) (any, error), params ...string) builtinFilter {
	absent, _ := noArgs.Bind(params...)
	return builtinFilter{func(c *Context, v any, args *Args) (any, error) {
		if absent != nil && len(args.Positional) == 0 && args.Keywords == nil {
			return fn(c, v, absent)
		}
		bound, err := args.Bind(params...)
		if err != nil {
			return nil, err
		}
		for i, v := range bound {
			if u, ok := v.(*Undefined); ok && !slices.Contains(standIns, params[i]) {
				return nil, &undefinedError{u}
			}
		}
		return fn(c, v, bound)
	}, false}
}

var standIns = []string{"default_value=", "default=", "fill_with="}

func lenient(f builtinFilter) builtinFilter {
	f.lenient = true
	return f
}

func init() {
	filters = map[string]builtinFilter{
		// Numbers.
		"abs":            simple(filterAbs),
		"int":            simple(filterInt, "default=", "base="),
		"float":          simple(filterFloat, "default="),
		"round":          simple(filterRound, "precision=", "method="),
		"filesizeformat": simple(filterFileSize, "binary="),

		// Text.
		"capitalize":  textFilter(capitalize),
		"lower":       textFilter(lower),
		"upper":       textFilter(upper),
		"title":       simple(filterTitle),
		"center":      simple(filterCenter, "width="),
		"format":      {filterFormat, false},
		"indent":      simple(filterIndent, "width=", "first=", "blank="),
		"replace":     simple(filterReplace, "old", "new", "count="),
		"string":      simple(filterString),
		"trim":        simple(filterTrim, "chars="),
		"truncate":    simple(filterTruncate, "length=", "killwords=", "end=", "leeway="),
		"wordcount":   simple(filterWordCount),
		"wordwrap":    simple(filterWordWrap, "width=", "break_long_words=", "wrapstring=", "break_on_hyphens="),
		"pprint":      simple(filterPprint),
		"urlencode":   simple(filterURLEncode),
		"urlize":      simple(filterURLize, "trim_url_limit=", "nofollow=", "target=", "rel=", "extra_schemes="),
		"striptags":   simple(filterStripTags),
		"escape":      simple(filterEscape),
		"e":           simple(filterEscape),
		"forceescape": simple(filterForceEscape),
		"safe":        simple(filterSafe),
		"xmlattr":     simple(filterXMLAttr, "autospace="),
		"tojson":      simple(filterToJSON, "indent="),

		// Lists and dicts.
		"attr":       lenient(simple(filterAttr, "name")),
		"batch":      simple(filterBatch, "linecount", "fill_with="),
		"count":      simple(filterLength),
		"d":          lenient(simple(filterDefault, "default_value=", "boolean=")),
		"default":    lenient(simple(filterDefault, "default_value=", "boolean=")),
		"dictsort":   simple(filterDictSort, "case_sensitive=", "by=", "reverse="),
		"first":      simple(filterFirst),
		"groupby":    simple(filterGroupBy, "attribute", "default=", "case_sensitive="),
		"items":      lenient(simple(filterItems)),
		"join":       simple(filterJoin, "d=", "attribute="),
		"last":       simple(filterLast),
		"length":     simple(filterLength),
		"list":       simple(filterList),
		"map":        {filterMap, false},
		"max":        simple(filterExtreme(1), "case_sensitive=", "attribute="),
		"min":        simple(filterExtreme(-1), "case_sensitive=", "attribute="),
		"random":     simple(filterRandom),
		"reject":     {selector(false, false), false},
		"rejectattr": {selector(false, true), false},
		"reverse":    simple(filterReverse),
		"select":     {selector(true, false), false},
		"selectattr": {selector(true, true), false},
		"slice":      simple(filterSlice, "slices", "fill_with="),
		"sort":       simple(filterSort, "reverse=", "case_sensitive=", "attribute="),
		"sum":        simple(filterSum, "attribute=", "start="),
		"unique":     simple(filterUnique, "case_sensitive=", "attribute="),
	}
}

// given is an optional argument, or what stands for it.
func given(v, otherwise any) any {
	if v == Missing {
		return otherwise
	}
	return v
}

// enabled is an optional argument as a bool.
func enabled(v any, otherwise bool) bool {
	if v == Missing {
		return otherwise
	}
	return Truth(v)
}

// number is an optional argument as an int.
func number(v any, otherwise int) (int, error) {
	if v == Missing {
		return otherwise, nil
	}
	return index(v)
}
