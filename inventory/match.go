package inventory

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gplay/internal/pyregex"
)

// Selection is what patterns select.
type Selection struct {
	Hosts []*Host // in Ansible's order, each once
	// Unmatched are the patterns that match no host and no group.
	Unmatched []string
}

// Match gives the hosts of a pattern such as `web:&prod:!web3`.
func (inv *Inventory) Match(pattern string) ([]*Host, error) {
	s, err := inv.Select([]string{pattern}, nil)
	return s.Hosts, err
}

// Select gives the hosts that match the patterns and, where limit has any,
// those patterns too.
func (inv *Inventory) Select(patterns, limit []string) (Selection, error) {
	inv.mu.Lock() // localhost may be made
	defer inv.mu.Unlock()
	var s Selection
	hosts, err := inv.evaluate(splitPatterns(patterns), &s.Unmatched)
	if err != nil {
		return Selection{}, err
	}
	if len(limit) > 0 {
		allowed, err := inv.evaluate(splitPatterns(limit), &s.Unmatched)
		if err != nil {
			return Selection{}, err
		}
		hosts = slices.DeleteFunc(hosts, func(h *Host) bool { return !slices.Contains(allowed, h) })
	}
	s.Hosts = unique(hosts)
	return s, nil
}

// ParseLimit gives the patterns of --limit, where @file stands for the lines
// of a file.
func ParseLimit(limit string) ([]string, error) {
	var patterns []string
	for _, p := range splitPatterns([]string{limit}) {
		file, isFile := strings.CutPrefix(p, "@")
		if !isFile {
			patterns = append(patterns, p)
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("unable to find limit file %s", file)
		}
		if info.Mode()&fs.ModeDir != 0 {
			return nil, fmt.Errorf("limit starting with \"@\" must be a file, not a directory: %s", file)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("cannot read limit file %s: %w", file, cause(err))
		}
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); line != "" {
				patterns = append(patterns, line)
			}
		}
	}
	return patterns, nil
}

var colonSeparated = regexp.MustCompile(`(?:[^\s:\[\]]|\[[^\]]*\])+`)

// splitPatterns splits at commas, or else at colons that belong to no address,
// port or range.
func splitPatterns(patterns []string) []string {
	var all []string
	for _, p := range patterns {
		parts := []string{p}
		if strings.Contains(p, ",") {
			parts = strings.Split(p, ",")
		} else if _, _, ok := splitAddress(p); !ok {
			parts = colonSeparated.FindAllString(p, -1)
		}
		for _, part := range parts {
			if part = strings.TrimSpace(part); part != "" {
				all = append(all, part)
			}
		}
	}
	return all
}

// evaluate applies the plain patterns first, then the &, then the !.
func (inv *Inventory) evaluate(patterns []string, unmatched *[]string) ([]*Host, error) {
	var plain, with, without []string
	for _, p := range patterns {
		switch p[0] {
		case '!':
			without = append(without, p)
		case '&':
			with = append(with, p)
		default:
			plain = append(plain, p)
		}
	}
	if plain == nil {
		plain = []string{"all"}
	}
	var hosts []*Host
	for _, p := range slices.Concat(plain, with, without) {
		if h := inv.hosts[p]; h != nil {
			hosts = append(hosts, h)
			continue
		}
		that, err := inv.matchOne(strings.TrimLeft(p[:1], "&!")+p[1:], unmatched)
		if err != nil {
			return nil, err
		}
		switch p[0] {
		case '!':
			hosts = slices.DeleteFunc(hosts, func(h *Host) bool { return slices.Contains(that, h) })
		case '&':
			hosts = slices.DeleteFunc(hosts, func(h *Host) bool { return !slices.Contains(that, h) })
		default:
			hosts = append(hosts, that...)
		}
	}
	return unique(hosts), nil
}

func unique(hosts []*Host) []*Host {
	seen := map[*Host]bool{}
	var out []*Host
	for _, h := range hosts {
		if !seen[h] {
			seen[h] = true
			out = append(out, h)
		}
	}
	return out
}

var subscript = regexp.MustCompile(`^(.+)\[(?:(-?[0-9]+)|([0-9]+)[:-]([0-9]*))\]$`)

// matchOne gives the hosts of one pattern, without & and !, with a subscript.
func (inv *Inventory) matchOne(pattern string, unmatched *[]string) ([]*Host, error) {
	if pattern == "" {
		return nil, fmt.Errorf("a host pattern is empty after & or !")
	}
	m := subscript.FindStringSubmatch(pattern)
	if pattern[0] == '~' || m == nil {
		return inv.enumerate(pattern, unmatched)
	}
	hosts, err := inv.enumerate(m[1], unmatched)
	if err != nil || len(hosts) == 0 {
		return nil, err
	}
	if m[2] != "" {
		i, err := strconv.Atoi(m[2])
		if i < 0 {
			i += len(hosts)
		}
		if err != nil || i < 0 || i >= len(hosts) {
			return nil, fmt.Errorf("no hosts matched the subscripted pattern '%s', which has %d", pattern, len(hosts))
		}
		return hosts[i : i+1], nil
	}
	start, _ := strconv.Atoi(m[3])
	end := len(hosts) - 1
	if m[4] != "" {
		end, _ = strconv.Atoi(m[4])
	}
	end = min(end+1, len(hosts))
	return hosts[min(start, end):end], nil
}

// enumerate gives the hosts of the groups that a pattern matches, and the
// hosts that it matches itself.
func (inv *Inventory) enumerate(pattern string, unmatched *[]string) ([]*Host, error) {
	matches, err := matcher(pattern)
	if err != nil {
		return nil, err
	}
	var hosts []*Host
	inGroups := false
	for _, g := range inv.Groups {
		ok, err := matches(g.Name)
		if err != nil {
			return nil, err
		}
		if ok {
			inGroups = true
			hosts = append(hosts, g.AllHosts()...)
		}
	}
	if !inGroups || strings.HasPrefix(pattern, "~") || strings.ContainsAny(pattern, ".?*[") {
		for _, h := range inv.Hosts {
			ok, err := matches(h.Name)
			if err != nil {
				return nil, err
			}
			if ok {
				hosts = append(hosts, h)
			}
		}
	}
	if len(hosts) == 0 && slices.Contains(localNames, pattern) {
		hosts = append(hosts, inv.host(pattern))
	}
	if len(hosts) == 0 && !inGroups && pattern != "all" && !slices.Contains(*unmatched, pattern) {
		*unmatched = append(*unmatched, pattern)
	}
	return hosts, nil
}

// matcher gives the predicate of a glob, or of a regular expression after ~.
func matcher(pattern string) (func(name string) (bool, error), error) {
	expr, isRegexp := strings.CutPrefix(pattern, "~")
	if !isRegexp {
		return Glob(pattern)
	}
	return expression(pattern, expr)
}

// Glob gives the predicate of a shell pattern, as Python's fnmatch has it.
func Glob(pattern string) (func(name string) (bool, error), error) {
	return expression(pattern, `(?s:`+globRegexp(pattern)+`)\Z`)
}

func expression(pattern, expr string) (func(name string) (bool, error), error) {
	re, err := pyregex.Compile(expr, 0)
	if err != nil {
		return nil, fmt.Errorf("invalid pattern: %s: %w", pattern, err)
	}
	return func(name string) (bool, error) { return pyregex.Found(re.Match(name)) }, nil
}

// globRegexp is the regular expression of a shell pattern: * ? [a-c] [!a-c].
func globRegexp(glob string) string {
	var out strings.Builder
	for i := 0; i < len(glob); {
		c, size := utf8.DecodeRuneInString(glob[i:])
		i += size
		switch c {
		case '*':
			out.WriteString(".*")
		case '?':
			out.WriteByte('.')
		case '[':
			set, n := globSet(glob[i:])
			out.WriteString(set)
			i += n
		default:
			out.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return out.String()
}

// globSet reads a set after its [ and gives its regular expression and length;
// a bracket that is not closed stands for itself.
func globSet(rest string) (expr string, n int) {
	body, negate := rest, ""
	if strings.HasPrefix(body, "!") {
		body, negate = body[1:], "^"
	}
	end := -1
	if len(body) > 0 {
		end = strings.IndexByte(body[1:], ']')
	}
	if end < 0 {
		return `\[`, 0
	}
	set := body[:end+1]
	set = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(set)
	return "[" + negate + set + "]", len(rest) - len(body) + end + 2
}
