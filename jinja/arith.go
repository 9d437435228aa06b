package jinja

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strings"

	"gplay/internal/pymath"
)

// maxBits is the most bits an integer may have.
const maxBits = 1 << 18

// arithmetic is a op b for + - * / // % **.
func arithmetic(c *Context, op string, a, b any) (any, error) {
	if x, ok := a.(int); ok {
		if y, ok := b.(int); ok {
			return intArithmetic(op, x, y)
		}
	}
	left, right := a, b
	a, b = bare(a), bare(b)
	if isNumber(a) && isNumber(b) {
		_, xf := a.(float64)
		_, yf := b.(float64)
		if xf || yf {
			x, _ := toFloat(a)
			y, _ := toFloat(b)
			if math.IsInf(x, 0) && !xf || math.IsInf(y, 0) && !yf {
				return nil, Exceptionf("OverflowError", "int too large to convert to float")
			}
			return floatArithmetic(op, x, y)
		}
		x, xok := toInt(a)
		y, yok := toInt(b)
		if xok && yok {
			return intArithmetic(op, x, y)
		}
		return bigArithmetic(op, toBig(a), toBig(b))
	}
	if o, ok := a.(Object); ok {
		return o.Operate(op, b)
	}
	switch op {
	case "+":
		return concatenate(c, left, right)
	case "*":
		return repeat(a, b)
	case "%":
		switch s := a.(type) {
		case string:
			return percentFormat(s, b)
		case Markup:
			return percentMarkup(c, s, b)
		case []byte:
			return percentBytes(s, b)
		}
	case "-":
		if x, ok := a.(*view); ok {
			return viewDifference(x, b)
		}
	}
	return nil, unsupported(op, left, right)
}

func intArithmetic(op string, x, y int) (any, error) {
	switch op {
	case "+":
		if sum := x + y; (sum > x) == (y > 0) {
			return sum, nil
		}
	case "-":
		if diff := x - y; (diff < x) == (y > 0) {
			return diff, nil
		}
	case "*":
		hi, lo := bits.Mul64(magnitude(x), magnitude(y))
		if hi == 0 && lo < 1<<63 {
			return x * y, nil
		}
	case "/":
		if y == 0 {
			return nil, Exceptionf("ZeroDivisionError", "division by zero")
		}
		if magnitude(x) < 1<<53 && magnitude(y) < 1<<53 {
			return float64(x) / float64(y), nil
		}
	case "//":
		if y == 0 {
			return nil, Exceptionf("ZeroDivisionError", "integer division or modulo by zero")
		}
		if y != -1 {
			q := x / y
			if x%y != 0 && (x < 0) != (y < 0) {
				q--
			}
			return q, nil
		}
	case "%":
		if y == 0 {
			return nil, Exceptionf("ZeroDivisionError", "integer modulo by zero")
		}
		if y == -1 {
			return 0, nil
		}
		m := x % y
		if m != 0 && (m < 0) != (y < 0) {
			m += y
		}
		return m, nil
	}
	return bigArithmetic(op, big.NewInt(int64(x)), big.NewInt(int64(y)))
}

func magnitude(x int) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

func bigArithmetic(op string, x, y *big.Int) (any, error) {
	z := new(big.Int)
	switch op {
	case "+":
		z.Add(x, y)
	case "-":
		z.Sub(x, y)
	case "*":
		z.Mul(x, y)
	case "/":
		return bigQuotient(x, y)
	case "//", "%":
		switch {
		case y.Sign() == 0 && op == "%":
			return nil, Exceptionf("ZeroDivisionError", "integer modulo by zero")
		case y.Sign() == 0:
			return nil, Exceptionf("ZeroDivisionError", "integer division or modulo by zero")
		}
		m := new(big.Int)
		z.QuoRem(x, y, m)
		if m.Sign() != 0 && m.Sign() != y.Sign() {
			z.Sub(z, big.NewInt(1))
			m.Add(m, y)
		}
		if op == "%" {
			z = m
		}
	case "**":
		return bigPower(x, y)
	}
	if z.BitLen() > maxBits {
		return nil, errTooLarge
	}
	return normalBig(z), nil
}

func bigQuotient(x, y *big.Int) (any, error) {
	if y.Sign() == 0 {
		return nil, Exceptionf("ZeroDivisionError", "division by zero")
	}
	q, _ := new(big.Rat).SetFrac(x, y).Float64()
	if math.IsInf(q, 0) {
		return nil, Exceptionf("OverflowError", "integer division result too large for a float")
	}
	if q == 0 && (x.Sign() < 0) != (y.Sign() < 0) {
		q = math.Copysign(0, -1)
	}
	return q, nil
}

func bigPower(x, y *big.Int) (any, error) {
	if y.Sign() < 0 {
		if x.Sign() == 0 {
			return nil, Exceptionf("ZeroDivisionError", "0.0 cannot be raised to a negative power")
		}
		a, _ := toFloat(x)
		b, _ := toFloat(y)
		return pymath.Pow(a, b), nil
	}
	if x.BitLen() > 1 && (!y.IsInt64() || y.Int64() > maxBits/int64(x.BitLen())) {
		return nil, errTooLarge
	}
	if x.BitLen() <= 1 && !y.IsInt64() {
		y = new(big.Int).And(y, big.NewInt(3)) // of 0, 1 and -1 only parity matters
		y.Add(y, big.NewInt(4))
	}
	return normalBig(new(big.Int).Exp(x, y, nil)), nil
}

func floatArithmetic(op string, x, y float64) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "/":
		if y == 0 {
			return nil, Exceptionf("ZeroDivisionError", "float division by zero")
		}
		return x / y, nil
	case "//":
		if y == 0 {
			return nil, Exceptionf("ZeroDivisionError", "float floor division by zero")
		}
		return math.Floor((x - floatModulo(x, y)) / y), nil
	case "%":
		if y == 0 {
			return nil, Exceptionf("ZeroDivisionError", "float modulo")
		}
		return floatModulo(x, y), nil
	}
	if x == 0 && y < 0 {
		return nil, Exceptionf("ZeroDivisionError", "0.0 cannot be raised to a negative power")
	}
	if x < 0 && y != math.Trunc(y) && !math.IsInf(x, 0) {
		return nil, fmt.Errorf("a negative number to a power that is no integer is complex")
	}
	z := pymath.Pow(x, y)
	if math.IsInf(z, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		return nil, Exceptionf("OverflowError", "(34, 'Numerical result out of range')")
	}
	return z, nil
}

func floatModulo(x, y float64) float64 {
	m := math.Mod(x, y)
	switch {
	case m == 0:
		return math.Copysign(0, y)
	case (m < 0) != (y < 0):
		m += y
	}
	return m
}

// concatenate is a + b for everything but numbers.
func concatenate(c *Context, a, b any) (any, error) {
	switch x := bare(a).(type) {
	case string:
		switch y := bare(b).(type) {
		case string:
			return joinTexts(x, y)
		case Markup:
			return escape(x) + y, nil
		case *Undefined:
		default:
			return nil, typeErrorf("can only concatenate str (not %q) to str", typeName(b))
		}
	case Markup:
		switch y := bare(b).(type) {
		case string:
			return x + escape(y), nil
		case Markup:
			return x + y, nil
		}
	case *List:
		switch y := bare(b).(type) {
		case *List:
			items, err := joinItems(x.Items, y.Items)
			return &List{Items: items}, err
		case *Undefined:
		default:
			return nil, typeErrorf("can only concatenate list (not %q) to list", typeName(b))
		}
	case Tuple:
		switch y := bare(b).(type) {
		case Tuple:
			items, err := joinItems(x, y)
			return Tuple(items), err
		case *Undefined:
		default:
			return nil, typeErrorf("can only concatenate tuple (not %q) to tuple", typeName(b))
		}
	case []byte:
		if y, ok := bare(b).([]byte); ok {
			return append(append([]byte(nil), x...), y...), nil
		}
		if _, undefined := b.(*Undefined); !undefined {
			return nil, typeErrorf("can't concat %s to bytes", typeName(b))
		}
	}
	return nil, unsupported("+", a, b)
}

func joinTexts(a, b string) (any, error) {
	if len(a)+len(b) > maxSize {
		return nil, errTooLarge
	}
	return a + b, nil
}

func joinItems(a, b []any) ([]any, error) {
	if len(a)+len(b) > maxItems {
		return nil, errTooLarge
	}
	out := make([]any, 0, len(a)+len(b))
	return append(append(out, a...), b...), nil
}

// repeat is a * b where one is a sequence.
func repeat(x, y any) (any, error) {
	a, b := x, y
	if isNumber(a) {
		a, b = b, a
	}
	switch a.(type) {
	case string, Markup, *List, Tuple, []byte:
	default:
		return nil, unsupported("*", x, y)
	}
	if u, ok := b.(*Undefined); ok {
		return nil, &undefinedError{u}
	}
	n, ok := toInt(b)
	if !ok {
		return nil, typeErrorf("can't multiply sequence by non-int of type '%s'", typeName(b))
	}
	n = max(n, 0)
	size, most := len(textOrBytes(a)), maxSize
	if size == 0 {
		size, _ = Len(a)
		most = maxItems
	}
	if size > 0 && n > most/size {
		return nil, errTooLarge
	}
	switch a := a.(type) {
	case string:
		return strings.Repeat(a, n), nil
	case Markup:
		return Markup(strings.Repeat(string(a), n)), nil
	case []byte:
		return []byte(strings.Repeat(string(a), n)), nil
	case Tuple:
		return Tuple(repeatItems(a, n)), nil
	}
	return &List{Items: repeatItems(a.(*List).Items, n)}, nil
}

func textOrBytes(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	s, _ := text(v)
	return s
}

func repeatItems(items []any, n int) []any {
	out := make([]any, 0, len(items)*n)
	for range n {
		out = append(out, items...)
	}
	return out
}

// viewDifference is dict.keys() - other. Its order is the dict's.
func viewDifference(v *view, other any) (any, error) {
	items, err := v.items()
	if err != nil {
		return nil, err
	}
	var out []any
	for _, item := range items {
		in, err := contains(other, item)
		if err != nil {
			return nil, err
		}
		if !in {
			out = append(out, item)
		}
	}
	return &List{Items: out}, nil
}

// negate is -v and +v.
func unary(op string, v any) (any, error) {
	switch x := v.(type) {
	case int, bool, *big.Int:
		if op == "+" {
			return normalBig(toBig(x)), nil
		}
		return normalBig(new(big.Int).Neg(toBig(x))), nil
	case float64:
		if op == "-" {
			return -x, nil
		}
		return x, nil
	case *Undefined:
		return nil, &undefinedError{x}
	}
	return nil, typeErrorf("bad operand type for unary %s: '%s'", op, typeName(v))
}
