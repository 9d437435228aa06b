package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
)

// kind says how the values of an option are compared.
type kind int

const (
	value kind = iota
	list       // in order
	set
	dict
)

// option is one that can differ between a container and its description. of
// reads it from either in the same way.
type option struct {
	name   string
	kind   kind
	given  func(Container) bool
	of     func(*container.Config, *container.HostConfig) any
	update bool // the engine changes it without a new container
}

// Difference is an option that is not as it is to be.
type Difference struct {
	Option     string
	Have, Want any
	Update     bool
}

// Comparisons says for options how they are compared: strict, ignore or
// allow_more_present; "*" is the others.
type Comparisons map[string]any

func (c Comparisons) of(o option) (string, error) {
	how := "strict"
	if o.kind == set || o.kind == dict {
		how = "allow_more_present"
	}
	if o.name == "stop_timeout" {
		how = "ignore"
	}
	for _, key := range []string{"*", o.name} {
		if v, ok := c[key]; ok {
			how = Text(v)
			if key == "*" && how == "allow_more_present" {
				return "", fmt.Errorf("the wildcard of comparisons is strict or ignore, got %q", how)
			}
		}
	}
	if !slices.Contains([]string{"strict", "ignore", "allow_more_present"}, how) {
		return "", fmt.Errorf("comparisons: %s is compared strict, ignore or allow_more_present, got %q", o.name, how)
	}
	if how == "allow_more_present" && (o.kind == value || o.kind == list) {
		return "", fmt.Errorf("comparisons: %s is no set and no dict, so it is compared strict or ignore", o.name)
	}
	return how, nil
}

// aliases are names of options that comparisons may use as well.
var aliases = map[string]string{"ports": "published_ports", "exposed": "exposed_ports", "expose": "exposed_ports", "log_opt": "log_options"}

// Canonical is c with the options' own names. An option that is unknown or
// cannot be compared so is an error.
func (c Comparisons) Canonical() (Comparisons, error) {
	out := Comparisons{}
	for key, how := range c {
		if a := aliases[key]; a != "" {
			key = a
		}
		known := key == "*" || key == "image" || key == "networks" || slices.ContainsFunc(options, func(o option) bool { return o.name == key })
		if !known {
			return nil, fmt.Errorf("comparisons: there is no option %q", key)
		}
		out[key] = how
	}
	for _, o := range options {
		if _, err := out.of(o); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Differences compares a container with its description. img is the image it
// is to have, whose settings count as wanted too; it may be nil.
func (c Container) Differences(want *Spec, have container.InspectResponse, img *image.InspectResponse, how Comparisons) ([]Difference, error) {
	var out []Difference
	wanted := withImage(want.Config, img)
	for _, o := range options {
		comparison, err := how.of(o)
		if err != nil {
			return nil, err
		}
		if !o.given(c) || comparison == "ignore" {
			continue
		}
		h, w := o.of(have.Config, have.HostConfig), o.of(wanted, want.Host)
		if !matches(o.kind, comparison == "strict", h, w) {
			out = append(out, Difference{o.name, h, w, o.update})
		}
	}
	return out, nil
}

// withImage adds to a configuration what a container takes from its image.
func withImage(cfg *container.Config, img *image.InspectResponse) *container.Config {
	merged := *cfg
	if img == nil || img.Config == nil {
		return &merged
	}
	env := unpaired(img.Config.Env)
	maps.Copy(env, unpaired(cfg.Env))
	merged.Env = Pairs(env)
	merged.Labels = maps.Clone(img.Config.Labels)
	if merged.Labels == nil {
		merged.Labels = map[string]string{}
	}
	maps.Copy(merged.Labels, cfg.Labels)
	merged.Volumes = maps.Clone(cfg.Volumes)
	for v := range img.Config.Volumes {
		merged.Volumes[v] = struct{}{}
	}
	merged.ExposedPorts = maps.Clone(cfg.ExposedPorts)
	for p := range img.Config.ExposedPorts {
		ports, _ := exposed([]string{p})
		maps.Copy(merged.ExposedPorts, ports)
	}
	return &merged
}

func matches(k kind, strict bool, have, want any) bool {
	switch k {
	case set:
		h, w := have.([]string), want.([]string)
		missing := func(from, in []string) bool {
			return slices.ContainsFunc(from, func(s string) bool { return !slices.Contains(in, s) })
		}
		return !missing(w, h) && !(strict && missing(h, w))
	case dict:
		h, w := have.(map[string]string), want.(map[string]string)
		for k, v := range w {
			if got, ok := h[k]; !ok || got != v {
				return false
			}
		}
		return !strict || len(h) == len(w)
	}
	return reflect.DeepEqual(have, want)
}

// asSet makes comparable texts of anything.
func asSet[T any](items []T) []string {
	out := make([]string, len(items))
	for i, item := range items {
		raw, _ := json.Marshal(item)
		out[i] = string(raw)
	}
	return out
}

func words(list []string) []string { return append([]string{}, list...) }

func keys(m map[string]struct{}) []string { return slices.Sorted(maps.Keys(m)) }

// unprefixed drops the CAP_ that the engine puts before capabilities or not.
func unprefixed(caps []string) []string {
	out := make([]string, len(caps))
	for i, c := range caps {
		out[i] = strings.TrimPrefix(strings.ToUpper(c), "CAP_")
	}
	return out
}

func portBindings(h *container.HostConfig) map[string]string {
	out := map[string]string{}
	for port, bindings := range h.PortBindings {
		var at []string
		for _, b := range bindings {
			ip, hostPort := b.HostIP, b.HostPort
			if ip == "" {
				ip = "0.0.0.0"
			}
			if hostPort == "0" {
				hostPort = ""
			}
			at = append(at, ip+":"+hostPort)
		}
		slices.Sort(at)
		out[string(port)] = strings.Join(at, " ")
	}
	return out
}

// linkNames are links without the slashes and the container's own name that
// the engine adds: /db:/web/db.
func linkNames(links []string) []string {
	out := make([]string, len(links))
	for i, l := range links {
		name, alias, _ := strings.Cut(l, ":")
		out[i] = strings.TrimPrefix(name, "/") + ":" + alias[strings.LastIndexByte(alias, '/')+1:]
	}
	return out
}

func deref[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// NetworkDifferences are the networks that want has and have lacks or has
// differently, and those that only have has.
func (s *Spec) NetworkDifferences(have map[string]*network.EndpointSettings) (connect, reconnect, surplus []string) {
	for _, name := range s.Order {
		switch h := have[name]; {
		case h == nil:
			connect = append(connect, name)
		case !sameEndpoint(h, s.Networks[name]):
			reconnect = append(reconnect, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if s.Networks[name] == nil {
			surplus = append(surplus, name)
		}
	}
	return connect, reconnect, surplus
}

func sameEndpoint(have, want *network.EndpointSettings) bool {
	w := want.IPAMConfig
	if w != nil {
		h := have.IPAMConfig
		if h == nil || w.IPv4Address != "" && w.IPv4Address != h.IPv4Address || w.IPv6Address != "" && w.IPv6Address != h.IPv6Address {
			return false
		}
	}
	return matches(set, false, words(have.Aliases), words(want.Aliases)) &&
		matches(set, false, linkNames(have.Links), linkNames(want.Links))
}
