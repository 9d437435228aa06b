package inventory

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gplay/internal/source"
)

var (
	section       = regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$`)
	childName     = regexp.MustCompile(`^([^:\]\s]+)\s*(?:#.*)?$`)
	sectionOfKind = map[string]func(*iniReader, string) error{
		"": (*iniReader).host, "hosts": (*iniReader).host,
		"vars": (*iniReader).variable, "children": (*iniReader).child,
	}
)

// iniReader reads one INI file.
type iniReader struct {
	inv  *Inventory
	file string
	pos  source.Pos // of the line's first character that is no space
	// group and kind are the section that the lines belong to.
	group string
	kind  string
	// pending are the groups that were used and must have a section of hosts or
	// children, in the order they were used.
	pending []pendingGroup
}

type pendingGroup struct {
	name    string
	parents []string // none for a section of vars
	pos     source.Pos
}

// readINI adds what an INI file holds.
func (inv *Inventory) readINI(file, text string) error {
	r := &iniReader{inv: inv, file: file, group: "ungrouped"}
	for i, raw := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		line := strings.TrimSpace(raw)
		r.pos = source.Pos{File: file, Line: i + 1, Col: 1 + strings.Index(raw, line)}
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if !utf8.ValidString(line) {
			return source.Errorf(r.pos, "the line is not UTF-8 text")
		}
		if err := r.line(line); err != nil {
			return err
		}
	}
	return r.finish()
}

func (r *iniReader) line(line string) error {
	if m := section.FindStringSubmatch(line); m != nil {
		return r.section(m[1], m[2])
	}
	if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
		return source.Errorf(r.pos, "invalid section entry: '%s'; there must be no spaces or other invalid characters in it", line)
	}
	return sectionOfKind[r.kind](r, line)
}

func (r *iniReader) section(group, kind string) error {
	if sectionOfKind[kind] == nil {
		err := source.Errorf(r.pos, "section [%s:%s] has unknown type: %s", group, kind, kind)
		err.Hint = "a section is [group], [group:vars] or [group:children]"
		return err
	}
	group = r.inv.groupName(group)
	r.group, r.kind = group, kind
	known := r.inv.groups[group] != nil
	at := r.pendingIndex(group)
	r.inv.addGroup(group)
	switch {
	case kind == "vars" && !known && at < 0:
		r.pending = append(r.pending, pendingGroup{name: group, pos: r.pos})
	case kind != "vars" && at >= 0:
		found := r.pending[at]
		r.pending = slices.Delete(r.pending, at, at+1)
		for _, parent := range found.parents {
			if err := r.addChild(parent, group, found.pos); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *iniReader) pendingIndex(group string) int {
	return slices.IndexFunc(r.pending, func(p pendingGroup) bool { return p.name == group })
}

func (r *iniReader) addChild(parent, child string, pos source.Pos) error {
	if _, err := addChild(r.inv.groups[parent], r.inv.groups[child]); err != nil {
		return source.Errorf(pos, "%s", err)
	}
	return nil
}

func (r *iniReader) host(line string) error {
	tokens, err := splitShell(line)
	if err != nil {
		return source.Errorf(r.pos, "error parsing host definition '%s': %s", line, err)
	}
	if len(tokens) == 0 {
		return nil
	}
	hosts, port, err := expandHosts(tokens[0].text)
	if err != nil {
		return source.Errorf(r.pos, "%s", err)
	}
	if port == 0 && strings.HasSuffix(tokens[0].text, ":") {
		return source.Errorf(r.pos, "invalid host pattern '%s' supplied, ending in ':' is not allowed, this character is reserved to provide a port", tokens[0].text)
	}
	if tokens[0].text == "---" {
		return source.Errorf(r.pos, "invalid host pattern '---' supplied, it is normally a sign that this is a YAML file")
	}
	for _, name := range hosts {
		h := r.inv.addHostFrom(name, port, r.file)
		g, _ := r.inv.addGroup(r.group)
		join(g, h)
		for _, t := range tokens[1:] {
			key, text, found := strings.Cut(t.text, "=")
			pos := r.pos
			pos.Col += t.at
			if !found {
				return source.Errorf(pos, "expected key=value host variable assignment, got: %s", t.text)
			}
			pos.Col += runes(key) + 1
			r.inv.setVar(h.Vars, key, trust(parseLiteral(text), pos))
		}
	}
	return nil
}

func (r *iniReader) variable(line string) error {
	key, text, found := strings.Cut(line, "=")
	if !found {
		return source.Errorf(r.pos, "expected key=value, got: %s", line)
	}
	pos := r.pos
	pos.Col += runes(line) - runes(strings.TrimSpace(text))
	g, _ := r.inv.addGroup(r.group)
	return r.inv.setGroupVar(g, strings.TrimSpace(key), trust(parseLiteral(strings.TrimSpace(text)), pos), pos)
}

func (r *iniReader) child(line string) error {
	m := childName.FindStringSubmatch(line)
	if m == nil {
		return source.Errorf(r.pos, "expected group name, got: %s", line)
	}
	child := r.inv.groupName(m[1])
	if r.inv.groups[child] != nil {
		return r.addChild(r.group, child, r.pos)
	}
	if at := r.pendingIndex(child); at >= 0 {
		r.pending[at].parents = append(r.pending[at].parents, r.group)
		return nil
	}
	r.pending = append(r.pending, pendingGroup{child, []string{r.group}, r.pos})
	return nil
}

// finish reports a group that was used and is nowhere declared.
func (r *iniReader) finish() error {
	if len(r.pending) == 0 {
		return nil
	}
	p := r.pending[0]
	msg := fmt.Sprintf("section [%s:vars] not valid for undefined group: %s", p.name, p.name)
	if p.parents != nil {
		msg = fmt.Sprintf("section [%s:children] includes undefined group: %s", p.parents[0], p.name)
	}
	return source.Errorf(p.pos, "%s", msg)
}
