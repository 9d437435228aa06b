// Package pytime has the types of Python's datetime, as templates see them.
package pytime

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"gplay/jinja"
)

// Date is Python's date.
type Date struct{ t time.Time }

// NewDate is a day of the calendar; ok is false where there is none such.
func NewDate(year, month, day int) (d Date, ok bool) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return Date{t}, year >= 1 && int(t.Month()) == month && t.Day() == day
}

// DateTime is Python's datetime. It has no zone where its time is in UTC
// itself, not in a zone that is at its hour.
type DateTime struct{ t time.Time }

// New is the datetime at t, without a zone where t is in UTC.
func New(t time.Time) DateTime { return DateTime{t} }

// Naive is what the clock shows at t, without a zone.
func Naive(t time.Time) DateTime {
	t = t.Truncate(time.Microsecond)
	return DateTime{time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)}
}

// Time is Python's time.
type Time struct{ t time.Time }

// zone is Python's timezone.
type zone struct{ offset time.Duration }

func (d Date) String() string { return d.t.Format(time.DateOnly) }

// Repr is Python's repr().
func (d Date) Repr() string {
	return fmt.Sprintf("datetime.date(%d, %d, %d)", d.t.Year(), d.t.Month(), d.t.Day())
}

// MarshalText is the form that Ansible's JSON has for it.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// YAMLTimestamp is the date as to_yaml writes it.
func (d Date) YAMLTimestamp() string { return d.String() }

// TypeName is Python's name of the type.
func (d Date) TypeName() string { return "datetime.date" }

func (d DateTime) aware() bool { return d.t.Location() != time.UTC }

// String is Python's str().
func (d DateTime) String() string {
	layout := time.DateTime
	if d.t.Nanosecond() != 0 {
		layout += ".000000"
	}
	if d.aware() {
		layout += "-07:00"
	}
	return d.t.Format(layout)
}

// Repr is Python's repr().
func (d DateTime) Repr() string {
	suffix := ""
	if d.aware() {
		suffix = ", tzinfo=" + d.zone().Repr()
	}
	return fmt.Sprintf("datetime.datetime(%d, %d, %d, %s%s)", d.t.Year(), d.t.Month(), d.t.Day(), clock(d.t), suffix)
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

// MarshalText is the form that Ansible's JSON has for it.
func (d DateTime) MarshalText() ([]byte, error) {
	return []byte(strings.Replace(d.String(), " ", "T", 1)), nil
}

// YAMLTimestamp is the date as to_yaml writes it.
func (d DateTime) YAMLTimestamp() string { return d.String() }

// TypeName is Python's name of the type.
func (d DateTime) TypeName() string { return "datetime.datetime" }

func (d DateTime) zone() zone {
	_, offset := d.t.Zone()
	return zone{time.Duration(offset) * time.Second}
}

// Strftime formats d by the codes of Python's datetime.
func (d DateTime) Strftime(format string) string { return formatted(format, d.t) }

func (t Time) String() string {
	if t.t.Nanosecond() != 0 {
		return t.t.Format("15:04:05.000000")
	}
	return t.t.Format(time.TimeOnly)
}

// Repr is Python's repr().
func (t Time) Repr() string { return "datetime.time(" + clock(t.t) + ")" }

// TypeName is Python's name of the type.
func (t Time) TypeName() string { return "datetime.time" }

func (z zone) String() string {
	if z.offset == 0 {
		return "UTC"
	}
	return "UTC" + time.Unix(0, 0).In(time.FixedZone("", int(z.offset/time.Second))).Format("-07:00")
}

// Repr is Python's repr().
func (z zone) Repr() string {
	if z.offset == 0 {
		return "datetime.timezone.utc"
	}
	return "datetime.timezone(" + Delta(z.offset).Repr() + ")"
}

// TypeName is Python's name of the type.
func (z zone) TypeName() string { return "datetime.timezone" }

// gives is a method without arguments that gives v.
func gives(v any) jinja.Func {
	return func(_ *jinja.Context, args *jinja.Args) (any, error) {
		_, err := args.Bind()
		return v, err
	}
}

// dateAttr are the parts and methods that a date and a datetime have in common.
func dateAttr(t time.Time, name string) (any, bool) {
	switch name {
	case "year":
		return t.Year(), true
	case "month":
		return int(t.Month()), true
	case "day":
		return t.Day(), true
	case "weekday":
		return gives((int(t.Weekday()) + 6) % 7), true
	case "isoweekday":
		return gives((int(t.Weekday())+6)%7 + 1), true
	case "toordinal":
		_, offset := t.Zone()
		return gives(int((t.Unix()+int64(offset))/86400) + 719163), true
	case "ctime":
		return gives(t.Format(time.ANSIC)), true
	case "strftime":
		return jinja.Func(func(_ *jinja.Context, args *jinja.Args) (any, error) {
			p, err := args.Bind("format")
			if err != nil {
				return nil, err
			}
			return formatted(jinja.Str(p[0]), t), nil
		}), true
	}
	return nil, false
}

// Attr gives the parts of the date and the methods that playbooks use.
func (d Date) Attr(name string) (any, bool) {
	switch name {
	case "isoformat":
		return gives(d.String()), true
	case "replace":
		return replace(d.t, []string{"year", "month", "day"}, func(t time.Time) any { return Date{t} }), true
	}
	return dateAttr(d.t, name)
}

// Attr gives the parts of the date and the methods that playbooks use.
func (d DateTime) Attr(name string) (any, bool) {
	switch name {
	case "hour":
		return d.t.Hour(), true
	case "minute":
		return d.t.Minute(), true
	case "second":
		return d.t.Second(), true
	case "microsecond":
		return d.t.Nanosecond() / 1000, true
	case "tzinfo":
		if !d.aware() {
			return nil, true
		}
		return d.zone(), true
	case "utcoffset":
		if !d.aware() {
			return gives(nil), true
		}
		return gives(Delta(d.zone().offset)), true
	case "isoformat":
		return gives(strings.Replace(d.String(), " ", "T", 1)), true
	case "timestamp":
		return gives(float64(d.instant().UnixMicro()) / 1e6), true
	case "date":
		day, _ := NewDate(d.t.Year(), int(d.t.Month()), d.t.Day())
		return gives(day), true
	case "time":
		return gives(Time(d)), true
	case "replace":
		return replace(d.t, []string{"year", "month", "day", "hour", "minute", "second", "microsecond"}, func(t time.Time) any { return DateTime{t} }), true
	}
	return dateAttr(d.t, name)
}

// replace is the method of that name: t with other parts.
func replace(t time.Time, names []string, result func(time.Time) any) jinja.Func {
	return func(_ *jinja.Context, args *jinja.Args) (any, error) {
		parts := []int{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1000}
		optional := make([]string, len(names))
		for i, name := range names {
			optional[i] = name + "="
		}
		given, err := args.Bind(optional...)
		if err != nil {
			return nil, err
		}
		for i, v := range given {
			if v == jinja.Missing {
				continue
			}
			n, ok := v.(int)
			if !ok {
				return nil, jinja.TypeErrorf("'%s' object cannot be interpreted as an integer", jinja.TypeName(v))
			}
			parts[i] = n
		}
		changed := time.Date(parts[0], time.Month(parts[1]), parts[2], parts[3], parts[4], parts[5], parts[6]*1000, t.Location())
		for i, n := range []int{changed.Year(), int(changed.Month()), changed.Day(), changed.Hour(), changed.Minute(), changed.Second()} {
			if n == parts[i] {
				continue
			}
			if i == 2 {
				return nil, errors.New("day is out of range for month")
			}
			return nil, fmt.Errorf("%s must be in %s", names[i], []string{"1..9999", "1..12", "", "0..23", "0..59", "0..59"}[i])
		}
		return result(changed), nil
	}
}

// instant is when it is d; without a zone, in the local one.
func (d DateTime) instant() time.Time {
	if d.aware() {
		return d.t
	}
	return time.Date(d.t.Year(), d.t.Month(), d.t.Day(), d.t.Hour(), d.t.Minute(), d.t.Second(), d.t.Nanosecond(), time.Local)
}

// Operate is d - other and d + other.
func (d DateTime) Operate(op string, other any) (any, error) {
	switch o := other.(type) {
	case DateTime:
		switch {
		case op != "-":
		case d.aware() != o.aware():
			return nil, jinja.TypeErrorf("can't subtract offset-naive and offset-aware datetimes")
		default:
			return Delta(d.t.Sub(o.t)), nil
		}
	case Delta:
		if t, ok := shift(d.t, op, time.Duration(o)); ok {
			return DateTime{t}, nil
		}
	}
	return nil, unsupported(op, d, other)
}

// Operate is d - other and d + other.
func (d Date) Operate(op string, other any) (any, error) {
	switch o := other.(type) {
	case Date:
		if op == "-" {
			return Delta(d.t.Sub(o.t)), nil
		}
	case Delta:
		days, _ := o.split()
		if t, ok := shift(d.t, op, time.Duration(days)*day); ok {
			return Date{t}, nil
		}
	}
	return nil, unsupported(op, d, other)
}

func shift(t time.Time, op string, by time.Duration) (time.Time, bool) {
	switch op {
	case "+":
		return t.Add(by), true
	case "-":
		return t.Add(-by), true
	}
	return t, false
}

func unsupported(op string, a, b any) error {
	return jinja.TypeErrorf("unsupported operand type(s) for %s: '%s' and '%s'", op, jinja.TypeName(a), jinja.TypeName(b))
}

// Compare orders d before or after other.
func (d DateTime) Compare(other any) (int, error) {
	switch o := other.(type) {
	case DateTime:
		if d.aware() != o.aware() {
			return 0, jinja.TypeErrorf("can't compare offset-naive and offset-aware datetimes")
		}
		return d.t.Compare(o.t), nil
	case Date:
		return 0, jinja.TypeErrorf("can't compare datetime.datetime to datetime.date")
	}
	return 0, jinja.ErrNoOrder
}

// Compare orders d before or after other.
func (d Date) Compare(other any) (int, error) {
	switch o := other.(type) {
	case Date:
		return d.t.Compare(o.t), nil
	case DateTime:
		return o.Compare(d)
	}
	return 0, jinja.ErrNoOrder
}

// number is an int or a float as a float.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, true
	}
	return 0, false
}
