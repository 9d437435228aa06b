package facts

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

type kernel struct{ system, node, release, version, machine string }

func uname() kernel {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return kernel{}
	}
	s := unix.ByteSliceToString
	return kernel{s(u.Sysname[:]), s(u.Nodename[:]), s(u.Release[:]), s(u.Version[:]), s(u.Machine[:])}
}

func loads() (one, five, fifteen float64) {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0, 0, 0
	}
	return float64(info.Loads[0]) / 65536, float64(info.Loads[1]) / 65536, float64(info.Loads[2]) / 65536
}

func usableProcessors() int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return 0
	}
	return set.Count()
}

// sizeOf measures the file system that is mounted at a path; nil when it
// cannot be asked.
func sizeOf(path string) map[string]any {
	var s unix.Statfs_t
	if unix.Statfs(path, &s) != nil {
		return nil
	}
	unit := int(s.Frsize)
	if unit == 0 {
		unit = int(s.Bsize)
	}
	total, free, inodes, unused := int(s.Blocks), int(s.Bavail), int(s.Files), int(s.Ffree)
	return map[string]any{
		"size_total": unit * total, "size_available": unit * free, "block_size": int(s.Bsize),
		"block_total": total, "block_available": free, "block_used": total - free,
		"inode_total": inodes, "inode_available": unused, "inode_used": inodes - unused,
	}
}

var scopes = map[uint8]string{
	unix.RT_SCOPE_UNIVERSE: "global", unix.RT_SCOPE_SITE: "site", unix.RT_SCOPE_LINK: "link", unix.RT_SCOPE_HOST: "host",
}

// addresses lists the addresses of all interfaces, first ones before
// secondary ones of the same interface.
func addresses() []address {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	names := map[uint32]string{}
	for _, i := range interfaces {
		names[uint32(i.Index)] = i.Name
	}
	rib, err := syscall.NetlinkRIB(syscall.RTM_GETADDR, syscall.AF_UNSPEC)
	if err != nil {
		return nil
	}
	messages, err := syscall.ParseNetlinkMessage(rib)
	if err != nil {
		return nil
	}
	var first, secondary []address
	for _, msg := range messages {
		if msg.Header.Type != syscall.RTM_NEWADDR {
			continue
		}
		head := (*syscall.IfAddrmsg)(unsafe.Pointer(&msg.Data[0]))
		attributes, err := syscall.ParseNetlinkRouteAttr(&msg)
		if err != nil {
			continue
		}
		a := parseAddress(names[head.Index], head, attributes)
		if a.secondary {
			secondary = append(secondary, a)
		} else {
			first = append(first, a)
		}
	}
	return append(first, secondary...)
}

func parseAddress(device string, head *syscall.IfAddrmsg, attributes []syscall.NetlinkRouteAttr) address {
	a := address{device: device, label: device, prefix: int(head.Prefixlen),
		scope: scopes[head.Scope], secondary: head.Flags&unix.IFA_F_SECONDARY != 0}
	var peer netip.Addr
	for _, at := range attributes {
		ip, _ := netip.AddrFromSlice(at.Value)
		switch at.Attr.Type {
		case unix.IFA_LOCAL:
			a.ip = ip
		case unix.IFA_ADDRESS:
			peer = ip
		case unix.IFA_BROADCAST:
			a.broadcast = ip
		case unix.IFA_LABEL:
			a.label = unix.ByteSliceToString(at.Value)
		}
	}
	switch {
	case !a.ip.IsValid():
		a.ip = peer
	case a.ip.Is4() && peer.IsValid() && peer != a.ip:
		a.prefix = 32 // a point-to-point link has no network
	}
	return a
}

// routeTo asks the kernel which way packets to an address take.
func routeTo(to netip.Addr) (route, bool) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return route{}, false
	}
	defer unix.Close(fd)
	if unix.Sendto(fd, routeRequest(to), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return route{}, false
	}
	answer := make([]byte, 8192)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return route{}, false
	}
	messages, err := syscall.ParseNetlinkMessage(answer[:n])
	if err != nil || len(messages) == 0 || messages[0].Header.Type != unix.RTM_NEWROUTE {
		return route{}, false
	}
	attributes, err := syscall.ParseNetlinkRouteAttr(&messages[0])
	if err != nil {
		return route{}, false
	}
	return parseRoute(attributes)
}

func routeRequest(to netip.Addr) []byte {
	ip := to.AsSlice()
	family := byte(unix.AF_INET)
	if to.Is6() {
		family = unix.AF_INET6
	}
	n := binary.NativeEndian
	length := unix.SizeofNlMsghdr + unix.SizeofRtMsg + unix.SizeofRtAttr + len(ip)
	msg := n.AppendUint32(nil, uint32(length))
	msg = n.AppendUint16(msg, unix.RTM_GETROUTE)
	msg = n.AppendUint16(msg, unix.NLM_F_REQUEST)
	msg = append(msg, make([]byte, 8)...) // sequence number and port: one question, one answer
	msg = append(msg, family, byte(8*len(ip)))
	msg = append(msg, make([]byte, unix.SizeofRtMsg-2)...)
	msg = n.AppendUint16(msg, uint16(unix.SizeofRtAttr+len(ip)))
	msg = n.AppendUint16(msg, unix.RTA_DST)
	return append(msg, ip...)
}

func parseRoute(attributes []syscall.NetlinkRouteAttr) (route, bool) {
	var r route
	for _, at := range attributes {
		ip, _ := netip.AddrFromSlice(at.Value)
		switch at.Attr.Type {
		case unix.RTA_OIF:
			if i, err := net.InterfaceByIndex(int(binary.NativeEndian.Uint32(at.Value))); err == nil {
				r.device = i.Name
			}
		case unix.RTA_PREFSRC:
			r.source = ip
		case unix.RTA_GATEWAY:
			r.via = ip
		}
	}
	return r, r.device != ""
}
