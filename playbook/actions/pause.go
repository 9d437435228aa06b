package actions

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"gplay/jinja"
)

var pause = &Action{Name: "pause", Doc: "wait for a time, or for the person at the terminal", Params: []string{"minutes", "seconds", "prompt", "echo"}, ForAll: true, Run: runPause}

func runPause(ctx context.Context, c *Call) (*jinja.Dict, error) {
	wait, timed, err := c.pauseTime()
	if err != nil {
		return nil, err
	}
	echo, err := c.bool("echo", true)
	if err != nil {
		return nil, fmt.Errorf("argument 'echo' is of type <class 'str'> and we were unable to convert to bool: The value '%s' is not a valid boolean.", c.text("echo"))
	}
	start, input := time.Now(), ""
	question := c.question()
	switch {
	case timed:
		c.Say(fmt.Sprintf("Pausing for %d seconds", int(wait.Seconds())))
		if c.text("prompt") != "" {
			c.Say(question)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	case c.Prompt == nil:
		c.Say(question)
		c.Warn("Not waiting for response to prompt as stdin is not interactive")
	default:
		if input, err = c.Prompt(question, !echo); err != nil {
			return nil, err
		}
	}
	stop := time.Now()
	elapsed := stop.Sub(start)
	unit, n := "seconds", elapsed.Seconds()
	if c.text("minutes") != "" {
		unit, n = "minutes", elapsed.Minutes()
	}
	return jinja.NewDict("changed", false, "rc", 0, "stderr", "", "stdout", fmt.Sprintf("Paused for %s %s", jinja.Str(math.Round(n*100)/100), unit),
		"start", stamp(start), "stop", stamp(stop), "delta", int(elapsed.Seconds()), "echo", echo, "user_input", input), nil
}

// question is what the task asks, below its name.
func (c *Call) question() string {
	text := c.text("prompt")
	if text == "" {
		text = "Press enter to continue, Ctrl+C to interrupt"
	}
	return fmt.Sprintf("[%s]\n%s:", c.title(), text)
}

func stamp(t time.Time) string { return t.Format("2006-01-02 15:04:05.000000") }

func (c *Call) title() string {
	if c.Task.Name != nil {
		return jinja.Str(c.Task.Name)
	}
	return c.Task.Action
}

func (c *Call) pauseTime() (wait time.Duration, timed bool, err error) {
	if c.text("minutes") != "" && c.text("seconds") != "" {
		return 0, false, errors.New("parameters are mutually exclusive: minutes|seconds")
	}
	for name, unit := range map[string]time.Duration{"minutes": time.Minute, "seconds": time.Second} {
		text := c.text(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, false, fmt.Errorf("argument '%s' is of type <class 'str'> and we were unable to convert to int: invalid literal for int() with base 10: '%s'", name, text)
		}
		return max(time.Duration(n*float64(unit)), time.Second), true, nil
	}
	return 0, false, nil
}
