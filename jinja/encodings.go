package jinja

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// charmaps are encodings of a byte a character, by Python's names without case
// and punctuation.
var charmaps = map[string]*charmap.Charmap{
	"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp852": charmap.CodePage852, "cp855": charmap.CodePage855,
	"cp858": charmap.CodePage858, "cp860": charmap.CodePage860, "cp862": charmap.CodePage862, "cp863": charmap.CodePage863,
	"cp865": charmap.CodePage865, "cp866": charmap.CodePage866, "koi8r": charmap.KOI8R, "koi8u": charmap.KOI8U,
	"cp1250": charmap.Windows1250, "cp1251": charmap.Windows1251, "cp1252": charmap.Windows1252, "cp1253": charmap.Windows1253,
	"cp1254": charmap.Windows1254, "cp1255": charmap.Windows1255, "cp1256": charmap.Windows1256, "cp1257": charmap.Windows1257,
	"cp1258": charmap.Windows1258, "iso88592": charmap.ISO8859_2, "iso88593": charmap.ISO8859_3, "iso88594": charmap.ISO8859_4,
	"iso88595": charmap.ISO8859_5, "iso88596": charmap.ISO8859_6, "iso88597": charmap.ISO8859_7, "iso88598": charmap.ISO8859_8,
	"iso88599": charmap.ISO8859_9, "iso885910": charmap.ISO8859_10, "iso885913": charmap.ISO8859_13, "iso885914": charmap.ISO8859_14,
	"iso885915": charmap.ISO8859_15, "iso885916": charmap.ISO8859_16, "macroman": charmap.Macintosh,
}

// encodingAliases are other names of encodings.
var encodingAliases = map[string]string{
	"u8": "utf8", "usascii": "ascii", "646": "ascii", "iso88591": "latin1", "l1": "latin1", "latin2": "iso88592", "latin9": "iso885915",
	"macintosh": "macroman",
}

var punctuation = strings.NewReplacer("-", "", "_", "", " ", "")

func encodingName(name string) string {
	name = punctuation.Replace(strings.ToLower(name))
	if code, ok := strings.CutPrefix(name, "windows"); ok {
		name = "cp" + code
	}
	if alias, ok := encodingAliases[name]; ok {
		return alias
	}
	return name
}

// byteCodec is an encoding of a byte a character. Its names and reasons are in
// Python's words.
type byteCodec struct {
	name, reason string
	encode       func(rune) (byte, bool)
	decode       func(byte) (rune, bool)
}

func byteCodecOf(encoding string) (*byteCodec, error) {
	name := encodingName(encoding)
	upTo := func(python string, limit rune) *byteCodec {
		return &byteCodec{
			python, fmt.Sprintf("ordinal not in range(%d)", limit),
			func(r rune) (byte, bool) { return byte(r), r < limit },
			func(b byte) (rune, bool) { return rune(b), rune(b) < limit },
		}
	}
	switch name {
	case "ascii":
		return upTo("ascii", 128), nil
	case "latin1":
		return upTo("latin-1", 256), nil
	}
	m, ok := charmaps[name]
	if !ok {
		return nil, Exceptionf("LookupError", "unknown encoding: %s", encoding)
	}
	decode := func(b byte) (rune, bool) { r := m.DecodeByte(b); return r, r != utf8.RuneError }
	return &byteCodec{"charmap", "character maps to <undefined>", m.EncodeRune, decode}, nil
}

// Encode is s in an encoding by Python's name for it. What the encoding does not
// have is an error, or what Python's error handler of that name makes of it:
// ignore, replace, xmlcharrefreplace or backslashreplace.
func Encode(s, encoding, handler string) ([]byte, error) {
	switch name := encodingName(encoding); name {
	case "utf8":
		return []byte(s), nil
	case "utf16", "utf16le", "utf16be":
		return encodeUTF16(s, name), nil
	}
	codec, err := byteCodecOf(encoding)
	if err != nil {
		return nil, err
	}
	var out []byte
	runes := []rune(s)
	for at, r := range runes {
		b, ok := codec.encode(r)
		switch {
		case ok:
			out = append(out, b)
		case handler == "ignore":
		case handler == "replace":
			out = append(out, '?')
		case handler == "xmlcharrefreplace":
			out = fmt.Appendf(out, "&#%d;", r)
		case handler == "backslashreplace":
			out = append(out, asciiOnly(string(r))...)
		default:
			return nil, codec.unencodable(runes, at)
		}
	}
	return out, nil
}

// unencodable says what from at on the encoding does not have.
func (c *byteCodec) unencodable(runes []rune, at int) error {
	end := at
	for end < len(runes) {
		if _, ok := c.encode(runes[end]); ok {
			break
		}
		end++
	}
	if end == at+1 {
		return valueErrorf("'%s' codec can't encode character '%s' in position %d: %s", c.name, asciiOnly(string(runes[at])), at, c.reason)
	}
	return valueErrorf("'%s' codec can't encode characters in position %d-%d: %s", c.name, at, end-1, c.reason)
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

// Decode is the text that b is in an encoding by Python's name for it. What is
// none is an error, or what Python's error handler makes of it: ignore, replace
// or, of UTF-8, surrogateescape.
func Decode(b []byte, encoding, handler string) (string, error) {
	switch name := encodingName(encoding); name {
	case "utf8":
		return decodeUTF8(b, handler)
	case "utf16", "utf16le", "utf16be":
		return decodeUTF16(b, name), nil
	}
	codec, err := byteCodecOf(encoding)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for at, c := range b {
		r, ok := codec.decode(c)
		switch {
		case ok:
			out.WriteRune(r)
		case handler == "ignore":
		case handler == "replace":
			out.WriteRune(utf8.RuneError)
		default:
			return "", valueErrorf("'%s' codec can't decode byte 0x%02x in position %d: %s", codec.name, c, at, codec.reason)
		}
	}
	return out.String(), nil
}

func decodeUTF8(b []byte, handler string) (string, error) {
	switch {
	case utf8.Valid(b), handler == "surrogateescape":
		return string(b), nil
	case handler == "ignore":
		return strings.ToValidUTF8(string(b), ""), nil
	case handler == "replace":
		return strings.ToValidUTF8(string(b), "\uFFFD"), nil
	}
	return "", Undecodable(b)
}

func decodeUTF16(b []byte, name string) string {
	var order binary.ByteOrder = binary.LittleEndian
	if name == "utf16be" || name == "utf16" && strings.HasPrefix(string(b), "\xfe\xff") {
		order = binary.BigEndian
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	if name == "utf16" && len(units) > 0 && units[0] == 0xfeff {
		units = units[1:]
	}
	return string(utf16.Decode(units))
}
