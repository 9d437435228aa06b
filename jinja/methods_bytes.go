package jinja

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// bytesMethods are the methods of bytes.
var bytesMethods map[string]method

func makeBytesMethods() map[string]method {
	methods := map[string]method{
		"decode":     bind(bytesDecode, "encoding=", "errors="),
		"hex":        bind(func(_ *Context, b []byte, _ []any) (any, error) { return hex.EncodeToString(b), nil }),
		"splitlines": bind(bytesSplitLines, "keepends="),
	}
	for _, name := range []string{
		"capitalize", "center", "count", "endswith", "expandtabs", "find", "index", "isalnum", "isalpha", "isascii",
		"isdigit", "islower", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "partition",
		"removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip",
		"split", "startswith", "strip", "swapcase", "title", "upper", "zfill",
	} {
		methods[name] = bytesAsText(strMethods[name])
	}
	for _, name := range []string{"startswith", "endswith"} {
		methods[name] = oneOf(methods[name])
	}
	return methods
}

// oneOf makes a method take a tuple of what it takes. As in Python, what comes
// after the first that holds is not looked at.
func oneOf(m method) method {
	return func(c *Context, self any, args *Args) (any, error) {
		if len(args.Positional) == 0 {
			return m(c, self, args)
		}
		tuple, ok := args.Positional[0].(Tuple)
		if !ok {
			return m(c, self, args)
		}
		for _, item := range tuple {
			each := append([]any{item}, args.Positional[1:]...)
			v, err := m(c, self, &Args{Positional: each, Keywords: args.Keywords})
			if v == true || err != nil {
				return v, err
			}
		}
		return false, nil
	}
}

// highByte is the first of the private characters that stand for the bytes
// beyond ASCII, which have no case and are no letters.
const highByte = 0xf700

// bytesAsText makes a method of bytes of the same one of str.
func bytesAsText(m method) method {
	return func(c *Context, self any, args *Args) (any, error) {
		text := &Args{Positional: make([]any, len(args.Positional)), Keywords: args.Keywords.Copy()}
		for i, v := range args.Positional {
			var err error
			if text.Positional[i], err = textOfBytes(v); err != nil {
				return nil, err
			}
		}
		for k, v := range args.Keywords.All() {
			v, err := textOfBytes(v)
			if err != nil {
				return nil, err
			}
			text.Keywords.Set(k, v)
		}
		s, _ := textOfBytes(self)
		v, err := m(c, s, text)
		return bytesOfText(v), err
	}
}

func textOfBytes(v any) (any, error) {
	switch v := v.(type) {
	case []byte:
		runes := make([]rune, len(v))
		for i, b := range v {
			runes[i] = rune(b)
			if b >= utf8.RuneSelf {
				runes[i] += highByte
			}
		}
		return string(runes), nil
	case string, Markup:
		return nil, typeErrorf("a bytes-like object is required, not 'str'")
	case *List:
		items, err := textsOfBytes(v.Items)
		return &List{Items: items}, err
	case Tuple:
		items, err := textsOfBytes(v)
		return Tuple(items), err
	}
	return v, nil
}

func textsOfBytes(items []any) ([]any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		var err error
		if out[i], err = textOfBytes(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func bytesOfText(v any) any {
	switch v := v.(type) {
	case string:
		out := make([]byte, 0, len(v))
		for _, r := range v {
			out = append(out, byte(r)) // highByte has no low bits
		}
		return out
	case *List:
		for i, item := range v.Items {
			v.Items[i] = bytesOfText(item)
		}
	case Tuple:
		for i, item := range v {
			v[i] = bytesOfText(item)
		}
	}
	return v
}

func bytesSplitLines(_ *Context, b []byte, a []any) (any, error) {
	out := NewList()
	for len(b) > 0 {
		end := strings.IndexAny(string(b), "\r\n")
		if end < 0 {
			out.Items = append(out.Items, b)
			break
		}
		next := end + 1
		if strings.HasPrefix(string(b[end:]), "\r\n") {
			next++
		}
		line := b[:end]
		if a[0] != Missing && Truth(a[0]) {
			line = b[:next]
		}
		out.Items, b = append(out.Items, line), b[next:]
	}
	return out, nil
}

func strEncode(s string, a []any) (any, error) {
	name := encodingName(a[0])
	switch name {
	case "utf8":
		return []byte(s), nil
	case "utf16", "utf16le", "utf16be":
		return encodeUTF16(s, name), nil
	case "ascii", "latin1":
	default:
		return nil, Exceptionf("LookupError", "unknown encoding: %s", Str(a[0]))
	}
	limit := rune(0x80)
	if name == "latin1" {
		limit = 0x100
	}
	var out []byte
	at := 0
	for _, r := range s {
		switch {
		case r < limit:
			out = append(out, byte(r))
		case a[1] == "ignore":
		case a[1] == "replace":
			out = append(out, '?')
		case a[1] == "xmlcharrefreplace":
			out = fmt.Appendf(out, "&#%d;", r)
		case a[1] == "backslashreplace":
			out = append(out, asciiOnly(string(r))...)
		default:
			codec := map[string]string{"ascii": "ascii", "latin1": "latin-1"}[name]
			return nil, valueErrorf("'%s' codec can't encode character '%s' in position %d: ordinal not in range(%d)", codec, asciiOnly(string(r)), at, limit)
		}
		at++
	}
	return out, nil
}

func encodeUTF16(s, name string) []byte {
	var order binary.AppendByteOrder = binary.LittleEndian
	var out []byte
	switch name {
	case "utf16be":
		order = binary.BigEndian
	case "utf16":
		out = []byte{0xff, 0xfe}
	}
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func encodingName(v any) string {
	if v == Missing {
		return "utf8"
	}
	name := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(Str(v)))
	switch name {
	case "usascii":
		return "ascii"
	case "iso88591":
		return "latin1"
	}
	return name
}

func bytesDecode(_ *Context, b []byte, a []any) (any, error) {
	switch encodingName(a[0]) {
	case "utf8":
		if utf8.Valid(b) {
			return string(b), nil
		}
		switch a[1] {
		case "ignore":
			return strings.ToValidUTF8(string(b), ""), nil
		case "replace":
			return strings.ToValidUTF8(string(b), "\uFFFD"), nil
		case "surrogateescape":
			return string(b), nil
		}
		return nil, Undecodable(b)
	case "ascii":
		for i, c := range b {
			if c >= utf8.RuneSelf {
				return nil, valueErrorf("'ascii' codec can't decode byte 0x%02x in position %d: ordinal not in range(128)", c, i)
			}
		}
		return string(b), nil
	case "latin1":
		out := make([]rune, len(b))
		for i, c := range b {
			out[i] = rune(c)
		}
		return string(out), nil
	}
	return nil, Exceptionf("LookupError", "unknown encoding: %s", Str(a[0]))
}

// Undecodable says what in b is no UTF-8.
func Undecodable(b []byte) error {
	at := 0
	for r, n := utf8.DecodeRune(b); r != utf8.RuneError || n > 1; r, n = utf8.DecodeRune(b[at:]) {
		at += n
	}
	reason := "invalid continuation byte"
	switch c := b[at]; {
	case c < 0xc2 || c > 0xf4:
		reason = "invalid start byte"
	case !utf8.FullRune(b[at:]):
		reason = "unexpected end of data"
	}
	return valueErrorf("'utf-8' codec can't decode byte 0x%02x in position %d: %s", b[at], at, reason)
}
