// Package pymath has functions of floats that give, to the last bit, what those
// of C give that Python calls; Go's own do not always.
package pymath

import (
	"math"
	"math/big"
)

const precision = 256

func newFloat() *big.Float { return new(big.Float).SetPrec(precision) }

func fromFloat(f float64) *big.Float { return newFloat().SetFloat64(f) }

var ln2 = lnTwo()

// Pow is x to the power of y.
func Pow(x, y float64) float64 {
	rough := math.Pow(x, y)
	switch {
	case rough == 0 || math.IsInf(rough, 0) || math.IsNaN(rough), y == 0, math.Abs(x) == 1, math.IsInf(y, 0):
		return rough
	}
	exact, _ := exp(newFloat().Mul(fromFloat(y), ln(fromFloat(math.Abs(x))))).Float64()
	return math.Copysign(exact, rough)
}

// Log is the natural logarithm of a positive x.
func Log(x float64) float64 {
	if math.IsInf(x, 1) || !(x > 0) {
		return math.Log(x)
	}
	f, _ := ln(fromFloat(x)).Float64()
	return f
}

// Log10 is the logarithm to the base of ten of a positive x. C's is not right
// to the last bit; this is how it is computed there.
func Log10(x float64) float64 {
	if math.IsInf(x, 1) || !(x > 0) {
		return math.Log10(x)
	}
	const (
		perLn10 = 4.34294481903251816668e-01
		twoHigh = 3.01029995663611771306e-01
		twoLow  = 3.69423907715893078616e-13
	)
	fraction, exponent := math.Frexp(x) // fraction is 0.5 or more, and below 1
	if exponent > 0 {
		fraction, exponent = 2*fraction, exponent-1
	}
	y := float64(exponent)
	z := float64(y*twoLow) + float64(perLn10*Log(fraction))
	return z + float64(y*twoHigh)
}

// atanh2 is twice the inverse hyperbolic tangent of a small z.
func atanh2(z *big.Float) *big.Float {
	square := newFloat().Mul(z, z)
	power, sum := newFloat().Set(z), newFloat().Set(z)
	for n := 3.0; ; n += 2 {
		power.Mul(power, square)
		term := newFloat().Quo(power, fromFloat(n))
		if term.Sign() == 0 || term.MantExp(nil) < sum.MantExp(nil)-precision {
			return sum.Mul(sum, fromFloat(2))
		}
		sum.Add(sum, term)
	}
}

func lnTwo() *big.Float { return atanh2(newFloat().Quo(fromFloat(1), fromFloat(3))) }

func ln(x *big.Float) *big.Float {
	mantissa := newFloat()
	exponent := x.MantExp(mantissa) // mantissa is 0.5 or more, and below 1
	if mantissa.Cmp(fromFloat(math.Sqrt2/2)) < 0 {
		mantissa.Mul(mantissa, fromFloat(2))
		exponent--
	}
	one := fromFloat(1)
	z := newFloat().Quo(newFloat().Sub(mantissa, one), newFloat().Add(mantissa, one))
	return newFloat().Add(atanh2(z), newFloat().Mul(ln2, fromFloat(float64(exponent))))
}

// exp halves its argument some times, and squares as often what it finds.
func exp(v *big.Float) *big.Float {
	const halvings = 16
	ratio, _ := newFloat().Quo(v, ln2).Float64()
	twos := math.Round(ratio)
	rest := newFloat().Sub(v, newFloat().Mul(ln2, fromFloat(twos)))
	rest.SetMantExp(rest, -halvings)
	term, sum := fromFloat(1), fromFloat(1)
	for n := 1.0; ; n++ {
		term.Quo(term.Mul(term, rest), fromFloat(n))
		if term.Sign() == 0 || term.MantExp(nil) < sum.MantExp(nil)-precision {
			break
		}
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum.SetMantExp(sum, int(twos))
}
