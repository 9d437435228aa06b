package facts

import (
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (m *machine) hardware() map[string]any {
	f := map[string]any{}
	for _, part := range []func() map[string]any{m.processor, m.memory, m.dmi, m.devices, m.uptime, m.lvm, m.mounts} {
		maps.Copy(f, part())
	}
	return f
}

func (m *machine) memory() map[string]any {
	mb := map[string]any{}
	sum := func(plus, minus []string) any {
		n := 0
		for _, k := range plus {
			v, ok := mb[k].(int)
			if !ok {
				return nil
			}
			n += v
		}
		for _, k := range minus {
			v, ok := mb[k].(int)
			if !ok {
				return nil
			}
			n -= v
		}
		return n
	}
	for _, line := range m.lines("/proc/meminfo") {
		key, value, _ := strings.Cut(line, ":")
		if kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB")); err == nil {
			mb[key] = kb / 1024
		}
	}
	if len(mb) == 0 {
		return nil
	}
	nocache := sum([]string{"Cached", "MemFree", "Buffers"}, nil)
	mb["nocache"] = nocache
	return map[string]any{
		"memtotal_mb": mb["MemTotal"], "memfree_mb": mb["MemFree"],
		"swaptotal_mb": mb["SwapTotal"], "swapfree_mb": mb["SwapFree"],
		"memory_mb": map[string]any{
			"real":    map[string]any{"total": mb["MemTotal"], "free": mb["MemFree"], "used": sum([]string{"MemTotal"}, []string{"MemFree"})},
			"nocache": map[string]any{"free": nocache, "used": sum([]string{"MemTotal"}, []string{"nocache"})},
			"swap": map[string]any{"total": mb["SwapTotal"], "free": mb["SwapFree"], "cached": mb["SwapCached"],
				"used": sum([]string{"SwapTotal"}, []string{"SwapFree"})},
		},
	}
}

// processor counts sockets, cores and threads as /proc/cpuinfo tells them.
func (m *machine) processor() map[string]any {
	shown, seen := []any{}, map[string]int{}
	sockets := map[string]int{} // cores of each
	socket, firstCores, siblings := "0", 0, 0
	for _, line := range m.lines("/proc/cpuinfo") {
		key, value, _ := strings.Cut(line, ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch key {
		case "model name", "Processor", "vendor_id", "cpu", "Vendor", "processor":
			shown = append(shown, value)
			seen[key]++
		case "physical id":
			socket = value
			if sockets[socket] == 0 {
				sockets[socket] = 1
			}
		case "cpu cores":
			sockets[socket], _ = strconv.Atoi(value)
			if firstCores == 0 {
				firstCores = sockets[socket]
			}
		case "siblings":
			siblings, _ = strconv.Atoi(value)
		}
	}
	if len(shown) == 0 {
		return nil
	}
	count := len(sockets)
	if count == 0 {
		count = m.logicalProcessors(seen, len(shown))
	}
	cores := max(1, firstCores)
	threads := max(1, siblings) / cores
	if siblings > 0 {
		threads = max(1, threads)
	}
	usable := usableProcessors()
	if usable == 0 {
		usable = seen["processor"]
	}
	return map[string]any{
		"processor": shown, "processor_count": count, "processor_cores": cores,
		"processor_threads_per_core": threads, "processor_vcpus": threads * count * cores, "processor_nproc": usable,
	}
}

func (m *machine) logicalProcessors(seen map[string]int, lines int) int {
	arch := uname().machine
	switch {
	case strings.HasPrefix(arch, "armv"), strings.HasPrefix(arch, "aarch"), strings.HasPrefix(arch, "ppc"):
		return seen["processor"]
	case seen["vendor_id"] > 0 && seen["vendor_id"] == seen["model name"]:
		return seen["vendor_id"]
	}
	return lines
}

var dmiFiles = map[string]string{
	"bios_date": "bios_date", "bios_vendor": "bios_vendor", "bios_version": "bios_version",
	"board_asset_tag": "board_asset_tag", "board_name": "board_name", "board_serial": "board_serial",
	"board_vendor": "board_vendor", "board_version": "board_version",
	"chassis_asset_tag": "chassis_asset_tag", "chassis_serial": "chassis_serial",
	"chassis_vendor": "chassis_vendor", "chassis_version": "chassis_version",
	"product_name": "product_name", "product_serial": "product_serial", "product_uuid": "product_uuid",
	"product_version": "product_version", "system_vendor": "sys_vendor",
}

// The chassis types of the SMBIOS specification, from 0.
var formFactors = []string{"Unknown", "Other", "Unknown", "Desktop", "Low Profile Desktop", "Pizza Box", "Mini Tower",
	"Tower", "Portable", "Laptop", "Notebook", "Hand Held", "Docking Station", "All In One", "Sub Notebook",
	"Space-saving", "Lunch Box", "Main Server Chassis", "Expansion Chassis", "Sub Chassis", "Bus Expansion Chassis",
	"Peripheral Chassis", "RAID Chassis", "Rack Mount Chassis", "Sealed-case PC", "Multi-system", "CompactPCI",
	"AdvancedTCA", "Blade", "Blade Enclosure", "Tablet", "Convertible", "Detachable", "IoT Gateway", "Embedded PC",
	"Mini PC", "Stick PC"}

const dmiDir = "/sys/devices/virtual/dmi/id/"

func (m *machine) dmi() map[string]any {
	f := map[string]any{"form_factor": "NA"}
	for fact, file := range dmiFiles {
		f[fact] = "NA"
		if t := m.text(dmiDir + file); t != "" {
			f[fact] = t
		}
	}
	if t := m.text(dmiDir + "chassis_type"); t != "" {
		f["form_factor"] = "unknown (" + t + ")"
		if n, err := strconv.Atoi(t); err == nil && n >= 0 && n < len(formFactors) {
			f["form_factor"] = formFactors[n]
		}
	}
	return f
}

func (m *machine) uptime() map[string]any {
	seconds, _, _ := strings.Cut(m.text("/proc/uptime"), " ")
	n, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		return nil
	}
	return map[string]any{"uptime_seconds": int(n)}
}

// links says which names under a directory of /dev/disk point to a device.
func (m *machine) links(dir string) map[string]any {
	found := map[string]any{}
	for _, name := range m.names(dir) {
		if target, err := m.Readlink(path.Join(dir, name)); err == nil {
			device := path.Base(target)
			before, _ := found[device].([]any)
			found[device] = append(before, name)
		}
	}
	return found
}

func (m *machine) masters() map[string]any {
	found := map[string]any{}
	for _, device := range m.names("/sys/block") {
		for _, slave := range m.names("/sys/block/" + device + "/slaves") {
			before, _ := found[slave].([]any)
			found[slave] = append(before, device)
		}
	}
	return found
}

func (m *machine) devices() map[string]any {
	links := map[string]any{
		"ids": m.links("/dev/disk/by-id"), "uuids": m.links("/dev/disk/by-uuid"),
		"labels": m.links("/dev/disk/by-label"), "masters": m.masters(),
	}
	devices := map[string]any{}
	for _, name := range m.names("/sys/block") {
		devices[name] = m.device(name, links)
	}
	return map[string]any{"devices": devices, "device_links": links}
}

var (
	schedulerInUse = regexp.MustCompile(`\[(.*?)\]`)
	pciAddress     = regexp.MustCompile(`/([a-f0-9]{4}:[a-f0-9]{2}:[01][a-f0-9]\.[0-7])/`)
)

func (m *machine) device(name string, links map[string]any) map[string]any {
	dir := "/sys/block/" + name
	d := m.blockSizes(dir)
	d["virtual"], d["host"], d["scheduler_mode"] = 1, "", ""
	d["links"] = linksOf(name, links)
	for _, key := range []string{"vendor", "model", "sas_address", "sas_device_handle"} {
		d[key] = m.textOrNil(dir + "/device/" + key)
	}
	if serial := m.text(dir + "/device/serial"); serial != "" {
		d["serial"] = serial
	}
	d["removable"] = m.textOrNil(dir + "/removable")
	d["support_discard"] = m.textOrNil(dir + "/queue/discard_granularity")
	d["rotational"] = m.textOrNil(dir + "/queue/rotational")
	if mode := schedulerInUse.FindStringSubmatch(m.text(dir + "/queue/scheduler")); mode != nil {
		d["scheduler_mode"] = mode[1]
	}
	if target, _ := m.Readlink(dir); pciAddress.MatchString(target) {
		d["host"] = m.pciName(pciAddress.FindStringSubmatch(target)[1])
	}
	for _, id := range d["links"].(map[string]any)["ids"].([]any) {
		if wwn, ok := strings.CutPrefix(id.(string), "wwn-"); ok {
			d["wwn"] = wwn
		}
	}
	partitions := map[string]any{}
	for _, entry := range m.names(dir) {
		if strings.HasPrefix(entry, name) && m.exists(dir+"/"+entry+"/start") {
			partitions[entry] = m.partition(dir, entry, links)
		}
	}
	d["partitions"] = partitions
	return d
}

func (m *machine) partition(dir, name string, links map[string]any) map[string]any {
	p := m.blockSizes(dir + "/" + name)
	p["links"] = linksOf(name, links)
	p["start"] = m.textOrNil(dir + "/" + name + "/start")
	p["uuid"] = nil
	if ids := p["links"].(map[string]any)["uuids"].([]any); len(ids) > 0 {
		p["uuid"] = ids[0]
	}
	return p
}

func (m *machine) blockSizes(dir string) map[string]any {
	d := map[string]any{"sectors": any(0), "sectorsize": any(512), "holders": m.holders(dir)}
	for _, file := range []string{"/queue/logical_block_size", "/queue/hw_sector_size"} {
		if t := m.text(dir + file); t != "" {
			d["sectorsize"] = t
			break
		}
	}
	sectors := 0.0
	if t := m.text(dir + "/size"); t != "" {
		d["sectors"] = t
		sectors, _ = strconv.ParseFloat(t, 64)
	}
	d["size"] = humanSize(sectors * 512)
	return d
}

func (m *machine) holders(dir string) []any {
	holders := []any{}
	for _, name := range m.names(dir + "/holders") {
		if !strings.HasPrefix(name, "dm-") {
			continue
		}
		if own := m.text(dir + "/holders/" + name + "/dm/name"); own != "" {
			name = own
		}
		holders = append(holders, name)
	}
	return holders
}

func linksOf(device string, links map[string]any) map[string]any {
	own := map[string]any{}
	for kind, byDevice := range links {
		names, _ := byDevice.(map[string]any)[device].([]any)
		if names == nil {
			names = []any{}
		}
		own[kind] = names
	}
	return own
}

func (m *machine) pciName(address string) string {
	for _, line := range strings.Split(m.ask("lspci", "-D", "-s", address), "\n") {
		if name, ok := strings.CutPrefix(line, address+" "); ok {
			return name
		}
	}
	return ""
}

func humanSize(bytes float64) string {
	for i, unit := range []string{"YB", "ZB", "EB", "PB", "TB", "GB", "MB", "KB"} {
		limit := float64(uint64(1)<<min(60, 10*(8-i))) * float64(uint64(1)<<max(0, 10*(8-i)-60))
		if bytes >= limit {
			return fmt.Sprintf("%.2f %s", bytes/limit, unit)
		}
	}
	return fmt.Sprintf("%.2f Bytes", bytes)
}

// mounts lists the file systems on devices and network shares with their
// sizes. One that does not answer in time is listed without.
func (m *machine) mounts() map[string]any {
	file := "/etc/mtab"
	if !m.exists(file) {
		file = "/proc/mounts"
	}
	bound, uuids := m.boundMounts(), m.uuids()
	var found []map[string]any
	sizes := map[string]chan map[string]any{}
	for _, line := range m.lines(file) {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		device, where, kind, options := octal(f[0]), octal(f[1]), f[2], octal(f[3])
		if !strings.HasPrefix(device, "/") && !strings.HasPrefix(device, `\`) && !strings.Contains(device, ":/") || kind == "none" {
			continue
		}
		if bound[where] {
			options += ",bind"
		}
		uuid := uuids[path.Base(device)]
		if uuid == "" {
			uuid = "N/A"
		}
		found = slices.DeleteFunc(found, func(old map[string]any) bool { return old["mount"] == where })
		found = append(found, map[string]any{"device": device, "mount": where, "fstype": kind, "options": options, "uuid": uuid})
		answer := make(chan map[string]any, 1)
		sizes[where] = answer
		go func() { answer <- sizeOf(where) }()
	}
	return map[string]any{"mounts": m.measured(found, sizes)}
}

func (m *machine) measured(mounts []map[string]any, sizes map[string]chan map[string]any) []any {
	late := time.After(m.request.Timeout)
	all := []any{}
	for _, mount := range mounts {
		where := mount["mount"].(string)
		select {
		case size := <-sizes[where]:
			maps.Copy(mount, size)
		case <-late:
			m.warn("Timeout exceeded when getting mount info for %s", where)
			mount["note"] = "Could not get extra information due to timeout"
			late = time.After(0)
		}
		all = append(all, mount)
	}
	return all
}

// boundMounts are those that show a directory of a file system, not its root.
func (m *machine) boundMounts() map[string]bool {
	bound := map[string]bool{}
	for _, line := range m.lines("/proc/self/mountinfo") {
		if f := strings.Fields(line); len(f) > 4 && f[3] != "/" {
			bound[octal(f[4])] = true
		}
	}
	return bound
}

func (m *machine) uuids() map[string]string {
	found := map[string]string{}
	for device, ids := range m.links("/dev/disk/by-uuid") {
		found[device] = ids.([]any)[0].(string)
	}
	// A mapped device is mounted by its name but linked by its number.
	for _, name := range m.names("/dev/mapper") {
		if target, err := m.Readlink("/dev/mapper/" + name); err == nil && found[path.Base(target)] != "" {
			found[name] = found[path.Base(target)]
		}
	}
	return found
}

var octalEscape = regexp.MustCompile(`\\[0-7]{3}`)

// octal undoes the escapes that the kernel writes for blanks in names.
func octal(s string) string {
	return octalEscape.ReplaceAllStringFunc(s, func(e string) string {
		n, err := strconv.ParseUint(e[1:], 8, 8)
		if err != nil {
			return e
		}
		return string([]byte{byte(n)})
	})
}

func (m *machine) lvm() map[string]any {
	if os.Getuid() != 0 || !has(m.Reader, "vgs") {
		return map[string]any{"lvm": "N/A"}
	}
	vgs, lvs, pvs := map[string]any{}, map[string]any{}, map[string]any{}
	for _, f := range m.lvmRows("vgs", "vg_name,pv_count,lv_count,vg_size,vg_free") {
		vgs[f[0]] = map[string]any{"num_pvs": f[1], "num_lvs": f[2], "size_g": f[3], "free_g": f[4]}
	}
	for _, f := range m.lvmRows("lvs", "lv_name,vg_name,lv_size") {
		lvs[f[0]] = map[string]any{"vg": f[1], "size_g": f[2]}
	}
	for _, f := range m.lvmRows("pvs", "pv_name,vg_name,pv_size,pv_free") {
		pvs[f[0]] = map[string]any{"vg": f[1], "size_g": f[2], "free_g": f[3]}
	}
	return map[string]any{"lvm": map[string]any{"vgs": vgs, "lvs": lvs, "pvs": pvs}}
}

func (m *machine) lvmRows(program, columns string) [][]string {
	var rows [][]string
	out := m.ask(program, "--noheadings", "--nosuffix", "--units", "g", "--separator", ",", "-o", columns)
	for _, line := range strings.Split(out, "\n") {
		if f := strings.Split(strings.TrimSpace(line), ","); len(f) == strings.Count(columns, ",")+1 {
			rows = append(rows, f)
		}
	}
	return rows
}
