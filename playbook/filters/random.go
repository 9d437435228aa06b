package filters

import (
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"

	"gplay/jinja"
)

var randomFilters = map[string]jinja.Filter{
	"random":  random,
	"shuffle": shuffle,
}

// generator gives random numbers: Python's own where there is a seed.
type generator struct{ twister *twister }

func newGenerator(seed any) (generator, error) {
	if seed == nil {
		return generator{}, nil
	}
	key, err := seedKey(seed)
	if err != nil {
		return generator{}, err
	}
	return generator{newTwister(key)}, nil
}

// seedKey is the number that Python's Random makes of a seed.
func seedKey(seed any) (*big.Int, error) {
	switch seed := seed.(type) {
	case string:
		sum := sha512.Sum512([]byte(seed))
		return new(big.Int).SetBytes(append([]byte(seed), sum[:]...)), nil
	case *big.Int:
		return new(big.Int).Abs(seed), nil
	case float64:
		return new(big.Int).SetUint64(hashFloat(seed)), nil
	}
	if i, ok := integer(seed); ok {
		return new(big.Int).Abs(big.NewInt(int64(i))), nil
	}
	return nil, fmt.Errorf("the seed must be a string or a whole number, not %s", jinja.Repr(seed))
}

// hashFloat is the size of what Python's hash gives for a float: the number
// modulo 2**61-1.
func hashFloat(f float64) uint64 {
	const bits = 61
	modulus := big.NewInt(1<<bits - 1)
	if math.IsInf(f, 0) {
		return 314159
	}
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(math.Abs(f), 'x', -1, 64))
	if !ok {
		return 0
	}
	n := new(big.Int).Mul(r.Num(), new(big.Int).ModInverse(r.Denom(), modulus))
	return n.Mod(n, modulus).Uint64()
}

// below gives a number from 0 to n-1.
func (g generator) below(n int) (int, error) {
	if n < 1 {
		return 0, errors.New("there is nothing to choose from")
	}
	if g.twister == nil {
		i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
		if err != nil {
			return 0, err
		}
		return int(i.Int64()), nil
	}
	k := bits.Len64(uint64(n))
	for {
		if r := g.twister.bits(k); r < uint64(n) {
			return int(r), nil
		}
	}
}

func random(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "start=", "step=", "seed=")
	start, step := p.int(0, 0), p.int(1, 0)
	g, err := newGenerator(p.value(2, nil))
	if err = errors.Join(p.err, err); err != nil {
		return nil, err
	}
	if end, ok := integer(v); ok {
		return randomRange(g, start, end, step)
	}
	items, err := jinja.Iterate(v)
	switch {
	case err != nil:
		return nil, errors.New("random can only be used on sequences and integers")
	case start != 0 || step != 0:
		return nil, errors.New("start and step can only be used with integer values")
	case len(items) == 0:
		return nil, jinja.Exceptionf("IndexError", "Cannot choose from an empty sequence")
	}
	i, err := g.below(len(items))
	if err != nil {
		return nil, err
	}
	return items[i], nil
}

func randomRange(g generator, start, end, step int) (any, error) {
	if step == 0 {
		step = 1
	}
	n := (end - start + step - 1) / step
	if step < 0 {
		n = (end - start + step + 1) / step
	}
	if n <= 0 {
		return nil, fmt.Errorf("empty range for randrange() (%d, %d, %d)", start, end, step)
	}
	i, err := g.below(n)
	return start + step*i, err
}

func shuffle(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "seed=")
	seed := p.value(0, nil)
	if p.err != nil {
		return nil, p.err
	}
	items, err := jinja.Iterate(v)
	if err != nil {
		return v, nil
	}
	if !jinja.Truth(seed) {
		seed = nil
	}
	g, err := newGenerator(seed)
	if err != nil {
		return nil, err
	}
	items = append([]any(nil), items...)
	for i := len(items) - 1; i > 0; i-- {
		j, err := g.below(i + 1)
		if err != nil {
			return nil, err
		}
		items[i], items[j] = items[j], items[i]
	}
	return list(items), nil
}

// twister is the Mersenne Twister (MT19937), which Python's seeded numbers
// come from: the same seed gives the same cron minute as with Ansible.
type twister struct {
	state [624]uint32
	next  int
}

func newTwister(key *big.Int) *twister {
	var words []uint32
	mask := big.NewInt(math.MaxUint32)
	for rest := new(big.Int).Set(key); rest.Sign() > 0; rest.Rsh(rest, 32) {
		words = append(words, uint32(new(big.Int).And(rest, mask).Uint64()))
	}
	if words == nil {
		words = []uint32{0}
	}
	t := &twister{next: 624}
	t.seed(19650218)
	const n = 624
	i, j := 1, 0
	step := func() {
		if i++; i >= n {
			t.state[0], i = t.state[n-1], 1
		}
	}
	for range max(n, len(words)) {
		prev := t.state[i-1]
		t.state[i] = (t.state[i] ^ (prev^prev>>30)*1664525) + words[j] + uint32(j)
		step()
		if j++; j >= len(words) {
			j = 0
		}
	}
	for range n - 1 {
		prev := t.state[i-1]
		t.state[i] = (t.state[i] ^ (prev^prev>>30)*1566083941) - uint32(i)
		step()
	}
	t.state[0] = 0x80000000
	return t
}

func (t *twister) seed(s uint32) {
	t.state[0] = s
	for i := 1; i < len(t.state); i++ {
		prev := t.state[i-1]
		t.state[i] = 1812433253*(prev^prev>>30) + uint32(i)
	}
}

func (t *twister) uint32() uint32 {
	if t.next == len(t.state) {
		for i := range t.state {
			y := t.state[i]&0x80000000 | t.state[(i+1)%624]&0x7fffffff
			t.state[i] = t.state[(i+397)%624] ^ y>>1 ^ y&1*0x9908b0df
		}
		t.next = 0
	}
	y := t.state[t.next]
	t.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// bits gives a number of k bits, 64 at most.
func (t *twister) bits(k int) uint64 {
	if k <= 32 {
		return uint64(t.uint32() >> (32 - k))
	}
	low := uint64(t.uint32())
	return low | uint64(t.uint32()>>(64-k))<<32
}

// SeededText gives n characters of letters; the same ones for the same seed.
func SeededText(n int, letters string, seed any) (string, error) {
	g, err := newGenerator(seed)
	if err != nil {
		return "", err
	}
	runes := []rune(letters)
	out := make([]rune, n)
	for i := range out {
		at, err := g.below(len(runes))
		if err != nil {
			return "", err
		}
		out[i] = runes[at]
	}
	return string(out), nil
}
