package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// prompter asks on the terminal, or is nil when there is none. The terminal
// is asked even when standard input is something else, as sshpass expects.
func prompter() func(text string, private bool) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	in := bufio.NewReader(tty)
	return func(text string, private bool) (string, error) {
		fmt.Fprint(tty, text)
		if !private {
			return lineOf(in)
		}
		fd := int(tty.Fd())
		if before, err := term.GetState(fd); err == nil {
			defer term.Restore(fd, before) // an interrupted ReadPassword does not
		}
		answer, err := answered(func() (string, error) {
			answer, err := term.ReadPassword(fd)
			return string(answer), err
		})
		fmt.Fprintln(tty)
		return answer, err
	}
}

// interrupted is closed when somebody has ended the run.
var interrupted = make(chan struct{})

// answered is what ask gives, or context.Canceled as soon as the run is ended.
func answered(ask func() (string, error)) (answer string, err error) {
	done := make(chan struct{})
	go func() {
		answer, err = ask()
		close(done)
	}()
	select {
	case <-done:
		return answer, err
	case <-interrupted:
		return "", context.Canceled
	}
}

func lineOf(in *bufio.Reader) (string, error) {
	return answered(func() (string, error) {
		line, err := in.ReadString('\n')
		return strings.TrimRight(line, "\r\n"), err
	})
}

// stdin is read through one buffer, whoever asks.
var stdin = bufio.NewReader(os.Stdin)

// asker asks the person at standard input, or is nil when that is no terminal.
// Secrets are asked for on the terminal itself.
func asker() func(text string, private bool) (string, error) {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	hidden := prompter()
	return func(text string, private bool) (string, error) {
		if private && hidden != nil {
			return hidden(text, true)
		}
		fmt.Print(text)
		return lineOf(stdin)
	}
}

// console is standard input and output, for the task debugger.
type console struct{}

func (console) Ask(prompt string) (string, error) {
	fmt.Print(prompt)
	line, err := lineOf(stdin)
	if line != "" {
		err = nil
	}
	return line, err
}

func (console) Say(line string) { fmt.Println(line) }

// secret is a password that is asked for, or the first line of a file.
func secret(ask bool, question, file string) (string, error) {
	switch {
	case ask:
		prompt := prompter()
		if prompt == nil {
			return "", fmt.Errorf("there is no terminal to ask for the %s", strings.TrimSuffix(question, ": "))
		}
		return prompt(question, true)
	case file != "":
		data, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("the password file cannot be read: %w", err)
		}
		line, _, _ := strings.Cut(string(data), "\n")
		return strings.TrimRight(line, "\r"), nil
	}
	return "", nil
}

// confirm asks on standard output and reads the answer from standard input.
func confirm() func(question string) (string, error) {
	return func(question string) (string, error) {
		fmt.Print(question)
		answer, err := lineOf(stdin)
		if err != nil && answer == "" {
			return "", fmt.Errorf("there is nobody to answer: %w", err)
		}
		return answer, nil
	}
}
