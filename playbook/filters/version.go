package filters

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gplay/jinja"
)

var versionTests = map[string]jinja.Test{"version": versionTest, "version_compare": versionTest}

var operators = map[string]func(c int) bool{
	"==": func(c int) bool { return c == 0 },
	"<":  func(c int) bool { return c < 0 },
	"<=": func(c int) bool { return c <= 0 },
	">":  func(c int) bool { return c > 0 },
	">=": func(c int) bool { return c >= 0 },
	"!=": func(c int) bool { return c != 0 },
}

var operatorNames = map[string]string{
	"=": "==", "eq": "==", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "<>": "!=", "ne": "!=",
}

// versionTypes compare two versions.
var versionTypes = map[string]func(a, b string) (int, error){
	"loose": looseCompare, "strict": strictCompare, "semver": semanticCompare, "semantic": semanticCompare, "pep440": pep440Compare,
}

func versionTest(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
	p := bind(args, "version", "operator=", "strict=", "version_type=")
	a, err := text(v)
	b, operator := p.text(0, ""), p.text(1, "eq")
	if err = errors.Join(err, p.err); err != nil {
		return false, err
	}
	switch {
	case p.set(2) && p.set(3):
		return false, errors.New("Cannot specify both 'strict' and 'version_type'")
	case !jinja.Truth(v):
		return false, errors.New("Input version value cannot be empty")
	case !jinja.Truth(p.values[0]):
		return false, errors.New("Version parameter to compare against cannot be empty")
	}
	kind := p.text(3, "loose")
	if p.set(2) && p.truth(2, false) {
		kind = "strict"
	}
	compare := versionTypes[kind]
	if compare == nil {
		return false, fmt.Errorf("Invalid version type (%s). Must be one of 'loose', 'strict', 'semver', 'semantic', 'pep440'", kind)
	}
	if name, ok := operatorNames[operator]; ok {
		operator = name
	}
	holds := operators[operator]
	if holds == nil {
		return false, fmt.Errorf("Invalid operator type (%s). Must be one of '==', '=', 'eq', '<', 'lt', '<=', 'le', '>', 'gt', '>=', 'ge', '!=', '<>', 'ne'", operator)
	}
	c, err := compare(a, b)
	if err != nil {
		return false, fmt.Errorf("Version comparison failed: %v", err) // whatever it is, it is a filter's
	}
	return holds(c), p.err
}

var looseParts = regexp.MustCompile(`\d+|[a-z]+|\.|[^\da-z.]+`)

// looseVersion takes a version apart into numbers and text.
func looseVersion(s string) []any {
	var parts []any
	for _, part := range looseParts.FindAllString(s, -1) {
		if part == "." {
			continue
		}
		if n, err := strconv.Atoi(part); err == nil {
			parts = append(parts, n)
		} else {
			parts = append(parts, part)
		}
	}
	return parts
}

func looseCompare(a, b string) (int, error) {
	return compareLists(looseVersion(a), looseVersion(b))
}

// compareLists compares as Python does lists: by the first items that differ.
func compareLists(a, b []any) (int, error) {
	for i := range min(len(a), len(b)) {
		if !jinja.Equal(a[i], b[i]) {
			return jinja.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b)), nil
}

var strictForm = regexp.MustCompile(`^(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?$`)

func strictVersion(s string) ([]any, error) {
	m := strictForm.FindStringSubmatch(s)
	if m == nil {
		return nil, fmt.Errorf("invalid version number '%s'", s)
	}
	var parts []any
	for _, digits := range m[1:4] {
		n, _ := strconv.Atoi(digits)
		parts = append(parts, n)
	}
	stage := "z" // a release comes after its alphas and betas
	if m[4] != "" {
		stage = m[4]
	}
	n, _ := strconv.Atoi(m[5])
	return append(parts, stage, n), nil
}

func strictCompare(a, b string) (int, error) { return compareParsed(a, b, strictVersion) }

func compareParsed(a, b string, parse func(string) ([]any, error)) (int, error) {
	x, err := parse(a)
	if err != nil {
		return 0, err
	}
	y, err := parse(b)
	if err != nil {
		return 0, err
	}
	return compareLists(x, y)
}

var semanticForm = regexp.MustCompile(
	`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$`)

func semanticCompare(a, b string) (int, error) { return compareParsed(a, b, semanticVersion) }

// semanticVersion gives what orders a semantic version. In a pre-release
// numbers come before words, and fewer parts before more.
func semanticVersion(s string) ([]any, error) {
	m := semanticForm.FindStringSubmatch(s)
	if m == nil {
		return nil, fmt.Errorf("invalid semantic version '%s'", s)
	}
	var parts []any
	for _, digits := range m[1:4] {
		n, _ := strconv.Atoi(digits)
		parts = append(parts, n)
	}
	if m[4] == "" {
		return append(parts, 1), nil
	}
	parts = append(parts, 0)
	for _, part := range strings.Split(m[4], ".") {
		if n, err := strconv.Atoi(part); err == nil {
			parts = append(parts, jinja.Tuple{0, n})
		} else {
			parts = append(parts, jinja.Tuple{1, part})
		}
	}
	return parts, nil
}

var pep440Form = regexp.MustCompile(
	`(?i)^\s*v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$`)

var stages = map[string]string{"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}

func pep440Compare(a, b string) (int, error) { return compareParsed(a, b, pep440Version) }

const never = 1 << 62 // larger than any number of a release

// pep440Version gives what orders a version of PEP 440.
func pep440Version(s string) ([]any, error) {
	m := pep440Form.FindStringSubmatch(s)
	if m == nil {
		return nil, fmt.Errorf("Invalid version: '%s'", s)
	}
	num := func(digits string) int { n, _ := strconv.Atoi(digits); return n }
	var release jinja.Tuple
	for _, digits := range strings.Split(m[2], ".") {
		release = append(release, num(digits))
	}
	for len(release) > 1 && release[len(release)-1] == 0 {
		release = release[:len(release)-1]
	}
	stage := strings.ToLower(m[3])
	if other, ok := stages[stage]; ok {
		stage = other
	}
	pre, post, dev := jinja.Tuple{stage, num(m[4])}, -1, never
	hasPost := m[5] != "" || m[6] != ""
	if hasPost {
		post = num(m[5] + m[7])
	}
	if m[8] != "" {
		dev = num(m[9])
	}
	switch {
	case stage == "" && !hasPost && m[8] != "":
		pre = jinja.Tuple{"", 0} // 1.0.dev1 comes before 1.0a1
	case stage == "":
		pre = jinja.Tuple{"~", 0}
	}
	var local jinja.Tuple
	for _, part := range strings.FieldsFunc(strings.ToLower(m[10]), func(r rune) bool { return strings.ContainsRune("-_.", r) }) {
		if n, err := strconv.Atoi(part); err == nil {
			local = append(local, jinja.Tuple{n, ""})
		} else {
			local = append(local, jinja.Tuple{-1, part})
		}
	}
	return []any{num(m[1]), release, pre, post, dev, local}, nil
}
