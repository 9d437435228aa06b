package filters

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gplay/jinja"
)

// dateTime is Python's datetime.
type dateTime struct{ time.Time }

// DateTime is what the clock shows at t, without a zone.
func DateTime(t time.Time) *dateTime {
	t = t.Truncate(time.Microsecond)
	return &dateTime{time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)}
}

func (d *dateTime) isoFormat() string { return strings.Replace(d.String(), " ", "T", 1) }

// String is Python's str().
func (d *dateTime) String() string {
	layout := "2006-01-02 15:04:05"
	if d.Nanosecond() != 0 {
		layout += ".000000"
	}
	if d.Location() != time.UTC {
		layout += "-07:00"
	}
	return d.Format(layout)
}

// YAMLTimestamp is the date as to_yaml writes it.
func (d *dateTime) YAMLTimestamp() string { return d.String() }

// Repr is Python's repr().
func (d *dateTime) Repr() string {
	zone := ""
	if d.Location() != time.UTC {
		_, offset := d.Zone()
		zone = fmt.Sprintf(", tzinfo=datetime.timezone(%s)", timeDelta(time.Duration(offset)*time.Second).Repr())
	}
	return fmt.Sprintf("datetime.datetime(%d, %d, %d, %s%s)", d.Year(), d.Month(), d.Day(), clock(d.Time), zone)
}

// clock is a time of day as Python's repr has it, without the seconds and
// microseconds at its end that are zero.
func clock(t time.Time) string {
	s := fmt.Sprintf("%d, %d", t.Hour(), t.Minute())
	if micro := t.Nanosecond() / 1000; micro != 0 {
		return s + fmt.Sprintf(", %d, %d", t.Second(), micro)
	}
	if t.Second() != 0 {
		s += fmt.Sprintf(", %d", t.Second())
	}
	return s
}

// TypeName is Python's name of the type.
func (d *dateTime) TypeName() string { return "datetime" }

// Attr gives the parts of the date and the methods that playbooks use.
func (d *dateTime) Attr(name string) (any, bool) {
	parts := map[string]int{
		"year": d.Year(), "month": int(d.Month()), "day": d.Day(), "hour": d.Hour(), "minute": d.Minute(),
		"second": d.Second(), "microsecond": d.Nanosecond() / 1000,
	}
	if n, ok := parts[name]; ok {
		return n, true
	}
	if name == "tzinfo" && d.Location() == time.UTC {
		return nil, true
	}
	results := map[string]any{
		"isoformat": d.isoFormat(), "weekday": (int(d.Weekday()) + 6) % 7, "isoweekday": (int(d.Weekday())+6)%7 + 1,
		"timestamp": float64(d.naive().UnixMicro()) / 1e6,
		"date":      &dateOnly{d.Time}, "time": &timeOnly{d.Time}, "toordinal": int(d.Unix()/86400) + 719163,
	}
	if v, ok := results[name]; ok {
		return jinja.Func(func(*jinja.Context, *jinja.Args) (any, error) { return v, nil }), true
	}
	if name == "strftime" {
		return jinja.Func(func(_ *jinja.Context, args *jinja.Args) (any, error) {
			p := bind(args, "format")
			return Strftime(p.text(0, ""), d.Time), p.err
		}), true
	}
	return nil, false
}

// naive reads a date without a zone in the local one, as timestamp() does.
func (d *dateTime) naive() time.Time {
	if d.Location() != time.UTC {
		return d.Time
	}
	return time.Date(d.Year(), d.Month(), d.Day(), d.Hour(), d.Minute(), d.Second(), d.Nanosecond(), time.Local)
}

// Operate is d - other and d + other.
func (d *dateTime) Operate(op string, other any) (any, error) {
	switch o := other.(type) {
	case *dateTime:
		if op == "-" {
			return timeDelta(d.Sub(o.Time)), nil
		}
	case timeDelta:
		switch op {
		case "-":
			return &dateTime{d.Add(-time.Duration(o))}, nil
		case "+":
			return &dateTime{d.Add(time.Duration(o))}, nil
		}
	}
	return nil, unsupported(op, d, other)
}

func unsupported(op string, a, b any) error {
	return fmt.Errorf("unsupported operand type(s) for %s: '%s' and '%s'", op, jinja.TypeName(a), jinja.TypeName(b))
}

// Compare orders d before or after other.
func (d *dateTime) Compare(other any) (int, bool) {
	o, ok := other.(*dateTime)
	if !ok {
		return 0, false
	}
	return d.Time.Compare(o.Time), true
}

// dateOnly is Python's date.
type dateOnly struct{ time.Time }

func (d *dateOnly) String() string { return d.Format("2006-01-02") }

// Repr is Python's repr().
func (d *dateOnly) Repr() string {
	return fmt.Sprintf("datetime.date(%d, %d, %d)", d.Year(), d.Month(), d.Day())
}

// timeOnly is Python's time.
type timeOnly struct{ time.Time }

func (d *timeOnly) String() string {
	if d.Nanosecond() != 0 {
		return d.Format("15:04:05.000000")
	}
	return d.Format("15:04:05")
}

// Repr is Python's repr().
func (d *timeOnly) Repr() string { return "datetime.time(" + clock(d.Time) + ")" }

// timeDelta is Python's timedelta.
type timeDelta time.Duration

// Operate is t + other and t - other, and t times or by a number.
func (t timeDelta) Operate(op string, other any) (any, error) {
	if o, ok := other.(*dateTime); ok && op == "+" {
		return o.Operate(op, t)
	}
	o, isDelta := other.(timeDelta)
	f, isNumber := number(other)
	switch {
	case isDelta && op == "+":
		return t + o, nil
	case isDelta && op == "-":
		return t - o, nil
	case isDelta && op == "/" && o != 0:
		return float64(t) / float64(o), nil
	case isNumber && op == "*":
		return timeDelta(float64(t) * f), nil
	case isNumber && op == "/" && f != 0:
		return timeDelta(float64(t) / f), nil
	}
	return nil, unsupported(op, t, other)
}

// Compare orders t before or after other.
func (t timeDelta) Compare(other any) (int, bool) {
	o, ok := other.(timeDelta)
	return cmp.Compare(t, o), ok
}

const day = 24 * time.Hour

// split gives days, and what is left over of them, never negative.
func (t timeDelta) split() (days int, rest time.Duration) {
	days, rest = int(time.Duration(t)/day), time.Duration(t)%day
	if rest < 0 {
		days, rest = days-1, rest+day
	}
	return days, rest
}

// TypeName is Python's name of the type.
func (t timeDelta) TypeName() string { return "timedelta" }

// Attr gives days, seconds, microseconds and total_seconds().
func (t timeDelta) Attr(name string) (any, bool) {
	days, rest := t.split()
	switch name {
	case "days":
		return days, true
	case "seconds":
		return int(rest / time.Second), true
	case "microseconds":
		return int(rest % time.Second / time.Microsecond), true
	case "total_seconds":
		return jinja.Func(func(*jinja.Context, *jinja.Args) (any, error) { return time.Duration(t).Seconds(), nil }), true
	}
	return nil, false
}

// Repr is Python's repr().
func (t timeDelta) Repr() string {
	days, rest := t.split()
	var parts []string
	for _, part := range []struct {
		name string
		n    int
	}{{"days", days}, {"seconds", int(rest / time.Second)}, {"microseconds", int(rest % time.Second / time.Microsecond)}} {
		if part.n != 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", part.name, part.n))
		}
	}
	return "datetime.timedelta(" + cmp.Or(strings.Join(parts, ", "), "0") + ")"
}

// String is Python's str(): 2 days, 1:02:03.
func (t timeDelta) String() string {
	days, rest := t.split()
	s := fmt.Sprintf("%d:%02d:%02d", rest/time.Hour, rest%time.Hour/time.Minute, rest%time.Minute/time.Second)
	if micro := rest % time.Second / time.Microsecond; micro != 0 {
		s += fmt.Sprintf(".%06d", micro)
	}
	switch {
	case slices.Contains([]int{1, -1}, days):
		return fmt.Sprintf("%d day, %s", days, s)
	case days != 0:
		return fmt.Sprintf("%d days, %s", days, s)
	}
	return s
}
