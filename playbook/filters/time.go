package filters

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"gplay/internal/pytime"
	"gplay/jinja"
)

var timeFilters = map[string]jinja.Filter{
	"strftime":    strftimeFilter,
	"to_datetime": toDateTime,
}

func strftimeFilter(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "second=", "utc=")
	format, isText := v.(string)
	second, utc := p.value(0, nil), p.truth(1, false)
	switch {
	case p.err != nil:
		return nil, p.err
	case !isText:
		return nil, fmt.Errorf("strftime() argument 1 must be str, not %s", jinja.TypeName(v))
	}
	t := time.Now()
	if second != nil {
		s, ok := number(second)
		if str, isText := second.(string); isText {
			var err error
			s, err = strconv.ParseFloat(strings.TrimSpace(str), 64)
			ok = err == nil
		}
		if !ok || math.IsNaN(s) || math.Abs(s) > 1e14 {
			return nil, fmt.Errorf("Invalid value for epoch value (%s)", jinja.Str(second))
		}
		t = time.Unix(int64(math.Floor(s)), 0)
	}
	if utc {
		t = t.UTC()
	}
	return pytime.Strftime(format, t), nil
}

func toDateTime(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "format=")
	format := p.text(0, "%Y-%m-%d %H:%M:%S")
	s, ok := v.(string)
	switch {
	case p.err != nil:
		return nil, p.err
	case !ok:
		return nil, jinja.TypeErrorf("strptime() argument 1 must be str, not %s", jinja.TypeName(v))
	}
	t, err := strptime(s, format)
	if err != nil {
		return nil, err
	}
	return pytime.New(t), nil
}

// parsed is what strptime has read so far.
type parsed struct {
	year, month, day, hour, minute, second, nano, yearDay int
	pm, has12                                             bool
	zone                                                  *time.Location
	rest                                                  string
}

func strptime(s, format string) (time.Time, error) {
	mismatch := jinja.ValueErrorf("time data %s does not match format %s", jinja.Repr(s), jinja.Repr(format))
	d := &parsed{year: 1900, month: 1, day: 1, zone: time.UTC, rest: s}
	for _, long := range []struct{ short, long string }{
		{"%D", "%m/%d/%y"}, {"%F", "%Y-%m-%d"}, {"%T", "%H:%M:%S"}, {"%R", "%H:%M"},
		{"%c", "%a %b %d %H:%M:%S %Y"}, {"%x", "%m/%d/%y"}, {"%X", "%H:%M:%S"},
	} {
		format = strings.ReplaceAll(format, long.short, long.long)
	}
	for i := 0; i < len(format); i++ {
		c := format[i]
		switch {
		case c == '%' && i+1 < len(format):
			i++
			if !d.read(format[i]) {
				return time.Time{}, mismatch
			}
		case strings.IndexByte(" \t\n\r", c) >= 0:
			trimmed := strings.TrimLeft(d.rest, " \t\n\r")
			if trimmed == d.rest {
				return time.Time{}, mismatch
			}
			d.rest = trimmed
			for i+1 < len(format) && strings.IndexByte(" \t\n\r", format[i+1]) >= 0 {
				i++
			}
		case d.rest == "" || !strings.EqualFold(d.rest[:1], string(c)):
			return time.Time{}, mismatch
		default:
			d.rest = d.rest[1:]
		}
	}
	if d.rest != "" {
		return time.Time{}, fmt.Errorf("unconverted data remains: %s", d.rest)
	}
	if d.has12 {
		d.hour %= 12
		if d.pm {
			d.hour += 12
		}
	}
	if d.yearDay > 0 {
		d.month, d.day = 1, d.yearDay
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, d.nano, d.zone)
	if d.yearDay == 0 && t.Day() != d.day {
		return time.Time{}, errors.New("day is out of range for month")
	}
	return t, nil
}

// number reads 1 to width digits.
func (d *parsed) number(width, low, high int, to *int) bool {
	n := 0
	for n < width && n < len(d.rest) && d.rest[n] >= '0' && d.rest[n] <= '9' {
		n++
	}
	for ; n > 0; n-- { // fewer digits where more make too large a number
		if v, _ := strconv.Atoi(d.rest[:n]); v >= low && v <= high {
			*to, d.rest = v, d.rest[n:]
			return true
		}
	}
	return false
}

// name reads the longest of names.
func (d *parsed) name(names []string) (index int, ok bool) {
	index = -1
	for i, name := range names {
		if len(d.rest) >= len(name) && strings.EqualFold(d.rest[:len(name)], name) && (index < 0 || len(name) > len(names[index])) {
			index = i
		}
	}
	if index < 0 {
		return 0, false
	}
	d.rest = d.rest[len(names[index]):]
	return index, true
}

func calendar(n int, name func(i int) string, length int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = name(i)
		if length > 0 {
			names[i] = names[i][:length]
		}
	}
	return names
}

func monthName(i int) string { return time.Month(i + 1).String() }
func dayName(i int) string   { return time.Weekday(i).String() }

func (d *parsed) read(directive byte) bool {
	ignored := 0
	switch directive {
	case 'Y':
		return len(d.rest) >= 4 && strings.Trim(d.rest[:4], "0123456789") == "" && d.number(4, 1, 9999, &d.year)
	case 'y':
		if !d.number(2, 0, 99, &d.year) {
			return false
		}
		d.year += 1900
		if d.year < 1969 {
			d.year += 100
		}
		return true
	case 'm':
		return d.number(2, 1, 12, &d.month)
	case 'd', 'e':
		return d.number(2, 1, 31, &d.day)
	case 'H':
		return d.number(2, 0, 23, &d.hour)
	case 'I':
		d.has12 = true
		return d.number(2, 1, 12, &d.hour)
	case 'M':
		return d.number(2, 0, 59, &d.minute)
	case 'S':
		return d.number(2, 0, 61, &d.second)
	case 'j':
		return d.number(3, 1, 366, &d.yearDay)
	case 'f':
		before := len(d.rest)
		if !d.number(6, 0, 999999, &d.nano) {
			return false
		}
		d.nano *= int(math.Pow10(9 - (before - len(d.rest))))
		return true
	case 'w', 'u':
		return d.number(1, 0, 7, &ignored)
	case 'U', 'W':
		return d.number(2, 0, 53, &ignored)
	case 'B', 'b', 'h':
		names := calendar(12, monthName, 3)
		if directive == 'B' {
			names = calendar(12, monthName, 0)
		}
		i, ok := d.name(names)
		d.month = i + 1
		return ok
	case 'A':
		_, ok := d.name(calendar(7, dayName, 0))
		return ok
	case 'a':
		_, ok := d.name(calendar(7, dayName, 3))
		return ok
	case 'p':
		i, ok := d.name([]string{"am", "pm"})
		d.pm = i == 1
		return ok
	case 'z':
		return d.readZone()
	case 'Z':
		_, ok := d.name([]string{"UTC", "GMT"})
		return ok
	case '%':
		ok := strings.HasPrefix(d.rest, "%")
		d.rest = strings.TrimPrefix(d.rest, "%")
		return ok
	}
	return false
}

// readZone reads Z, +hhmm or +hh:mm.
func (d *parsed) readZone() bool {
	if strings.HasPrefix(d.rest, "Z") {
		d.rest, d.zone = d.rest[1:], time.FixedZone("", 0)
		return true
	}
	if d.rest == "" || d.rest[0] != '+' && d.rest[0] != '-' {
		return false
	}
	sign, h, m := d.rest[0], 0, 0
	d.rest = d.rest[1:]
	if !d.number(2, 0, 23, &h) {
		return false
	}
	d.rest = strings.TrimPrefix(d.rest, ":")
	if !d.number(2, 0, 59, &m) {
		return false
	}
	offset := h*3600 + m*60
	if sign == '-' {
		offset = -offset
	}
	d.zone = time.FixedZone("", offset)
	return true
}
