package modules

import (
	"context"
	"errors"
	"maps"
	"strings"

	"gplay/modules/host"
)

// Debconf answers the questions that packages ask when they are installed.
var Debconf = define("debconf", "answer a question that a Debian package asks", debconfArgs{}, debconf).
	together("question", "vtype", "value").
	gives("changed msg current")

type debconfArgs struct {
	Name     string `arg:"name" alias:"pkg" required:"true" doc:"The package."`
	Question string `arg:"question" alias:"selection,setting" doc:"The question; without it the answers that are there are read."`
	VType    string `arg:"vtype" choices:"boolean,error,multiselect,note,password,seen,select,string,text,title" doc:"The type of the answer."`
	Value    string `arg:"value" alias:"answer" doc:"The answer."`
	Unseen   bool   `arg:"unseen" doc:"The question still counts as not asked."`
}

func debconf(ctx context.Context, c *Call, a debconfArgs) (Result, error) {
	if err := noOption("name", a.Name); err != nil {
		return nil, err
	}
	answers, err := a.answers(ctx, c)
	if err != nil {
		return nil, err
	}
	if a.Question == "" {
		return Result{"msg": "", "current": answers}, nil
	}
	value := a.Value
	old, there := answers[a.Question].(string)
	if a.VType == "boolean" && there {
		value, old = strings.ToLower(value), strings.ToLower(old)
	}
	if there && old == value {
		return Result{"msg": "", "current": answers}, nil
	}
	previous := map[string]any{a.Question: answers[a.Question]}
	if !there {
		previous = maps.Clone(answers)
		previous[a.Question] = ""
	}
	after := maps.Clone(previous)
	after[a.Question] = value
	r := Result{"msg": "", "current": map[string]any{a.Question: value}, "previous": previous}
	return r, c.Change(Diff{"", previous, after}, func(w host.Writer) error { return a.set(ctx, w, value, r) })
}

// answers are those that debconf has. The question itself has a star when it
// was asked.
func (a debconfArgs) answers(ctx context.Context, c *Call) (map[string]any, error) {
	out, err := c.Ask(ctx, host.Cmd{Args: []string{"debconf-show", a.Name}, Env: english})
	if err != nil {
		return nil, err
	}
	if out.Code != 0 {
		return nil, errors.New(firstText(out.Stderr, out.Stdout))
	}
	answers := map[string]any{}
	for _, line := range splitLines(string(out.Stdout)) {
		if question, value, ok := strings.Cut(line, ":"); ok {
			answers[strings.TrimSpace(strings.Trim(question, "* "))] = strings.TrimSpace(value)
		}
	}
	return answers, nil
}

// set hands the answer over on the standard input: it may be a password.
func (a debconfArgs) set(ctx context.Context, w host.Writer, value string, r Result) error {
	cmd := []string{"debconf-set-selections"}
	if a.Unseen {
		cmd = append(cmd, "-u")
	}
	if a.VType == "boolean" {
		value = strings.ToLower(value)
	}
	line := strings.Join([]string{a.Name, a.Question, a.VType, value}, " ")
	out, err := w.Run(ctx, host.Cmd{Args: cmd, Stdin: strings.NewReader(line), Env: english})
	if err == nil && out.Code != 0 {
		err = errors.New(firstText(out.Stderr, out.Stdout))
	}
	r["msg"] = string(out.Stdout)
	return err
}
