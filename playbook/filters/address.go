package filters

import (
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
	"strings"

	"gplay/jinja"
)

var addressFilters = map[string]jinja.Filter{
	"ipaddr":              addressFilter(0),
	"ipmath":              ipMath,
	"ipsubnet":            ipSubnet,
	"ipv4":                addressFilter(4),
	"ipv6":                addressFilter(6),
	"ipwrap":              ipWrap,
	"nthhost":             nthHost,
	"next_nth_usable":     nthUsable(1),
	"previous_nth_usable": nthUsable(-1),
}

// network is an address and its prefix; plain when it was written without one.
type network struct {
	ip    netip.Addr
	bits  int
	plain bool
	text  string // as written
}

func (n network) version() int {
	if n.ip.Is4() {
		return 4
	}
	return 6
}

func (n network) width() int { return n.ip.BitLen() }

func (n network) size() *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(n.width()-n.bits)) }

func (n network) sized(size int64) bool { return n.size().Cmp(big.NewInt(size)) == 0 }

func (n network) String() string { return fmt.Sprintf("%s/%d", n.ip, n.bits) }

func (n network) first() netip.Addr { return netip.PrefixFrom(n.ip, n.bits).Masked().Addr() }

func (n network) last() netip.Addr {
	return n.at(new(big.Int).Sub(n.size(), big.NewInt(1)))
}

// at is the address i after the first one of the network.
func (n network) at(i *big.Int) netip.Addr {
	return fromNumber(new(big.Int).Add(toNumber(n.first()), i), n.version())
}

func (n network) subnet() network { return network{ip: n.first(), bits: n.bits} }

func (n network) contains(other network) bool {
	return n.version() == other.version() && n.bits <= other.bits && netip.PrefixFrom(n.ip, n.bits).Masked().Contains(other.ip)
}

// broadcast is the address of that kind, when the network has one.
func (n network) broadcast() (netip.Addr, bool) { return n.last(), n.version() == 6 || n.bits < 31 }

func (n network) mask(host bool) string {
	ones := new(big.Int).Sub(n.size(), big.NewInt(1))
	if !host {
		all := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(n.width())), big.NewInt(1))
		ones = all.Xor(all, ones)
	}
	return fromNumber(ones, n.version()).String()
}

// usable are the first and the last address that hosts can have.
func (n network) usable() (first, last netip.Addr) {
	if n.sized(2) {
		return n.first(), n.last()
	}
	return n.first().Next(), n.last().Prev()
}

func toNumber(a netip.Addr) *big.Int { return new(big.Int).SetBytes(a.AsSlice()) }

// fromNumber gives an invalid address for a number out of range.
func fromNumber(n *big.Int, version int) netip.Addr {
	size := 4
	if version == 6 {
		size = 16
	}
	if n.Sign() < 0 || n.BitLen() > 8*size {
		return netip.Addr{}
	}
	a, _ := netip.AddrFromSlice(n.FillBytes(make([]byte, size)))
	return a
}

// parseNetwork reads an address, a network or a number; version 0 is either.
func parseNetwork(v any, version int) (network, bool) {
	s, err := text(v)
	if err != nil || v == nil || v == true || v == false || s == "" {
		return network{}, false
	}
	if n, ok := new(big.Int).SetString(s, 10); ok && strings.Trim(s, "0123456789") == "" {
		family := version
		if family == 0 {
			family = 4
			if n.BitLen() > 32 {
				family = 6
			}
		}
		a := fromNumber(n, family)
		return network{a, a.BitLen(), true, fmt.Sprintf("%s/%d", a, a.BitLen())}, a.IsValid()
	}
	address, prefix, hasPrefix := strings.Cut(s, "/")
	ip, err := netip.ParseAddr(address)
	if full, ok := expandIPv4(address); err != nil && ok {
		ip, err = full, nil
	}
	if n, ok := new(big.Int).SetString(address, 10); err != nil && ok && hasPrefix {
		ip, err = fromNumber(n, 4), nil
		if !ip.IsValid() {
			ip = fromNumber(n, 6)
		}
		s = ip.String() + "/" + prefix
	}
	if err != nil || !ip.IsValid() || ip.Zone() != "" {
		return network{}, false
	}
	n := network{ip, ip.BitLen(), !hasPrefix, s}
	if hasPrefix {
		var ok bool
		if n.bits, ok = prefixBits(prefix, ip); !ok {
			return network{}, false
		}
	}
	return n, version == 0 || n.version() == version
}

// expandIPv4 reads an address that lacks zeros at its end, or has some too many
// in front of its numbers.
func expandIPv4(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var b [4]byte
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil {
			return netip.Addr{}, false
		}
		b[i] = byte(n)
	}
	return netip.AddrFrom4(b), true
}

// prefixBits reads 24, 255.255.255.0 or 0.0.0.255.
func prefixBits(prefix string, ip netip.Addr) (int, bool) {
	if bits, err := strconv.Atoi(prefix); err == nil {
		return bits, bits >= 0 && bits <= ip.BitLen()
	}
	mask, err := netip.ParseAddr(prefix)
	if err != nil || mask.BitLen() != ip.BitLen() {
		return 0, false
	}
	for bits := 0; bits <= ip.BitLen(); bits++ {
		n := network{ip: ip, bits: bits}
		if m := mask.String(); m == n.mask(false) || m == n.mask(true) {
			return bits, true
		}
	}
	return 0, false
}

func addressFilter(version int) jinja.Filter {
	return func(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
		p := bind(args, "query=", "version=", "alias=")
		query, family := p.text(0, ""), version
		if family == 0 && p.set(1) && jinja.Truth(p.values[1]) {
			family = p.int(1, 0)
		}
		if p.err != nil {
			return nil, p.err
		}
		if version == 0 {
			if err := addressType("ipaddr", v); err != nil {
				return nil, err
			}
		}
		return askAddress(v, query, family)
	}
}

// addressType refuses what is neither text nor a number nor a list.
func addressType(filter string, v any) error {
	switch v.(type) {
	case string, *jinja.List, jinja.Tuple, bool, int, *big.Int:
		return nil
	}
	return fmt.Errorf("Unrecognized type <%s> for %s filter <value>", typeOf(v), filter)
}

// askAddress answers for one address, or for each of a list but those without
// an answer.
func askAddress(v any, query string, version int) (any, error) {
	if items, ok := sequence(v); ok {
		answers := jinja.NewList()
		for _, item := range items {
			answer, err := askAddress(item, query, version)
			if err != nil {
				return nil, err
			}
			if jinja.Truth(answer) {
				answers.Items = append(answers.Items, answer)
			}
		}
		return answers, nil
	}
	n, ok := parseNetwork(v, version)
	if !ok {
		return false, nil
	}
	if answer := addressQueries[query]; answer != nil {
		return answer(n)
	}
	if _, err := strconv.Atoi(query); err == nil {
		return nthOf(n, query)
	}
	within, ok := parseNetwork(query, 0)
	if !ok {
		return nil, fmt.Errorf("ipaddr: unknown filter type: %s", query)
	}
	if within.contains(n) {
		return n.text, nil
	}
	return nil, nil
}

// nthOf is the address of that index in a network, counted from the end when
// it is negative.
func nthOf(n network, index string) (any, error) {
	switch {
	case n.sized(1) && n.plain:
		return n.ip.String(), nil
	case n.sized(1):
		return n.String(), nil
	}
	i, _ := new(big.Int).SetString(index, 10)
	if i.Sign() < 0 {
		i.Add(i, n.size())
	}
	if i.Sign() < 0 || i.Cmp(n.size()) >= 0 {
		return false, nil
	}
	return fmt.Sprintf("%s/%d", n.at(i), n.bits), nil
}

func ipWrap(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "query=")
	if p.err != nil {
		return nil, p.err
	}
	if _, isInt := v.(int); isInt {
		return nil, fmt.Errorf("Unrecognized type <%s> for ipwrap filter <value>", typeOf(v))
	}
	if err := addressType("ipwrap", v); err != nil {
		return nil, err
	}
	if items, ok := sequence(v); ok {
		wrapped := jinja.NewList()
		for _, item := range items {
			w, err := wrapOne(item)
			if err != nil {
				return nil, err
			}
			wrapped.Items = append(wrapped.Items, w)
		}
		return wrapped, nil
	}
	return wrapOne(v)
}

func wrapOne(v any) (any, error) {
	if n, ok := parseNetwork(v, 0); ok {
		return addressQueries["wrap"](n)
	}
	return v, nil
}

func ipMath(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "amount")
	amount := p.int(0, 0)
	if p.err != nil {
		return nil, p.err
	}
	n, ok := parseNetwork(v, 0)
	if !ok {
		return nil, fmt.Errorf("You must pass a valid IP address; %s is invalid", jinja.Str(v))
	}
	a := fromNumber(new(big.Int).Add(toNumber(n.ip), big.NewInt(int64(amount))), n.version())
	if !a.IsValid() {
		return nil, fmt.Errorf("the address %d after %s does not exist", amount, n.ip)
	}
	return a.String(), nil
}

func nthHost(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "query=")
	index := p.text(0, "")
	n, ok := parseNetwork(v, 0)
	i, isInt := new(big.Int).SetString(index, 10)
	if p.err != nil || !ok || !isInt || n.sized(1) {
		return false, p.err
	}
	if i.Sign() < 0 {
		i.Add(i, n.size())
	}
	if i.Sign() < 0 || i.Cmp(n.size()) >= 0 {
		return false, nil
	}
	return n.at(i).String(), nil
}

func nthUsable(direction int64) jinja.Filter {
	return func(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
		p := bind(args, "offset")
		offset := p.int(0, 0)
		n, ok := parseNetwork(v, 0)
		if p.err != nil || !ok {
			return false, p.err
		}
		if n.sized(1) {
			return nil, nil
		}
		return n.neighbour(direction * int64(offset)), nil
	}
}
