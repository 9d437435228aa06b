package lookups

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strings"

	"gplay/internal/pyregex"
	"gplay/jinja"
)

var csvOptions = []string{"col", "default", "delimiter", "file", "encoding"}

// csvFile gives a column of the row whose first column is the term. What a term
// says of it holds for those behind it, too.
func csvFile(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	return each(terms, lacks("split"), func(term string) ([]any, error) {
		key, own, err := inline(term)
		if err != nil {
			return nil, err
		}
		if others := unknown(own, csvOptions); len(others) > 0 {
			return nil, fmt.Errorf("%s is not a valid option", others[0])
		}
		options = overlaid(options, own)
		o := read(c, options, csvOptions...)
		col, name, delimiter := o.int("col", 1), o.text("file", "ansible.csv"), o.text("delimiter", "TAB")
		otherwise := o.value("default", nil)
		switch {
		case o.err != nil:
			return nil, o.err
		case key == "":
			return nil, errors.New("Search key is required but was not found")
		}
		if delimiter == "TAB" || delimiter == `\t` {
			delimiter = "\t"
		}
		if len([]rune(delimiter)) != 1 {
			return nil, errors.New("csvfile: \"delimiter\" must be a 1-character string")
		}
		text, _, err := c.read(name, "files")
		if err != nil {
			return nil, err
		}
		if text, err = jinja.Decode([]byte(text), o.text("encoding", "utf-8"), "strict"); err != nil {
			return nil, fmt.Errorf("csvfile: %v", err) // which in Ansible is no longer Python's
		}
		v, err := cell(text, key, []rune(delimiter)[0], col, otherwise)
		if v == nil || err != nil {
			return nil, err
		}
		if l, ok := v.(*jinja.List); ok {
			return l.Items, nil
		}
		return []any{v}, nil
	})
}

func cell(text, key string, delimiter rune, col int, otherwise any) (any, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = delimiter, -1, true
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("csvfile: %w", err)
	}
	for _, row := range rows {
		if row[0] != key {
			continue
		}
		if col < 0 {
			col += len(row)
		}
		if col < 0 || col >= len(row) {
			return nil, fmt.Errorf("csvfile: list index out of range: the row of %q has no column %d", key, col)
		}
		return row[col], nil
	}
	return otherwise, nil
}

var iniOptions = []string{"type", "file", "section", "re", "encoding", "default", "case_sensitive", "allow_no_value", "allow_none"}

// iniFile gives values of an INI or a Java properties file.
// What a term says of it holds for those behind it, too.
func iniFile(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	given := &settings{given: options}
	if given.choice("ini", "type", "ini", "ini", "properties"); given.err != nil {
		return nil, given.err
	}
	return each(terms, lacks("strip"), func(term string) ([]any, error) {
		key, own := term, jinja.NewDict()
		if strings.Contains(term, "=") || strings.Contains(strings.TrimSpace(term), " ") {
			var err error
			if key, own, err = inline(term); err != nil {
				return nil, err
			}
			if others := unknown(own, iniOptions); len(others) > 0 {
				return nil, fmt.Errorf("%s is not a valid option.", others[0])
			}
		}
		options = overlaid(options, own)
		o := read(c, options, iniOptions...)
		name, section, isRegexp := o.text("file", "ansible.ini"), o.text("section", "global"), o.truth("re", false)
		f := iniText{name: name, keepCase: o.truth("case_sensitive", false), properties: o.text("type", "ini") == "properties",
			bareKeys: o.truth("allow_no_value", o.truth("allow_none", false))}
		otherwise := o.value("default", "")
		switch {
		case o.err != nil:
			return nil, o.err
		case key == "":
			return nil, fmt.Errorf("No key to lookup was provided as first term with in string inline options: %s", term)
		}
		text, _, err := c.read(name, "files")
		if err != nil {
			return nil, err
		}
		if text, err = jinja.Decode([]byte(text), o.text("encoding", "utf-8"), "strict"); err != nil {
			return nil, err
		}
		if f.properties {
			section = ""
		}
		values, found, err := f.section(text, section)
		switch {
		case err != nil:
			return nil, err
		case !found:
			return nil, fmt.Errorf("No section '%s' in %s", section, name)
		case isRegexp:
			return matching(values, key)
		}
		if !f.keepCase {
			key = strings.ToLower(key)
		}
		v, ok := values.Get(key)
		if !ok {
			v = otherwise
		}
		if v == nil {
			return nil, nil
		}
		return []any{v}, nil
	})
}

// matching are the values whose keys match an expression from their start.
func matching(values *jinja.Dict, expr string) ([]any, error) {
	re, err := pyregex.Compile(expr, 0)
	if err != nil {
		return nil, err
	}
	var out []any
	for k, v := range values.All() {
		ok, err := pyregex.Found(re.Match(k.(string)))
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, v)
		}
	}
	return out, nil
}

// iniText is how Python's configparser reads a text.
type iniText struct {
	name                           string
	keepCase, properties, bareKeys bool
}

// section gives the keys of a section, with those of [DEFAULT] below them,
// and with %(name)s filled in.
func (f iniText) section(text, wanted string) (values *jinja.Dict, found bool, err error) {
	values, own := jinja.NewDict(), jinja.NewDict()
	current, lastKey := "", ""
	known, faults := map[[2]string]bool{}, ""
	found = wanted == "" && f.properties
	for i, raw := range strings.Split(text, "\n") {
		line := strings.TrimSpace(raw)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		into := map[bool]*jinja.Dict{true: own, false: values}[current == wanted]
		if current != wanted && current != "DEFAULT" {
			into = jinja.NewDict()
		}
		if (raw[0] == ' ' || raw[0] == '\t') && lastKey != "" {
			if old, ok := into.Get(lastKey); ok && old != nil {
				into.Set(lastKey, old.(string)+"\n"+line)
			}
			continue
		}
		if strings.HasPrefix(line, "[") && strings.Contains(line, "]") {
			current, lastKey = line[1:strings.IndexByte(line, ']')], ""
			found = found || current == wanted
			continue
		}
		if current == "" && !f.properties {
			return nil, false, jinja.Exceptionf("configparser.MissingSectionHeaderError", "File contains no section headers.\nfile: '<???>', line: %d\n%s", f.line(i), jinja.Repr(raw+"\n"))
		}
		key, value, ok := cutAny(line, "=:")
		if !ok && !f.bareKeys {
			faults += fmt.Sprintf("\n\t[line %2d]: %s", f.line(i), jinja.Repr(raw+"\n"))
			continue
		}
		lastKey = strings.TrimSpace(key)
		if !f.keepCase {
			lastKey = strings.ToLower(lastKey)
		}
		option := [2]string{current, lastKey}
		if known[option] {
			return nil, false, fmt.Errorf("Duplicate option in '%s': While reading from '<???>' [line %2d]: option '%s' in section '%s' already exists", f.name, f.line(i), lastKey, current)
		}
		known[option] = true
		into.Set(lastKey, nil)
		if ok {
			into.Set(lastKey, strings.TrimSpace(value))
		}
	}
	if faults != "" {
		return nil, false, jinja.Exceptionf("configparser.ParsingError", "Source contains parsing errors: '<???>'%s", faults)
	}
	for k, v := range own.All() {
		values.Set(k, v)
	}
	return values, found, interpolate(values)
}

// line is the number of a line, which for properties counts the header that
// Ansible puts before them.
func (f iniText) line(i int) int {
	if f.properties {
		return i + 2
	}
	return i + 1
}

func cutAny(s, separators string) (before, after string, found bool) {
	if i := strings.IndexAny(s, separators); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// maxInterpolations bounds values that refer to each other.
const maxInterpolations = 10

// interpolate fills in %(name)s and makes % of %%.
func interpolate(values *jinja.Dict) error {
	raw := values.Copy()
	for k, v := range raw.All() {
		s, ok := v.(string)
		if !ok || !strings.Contains(s, "%") {
			continue
		}
		filled, err := fillIn(s, raw, 0)
		if err != nil {
			return err
		}
		values.Set(k, filled)
	}
	return nil
}

func fillIn(s string, values *jinja.Dict, depth int) (string, error) {
	var out strings.Builder
	for {
		at := strings.IndexByte(s, '%')
		if at < 0 {
			return out.String() + s, nil
		}
		out.WriteString(s[:at])
		s = s[at+1:]
		if strings.HasPrefix(s, "%") {
			out.WriteByte('%')
			s = s[1:]
			continue
		}
		end := strings.Index(s, ")s")
		if !strings.HasPrefix(s, "(") || end < 0 || depth > maxInterpolations {
			return "", fmt.Errorf("'%%' must be followed by '%%' or '(', found: %s", jinja.Repr("%"+s))
		}
		v, ok := values.Get(strings.ToLower(s[1:end]))
		text, isText := v.(string)
		if !ok || !isText {
			return "", fmt.Errorf("the value refers to %q, which is not there", s[1:end])
		}
		text, err := fillIn(text, values, depth+1)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
		s = s[end+2:]
	}
}
