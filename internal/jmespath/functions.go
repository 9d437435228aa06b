package jmespath

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"sort"
	"strconv"
	"strings"

	"gplay/jinja"
)

var errStep = errors.New("slice step cannot be zero")

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case int, *big.Int, float64:
		return "number"
	case node:
		return "expression"
	case jinja.Mapping:
		return "object"
	}
	if _, ok := items(v); ok {
		return "array"
	}
	return "unknown"
}

// function takes arguments whose types it names, "a|b" for several and "" for
// any; the last of types may be repeated where variadic is set.
type function struct {
	types    []string
	variadic bool
	run      func(args []any) (any, error)
}

func invoke(name string, parts []part) node {
	return func(v any) (any, error) {
		f, ok := functions[name]
		if !ok {
			return nil, fmt.Errorf("Unknown function: %s()", name)
		}
		args := make([]any, len(parts))
		for i, p := range parts {
			if p.ref {
				args[i] = p.node
				continue
			}
			var err error
			if args[i], err = p.node(v); err != nil {
				return nil, err
			}
		}
		if err := f.check(name, args); err != nil {
			return nil, err
		}
		return f.run(args)
	}
}

func (f function) check(name string, args []any) error {
	n := len(f.types)
	if len(args) != n && !(f.variadic && len(args) > n) {
		return fmt.Errorf("Expected %d arguments for function %s(), received %d", n, name, len(args))
	}
	for i, arg := range args {
		want := f.types[min(i, n-1)]
		if want == "" || slices.Contains(strings.Split(want, "|"), typeName(arg)) || isArrayOf(want, arg) {
			continue
		}
		return fmt.Errorf("In function %s(), invalid type for value: %s, expected one of: %s, received: %s", name, jinja.Repr(arg), want, typeName(arg))
	}
	return nil
}

// isArrayOf reports whether v is a list of items of one type that want names,
// such as array-number.
func isArrayOf(want string, v any) bool {
	list, ok := items(v)
	if !ok {
		return false
	}
	for of := range strings.SplitSeq(want, "|") {
		of, isArray := strings.CutPrefix(of, "array-")
		if isArray && !slices.ContainsFunc(list, func(item any) bool { return typeName(item) != of }) {
			return true
		}
	}
	return false
}

var functions map[string]function

func init() { // some call others
	functions = map[string]function{
		"abs":         {[]string{"number"}, false, func(a []any) (any, error) { return absolute(a[0]), nil }},
		"avg":         {[]string{"array-number"}, false, average},
		"ceil":        {[]string{"number"}, false, func(a []any) (any, error) { return rounded(a[0], math.Ceil), nil }},
		"contains":    {[]string{"array|string", ""}, false, contains},
		"ends_with":   {[]string{"string", "string"}, false, func(a []any) (any, error) { return strings.HasSuffix(a[0].(string), a[1].(string)), nil }},
		"floor":       {[]string{"number"}, false, func(a []any) (any, error) { return rounded(a[0], math.Floor), nil }},
		"join":        {[]string{"string", "array-string"}, false, join},
		"keys":        {[]string{"object"}, false, func(a []any) (any, error) { return jinja.NewList(a[0].(jinja.Mapping).Keys()...), nil }},
		"length":      {[]string{"string|array|object"}, false, func(a []any) (any, error) { n, err := jinja.Len(a[0]); return n, err }},
		"map":         {[]string{"expression", "array"}, false, mapped},
		"max":         {[]string{"array-number|array-string"}, false, func(a []any) (any, error) { return extreme(a[0], identity, 1) }},
		"max_by":      {[]string{"array", "expression"}, false, func(a []any) (any, error) { return extreme(a[0], a[1].(node), 1) }},
		"merge":       {[]string{"object"}, true, merge},
		"min":         {[]string{"array-number|array-string"}, false, func(a []any) (any, error) { return extreme(a[0], identity, -1) }},
		"min_by":      {[]string{"array", "expression"}, false, func(a []any) (any, error) { return extreme(a[0], a[1].(node), -1) }},
		"not_null":    {[]string{""}, true, notNull},
		"reverse":     {[]string{"array|string"}, false, reverse},
		"sort":        {[]string{"array-string|array-number"}, false, func(a []any) (any, error) { return sorted(a[0], identity) }},
		"sort_by":     {[]string{"array", "expression"}, false, func(a []any) (any, error) { return sorted(a[0], a[1].(node)) }},
		"starts_with": {[]string{"string", "string"}, false, func(a []any) (any, error) { return strings.HasPrefix(a[0].(string), a[1].(string)), nil }},
		"sum":         {[]string{"array-number"}, false, func(a []any) (any, error) { return sum(a[0]), nil }},
		"to_array":    {[]string{""}, false, toArray},
		"to_number":   {[]string{""}, false, toNumber},
		"to_string":   {[]string{""}, false, toString},
		"type":        {[]string{"null|string|number|boolean|array|object"}, false, func(a []any) (any, error) { return typeName(a[0]), nil }},
		"values":      {[]string{"object"}, false, func(a []any) (any, error) { return valuesOf(identity)(a[0]) }},
	}
}

func absolute(v any) any {
	switch v := v.(type) {
	case int:
		return max(v, -v)
	case *big.Int:
		return new(big.Int).Abs(v)
	}
	return math.Abs(v.(float64))
}

func rounded(v any, round func(float64) float64) any {
	if f, ok := v.(float64); ok {
		n, _ := big.NewFloat(round(f)).Int(nil)
		return whole(n)
	}
	return v
}

func whole(n *big.Int) any {
	if n.IsInt64() {
		return int(n.Int64())
	}
	return n
}

// sum adds whole numbers as such, as long as there is nothing else.
func sum(v any) any {
	list, _ := items(v)
	total, float, isFloat := new(big.Int), 0.0, false
	for _, item := range list {
		switch n := item.(type) {
		case int:
			total.Add(total, big.NewInt(int64(n)))
			float += float64(n)
		case *big.Int:
			total.Add(total, n)
			f, _ := new(big.Float).SetInt(n).Float64()
			float += f
		case float64:
			float += n
			isFloat = true
		}
	}
	if isFloat {
		return float
	}
	return whole(total)
}

func average(a []any) (any, error) {
	list, _ := items(a[0])
	if len(list) == 0 {
		return nil, nil
	}
	switch total := sum(a[0]).(type) {
	case int:
		return float64(total) / float64(len(list)), nil
	case float64:
		return total / float64(len(list)), nil
	case *big.Int:
		f, _ := new(big.Float).Quo(new(big.Float).SetInt(total), big.NewFloat(float64(len(list)))).Float64()
		return f, nil
	}
	return nil, nil
}

func contains(a []any) (any, error) {
	if s, ok := a[0].(string); ok {
		part, ok := a[1].(string)
		if !ok {
			return nil, fmt.Errorf("In function contains(), a string contains strings, not %s", jinja.Repr(a[1]))
		}
		return strings.Contains(s, part), nil
	}
	list, _ := items(a[0])
	return slices.ContainsFunc(list, func(item any) bool { return jinja.Equal(item, a[1]) }), nil
}

func join(a []any) (any, error) {
	list, _ := items(a[1])
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = item.(string)
	}
	return strings.Join(texts, a[0].(string)), nil
}

func mapped(a []any) (any, error) {
	list, _ := items(a[1])
	out := jinja.NewList()
	for _, item := range list {
		found, err := a[0].(node)(item)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, found)
	}
	return out, nil
}

// keysBy are the keys to order a list by, all numbers or all strings.
func keysBy(list []any, by node) ([]any, error) {
	keys := make([]any, len(list))
	for i, item := range list {
		key, err := by(item)
		if err != nil {
			return nil, err
		}
		kind := typeName(key)
		if kind != "number" && kind != "string" || i > 0 && kind != typeName(keys[0]) {
			return nil, fmt.Errorf("invalid type for value: %s, expected all numbers or all strings, received: %s", jinja.Repr(key), kind)
		}
		keys[i] = key
	}
	return keys, nil
}

// extreme is the first of the largest items, or of the smallest.
func extreme(v any, by node, sign int) (any, error) {
	list, _ := items(v)
	keys, err := keysBy(list, by)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	best := 0
	for i := range list {
		c, err := jinja.Compare(keys[i], keys[best])
		if err != nil {
			return nil, err
		}
		if c*sign > 0 {
			best = i
		}
	}
	return list[best], nil
}

func sorted(v any, by node) (any, error) {
	list, _ := items(v)
	keys, err := keysBy(list, by)
	if err != nil {
		return nil, err
	}
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool {
		c, _ := jinja.Compare(keys[order[i]], keys[order[j]])
		return c < 0
	})
	out := jinja.NewList()
	for _, i := range order {
		out.Items = append(out.Items, list[i])
	}
	return out, nil
}

func merge(a []any) (any, error) {
	out := jinja.NewDict()
	for _, arg := range a {
		m := arg.(jinja.Mapping)
		for _, key := range m.Keys() {
			value, _ := m.Get(key)
			out.Set(key, value)
		}
	}
	return out, nil
}

func notNull(a []any) (any, error) {
	for _, arg := range a {
		if arg != nil {
			return arg, nil
		}
	}
	return nil, nil
}

func reverse(a []any) (any, error) {
	if s, ok := a[0].(string); ok {
		runes := []rune(s)
		slices.Reverse(runes)
		return string(runes), nil
	}
	list, _ := items(a[0])
	list = slices.Clone(list)
	slices.Reverse(list)
	return jinja.NewList(list...), nil
}

func toArray(a []any) (any, error) {
	if _, ok := items(a[0]); ok {
		return a[0], nil
	}
	return jinja.NewList(a[0]), nil
}

func toNumber(a []any) (any, error) {
	s, isText := a[0].(string)
	switch {
	case typeName(a[0]) == "number":
		return a[0], nil
	case !isText:
		return nil, nil
	}
	if n, ok := new(big.Int).SetString(strings.TrimSpace(s), 10); ok {
		return whole(n), nil
	}
	if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
		return f, nil
	}
	return nil, nil
}

func toString(a []any) (any, error) {
	if s, ok := a[0].(string); ok {
		return s, nil
	}
	return jinja.JSON(a[0], jinja.JSONOptions{ASCII: true, Item: ",", Key: ":"})
}
