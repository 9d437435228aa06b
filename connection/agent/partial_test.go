package agent

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// partial is a file that is to take its place only when it is whole.
type partial struct {
	strings.Builder
	closed, aborted bool
}

func (p *partial) Close() error { p.closed = true; return nil }
func (p *partial) Abort() error { p.aborted = true; return nil }

// A file whose stream breaks off is not kept.
func TestPartialFile(t *testing.T) {
	for name, end := range map[string]error{"whole": io.EOF, "lost": io.ErrUnexpectedEOF, "given up": errors.New("the disk cannot be read")} {
		l := newLink(strings.NewReader(""), io.Discard)
		s := l.newStream(1)
		if err := s.receive(kindData, []byte("half")); err != nil {
			t.Fatal(err)
		}
		s.end(end)
		p := &partial{}
		err := receiveFile(s, offered{"out": {Create: func() (io.WriteCloser, error) { return p, nil }}}, "out")
		whole := end == io.EOF
		if p.String() != "half" || p.closed != whole || p.aborted == whole || (err == nil) != whole {
			t.Errorf("%s: %q closed %v aborted %v %v", name, p.String(), p.closed, p.aborted, err)
		}
	}
}
