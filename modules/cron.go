package modules

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"gplay/modules/host"
)

// Cron manages a user's jobs, and the variables they see.
var Cron = define("cron", "manage jobs of cron and their variables", cronArgs{
	State: "present", Minute: "*", Hour: "*", Day: "*", Month: "*", Weekday: "*",
}, cron).exclusive("insertafter", "insertbefore")

type cronArgs struct {
	Name         string  `arg:"name" required:"true" doc:"What the job is found by again; with env the variable."`
	User         string  `arg:"user" doc:"Whose job it is; without it this user's."`
	Job          *string `arg:"job" alias:"value" doc:"The command line; with env the variable's value."`
	CronFile     string  `arg:"cron_file" type:"path" doc:"A file in /etc/cron.d to use instead of the user's own table."`
	State        string  `arg:"state" choices:"absent,present" doc:"Whether the job is to be there."`
	Backup       bool    `arg:"backup" doc:"Keep a copy of the table as it was."`
	Minute       string  `arg:"minute" doc:"When: 0-59, *, */2 and so on."`
	Hour         string  `arg:"hour" doc:"When: 0-23, *, */2 and so on."`
	Day          string  `arg:"day" alias:"dom" doc:"When: the day of the month, 1-31, *, */2 and so on."`
	Month        string  `arg:"month" doc:"When: 1-12, *, */2 and so on."`
	Weekday      string  `arg:"weekday" alias:"dow" doc:"When: 0-6 from Sunday, *, and so on."`
	SpecialTime  string  `arg:"special_time" choices:"annually,daily,hourly,monthly,reboot,weekly,yearly" doc:"When, in a word."`
	Disabled     bool    `arg:"disabled" doc:"The job is to be there as a comment only."`
	Env          bool    `arg:"env" doc:"Manage a variable and not a job."`
	InsertAfter  string  `arg:"insertafter" doc:"The variable below which a new one is put."`
	InsertBefore string  `arg:"insertbefore" doc:"The variable above which a new one is put."`
}

func cron(ctx context.Context, c *Call, a cronArgs) (Result, error) {
	if err := a.check(c); err != nil {
		return nil, err
	}
	if _, err := c.LookPath("crontab"); err != nil { // even for a file, as in Ansible
		return nil, err
	}
	tab, err := a.read(ctx, c)
	if err != nil {
		return nil, err
	}
	if a.Env {
		err = tab.variable(a)
	} else {
		tab.job(a)
	}
	if err != nil {
		return nil, err
	}
	r := Result{"jobs": tab.names(), "envs": tab.variables()}
	if a.CronFile != "" {
		r["cron_file"] = a.CronFile
	}
	if a.removesFile(tab) {
		r = Result{"cron_file": a.CronFile, "state": a.State}
	}
	return r, a.write(ctx, c, tab, r)
}

// removesFile reports that the last job is taken out of a file.
func (a cronArgs) removesFile(tab *crontab) bool {
	return a.CronFile != "" && a.State == "absent" && !a.Env && tab.old != "" && tab.String() == ""
}

var cronFileName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (a cronArgs) check(c *Call) error {
	if base := path.Base(a.CronFile); a.CronFile != "" && !cronFileName.MatchString(base) {
		c.Warn(fmt.Sprintf(`Filename portion of cron_file ("%s") should consist solely of upper- and lower-case letters, digits, underscores, and hyphens`, base))
	}
	timed := slices.ContainsFunc([]string{a.Minute, a.Hour, a.Day, a.Month, a.Weekday}, func(t string) bool { return t != "*" })
	install := a.State == "present"
	switch {
	case a.CronFile == "/etc/crontab":
		return errors.New("Will not manage /etc/crontab via cron_file, see documentation.")
	case a.SpecialTime != "" && timed:
		return errors.New("You must specify time and date fields or special time.")
	case install && a.CronFile != "" && a.User == "":
		return errors.New("To use cron_file=... parameter you must specify user=... as well")
	case install && a.Job == nil:
		return errors.New("You must specify 'job' to install a new cron job or variable")
	case install && !a.Env && (a.InsertAfter != "" || a.InsertBefore != ""):
		return errors.New("Insertafter and insertbefore parameters are valid only with env=yes")
	case a.Env && strings.Contains(a.Name, " "):
		return errors.New("Invalid name for environment variable")
	}
	if install && !a.Env && strings.ContainsAny(strings.Trim(*a.Job, "\r\n"), "\r\n") {
		c.Warn("Job should not contain line breaks")
	}
	return noOption("user", a.User)
}

// file is where cron_file is.
func (a cronArgs) file() string {
	if path.IsAbs(a.CronFile) {
		return a.CronFile
	}
	return path.Join("/etc/cron.d", a.CronFile)
}

// command is crontab for the user. Without -u it is this user's own.
func (a cronArgs) command(args ...string) []string {
	if a.User != "" {
		args = append([]string{"-u", a.User}, args...)
	}
	return append([]string{"crontab"}, args...)
}

// crontab is a table of cron's.
type crontab struct {
	old   string // as it is
	there bool   // the file is, even if empty
	lines []string
}

func (a cronArgs) read(ctx context.Context, c *Call) (*crontab, error) {
	if a.CronFile != "" {
		data, err := c.ReadFile(a.file())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return &crontab{old: string(data), there: err == nil, lines: splitLines(string(data))}, nil
	}
	out, err := c.Ask(ctx, host.Cmd{Args: a.command("-l"), Env: english})
	if err == nil && out.Code != 0 && out.Code != 1 { // 1: the user has none
		err = fmt.Errorf("Unable to read crontab: %s", firstText(out.Stderr, out.Stdout))
	}
	tab := &crontab{old: string(out.Stdout)}
	// What crontab itself writes above the table is not a part of it.
	for i, l := range splitLines(tab.old) {
		if i < 3 && cronHeader.MatchString(l) {
			tab.old = strings.TrimPrefix(tab.old[len(l):], "\n")
			continue
		}
		tab.lines = append(tab.lines, l)
	}
	return tab, err
}

var cronHeader = regexp.MustCompile(`^# (?:DO NOT EDIT THIS FILE - edit the master and reinstall\.|\(.* installed on .*\)|\(.*version.*\))`)

// cronMark stands before the name of a job, in a comment above it.
const cronMark = "#Ansible: "

func (t *crontab) String() string {
	text := strings.TrimRight(strings.Join(t.lines, "\n"), "\r\n")
	if text == "" {
		return ""
	}
	return text + "\n"
}

func (t *crontab) names() []string {
	names := []string{}
	for _, l := range t.lines {
		if name, ok := strings.CutPrefix(l, cronMark); ok {
			names = append(names, name)
		}
	}
	return names
}

var cronVariable = regexp.MustCompile(`^(\S+?)=`)

func (t *crontab) variables() []string {
	names := []string{}
	for _, l := range t.lines {
		if m := cronVariable.FindStringSubmatch(l); m != nil {
			names = append(names, m[1])
		}
	}
	return names
}

// job adds, changes or removes a job.
func (t *crontab) job(a cronArgs) {
	mark := cronMark + a.Name
	line := ""
	if a.State == "present" {
		line = a.line()
	}
	found := false
	var lines []string
	for i := 0; i < len(t.lines); i++ {
		l := t.lines[i]
		switch {
		case l == mark:
			found = true
			i++ // the job itself
			if line != "" {
				lines = append(lines, mark, line)
			}
			continue
		case line != "" && l == line && !found && !slices.Contains(t.lines, mark):
			// The same job without a name, or with an empty one, gets it.
			found = true
			if n := len(lines); n == 0 || !strings.HasPrefix(lines[n-1], cronMark) {
				lines = append(lines, mark)
			} else if lines[n-1] == cronMark {
				lines[n-1] = mark
			} else {
				found = false
			}
		}
		lines = append(lines, l)
	}
	if !found && line != "" {
		lines = append(lines, mark, line)
	}
	t.lines = lines
}

// line is the job as it stands in the table.
func (a cronArgs) line() string {
	words := []string{a.Minute, a.Hour, a.Day, a.Month, a.Weekday}
	if a.SpecialTime != "" {
		words = []string{"@" + a.SpecialTime}
	}
	if a.CronFile != "" {
		words = append(words, a.User)
	}
	line := strings.Join(append(words, strings.Trim(*a.Job, "\r\n")), " ")
	if a.Disabled {
		line = "#" + line
	}
	return line
}

// variable adds, changes or removes a variable.
func (t *crontab) variable(a cronArgs) error {
	at := t.find(a.Name)
	switch {
	case a.State == "absent" && at >= 0:
		t.lines = slices.Delete(t.lines, at, at+1)
		return nil
	case a.State == "absent":
		return nil
	}
	line := fmt.Sprintf(`%s="%s"`, a.Name, *a.Job)
	if at >= 0 {
		t.lines[at] = line
		return nil
	}
	at = 0
	if other := a.InsertAfter + a.InsertBefore; other != "" {
		if at = t.find(other); at < 0 {
			return fmt.Errorf("Variable named '%s' not found.", other)
		}
		if a.InsertAfter != "" {
			at++
		}
	}
	t.lines = slices.Insert(t.lines, at, line)
	return nil
}

func (t *crontab) find(variable string) int {
	return slices.IndexFunc(t.lines, func(l string) bool { return strings.HasPrefix(l, variable+"=") })
}

// write puts the table in place, when it differs.
func (a cronArgs) write(ctx context.Context, c *Call, tab *crontab, r Result) error {
	text := tab.String()
	// A last line without its end is one that cron does not read.
	if same := slices.Equal(tab.lines, splitLines(tab.old)); same && (tab.old == "" || strings.HasSuffix(tab.old, "\n")) {
		return nil
	}
	title := "crontab"
	switch {
	case a.CronFile != "":
		title = a.file()
	case a.User != "":
		title = fmt.Sprintf(`crontab for user "%s"`, a.User)
	}
	d := Diff{title, tab.old, text}
	if a.removesFile(tab) {
		d.After = Titled{"/dev/null", ""}
	}
	return c.Change(d, func(w host.Writer) error {
		if a.Backup {
			file := path.Join(tempDir(c), "crontab"+strings.ToLower(rand.Text()[:8]))
			if err := w.WriteFile(file, strings.NewReader(tab.old), host.Attr{UID: host.Keep, GID: host.Keep, Mode: 0o600}); err != nil {
				return err
			}
			r["backup_file"] = file
		}
		switch {
		case a.CronFile == "":
			return succeed(ctx, w, "Unable to write crontab", host.Cmd{Args: a.command("-"), Stdin: strings.NewReader(text), Env: english})
		case a.removesFile(tab):
			return w.Remove(a.file())
		}
		attr := host.KeepAll
		if !tab.there {
			attr.Mode = 0o644
		}
		return w.WriteFile(a.file(), strings.NewReader(text), attr)
	})
}
