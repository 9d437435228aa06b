package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gplay/playbook"
)

// writeRetry writes the hosts that failed or could not be reached into a file
// for --limit, where retry files are on.
func (r *Runner) writeRetry(pb *playbook.Playbook) {
	var hosts []string
	for _, of := range []map[string]bool{r.failed, r.unreachable} {
		for host := range of {
			hosts = append(hosts, host)
		}
	}
	if !r.RetryFiles || pb.Text || len(hosts) == 0 {
		return
	}
	slices.Sort(hosts)
	dir := filepath.Dir(pb.File)
	if r.RetryDir != "" {
		dir = r.RetryDir
	}
	name := pb.Name()
	path := filepath.Join(dir, strings.TrimSuffix(name, filepath.Ext(name))+".retry")
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(strings.Join(slices.Compact(hosts), "\n")+"\n"), 0o644)
	}
	if err != nil {
		r.warn("Could not create retry file '%s'. %v", path, err)
		return
	}
	r.tell(func(c Callback) { c.Verbose(0, "\tto retry, use: --limit @"+path+"\n") })
}
