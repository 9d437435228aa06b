package filters

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"gplay/jinja"
)

// networkFilters are of whole networks and of several of them.
var networkFilters = map[string]jinja.Filter{
	"cidr_merge":         cidrMerge,
	"ip4_hex":            ip4Hex,
	"network_in_network": networkInNetwork,
	"network_in_usable":  networkInUsable,
	"reduce_on_network":  reduceOnNetwork,
	"usable_range":       usableRange,
}

// addressRange is all addresses of one version from one to another.
type addressRange struct{ first, last netip.Addr }

// cidrMerge gives the fewest networks that hold the same addresses, or with
// action=span the smallest one that holds them all.
func cidrMerge(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "action=")
	action := p.text(0, "merge")
	items, ok := sequence(v)
	switch {
	case p.err != nil:
		return nil, p.err
	case !ok:
		return nil, fmt.Errorf("cidr_merge: expected iterable, got %s", jinja.Repr(v))
	case action != "merge" && action != "span":
		return nil, fmt.Errorf("cidr_merge: invalid action '%s'", action)
	}
	var ranges []addressRange
	for _, item := range items {
		n, ok := parseNetwork(item, 0)
		if !ok {
			return nil, fmt.Errorf("cidr_merge: invalid IPNetwork %s", jinja.Str(item))
		}
		ranges = append(ranges, addressRange{n.first(), n.last()})
	}
	slices.SortFunc(ranges, func(a, b addressRange) int { return a.first.Compare(b.first) })
	switch {
	case action == "merge":
		return mergeRanges(ranges), nil
	case len(items) == 0:
		return nil, nil
	case len(items) == 1:
		n, _ := parseNetwork(items[0], 0)
		return n.String(), nil
	}
	return span(ranges)
}

func mergeRanges(ranges []addressRange) *jinja.List {
	var merged []addressRange
	for _, r := range ranges {
		if i := len(merged) - 1; i >= 0 {
			last := merged[i].last
			if last.Is4() == r.first.Is4() && (r.first.Compare(last) <= 0 || last.Next() == r.first) {
				if last.Less(r.last) {
					merged[i].last = r.last
				}
				continue
			}
		}
		merged = append(merged, r)
	}
	out := jinja.NewList()
	for _, r := range merged {
		for first, more := r.first, true; more; {
			n := largestFrom(first, r.last)
			out.Items = append(out.Items, n.String())
			first, more = n.last().Next(), n.last().Less(r.last)
		}
	}
	return out
}

// largestFrom is the largest network that begins at first and ends by last.
func largestFrom(first, last netip.Addr) network {
	n := network{ip: first, bits: first.BitLen()}
	for n.bits > 0 {
		larger := network{ip: first, bits: n.bits - 1}
		if larger.first() != first || last.Less(larger.last()) {
			break
		}
		n = larger
	}
	return n
}

func span(ranges []addressRange) (any, error) {
	first, last := ranges[0].first, ranges[0].last
	for _, r := range ranges {
		if r.first.Is4() != first.Is4() {
			return nil, errors.New("cidr_merge: the addresses are of more than one version")
		}
		if last.Less(r.last) {
			last = r.last
		}
	}
	n := network{ip: first, bits: first.BitLen()}
	for n.last().Less(last) {
		n.bits--
	}
	return n.subnet().String(), nil
}

func ip4Hex(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "delimiter=")
	delimiter := p.text(0, "")
	s, err := text(v)
	if err = errors.Join(err, p.err); err != nil {
		return nil, err
	}
	parts := strings.Split(s, ".")
	if len(parts) < 4 {
		return nil, fmt.Errorf("ip4_hex wants an IPv4 address, not %s", jinja.Repr(v))
	}
	for i, part := range parts {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("ip4_hex wants an IPv4 address, not %s", jinja.Repr(v))
		}
		parts[i] = fmt.Sprintf("%02x", n)
	}
	return strings.Join(parts[:4], delimiter), nil
}

// within are the first and the last address that network_in_network and its
// like compare.
func (n network) within() (first, last netip.Addr) {
	if last, ok := n.broadcast(); ok {
		return n.first(), last
	}
	return n.first(), n.first()
}

func (r addressRange) holds(a netip.Addr) bool {
	return a.Is4() == r.first.Is4() && a.Compare(r.first) >= 0 && a.Compare(r.last) <= 0
}

func networkInNetwork(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "test")
	outer, ok1 := parseNetwork(v, 0)
	inner, ok2 := parseNetwork(p.value(0, nil), 0)
	return ok1 && ok2 && outer.contains(inner), p.err
}

func networkInUsable(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "test")
	outer, ok1 := parseNetwork(v, 0)
	inner, ok2 := parseNetwork(p.value(0, nil), 0)
	if p.err != nil || !ok1 || !ok2 {
		return false, p.err
	}
	usable := addressRange{outer.ip, outer.ip}
	if !outer.sized(1) {
		usable.first, usable.last = outer.usable()
	}
	first, last := inner.within()
	return usable.holds(first) && usable.holds(last), nil
}

func reduceOnNetwork(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "network")
	outer, ok := parseNetwork(p.value(0, nil), 0)
	items, isList := sequence(v)
	switch {
	case p.err != nil:
		return nil, p.err
	case !isList:
		return nil, fmt.Errorf("reduce_on_network wants a list of addresses, not %s", jinja.TypeName(v))
	case !ok:
		return nil, fmt.Errorf("reduce_on_network wants a network, not %s", jinja.Repr(p.values[0]))
	}
	kept := jinja.NewList()
	for _, item := range items {
		if inner, ok := parseNetwork(item, 0); ok && outer.contains(inner) {
			kept.Items = append(kept.Items, item)
		}
	}
	return kept, nil
}

func usableRange(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	n, ok := strictNetwork(v)
	switch {
	case bind(args).err != nil:
		return nil, bind(args).err
	case !ok:
		return nil, fmt.Errorf("Error while using plugin 'usable_range': %s does not appear to be an IPv4 or IPv6 network", jinja.Repr(v))
	case n.size().Cmp(big.NewInt(maxItems)) > 0:
		return nil, errTooMany
	}
	addresses := jinja.NewList()
	for a := n.first(); n.contains(network{ip: a, bits: a.BitLen()}); a = a.Next() {
		addresses.Items = append(addresses.Items, a.String())
	}
	return jinja.NewDict("usable_ips", addresses, "number_of_ips", len(addresses.Items)), nil
}
