package filters

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"time"

	"gplay/jinja"
)

// addressTests are as Python's ipaddress takes addresses: a network has no
// bits set behind its prefix.
var addressTests = map[string]jinja.Test{
	"in_any_network": inNetworks(func(n int) bool { return n > 0 }),
	"in_network":     ofNetworks("network", func(a, b network) bool { return b.contains(a) }),
	"in_one_network": inNetworks(func(n int) bool { return n == 1 }),
	"ip":             ofNetwork(func(network) bool { return true }),
	"ip_address":     ofAddress(func(netip.Addr) bool { return true }),
	"ipv4":           ofNetwork(func(n network) bool { return n.version() == 4 }),
	"ipv4_address":   ofAddress(func(a netip.Addr) bool { return a.Is4() }),
	"ipv4_hostmask":  ofMask(true),
	"ipv4_netmask":   ofMask(false),
	"ipv6":           ofNetwork(func(n network) bool { return n.version() == 6 }),
	"ipv6_address":   ofAddress(func(a netip.Addr) bool { return a.Is6() }),
	"ipv6_ipv4_mapped": ofAddress(func(a netip.Addr) bool {
		return a.Is4In6()
	}),
	"ipv6_sixtofour": ofAddress(inAny("2002::/16")),
	"ipv6_teredo":    ofAddress(inAny("2001::/32")),
	"loopback":       ofAddress(inAny("127.0.0.0/8", "::1/128")),
	"mac": ofString(func(s string) bool {
		return macForm.MatchString(s)
	}),
	"multicast":   ofAddress(func(a netip.Addr) bool { return a.IsMulticast() && !a.Is4In6() }),
	"private":     ofAddress(private),
	"public":      ofAddress(func(a netip.Addr) bool { return !private(a) && !inAny("100.64.0.0/10")(a) }),
	"reserved":    ofAddress(inAny(reservedNetworks...)),
	"resolvable":  resolvable,
	"subnet_of":   ofNetworks("network_b", func(a, b network) bool { return b.contains(a) }),
	"supernet_of": ofNetworks("network_b", func(a, b network) bool { return a.contains(b) }),
	"unspecified": ofAddress(func(a netip.Addr) bool { return a.IsUnspecified() }),
}

var macForm = regexp.MustCompile(`(?i)^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}\n?$|^([0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})\n?$|^[0-9a-f]{12}\n?$`)

var privateNetworks = []string{
	"0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32",
	"::1/128", "::/128", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10",
}

// publicNetworks are within the private ones.
var publicNetworks = []string{
	"192.0.0.9/32", "192.0.0.10/32", "2001:1::1/128", "2001:1::2/128", "2001:3::/32", "2001:4:112::/48", "2001:20::/28", "2001:30::/28",
}

var reservedNetworks = []string{
	"240.0.0.0/4", "::/8", "100::/8", "200::/7", "400::/6", "800::/5", "1000::/4", "4000::/3", "6000::/3", "8000::/3", "a000::/3",
	"c000::/3", "e000::/4", "f000::/5", "f800::/6", "fe00::/9",
}

func inAny(networks ...string) func(netip.Addr) bool {
	var all []network
	for _, text := range networks {
		n, _ := parseNetwork(text, 0)
		all = append(all, n)
	}
	return func(a netip.Addr) bool {
		for _, n := range all {
			if n.contains(network{ip: a, bits: a.BitLen()}) {
				return true
			}
		}
		return false
	}
}

func private(a netip.Addr) bool {
	if a.Is4In6() {
		return inAny(privateNetworks...)(a.Unmap())
	}
	return inAny(privateNetworks...)(a) && !inAny(publicNetworks...)(a)
}

// strictNetwork reads an address or a network that is written as text.
func strictNetwork(v any) (network, bool) {
	if _, ok := v.(string); !ok {
		return network{}, false
	}
	n, ok := parseNetwork(v, 0)
	return n, ok && n.ip == n.first() && !isDigits(v.(string))
}

func isDigits(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func ofNetwork(is func(network) bool) jinja.Test {
	return func(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
		n, ok := strictNetwork(v)
		return ok && is(n), bind(args).err
	}
}

func ofAddress(is func(netip.Addr) bool) jinja.Test {
	return ofString(func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err == nil && is(a.WithZone(""))
	})
}

func ofString(is func(string) bool) jinja.Test {
	return func(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
		s, ok := v.(string)
		return ok && is(s), bind(args).err
	}
}

func ofMask(host bool) jinja.Test {
	return ofString(func(s string) bool {
		n, ok := parseNetwork("10.0.0.0/"+s, 4)
		return ok && n.mask(host) == s && n.ip == n.first()
	})
}

func ofNetworks(param string, is func(a, b network) bool) jinja.Test {
	return func(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
		p := bind(args, param)
		a, ok1 := strictNetwork(v)
		b, ok2 := strictNetwork(p.value(0, nil))
		return ok1 && ok2 && is(a, b), p.err
	}
}

func inNetworks(holds func(n int) bool) jinja.Test {
	return func(_ *jinja.Context, v any, args *jinja.Args) (bool, error) {
		p := bind(args, "networks")
		given := p.value(0, nil)
		networks, ok := sequence(given)
		if s, isText := given.(string); isText {
			networks, ok = []any{s}, true
		}
		switch {
		case p.err != nil:
			return false, p.err
		case !ok:
			return false, fmt.Errorf("networks must be a list, not %s", jinja.TypeName(given))
		}
		a, ok := strictNetwork(v)
		n := 0
		for _, other := range networks {
			if b, ok2 := strictNetwork(other); ok && ok2 && b.contains(a) {
				n++
			}
		}
		return holds(n), nil
	}
}

// resolvable asks the resolver, for seconds at most.
func resolvable(c *jinja.Context, v any, args *jinja.Args) (bool, error) {
	host, ok := v.(string)
	if err := bind(args).err; err != nil || !ok {
		return false, err
	}
	ctx, cancel := context.WithTimeout(c, 10*time.Second)
	defer cancel()
	var err error
	if _, failed := netip.ParseAddr(host); failed == nil {
		_, err = net.DefaultResolver.LookupAddr(ctx, host)
	} else {
		_, err = net.DefaultResolver.LookupHost(ctx, host)
	}
	return err == nil, nil
}
