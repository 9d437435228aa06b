package connection

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// sshOptions are what is set for a host: by ssh's arguments, then by the
// user's file, then by the system's. The first that sets an option wins.
type sshOptions struct {
	alias string
	args  []sshOption
	files []*ssh_config.Config
}

type sshOption struct{ key, value string }

// first gives an option's value, "" where nothing sets it.
func (o *sshOptions) first(key string) string {
	for _, a := range o.args {
		if a.key == strings.ToLower(key) {
			return a.value
		}
	}
	for _, f := range o.files {
		if value, err := f.Get(o.alias, key); err == nil && value != "" {
			return value
		}
	}
	return ""
}

// all gives the values of an option that adds up.
func (o *sshOptions) all(key string) []string {
	var values []string
	for _, a := range o.args {
		if a.key == strings.ToLower(key) {
			values = append(values, a.value)
		}
	}
	for _, f := range o.files {
		if more, err := f.GetAll(o.alias, key); err == nil {
			values = append(values, more...)
		}
	}
	return values
}

func (o *sshOptions) yes(key string) bool { return truth(o.first(key)) }
func (o *sshOptions) no(key string) bool {
	v := strings.ToLower(o.first(key))
	return v == "no" || v == "false"
}

func truth(value string) bool {
	v := strings.ToLower(value)
	return v == "yes" || v == "true"
}

// sshArgs are ssh's arguments, read.
type sshArgs struct {
	options []sshOption
	file    string // -F
	warn    []string
}

// Flags of ssh that set an option, that take a value, and that say nothing to
// a program which is no terminal.
var (
	flagOptions = map[byte]string{
		'i': "identityfile", 'p': "port", 'l': "user", 'J': "proxyjump", 'c': "ciphers",
		'm': "macs", 'b': "bindaddress",
	}
	flagSettings = map[byte]sshOption{
		'A': {"forwardagent", "yes"}, 'a': {"forwardagent", "no"},
		'4': {"addressfamily", "inet"}, '6': {"addressfamily", "inet6"},
	}
	valueFlags  = "oFBDEeILOQRSWw"
	silentFlags = "CqvTtnxkSEe"
	otherFlags  = "DILRWXYKNMGfgsyBw"
)

// Options of ssh that change nothing for gplay: one connection carries all
// calls already, and there is no terminal.
var ignoredOptions = strings.Fields(`controlmaster controlpath controlpersist compression loglevel
	batchmode requesttty sendenv setenv forwardx11 forwardx11trusted gssapiauthentication
	gssapidelegatecredentials visualhostkey tcpkeepalive escapechar addkeystoagent
	updatehostkeys checkhostip canonicalizehostname ipqos exitonforwardfailure verifyhostkeydns
	hashknownhosts nohostauthenticationforlocalhost numberofpasswordprompts connectionattempts`)

var usedOptions = strings.Fields(`hostname user port identityfile identitiesonly identityagent proxyjump
	proxycommand userknownhostsfile globalknownhostsfile stricthostkeychecking hostkeyalias connecttimeout
	serveraliveinterval serveralivecountmax forwardagent preferredauthentications pubkeyauthentication
	passwordauthentication kbdinteractiveauthentication challengeresponseauthentication
	ciphers kexalgorithms macs hostkeyalgorithms addressfamily bindaddress certificatefile`)

// parseSSHArgs reads arguments as they would be given to ssh.
func parseSSHArgs(text string) (*sshArgs, error) {
	words, err := shellWords(text)
	if err != nil {
		return nil, fmt.Errorf("ssh arguments %q: %w", text, err)
	}
	args := &sshArgs{}
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if len(word) < 2 || word[0] != '-' {
			return nil, fmt.Errorf("ssh arguments %q: %q is no option", text, word)
		}
		if words, err = args.flags(word[1:], words); err != nil {
			return nil, fmt.Errorf("ssh arguments %q: %w", text, err)
		}
	}
	return args, nil
}

// flags reads one word of flags, and gives the words that it does not use.
func (a *sshArgs) flags(flags string, rest []string) ([]string, error) {
	for len(flags) > 0 {
		flag := flags[0]
		flags = flags[1:]
		_, option := flagOptions[flag]
		if !option && !strings.ContainsRune(valueFlags, rune(flag)) {
			if err := a.plain(flag); err != nil {
				return nil, err
			}
			continue
		}
		value := flags
		if value == "" {
			if len(rest) == 0 {
				return nil, fmt.Errorf("-%c needs a value", flag)
			}
			value, rest = rest[0], rest[1:]
		}
		return rest, a.valued(flag, value)
	}
	return rest, nil
}

func (a *sshArgs) plain(flag byte) error {
	if o, ok := flagSettings[flag]; ok {
		a.options = append(a.options, o)
		return nil
	}
	return a.other(flag)
}

func (a *sshArgs) other(flag byte) error {
	switch {
	case strings.ContainsRune(silentFlags, rune(flag)):
		return nil
	case strings.ContainsRune(otherFlags, rune(flag)):
		a.warn = append(a.warn, fmt.Sprintf("ssh's -%c is not supported, and ignored", flag))
		return nil
	}
	return fmt.Errorf("ssh has no option -%c", flag)
}

func (a *sshArgs) valued(flag byte, value string) error {
	if key, ok := flagOptions[flag]; ok {
		a.options = append(a.options, sshOption{key, value})
		return nil
	}
	switch flag {
	case 'F':
		a.file = value
		return nil
	case 'o':
		return a.option(value)
	}
	return a.other(flag)
}

var keyAndValue = regexp.MustCompile(`^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$`)

func (a *sshArgs) option(text string) error {
	m := keyAndValue.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("-o %s is not of the form Option=value", text)
	}
	key, value := strings.ToLower(m[1]), unquote(m[2])
	switch {
	case slices.Contains(usedOptions, key):
		a.options = append(a.options, sshOption{key, value})
	case !slices.Contains(ignoredOptions, key):
		a.warn = append(a.warn, fmt.Sprintf("ssh's option %s is not supported, and ignored", m[1]))
	}
	return nil
}

func unquote(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// shellWords splits text as a shell does, without expanding anything.
func shellWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	escaped := false
	for _, c := range text {
		switch {
		case escaped:
			if quote == '"' && !strings.ContainsRune(`"\$`+"`", c) {
				word.WriteByte('\\')
			}
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case strings.ContainsRune(" \t\r\n", c):
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote is not closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// options gathers what is set for a host.
func (p *Pool) options(t Target) (*sshOptions, error) {
	args, err := parseSSHArgs(t.SSHArgs)
	if err != nil {
		return nil, err
	}
	for _, w := range args.warn {
		p.warn("%s", w)
	}
	o := &sshOptions{alias: t.Host, args: args.options}
	files := []string{filepath.Join(home(), ".ssh", "config"), "/etc/ssh/ssh_config"}
	if args.file != "" {
		files = []string{expandHome(args.file)}
	}
	for _, path := range files {
		f, err := p.configFile(path)
		if errors.Is(err, fs.ErrNotExist) && args.file == "" {
			continue
		}
		if err != nil {
			return nil, err
		}
		o.files = append(o.files, f)
	}
	return o, nil
}

func (p *Pool) configFile(path string) (*ssh_config.Config, error) {
	if path == "none" {
		return &ssh_config.Config{}, nil
	}
	p.mu.Lock()
	l := p.configs[path]
	if l == nil {
		l = &configFile{}
		p.configs[path] = l
	}
	p.mu.Unlock()
	l.once.Do(func() { l.config, l.err = p.readConfig(path) })
	return l.config, l.err
}

func (p *Pool) readConfig(path string) (*ssh_config.Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	text, left := withoutMatch(text)
	for _, line := range left {
		p.warn("%s:%d: this kind of Match is not supported, its block is ignored", path, line)
	}
	config, err := ssh_config.DecodeBytes(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

var (
	matchLine  = regexp.MustCompile(`(?i)^\s*match[\s=]+(.*?)\s*$`)
	hostLine   = regexp.MustCompile(`(?i)^\s*host[\s=]`)
	matchKnown = regexp.MustCompile(`(?i)^("?all"?|host\s+\S+)$`)
)

// withoutMatch blanks Match blocks that the parser refuses (exec, user,
// final …), and gives their lines' numbers.
func withoutMatch(text []byte) ([]byte, []int) {
	var left []int
	skipping := false
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		m := matchLine.FindSubmatch(line)
		switch {
		case m != nil:
			skipping = !matchKnown.Match(m[1])
			if skipping {
				left = append(left, i+1)
			}
		case hostLine.Match(line):
			skipping = false
		}
		if skipping {
			lines[i] = nil
		}
	}
	return bytes.Join(lines, []byte("\n")), left
}

// home is where the user's .ssh is.
func home() string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return "/"
	}
	return dir
}

func expandHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(home(), rest)
	}
	return path
}
