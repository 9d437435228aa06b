package filters

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gplay/jinja"
)

var timeUnitFilters = map[string]jinja.Filter{
	"to_days":         inTimeUnit("d"),
	"to_hours":        inTimeUnit("h"),
	"to_milliseconds": inTimeUnit("ms"),
	"to_minutes":      inTimeUnit("m"),
	"to_months":       inTimeUnit("mo"),
	"to_seconds":      inTimeUnit("s"),
	"to_time_unit":    toTimeUnit,
	"to_weeks":        inTimeUnit("w"),
	"to_years":        inTimeUnit("y"),
}

const dayLength = 24 * 60 * 60 * 1000 // in milliseconds

// timeUnits are in milliseconds; months and years may be said to be longer.
var timeUnits = map[string]float64{
	"ms": 1, "s": 1000, "m": 60 * 1000, "h": 60 * 60 * 1000, "d": dayLength, "w": 7 * dayLength, "mo": 30 * dayLength, "y": 365 * dayLength,
}

var timeUnitNames = map[string]string{
	"millisecond": "ms", "msec": "ms", "msecond": "ms", "sec": "s", "second": "s", "min": "m", "minute": "m",
	"hour": "h", "day": "d", "week": "w", "month": "mo", "year": "y",
}

func timeUnit(name string) string {
	if short, ok := timeUnitNames[strings.TrimRight(name, "s")]; ok {
		return short
	}
	return name
}

func inTimeUnit(unit string) jinja.Filter {
	return func(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
		return convertTime(v, unit, bind(args, "year=", "month="), 0)
	}
}

func toTimeUnit(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "unit=", "year=", "month=")
	return convertTime(v, p.text(0, "ms"), p, 1)
}

var timePart = regexp.MustCompile(`^(-?\d+)([\pL\pN_]+)`)

// convertTime adds the parts of "2h 30m" and gives the sum in a unit. The days
// of a year and of a month are the arguments year and year+1.
func convertTime(v any, unit string, p *params, year int) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("to_time_unit() wants a string such as 1h 30m, not %s", jinja.TypeName(v))
	}
	days := map[string]any{"y": p.value(year, 365), "mo": p.value(year+1, 30)}
	if p.err != nil {
		return nil, p.err
	}
	if s == "0" {
		return 0, nil
	}
	size := func(unit string) (float64, bool) {
		if n, ok := days[unit]; ok {
			n, ok := number(n)
			return n * dayLength, ok
		}
		n, ok := timeUnits[unit]
		return n, ok
	}
	whole, ok := size(timeUnit(unit))
	if !ok {
		return nil, fmt.Errorf("to_time_unit() can not convert to the following unit: %s. Available units are ms, s, m, h, d, w, mo and y, or their names", unit)
	}
	if whole == 0 {
		return nil, jinja.Exceptionf("ZeroDivisionError", "float division by zero")
	}
	sum := 0.0
	for part := range strings.FieldsSeq(s) {
		m := timePart.FindStringSubmatch(part)
		if m == nil {
			return nil, fmt.Errorf("to_time_unit() can not interpret following string: %s", s)
		}
		n, err := strconv.ParseFloat(m[1], 64)
		of, ok := size(timeUnit(m[2]))
		if err != nil || !ok {
			return nil, fmt.Errorf("to_time_unit() can not interpret following string: %s", s)
		}
		sum += n * of
	}
	return roundTo(sum/whole, 12), nil
}

// roundTo rounds to that many digits as Python does: by the shortest text.
func roundTo(f float64, digits int) float64 {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return f
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', digits, 64), 64)
	return rounded
}
