package modules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// expansion is what a path's ~ and $VAR stand for on the host. Without getenv
// paths stay as they are.
type expansion struct {
	getenv func(string) (string, bool)
	home   func(user string) (string, bool)
}

// isPlain reports whether v is data through and through: no template.
func isPlain(v any) bool {
	switch v := v.(type) {
	case nil, string, bool, int, int64, uint64, float64, json.Number, *big.Int:
		return true
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !isPlain(e) })
	case map[string]any:
		for _, e := range v {
			if !isPlain(e) {
				return false
			}
		}
		return true
	}
	return false
}

// plain makes data of Go values: int, string, []any, map[string]any …
func plain(v any) any {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(r.Int())
	case reflect.String:
		return r.String()
	case reflect.Slice:
		list := make([]any, r.Len())
		for i := range list {
			list[i] = plain(r.Index(i).Interface())
		}
		return list
	case reflect.Map:
		dict := map[string]any{}
		for _, k := range r.MapKeys() {
			dict[k.String()] = plain(r.MapIndex(k).Interface())
		}
		return dict
	}
	return v
}

// coerce gives a value the type an argument has, as Ansible converts it.
func coerce(typ string, v any, x expansion) (any, error) {
	switch typ {
	case "str":
		return pyStr(v), nil
	case "path":
		return x.path(pyStr(v)), nil
	case "bool":
		return toBool(v)
	case "int":
		return toInt(v)
	case "float":
		return toFloat(v)
	case "list":
		return toList(v)
	case "dict":
		return toDict(v)
	case "bytes":
		return toSize(v, "Byte")
	case "bits":
		return toSize(v, "Bit")
	case "json":
		return toJSON(v)
	}
	return v, nil
}

// BoolWords are the words for true and for false, in lower case.
var boolWords = map[string]bool{
	"yes": true, "on": true, "1": true, "true": true, "t": true, "y": true, "1.0": true,
	"no": false, "off": false, "0": false, "false": false, "f": false, "n": false, "0.0": false,
}

func toBool(v any) (bool, error) {
	switch v.(type) {
	case []any, map[string]any, nil:
		return false, cannot(v, "a bool")
	}
	s := pyStr(v)
	if b, ok := boolWords[strings.ToLower(strings.TrimSpace(s))]; ok {
		return b, nil
	}
	return false, fmt.Errorf("The value '%s' is not a valid boolean. Valid booleans include: yes, on, true, 1, no, off, false, 0", s)
}

func toInt(v any) (int, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case int, int64, uint64, json.Number, *big.Int:
		if n, err := strconv.Atoi(pyStr(v)); err == nil {
			return n, nil
		}
	case string:
		if n, err := strconv.Atoi(strings.ReplaceAll(strings.TrimSpace(v), "_", "")); err == nil {
			return n, nil
		}
	}
	return 0, cannot(v, "an int")
}

func toFloat(v any) (float64, error) {
	switch v.(type) {
	case []any, map[string]any, bool, nil:
		return 0, cannot(v, "a float")
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(pyStr(v)), 64)
	if err != nil {
		return 0, cannot(v, "a float")
	}
	return f, nil
}

func toList(v any) ([]any, error) {
	switch v := v.(type) {
	case []any:
		return v, nil
	case string:
		return plain(strings.Split(v, ",")).([]any), nil
	case map[string]any, nil:
		return nil, cannot(v, "a list")
	}
	return []any{pyStr(v)}, nil
}

func toDict(v any) (map[string]any, error) {
	switch v := v.(type) {
	case map[string]any:
		return v, nil
	case string:
		if strings.HasPrefix(v, "{") {
			read, err := parseJSON(v)
			dict, ok := read.(map[string]any)
			if err != nil || !ok || !json.Valid([]byte(v)) { // text behind the dict is a fault too
				return nil, errors.New("unable to evaluate string as dictionary")
			}
			return dict, nil
		}
		return keyValues(v)
	}
	return nil, cannot(v, "a dict")
}

var keyValue = regexp.MustCompile(`^([^=]*)=(.*)$`)

// keyValues reads `a=1, b="x y"`.
func keyValues(s string) (map[string]any, error) {
	dict := map[string]any{}
	for _, field := range quotedFields(s) {
		m := keyValue.FindStringSubmatch(field)
		if m == nil {
			return nil, errors.New("dictionary requested, could not parse JSON or key=value")
		}
		dict[m[1]] = m[2]
	}
	if len(dict) == 0 {
		return nil, errors.New("dictionary requested, could not parse JSON or key=value")
	}
	return dict, nil
}

// quotedFields splits at spaces and commas that are neither quoted nor escaped.
func quotedFields(s string) []string {
	var fields []string
	var field strings.Builder
	var quote rune
	escaped := false
	flush := func() {
		if field.Len() > 0 {
			fields = append(fields, field.String())
			field.Reset()
		}
	}
	for _, r := range s {
		switch {
		case escaped:
			field.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == ',' || r == ' '):
			flush()
		default:
			field.WriteRune(r)
		}
	}
	flush()
	return fields
}

var size = regexp.MustCompile(`(?i)^\s*(\d*\.?\d+)\s*([a-z]*)\s*$`)

// toSize reads a number of bytes or bits: 10, "10M", "1.5 GB".
func toSize(v any, of string) (int, error) {
	m := size.FindStringSubmatch(pyStr(v))
	if m == nil {
		return 0, cannot(v, "a "+of+" value")
	}
	n, err := strconv.ParseFloat(m[1], 64)
	unit, word := strings.TrimSuffix(strings.ToUpper(m[2]), "S"), strings.ToUpper(of)
	power := 0
	if unit != "" && unit != "B" && unit != word {
		power = strings.IndexByte(" KMGTPEZY", unit[0])
		letter := map[string]string{"Byte": "B", "Bit": "b"}[of] // alone it has one case
		if rest := unit[1:]; power < 1 || rest != "" && m[2][1:] != letter && !strings.HasSuffix(rest, word) {
			return 0, cannot(v, "a "+of+" value")
		}
	}
	n = math.Round(n * math.Pow(1024, float64(power)))
	if err != nil || n > math.MaxInt64 {
		return 0, cannot(v, "a "+of+" value")
	}
	return int(n), nil
}

func toJSON(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v), nil
	case []any, map[string]any:
		return pyJSON(v)
	}
	return "", cannot(v, "a json string")
}

// pyJSON is data as JSON with the spaces that Python puts, keys sorted.
func pyJSON(v any) (string, error) {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			var err error
			if parts[i], err = pyJSON(e); err != nil {
				return "", err
			}
		}
		return "[" + strings.Join(parts, ", ") + "]", nil
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			text, err := pyJSON(v[k])
			if err != nil {
				return "", err
			}
			key, err := pyJSON(k)
			if err != nil {
				return "", err
			}
			parts = append(parts, key+": "+text)
		}
		return "{" + strings.Join(parts, ", ") + "}", nil
	case string:
		return jsonText(v)
	}
	b, err := json.Marshal(v)
	return string(b), err
}

// jsonText quotes a string, ASCII only.
func jsonText(s string) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return "", err
	}
	var out strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		switch {
		case r < 0x80:
			out.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String(), nil
}

func cannot(v any, what string) error {
	return fmt.Errorf("%s cannot be converted to %s", pyType(v), what)
}

// pyType is how Ansible names the type of a value in its messages.
func pyType(v any) string {
	name := "NoneType"
	switch v.(type) {
	case string:
		name = "str"
	case bool:
		name = "bool"
	case int, int64, uint64, json.Number, *big.Int:
		name = "int"
	case float64:
		name = "float"
	case []any:
		name = "list"
	case map[string]any:
		name = "dict"
	}
	return "<class '" + name + "'>"
}

// pyStr is a value as text, as Python's str gives it.
func pyStr(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return pyRepr(v)
}

func pyRepr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return pyQuote(v)
	case float64:
		return pyFloat(v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = pyRepr(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, pyQuote(k)+": "+pyRepr(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

func pyQuote(s string) string {
	q := `'`
	if strings.Contains(s, `'`) && !strings.Contains(s, `"`) {
		q = `"`
	}
	r := strings.NewReplacer(`\`, `\\`, q, `\`+q, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	return q + r.Replace(s) + q
}

func pyFloat(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e16 {
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	if a := math.Abs(f); a >= 1e-4 && a < 1e16 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strings.ToLower(strings.ReplaceAll(strconv.FormatFloat(f, 'g', -1, 64), "+Inf", "inf"))
}

var variable = regexp.MustCompile(`\$(\w+|\{[^}]*\})`)

// path expands $VAR and then a leading ~, as a shell would; what is not set
// stays.
func (x expansion) path(p string) string {
	if x.getenv == nil {
		return p
	}
	p = variable.ReplaceAllStringFunc(p, func(m string) string {
		if v, ok := x.getenv(strings.Trim(m, "${}")); ok {
			return v
		}
		return m
	})
	if !strings.HasPrefix(p, "~") {
		return p
	}
	user, rest, _ := strings.Cut(p[1:], "/")
	home, ok := x.home(user)
	if !ok {
		return p
	}
	if len(p) > 1+len(user) {
		return strings.TrimRight(home, "/") + "/" + rest
	}
	return home
}
