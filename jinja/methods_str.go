package jinja

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
)

// strMethods are the methods of str.
var strMethods map[string]method

// textMethod makes a method of str; of Markup it gives Markup where keep is set.
func textMethod(fn func(s string, a []any) (any, error), keep bool, params ...string) method {
	return func(_ *Context, self any, args *Args) (any, error) {
		bound, err := args.bindMethod(params)
		if err != nil {
			return nil, err
		}
		s, _ := text(self)
		if _, marked := self.(Markup); marked && keep {
			if !slices.Contains(params, "sep=") { // split takes its separator as it is
				escapeAll(bound)
			}
			v, err := fn(s, bound)
			return asMarkup(v), err
		}
		return fn(s, bound)
	}
}

// escapeAll makes the texts among arguments safe.
func escapeAll(args []any) {
	for i, v := range args {
		if s, ok := v.(string); ok {
			args[i] = escape(s)
		}
	}
}

// asMarkup marks a text, or the texts of a list or tuple, as safe.
func asMarkup(v any) any {
	switch v := v.(type) {
	case string:
		return Markup(v)
	case *List:
		for i, item := range v.Items {
			v.Items[i] = asMarkup(item)
		}
	case Tuple:
		for i, item := range v {
			v[i] = asMarkup(item)
		}
	}
	return v
}

// mapText makes a method of a function from text to text.
func mapText(fn func(string) string) method {
	return textMethod(func(s string, _ []any) (any, error) { return fn(s), nil }, true)
}

func askText(fn func(string) bool) method {
	return textMethod(func(s string, _ []any) (any, error) { return fn(s), nil }, false)
}

func init() {
	strMethods = map[string]method{
		"capitalize":   mapText(capitalize),
		"casefold":     textMethod(func(s string, _ []any) (any, error) { return casefold(s), nil }, false),
		"center":       textMethod(padText(center), true, "width", "fillchar="),
		"count":        textMethod(strCount, false, "sub", "start=", "end="),
		"encode":       textMethod(strEncode, false, "encoding=", "errors="),
		"endswith":     textMethod(affix(strings.HasSuffix, "endswith"), false, "suffix", "start=", "end="),
		"expandtabs":   textMethod(expandTabs, true, "tabsize="),
		"find":         textMethod(finder(strings.Index, false), false, "sub", "start=", "end="),
		"format":       strFormat,
		"format_map":   strFormatMap,
		"index":        textMethod(finder(strings.Index, true), false, "sub", "start=", "end="),
		"isalnum":      askText(every(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })),
		"isalpha":      askText(every(unicode.IsLetter)),
		"isascii":      askText(isASCII),
		"isdecimal":    askText(every(unicode.IsDigit)),
		"isdigit":      askText(every(isDigit)),
		"isidentifier": askText(isIdentifier),
		"islower":      askText(isLower),
		"isnumeric":    askText(every(unicode.IsNumber)),
		"isprintable":  askText(func(s string) bool { return s == "" || every(unicode.IsPrint)(s) }),
		"isspace":      askText(every(IsSpace)),
		"istitle":      askText(isTitle),
		"isupper":      askText(isUpper),
		"join":         strJoin,
		"ljust":        textMethod(padText(padRight), true, "width", "fillchar="),
		"lower":        mapText(lower),
		"lstrip":       textMethod(stripper(true, false), true, "chars="),
		"maketrans":    textMethod(makeTrans, false, "x", "y=", "z="),
		"partition":    textMethod(partition(strings.Index, false), true, "sep"),
		"removeprefix": textMethod(remover(strings.TrimPrefix), false, "prefix"),
		"removesuffix": textMethod(remover(strings.TrimSuffix), false, "suffix"),
		"replace":      textMethod(strReplace, true, "old", "new", "count="),
		"rfind":        textMethod(finder(strings.LastIndex, false), false, "sub", "start=", "end="),
		"rindex":       textMethod(finder(strings.LastIndex, true), false, "sub", "start=", "end="),
		"rjust":        textMethod(padText(padLeft), true, "width", "fillchar="),
		"rpartition":   textMethod(partition(strings.LastIndex, true), true, "sep"),
		"rsplit":       textMethod(strSplit(true), true, "sep=", "maxsplit="),
		"rstrip":       textMethod(stripper(false, true), true, "chars="),
		"split":        textMethod(strSplit(false), true, "sep=", "maxsplit="),
		"splitlines":   textMethod(strSplitLines, true, "keepends="),
		"startswith":   textMethod(affix(strings.HasPrefix, "startswith"), false, "prefix", "start=", "end="),
		"strip":        textMethod(stripper(true, true), true, "chars="),
		"swapcase":     mapText(swapCase),
		"title":        mapText(titleCase),
		"translate":    textMethod(translate, true, "table"),
		"upper":        mapText(upper),
		"zfill":        textMethod(zfill, true, "width"),
	}
	bytesMethods = makeBytesMethods()
}

func needText(v any) (string, error) {
	if s, ok := text(v); ok {
		return s, nil
	}
	if u, ok := v.(*Undefined); ok {
		return "", &undefinedError{u}
	}
	return "", typeErrorf("must be str, not %s", typeName(v))
}

func every(holds func(rune) bool) func(string) bool {
	return func(s string) bool {
		for _, r := range s {
			if !holds(r) {
				return false
			}
		}
		return s != ""
	}
}

func isDigit(r rune) bool {
	return unicode.IsDigit(r) || unicode.Is(otherDigits, r)
}

// otherDigits are digits that no number is written with, such as ² and ①.
var otherDigits = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0xb2, 0xb3, 1}, {0xb9, 0xb9, 1}, {0x1369, 0x1371, 1}, {0x19da, 0x19da, 1}, {0x2070, 0x2070, 1}, {0x2074, 0x2079, 1},
		{0x2080, 0x2089, 1}, {0x2460, 0x2468, 1}, {0x2474, 0x247c, 1}, {0x2488, 0x2490, 1}, {0x24ea, 0x24ea, 1},
		{0x24f5, 0x24fd, 1}, {0x24ff, 0x24ff, 1}, {0x2776, 0x277e, 1}, {0x2780, 0x2788, 1}, {0x278a, 0x2792, 1},
	},
	R32: []unicode.Range32{{0x10a40, 0x10a43, 1}, {0x10e60, 0x10e68, 1}, {0x11052, 0x1105a, 1}, {0x1f100, 0x1f10a, 1}},
}

func isIdentifier(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

func isTitle(s string) bool {
	cased, previous := false, false
	for _, r := range s {
		switch {
		case isUpperRune(r) || unicode.IsTitle(r):
			if previous {
				return false
			}
			cased, previous = true, true
		case isLowerRune(r):
			if !previous {
				return false
			}
		default:
			previous = false
		}
	}
	return cased
}

func capitalize(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return title(s[:n]) + lower(s[n:])
}

func casefold(s string) string {
	return cases.Fold().String(s)
}

func swapCase(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsUpper(r):
			b.WriteString(lower(string(r)))
		case unicode.IsLower(r):
			b.WriteString(upper(string(r)))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// titleCase is Python's str.title: upper case after everything that is no
// letter.
func titleCase(s string) string {
	var b strings.Builder
	inside := false
	for _, r := range s {
		if inside {
			b.WriteRune(unicode.ToLower(r))
		} else {
			b.WriteString(title(string(r)))
		}
		inside = unicode.IsLetter(r)
	}
	return b.String()
}

type padder func(s string, width int, fill string) string

func padLeft(s string, width int, fill string) string {
	return strings.Repeat(fill, max(0, width-runeLen(s))) + s
}

func padRight(s string, width int, fill string) string {
	return s + strings.Repeat(fill, max(0, width-runeLen(s)))
}

// center is Python's str.center, which puts the odd space left of a text of
// even length.
func center(s string, width int, fill string) string {
	pad := width - runeLen(s)
	if pad <= 0 {
		return s
	}
	left := pad/2 + pad&width&1
	return strings.Repeat(fill, left) + s + strings.Repeat(fill, pad-left)
}

func padText(pad padder) func(string, []any) (any, error) {
	return func(s string, a []any) (any, error) {
		width, err := index(a[0])
		if err != nil {
			return nil, err
		}
		if width > maxSize {
			return nil, errTooLarge
		}
		fill := " "
		if a[1] != Missing {
			if fill, err = needText(a[1]); err != nil {
				return nil, err
			}
			if runeLen(fill) != 1 {
				return nil, typeErrorf("The fill character must be exactly one character long")
			}
		}
		return pad(s, width, fill), nil
	}
}

func zfill(s string, a []any) (any, error) {
	width, err := index(a[0])
	if err != nil {
		return nil, err
	}
	if width > maxSize {
		return nil, errTooLarge
	}
	sign := ""
	if strings.HasPrefix(s, "+") || strings.HasPrefix(s, "-") {
		sign, s = s[:1], s[1:]
	}
	return sign + padLeft(s, width-len(sign), "0"), nil
}

// window is the part of s between two optional indexes, and where it begins;
// ok is false where the start lies behind the end of s.
func window(s string, start, end any) (part string, from int, ok bool, err error) {
	if start == Missing && end == Missing {
		return s, 0, true, nil
	}
	n := runeLen(s)
	r, err := sliceRange(n, orNone(start), orNone(end), nil)
	if err != nil {
		return "", 0, false, err
	}
	if i, isInt := toInt(start); isInt && i > n || r.Start > r.Stop {
		return "", r.Start, false, nil
	}
	return cut(s, r.Start, r.Stop), r.Start, true, nil
}

func strCount(s string, a []any) (any, error) {
	sub, err := needText(a[0])
	if err != nil {
		return nil, err
	}
	part, _, ok, err := window(s, a[1], a[2])
	if !ok {
		return 0, err
	}
	return strings.Count(part, sub), nil
}

func finder(find func(s, sub string) int, must bool) func(string, []any) (any, error) {
	return func(s string, a []any) (any, error) {
		sub, err := needText(a[0])
		if err != nil {
			return nil, err
		}
		part, from, ok, err := window(s, a[1], a[2])
		if err != nil {
			return nil, err
		}
		at := -1
		if ok {
			at = find(part, sub)
		}
		if at >= 0 {
			return from + runeLen(part[:at]), nil
		}
		if must {
			return nil, valueErrorf("substring not found")
		}
		return -1, nil
	}
}

func affix(has func(s, part string) bool, name string) func(string, []any) (any, error) {
	return func(s string, a []any) (any, error) {
		part, _, ok, err := window(s, a[1], a[2])
		if err != nil {
			return nil, err
		}
		choices := []any{a[0]}
		if t, isTuple := a[0].(Tuple); isTuple {
			choices = t
		}
		for _, c := range choices {
			want, isText := text(c)
			if !isText {
				return nil, typeErrorf("%s first arg must be str or a tuple of str, not %s", name, typeName(c))
			}
			if ok && has(part, want) {
				return true, nil
			}
		}
		return false, nil
	}
}

func expandTabs(s string, a []any) (any, error) {
	size := 8
	if a[0] != Missing {
		var err error
		if size, err = index(a[0]); err != nil {
			return nil, err
		}
	}
	if size > 1<<16 {
		return nil, errTooLarge
	}
	var b strings.Builder
	col := 0
	for _, r := range s {
		switch {
		case r == '\t':
			if size > 0 {
				n := size - col%size
				b.WriteString(strings.Repeat(" ", n))
				col += n
			}
		case r == '\n' || r == '\r':
			b.WriteRune(r)
			col = 0
		default:
			b.WriteRune(r)
			col++
		}
		if b.Len() > maxSize {
			return nil, errTooLarge
		}
	}
	return b.String(), nil
}

func strJoin(_ *Context, self any, args *Args) (any, error) {
	bound, err := args.Bind("iterable")
	if err != nil {
		return nil, err
	}
	items, err := Iterate(bound[0])
	if err != nil {
		if _, undefined := bound[0].(*Undefined); undefined {
			return nil, err
		}
		return nil, typeErrorf("can only join an iterable")
	}
	sep, _ := text(self)
	_, marked := self.(Markup)
	parts := make([]string, len(items))
	for i, item := range items {
		s, ok := text(item)
		if u, undefined := item.(*Undefined); undefined {
			return nil, &undefinedError{u}
		}
		if !ok && !marked {
			return nil, typeErrorf("sequence item %d: expected str instance, %s found", i, typeName(item))
		}
		if marked {
			m, err := escapeValue(item)
			if err != nil {
				return nil, err
			}
			s = string(m)
		}
		parts[i] = s
	}
	out, err := joinStrings(parts, sep)
	if marked {
		return Markup(out), err
	}
	return out, err
}

func joinStrings(parts []string, sep string) (string, error) {
	size := 0
	for _, s := range parts {
		size += len(s) + len(sep)
	}
	if size > maxSize {
		return "", errTooLarge
	}
	return strings.Join(parts, sep), nil
}

func stripper(left, right bool) func(string, []any) (any, error) {
	return func(s string, a []any) (any, error) {
		cutset := IsSpace
		if a[0] != Missing && a[0] != nil {
			chars, err := needText(a[0])
			if err != nil {
				return nil, typeErrorf("strip arg must be None or str")
			}
			cutset = func(r rune) bool { return strings.ContainsRune(chars, r) }
		}
		if left {
			s = strings.TrimLeftFunc(s, cutset)
		}
		if right {
			s = strings.TrimRightFunc(s, cutset)
		}
		return s, nil
	}
}

func remover(trim func(s, part string) string) func(string, []any) (any, error) {
	return func(s string, a []any) (any, error) {
		part, err := needText(a[0])
		if err != nil {
			return nil, err
		}
		return trim(s, part), nil
	}
}

func partition(find func(s, sep string) int, fromEnd bool) func(string, []any) (any, error) {
	return func(s string, a []any) (any, error) {
		sep, err := needText(a[0])
		if err != nil {
			return nil, err
		}
		if sep == "" {
			return nil, valueErrorf("empty separator")
		}
		i := find(s, sep)
		switch {
		case i >= 0:
			return Tuple{s[:i], a[0], s[i+len(sep):]}, nil
		case fromEnd:
			return Tuple{"", "", s}, nil
		}
		return Tuple{s, "", ""}, nil
	}
}

func strReplace(s string, a []any) (any, error) {
	old, err := needText(a[0])
	if err != nil {
		return nil, err
	}
	with, err := needText(a[1])
	if err != nil {
		return nil, err
	}
	n := -1
	if a[2] != Missing {
		if n, err = index(a[2]); err != nil {
			return nil, err
		}
	}
	return replaceText(s, old, with, n)
}

func replaceText(s, old, with string, n int) (any, error) {
	found := strings.Count(s, old)
	if n >= 0 {
		found = min(found, n)
	}
	if found == 0 {
		return s, nil
	}
	if len(s)+found*len(with) > maxSize {
		return nil, errTooLarge
	}
	return strings.Replace(s, old, with, n), nil
}

func strSplit(fromEnd bool) func(string, []any) (any, error) {
	return func(s string, a []any) (any, error) {
		most := -1
		if a[1] != Missing {
			var err error
			if most, err = index(a[1]); err != nil {
				return nil, err
			}
		}
		if a[0] == Missing || a[0] == nil {
			return stringList(splitSpace(s, most, fromEnd)), nil
		}
		sep, ok := text(a[0])
		if !ok {
			return nil, typeErrorf("must be str or None, not %s", typeName(a[0]))
		}
		if sep == "" {
			return nil, valueErrorf("empty separator")
		}
		if fromEnd && most >= 0 {
			return stringList(splitLast(s, sep, most)), nil
		}
		if most < 0 {
			return stringList(strings.Split(s, sep)), nil
		}
		return stringList(strings.SplitN(s, sep, most+1)), nil
	}
}

func stringList(parts []string) *List {
	items := make([]any, len(parts))
	for i, s := range parts {
		items[i] = s
	}
	return &List{Items: items}
}

func splitLast(s, sep string, most int) []string {
	var out []string
	for range most {
		i := strings.LastIndex(s, sep)
		if i < 0 {
			break
		}
		out = append(out, s[i+len(sep):])
		s = s[:i]
	}
	out = append(out, s)
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// splitSpace splits at runs of white space, at most most times.
func splitSpace(s string, most int, fromEnd bool) []string {
	fields := strings.FieldsFunc(s, IsSpace)
	if most < 0 || len(fields) <= most {
		return fields
	}
	if !fromEnd {
		rest := strings.TrimLeftFunc(s, IsSpace)
		for _, f := range fields[:most] {
			rest = strings.TrimLeftFunc(rest[len(f):], IsSpace)
		}
		if rest == "" {
			return fields[:most]
		}
		return append(fields[:most:most], rest)
	}
	last := fields[len(fields)-most:]
	rest := strings.TrimRightFunc(s, IsSpace)
	for i := len(last) - 1; i >= 0; i-- {
		rest = strings.TrimRightFunc(rest[:len(rest)-len(last[i])], IsSpace)
	}
	if rest == "" {
		return last
	}
	return append([]string{rest}, last...)
}

func strSplitLines(s string, a []any) (any, error) {
	return stringList(SplitLines(s, a[0] != Missing && Truth(a[0]))), nil
}

// SplitLines are the lines of s where Python sees them end, with their ends if
// keep says so.
func SplitLines(s string, keep bool) []string {
	var out []string
	for s != "" {
		i := strings.IndexAny(s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
		if i < 0 {
			return append(out, s)
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		if strings.HasPrefix(s[i:], "\r\n") {
			n = 2
		}
		if keep {
			out = append(out, s[:i+n])
		} else {
			out = append(out, s[:i])
		}
		s = s[i+n:]
	}
	return out
}

func makeTrans(_ string, a []any) (any, error) {
	table := &Dict{}
	if m, ok := a[0].(Mapping); ok {
		for _, k := range m.Keys() {
			v, _, err := mappingGet(m, k)
			if err != nil {
				return nil, err
			}
			if s, ok := text(k); ok {
				r, _ := utf8.DecodeRuneInString(s)
				k = int(r)
			}
			table.Set(k, v)
		}
		return table, nil
	}
	from, err := needText(a[0])
	if err != nil {
		return nil, err
	}
	to, err := needText(a[1])
	if err != nil {
		return nil, err
	}
	targets := []rune(to)
	if runeLen(from) != len(targets) {
		return nil, valueErrorf("the first two maketrans arguments must have equal length")
	}
	for i, r := range []rune(from) {
		table.Set(int(r), int(targets[i]))
	}
	if drop, ok := text(a[2]); ok {
		for _, r := range drop {
			table.Set(int(r), nil)
		}
	}
	return table, nil
}

func translate(s string, a []any) (any, error) {
	table, ok := a[0].(Mapping)
	if !ok {
		return nil, typeErrorf("'%s' object is not subscriptable", typeName(a[0]))
	}
	var b strings.Builder
	for _, r := range s {
		v, found, err := mappingGet(table, int(r))
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case int:
			b.WriteRune(rune(v))
		case string:
			b.WriteString(v)
		case nil:
			if !found {
				b.WriteRune(r)
			}
		default:
			return nil, typeErrorf("character mapping must return integer, None or str")
		}
		if b.Len() > maxSize {
			return nil, errTooLarge
		}
	}
	return b.String(), nil
}
