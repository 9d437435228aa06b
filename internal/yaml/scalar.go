package yaml

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gplay/internal/pytime"
)

// The plain scalars of YAML 1.1, as PyYAML tells them apart.
var (
	intForm = regexp.MustCompile(`^[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*(:[0-5]?[0-9])*)$`)
	// An exponent needs a sign: 1e3 and 1.5e3 are strings.
	floatForm = regexp.MustCompile(`^([-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*)$`)
	dateForm  = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	timeForm  = regexp.MustCompile(`^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?(?:[ \t]*(?:Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?$`)
)

var words = map[string]any{
	"": nil, "~": nil, "null": nil, "Null": nil, "NULL": nil,
	"yes": true, "Yes": true, "YES": true, "no": false, "No": false, "NO": false,
	"true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false,
	"on": true, "On": true, "ON": true, "off": false, "Off": false, "OFF": false,
	".inf": math.Inf(1), ".Inf": math.Inf(1), ".INF": math.Inf(1),
	"+.inf": math.Inf(1), "+.Inf": math.Inf(1), "+.INF": math.Inf(1),
	"-.inf": math.Inf(-1), "-.Inf": math.Inf(-1), "-.INF": math.Inf(-1),
	".nan": math.NaN(), ".NaN": math.NaN(), ".NAN": math.NaN(),
}

// Scalar gives the value of a plain scalar: nil, a bool, an int (*big.Int when
// it is too large), a float64, a pytime.Date or DateTime, or the string itself.
func Scalar(text string) any {
	if v, ok := words[text]; ok {
		return v
	}
	switch c := text[0]; {
	case c >= '0' && c <= '9', c == '+', c == '-', c == '.':
		return number(text)
	}
	return text
}

func number(text string) any {
	switch {
	case intForm.MatchString(text):
		if i, ok := integer(strings.ReplaceAll(text, "_", "")); ok {
			return i
		}
	case floatForm.MatchString(text):
		if f, ok := float(strings.ReplaceAll(text, "_", "")); ok {
			return f
		}
	case dateForm.MatchString(text):
		return date(text)
	case timeForm.MatchString(text):
		return timestamp(text)
	}
	return text
}

func integer(digits string) (any, bool) {
	sign := ""
	if digits[0] == '-' || digits[0] == '+' {
		sign, digits = strings.TrimPrefix(digits[:1], "+"), digits[1:]
	}
	base := 10
	switch {
	case strings.HasPrefix(digits, "0b"):
		base, digits = 2, digits[2:]
	case strings.HasPrefix(digits, "0x"):
		base, digits = 16, digits[2:]
	case digits != "0" && strings.HasPrefix(digits, "0"):
		base, digits = 8, digits[1:]
	case strings.Contains(digits, ":"):
		total, ok := sexagesimal(digits)
		if sign != "" {
			total = -total
		}
		return int(total), ok
	}
	if n, err := strconv.ParseInt(sign+digits, base, 64); err == nil {
		return int(n), true
	}
	n, ok := new(big.Int).SetString(sign+digits, base)
	return n, ok
}

func float(digits string) (any, bool) {
	if strings.Contains(digits, ":") {
		sign := 1.0
		if digits[0] == '-' {
			sign = -1
		}
		total, ok := sexagesimal(strings.TrimLeft(digits, "+-"))
		return sign * total, ok
	}
	f, err := strconv.ParseFloat(digits, 64)
	return f, err == nil || math.IsInf(f, 0)
}

// sexagesimal is the value of 12:30:45, which YAML 1.1 takes for a number to
// the base of 60.
func sexagesimal(digits string) (float64, bool) {
	total := 0.0
	for part := range strings.SplitSeq(digits, ":") {
		f, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return 0, false
		}
		total = total*60 + f
	}
	return total, true
}

// date is a day, or the text of one that no calendar has.
func date(text string) any {
	n := func(digits string) int { v, _ := strconv.Atoi(digits); return v }
	if d, ok := pytime.NewDate(n(text[:4]), n(text[5:7]), n(text[8:])); ok {
		return d
	}
	return text
}

// isTime reports whether text is written as a day or a timestamp.
func isTime(text string) bool {
	return text != "" && text[0] <= '9' && (dateForm.MatchString(text) || timeForm.MatchString(text))
}

func timestamp(text string) any {
	m := timeForm.FindStringSubmatch(text)
	n := func(i int) int { v, _ := strconv.Atoi(m[i]); return v }
	micro, _ := strconv.Atoi((m[7] + "000000")[:6])
	zone := time.UTC
	if text[len(text)-1] == 'Z' || m[8] != "" {
		offset := n(9)*3600 + n(10)*60
		if m[8] == "-" {
			offset = -offset
		}
		zone = time.FixedZone("", offset)
	}
	at := time.Date(n(1), time.Month(n(2)), n(3), n(4), n(5), n(6), micro*1000, zone)
	if at.Day() != n(3) || at.Hour() != n(4) || at.Second() != n(6) {
		return text
	}
	return pytime.New(at)
}
