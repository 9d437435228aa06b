package engine

import (
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
)

type (
	cfg = container.Config
	hst = container.HostConfig
)

// options are all that is compared.
var options = []option{
	{"auto_remove", value, func(c Container) bool { return c.AutoRemove != nil }, func(_ *cfg, h *hst) any { return h.AutoRemove }, false},
	{"blkio_weight", value, func(c Container) bool { return c.BlkioWeight != nil }, func(_ *cfg, h *hst) any { return h.BlkioWeight }, true},
	{"cap_drop", set, func(c Container) bool { return c.CapDrop != nil }, func(_ *cfg, h *hst) any { return unprefixed(h.CapDrop) }, false},
	{"capabilities", set, func(c Container) bool { return c.Capabilities != nil }, func(_ *cfg, h *hst) any { return unprefixed(h.CapAdd) }, false},
	{"cgroup_parent", value, func(c Container) bool { return c.CgroupParent != "" }, func(_ *cfg, h *hst) any { return h.CgroupParent }, false},
	{"cgroupns_mode", value, func(c Container) bool { return c.CgroupnsMode != "" }, func(_ *cfg, h *hst) any { return h.CgroupnsMode }, false},
	{"command", list, func(c Container) bool { return c.Command != nil }, func(c *cfg, _ *hst) any { return words(c.Cmd) }, false},
	{"cpu_period", value, func(c Container) bool { return c.CPUPeriod != nil }, func(_ *cfg, h *hst) any { return h.CPUPeriod }, true},
	{"cpu_quota", value, func(c Container) bool { return c.CPUQuota != nil }, func(_ *cfg, h *hst) any { return h.CPUQuota }, true},
	{"cpu_shares", value, func(c Container) bool { return c.CPUShares != nil }, func(_ *cfg, h *hst) any { return h.CPUShares }, true},
	{"cpus", value, func(c Container) bool { return c.CPUs != nil }, func(_ *cfg, h *hst) any { return h.NanoCPUs }, true},
	{"cpuset_cpus", value, func(c Container) bool { return c.CpusetCpus != "" }, func(_ *cfg, h *hst) any { return h.CpusetCpus }, true},
	{"cpuset_mems", value, func(c Container) bool { return c.CpusetMems != "" }, func(_ *cfg, h *hst) any { return h.CpusetMems }, true},
	{"device_read_bps", set, func(c Container) bool { return c.DeviceReadBPS != nil }, func(_ *cfg, h *hst) any { return asSet(h.BlkioDeviceReadBps) }, false},
	{"device_read_iops", set, func(c Container) bool { return c.DeviceReadIOPS != nil }, func(_ *cfg, h *hst) any { return asSet(h.BlkioDeviceReadIOps) }, false},
	{"device_write_bps", set, func(c Container) bool { return c.DeviceWriteBPS != nil }, func(_ *cfg, h *hst) any { return asSet(h.BlkioDeviceWriteBps) }, false},
	{"device_write_iops", set, func(c Container) bool { return c.DeviceWriteIOPS != nil }, func(_ *cfg, h *hst) any { return asSet(h.BlkioDeviceWriteIOps) }, false},
	{"device_requests", set, func(c Container) bool { return c.DeviceRequests != nil }, func(_ *cfg, h *hst) any { return asSet(h.DeviceRequests) }, false},
	{"devices", set, func(c Container) bool { return c.Devices != nil }, func(_ *cfg, h *hst) any { return asSet(h.Devices) }, false},
	{"dns_opts", set, func(c Container) bool { return c.DNSOpts != nil }, func(_ *cfg, h *hst) any { return words(h.DNSOptions) }, false},
	{"dns_search_domains", list, func(c Container) bool { return c.DNSSearch != nil }, func(_ *cfg, h *hst) any { return words(h.DNSSearch) }, false},
	{"dns_servers", list, func(c Container) bool { return c.DNSServers != nil }, func(_ *cfg, h *hst) any { return words(h.DNS) }, false},
	{"domainname", value, func(c Container) bool { return c.Domainname != "" }, func(c *cfg, _ *hst) any { return c.Domainname }, false},
	{"entrypoint", list, func(c Container) bool { return c.Entrypoint != nil }, func(c *cfg, _ *hst) any { return words(c.Entrypoint) }, false},
	{"env", dict, func(c Container) bool { return c.Env != nil || c.EnvFile != "" }, func(c *cfg, _ *hst) any { return unpaired(c.Env) }, false},
	{"etc_hosts", set, func(c Container) bool { return c.EtcHosts != nil }, func(_ *cfg, h *hst) any { return words(h.ExtraHosts) }, false},
	{"exposed_ports", set, func(c Container) bool { return c.ExposedPorts != nil || c.PublishedPorts != nil }, func(c *cfg, _ *hst) any { return portKeys(c.ExposedPorts) }, false},
	{"groups", set, func(c Container) bool { return c.Groups != nil }, func(_ *cfg, h *hst) any { return words(h.GroupAdd) }, false},
	{"healthcheck", value, func(c Container) bool { return c.Healthcheck != nil }, func(c *cfg, _ *hst) any { return deref(c.Healthcheck) }, false},
	{"hostname", value, func(c Container) bool { return c.Hostname != "" }, func(c *cfg, _ *hst) any { return c.Hostname }, false},
	{"init", value, func(c Container) bool { return c.Init != nil }, func(_ *cfg, h *hst) any { return isSet(h.Init) }, false},
	{"interactive", value, func(c Container) bool { return c.Interactive != nil }, func(c *cfg, _ *hst) any { return c.OpenStdin }, false},
	{"ipc_mode", value, func(c Container) bool { return c.IpcMode != "" }, func(_ *cfg, h *hst) any { return h.IpcMode }, false},
	{"kernel_memory", value, func(c Container) bool { return c.KernelMemory != "" }, func(_ *cfg, h *hst) any { return h.KernelMemory }, true},
	{"labels", dict, func(c Container) bool { return c.Labels != nil }, func(c *cfg, _ *hst) any { return copied(c.Labels) }, false},
	{"links", set, func(c Container) bool { return c.Links != nil }, func(_ *cfg, h *hst) any { return linkNames(h.Links) }, false},
	{"log_driver", value, func(c Container) bool { return c.LogDriver != "" }, func(_ *cfg, h *hst) any { return h.LogConfig.Type }, false},
	{"log_options", dict, func(c Container) bool { return c.LogOptions != nil }, func(_ *cfg, h *hst) any { return copied(h.LogConfig.Config) }, false},
	//lint:ignore SA1019 engines before API 1.44 know no other place
	{"mac_address", value, func(c Container) bool { return c.MacAddress != "" }, func(c *cfg, _ *hst) any { return strings.ToLower(c.MacAddress) }, false},
	{"memory", value, func(c Container) bool { return c.Memory != "" }, func(_ *cfg, h *hst) any { return h.Memory }, true},
	{"memory_reservation", value, func(c Container) bool { return c.MemoryReservation != "" }, func(_ *cfg, h *hst) any { return h.MemoryReservation }, true},
	{"memory_swap", value, func(c Container) bool { return c.MemorySwap != "" }, func(_ *cfg, h *hst) any { return h.MemorySwap }, true},
	{"memory_swappiness", value, func(c Container) bool { return c.MemorySwappiness != nil }, func(_ *cfg, h *hst) any { return deref(h.MemorySwappiness) }, false},
	{"mounts", set, func(c Container) bool { return c.Mounts != nil }, func(_ *cfg, h *hst) any { return asSet(h.Mounts) }, false},
	{"network_mode", value, func(c Container) bool { return c.NetworkMode != "" }, func(_ *cfg, h *hst) any { return mode(h) }, false},
	{"oom_killer", value, func(c Container) bool { return c.OomKiller != nil }, func(_ *cfg, h *hst) any { return isSet(h.OomKillDisable) }, false},
	{"oom_score_adj", value, func(c Container) bool { return c.OomScoreAdj != nil }, func(_ *cfg, h *hst) any { return h.OomScoreAdj }, false},
	{"pid_mode", value, func(c Container) bool { return c.PidMode != "" }, func(_ *cfg, h *hst) any { return h.PidMode }, false},
	{"pids_limit", value, func(c Container) bool { return c.PidsLimit != nil }, func(_ *cfg, h *hst) any { return deref(h.PidsLimit) }, false},
	{"privileged", value, func(c Container) bool { return c.Privileged != nil }, func(_ *cfg, h *hst) any { return h.Privileged }, false},
	{"publish_all_ports", value, func(c Container) bool { return c.PublishAllPorts != nil || slices.Contains(c.PublishedPorts, "all") }, func(_ *cfg, h *hst) any { return h.PublishAllPorts }, false},
	{"published_ports", dict, func(c Container) bool { return c.PublishedPorts != nil }, func(_ *cfg, h *hst) any { return portBindings(h) }, false},
	{"read_only", value, func(c Container) bool { return c.ReadOnly != nil }, func(_ *cfg, h *hst) any { return h.ReadonlyRootfs }, false},
	{"restart_policy", value, func(c Container) bool { return c.RestartPolicy != "" }, func(_ *cfg, h *hst) any { return h.RestartPolicy.Name }, true},
	{"restart_retries", value, func(c Container) bool { return c.RestartRetries != nil }, func(_ *cfg, h *hst) any { return h.RestartPolicy.MaximumRetryCount }, true},
	{"runtime", value, func(c Container) bool { return c.Runtime != "" }, func(_ *cfg, h *hst) any { return h.Runtime }, false},
	{"security_opts", set, func(c Container) bool { return c.SecurityOpts != nil }, func(_ *cfg, h *hst) any { return words(h.SecurityOpt) }, false},
	{"shm_size", value, func(c Container) bool { return c.ShmSize != "" }, func(_ *cfg, h *hst) any { return h.ShmSize }, false},
	{"stop_signal", value, func(c Container) bool { return c.StopSignal != "" }, func(c *cfg, _ *hst) any { return c.StopSignal }, false},
	{"stop_timeout", value, func(c Container) bool { return c.StopTimeout != nil }, func(c *cfg, _ *hst) any { return deref(c.StopTimeout) }, false},
	{"storage_opts", dict, func(c Container) bool { return c.StorageOpts != nil }, func(_ *cfg, h *hst) any { return copied(h.StorageOpt) }, false},
	{"sysctls", dict, func(c Container) bool { return c.Sysctls != nil }, func(_ *cfg, h *hst) any { return copied(h.Sysctls) }, false},
	{"tmpfs", dict, func(c Container) bool { return c.Tmpfs != nil }, func(_ *cfg, h *hst) any { return copied(h.Tmpfs) }, false},
	{"tty", value, func(c Container) bool { return c.TTY != nil }, func(c *cfg, _ *hst) any { return c.Tty }, false},
	{"ulimits", set, func(c Container) bool { return c.Ulimits != nil }, func(_ *cfg, h *hst) any { return asSet(h.Ulimits) }, false},
	{"user", value, func(c Container) bool { return c.User != "" }, func(c *cfg, _ *hst) any { return c.User }, false},
	{"userns_mode", value, func(c Container) bool { return c.UsernsMode != "" }, func(_ *cfg, h *hst) any { return h.UsernsMode }, false},
	{"uts", value, func(c Container) bool { return c.UTS != "" }, func(_ *cfg, h *hst) any { return h.UTSMode }, false},
	{"volume_driver", value, func(c Container) bool { return c.VolumeDriver != "" }, func(_ *cfg, h *hst) any { return h.VolumeDriver }, false},
	{"volumes", set, func(c Container) bool { return c.Volumes != nil }, func(c *cfg, h *hst) any { return append(keys(c.Volumes), h.Binds...) }, false},
	{"volumes_from", set, func(c Container) bool { return c.VolumesFrom != nil }, func(_ *cfg, h *hst) any { return words(h.VolumesFrom) }, false},
	{"working_dir", value, func(c Container) bool { return c.WorkingDir != "" }, func(c *cfg, _ *hst) any { return c.WorkingDir }, false},
}

func copied(m map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// mode is a network mode, where bridge is the default on Linux.
func mode(h *hst) container.NetworkMode {
	if h.NetworkMode == "default" {
		return "bridge"
	}
	return h.NetworkMode
}
