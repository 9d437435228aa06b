// Package compose knows the files of Compose: it makes files of the format of
// 2015, whose services stand at the top, into what today's Compose reads.
package compose

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// IsV1 reports whether a file is of the first format: no services, no version.
func IsV1(text []byte) (bool, error) {
	var top map[string]any
	if err := yaml.Unmarshal(text, &top); err != nil {
		return false, err
	}
	if _, ok := top["services"]; ok || len(top) == 0 {
		return false, nil
	}
	version, ok := top["version"]
	if _, isService := version.(map[string]any); ok && !isService && fmt.Sprint(version) != "1" {
		return false, nil
	}
	for _, service := range top {
		if fields, ok := service.(map[string]any); ok && (fields["image"] != nil || fields["build"] != nil || fields["extends"] != nil) {
			return true, nil
		}
	}
	return false, nil
}

// Translate makes one file of today's format of files of the first, which add
// to each other: a document of YAML for each.
func Translate(files ...[]byte) ([]byte, error) {
	names := map[string]bool{}
	var all []map[string]any
	for _, text := range files {
		var services map[string]any
		if err := yaml.Unmarshal(text, &services); err != nil {
			return nil, err
		}
		delete(services, "version")
		for name := range services {
			names[name] = true
		}
		all = append(all, services)
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	for i, services := range all {
		for _, name := range slices.Sorted(maps.Keys(services)) {
			fields, ok := services[name].(map[string]any)
			if !ok {
				return nil, fmt.Errorf("service %s is no dictionary", name)
			}
			if err := translate(fields, names, i == 0); err != nil {
				return nil, fmt.Errorf("service %s: %w", name, err)
			}
		}
		if err := e.Encode(map[string]any{"services": services}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), e.Close()
}

// translate changes a service's fields to today's. Services of the first
// format were on the engine's default network.
func translate(fields map[string]any, services map[string]bool, first bool) error {
	if err := refuse(fields); err != nil {
		return err
	}
	if net, ok := fields["net"]; ok {
		delete(fields, "net")
		fields["network_mode"] = networkMode(fmt.Sprint(net), services)
	} else if first && fields["network_mode"] == nil {
		fields["network_mode"] = "bridge"
	}
	if file, ok := fields["dockerfile"]; ok {
		delete(fields, "dockerfile")
		fields["build"] = map[string]any{"context": fields["build"], "dockerfile": file}
	}
	logging(fields)
	if from, ok := fields["volumes_from"].([]any); ok {
		for i, f := range from {
			from[i] = volumesFrom(fmt.Sprint(f), services)
		}
	}
	return nil
}

func refuse(fields map[string]any) error {
	if _, ok := fields["volume_driver"]; ok {
		return errors.New("volume_driver has no counterpart in today's format: name the volume and its driver under volumes")
	}
	if extends, ok := fields["extends"].(map[string]any); ok && extends["file"] != nil {
		return fmt.Errorf("extends of another file (%v) in the format of 2015 cannot be translated: write the service out", extends["file"])
	}
	return nil
}

func networkMode(net string, services map[string]bool) string {
	if other, ok := strings.CutPrefix(net, "container:"); ok && services[other] {
		return "service:" + other
	}
	return net
}

func logging(fields map[string]any) {
	section := map[string]any{}
	for old, now := range map[string]string{"log_driver": "driver", "log_opt": "options"} {
		if v, ok := fields[old]; ok {
			section[now] = v
			delete(fields, old)
		}
	}
	if len(section) > 0 {
		fields["logging"] = section
	}
}

// volumesFrom says container: before the name of one that is no service.
func volumesFrom(from string, services map[string]bool) string {
	name, _, _ := strings.Cut(from, ":")
	if services[name] || name == "container" {
		return from
	}
	return "container:" + from
}
