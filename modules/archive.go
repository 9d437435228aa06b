package modules

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// member is one file of an archive.
type member struct {
	name     string
	mode     fs.FileMode // its kind and permissions
	size     int64
	mtime    time.Time
	uid, gid int // -1 when the archive does not say
	user     string
	group    string
	link     string // what a symbolic link points to
	hard     string // the member that it is another name of
	data     io.Reader
}

// listed is the name as tar and unzip list it.
func (m member) listed() string {
	if m.mode.IsDir() {
		return m.name + "/"
	}
	return m.name
}

// archive is an archive file, read from its start as often as is needed.
type archive struct {
	kind string // Ansible's name of what reads it
	each func(visit func(member) error) error
}

// archiveFile is what reading an archive takes.
type archiveFile interface {
	io.ReaderAt
	io.ReadSeeker
}

var magics = []struct {
	magic []byte
	kind  string
	open  func(io.Reader) (io.Reader, error)
}{
	{[]byte{0x1f, 0x8b}, "TgzArchive", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{[]byte("BZh"), "TarArchive", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	{[]byte{0xfd, '7', 'z', 'X', 'Z', 0}, "TarArchive", func(r io.Reader) (io.Reader, error) { return xz.NewReader(bufio.NewReader(r)) }},
	{[]byte{0x28, 0xb5, 0x2f, 0xfd}, "TarArchive", func(r io.Reader) (io.Reader, error) {
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}},
}

// openArchive finds out what kind of archive a file is, by its first bytes.
func openArchive(f archiveFile, size int64) (*archive, error) {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	head = head[:n]
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06")) {
		z, err := zip.NewReader(f, size)
		if err != nil {
			return nil, err
		}
		return &archive{"ZipArchive", func(visit func(member) error) error { return eachZip(z, visit) }}, nil
	}
	kind, open := "TarArchive", func(r io.Reader) (io.Reader, error) { return bufio.NewReader(r), nil }
	for _, m := range magics {
		if bytes.HasPrefix(head, m.magic) {
			kind, open = m.kind, m.open
		}
	}
	a := &archive{kind, func(visit func(member) error) error { return eachTar(f, open, visit) }}
	err = a.each(func(member) error { return io.EOF })
	if err != nil && err != io.EOF {
		return nil, errors.New("it is no tar or zip archive")
	}
	return a, nil
}

func eachTar(f io.ReadSeeker, open func(io.Reader) (io.Reader, error), visit func(member) error) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r, err := open(f)
	if err != nil {
		return err
	}
	if c, ok := r.(io.Closer); ok {
		defer c.Close()
	}
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		m := member{
			name: h.Name, mode: h.FileInfo().Mode(), size: h.Size, mtime: h.ModTime,
			uid: h.Uid, gid: h.Gid, user: h.Uname, group: h.Gname, data: t,
		}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeDir, tar.TypeGNUSparse:
		case tar.TypeSymlink:
			m.link = h.Linkname
		case tar.TypeLink:
			m.hard = h.Linkname
		case tar.TypeXGlobalHeader:
			continue
		default:
			return fmt.Errorf("%s is neither a file, a directory nor a link", h.Name)
		}
		if err := visit(m); err != nil {
			return err
		}
	}
}

func eachZip(z *zip.Reader, visit func(member) error) error {
	for _, f := range z.File {
		m := member{name: f.Name, mode: f.Mode(), size: int64(f.UncompressedSize64), mtime: f.Modified, uid: -1, gid: -1}
		r, err := f.Open()
		if err != nil {
			return err
		}
		m.data = r
		if m.mode&fs.ModeSymlink != 0 {
			target, err := io.ReadAll(io.LimitReader(r, 4096))
			if err != nil {
				return err
			}
			m.link = string(target)
		}
		if err := errors.Join(visit(m), r.Close()); err != nil {
			return err
		}
	}
	return nil
}
