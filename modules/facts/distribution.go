package facts

import (
	"regexp"
	"slices"
	"strings"

	"gplay/modules/host"
)

// Distribution is which Linux a host runs. Values that are not known are
// "NA", Minor is empty then.
type Distribution struct {
	Name, Version, Major, Minor, Release string
	Family                               string

	file, variety string // which file told, and as what it was read
	pretty        string
}

var families = map[string][]string{
	"RedHat": {"RedHat", "RHEL", "Fedora", "CentOS", "Scientific", "SLC", "Ascendos", "CloudLinux", "PSBM", "OracleLinux",
		"OVS", "OEL", "Amazon", "Virtuozzo", "XenServer", "Alibaba", "EulerOS", "openEuler", "AlmaLinux", "Rocky",
		"TencentOS", "EuroLinux", "Kylin Linux Advanced Server"},
	"Debian": {"Debian", "Ubuntu", "Raspbian", "Neon", "KDE neon", "Linux Mint", "SteamOS", "Devuan", "Kali",
		"Cumulus Linux", "Pop!_OS", "Parrot", "Pardus GNU/Linux", "Uos", "Deepin", "OSMC"},
	"Suse":       {"SuSE", "SLES", "SLED", "openSUSE", "openSUSE Tumbleweed", "SLES_SAP", "SUSE_LINUX", "openSUSE Leap"},
	"Archlinux":  {"Archlinux", "Antergos", "Manjaro"},
	"Mandrake":   {"Mandrake", "Mandriva"},
	"Gentoo":     {"Gentoo", "Funtoo"},
	"ClearLinux": {"Clear Linux OS", "Clear Linux Mix"},
}

// Names that an os-release ID has under Ansible; others are capitalised.
var distributions = map[string]string{
	"amzn": "Amazon", "rhel": "RedHat", "centos": "CentOS", "ol": "OracleLinux", "almalinux": "AlmaLinux",
	"rocky": "Rocky", "scientific": "Scientific", "arch": "Archlinux", "archarm": "Archlinux", "manjaro": "Manjaro",
	"sles": "SLES", "sled": "SLED", "sles_sap": "SLES_SAP", "opensuse": "openSUSE", "opensuse-leap": "openSUSE Leap",
	"opensuse-tumbleweed": "openSUSE Tumbleweed", "linuxmint": "Linux Mint", "pop": "Pop!_OS", "steamos": "SteamOS",
	"openwrt": "OpenWrt", "altlinux": "Altlinux", "openEuler": "openEuler", "clear-linux-os": "Clear Linux OS",
	"neon": "KDE neon", "cumulus-linux": "Cumulus Linux", "osmc": "OSMC", "cloudlinux": "CloudLinux",
	"virtuozzo": "Virtuozzo", "eurolinux": "EuroLinux", "kylin": "Kylin Linux Advanced Server",
}

// Detect finds the distribution of a host from its files.
func Detect(r host.Reader) Distribution {
	d := fromOSRelease(r)
	if d.Name == "" {
		d = fromReleaseFile(r)
	}
	d.addVersionFile(r)
	if d.Major == "" {
		d.Major, _, _ = strings.Cut(d.Version, ".")
	}
	for _, field := range []*string{&d.Name, &d.Version, &d.Major, &d.Release} {
		if *field == "" {
			*field = "NA"
		}
	}
	d.Family = familyOf(d.Name)
	return d
}

func familyOf(name string) string {
	for family, names := range families {
		if slices.Contains(names, name) {
			return family
		}
	}
	return name
}

var codenameInVersion = regexp.MustCompile(`\((\D+)\)|,\s*(\D+)`)

func fromOSRelease(r host.Reader) Distribution {
	path := "/etc/os-release"
	os := assignments(readText(r, path))
	if len(os) == 0 {
		path = "/usr/lib/os-release"
		os = assignments(readText(r, path))
	}
	id := os["ID"]
	if id == "" {
		return Distribution{}
	}
	d := Distribution{Name: distributions[id], Version: os["VERSION_ID"], pretty: os["PRETTY_NAME"], file: path}
	if d.Name == "" {
		d.Name = strings.ToUpper(id[:1]) + id[1:]
	}
	d.variety = d.Name
	if family := familyOf(d.Name); family == "Debian" || family == "Suse" {
		d.variety = strings.ReplaceAll(family, "Suse", "SUSE")
	}
	d.Release = os["VERSION_CODENAME"]
	if d.Release == "" {
		d.Release = os["UBUNTU_CODENAME"]
	}
	if m := codenameInVersion.FindStringSubmatch(os["VERSION"]); d.Release == "" && m != nil {
		d.Release = strings.TrimSpace(m[1] + m[2])
	}
	return d
}

var releaseFile = regexp.MustCompile(`^(.+?)(?: Linux)?(?: Server)? release ([\d.]+)(?:.*\((.+)\))?`)

// fromReleaseFile is for machines older than os-release.
func fromReleaseFile(r host.Reader) Distribution {
	for _, path := range []string{"/etc/oracle-release", "/etc/centos-release", "/etc/redhat-release", "/etc/system-release"} {
		m := releaseFile.FindStringSubmatch(readText(r, path))
		if m == nil {
			continue
		}
		name := strings.Fields(m[1])[0]
		switch {
		case strings.HasPrefix(m[1], "Red Hat"):
			name = "RedHat"
		case strings.HasPrefix(m[1], "Oracle"):
			name = "OracleLinux"
		}
		return Distribution{Name: name, Version: m[2], Release: m[3], file: path, variety: name}
	}
	return Distribution{}
}

// addVersionFile takes from the distribution's own file what os-release does
// not say: Debian's point release, CentOS's minor one, Alpine's.
func (d *Distribution) addVersionFile(r host.Reader) {
	switch d.Name {
	case "Debian":
		d.Major, _, _ = strings.Cut(d.Version, ".")
		own := readText(r, "/etc/debian_version")
		if major, minor, found := strings.Cut(own, "."); found && major == d.Major {
			d.Version, d.Minor = own, minor
		}
	case "CentOS":
		own := readText(r, "/etc/centos-release")
		d.file, d.variety = "/etc/centos-release", "CentOS"
		if m := releaseFile.FindStringSubmatch(own); m != nil {
			parts := strings.SplitN(m[2], ".", 3)
			d.Version = strings.Join(parts[:min(2, len(parts))], ".")
		}
		if strings.Contains(own, "Stream") {
			d.Release = "Stream"
		}
	case "Alpine":
		if own := readText(r, "/etc/alpine-release"); own != "" {
			d.Version, d.file = own, "/etc/alpine-release"
		}
	case "RedHat", "Fedora", "AlmaLinux", "Rocky":
		if exists(r, "/etc/redhat-release") {
			d.file, d.variety = "/etc/redhat-release", "RedHat"
		}
	}
}

func (m *machine) distribution() map[string]any {
	d := m.distro
	f := map[string]any{
		"distribution":               d.Name,
		"distribution_version":       d.Version,
		"distribution_major_version": d.Major,
		"distribution_release":       d.Release,
		"os_family":                  d.Family,
	}
	if d.Minor != "" {
		f["distribution_minor_version"] = d.Minor
	}
	if d.file != "" {
		f["distribution_file_path"] = d.file
		f["distribution_file_variety"] = d.variety
		f["distribution_file_parsed"] = true
	}
	return f
}

// lsb is what lsb_release -a prints, where that is installed; Debian's and
// Ubuntu's print what the files say, so those are read instead.
func (m *machine) lsb() map[string]any {
	file := assignments(m.text("/etc/lsb-release"))
	lsb := map[string]any{}
	put := func(key, value string) {
		if value != "" {
			lsb[key] = value
		}
	}
	switch {
	case file["DISTRIB_ID"] != "":
		put("id", file["DISTRIB_ID"])
		put("release", file["DISTRIB_RELEASE"])
		put("description", file["DISTRIB_DESCRIPTION"])
		put("codename", file["DISTRIB_CODENAME"])
	case has(m.Reader, "lsb_release") && m.distro.Name == "Debian":
		put("id", m.distro.Name)
		put("release", m.distro.Major)
		put("description", m.distro.pretty)
		put("codename", m.distro.Release)
	default:
		keys := map[string]string{"Distributor ID": "id", "Description": "description", "Release": "release", "Codename": "codename"}
		for _, line := range strings.Split(m.ask("lsb_release", "-a"), "\n") {
			k, v, _ := strings.Cut(line, ":")
			put(keys[k], strings.TrimSpace(v))
		}
		delete(lsb, "")
	}
	if release, _ := lsb["release"].(string); release != "" {
		lsb["major_release"], _, _ = strings.Cut(release, ".")
	}
	return map[string]any{"lsb": lsb}
}

// assignments reads KEY=value lines with the shell's quotes.
func assignments(text string) map[string]string {
	found := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		value = strings.TrimSpace(value)
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		found[key] = unescape.Replace(value)
	}
	return found
}

var unescape = strings.NewReplacer(`\"`, `"`, `\$`, `$`, `\\`, `\`, "\\`", "`")
