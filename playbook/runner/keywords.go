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
	}
	switch strings.ToLower(strings.TrimSpace(jinja.Str(v))) {
	case "yes", "on", "1", "true", "t", "y", "1.0":
		return true, nil
	case "no", "off", "0", "false", "f", "n", "0.0", "":
		return false, nil
	}
	return false, source.Errorf(pos, "%s is %s; it must be yes or no", keyword, jinja.Repr(v))
}

// fieldFault is the fault of a keyword in Ansible's words.
func fieldFault(keyword string, err error) error {
	var undefined *vars.Undefined
	var placed *source.Error
	if !errors.As(err, &undefined) || !errors.As(err, &placed) {
		return err
	}
	if keyword == "async" {
		keyword = "async_val" // which is its name in Ansible
	}
	named := *placed
	named.Known = fmt.Sprintf("The field '%s' has an invalid value, which includes an undefined variable. The error was: %s", keyword, placed.Msg)
	return &named
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

// asNames is v as a list of names, split at commas.
func asNames(v any) []string {
	var names []string
	for _, item := range asList(v) {
		for name := range strings.SplitSeq(jinja.Str(item), ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}
