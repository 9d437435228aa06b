package pymath

import (
	"math"
	"testing"
)

func TestPow(t *testing.T) {
	for _, c := range []struct{ x, y, want float64 }{
		{10, 308, 1e308}, {10, -307, 1e-307}, {2, 0.5, math.Sqrt2}, {2, 1023, 0x1p1023}, {2, -1074, 0x1p-1074}, {-2, 3, -8}, {-2, 2, 4},
		{3, 4, 81}, {1000, 1.0 / 3, 9.999999999999998}, {8, 1.0 / 3, 2}, {0.1, 2, 0.010000000000000002}, {1.1, 10, 2.5937424601000023},
		{5, 0, 1}, {0, 2, 0}, {1, math.Inf(1), 1}, {10, 400, math.Inf(1)},
	} {
		if got := Pow(c.x, c.y); got != c.want {
			t.Errorf("%v to the power of %v is %v, want %v", c.x, c.y, got, c.want)
		}
	}
	if !math.IsNaN(Pow(-8, 0.5)) {
		t.Error("a root of a negative number")
	}
}

func TestLog(t *testing.T) {
	for _, c := range []struct{ got, want float64 }{
		{Log10(1000), 3}, {Log10(1e-5), -5}, {Log10(1e300), 300}, {Log(1), 0}, {Log(2), math.Ln2}, {Log(10), math.Ln10}, {Log(math.E), 1},
		{Log(math.Inf(1)), math.Inf(1)}, {Log(0x1p-1074), -744.4400719213812},
	} {
		if c.got != c.want {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
}
