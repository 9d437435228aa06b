package inventory

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

var (
	bracketedPort = regexp.MustCompile(`^\[(.+)\]:([0-9]+)$`)
	plainPort     = regexp.MustCompile(`^((?:[^:\[\]]|\[[^\]]*\])*):([0-9]+)$`)
	numberRange   = regexp.MustCompile(`\[[0-9]+:[0-9]+(?::[0-9]+)?\]`)
	hexRange      = regexp.MustCompile(`(?i)\[[0-9a-f]+:[0-9a-f]+(?::[0-9]+)?\]`)
	labelRange    = regexp.MustCompile(`(?i)\[(?:[a-z]:[a-z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]`)
	ipv4          = regexp.MustCompile(`^(?:(?:[01]?[0-9]{1,2}|2[0-4][0-9]|25[0-5])(?:\.|$)){4}$`)
)

// SplitPort takes a host's name or address and an optional port apart, as in
// web1:2222. Text that is neither, and a range of hosts, is a name as it is.
func SplitPort(text string) (host string, port int) {
	if host, port, ok := splitAddress(text); ok && !strings.Contains(host, "[") {
		return host, port
	}
	return text, 0
}

// splitAddress takes a host and an optional port apart. ok is false for text
// that is neither a name nor an address; ranges such as [1:3] are allowed.
func splitAddress(text string) (host string, port int, ok bool) {
	for _, form := range []*regexp.Regexp{bracketedPort, plainPort} {
		if m := form.FindStringSubmatch(text); m != nil {
			text = m[1]
			port, _ = strconv.Atoi(m[2])
		}
	}
	return text, port, isIPv4(text) || isIPv6(text) || isHostname(text)
}

func isIPv4(text string) bool {
	text = numberRange.ReplaceAllString(text, "1")
	return ipv4.MatchString(text) && !strings.HasSuffix(text, ".")
}

func isIPv6(text string) bool {
	addr, err := netip.ParseAddr(hexRange.ReplaceAllString(text, "1"))
	return err == nil && addr.Is6() && addr.Zone() == ""
}

func isHostname(text string) bool {
	const aRange = '\x00'
	text = labelRange.ReplaceAllString(text, string(aRange))
	for _, label := range strings.Split(text, ".") {
		last := rune('-')
		for i, c := range label {
			letter := c == aRange || c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c)
			if !letter && (c != '-' || i == 0) {
				return false
			}
			last = c
		}
		if last == '-' || last == '_' {
			return false
		}
	}
	return true
}

// expandHosts gives the hosts that a host pattern such as web[01:10:2]:2222
// stands for, and their port.
func expandHosts(pattern string) (hosts []string, port int, err error) {
	name, port, ok := splitAddress(pattern)
	if !ok {
		name, port = pattern, 0
	}
	if !strings.Contains(name, "[") {
		return []string{name}, port, nil
	}
	hosts, err = expandRange(name)
	return hosts, port, err
}

func expandRange(text string) ([]string, error) {
	head, rest, _ := strings.Cut(text, "[")
	bounds, tail, closed := strings.Cut(rest, "]")
	if !closed {
		return nil, fmt.Errorf("the host range in %q has no closing bracket", text)
	}
	items, err := rangeItems(bounds)
	if err != nil {
		return nil, err
	}
	var hosts []string
	for _, item := range items {
		name := head + item + tail
		if !strings.Contains(name, "[") {
			hosts = append(hosts, name)
			continue
		}
		more, err := expandRange(name)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, more...)
	}
	return hosts, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// rangeItems expands begin:end or begin:end:step.
func rangeItems(bounds string) ([]string, error) {
	parts := strings.Split(bounds, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return nil, fmt.Errorf("host range must be begin:end or begin:end:step, got [%s]", bounds)
	}
	begin, end, step := parts[0], parts[1], 1
	if begin == "" {
		begin = "0"
	}
	if end == "" {
		return nil, fmt.Errorf("host range must specify end value, got [%s]", bounds)
	}
	if len(parts) == 3 {
		n, err := strconv.Atoi(parts[2])
		if err != nil || n < 1 {
			return nil, fmt.Errorf("the step of a host range must be a positive number, got [%s]", bounds)
		}
		step = n
	}
	width := 0
	if begin[0] == '0' && len(begin) > 1 {
		if width = len(begin); width != len(end) {
			return nil, fmt.Errorf("host range must specify equal-length begin and end formats, got [%s]", bounds)
		}
	}
	if b, e := strings.Index(letters, begin), strings.Index(letters, end); b >= 0 && e >= 0 {
		if b > e {
			return nil, fmt.Errorf("host range must have begin <= end, got [%s]", bounds)
		}
		return letterRange(b, e, step), nil
	}
	b, err1 := strconv.Atoi(begin)
	e, err2 := strconv.Atoi(end)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("a host range goes from number to number or from letter to letter, got [%s]", bounds)
	}
	if (e-b)/step > maxHosts {
		return nil, fmt.Errorf("the host range [%s] has more than %d hosts", bounds, maxHosts)
	}
	var items []string
	for i := b; i <= e; i += step {
		items = append(items, fmt.Sprintf("%0*d", width, i))
	}
	return items, nil
}

// maxHosts bounds one range, against a slip of the keyboard eating the memory.
const maxHosts = 1 << 20

func letterRange(begin, end, step int) []string {
	var items []string
	for i := begin; i <= end; i += step {
		items = append(items, letters[i:i+1])
	}
	return items
}
