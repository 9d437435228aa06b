package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"gplay/modules/host"
)

// Stat says what is known of a file.
var Stat = define("stat", "say what is known of a file", statArgs{
	GetChecksum: true, GetMime: true, GetAttributes: true, Algorithm: "sha1",
}, stat).
	gives("changed stat exists path mode isdir ischr isblk isreg isfifo islnk issock uid gid size inode dev nlink atime mtime ctime wusr rusr xusr wgrp rgrp xgrp woth roth xoth isuid isgid blocks block_size device_type readable writeable executable lnk_source lnk_target pw_name gr_name md5 checksum mimetype charset version attributes attr_flags")

type statArgs struct {
	Path          string `arg:"path" alias:"dest,name" type:"path" required:"true" doc:"The file."`
	Follow        bool   `arg:"follow" doc:"Follow links."`
	GetMD5        bool   `arg:"get_md5" doc:"Give the MD5 too."`
	GetChecksum   bool   `arg:"get_checksum" doc:"Give the checksum of a file."`
	GetMime       bool   `arg:"get_mime" alias:"mime,mime_type,mime-type" doc:"Ask the program file for the kind of content."`
	GetAttributes bool   `arg:"get_attributes" alias:"attr,attributes" doc:"Ask lsattr for the file system's flags."`
	Algorithm     string `arg:"checksum_algorithm" alias:"checksum,checksum_algo" choices:"md5,sha1,sha224,sha256,sha384,sha512" doc:"The kind of checksum."`
}

func stat(ctx context.Context, c *Call, a statArgs) (Result, error) {
	look := c.Lstat
	if a.Follow {
		look = c.Stat
	}
	info, err := look(a.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return Result{"stat": Result{"exists": false}}, nil
	}
	if err != nil {
		return nil, err
	}
	r := statInfo(a.Path, info)
	r["readable"], r["writeable"], r["executable"] = c.Access(a.Path)
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := c.Readlink(a.Path)
		if err != nil {
			return nil, err
		}
		r["lnk_target"], r["lnk_source"] = target, followLinks(c, a.Path)
	}
	if name := c.UserName(info.UID); name != fmt.Sprint(info.UID) {
		r["pw_name"] = name
	}
	if name := c.GroupName(info.GID); name != fmt.Sprint(info.GID) {
		r["gr_name"] = name
	}
	if err := a.hashes(c, r, info); err != nil {
		return nil, err
	}
	a.programs(ctx, c, r)
	return Result{"stat": r}, nil
}

func statInfo(path string, info host.Info) Result {
	m := info.Mode()
	r := Result{
		"exists": true, "path": path, "mode": fmt.Sprintf("%04o", info.Perm()),
		"isdir": m.IsDir(), "isreg": m.IsRegular(), "islnk": m&fs.ModeSymlink != 0,
		"ischr": m&fs.ModeCharDevice != 0, "isblk": m&fs.ModeDevice != 0 && m&fs.ModeCharDevice == 0,
		"isfifo": m&fs.ModeNamedPipe != 0, "issock": m&fs.ModeSocket != 0,
		"isuid": m&fs.ModeSetuid != 0, "isgid": m&fs.ModeSetgid != 0,
		"uid": info.UID, "gid": info.GID, "size": int(info.Size()),
		"inode": int(info.Inode), "dev": int(info.Dev), "nlink": int(info.Nlink),
		"blocks": int(info.Blocks), "block_size": int(info.BlockSize), "device_type": int(info.Rdev),
		"atime": epoch(info.Atime), "mtime": epoch(info.ModTime()), "ctime": epoch(info.Ctime),
	}
	for i, who := range []string{"oth", "grp", "usr"} {
		bits := info.Perm() >> (3 * i)
		r["r"+who], r["w"+who], r["x"+who] = bits&4 != 0, bits&2 != 0, bits&1 != 0
	}
	return r
}

func (a statArgs) hashes(c *Call, r Result, info host.Info) (err error) {
	if !info.Mode().IsRegular() || r["readable"] != true {
		return nil
	}
	if a.GetMD5 {
		if r["md5"], err = fileHash(c, a.Path, "md5"); err != nil {
			return err
		}
	}
	if a.GetChecksum {
		r["checksum"], err = fileHash(c, a.Path, a.Algorithm)
	}
	return err
}

// programs asks those that may be there: what they do not say is unknown.
func (a statArgs) programs(ctx context.Context, c *Call, r Result) {
	if a.GetMime {
		r["mimetype"], r["charset"] = "unknown", "unknown"
		out, err := c.Ask(ctx, host.Command("file", "--brief", "--mime-type", "--mime-encoding", "--", a.Path))
		if kind, charset, ok := strings.Cut(string(out.Stdout), "; charset="); err == nil && out.Code == 0 && ok {
			r["mimetype"], r["charset"] = kind, strings.TrimSpace(charset)
		}
	}
	if a.GetAttributes {
		r["version"], r["attributes"], r["attr_flags"] = nil, []string{}, ""
		out, err := c.Ask(ctx, host.Command("lsattr", "-vd", "--", a.Path))
		if f := strings.Fields(string(out.Stdout)); err == nil && out.Code == 0 && len(f) > 1 {
			flags := strings.ReplaceAll(f[1], "-", "")
			r["version"], r["attr_flags"], r["attributes"] = f[0], flags, flagNames(flags)
		}
	}
}

var fileFlags = map[rune]string{
	'a': "append", 'A': "noatime", 'c': "compressed", 'C': "nocow", 'd': "nodump", 'D': "dirsync",
	'e': "extents", 'E': "encrypted", 'h': "blocksize", 'i': "immutable", 'I': "indexed", 'j': "journalled",
	'N': "inline", 's': "zero", 'S': "synchronous", 't': "notail", 'T': "blockroot", 'u': "undelete",
	'X': "compressedraw", 'Z': "compresseddirty",
}

func flagNames(flags string) []string {
	names := []string{}
	for _, f := range flags {
		if name, ok := fileFlags[f]; ok {
			names = append(names, name)
		}
	}
	return names
}
