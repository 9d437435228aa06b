package jinja

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

func filterAbs(_ *Context, v any, _ []any) (any, error) {
	switch x := v.(type) {
	case int, bool, *big.Int:
		return normalBig(new(big.Int).Abs(toBig(x))), nil
	case float64:
		return math.Abs(x), nil
	}
	return nil, typeErrorf("bad operand type for abs(): '%s'", typeName(v))
}

func filterInt(_ *Context, v any, a []any) (any, error) {
	switch x := v.(type) {
	case *Undefined:
		return nil, &undefinedError{x}
	case int, *big.Int:
		return x, nil
	case bool:
		return normalBig(toBig(x)), nil
	case float64:
		return wholeOr(x, a[0])
	case []byte:
		v = string(x)
	}
	s, ok := text(v)
	if !ok {
		return given(a[0], 0), nil
	}
	if base, err := number(a[1], 10); err == nil {
		if n, ok := parseInt(s, base); ok {
			return n, nil
		}
	}
	if f, ok := parseFloat(s); ok {
		return wholeOr(f, a[0])
	}
	return given(a[0], 0), nil
}

// wholeOr is the integer of a float, or what stands for it where it is no number.
func wholeOr(f float64, otherwise any) (any, error) {
	if math.IsNaN(f) {
		return given(otherwise, 0), nil
	}
	return intOfFloat(f)
}

// parseInt is Python's int(s, base).
func parseInt(s string, base int) (any, bool) {
	if base != 0 && base < 2 || base > 36 {
		return nil, false
	}
	s = asciiDigits(strings.TrimFunc(s, IsSpace))
	sign := ""
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		sign, s = s[:1], s[1:]
	}
	if len(s) > 1 && s[0] == '0' {
		own := map[byte]int{'b': 2, 'o': 8, 'x': 16}[s[1]|0x20]
		switch {
		case own != 0 && (base == own || base == 0):
			base, s = own, strings.TrimPrefix(s[2:], "_")
		case base == 0 && strings.Trim(s, "0_") != "":
			return nil, false
		}
	}
	if base == 0 {
		base = 10
	}
	if strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") || strings.Contains(s, "__") || strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		return nil, false
	}
	if len(s) > 4300 && base == 10 {
		return nil, false
	}
	b, ok := new(big.Int).SetString(sign+strings.ReplaceAll(s, "_", ""), base)
	if !ok || b.BitLen() > maxBits {
		return nil, false
	}
	return normalBig(b), true
}

// asciiDigits writes the decimal digits of all scripts as 0 to 9.
func asciiDigits(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf && unicode.IsDigit(r) {
			zero := r
			for zero > 0 && unicode.IsDigit(zero-1) {
				zero--
			}
			return '0' + (r-zero)%10
		}
		return r
	}, s)
}

// parseFloat is Python's float(s).
func parseFloat(s string) (float64, bool) {
	s = asciiDigits(strings.TrimFunc(s, IsSpace))
	if strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") || strings.Contains(s, "__") || strings.ContainsAny(s, "xXpP") {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

func filterFloat(_ *Context, v any, a []any) (any, error) {
	if f, ok := toFloat(v); ok {
		if _, float := v.(float64); !float && math.IsInf(f, 0) {
			return nil, Exceptionf("OverflowError", "int too large to convert to float")
		}
		return f, nil
	}
	if b, ok := v.([]byte); ok {
		v = string(b)
	}
	if u, ok := v.(*Undefined); ok {
		return nil, &undefinedError{u}
	}
	if s, ok := text(v); ok {
		if f, ok := parseFloat(s); ok {
			return f, nil
		}
	}
	return given(a[0], 0.0), nil
}

func filterRound(_ *Context, v any, a []any) (any, error) {
	method := given(a[1], "common")
	if a[0] == nil && method == "common" {
		// Python's round(v, None) gives an integer.
		if b := toBig(v); b != nil {
			return normalBig(b), nil
		}
		if f, ok := v.(float64); ok {
			return intOfFloat(math.RoundToEven(f))
		}
	}
	precision, err := number(a[0], 0)
	if err != nil {
		return nil, err
	}
	if precision > 400 || precision < -400 {
		return nil, errTooLarge
	}
	f, ok := toFloat(v)
	if !ok {
		return nil, typeErrorf("type %s doesn't define __round__ method", typeName(v))
	}
	switch method {
	case "common":
		if b := toBig(v); b != nil {
			return roundInt(b, precision), nil
		}
		return roundFloat(f, precision), nil
	case "ceil", "floor":
		if math.IsNaN(f) || math.IsInf(f, 0) {
			_, err := intOfFloat(f)
			return nil, err
		}
		scale := math.Pow(10, float64(precision))
		if method == "ceil" {
			return math.Ceil(f*scale) / scale, nil
		}
		return math.Floor(f*scale) / scale, nil
	}
	return nil, fmt.Errorf("method must be common, ceil or floor")
}

// roundFloat is Python's round(f, n): exact, and to even at a tie.
func roundFloat(f float64, n int) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return f
	}
	if n >= 0 {
		r, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', n, 64), 64)
		return r
	}
	whole, fraction := math.Modf(math.Abs(f))
	b, _ := big.NewFloat(whole).Int(nil)
	// A fraction decides what would be a tie of the whole part.
	if fraction != 0 {
		b.Add(b.Mul(b, big.NewInt(10)), big.NewInt(int64(math.Copysign(1, fraction))))
		n--
		r, _ := toFloat(roundInt(b, n))
		return math.Copysign(r/10, f)
	}
	r, _ := toFloat(roundInt(b, n))
	return math.Copysign(r, f)
}

// roundInt is Python's round of an integer.
func roundInt(b *big.Int, n int) any {
	if n >= 0 {
		return normalBig(b)
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-n)), nil)
	q, m := new(big.Int).DivMod(b, unit, new(big.Int))
	twice := m.Lsh(m, 1)
	if c := twice.Cmp(unit); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	return normalBig(q.Mul(q, unit))
}

func filterFileSize(_ *Context, v any, a []any) (any, error) {
	f, ok := toFloat(v)
	if s, isText := text(v); isText {
		f, ok = parseFloat(s)
		if !ok {
			return nil, valueErrorf("could not convert string to float: %s", Repr(s))
		}
	}
	if !ok {
		return nil, typeErrorf("float() argument must be a string or a real number, not '%s'", typeName(v))
	}
	base, units := 1000.0, []string{"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"}
	if enabled(a[0], false) {
		base, units = 1024, []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"}
	}
	switch {
	case f == 1:
		return "1 Byte", nil
	case f < base:
		n, err := intOfFloat(f)
		return Str(n) + " Bytes", err
	}
	size := f / base
	i := 0
	for ; size >= base && i < len(units)-1; i++ {
		size /= base
	}
	return strconv.FormatFloat(size, 'f', 1, 64) + " " + units[i], nil
}
