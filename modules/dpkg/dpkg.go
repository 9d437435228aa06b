// Package dpkg reads Debian's package database.
package dpkg

import (
	"strings"

	"gplay/modules/host"
)

// Package is one entry of the database.
type Package struct {
	Name, Version, Arch string
	Installed           bool     // unpacked and configured
	ConfigFiles         bool     // removed, its configuration kept
	Held                bool     // not to be upgraded
	Provides            []string // names of virtual packages
	Section, Origin     string
}

// Status reads the whole database.
func Status(r host.Reader) ([]Package, error) {
	data, err := r.ReadFile("/var/lib/dpkg/status")
	if err != nil {
		return nil, err
	}
	var all []Package
	for entry := range strings.SplitSeq(string(data), "\n\n") {
		if p := parse(entry); p.Name != "" {
			all = append(all, p)
		}
	}
	return all, nil
}

func parse(entry string) Package {
	var p Package
	for line := range strings.Lines(entry) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Package":
			p.Name = value
		case "Version":
			p.Version = value
		case "Architecture":
			p.Arch = value
		case "Section":
			p.Section = value
		case "Origin":
			p.Origin = value
		case "Provides":
			p.Provides = names(value)
		case "Status":
			words := append(strings.Fields(value), "", "", "")
			p.Held = words[0] == "hold"
			p.Installed = words[2] == "installed"
			p.ConfigFiles = words[2] == "config-files"
		}
	}
	return p
}

// names are those of a list of dependencies, without versions.
func names(list string) []string {
	var all []string
	for part := range strings.SplitSeq(list, ",") {
		if words := strings.Fields(part); len(words) > 0 {
			all = append(all, words[0])
		}
	}
	return all
}
