package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"gplay/modules"
)

// Client is the controller's end: it has modules run by the agent at the
// other end of a channel. Its methods may be called at the same time.
type Client struct {
	link *link
	done chan struct{} // closed when the channel has ended, err being set

	mu    sync.Mutex
	next  uint32
	calls map[uint32]*pending
	err   error
}

type pending struct {
	files  modules.Controller
	result chan map[string]any
}

// NewClient speaks over r and w until r ends. The agent's greeting must
// have been read.
func NewClient(r io.Reader, w io.Writer) *Client {
	c := &Client{link: newLink(r, w), done: make(chan struct{}), calls: map[uint32]*pending{}}
	go func() {
		c.err = c.link.serve(c.handle)
		close(c.done)
	}()
	return c
}

// Done is closed when the channel has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Module runs a module and waits for its result. The error is the channel's,
// or ctx's; then the module is told to end.
func (c *Client) Module(ctx context.Context, call Call) (map[string]any, error) {
	return c.relay(ctx, call, offered(call.Files))
}

func (c *Client) relay(ctx context.Context, call Call, files modules.Controller) (map[string]any, error) {
	p := &pending{files: files, result: make(chan map[string]any, 1)}
	id := c.add(p)
	defer c.remove(id)
	if err := c.link.sendValue(kindCall, id, message(call, small(call.Files))); err != nil {
		return nil, c.lost(err)
	}
	select {
	case result := <-p.result:
		return result, nil
	case <-c.done:
		return nil, c.lost(c.err)
	case <-ctx.Done():
		c.link.send(kindCancel, id, nil)
		return nil, ctx.Err()
	}
}

// HangUp closes the way to the agent, after what is being sent.
func (c *Client) HangUp(out io.Closer) {
	go func() {
		c.link.writing.Lock()
		defer c.link.writing.Unlock()
		out.Close()
	}()
}

func (c *Client) lost(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) {
		return errors.New("the connection was closed")
	}
	return err
}

func (c *Client) add(p *pending) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	c.calls[c.next] = p
	return c.next
}

func (c *Client) remove(id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, id)
}

func (c *Client) call(id uint32) *pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[id]
}

func (c *Client) handle(k kind, id uint32, body []byte) error {
	switch k {
	case kindResult:
		return c.result(id, body)
	case kindOpen:
		return c.open(id, body)
	}
	return fmt.Errorf("unexpected message %d", k)
}

func (c *Client) result(id uint32, body []byte) error {
	v, err := decodeValue(body)
	if err != nil {
		return err
	}
	result, ok := v.(map[string]any)
	if !ok {
		return errBroken
	}
	if p := c.call(id); p != nil {
		p.result <- result
	}
	return nil
}

// open begins a stream that a module asked for.
func (c *Client) open(id uint32, body []byte) error {
	v, err := decodeValue(body)
	if err != nil {
		return err
	}
	ask, ok := v.(map[string]any)
	if !ok {
		return errBroken
	}
	call, _ := ask["call"].(int)
	name, _ := ask["name"].(string)
	write, _ := ask["write"].(bool)
	s := c.link.newStream(id)
	go func() {
		defer c.link.forget(id)
		s.finish(c.transfer(s, c.call(uint32(call)), name, write))
	}()
	return nil
}

func (c *Client) transfer(s *stream, p *pending, name string, write bool) error {
	if p == nil {
		return errors.New("the call has ended")
	}
	if write {
		return receiveFile(s, p.files, name)
	}
	f, err := p.files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{s}, f, make([]byte, chunk))
	if errors.Is(err, errGivenUp) {
		return nil
	}
	return err
}

// Aborter is what Create may give: Abort is called instead of Close when the
// file did not come whole.
type Aborter interface{ Abort() error }

func receiveFile(s *stream, files modules.Controller, name string) error {
	f, err := files.Create(name)
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, s); err == nil {
		return f.Close()
	}
	if partial, ok := f.(Aborter); ok {
		return errors.Join(err, partial.Abort())
	}
	return errors.Join(err, f.Close())
}
