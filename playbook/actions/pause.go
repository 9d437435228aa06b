package actions

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gplay/jinja"
)

var pause = &Action{Name: "pause", Doc: "wait for a time, or for the person at the terminal", Params: []string{"minutes", "seconds", "prompt", "echo"}, ForAll: true, Run: runPause}

// KeepsTime reports whether an action waits for a time of its own, which no
// timeout of the task cuts short, as in Ansible.
func KeepsTime(action string, args *jinja.Dict) bool {
	minutes, _ := args.Get("minutes")
	seconds, _ := args.Get("seconds")
	return action == pause.Name && (minutes != nil || seconds != nil)
}

// Keys is a terminal that is read key by key. The person there sees what they
// type if that was asked for.
type Keys interface {
	// Key waits for a key: a byte of text, or one of the keys below.
	Key(ctx context.Context) (byte, error)
	// Line puts text in the place of the line where the person types.
	Line(text string)
	Close() error
}

// Keys that are not text, whatever they are on that terminal.
const (
	KeyInterrupt byte = 3
	KeyErase     byte = 0x7f
)

func runPause(ctx context.Context, c *Call) (*jinja.Dict, error) {
	wait, unit, err := c.pauseTime()
	if err != nil {
		return nil, err
	}
	echo, err := c.bool("echo", true)
	if err != nil {
		return nil, fmt.Errorf("argument 'echo' is of type <class 'str'> and we were unable to convert to bool: The value '%s' is not a valid boolean.", c.text("echo"))
	}
	var keys Keys
	if c.Keys != nil { // before the question is shown, so that no answer is lost
		if keys, err = c.Keys(echo && wait == 0); err != nil {
			return nil, err
		}
		defer keys.Close()
	}
	start := time.Now()
	c.announce(wait, echo)
	input, err := c.awaitKeys(ctx, keys, wait, echo)
	if err != nil {
		return nil, err
	}
	stop := time.Now()
	elapsed := stop.Sub(start)
	n := elapsed.Seconds()
	if unit == "minutes" {
		n = elapsed.Minutes()
	}
	return jinja.NewDict("changed", false, "rc", 0, "stderr", "", "stdout", fmt.Sprintf("Paused for %s %s", jinja.Str(math.Round(n*100)/100), unit),
		"start", stamp(start), "stop", stamp(stop), "delta", int(elapsed.Seconds()), "echo", echo, "user_input", input), nil
}

// announce shows what is waited for: a time, or an answer where that is 0.
func (c *Call) announce(wait time.Duration, echo bool) {
	hidden := ""
	if !echo {
		hidden = " (output is hidden)"
	}
	text := c.text("prompt")
	if wait > 0 {
		c.Say(0, fmt.Sprintf("Pausing for %d seconds%s", int(wait.Seconds()), hidden))
		c.Say(0, "(ctrl+C then 'C' = continue early, ctrl+C then 'A' = abort)\r")
		if text == "" {
			return
		}
	}
	if text == "" {
		text = "Press enter to continue, Ctrl+C to interrupt"
	}
	c.Say(0, fmt.Sprintf("[%s]\n%s%s:", strings.TrimSpace(c.title()), text, hidden))
}

// awaitKeys waits until the time is over or, without one, for a line, and
// gives that. An interruption asks whether to go on.
func (c *Call) awaitKeys(ctx context.Context, keys Keys, wait time.Duration, echo bool) (string, error) {
	timer := make(<-chan time.Time)
	if wait > 0 {
		timer = time.After(wait)
	}
	if keys == nil {
		if wait == 0 {
			c.Warn("Not waiting for response to prompt as stdin is not interactive")
			return "", nil
		}
		select {
		case <-ctx.Done():
		case <-timer:
		}
		return "", ctx.Err()
	}
	if wait == 0 {
		return c.line(ctx, keys, echo)
	}
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		key, err := keys.Key(limited)
		switch {
		case err != nil && ctx.Err() == nil && limited.Err() != nil:
			return "", nil
		case err != nil:
			return "", err
		case key == KeyInterrupt:
			return "", c.goOn(ctx, keys)
		}
	}
}

// line reads until Enter.
func (c *Call) line(ctx context.Context, keys Keys, echo bool) (string, error) {
	var input []byte
	for {
		key, err := keys.Key(ctx)
		if err != nil {
			return "", err
		}
		switch key {
		case KeyInterrupt:
			return string(input), c.goOn(ctx, keys)
		case '\r', '\n':
			keys.Line("")
			return string(input), nil
		case KeyErase:
			_, size := utf8.DecodeLastRune(input)
			input = input[:len(input)-size]
			if echo {
				keys.Line(string(input))
			}
		default:
			input = append(input, key)
		}
	}
}

// goOn asks whether the play is to continue.
func (c *Call) goOn(ctx context.Context, keys Keys) error {
	keys.Line("")
	c.Say(0, "Press 'C' to continue the play or 'A' to abort \r")
	for {
		key, err := keys.Key(ctx)
		if err != nil {
			return err
		}
		switch key {
		case 'c', 'C':
			keys.Line("")
			return nil
		case 'a', 'A':
			keys.Line("")
			return Unrunnable{errors.New("user requested abort!")}
		}
	}
}

func stamp(t time.Time) string { return t.Format("2006-01-02 15:04:05.000000") }

func (c *Call) title() string {
	if c.Task.Name != nil {
		return jinja.Str(c.Task.Name)
	}
	return c.Task.Action
}

// pauseTime is how long to wait, 0 where that is until somebody answers, and
// the unit in which it is told.
func (c *Call) pauseTime() (wait time.Duration, unit string, err error) {
	if c.text("minutes") != "" && c.text("seconds") != "" {
		return 0, "", errors.New("parameters are mutually exclusive: minutes|seconds")
	}
	unit = "minutes"
	for name, length := range map[string]time.Duration{"minutes": time.Minute, "seconds": time.Second} {
		v, ok := c.Args.Get(name)
		if !ok || v == nil {
			continue
		}
		n, err := whole(v)
		if err != nil {
			return 0, "", fmt.Errorf("argument '%s' is of type <class '%s'> and we were unable to convert to int: %w", name, jinja.TypeName(v), err)
		}
		wait, unit = max(time.Duration(n)*length, time.Second), name
	}
	return wait, unit, nil
}

// whole is Python's int(v).
func whole(v any) (int, error) {
	switch v := v.(type) {
	case int:
		return v, nil
	case float64:
		return int(v), nil
	}
	text := jinja.Str(v)
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("invalid literal for int() with base 10: '%s'", text)
	}
	return n, nil
}
