package agent

import (
	"errors"
	"io"
	"maps"
	"slices"
	"time"
)

// inlineMax is how large a file may be to travel with its call.
const inlineMax = 16 << 10

// message makes a call ready to be sent; inline are the small files.
func message(call Call, inline map[string]string) map[string]any {
	m := map[string]any{
		"module": call.Module,
		"args":   call.Args,
		"check":  call.Check,
		"diff":   call.Diff,
	}
	if call.Environment != nil {
		m["environment"] = call.Environment
	}
	if call.Dir != "" {
		m["dir"] = call.Dir
	}
	if call.FindPython {
		m["python"] = true
	}
	if call.Timeout > 0 {
		m["timeout"] = int(call.Timeout)
	}
	if call.Async > 0 {
		m["async"] = int(call.Async)
	}
	if len(inline) > 0 {
		m["inline"] = inline
	}
	if len(call.Files) > 0 {
		m["files"] = slices.Collect(maps.Keys(call.Files))
	}
	return m
}

// parseCall reads what message made; the files are names only.
func parseCall(body []byte) (call Call, inline map[string]string, err error) {
	v, err := decodeValue(body)
	if err != nil {
		return call, nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return call, nil, errBroken
	}
	call.Module, _ = m["module"].(string)
	call.Args, _ = m["args"].(map[string]any)
	call.Check, _ = m["check"].(bool)
	call.Diff, _ = m["diff"].(bool)
	call.Dir, _ = m["dir"].(string)
	call.FindPython, _ = m["python"].(bool)
	call.Environment = texts(m["environment"])
	call.Timeout = duration(m["timeout"])
	call.Async = duration(m["async"])
	if files, ok := m["files"].([]any); ok {
		call.Files = map[string]File{}
		for _, name := range files {
			if name, ok := name.(string); ok {
				call.Files[name] = File{}
			}
		}
	}
	return call, texts(m["inline"]), nil
}

func texts(v any) map[string]string {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	out := make(map[string]string, len(m))
	for key, value := range m {
		out[key], _ = value.(string)
	}
	return out
}

func duration(v any) time.Duration {
	n, _ := v.(int)
	return time.Duration(n)
}

// small reads the offered files that are small enough to send with the call.
// One that cannot be read is reported when the module asks for it.
func small(files map[string]File) map[string]string {
	var inline map[string]string
	for name, f := range files {
		if f.Open == nil {
			continue
		}
		if text, ok := readSmall(f); ok {
			if inline == nil {
				inline = map[string]string{}
			}
			inline[name] = text
		}
	}
	return inline
}

func readSmall(f File) (string, bool) {
	r, err := f.Open()
	if err != nil {
		return "", false
	}
	defer r.Close()
	buf := make([]byte, inlineMax+1)
	n, err := io.ReadFull(r, buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return string(buf[:n]), true
	}
	return "", false
}
