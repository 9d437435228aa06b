package filters

import (
	"errors"
	"fmt"

	"gplay/jinja"
)

var combinatoryFilters = map[string]jinja.Filter{
	"combinations": combinations,
	"permutations": permutations,
	"product":      product,
	"zip":          zip,
	"zip_longest":  zipLongest,
}

// maxItems bounds what the filters here may make, in all rows together.
const maxItems = 1 << 22

var errTooMany = fmt.Errorf("the result has more than %d items", maxItems)

// iterateAll iterates over v and each of more.
func iterateAll(v any, more []any) ([][]any, error) {
	var all [][]any
	for _, iterable := range append([]any{v}, more...) {
		items, err := jinja.Iterate(iterable)
		if err != nil {
			return nil, err
		}
		all = append(all, items)
	}
	return all, nil
}

func product(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	pools, err := iterateAll(v, args.Positional)
	if err != nil {
		return nil, err
	}
	once := len(pools)
	for k, n := range args.Keywords.All() {
		times, ok := integer(n)
		if k != "repeat" || !ok || times < 0 {
			return nil, fmt.Errorf("product takes repeat=NUMBER, not %v=%s", k, jinja.Repr(n))
		}
		if times > maxItems {
			return nil, errTooMany
		}
		var repeated [][]any
		for range times {
			repeated = append(repeated, pools[:once]...)
		}
		pools = repeated
	}
	rows, err := Product(pools)
	return list(rows), err
}

// Product gives the tuples of one item from each pool; the last pool turns fastest.
func Product(pools [][]any) ([]any, error) {
	rows := []jinja.Tuple{{}}
	for _, pool := range pools {
		if len(rows)*len(pool)*len(pools) > maxItems {
			return nil, errTooMany
		}
		next := make([]jinja.Tuple, 0, len(rows)*len(pool))
		for _, row := range rows {
			for _, item := range pool {
				next = append(next, append(append(jinja.Tuple{}, row...), item))
			}
		}
		rows = next
	}
	out := make([]any, len(rows))
	for i, row := range rows {
		out[i] = row
	}
	return out, nil
}

func permutations(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	return choose(v, bind(args, "r="), true)
}

func combinations(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	return choose(v, bind(args, "r"), false)
}

// choose gives the ways of taking r items; ordered ones count each order.
func choose(v any, p *params, ordered bool) (any, error) {
	items, err := jinja.Iterate(v)
	r := p.int(0, len(items))
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	if r < 0 {
		return nil, errors.New("r must be non-negative")
	}
	out := jinja.NewList()
	taken := make([]bool, len(items))
	var take func(row jinja.Tuple, from int) error
	take = func(row jinja.Tuple, from int) error {
		if len(row) == r {
			out.Items = append(out.Items, append(jinja.Tuple{}, row...))
			if len(out.Items)*r > maxItems {
				return errTooMany
			}
			return nil
		}
		for i := from; i < len(items); i++ {
			if taken[i] {
				continue
			}
			taken[i] = true
			next := i + 1
			if ordered {
				next = 0
			}
			if err := take(append(row, items[i]), next); err != nil {
				return err
			}
			taken[i] = false
		}
		return nil
	}
	if r > len(items) {
		return out, nil
	}
	return out, take(nil, 0)
}

// onlyKeyword refuses all keywords but one.
func onlyKeyword(args *jinja.Args, name, function string) error {
	for k := range args.Keywords.All() {
		if k != name {
			return fmt.Errorf("%s is an invalid keyword argument for %s(), which takes %s", jinja.Repr(k), function, name)
		}
	}
	return nil
}

func zip(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	if err := onlyKeyword(args, "strict", "zip"); err != nil {
		return nil, err
	}
	lists, err := iterateAll(v, args.Positional)
	if err != nil {
		return nil, err
	}
	n := len(lists[0])
	for _, l := range lists {
		n = min(n, len(l))
	}
	if strict, ok := args.Keywords.Get("strict"); ok && jinja.Truth(strict) {
		for i, l := range lists {
			if len(l) != len(lists[0]) {
				return nil, fmt.Errorf("zip() argument %d has another length than argument 1", i+1)
			}
		}
	}
	return list(Rows(lists, n, nil)), nil
}

func zipLongest(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	if err := onlyKeyword(args, "fillvalue", "zip_longest"); err != nil {
		return nil, err
	}
	lists, err := iterateAll(v, args.Positional)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, l := range lists {
		n = max(n, len(l))
	}
	fill, _ := args.Keywords.Get("fillvalue")
	return list(Rows(lists, n, fill)), nil
}

// Rows gives n tuples of the lists' items at one index; fill stands where a
// list has ended.
func Rows(lists [][]any, n int, fill any) []any {
	rows := make([]any, n)
	for i := range rows {
		row := make(jinja.Tuple, len(lists))
		for j, l := range lists {
			row[j] = fill
			if i < len(l) {
				row[j] = l[i]
			}
		}
		rows[i] = row
	}
	return rows
}
