package facts

import (
	"net/netip"
	"path"
	"strconv"
	"strings"
)

// address is one address of an interface, as the kernel tells it.
type address struct {
	device, label string
	ip, broadcast netip.Addr
	prefix        int
	scope         string
	secondary     bool
}

// route is the way to somewhere far: an address far away shows which
// interface, own address and gateway packets to the world take.
type route struct {
	device      string
	source, via netip.Addr
}

var (
	farIPv4 = netip.MustParseAddr("8.8.8.8")
	farIPv6 = netip.MustParseAddr("2404:6800:400a:800::1012")
)

var linkTypes = map[string]string{"1": "ether", "32": "infiniband", "512": "ppp", "772": "loopback", "65534": "tunnel"}

const netDir = "/sys/class/net/"

func (m *machine) network() map[string]any {
	links, names := map[string]map[string]any{}, []any{}
	for _, name := range m.names(netDir) {
		if info, err := m.Stat(netDir + name); err == nil && info.IsDir() {
			links[name] = m.link(name)
			names = append(names, name)
		}
	}
	default4, default6 := asDefault(routeTo(farIPv4)), asDefault(routeTo(farIPv6))
	all4, all6 := []any{}, []any{}
	for _, a := range addresses() {
		text := a.ip.String()
		if a.ip.Is4() {
			names = addIPv4(links, names, a)
			complete(default4, links[a.device], a)
			if !a.ip.IsLoopback() {
				all4 = append(all4, text)
			}
			continue
		}
		if link := links[a.device]; link != nil {
			before, _ := link["ipv6"].([]any)
			link["ipv6"] = append(before, map[string]any{"address": text, "prefix": strconv.Itoa(a.prefix), "scope": a.scope})
			complete(default6, link, a)
		}
		if text != "::1" {
			all6 = append(all6, text)
		}
	}
	f := map[string]any{
		"default_ipv4": default4, "default_ipv6": default6,
		"all_ipv4_addresses": all4, "all_ipv6_addresses": all6,
	}
	for i, name := range names {
		names[i] = strings.ReplaceAll(name.(string), ":", "_")
		f[strings.NewReplacer(":", "_", "-", "_").Replace(name.(string))] = links[name.(string)]
	}
	f["interfaces"] = names
	return f
}

func asDefault(r route, ok bool) map[string]any {
	d := map[string]any{}
	if !ok {
		return d
	}
	d["interface"] = r.device
	if r.source.IsValid() {
		d["address"] = r.source.String()
	}
	if r.via.IsValid() {
		d["gateway"] = r.via.String()
	}
	return d
}

func ipv4(a address) map[string]any {
	network := netip.PrefixFrom(a.ip, a.prefix).Masked()
	mask := ^uint32(0) << (32 - a.prefix)
	broadcast := ""
	if a.broadcast.IsValid() {
		broadcast = a.broadcast.String()
	}
	return map[string]any{
		"address": a.ip.String(), "broadcast": broadcast, "prefix": strconv.Itoa(a.prefix),
		"netmask": netip.AddrFrom4([4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)}).String(),
		"network": network.Addr().String(),
	}
}

// addIPv4 puts an address on the interface of its label: an alias (eth0:1)
// is an interface of its own, and further addresses are "secondaries".
func addIPv4(links map[string]map[string]any, names []any, a address) []any {
	link := links[a.label]
	if link == nil {
		link = map[string]any{}
		links[a.label] = link
		names = append(names, a.label)
	}
	if link["ipv4"] == nil && !a.secondary {
		link["ipv4"] = ipv4(a)
		return names
	}
	appendTo := func(link map[string]any) {
		before, _ := link["ipv4_secondaries"].([]any)
		link["ipv4_secondaries"] = append(before, ipv4(a))
	}
	appendTo(link)
	if device := links[a.device]; a.secondary && a.device != a.label && device != nil {
		appendTo(device)
	}
	return names
}

// complete adds to a default address what its interface tells.
func complete(d, link map[string]any, a address) {
	if d["address"] != a.ip.String() || link == nil {
		return
	}
	d["prefix"] = strconv.Itoa(a.prefix)
	d["mtu"], d["type"] = link["mtu"], link["type"]
	d["macaddress"] = ""
	if mac := link["macaddress"]; mac != nil {
		d["macaddress"] = mac
	}
	if !a.ip.Is4() {
		d["scope"] = a.scope
		return
	}
	own := ipv4(a)
	d["broadcast"], d["netmask"], d["network"], d["alias"] = own["broadcast"], own["netmask"], own["network"], a.label
}

func (m *machine) link(name string) map[string]any {
	dir := netDir + name + "/"
	l := map[string]any{"device": name, "type": "unknown"}
	if mac := m.text(dir + "address"); mac != "" && mac != "00:00:00:00:00:00" {
		l["macaddress"] = mac
	}
	if mtu, err := strconv.Atoi(m.text(dir + "mtu")); err == nil {
		l["mtu"] = mtu
	}
	if t := linkTypes[m.text(dir+"type")]; t != "" {
		l["type"] = t
	}
	l["active"] = m.text(dir+"operstate") != "down"
	if speed, err := strconv.Atoi(m.text(dir + "speed")); err == nil {
		l["speed"] = speed
	}
	if flags, err := strconv.ParseUint(m.text(dir+"flags"), 0, 32); err == nil {
		l["promisc"] = flags&0x100 != 0
	}
	if module, err := m.Readlink(dir + "device/driver/module"); err == nil {
		l["module"] = path.Base(module)
	}
	if device, err := m.Readlink(dir + "device"); err == nil {
		l["pciid"] = path.Base(device)
	}
	m.bridge(dir, l)
	m.bond(dir, l)
	return l
}

func (m *machine) bridge(dir string, l map[string]any) {
	if !m.exists(dir + "bridge") {
		return
	}
	l["type"] = "bridge"
	l["interfaces"] = list(m.names(dir + "brif"))
	l["id"] = m.text(dir + "bridge/bridge_id")
	l["stp"] = m.text(dir+"bridge/stp_state") == "1"
}

func (m *machine) bond(dir string, l map[string]any) {
	if hw := m.text(dir + "bonding_slave/perm_hwaddr"); hw != "" {
		l["perm_macaddress"] = hw
	}
	if !m.exists(dir + "bonding") {
		return
	}
	l["type"] = "bonding"
	l["slaves"] = list(strings.Fields(m.text(dir + "bonding/slaves")))
	for _, key := range []string{"mode", "miimon", "lacp_rate"} {
		l[key], _, _ = strings.Cut(m.text(dir+"bonding/"+key), " ")
	}
	if primary := m.text(dir + "bonding/primary"); primary != "" {
		l["primary"] = primary
		l["all_slaves_active"] = m.text(dir+"bonding/all_slaves_active") == "1"
	}
}
