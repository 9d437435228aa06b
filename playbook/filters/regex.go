package filters

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"gplay/internal/pyregex"
	"gplay/jinja"
)

var regexFilters = map[string]jinja.Filter{
	"regex_escape":  regexEscape,
	"regex_findall": regexFindall,
	"regex_replace": regexReplace,
	"regex_search":  regexSearch,
}

var regexTests = map[string]jinja.Test{
	"match":  regexTest("match"),
	"regex":  regexTest(""),
	"search": regexTest("search"),
}

var compiled sync.Map // regexKey → *pyregex.Regexp

type regexKey struct {
	pattern string
	flags   pyregex.Flags
}

func compile(pattern string, ignoreCase, multiline bool) (*pyregex.Regexp, error) {
	key := regexKey{pattern: pattern}
	if ignoreCase {
		key.flags |= pyregex.IgnoreCase
	}
	if multiline {
		key.flags |= pyregex.Multiline
	}
	if re, ok := compiled.Load(key); ok {
		return re.(*pyregex.Regexp), nil
	}
	re, err := pyregex.Compile(pattern, key.flags)
	if err != nil {
		return nil, jinja.Exceptionf("re.error", "%v", err)
	}
	compiled.Store(key, re.Within(2*time.Second))
	return re, nil
}

// pattern is argument i, which must be a string.
func (p *params) pattern(i int) string {
	s, ok := p.value(i, "").(string)
	if !ok && p.err == nil {
		p.err = fmt.Errorf("a string is expected, not %s", jinja.TypeName(p.values[i]))
	}
	return s
}

func regexReplace(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "pattern=", "replacement=", "ignorecase=", "multiline=")
	s, err := text(v)
	pattern, replacement := p.pattern(0), p.pattern(1)
	ignoreCase, multiline := p.truth(2, false), p.truth(3, false)
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	re, err := compile(pattern, ignoreCase, multiline)
	if err != nil {
		return nil, err
	}
	out, _, err := re.Sub(replacement, s, 0)
	return out, err
}

func regexFindall(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "regex", "multiline=", "ignorecase=")
	s, err := text(v)
	pattern, multiline, ignoreCase := p.pattern(0), p.truth(1, false), p.truth(2, false)
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	re, err := compile(pattern, ignoreCase, multiline)
	if err != nil {
		return nil, err
	}
	found := jinja.NewList()
	all, err := re.FindAll(s, 0)
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		found.Items = append(found.Items, findallItem(m, re.Groups()))
	}
	return found, nil
}

// findallItem is a match as re.findall gives it: the whole, the one group, or
// a tuple of the groups.
func findallItem(m *pyregex.Match, groups int) any {
	if groups < 2 {
		s, _ := m.Group(groups)
		return s
	}
	var all jinja.Tuple
	for i := 1; i <= groups; i++ {
		s, _ := m.Group(i)
		all = append(all, s)
	}
	return all
}

var (
	namedGroup    = regexp.MustCompile(`^\\g<(\S+)>`)
	numberedGroup = regexp.MustCompile(`^\\(\d+)`)
)

func regexSearch(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	if len(args.Positional) == 0 {
		return nil, jinja.TypeErrorf("regex_search() missing 1 required positional argument: 'regex'")
	}
	ignoreCase, multiline := false, false
	for k, value := range args.Keywords.All() {
		switch k {
		case "ignorecase":
			ignoreCase = jinja.Truth(value)
		case "multiline":
			multiline = jinja.Truth(value)
		}
	}
	s, err := text(v)
	if err != nil {
		return nil, err
	}
	pattern, ok := args.Positional[0].(string)
	if !ok {
		return nil, jinja.TypeErrorf("first argument must be string or compiled pattern")
	}
	re, err := compile(pattern, ignoreCase, multiline)
	if err != nil {
		return nil, err
	}
	groups, err := wantedGroups(re, args.Positional[1:])
	if err != nil {
		return nil, err
	}
	m, err := re.Search(s)
	switch {
	case m == nil:
		return nil, err
	case groups == nil:
		whole, _ := m.Group(0)
		return whole, nil
	}
	found := jinja.NewList()
	for _, i := range groups {
		if s, ok := m.Group(i); ok {
			found.Items = append(found.Items, s)
		} else {
			found.Items = append(found.Items, nil)
		}
	}
	return found, nil
}

// wantedGroups reads \1 and \g<name>.
func wantedGroups(re *pyregex.Regexp, refs []any) ([]int, error) {
	var groups []int
	for _, ref := range refs {
		s, _ := ref.(string)
		name := ""
		if m := namedGroup.FindStringSubmatch(s); m != nil {
			name = m[1]
		} else if m := numberedGroup.FindStringSubmatch(s); m != nil {
			name = m[1]
		} else {
			return nil, fmt.Errorf("Unknown argument: %s is neither \\1 nor \\g<name>", jinja.Repr(ref))
		}
		i, ok := re.Names()[name]
		if n, err := strconv.Atoi(name); err == nil && n <= re.Groups() {
			i, ok = n, true
		}
		if !ok {
			return nil, fmt.Errorf("no such group: %s", name)
		}
		groups = append(groups, i)
	}
	return groups, nil
}

func regexEscape(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "re_type=")
	s, err := text(v)
	kind := p.text(0, "python")
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	special := ""
	switch kind {
	case "python":
		special = "()[]{}?*+-|^$\\.&~# \t\n\r\v\f"
	case "posix_basic":
		special = `].[^$*\`
	case "posix_extended":
		return nil, fmt.Errorf("Regex type (%s) not yet implemented", kind)
	default:
		return nil, fmt.Errorf("Invalid regex type (%s)", kind)
	}
	var out strings.Builder
	for _, r := range s {
		if strings.ContainsRune(special, r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String(), nil
}

// regexTest is match or search; regex takes which of them as an argument.
func regexTest(kind string) jinja.Test {
	return func(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
		names := []string{"pattern=", "ignorecase=", "multiline=", "match_type="}
		if kind != "" {
			names = names[:3]
		}
		p := bind(args, names...)
		s, err := text(v)
		pattern, ignoreCase, multiline := p.pattern(0), p.truth(1, false), p.truth(2, false)
		how := kind
		if kind == "" {
			how = p.text(3, "search")
		}
		if err = errors.Join(err, p.err); err != nil {
			return false, err
		}
		re, err := compile(pattern, ignoreCase, multiline)
		if err != nil {
			return false, err
		}
		switch how {
		case "match":
			return pyregex.Found(re.Match(s))
		case "fullmatch":
			return pyregex.Found(re.FullMatch(s))
		case "search":
			return pyregex.Found(re.Search(s))
		}
		return false, fmt.Errorf("match_type is search, match or fullmatch, not %s", jinja.Repr(how))
	}
}
