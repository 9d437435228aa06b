package main

import (
	"fmt"
	"os"
	"os/user"
	"time"
)

// logTo gives what appends a line to the file of log_path; nil when there is
// none, or none that can be written.
func logTo(path string) func(line string) {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		fmt.Fprintf(os.Stderr, "[WARNING]: log_path cannot be written, nothing is logged: %v\n", err)
		return nil
	}
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return func(line string) {
		now := time.Now().Format("2006-01-02 15:04:05,000")
		// A full disk is no reason to stop changing hosts.
		_, _ = fmt.Fprintf(f, "%s p=%d u=%s n=ansible | %s\n", now, os.Getpid(), name, line)
	}
}
