package filters

import (
	"fmt"
	"math/big"
	"strconv"

	"gplay/jinja"
)

// ipSubnet is a network of a size, how many of them there are, the one of an
// index, or which one of a network an address is.
func ipSubnet(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "query=", "index=")
	query := p.text(0, "")
	n, ok := parseNetwork(v, 0)
	if p.err != nil || !ok {
		return false, p.err
	}
	n = n.subnet()
	if query == "" {
		return n.String(), nil
	}
	if !isDigits(query) {
		return n.rankIn(query)
	}
	bits, err := strconv.Atoi(query)
	if err != nil || bits > n.width() {
		return false, nil
	}
	if !p.set(1) {
		return n.subnets(bits)
	}
	index, err := strconv.Atoi(p.text(1, ""))
	if err != nil {
		return nil, fmt.Errorf("the index of a subnet is a whole number, not %s", jinja.Repr(p.values[1]))
	}
	if n.sized(1) {
		return n.supernet(bits, index)
	}
	return n.nthSubnet(bits, index)
}

// subnets is the network of that size around an address, or how many of them
// a network has.
func (n network) subnets(bits int) (any, error) {
	switch {
	case n.sized(1):
		return network{ip: n.ip, bits: bits}.subnet().String(), nil
	case bits < n.bits:
		return nil, fmt.Errorf("Requested subnet size of %d is invalid", bits)
	}
	return new(big.Int).Lsh(big.NewInt(1), uint(bits-n.bits)).String(), nil
}

// supernet is one of the networks around an address, from that size on.
func (n network) supernet(bits, index int) (any, error) {
	if index > n.width()+1-index || index < bits-n.width() {
		return false, nil
	}
	count := n.width() - bits
	if index < 0 {
		index += count
	}
	if index < 0 || index >= count {
		return nil, fmt.Errorf("there are %d networks around %s from the size %d on, none of them is number %d", count, n.ip, bits, index)
	}
	return network{ip: n.ip, bits: bits + index}.subnet().String(), nil
}

func (n network) nthSubnet(bits, index int) (any, error) {
	if bits < n.bits {
		return false, nil
	}
	count := new(big.Int).Lsh(big.NewInt(1), uint(bits-n.bits))
	i := big.NewInt(int64(index))
	if i.Sign() < 0 {
		i.Add(i, count)
	}
	if i.Sign() < 0 || i.Cmp(count) >= 0 {
		return false, nil
	}
	return fmt.Sprintf("%s/%d", n.at(i.Lsh(i, uint(n.width()-bits))), bits), nil
}

// rankIn says which network of its size n is in another one, from 1.
func (n network) rankIn(query string) (any, error) {
	outer, ok := parseNetwork(query, 0)
	if !ok {
		return nil, fmt.Errorf("You must pass a valid subnet or IP address; %s is invalid", query)
	}
	outer = outer.subnet()
	if !outer.contains(n) {
		return nil, fmt.Errorf("%s is not in the subnet %s", n, outer)
	}
	offset := new(big.Int).Sub(toNumber(n.ip), toNumber(outer.ip))
	offset.Rsh(offset, uint(n.width()-n.bits))
	return offset.Add(offset, big.NewInt(1)).String(), nil
}
