package modules

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"gplay/internal/pyregex"
)

// WaitFor waits for a port, a file or a text in it.
var WaitFor = define("wait_for", "wait for a port, a file or a text", waitForArgs{
	Host: "127.0.0.1", Timeout: 300, ConnectTimeout: 5, Sleep: 1, State: "started",
	ActiveStates: []string{"ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV", "SYN_SENT", "TIME_WAIT"},
}, waitFor).noCheck().
	gives("state port search_regex match_groups match_groupdict path elapsed")

type waitForArgs struct {
	Host           string   `arg:"host" doc:"The host of the port."`
	Port           *int     `arg:"port" doc:"The port."`
	Path           string   `arg:"path" type:"path" doc:"The file."`
	SearchRegex    *string  `arg:"search_regex" doc:"What the file, or what the port says, must hold."`
	State          string   `arg:"state" choices:"absent,drained,present,started,stopped" doc:"What to wait for."`
	Timeout        int      `arg:"timeout" doc:"Seconds to wait at most; without port and path, to wait."`
	ConnectTimeout int      `arg:"connect_timeout" doc:"Seconds to wait for one connection."`
	Delay          int      `arg:"delay" doc:"Seconds to wait before the first look."`
	Sleep          int      `arg:"sleep" doc:"Seconds between looks."`
	Msg            string   `arg:"msg" doc:"What to say when it takes too long."`
	ActiveStates   []string `arg:"active_connection_states" doc:"Which connections drained waits for."`
	ExcludeHosts   []string `arg:"exclude_hosts" doc:"Hosts whose connections drained does not wait for."`
}

// waiting is one run of the module.
type waiting struct {
	waitForArgs
	ctx    context.Context
	c      *Call
	regexp *pyregex.Regexp // nil for none
	match  *pyregex.Match
}

func waitFor(ctx context.Context, c *Call, a waitForArgs) (Result, error) {
	start := time.Now()
	w := &waiting{waitForArgs: a, c: c}
	if err := w.check(); err != nil {
		return nil, Fail(err.Error(), Result{"elapsed": 0})
	}
	if !sleep(ctx, time.Duration(a.Delay)*time.Second) {
		return nil, ctx.Err()
	}
	limit, cancel := context.WithDeadline(ctx, start.Add(time.Duration(a.Timeout)*time.Second))
	defer cancel()
	w.ctx = limit
	err := w.wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	r := Result{"elapsed": int(time.Since(start).Seconds())}
	if err != nil {
		msg := err.Error()
		if a.Msg != "" {
			msg = a.Msg
		}
		return nil, Fail(msg, r)
	}
	return w.result(r), nil
}

func (w *waiting) check() (err error) {
	port, drained := w.Port != nil, w.State == "drained"
	switch {
	case port && w.Path != "":
		return errors.New("port and path parameter can not both be passed to wait_for")
	case w.Path != "" && (w.State == "stopped" || drained):
		return fmt.Errorf("state=%s should only be used for checking a port in the wait_for module", w.State)
	case w.ExcludeHosts != nil && !drained:
		return errors.New("exclude_hosts should only be with state=drained")
	case drained && !port:
		return errors.New("state=drained needs a port")
	}
	for _, s := range w.ActiveStates {
		if connectionStates[s] == "" {
			return fmt.Errorf("unknown active_connection_state (%s) defined", s)
		}
	}
	if w.SearchRegex != nil {
		w.regexp, err = pyregex.Compile(*w.SearchRegex, pyregex.Multiline)
	}
	return err
}

// wait looks until what is waited for is so, or the time is over.
func (w *waiting) wait() error {
	if w.Port == nil && w.Path == "" {
		sleep(w.ctx, time.Duration(w.Timeout)*time.Second)
		return nil
	}
	so := w.started
	switch w.State {
	case "absent", "stopped":
		so = w.gone
	case "drained":
		so = w.drained
	}
	for w.ctx.Err() == nil {
		if yes, err := so(); yes || err != nil {
			return err
		}
		sleep(w.ctx, time.Duration(w.Sleep)*time.Second)
	}
	return errors.New(w.timeout())
}

// sleep reports whether it slept to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (w *waiting) address() string {
	return net.JoinHostPort(w.Host, strconv.Itoa(*w.Port))
}

func (w *waiting) dial() (net.Conn, error) {
	d := net.Dialer{Timeout: time.Duration(w.ConnectTimeout) * time.Second}
	return d.DialContext(w.ctx, "tcp", w.address())
}

func (w *waiting) gone() (bool, error) {
	if w.Path != "" {
		_, err := w.c.Stat(w.Path)
		return err != nil, nil
	}
	conn, err := w.dial()
	if err != nil {
		return w.ctx.Err() == nil, nil
	}
	return false, conn.Close()
}

func (w *waiting) started() (bool, error) {
	if w.Path != "" {
		return w.fileReady()
	}
	conn, err := w.dial()
	if err != nil {
		return false, nil
	}
	defer conn.Close()
	if w.regexp == nil {
		return true, nil
	}
	return w.says(conn)
}

func (w *waiting) fileReady() (bool, error) {
	_, err := w.c.Stat(w.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("Failed to stat %s, %w", w.Path, err)
	}
	if w.regexp == nil {
		return true, nil
	}
	data, err := w.c.ReadFile(w.Path)
	if err != nil {
		return false, nil
	}
	w.match, err = w.regexp.Search(string(data))
	return w.match != nil, err
}

// says reads until the text is there, or the other end is done.
func (w *waiting) says(conn net.Conn) (bool, error) {
	deadline, _ := w.ctx.Deadline()
	if err := conn.SetReadDeadline(deadline); err != nil {
		return false, nil
	}
	var data []byte
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		data = append(data, buf[:n]...)
		if found, slow := pyregex.Found(w.regexp.Search(string(data))); found || slow != nil {
			return found, slow
		}
		if err != nil {
			return false, nil
		}
	}
}

func (w *waiting) timeout() string {
	where := w.Path
	if w.Port != nil {
		where = fmt.Sprintf("%s:%d", w.Host, *w.Port)
	}
	gone := w.State == "absent" || w.State == "stopped"
	switch {
	case w.State == "drained":
		return fmt.Sprintf("Timeout when waiting for %s to drain", where)
	case gone && w.Path != "":
		return fmt.Sprintf("Timeout when waiting for %s to be absent.", where)
	case gone:
		return fmt.Sprintf("Timeout when waiting for %s to stop.", where)
	case w.regexp != nil:
		return fmt.Sprintf("Timeout when waiting for search string %s in %s", *w.SearchRegex, where)
	case w.Path != "":
		return fmt.Sprintf("Timeout when waiting for file %s", where)
	}
	return fmt.Sprintf("Timeout when waiting for %s", where)
}

func (w *waiting) result(r Result) Result {
	r["state"], r["port"], r["path"], r["search_regex"] = w.State, nil, nil, nil
	groups, named := []any{}, map[string]any{}
	if w.Port != nil {
		r["port"] = *w.Port
	}
	if w.Path != "" {
		r["path"] = w.Path
	}
	if w.SearchRegex != nil {
		r["search_regex"] = *w.SearchRegex
	}
	if w.match != nil {
		group := func(i int) any {
			if text, ok := w.match.Group(i); ok {
				return text
			}
			return nil
		}
		for i := range w.regexp.Groups() {
			groups = append(groups, group(i+1))
		}
		for name, i := range w.regexp.Names() {
			named[name] = group(i)
		}
	}
	r["match_groups"], r["match_groupdict"] = groups, named
	return r
}

// connectionStates are the kernel's numbers of a connection's states.
var connectionStates = map[string]string{
	"ESTABLISHED": "01", "SYN_SENT": "02", "SYN_RECV": "03", "FIN_WAIT1": "04", "FIN_WAIT2": "05", "TIME_WAIT": "06",
}

// drained reports whether the port has no connections that count.
func (w *waiting) drained() (bool, error) {
	local, err := addresses(w.ctx, []string{w.Host})
	if err != nil {
		return false, err
	}
	excluded, err := addresses(w.ctx, w.ExcludeHosts)
	if err != nil {
		return false, err
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := w.c.ReadFile(table)
		if errors.Is(err, fs.ErrNotExist) {
			continue // no IPv6
		}
		if err != nil {
			return false, err
		}
		for line := range strings.Lines(string(data)) {
			if w.counts(strings.Fields(line), local, excluded) {
				return false, nil
			}
		}
	}
	return true, nil
}

// counts reports whether a line of the kernel's table is a connection to wait
// for: its fields are number, local address, remote address, state …
func (w *waiting) counts(fields []string, local, excluded []string) bool {
	if len(fields) < 4 || !slices.ContainsFunc(w.ActiveStates, func(s string) bool { return connectionStates[s] == fields[3] }) {
		return false
	}
	ip, port, ok := kernelAddress(fields[1])
	if !ok || port != *w.Port || !slices.Contains(local, "0.0.0.0") && !slices.Contains(local, ip) {
		return false
	}
	remote, _, ok := kernelAddress(fields[2])
	return ok && !slices.Contains(excluded, remote)
}

// kernelAddress reads 0100007F:1F90: each four bytes are in the machine's
// order.
func kernelAddress(s string) (ip string, port int, ok bool) {
	host, hexPort, _ := strings.Cut(s, ":")
	raw, err := hex.DecodeString(host)
	n, portErr := strconv.ParseInt(hexPort, 16, 32)
	if err != nil || portErr != nil || len(raw)%4 != 0 {
		return "", 0, false
	}
	for i := 0; i < len(raw); i += 4 {
		slices.Reverse(raw[i : i+4])
	}
	return net.IP(raw).String(), int(n), true
}

func addresses(ctx context.Context, hosts []string) ([]string, error) {
	var all []string
	for _, h := range hosts {
		ips, err := net.DefaultResolver.LookupHost(ctx, h)
		if err != nil {
			return nil, err
		}
		all = append(all, ips...)
	}
	return all, nil
}
