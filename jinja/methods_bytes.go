package jinja

import (
	"encoding/hex"
	"strings"
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
	encoding, handler := codecArgs(a)
	return Encode(s, encoding, handler)
}

func bytesDecode(_ *Context, b []byte, a []any) (any, error) {
	encoding, handler := codecArgs(a)
	return Decode(b, encoding, handler)
}

func codecArgs(a []any) (encoding, handler string) {
	if encoding = "utf-8"; a[0] != Missing {
		encoding = Str(a[0])
	}
	if a[1] != Missing {
		handler = Str(a[1])
	}
	return encoding, handler
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
