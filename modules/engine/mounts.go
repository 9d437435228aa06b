package engine

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/mount"
)

// volumes divides the argument into what is bound to a source and the paths
// of volumes without a name. A source that begins with . or ~ is a path below
// dir or home.
func volumes(specs []string, dir, home string) (binds []string, anonymous map[string]struct{}, err error) {
	anonymous = map[string]struct{}{}
	for _, spec := range specs {
		parts := strings.Split(spec, ":")
		switch {
		case len(parts) > 3 || parts[0] == "" || len(parts) > 1 && !strings.HasPrefix(parts[1], "/"):
			return nil, nil, fmt.Errorf("a volume is source:/path:options or a path, got %q", spec)
		case len(parts) == 1:
			anonymous[parts[0]] = struct{}{}
			continue
		case len(parts) == 2:
			parts = append(parts, "rw")
		}
		switch {
		case strings.HasPrefix(parts[0], "~/") || parts[0] == "~":
			parts[0] = path.Join(home, parts[0][1:])
		case strings.HasPrefix(parts[0], "."):
			parts[0] = path.Join(dir, parts[0])
		}
		binds = append(binds, strings.Join(parts, ":"))
	}
	return binds, anonymous, nil
}

// Mounts puts mounts in the engine's terms.
func Mounts(list []Mount) ([]mount.Mount, error) {
	var out []mount.Mount
	for _, m := range list {
		one := mount.Mount{Type: mount.Type(m.Type), Source: m.Source, Target: m.Target,
			ReadOnly: isSet(m.ReadOnly), Consistency: mount.Consistency(m.Consistency)}
		if m.Source == "" && (m.Type == "bind" || m.Type == "npipe") {
			return nil, fmt.Errorf("source must be specified for mount %q of type %q", m.Target, m.Type)
		}
		if m.Propagation != "" {
			one.BindOptions = &mount.BindOptions{Propagation: mount.Propagation(m.Propagation)}
		}
		if m.NoCopy != nil || m.Labels != nil || m.VolumeDriver != "" || m.VolumeOptions != nil {
			one.VolumeOptions = volumeOptions(m)
		}
		if m.TmpfsSize != "" || m.TmpfsMode != "" {
			var err error
			if one.TmpfsOptions, err = tmpfsOptions(m); err != nil {
				return nil, err
			}
		}
		out = append(out, one)
	}
	return out, nil
}

func volumeOptions(m Mount) *mount.VolumeOptions {
	o := &mount.VolumeOptions{NoCopy: isSet(m.NoCopy), Labels: texts(m.Labels)}
	if m.VolumeDriver != "" || m.VolumeOptions != nil {
		o.DriverConfig = &mount.Driver{Name: m.VolumeDriver, Options: texts(m.VolumeOptions)}
	}
	return o
}

func tmpfsOptions(m Mount) (*mount.TmpfsOptions, error) {
	o := &mount.TmpfsOptions{}
	size, err := Bytes(m.TmpfsSize)
	if err != nil {
		return nil, fmt.Errorf("tmpfs_size of mount %s: %w", m.Target, err)
	}
	o.SizeBytes = size
	if m.TmpfsMode != "" {
		mode, err := strconv.ParseUint(m.TmpfsMode, 8, 32)
		if err != nil {
			return nil, fmt.Errorf("tmpfs_mode of mount %s must be octal, got %q", m.Target, m.TmpfsMode)
		}
		o.Mode = os.FileMode(mode)
	}
	return o, nil
}

func isSet(b *bool) bool { return b != nil && *b }
