package filters

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"gplay/jinja"
)

var macFilters = map[string]jinja.Filter{
	"hwaddr":  hardwareFilter("hwaddr"),
	"macaddr": hardwareFilter("macaddr"),
	"slaac":   slaac,
}

// macForms are the ways to write an address of 48 bits.
var macForms = []*regexp.Regexp{
	regexp.MustCompile(`(?i)^([0-9a-f]{1,2})[:]([0-9a-f]{1,2})[:]([0-9a-f]{1,2})[:]([0-9a-f]{1,2})[:]([0-9a-f]{1,2})[:]([0-9a-f]{1,2})$`),
	regexp.MustCompile(`(?i)^([0-9a-f]{1,2})[-]([0-9a-f]{1,2})[-]([0-9a-f]{1,2})[-]([0-9a-f]{1,2})[-]([0-9a-f]{1,2})[-]([0-9a-f]{1,2})$`),
	regexp.MustCompile(`(?i)^([0-9a-f]{1,4})[:]([0-9a-f]{1,4})[:]([0-9a-f]{1,4})$`),
	regexp.MustCompile(`(?i)^([0-9a-f]{1,4})[-]([0-9a-f]{1,4})[-]([0-9a-f]{1,4})$`),
	regexp.MustCompile(`(?i)^([0-9a-f]{1,4})[.]([0-9a-f]{1,4})[.]([0-9a-f]{1,4})$`),
	regexp.MustCompile(`(?i)^([0-9a-f]{5,6})[-]([0-9a-f]{5,6})$`),
	regexp.MustCompile(`(?i)^([0-9a-f]{5,6})[:]([0-9a-f]{5,6})$`),
	regexp.MustCompile(`(?i)^([0-9a-f]{11,12})$`),
}

const macBits = 48

// parseMAC reads a hardware address, or the number of one.
func parseMAC(v any) (uint64, bool) {
	if n, ok := v.(int); ok {
		return uint64(n), n >= 0 && n < 1<<macBits
	}
	s, ok := v.(string)
	if !ok {
		return 0, false
	}
	for _, form := range macForms {
		m := form.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		var mac uint64
		for _, part := range m[1:] {
			n, err := strconv.ParseUint(part, 16, 64)
			if err != nil {
				return 0, false
			}
			mac = mac<<(macBits/(len(m)-1)) | n
		}
		return mac, true
	}
	n, err := strconv.ParseUint(s, 10, macBits)
	return n, err == nil
}

// macText writes an address in groups of that many bits.
func macText(mac uint64, bits int, format, separator string) string {
	var parts []string
	for shift := macBits - bits; shift >= 0; shift -= bits {
		parts = append(parts, fmt.Sprintf(format, mac>>shift&(1<<bits-1)))
	}
	return strings.Join(parts, separator)
}

var macQueries = map[string]func(mac uint64) any{
	"bare":  func(mac uint64) any { return macText(mac, 48, "%012X", "") },
	"bool":  func(mac uint64) any { return true },
	"cisco": func(mac uint64) any { return macText(mac, 16, "%04x", ".") },
	"eui48": func(mac uint64) any { return macText(mac, 8, "%02X", "-") },
	"int":   func(mac uint64) any { return int(mac) },
	"linux": func(mac uint64) any { return macText(mac, 8, "%02x", ":") },
	"pgsql": func(mac uint64) any { return macText(mac, 24, "%06x", ":") },
	"unix":  func(mac uint64) any { return macText(mac, 8, "%x", ":") },
}

var macAliases = map[string]string{"postgresql": "pgsql", "psql": "pgsql", "win": "eui48"}

func hardwareFilter(name string) jinja.Filter {
	return func(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
		names := []string{"query=", "alias="}
		if name == "macaddr" {
			names = names[:1]
		}
		p := bind(args, names...)
		query := p.text(0, "")
		if p.err != nil {
			return nil, p.err
		}
		if full, ok := macAliases[query]; ok {
			query = full
		}
		mac, ok := parseMAC(v)
		if !ok && query != "" && query != "bool" {
			return nil, fmt.Errorf("%s: not a hardware address: %s", name, jinja.Str(v))
		}
		answer := macQueries[query]
		switch {
		case query != "" && answer == nil:
			return nil, fmt.Errorf("%s: unknown filter type: %s", name, query)
		case !ok || mac == 0: // the address of nothing but zeros counts as none
			if ok && query != "" && query != "bool" {
				return answer(mac), nil
			}
			return nil, nil
		case query == "":
			return v, nil
		}
		return answer(mac), nil
	}
}

// slaac is the address that a host of a hardware address gives itself in an
// IPv6 network.
func slaac(_ *jinja.Context, v any, args *jinja.Args) (any, error) {
	p := bind(args, "query=")
	n, ok := parseNetwork(v, 0)
	mac, isMAC := parseMAC(p.value(0, nil))
	if p.err != nil || !ok || n.version() != 6 || !isMAC || mac == 0 {
		return false, p.err
	}
	a := n.first().As16()
	for i, b := range []byte{byte(mac>>40) ^ 2, byte(mac >> 32), byte(mac >> 24), 0xff, 0xfe, byte(mac >> 16), byte(mac >> 8), byte(mac)} {
		a[8+i] |= b
	}
	return netip.AddrFrom16(a).String(), nil
}
