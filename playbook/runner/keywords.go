package runner

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"gplay/internal/source"
	"gplay/inventory"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/vars"
)

// asBool reads a keyword's value as Ansible does: yes, on, 1, true, t, y and
// their opposites.
func asBool(v any, keyword string, pos source.Pos) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case nil:
		return false, nil
	case int:
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	case float64:
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	}
	switch strings.ToLower(strings.TrimSpace(jinja.Str(v))) {
	case "yes", "on", "1", "true", "t", "y":
		return true, nil
	case "no", "off", "0", "false", "f", "n", "":
		return false, nil
	}
	return false, source.Errorf(pos, "%s is %s; it must be yes or no", keyword, jinja.Repr(v))
}

// fieldFault is the fault of a keyword in Ansible's words.
func fieldFault(keyword string, err error) error {
	var placed *source.Error
	if !isUndefined(err) || !errors.As(err, &placed) {
		return err
	}
	named := *placed
	named.Known = fmt.Sprintf("The field '%s' has an invalid value, which includes an undefined variable. The error was: %s", fieldName(keyword), placed.Msg)
	return &named
}

func isText(v any) bool {
	switch v.(type) {
	case string, jinja.Text:
		return true
	}
	return false
}

func isUndefined(err error) bool {
	var undefined *vars.Undefined
	return errors.As(err, &undefined)
}

// argsFault is the fault of a task's arguments in Ansible's words.
func (x *execution) argsFault(err error) error {
	var placed *source.Error
	if !jinja.IsValueError(err) || !errors.As(err, &placed) || placed.Known != "" {
		return err
	}
	return noKind("args", placed, vars.AsWritten(x.task.Args), "dict", placed.Msg)
}

// noKind is the fault of a keyword that is not of a kind of Ansible's, which
// Python does not make of it.
func noKind(keyword string, at *source.Error, value any, kind, python string) error {
	named := *at
	named.Known = fmt.Sprintf("the field '%s' has an invalid value (%s), and could not be converted to an %s.The error was: %s", fieldName(keyword), conditionText(value), kind, python)
	return &named
}

// fieldName is a keyword's name in Ansible's messages.
func fieldName(keyword string) string {
	if keyword == "async" {
		return "async_val"
	}
	return keyword
}

// noBool is what Ansible says of a value that is no boolean.
func noBool(v any) string {
	switch v.(type) {
	case *jinja.List, *jinja.Dict:
		return fmt.Sprintf("unhashable type: '%s'", jinja.TypeName(v))
	}
	return fmt.Sprintf("The value '%s' is not a valid boolean.", jinja.Str(v))
}

// noInt is what Python says of a value that is no whole number.
func noInt(v any) string {
	switch v.(type) {
	case string, jinja.Text:
		return "invalid literal for int() with base 10: " + jinja.Repr(jinja.Str(v))
	}
	return fmt.Sprintf("int() argument must be a string, a bytes-like object or a real number, not '%s'", jinja.TypeName(v))
}

// noFloat is what Python says of a value that is no number.
func noFloat(v any) string {
	switch v.(type) {
	case *jinja.List, *jinja.Dict:
		return fmt.Sprintf("float() argument must be a string or a real number, not '%s'", jinja.TypeName(v))
	}
	return "could not convert string to float: " + jinja.Repr(jinja.Str(v))
}

// isTrue is what Python makes of a keyword that Ansible looks at before it
// knows its value: any text is true, as "no" and what a template is written with.
func isTrue(k playbook.Keyword) bool {
	if written := k.Written(0); written != nil {
		if text, ok := written.Value.(string); ok {
			return text != ""
		}
	}
	return isTemplate(k.Value) || jinja.Truth(k.Value)
}

func parseFloat(text string) (float64, bool) {
	f, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(text), "%"), 64)
	return f, err == nil
}

func shuffle(hosts []*inventory.Host) {
	rand.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
}

// asList is v as a list of values: a list's items, or v itself.
func asList(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case *jinja.List:
		return v.Items
	case jinja.Tuple:
		return v
	}
	return []any{v}
}

// asNames is v as a list of names: of a list, its items and those of lists in
// it, of a text its parts between commas.
func asNames(v any) []string {
	var names []string
	if l, ok := v.(*jinja.List); ok {
		for _, item := range l.Items {
			for _, name := range asList(item) {
				names = append(names, jinja.Str(name))
			}
		}
		return names
	}
	for _, item := range asList(v) {
		for name := range strings.SplitSeq(jinja.Str(item), ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}
