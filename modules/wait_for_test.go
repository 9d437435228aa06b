package modules_test

import (
	"io"
	"net"
	"strconv"
	"testing"

	"gplay/modules"
	"gplay/modules/moduletest"
)

// TestWaitFor has a port $OPEN that greets, $BUSY with a connection to it,
// and $CLOSED that nobody listens on.
func TestWaitFor(t *testing.T) {
	open := listen(t)
	busy := listen(t)
	conn, err := net.Dial("tcp", busy)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	moduletest.Run(t, modules.WaitFor, moduletest.Vars{
		"OPEN": port(t, open), "BUSY": port(t, busy), "CLOSED": port(t, closed.Addr().String()),
	})
}

func port(t *testing.T, address string) string {
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strconv.Atoi(p); err != nil {
		t.Fatal(err)
	}
	return p
}

// listen greets everybody who connects.
func listen(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.WriteString(conn, "220 hello\r\n")
				io.Copy(io.Discard, conn)
				conn.Close()
			}()
		}
	}()
	return l.Addr().String()
}
