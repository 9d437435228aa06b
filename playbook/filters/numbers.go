package filters

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gplay/internal/pymath"
	"gplay/jinja"
)

var numberFilters = map[string]jinja.Filter{
	"human_readable": humanReadable,
	"human_to_bytes": humanToBytes,
	"log":            logarithm,
	"pow":            power,
	"root":           root,
}

func isNaN(_ *jinja.Context, v any, _ *jinja.Args) (bool, error) {
	f, ok := v.(float64)
	return ok && math.IsNaN(f), nil
}

func indexOrName(s string) any {
	if i, err := strconv.Atoi(s); err == nil && i >= 0 {
		return i
	}
	return s
}

func toFloat(v any) (float64, bool) {
	if b, ok := v.(*big.Int); ok {
		f, _ := new(big.Float).SetInt(b).Float64()
		return f, true
	}
	return number(v)
}

var errDomain = jinja.ValueErrorf("math domain error")

func logarithm(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "base=")
	base := p.value(0, math.E)
	if p.err != nil {
		return nil, p.err
	}
	x, ok1 := toFloat(v)
	b, ok2 := toFloat(base)
	switch {
	case !ok1 || !ok2:
		return nil, jinja.TypeErrorf("log() can only be used on numbers: must be real number, not %s", jinja.TypeName(oneOf(!ok1, v, base)))
	case x <= 0 || b <= 0:
		return nil, errDomain
	case b == 10:
		return pymath.Log10(x), nil
	case b == 1:
		return nil, jinja.Exceptionf("ZeroDivisionError", "float division by zero")
	}
	return pymath.Log(x) / pymath.Log(b), nil
}

// noReal is what Python says of a value that is no number, or cannot be made
// one where text is converted.
func noReal(v any, converts bool) string {
	if s, ok := v.(string); ok && converts {
		return "could not convert string to float: " + jinja.Repr(s)
	}
	return "must be real number, not " + jinja.TypeName(v)
}

func oneOf(first bool, a, b any) any {
	if first {
		return a
	}
	return b
}

func power(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "y")
	exponent := p.value(0, nil)
	if p.err != nil {
		return nil, p.err
	}
	x, ok1 := toFloat(v)
	y, ok2 := toFloat(exponent)
	if !ok1 || !ok2 {
		return nil, jinja.TypeErrorf("pow() can only be used on numbers: must be real number, not %s", jinja.TypeName(oneOf(!ok1, v, exponent)))
	}
	return pow(x, y)
}

func pow(x, y float64) (any, error) {
	f := pymath.Pow(x, y)
	switch {
	case math.IsNaN(f) && !math.IsNaN(x) && !math.IsNaN(y), x == 0 && y < 0:
		return nil, errDomain
	case math.IsInf(f, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0):
		return nil, errors.New("math range error")
	}
	return f, nil
}

func root(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "base=")
	base := p.value(0, 2)
	if p.err != nil {
		return nil, p.err
	}
	x, ok1 := toFloat(v)
	b, ok2 := toFloat(base)
	if s, isText := base.(string); isText {
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		b, ok2 = f, err == nil
	}
	if !ok1 || !ok2 {
		return nil, jinja.TypeErrorf("root() can only be used on numbers: %s", noReal(oneOf(!ok1, v, base), ok1))
	}
	switch {
	case b == 0:
		return nil, jinja.Exceptionf("ZeroDivisionError", "float division by zero")
	case b == 2 && x < 0:
		return nil, jinja.TypeErrorf("root() can only be used on numbers: math domain error")
	case b == 2:
		return math.Sqrt(x), nil
	}
	return pow(x, 1/b)
}

type sizeUnit struct {
	suffix string
	shift  int // a power of two
}

// sizes are the units of human sizes, the largest first.
var sizes = []sizeUnit{{"Y", 80}, {"Z", 70}, {"E", 60}, {"P", 50}, {"T", 40}, {"G", 30}, {"M", 20}, {"K", 10}, {"B", 0}}

func humanReadable(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "isbits=", "unit=")
	bits, unit := p.truth(0, false), strings.ToUpper(p.text(1, ""))
	size, ok := toFloat(v)
	switch {
	case p.err != nil:
		return nil, p.err
	case !ok:
		return nil, jinja.TypeErrorf("human_readable() failed on bad input: '>=' not supported between instances of '%s' and 'int'", jinja.TypeName(v))
	}
	i := slices.IndexFunc(sizes, func(s sizeUnit) bool {
		return unit == "" && size >= math.Ldexp(1, s.shift) || unit == s.suffix
	})
	if i < 0 {
		i = len(sizes) - 1
	}
	base := "Bytes"
	if bits {
		base = "bits"
	}
	suffix := base
	if sizes[i].shift > 0 {
		suffix = sizes[i].suffix + base[:1]
	}
	return fmt.Sprintf("%.2f %s", size/math.Ldexp(1, sizes[i].shift), suffix), nil
}

var humanSize = regexp.MustCompile(`^\s*(\d*\.?\d*)\s*([A-Za-z]+)?`)

func humanToBytes(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "default_unit=", "isbits=")
	s, err := text(v)
	unit, bits := p.text(0, ""), p.truth(1, false)
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	wrong := fmt.Errorf("human_to_bytes() can't interpret following string: %s", s)
	m := humanSize.FindStringSubmatch(s)
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return nil, wrong
	}
	if m[2] != "" {
		unit = m[2]
	}
	if unit == "" {
		return wholeNumber(math.RoundToEven(n)), nil
	}
	i := slices.IndexFunc(sizes, func(s sizeUnit) bool {
		return s.suffix == strings.ToUpper(unit[:1])
	})
	class, name := "B", "byte"
	if bits {
		class, name = "b", "bit"
	}
	if i < 0 || len(unit) > 1 && !strings.Contains(strings.ToLower(unit), name) && unit[1:2] != class {
		return nil, wrong
	}
	return wholeNumber(math.RoundToEven(math.Ldexp(n, sizes[i].shift))), nil
}

func wholeNumber(f float64) any {
	if math.Abs(f) < 1<<62 {
		return int(f)
	}
	i, _ := big.NewFloat(f).Int(nil)
	return i
}
