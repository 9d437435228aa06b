package pyregex

import "unicode/utf8"

// escapeBase + b stands for the byte b of invalid UTF-8, as Python's
// surrogateescape has it.
const escapeBase = 0xDC00

func decode(s string) []rune {
	runes := make([]rune, 0, len(s))
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = escapeBase + rune(s[0])
		}
		runes = append(runes, r)
		s = s[n:]
	}
	return runes
}

func encode(runes []rune) string {
	out := make([]byte, 0, len(runes))
	for _, r := range runes {
		if r >= escapeBase+0x80 && r <= escapeBase+0xFF {
			out = append(out, byte(r-escapeBase))
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}
