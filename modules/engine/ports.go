package engine

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/docker/go-connections/nat"
)

// published reads published_ports. all means that every exposed port is
// published on a random one.
func published(specs []string, defaultIP string) (ports nat.PortMap, all bool, err error) {
	ports = nat.PortMap{}
	for _, spec := range specs {
		if strings.EqualFold(spec, "all") {
			all = true
			continue
		}
		if err := publish(ports, spec, defaultIP); err != nil {
			return nil, false, err
		}
	}
	return ports, all, nil
}

func publish(ports nat.PortMap, spec, defaultIP string) error {
	rest, proto := cutProtocol(spec)
	ip, hostPorts, inner := splitPublished(rest)
	if ip == "" {
		ip = defaultIP
	} else if net.ParseIP(ip) == nil {
		return fmt.Errorf("published port %s: %q is no IP address", spec, ip)
	}
	from, to, err := portRange(inner)
	if err != nil {
		return fmt.Errorf("published port %s: %w", spec, err)
	}
	host := func(int) string { return "" }
	if hostPorts != "" {
		hostFrom, hostTo, err := portRange(hostPorts)
		if err != nil {
			return fmt.Errorf("published port %s: %w", spec, err)
		}
		switch {
		case hostTo-hostFrom == to-from:
			host = func(i int) string { return strconv.Itoa(hostFrom + i) }
		case to == from:
			host = func(int) string { return hostPorts }
		default:
			return fmt.Errorf("published port %s: the ranges differ in length", spec)
		}
	}
	for i := 0; from+i <= to; i++ {
		port := nat.Port(fmt.Sprintf("%d/%s", from+i, proto))
		ports[port] = append(ports[port], nat.PortBinding{HostIP: ip, HostPort: host(i)})
	}
	return nil
}

func cutProtocol(spec string) (ports, proto string) {
	ports, proto, ok := strings.Cut(spec, "/")
	if !ok {
		proto = "tcp"
	}
	return ports, strings.ToLower(proto)
}

// splitPublished divides [IP:][HOST:]INNER; an IPv6 address stands in brackets.
func splitPublished(s string) (ip, host, inner string) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 {
		return "", "", s
	}
	inner, s = s[colon+1:], s[:colon]
	colon = strings.LastIndexByte(s, ':')
	if colon < 0 {
		return "", s, inner
	}
	return strings.Trim(s[:colon], "[]"), s[colon+1:], inner
}

func portRange(s string) (from, to int, err error) {
	first, last, ok := strings.Cut(s, "-")
	if !ok {
		last = first
	}
	from, err = strconv.Atoi(first)
	if err == nil {
		to, err = strconv.Atoi(last)
	}
	if err != nil || from < 0 || to > 65535 || to < from {
		return 0, 0, fmt.Errorf("a port is a number up to 65535 or a range such as 9000-9010, got %q", s)
	}
	return from, to, nil
}

// exposed reads exposed_ports.
func exposed(specs []string) (nat.PortSet, error) {
	ports := nat.PortSet{}
	for _, spec := range specs {
		rest, proto := cutProtocol(spec)
		from, to, err := portRange(rest)
		if err != nil {
			return nil, fmt.Errorf("exposed port %s: %w", spec, err)
		}
		for p := from; p <= to; p++ {
			ports[nat.Port(fmt.Sprintf("%d/%s", p, proto))] = struct{}{}
		}
	}
	return ports, nil
}
