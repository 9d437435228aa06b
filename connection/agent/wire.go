package agent

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// A frame is a length (4 bytes), a kind (1), an id (4), then the body. Calls
// and streams are numbered separately, calls by the controller and streams by
// the host.
type kind byte

const (
	kindCall   kind = iota + 1 // to the host: run a module
	kindResult                 // to the controller: what it gave
	kindCancel                 // to the host: end a call
	kindOpen                   // to the controller: a stream begins
	kindData                   // of a stream
	kindCredit                 // of a stream: so many bytes more may be sent
	kindClose                  // of a stream: its end, and the error if there was one
)

const (
	headerSize = 9
	maxFrame   = 1 << 30
	chunk      = 32 << 10
	// window is how much of a stream may be under way and not yet read.
	window = 1 << 20
)

// link carries frames both ways.
type link struct {
	in  *bufio.Reader
	out io.Writer

	writing sync.Mutex
	frame   []byte // reused under writing

	mu      sync.Mutex
	streams map[uint32]*stream
	broken  error
}

func newLink(r io.Reader, w io.Writer) *link {
	in, ok := r.(*bufio.Reader)
	if !ok {
		in = bufio.NewReaderSize(r, 64<<10)
	}
	return &link{in: in, out: w, streams: map[uint32]*stream{}}
}

func (l *link) send(k kind, id uint32, body []byte) error {
	if len(body) > maxFrame {
		return fmt.Errorf("a message of %d MB is too large", len(body)>>20)
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	l.frame = binary.BigEndian.AppendUint32(l.frame[:0], uint32(len(body)))
	l.frame = append(l.frame, byte(k))
	l.frame = binary.BigEndian.AppendUint32(l.frame, id)
	l.frame = append(l.frame, body...)
	_, err := l.out.Write(l.frame)
	if cap(l.frame) > window {
		l.frame = nil
	}
	return err
}

func (l *link) sendValue(k kind, id uint32, v map[string]any) error {
	body, err := appendValue(nil, v)
	if err != nil {
		return err
	}
	return l.send(k, id, body)
}

// serve reads frames until the channel ends; handle gets those that belong to
// no stream. It never waits for a stream's reader.
func (l *link) serve(handle func(k kind, id uint32, body []byte) error) error {
	var header [headerSize]byte
	for {
		if _, err := io.ReadFull(l.in, header[:]); err != nil {
			return l.fail(err)
		}
		size := binary.BigEndian.Uint32(header[:])
		if size > maxFrame {
			return l.fail(errBroken)
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(l.in, body); err != nil {
			return l.fail(err)
		}
		k, id := kind(header[4]), binary.BigEndian.Uint32(header[5:])
		if err := l.dispatch(k, id, body, handle); err != nil {
			return l.fail(err)
		}
	}
}

func (l *link) dispatch(k kind, id uint32, body []byte, handle func(kind, uint32, []byte) error) error {
	switch k {
	case kindData, kindCredit, kindClose:
		// A stream that is gone was given up by this side; the other side
		// learns that soon.
		if s := l.stream(id); s != nil {
			return s.receive(k, body)
		}
		return nil
	}
	return handle(k, id, body)
}

// fail ends all streams.
func (l *link) fail(err error) error {
	l.mu.Lock()
	l.broken = err
	streams := l.streams
	l.streams = map[uint32]*stream{}
	l.mu.Unlock()
	for _, s := range streams {
		s.end(io.ErrUnexpectedEOF)
	}
	return err
}

func (l *link) stream(id uint32) *stream {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.streams[id]
}

func (l *link) newStream(id uint32) *stream {
	s := &stream{link: l, id: id, credit: window}
	s.changed.L = &s.mu
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		s.ended = io.ErrUnexpectedEOF
	} else {
		l.streams[id] = s
	}
	return s
}

func (l *link) forget(id uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.streams, id)
}

// stream is one file under way. One side writes, the other reads; either may
// end it.
type stream struct {
	link *link
	id   uint32

	mu      sync.Mutex
	changed sync.Cond
	queue   []byte
	read    int   // bytes read and not yet credited
	credit  int   // bytes that may be written
	ended   error // the other side closed it: io.EOF or why
}

var errGivenUp = errors.New("closed by the reader")

func (s *stream) receive(k kind, body []byte) error {
	switch k {
	case kindCredit:
		if len(body) != 4 {
			return errBroken
		}
		s.mu.Lock()
		s.credit += int(binary.BigEndian.Uint32(body))
		s.mu.Unlock()
		s.changed.Broadcast()
	case kindData:
		s.mu.Lock()
		s.queue = append(s.queue, body...)
		over := len(s.queue) > window
		s.mu.Unlock()
		s.changed.Broadcast()
		if over {
			return errBroken
		}
	case kindClose:
		err := io.EOF
		if len(body) > 0 {
			err = errors.New(string(body))
		}
		s.end(err)
	}
	return nil
}

func (s *stream) end(err error) {
	s.mu.Lock()
	if s.ended == nil {
		s.ended = err
	}
	s.mu.Unlock()
	s.changed.Broadcast()
}

func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	for len(s.queue) == 0 && s.ended == nil {
		s.changed.Wait()
	}
	if len(s.queue) == 0 {
		defer s.mu.Unlock()
		return 0, s.ended
	}
	n := copy(p, s.queue)
	s.queue = s.queue[n:]
	s.read += n
	give := 0
	if s.read >= window/4 {
		give, s.read = s.read, 0
	}
	s.mu.Unlock()
	if give > 0 {
		// A channel that broke shows at the next read.
		s.link.send(kindCredit, s.id, binary.BigEndian.AppendUint32(nil, uint32(give)))
	}
	return n, nil
}

func (s *stream) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := s.take(min(len(p)-done, chunk))
		if err != nil {
			return done, err
		}
		if err := s.link.send(kindData, s.id, p[done:done+n]); err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// take waits until something may be written, and says how much.
func (s *stream) take(want int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.credit == 0 && s.ended == nil {
		s.changed.Wait()
	}
	if s.ended == io.EOF {
		return 0, errGivenUp
	}
	if s.ended != nil {
		return 0, s.ended
	}
	n := min(want, s.credit)
	s.credit -= n
	return n, nil
}

// wait waits for the other side's close.
func (s *stream) wait() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.ended == nil {
		s.changed.Wait()
	}
	if s.ended == io.EOF {
		return nil
	}
	return s.ended
}

// finish tells the other side the end, err being why if it is a bad one.
func (s *stream) finish(err error) error {
	text := ""
	if err != nil {
		text = err.Error()
	}
	return s.link.send(kindClose, s.id, []byte(text))
}
