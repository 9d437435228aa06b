package filters

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gplay/jinja"
)

var urlFilters = map[string]jinja.Filter{
	"urldecode": simple(func(v any) (any, error) {
		s, err := urlText(v)
		return urlDecode(s), err
	}),
	"urlsplit": urlSplit,
}

func urlText(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("a URL is a string, not %s", jinja.TypeName(v))
	}
	return s, nil
}

// urlDecode is Python's unquote_plus: what is no escape stays.
func urlDecode(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			out.WriteByte(' ')
		case s[i] == '%' && i+2 < len(s):
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				out.WriteByte(byte(v))
				i += 2
				continue
			}
			out.WriteByte('%')
		default:
			out.WriteByte(s[i])
		}
	}
	return strings.ToValidUTF8(out.String(), "\ufffd")
}

// splitURL is a URL taken apart as Python's urlsplit does.
type splitURL struct{ scheme, netloc, path, query, fragment string }

func parseURL(s string) splitURL {
	s = strings.TrimLeftFunc(s, func(r rune) bool { return r <= ' ' })
	s = strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(s)
	var u splitURL
	if i := strings.IndexByte(s, ':'); i > 0 && isScheme(s[:i]) {
		u.scheme, s = strings.ToLower(s[:i]), s[i+1:]
	}
	if strings.HasPrefix(s, "//") {
		s = s[2:]
		end := strings.IndexAny(s, "/?#")
		if end < 0 {
			end = len(s)
		}
		u.netloc, s = s[:end], s[end:]
	}
	s, u.fragment, _ = strings.Cut(s, "#")
	u.path, u.query, _ = strings.Cut(s, "?")
	return u
}

func isScheme(s string) bool {
	for i, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || (c < '0' || c > '9') && !strings.ContainsRune("+-.", c)) {
			return false
		}
	}
	return true
}

// authority takes the host part of a URL apart; nil stands for what is not there.
func (u splitURL) authority() (user, password, host, port any, err error) {
	info, addr := "", u.netloc
	if i := strings.LastIndexByte(u.netloc, '@'); i >= 0 {
		info, addr = u.netloc[:i], u.netloc[i+1:]
		name, pass, hasPass := strings.Cut(info, ":")
		user = name
		if hasPass {
			password = pass
		}
	}
	name, portText := addr, ""
	if i := strings.IndexByte(addr, '['); i >= 0 {
		name, portText, _ = strings.Cut(addr[i+1:], "]")
		_, portText, _ = strings.Cut(portText, ":")
	} else {
		name, portText, _ = strings.Cut(addr, ":")
	}
	if name != "" {
		host = strings.ToLower(name)
	}
	if portText != "" {
		n, err := strconv.Atoi(portText)
		switch {
		case err != nil:
			return nil, nil, nil, nil, jinja.ValueErrorf("Port could not be cast to integer value as %s", jinja.Repr(portText))
		case n < 0 || n > 65535:
			return nil, nil, nil, nil, jinja.ValueErrorf("Port out of range 0-65535")
		}
		port = n
	}
	return user, password, host, port, nil
}

func urlSplit(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "query=", "alias=")
	s, err := urlText(v)
	query := p.text(0, "")
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	u := parseURL(s)
	if strings.Contains(u.netloc, "[") != strings.Contains(u.netloc, "]") {
		return nil, jinja.ValueErrorf("Invalid IPv6 URL")
	}
	user, password, host, port, err := u.authority()
	if err != nil {
		return nil, err
	}
	parts := jinja.NewDict("fragment", u.fragment, "hostname", host, "netloc", u.netloc, "password", password,
		"path", u.path, "port", port, "query", u.query, "scheme", u.scheme, "username", user)
	if query == "" {
		return parts, nil
	}
	part, ok := parts.Get(query)
	if !ok {
		return nil, fmt.Errorf("urlsplit: unknown URL component: %s", query)
	}
	return part, nil
}

var urlTests = map[string]jinja.Test{
	"uri": urlTest(func(splitURL) bool { return true }, "schemes="),
	"url": urlTest(func(u splitURL) bool { return u.netloc != "" || u.scheme == "file" }, "schemes="),
	"urn": urlTest(func(u splitURL) bool { return u.scheme == "urn" }),
}

func urlTest(is func(splitURL) bool, names ...string) jinja.Test {
	return func(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
		p := bind(args, names...)
		s, ok := jinja.Plain(v).(string)
		if !ok || p.err != nil {
			return false, p.err
		}
		u := parseURL(s)
		if strings.Count(u.netloc, "[") != strings.Count(u.netloc, "]") || !is(u) {
			return false, nil
		}
		if len(names) == 0 || !jinja.Truth(p.value(0, nil)) {
			return true, nil
		}
		return in(u.scheme, p.values[0])
	}
}
