package modules

import (
	"context"
	"path"
	"strings"
	"time"

	"gplay/modules/facts"
)

// Setup gathers facts.
var Setup = define("setup", "find out what kind of machine a host is", setupArgs{
	GatherSubset: []string{"all"}, Filter: []string{}, GatherTimeout: 10, FactPath: "/etc/ansible/facts.d",
}, setup).alias("gather_facts").
	gives("ansible_facts mount device fstype options size_total size_available block_size block_total block_available block_used inode_total inode_available inode_used uuid gateway interface address broadcast netmask network prefix scope macaddress mtu active type alias interfaces id stp module pciid speed promisc ipv4 ipv6 year month weekday weekday_number weeknumber day hour minute second epoch epoch_int date time iso8601_micro iso8601 iso8601_basic iso8601_basic_short tz tz_dst tz_offset version major minor micro releaselevel serial version_info executable has_sslcontext description release codename major_release real nocache swap")

type setupArgs struct {
	GatherSubset  []string `arg:"gather_subset" doc:"Which facts: all, min, hardware, network, virtual, the name of one subject, or any of them with ! in front to leave it out."`
	GatherTimeout int      `arg:"gather_timeout" doc:"Seconds that file systems have to tell their sizes."`
	Filter        []string `arg:"filter" doc:"Only the facts whose names match one of these patterns."`
	FactPath      string   `arg:"fact_path" type:"path" doc:"The directory of the host's own facts, *.fact: JSON, INI or programs that print them."`
}

func setup(ctx context.Context, c *Call, a setupArgs) (Result, error) {
	if len(a.GatherSubset) == 0 {
		a.GatherSubset = []string{"all"}
	}
	found, err := facts.Gather(ctx, c, facts.Request{
		Subset: a.GatherSubset, FactPath: a.FactPath, Timeout: time.Duration(a.GatherTimeout) * time.Second,
	})
	if err != nil {
		return nil, err
	}
	for _, w := range found.Warnings {
		c.Warn(w)
	}
	all := Result{}
	for name, value := range found.Facts {
		if factWanted(a.Filter, name) {
			all["ansible_"+name] = value
		}
	}
	if len(a.Filter) == 0 {
		all["gather_subset"], all["module_setup"] = a.GatherSubset, true
	}
	return Result{"ansible_facts": all}, nil
}

// factWanted matches a fact's name with and without its prefix.
func factWanted(patterns []string, name string) bool {
	all := len(patterns) == 0
	for _, p := range patterns {
		p = strings.ReplaceAll(p, "[!", "[^")
		short, _ := path.Match(p, name)
		long, _ := path.Match(p, "ansible_"+name)
		all = all || p == "" || short || long
	}
	return all
}
