package agent

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
)

// Serve runs the modules that are asked for on r, by run, until r ends; then
// it ends what still runs.
func Serve(ctx context.Context, r io.Reader, w io.Writer, run Runner) error {
	ctx, cancel := context.WithCancel(ctx)
	s := &server{ctx: ctx, link: newLink(r, w), local: NewLocal(run), cancels: map[uint32]context.CancelFunc{}}
	err := s.link.serve(s.handle)
	cancel()
	s.local.Close()
	s.running.Wait()
	if err == io.EOF {
		return nil
	}
	return err
}

type server struct {
	ctx     context.Context
	link    *link
	local   *Local
	running sync.WaitGroup
	streams atomic.Uint32

	mu      sync.Mutex
	cancels map[uint32]context.CancelFunc
}

func (s *server) handle(k kind, id uint32, body []byte) error {
	switch k {
	case kindCall:
		return s.call(id, body)
	case kindCancel:
		if cancel := s.take(id); cancel != nil {
			cancel()
		}
		return nil
	}
	return fmt.Errorf("unexpected message %d", k)
}

func (s *server) take(id uint32) context.CancelFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	cancel := s.cancels[id]
	delete(s.cancels, id)
	return cancel
}

func (s *server) call(id uint32, body []byte) error {
	call, inline, err := parseCall(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(s.ctx)
	s.mu.Lock()
	s.cancels[id] = cancel
	s.mu.Unlock()
	s.running.Go(func() {
		defer cancel()
		defer s.take(id)
		files := &remoteFiles{server: s, call: id, inline: inline, names: call.Files}
		result := s.local.do(ctx, call, files)
		files.abandon()
		s.answer(id, call, result)
	})
	return nil
}

func (s *server) answer(id uint32, call Call, result map[string]any) {
	body, err := appendValue(nil, result)
	if err == nil && len(body) > maxFrame {
		err = fmt.Errorf("the result has %d MB", len(body)>>20)
	}
	if err != nil {
		body, _ = appendValue(nil, failure("the result of module %s cannot be sent: %v", call.Module, err))
	}
	// When the channel is gone nobody waits for it.
	s.link.send(kindResult, id, body)
}

// remoteFiles are the controller's files, over the channel.
type remoteFiles struct {
	server *server
	call   uint32
	inline map[string]string
	names  map[string]File

	mu   sync.Mutex
	open map[*remoteFile]bool
}

func (f *remoteFiles) Open(name string) (io.ReadCloser, error) {
	if text, ok := f.inline[name]; ok {
		return io.NopCloser(strings.NewReader(text)), nil
	}
	file, err := f.stream(name, false)
	if err != nil {
		return nil, err
	}
	// What cannot be opened is said now and not at the first read.
	first := make([]byte, 1)
	n, err := file.stream.Read(first)
	if err != nil && err != io.EOF {
		file.Close()
		return nil, err
	}
	return &struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(first[:n]), file.stream), file}, nil
}

func (f *remoteFiles) Create(name string) (io.WriteCloser, error) {
	file, err := f.stream(name, true)
	if err != nil {
		return nil, err
	}
	return &struct {
		io.Writer
		io.Closer
	}{file.stream, file}, nil
}

func (f *remoteFiles) stream(name string, write bool) (*remoteFile, error) {
	if _, ok := f.names[name]; !ok {
		return nil, notOffered(name)
	}
	id := f.server.streams.Add(1)
	file := &remoteFile{files: f, stream: f.server.link.newStream(id), write: write}
	ask := map[string]any{"call": int(f.call), "name": name, "write": write}
	if err := f.server.link.sendValue(kindOpen, id, ask); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		f.open = map[*remoteFile]bool{}
	}
	f.open[file] = true
	return file, nil
}

// abandon ends what the module left open; the controller must not take a half
// written file for a whole one.
func (f *remoteFiles) abandon() {
	f.mu.Lock()
	left := f.open
	f.open = nil
	f.mu.Unlock()
	for file := range left {
		file.stream.finish(errUnfinished)
		f.server.link.forget(file.stream.id)
	}
}

type remoteFile struct {
	files  *remoteFiles
	stream *stream
	write  bool
}

var errUnfinished = fmt.Errorf("the module ended before the file did")

// Close of a file that was written reports what the controller says of it.
func (r *remoteFile) Close() error {
	r.files.mu.Lock()
	open := r.files.open[r]
	delete(r.files.open, r)
	r.files.mu.Unlock()
	if !open {
		return nil
	}
	defer r.files.server.link.forget(r.stream.id)
	err := r.stream.finish(nil)
	if r.write && err == nil {
		err = r.stream.wait()
	}
	return err
}
