package filters

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"gplay/jinja"
)

var textFilters = map[string]jinja.Filter{
	"b64decode":  base64Decode,
	"b64encode":  base64Encode,
	"bool":       simple(toBool),
	"comment":    comment,
	"mandatory":  mandatory,
	"quote":      simple(quote),
	"split":      split,
	"ternary":    ternary,
	"to_uuid":    toUUID,
	"type_debug": simple(func(v any) (any, error) { return typeDebug(v), nil }),
}

func inText(item any, s string) (bool, error) {
	part, ok := item.(string)
	if !ok {
		return false, fmt.Errorf("'in <string>' requires string as left operand, not %s", jinja.TypeName(item))
	}
	return strings.Contains(s, part), nil
}

// typeDebug names a type as Ansible has it, where text is its own kind of str.
func typeDebug(v any) string {
	if sealed(v) != nil {
		return VaultText
	}
	return jinja.ClassName(v)
}

func base64Encode(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "encoding=")
	s, err := text(v)
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	data, err := jinja.Encode(s, p.text(0, "utf-8"), "strict")
	return base64.StdEncoding.EncodeToString(data), err
}

func base64Decode(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "encoding=")
	s, err := text(v)
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	data, err := decodeBase64(s)
	if err != nil {
		return nil, err
	}
	return jinja.Decode(data, p.text(0, "utf-8"), "strict")
}

// decodeBase64 skips what is no base64 character and ends at the padding, as
// Python does.
func decodeBase64(s string) ([]byte, error) {
	var clean strings.Builder
	padding := 0
	for _, r := range s {
		at := clean.Len() % 4
		switch {
		case r == '=' && at > 1:
			if padding++; at+padding >= 4 {
				return base64.RawStdEncoding.DecodeString(clean.String())
			}
		case r < 128 && (r == '+' || r == '/' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'):
			padding = 0
			clean.WriteRune(r)
		}
	}
	switch clean.Len() % 4 {
	case 0:
		return base64.RawStdEncoding.DecodeString(clean.String())
	case 1:
		return nil, jinja.ValueErrorOf("binascii.Error", "Invalid base64-encoded string: number of data characters (%d) cannot be 1 more than a multiple of 4", clean.Len())
	}
	return nil, jinja.ValueErrorOf("binascii.Error", "Incorrect padding")
}

// toBool is Ansible's bool: None stays None.
func toBool(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case string:
		switch strings.ToLower(v) {
		case "yes", "on", "1", "true":
			return true, nil
		}
		return false, nil
	}
	return jinja.Equal(v, 1), nil
}

// quote makes v one word of a shell command.
func quote(v any) (any, error) {
	if v == nil {
		v = ""
	}
	s, err := text(v)
	return shellQuote(s), err
}

func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r < 128 && (r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("_@%+=:,./-", r))
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
}

func split(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "sep=", "maxsplit=")
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("split wants a string, not %s", jinja.TypeName(v))
	}
	sep, limit := p.text(0, ""), p.int(1, -1)
	if p.err != nil {
		return nil, p.err
	}
	if _, ok := p.values[0].(string); p.set(0) && !ok {
		return nil, fmt.Errorf("must be str or None, not %s", jinja.TypeName(p.values[0]))
	}
	if p.set(0) && sep == "" {
		return nil, errors.New("empty separator")
	}
	var parts []string
	switch {
	case p.set(0) && limit >= 0:
		parts = strings.SplitN(s, sep, limit+1)
	case p.set(0):
		parts = strings.Split(s, sep)
	default:
		parts = splitSpace(s, limit)
	}
	return textList(parts), nil
}

// splitSpace splits at runs of white space, limit times at most.
func splitSpace(s string, limit int) []string {
	var parts []string
	for {
		s = strings.TrimLeftFunc(s, jinja.IsSpace)
		if s == "" {
			return parts
		}
		end := strings.IndexFunc(s, jinja.IsSpace)
		if limit >= 0 && len(parts) == limit || end < 0 {
			return append(parts, s)
		}
		parts, s = append(parts, s[:end]), s[end:]
	}
}

func textList(parts []string) *jinja.List {
	l := jinja.NewList()
	for _, part := range parts {
		l.Items = append(l.Items, part)
	}
	return l
}

func ternary(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "true_val", "false_val", "none_val=")
	if p.err != nil {
		return nil, p.err
	}
	switch {
	case v == nil && p.set(2):
		return p.values[2], nil
	case undefined(v) != nil:
		return nil, undefined(v)
	case jinja.Truth(v):
		return p.values[0], nil
	}
	return p.values[1], nil
}

// undefined is the error of using v where it is not there.
func undefined(v any) error {
	if u, ok := v.(*jinja.Undefined); ok {
		return jinja.UndefinedError(u)
	}
	return nil
}

func mandatory(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "msg=")
	u, ok := v.(*jinja.Undefined)
	switch {
	case p.err != nil || !ok:
		return v, p.err
	case p.set(0):
		return nil, errors.New(p.text(0, ""))
	case u.Name == "":
		return nil, errors.New("Mandatory variable not defined.")
	}
	return nil, fmt.Errorf("Mandatory variable '%s'  not defined.", u.Name)
}

// uuidNamespace is the one of Ansible's own names.
const uuidNamespace = "361E6D51-FAEC-444A-9079-341386DA8E2E"

func toUUID(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "namespace=")
	namespace := p.text(0, uuidNamespace)
	s, err := text(v)
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	id, err := uuid.Parse(namespace)
	if err != nil {
		return nil, fmt.Errorf("Invalid value '%s' for 'namespace': badly formed hexadecimal UUID string", namespace)
	}
	return uuid.NewSHA1(id, []byte(s)).String(), nil
}

// commentStyle is what stands around a comment and before its lines.
type commentStyle struct{ beginning, decoration, end string }

var commentStyles = map[string]commentStyle{
	"plain":  {decoration: "# "},
	"erlang": {decoration: "% "},
	"c":      {decoration: "// "},
	"cblock": {"/*", " * ", " */"},
	"xml":    {"<!--", " - ", "-->"},
}

func comment(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "style=", "newline=", "beginning=", "prefix=", "prefix_count=", "decoration=", "postfix=", "postfix_count=", "end=")
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("comment wants a string, not %s", jinja.TypeName(v))
	}
	style, ok := commentStyles[p.text(0, "plain")]
	if !ok {
		return nil, fmt.Errorf("there is no comment style %q, use plain, erlang, c, cblock or xml", p.text(0, ""))
	}
	newline, decoration := p.text(1, "\n"), p.text(5, style.decoration)
	bare := strings.TrimRight(decoration, " \t\n\r\v\f")
	prefix, postfix := p.text(3, bare), p.text(6, bare)
	prefixes, postfixes := p.int(4, 1), p.int(7, 1)
	beginning, end := p.text(2, style.beginning), p.text(8, style.end)
	if p.err != nil {
		return nil, p.err
	}
	var out strings.Builder
	if beginning != "" {
		out.WriteString(beginning + newline)
	}
	if prefix == newline {
		prefix = ""
		out.WriteString(strings.Repeat(newline, max(prefixes, 0)))
	} else if prefix != "" {
		out.WriteString(strings.Repeat(prefix+newline, max(prefixes, 0)))
	}
	body := decoration + strings.ReplaceAll(s, newline, newline+decoration)
	out.WriteString(strings.ReplaceAll(body, decoration+newline, bare+newline))
	out.WriteString(strings.Repeat(newline+postfix, max(postfixes, 0)))
	if end != "" {
		out.WriteString(newline + end)
	}
	return out.String(), nil
}
