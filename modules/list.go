package modules

import "strings"

// All lists every module, sorted by name.
var All = []*Module{
	Apk,
	Apt,
	AptKey,
	AptRepository,
	Assemble,
	AsyncStatus,
	AuthorizedKey,
	Blockinfile,
	Command,
	Consul,
	ConsulKV,
	ConsulSession,
	ConsulTemplate,
	Copy,
	Cron,
	Debconf,
	Dnf,
	Docker,
	DockerCompose,
	DockerComposeV2,
	DockerContainer,
	DockerContainerExec,
	DockerContainerInfo,
	DockerHostInfo,
	DockerImage,
	DockerImageInfo,
	DockerNetwork,
	DockerNode,
	DockerStack,
	DockerSwarm,
	DockerSwarmInfo,
	DockerSwarmService,
	DockerVolume,
	DpkgSelections,
	Fetch,
	File,
	FindFiles,
	GetURL,
	Getent,
	Git,
	Group,
	Hostname,
	IniFile,
	KnownHosts,
	Lineinfile,
	Modprobe,
	Mount,
	Package,
	PackageFacts,
	Ping,
	Pip,
	Program,
	Raw,
	Replace,
	Script,
	Service,
	ServiceFacts,
	Setup,
	Shell,
	Slurp,
	Stat,
	Sysctl,
	Systemd,
	Tempfile,
	Unarchive,
	URI,
	User,
	WaitFor,
	Yum,
}

// Find gives the module of a name: short, an alias, or with a collection in
// front (ansible.builtin.copy, ansible.legacy.copy, community.docker.docker_container).
// It is nil when there is none.
func Find(name string) *Module {
	if m := byName[name]; m != nil {
		return m
	}
	namespace, short, found := cutLast(name)
	if !found || !collections[namespace] {
		return nil
	}
	return byName[short]
}

func cutLast(name string) (before, after string, found bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// collections are those whose modules are known by their short names.
var collections = map[string]bool{
	"ansible.builtin": true, "ansible.legacy": true, "ansible.posix": true,
	"community.general": true, "community.docker": true, "community.crypto": true,
}

var byName = index()

func index() map[string]*Module {
	all := map[string]*Module{}
	for _, m := range All {
		for _, name := range append([]string{m.Name}, m.Aliases...) {
			if all[name] != nil {
				panic("two modules are called " + name)
			}
			all[name] = m
		}
	}
	return all
}

// Names are the names of all modules, aliases included, for hints.
func Names() []string {
	var names []string
	for _, m := range All {
		names = append(append(names, m.Name), m.Aliases...)
	}
	return names
}
