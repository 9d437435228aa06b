package main

import (
	"bufio"
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
	return func(text string, private bool) (string, error) {
		fmt.Fprint(tty, text)
		if private {
			answer, err := term.ReadPassword(int(tty.Fd()))
			fmt.Fprintln(tty)
			return string(answer), err
		}
		line, err := bufio.NewReader(tty).ReadString('\n')
		return strings.TrimRight(line, "\r\n"), err
	}
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
		line, err := stdin.ReadString('\n')
		return strings.TrimRight(line, "\r\n"), err
	}
}

// console is standard input and output, for the task debugger.
type console struct{}

func (console) Ask(prompt string) (string, error) {
	fmt.Print(prompt)
	line, err := stdin.ReadString('\n')
	if line != "" {
		err = nil
	}
	return strings.TrimRight(line, "\r\n"), err
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
	in := bufio.NewReader(os.Stdin)
	return func(question string) (string, error) {
		fmt.Print(question)
		answer, err := in.ReadString('\n')
		if err != nil && answer == "" {
			return "", fmt.Errorf("there is nobody to answer: %w", err)
		}
		return strings.TrimRight(answer, "\r\n"), nil
	}
}
