package filters

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

var errNoNetwork = errors.New("Not a network address")

// addressQueries are what ipaddr can be asked; nil stands for no answer.
var addressQueries = map[string]func(n network) (any, error){}

func init() { // some queries ask others
	ask := func(answer func(n network) (any, error), names ...string) {
		for _, name := range names {
			addressQueries[name] = answer
		}
	}
	when := func(ok func(n network) bool, v func(n network) any) func(n network) (any, error) {
		return func(n network) (any, error) {
			if !ok(n) {
				return nil, nil
			}
			return v(n), nil
		}
	}
	always := func(network) bool { return true }
	written := func(n network) any { return n.text }
	ofNetwork := func(v func(n network) (any, error)) func(n network) (any, error) {
		return func(n network) (any, error) {
			if n.plain {
				return nil, errNoNetwork
			}
			if n.sized(1) {
				return nil, nil
			}
			return v(n)
		}
	}
	isHost := func(n network) bool { return n.ip != n.first() }
	single := func(n network) bool { return n.sized(1) }
	ask(when(always, func(n network) any {
		if n.plain {
			return n.ip.String()
		}
		return n.String()
	}), "")
	ask(when(func(n network) bool {
		_, broadcast := n.broadcast()
		return isHost(n) || single(n) || !broadcast || n.version() == 6
	}, func(n network) any { return n.ip.String() }), "address", "ip")
	ask(when(func(n network) bool {
		_, broadcast := n.broadcast()
		return isHost(n) || single(n) || !broadcast
	}, func(n network) any { return n.String() }), "host")
	ask(func(n network) (any, error) {
		last, broadcast := n.broadcast()
		if !n.sized(1) && !n.sized(2) && (n.ip == n.first() || broadcast && n.ip == last) {
			return false, nil
		}
		return n.String(), nil
	}, "address/prefix", "gateway", "gw", "host/prefix", "hostnet", "router")
	ask(when(always, func(network) any { return true }), "bool")
	ask(when(func(n network) bool { return !single(n) && !n.sized(2) }, func(n network) any {
		if last, ok := n.broadcast(); ok {
			return last.String()
		}
		return "None"
	}), "broadcast")
	ask(when(always, func(n network) any { return n.String() }), "cidr")
	ask(when(always, func(n network) any { return n.mask(true) }), "hostmask", "wildcard")
	ask(when(always, func(n network) any { return n.mask(false) }), "netmask")
	ask(when(always, func(n network) any { return n.first().String() }), "network", "network_id")
	ask(when(always, func(n network) any { return n.subnet().String() }), "network/prefix", "subnet")
	ask(when(always, func(n network) any { return n.bits }), "prefix")
	ask(when(always, func(n network) any { return wholeBig(n.size()) }), "size")
	ask(when(always, func(n network) any { return n.version() }), "version")
	ask(when(func(n network) bool { return !single(n) && !isHost(n) }, func(n network) any { return n.String() }), "net")
	ask(when(func(n network) bool { return n.sized(2) || isHost(n) }, func(n network) any { return n.String() }), "ip/prefix")
	ask(when(func(n network) bool { return n.sized(2) || isHost(n) }, func(n network) any {
		return n.ip.String() + " " + n.mask(false)
	}), "ip_netmask")
	ask(when(always, func(n network) any { return n.first().String() + " " + n.mask(false) }), "network_netmask")
	ask(when(always, func(n network) any { return n.first().String() + " " + n.mask(true) }), "network_wildcard")
	ask(when(always, func(n network) any {
		if n.sized(1) || isHost(n) {
			return "address"
		}
		return "network"
	}), "type")
	ask(when(always, func(n network) any {
		if n.plain {
			return wholeBig(toNumber(n.ip))
		}
		return fmt.Sprintf("%s/%d", toNumber(n.ip), n.bits)
	}), "int")
	ask(when(always, func(n network) any {
		switch {
		case n.sized(1):
			return 0
		case n.sized(2):
			return 2
		}
		return wholeBig(new(big.Int).Sub(n.size(), big.NewInt(2)))
	}), "size_usable")
	ask(ofNetwork(func(n network) (any, error) { a, _ := n.usable(); return a.String(), nil }), "first_usable")
	ask(ofNetwork(func(n network) (any, error) { _, b := n.usable(); return b.String(), nil }), "last_usable")
	ask(ofNetwork(func(n network) (any, error) {
		a, b := n.usable()
		return a.String() + "-" + b.String(), nil
	}), "range_usable")
	ask(ofNetwork(func(n network) (any, error) { return n.neighbour(1), nil }), "next_usable")
	ask(ofNetwork(func(n network) (any, error) { return n.neighbour(-1), nil }), "previous_usable")
	ask(peer, "peer")
	ask(asIPv4, "ipv4", "v4")
	ask(asIPv6, "ipv6", "v6")
	ask(when(isInternal, written), "private")
	ask(when(func(n network) bool { return isPublic(n.ip) }, written), "public")
	ask(sixToFour, "6to4")
	ask(when(func(n network) bool { return n.ip.IsLoopback() }, written), "loopback", "lo")
	ask(when(func(n network) bool { return n.ip.IsMulticast() }, written), "multicast")
	ask(when(func(n network) bool { return !n.ip.IsMulticast() }, written), "unicast")
	ask(when(func(n network) bool { return n.ip.IsLinkLocalUnicast() }, written), "link-local")
	ask(when(always, func(n network) any { return reverseName(n.ip) }), "revdns")
	ask(when(always, func(n network) any {
		switch {
		case n.version() == 4:
			return n.text
		case n.plain:
			return "[" + n.ip.String() + "]"
		}
		return fmt.Sprintf("[%s]/%d", n.ip, n.bits)
	}), "wrap")
}

var internal = inAny("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "239.0.0.0/8",
	"fc00::/7", "fec0::/10", "169.254.0.0/16", "fe80::/10")

// isInternal is netaddr's is_private.
func isInternal(n network) bool { return internal(n.first()) && internal(n.last()) }

func isPublic(a netip.Addr) bool {
	n := network{ip: a, bits: a.BitLen()}
	if a.IsMulticast() || isInternal(n) || a.IsLoopback() {
		return false
	}
	// A mask of a network or of its hosts is no host's address.
	i := toNumber(a)
	size := new(big.Int).Lsh(big.NewInt(1), uint(n.width()))
	return !isMask(i) && !isMask(size.Sub(size, i).Sub(size, big.NewInt(1)))
}

// isMask reports whether a number is one less than a power of two.
func isMask(n *big.Int) bool {
	next := new(big.Int).Add(n, big.NewInt(1))
	return next.Cmp(new(big.Int).Lsh(big.NewInt(1), uint(n.BitLen()))) == 0
}

// asIPv4 gives an IPv6 address that stands for an IPv4 one as that.
func asIPv4(n network) (any, error) {
	if n.version() == 4 {
		return n.text, nil
	}
	bytes := n.ip.As16()
	v4 := netip.AddrFrom4([4]byte(bytes[12:]))
	if n.bits < 96 || !n.ip.Is4In6() && netip.AddrFrom16([16]byte(append(bytes[:12:12], 0, 0, 0, 0))) != netip.IPv6Unspecified() {
		return false, nil
	}
	return network{ip: v4, bits: n.bits - 96}.String(), nil
}

func asIPv6(n network) (any, error) {
	if n.version() == 6 {
		return n.text, nil
	}
	return fmt.Sprintf("::ffff:%s/%d", n.ip, n.bits+96), nil
}

// sixToFour is the network of an IPv4 address in 2002::/16.
func sixToFour(n network) (any, error) {
	isHost := n.sized(1) || n.ip != n.first()
	host := network{ip: n.ip, bits: n.width()}
	switch {
	case !isHost && !(n.version() == 6 && n.plain):
		return false, nil
	case n.version() == 6 && inAny("2002::/16")(n.ip):
		return n.text, nil
	case n.version() == 6 || !isPublic(n.ip) && !isInternal(host):
		return false, nil
	}
	b := n.ip.As4()
	return fmt.Sprintf("2002:%02x%02x:%02x%02x::1/48", b[0], b[1], b[2], b[3]), nil
}

func wholeBig(n *big.Int) any {
	if n.IsInt64() {
		return int(n.Int64())
	}
	return n
}

// neighbour is the address step further, where a host can have it.
func (n network) neighbour(step int64) any {
	first, last := n.usable()
	a := fromNumber(new(big.Int).Add(toNumber(n.ip), big.NewInt(step)), n.version())
	if a.IsValid() && a.Compare(first) >= 0 && a.Compare(last) <= 0 {
		return a.String()
	}
	return nil
}

func peer(n network) (any, error) {
	i := new(big.Int).Mod(toNumber(n.ip), big.NewInt(4)).Int64()
	flip := int64(1)
	switch {
	case n.plain:
		return nil, errNoNetwork
	case n.sized(4) && i == 0:
		return nil, errors.New("Network address of /30 has no peer")
	case n.sized(4) && i == 3:
		return nil, errors.New("Broadcast address of /30 has no peer")
	case n.sized(4):
		flip = 3
	case !n.sized(2):
		return nil, errors.New("Not a point-to-point network")
	}
	return fromNumber(new(big.Int).Xor(toNumber(n.ip), big.NewInt(flip)), n.version()).String(), nil
}

func reverseName(a netip.Addr) string {
	var parts []string
	zone := "in-addr.arpa."
	for _, b := range a.AsSlice() {
		if a.Is4() {
			parts = append(parts, strconv.Itoa(int(b)))
		} else {
			parts = append(parts, fmt.Sprintf("%x", b>>4), fmt.Sprintf("%x", b&15))
			zone = "ip6.arpa."
		}
	}
	slices.Reverse(parts)
	return strings.Join(parts, ".") + "." + zone
}
