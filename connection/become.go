package connection

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// quote makes one word of s for a POSIX shell.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// nonce is text that no host can print by chance, or knows before.
func nonce() string { return "gplay-" + rand.Text() }

// wrap makes a command line that runs script by /bin/sh as the other user.
// sudo asks for the password by prompt, on the terminal if there is one.
func (b Become) wrap(script, prompt string, terminal bool) string {
	command := "/bin/sh -c " + quote(script)
	exe, user := b.Exe, b.User
	if exe == "" {
		exe = b.Method
	}
	if user == "" {
		user = "root"
	}
	switch b.Method {
	case "sudo":
		return fmt.Sprintf("%s %s -u %s %s", exe, b.sudoFlags(prompt, terminal), quote(user), command)
	case "su":
		return fmt.Sprintf("%s %s %s -c %s", exe, b.Flags, quote(user), quote(command))
	case "doas":
		flags := b.Flags
		if b.Password == "" {
			flags += " -n"
		}
		return fmt.Sprintf("%s %s -u %s %s", exe, flags, quote(user), command)
	}
	return command
}

// sudoFlags makes sure that sudo asks for a password exactly when there is
// one, and where it can be answered.
func (b Become) sudoFlags(prompt string, terminal bool) string {
	given := b.Flags
	if given == "" {
		given = "-H"
	}
	words := slices.DeleteFunc(strings.Fields(given), func(w string) bool { return w == "-n" || w == "-S" })
	flags := strings.Join(words, " ")
	switch {
	case b.Password == "":
		return flags + " -n"
	case terminal:
		return flags + " -p " + quote(prompt)
	}
	return flags + " -S -p " + quote(prompt)
}

// Known says whether b's method is one of sudo, su and doas.
func (b Become) Known() bool { return b.Method == "sudo" || b.Method == "su" || b.Method == "doas" }

// terminal says whether the method takes a password from a terminal only.
func (b Become) terminal() bool { return b.Method == "doas" && b.Password != "" }

// asks says whether the end of what a host said so far is a question for the
// password.
func (b Become) asks(said, prompt string) bool {
	switch b.Method {
	case "sudo":
		return strings.HasSuffix(said, prompt)
	case "su", "doas":
		line := strings.TrimRight(said[strings.LastIndexAny(said, "\r\n")+1:], " ")
		if line == b.Method+":" {
			return false // an error begins
		}
		return strings.HasSuffix(line, ":") || strings.HasSuffix(line, "：")
	}
	return false
}

// wantsPassword is how sudo and doas say that they may not ask for one.
var wantsPassword = regexp.MustCompile(`(?i)password is required|authentication (is )?required`)

// refused makes the error of a become that ended instead of starting.
func (b Become) refused(host, said string, code int) error {
	said = strings.TrimSpace(said)
	user := b.User
	if user == "" {
		user = "root"
	}
	switch {
	case b.Password == "" && wantsPassword.MatchString(said):
		return b.missing()
	case b.Password != "" && (strings.Contains(said, "Authentication failure") || strings.Contains(said, "incorrect password")):
		return b.incorrect()
	case strings.Contains(said, "must have a tty"):
		return &Refused{Msg: fmt.Sprintf("%s on %s wants a terminal, which this connection cannot give: remove requiretty from sudoers for this user", b.Method, host), terminal: true}
	case code == 127:
		return &Refused{Msg: fmt.Sprintf("there is no %s on %s: %s", b.Method, host, said)}
	case said == "":
		return &Refused{Msg: fmt.Sprintf("%s to user %s on %s ended with code %d and said nothing", b.Method, user, host, code)}
	}
	return &Refused{Msg: fmt.Sprintf("%s to user %s on %s: %s", b.Method, user, host, said)}
}

func (b Become) incorrect() error {
	return &Refused{Msg: fmt.Sprintf("Incorrect %s password", b.Method)}
}

func (b Become) missing() error {
	return &Refused{Msg: fmt.Sprintf("Missing %s password", b.Method)}
}
