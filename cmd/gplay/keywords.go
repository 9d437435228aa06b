package main

import (
	"fmt"
	"strconv"
	"strings"

	"gplay/jinja"
)

// keyword is a setting that stands for a keyword of plays that do not have it.
func (c *config) keyword(name string, as func(text string) (any, error)) func(string) error {
	return func(t string) (err error) {
		c.keywords[name], err = as(t)
		return err
	}
}

func asText(t string) (any, error) { return t, nil }

func asNumber(t string) (any, error) {
	n, err := strconv.Atoi(t)
	if err != nil {
		return nil, fmt.Errorf("it must be a whole number")
	}
	return n, nil
}

func asBoolean(t string) (any, error) {
	var b bool
	err := boolean(&b)(t)
	return b, err
}

func asList(t string) (any, error) {
	l := jinja.NewList()
	for part := range strings.SplitSeq(t, ",") {
		l.Items = append(l.Items, strings.TrimSpace(part))
	}
	return l, nil
}

// not is a boolean that is kept as its opposite.
func not(into *bool) func(string) error {
	return func(t string) error {
		err := boolean(into)(t)
		*into = !*into
		return err
	}
}
