package facts

import (
	"bytes"
	"encoding/json"
	"errors"
	"path"
	"strings"

	"gplay/modules/host"
)

// local reads the facts that people put on a host: *.fact files, executable
// or not, that hold JSON or sections of key=value.
func (m *machine) local() map[string]any {
	found := map[string]any{}
	for _, name := range m.names(m.request.FactPath) {
		if base, ok := strings.CutSuffix(name, ".fact"); ok && m.request.FactPath != "" {
			found[base] = m.localFact(path.Join(m.request.FactPath, name))
		}
	}
	return map[string]any{"local": found}
}

func (m *machine) localFact(file string) any {
	bad := func(format string, a ...any) any {
		m.warn(format, a...)
		return m.warnings[len(m.warnings)-1]
	}
	info, err := m.Stat(file)
	if err != nil {
		return bad("Could not stat fact (%s): %v", file, err)
	}
	text, err := m.ReadFile(file)
	if info.Mode()&0o100 != 0 {
		var out host.Output
		out, err = m.Ask(m.ctx, host.Command(file))
		text = out.Stdout
		if err == nil && out.Code != 0 {
			return bad("Failure executing fact script (%s), rc: %d, err: %s", file, out.Code, out.Stderr)
		}
	}
	if err != nil {
		return bad("Could not execute fact script (%s): %v", file, err)
	}
	if fact, err := parseJSON(text); err == nil {
		return fact
	}
	if sections, ok := ini(string(text)); ok {
		return sections
	}
	return bad("error loading facts as JSON or ini - please check content: %s", file)
}

// parseJSON keeps whole numbers whole.
func parseJSON(text []byte) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("text after the value")
	}
	return numbers(v), nil
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}

// ini reads sections of "key = value" or "key: value" with names in lower
// case; a line that is neither makes it no ini file. What [DEFAULT] holds is in
// all other sections.
func ini(text string) (map[string]any, bool) {
	sections := map[string]any{}
	var current map[string]any
	key := ""
	for _, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch i := strings.IndexAny(trimmed, "=:"); {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
		case trimmed[0] == '[' && strings.HasSuffix(trimmed, "]"):
			current, key = map[string]any{}, ""
			sections[trimmed[1:len(trimmed)-1]] = current
		case current == nil:
			return nil, false
		case key != "" && (line[0] == ' ' || line[0] == '\t'):
			current[key] = current[key].(string) + "\n" + trimmed
		case i < 1:
			return nil, false
		default:
			key = strings.ToLower(strings.TrimSpace(trimmed[:i]))
			current[key] = strings.TrimSpace(trimmed[i+1:])
		}
	}
	defaults, _ := sections["DEFAULT"].(map[string]any)
	delete(sections, "DEFAULT")
	for _, section := range sections {
		for key, value := range defaults {
			if own := section.(map[string]any); own[key] == nil {
				own[key] = value
			}
		}
	}
	return sections, true
}
