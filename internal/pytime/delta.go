package pytime

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gplay/jinja"
)

// Delta is Python's timedelta.
type Delta time.Duration

// Operate is t + other and t - other, and t times or by a number.
func (t Delta) Operate(op string, other any) (any, error) {
	switch o := other.(type) {
	case DateTime:
		if op == "+" {
			return o.Operate(op, t)
		}
	case Date:
		if op == "+" {
			return o.Operate(op, t)
		}
	}
	o, isDelta := other.(Delta)
	f, isNumber := number(other)
	switch {
	case isDelta && op == "+":
		return t + o, nil
	case isDelta && op == "-":
		return t - o, nil
	case isDelta && op == "/" && o != 0:
		return float64(t) / float64(o), nil
	case isNumber && op == "*":
		return Delta(float64(t) * f), nil
	case isNumber && op == "/" && f != 0:
		return Delta(float64(t) / f), nil
	}
	return nil, unsupported(op, t, other)
}

// Compare orders t before or after other.
func (t Delta) Compare(other any) (int, error) {
	o, ok := other.(Delta)
	if !ok {
		return 0, jinja.ErrNoOrder
	}
	return cmp.Compare(t, o), nil
}

const day = 24 * time.Hour

// split gives days, and what is left over of them, never negative.
func (t Delta) split() (days int, rest time.Duration) {
	days, rest = int(time.Duration(t)/day), time.Duration(t)%day
	if rest < 0 {
		days, rest = days-1, rest+day
	}
	return days, rest
}

// TypeName is Python's name of the type.
func (t Delta) TypeName() string { return "datetime.timedelta" }

// Attr gives days, seconds, microseconds and total_seconds().
func (t Delta) Attr(name string) (any, bool) {
	days, rest := t.split()
	switch name {
	case "days":
		return days, true
	case "seconds":
		return int(rest / time.Second), true
	case "microseconds":
		return int(rest % time.Second / time.Microsecond), true
	case "total_seconds":
		return gives(time.Duration(t).Seconds()), true
	}
	return nil, false
}

// Repr is Python's repr().
func (t Delta) Repr() string {
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
func (t Delta) String() string {
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
