package engine

// Container is a container as it is to be: the arguments of docker_container
// that describe it. What is nil or "" is left to the image and the engine.
type Container struct {
	AutoRemove        *bool           `arg:"auto_remove" doc:"The engine removes the container when it ends."`
	BlkioWeight       *int            `arg:"blkio_weight" doc:"Share of block IO, 10 to 1000."`
	CapDrop           []string        `arg:"cap_drop" doc:"Capabilities to take away."`
	Capabilities      []string        `arg:"capabilities" doc:"Capabilities to add."`
	CgroupParent      string          `arg:"cgroup_parent" doc:"The parent cgroup."`
	CgroupnsMode      string          `arg:"cgroupns_mode" choices:"host,private" doc:"The cgroup namespace."`
	Command           any             `arg:"command" doc:"The command, as a list or as a line that is split as a shell would."`
	CPUPeriod         *int            `arg:"cpu_period" doc:"CPU CFS period in microseconds."`
	CPUQuota          *int            `arg:"cpu_quota" doc:"CPU CFS quota in microseconds."`
	CPUs              *float64        `arg:"cpus" doc:"How many CPUs it may use, such as 1.5."`
	CPUShares         *int            `arg:"cpu_shares" doc:"Relative weight of CPU time."`
	CpusetCpus        string          `arg:"cpuset_cpus" doc:"The CPUs it runs on: 0,1 or 0-3."`
	CpusetMems        string          `arg:"cpuset_mems" doc:"The memory nodes it uses."`
	DefaultHostIP     *string         `arg:"default_host_ip" doc:"The address that ports are published on, 0.0.0.0 by default."`
	DeviceReadBPS     []DeviceRate    `arg:"device_read_bps" doc:"Limits of reads in bytes per second."`
	DeviceWriteBPS    []DeviceRate    `arg:"device_write_bps" doc:"Limits of writes in bytes per second."`
	DeviceReadIOPS    []DeviceRate    `arg:"device_read_iops" doc:"Limits of reads per second."`
	DeviceWriteIOPS   []DeviceRate    `arg:"device_write_iops" doc:"Limits of writes per second."`
	DeviceRequests    []DeviceRequest `arg:"device_requests" doc:"Devices such as GPUs."`
	Devices           []string        `arg:"devices" doc:"Devices: host:container:permissions."`
	DNSOpts           []string        `arg:"dns_opts" doc:"Options of the resolver."`
	DNSSearch         []string        `arg:"dns_search_domains" doc:"Domains to search."`
	DNSServers        []string        `arg:"dns_servers" doc:"Name servers."`
	Domainname        string          `arg:"domainname" doc:"The domain name."`
	Entrypoint        []string        `arg:"entrypoint" doc:"What is run with command as its arguments."`
	Env               map[string]any  `arg:"env" doc:"Environment variables."`
	EnvFile           string          `arg:"env_file" type:"path" doc:"A file of the host with NAME=value lines; env wins over it."`
	EtcHosts          map[string]any  `arg:"etc_hosts" doc:"Names and addresses for /etc/hosts."`
	ExposedPorts      []string        `arg:"exposed_ports" alias:"exposed,expose" doc:"Ports that other containers may use."`
	Groups            []string        `arg:"groups" doc:"Further groups of the user."`
	Healthcheck       *Healthcheck    `arg:"healthcheck" doc:"How the engine finds out whether the container is healthy."`
	Hostname          string          `arg:"hostname" doc:"The host name."`
	Init              *bool           `arg:"init" doc:"Run an init process inside."`
	Interactive       *bool           `arg:"interactive" doc:"Keep stdin open."`
	IpcMode           string          `arg:"ipc_mode" doc:"The IPC namespace."`
	KernelMemory      string          `arg:"kernel_memory" doc:"Limit of kernel memory."`
	Labels            map[string]any  `arg:"labels" doc:"Labels."`
	Links             []string        `arg:"links" doc:"Links to other containers: name:alias."`
	LogDriver         string          `arg:"log_driver" doc:"The logging driver."`
	LogOptions        map[string]any  `arg:"log_options" alias:"log_opt" doc:"Its options."`
	MacAddress        string          `arg:"mac_address" doc:"The MAC address."`
	Memory            string          `arg:"memory" doc:"Limit of memory, such as 512M; 0 is none."`
	MemoryReservation string          `arg:"memory_reservation" doc:"Soft limit of memory."`
	MemorySwap        string          `arg:"memory_swap" doc:"Limit of memory and swap together; unlimited or -1 is none."`
	MemorySwappiness  *int            `arg:"memory_swappiness" doc:"How readily its memory is swapped, 0 to 100."`
	Mounts            []Mount         `arg:"mounts" doc:"Mounts: volumes, directories of the host, tmpfs."`
	NetworkMode       string          `arg:"network_mode" doc:"bridge, host, none, container:NAME or a network."`
	Networks          []Network       `arg:"networks" doc:"The networks it is connected to."`
	OomKiller         *bool           `arg:"oom_killer" doc:"false: never kill it for want of memory."`
	OomScoreAdj       *int            `arg:"oom_score_adj" doc:"How likely it is killed for want of memory."`
	PidMode           string          `arg:"pid_mode" doc:"The PID namespace."`
	PidsLimit         *int            `arg:"pids_limit" doc:"Limit of processes; -1 is none."`
	Platform          string          `arg:"platform" doc:"The platform of the image: os/arch."`
	Privileged        *bool           `arg:"privileged" doc:"Give it all of the host."`
	PublishAllPorts   *bool           `arg:"publish_all_ports" doc:"Publish all exposed ports on random ports."`
	PublishedPorts    []string        `arg:"published_ports" alias:"ports" doc:"Ports: 80, 8080:80, 9000-9010:80-90/udp, 127.0.0.1::80; all publishes all exposed ports."`
	ReadOnly          *bool           `arg:"read_only" doc:"Its root file system is read-only."`
	RestartPolicy     string          `arg:"restart_policy" choices:"no,on-failure,always,unless-stopped" doc:"When the engine starts it again."`
	RestartRetries    *int            `arg:"restart_retries" doc:"How often, with on-failure."`
	Runtime           string          `arg:"runtime" doc:"The container runtime."`
	SecurityOpts      []string        `arg:"security_opts" doc:"Security options."`
	ShmSize           string          `arg:"shm_size" doc:"Size of /dev/shm."`
	StopSignal        string          `arg:"stop_signal" doc:"The signal that stops it."`
	StopTimeout       *int            `arg:"stop_timeout" doc:"Seconds until it is killed after that."`
	StorageOpts       map[string]any  `arg:"storage_opts" doc:"Options of the storage driver."`
	Sysctls           map[string]any  `arg:"sysctls" doc:"Kernel parameters."`
	Tmpfs             []string        `arg:"tmpfs" doc:"tmpfs mounts: path or path:options."`
	TTY               *bool           `arg:"tty" doc:"Give it a terminal."`
	Ulimits           []string        `arg:"ulimits" doc:"Limits: name:soft:hard."`
	User              string          `arg:"user" doc:"The user: name, id, user:group."`
	UsernsMode        string          `arg:"userns_mode" doc:"The user namespace."`
	UTS               string          `arg:"uts" doc:"The UTS namespace."`
	VolumeDriver      string          `arg:"volume_driver" doc:"The driver of its volumes."`
	Volumes           []string        `arg:"volumes" doc:"Volumes: source:path:options, or a path for a volume without a name."`
	VolumesFrom       []string        `arg:"volumes_from" doc:"Containers whose volumes it uses."`
	WorkingDir        string          `arg:"working_dir" doc:"The working directory."`
}

// Mount is one of a container's mounts.
type Mount struct {
	Target        string         `arg:"target" required:"true" doc:"The path inside."`
	Source        string         `arg:"source" doc:"A volume's name or a path of the host."`
	Type          string         `arg:"type" default:"volume" choices:"bind,npipe,tmpfs,volume" doc:"What is mounted."`
	ReadOnly      *bool          `arg:"read_only" doc:"Whether it is read-only."`
	Consistency   string         `arg:"consistency" choices:"cached,consistent,default,delegated" doc:"On macOS only."`
	Propagation   string         `arg:"propagation" choices:"private,rprivate,shared,rshared,slave,rslave" doc:"Propagation of a bind mount."`
	NoCopy        *bool          `arg:"no_copy" doc:"Do not fill a new volume from the image."`
	Labels        map[string]any `arg:"labels" doc:"Labels of a new volume."`
	VolumeDriver  string         `arg:"volume_driver" doc:"Its driver."`
	VolumeOptions map[string]any `arg:"volume_options" doc:"The driver's options."`
	TmpfsSize     string         `arg:"tmpfs_size" doc:"The size of a tmpfs."`
	TmpfsMode     string         `arg:"tmpfs_mode" doc:"The permissions of a tmpfs, octal."`
}

// Network is a network that a container is connected to.
type Network struct {
	Name        string   `arg:"name" required:"true" doc:"Its name."`
	IPv4Address string   `arg:"ipv4_address" doc:"The container's IPv4 address."`
	IPv6Address string   `arg:"ipv6_address" doc:"The container's IPv6 address."`
	Links       []string `arg:"links" doc:"Links to other containers."`
	Aliases     []string `arg:"aliases" doc:"Further names of the container there."`
}

// Healthcheck is how the engine finds out whether a container is healthy.
type Healthcheck struct {
	Test        any    `arg:"test" doc:"The command: a list, or a line for the shell; NONE switches the image's off."`
	Interval    string `arg:"interval" doc:"The time between two checks, such as 1m30s."`
	Timeout     string `arg:"timeout" doc:"The time one check may take."`
	StartPeriod string `arg:"start_period" doc:"The time in which failures do not count."`
	Retries     *int   `arg:"retries" doc:"How many failures in a row make it unhealthy."`
}

// DeviceRate limits reads or writes of a device.
type DeviceRate struct {
	Path string `arg:"path" required:"true" doc:"The device."`
	Rate string `arg:"rate" required:"true" doc:"The limit: a number, for bytes also 10M."`
}

// DeviceRequest asks for devices of a driver.
type DeviceRequest struct {
	Capabilities []any          `arg:"capabilities" doc:"Lists of what a device must be able to do."`
	Count        *int           `arg:"count" doc:"How many; -1 is all."`
	DeviceIDs    []string       `arg:"device_ids" doc:"Which."`
	Driver       string         `arg:"driver" doc:"The driver."`
	Options      map[string]any `arg:"options" doc:"Its options."`
}
