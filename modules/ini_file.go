package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// IniFile sets options in files of sections.
var IniFile = define("ini_file", "set options in a file of sections (INI)", iniFileArgs{
	State: "present", Exclusive: true, Create: true,
}, iniFile).exclusive("value", "values").
	gives("changed diff before after before_header after_header msg path")

type iniFileArgs struct {
	Path          string   `arg:"path" alias:"dest" type:"path" required:"true" doc:"The file."`
	Section       string   `arg:"section" doc:"The section; without it what stands before the first one."`
	Option        string   `arg:"option" doc:"The option; without it the section as a whole is meant."`
	Value         *string  `arg:"value" doc:"The option's value."`
	Values        []string `arg:"values" doc:"The values of an option that stands there several times."`
	State         string   `arg:"state" choices:"absent,present" doc:"Whether the option, or the section, is to be there."`
	Exclusive     bool     `arg:"exclusive" doc:"Remove all of the option's other lines."`
	AllowNoValue  bool     `arg:"allow_no_value" doc:"The option may stand there without a value and without =."`
	NoExtraSpaces bool     `arg:"no_extra_spaces" doc:"Write = without blanks around it."`
	Create        bool     `arg:"create" doc:"Make the file when it is not there."`
	Backup        bool     `arg:"backup" doc:"Keep a copy of what is there."`
	fileAttrs
}

func iniFile(ctx context.Context, c *Call, a iniFileArgs) (Result, error) {
	values := a.wanted()
	if a.State == "present" && len(values) == 0 && !a.AllowNoValue {
		return nil, errors.New("Parameter 'value(s)' must be defined if state=present and allow_no_value=False.")
	}
	data, err := c.ReadFile(a.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !a.Create:
		return nil, Fail(fmt.Sprintf("Destination %s does not exist!", a.Path), Result{"rc": 257})
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	ini := parseIni(string(data), a)
	ini.values = values
	if a.State == "present" {
		ini.set()
	} else {
		ini.remove()
	}
	r := Result{"path": a.Path, "msg": ini.msg, "diff": unshownDiff(a.Path)[0]}
	if err != nil && ini.msg == "OK" { // nothing to remove in no file
		return r, nil
	}
	t := textFile{a.Path, a.fileAttrs, a.Backup, "", a.Path + " (content)", ""}
	_, err = t.put(ctx, c, []byte(ini.String()), r)
	return r, err
}

// wanted are the values, each once.
func (a iniFileArgs) wanted() []string {
	values := a.Values
	if a.Value != nil {
		values = []string{*a.Value}
	}
	var unique []string
	for _, v := range values {
		if !slices.Contains(unique, v) {
			unique = append(unique, v)
		}
	}
	return unique
}

// iniText is a file, cut where the section begins and ends.
type iniText struct {
	iniFileArgs
	before, section, after []string // lines with their line breaks
	found                  bool     // the section is there
	values                 []string
	msg                    string
	active, any            *regexp.Regexp // the option's lines; any: also where it is a comment
}

func parseIni(text string, a iniFileArgs) *iniText {
	ini := &iniText{iniFileArgs: a, msg: "OK", found: a.Section == ""}
	const option = `[ \t]*(?:%s)[ \t]*(?:=|$)[ \t]*(.*)`
	ini.active = regexp.MustCompile("^" + fmt.Sprintf(option, regexp.QuoteMeta(a.Option)))
	ini.any = regexp.MustCompile("^[#;]?" + fmt.Sprintf(option, regexp.QuoteMeta(a.Option)))
	part := &ini.before
	if ini.found {
		part = &ini.section
	}
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		if !strings.HasSuffix(line, "\n") {
			line += "\n"
		}
		switch {
		case part != &ini.after && a.Section != "" && !ini.found && strings.HasPrefix(line, "["+a.Section+"]"):
			part, ini.found = &ini.section, true
		case part == &ini.section && strings.HasPrefix(line, "["):
			part = &ini.after
		}
		*part = append(*part, line)
	}
	return ini
}

// optionLine matches a line without its line break.
func optionLine(re *regexp.Regexp, line string) []string {
	return re.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
}

func (ini *iniText) String() string {
	return strings.Join(slices.Concat(ini.before, ini.section, ini.after), "")
}

func (ini *iniText) line(value string) string {
	sign := " = "
	if ini.NoExtraSpaces {
		sign = "="
	}
	return ini.Option + sign + value + "\n"
}

// bare is the option without a value.
func (ini *iniText) bare() string { return ini.Option + "\n" }

// set makes the section and the option's lines what they are to be.
func (ini *iniText) set() {
	if ini.String() == "" { // as Ansible: a new file has an empty line
		if ini.found {
			ini.section = []string{"\n"}
		} else {
			ini.before = []string{"\n"}
		}
	}
	switch {
	case !ini.found:
		ini.append()
	case ini.Option == "":
	default:
		done := ini.keep()
		if ini.Exclusive && !ini.AllowNoValue {
			done = ini.replace(done)
		}
		ini.insert(ini.missing(done))
	}
}

// append adds the section at the end.
func (ini *iniText) append() {
	ini.before = append(ini.before, "["+ini.Section+"]\n")
	ini.msg = "section and option added"
	switch {
	case ini.Option == "":
		ini.msg = "only section added"
	case len(ini.values) == 0:
		ini.before = append(ini.before, ini.bare())
	}
	if ini.Option != "" {
		for _, v := range ini.values {
			ini.before = append(ini.before, ini.line(v))
		}
	}
}

// keep finds the lines, comments included, that have a wanted value already,
// and writes them as lines of the option. done tells those lines.
func (ini *iniText) keep() (done []bool) {
	done = make([]bool, len(ini.section))
	for i, l := range ini.section {
		m := optionLine(ini.any, l)
		if m == nil {
			continue
		}
		at := slices.Index(ini.values, m[1])
		switch {
		case at >= 0 && m[1] == "" && ini.AllowNoValue:
			ini.put(i, ini.bare())
		case at >= 0:
			ini.put(i, ini.line(ini.values[at]))
		case len(ini.values) == 0 && ini.AllowNoValue && !slices.Contains(done, true):
			ini.put(i, ini.bare())
			done[i] = true
			continue
		default:
			continue
		}
		ini.values = slices.Delete(ini.values, at, at+1)
		done[i] = true
	}
	return done
}

func (ini *iniText) put(i int, line string) {
	if ini.section[i] != line {
		ini.section[i], ini.msg = line, "option changed"
	}
}

// replace uses the option's other lines for the values that are left, and
// removes what is over.
func (ini *iniText) replace(done []bool) []bool {
	var lines []string
	var kept []bool
	for i, l := range ini.section {
		switch {
		case done[i] || optionLine(ini.any, l) == nil:
			lines, kept = append(lines, l), append(kept, done[i])
		case len(ini.values) > 0:
			ini.put(i, ini.line(ini.values[0]))
			ini.values = ini.values[1:]
			lines, kept = append(lines, ini.section[i]), append(kept, true)
		default:
			ini.msg = "option changed"
		}
	}
	ini.section = lines
	return kept
}

// missing are the lines that are yet to be added.
func (ini *iniText) missing(done []bool) []string {
	var lines []string
	for _, v := range ini.values {
		lines = append(lines, ini.line(v))
	}
	if len(lines) == 0 && ini.AllowNoValue && ini.wanted() == nil && !slices.Contains(done, true) {
		lines = []string{ini.bare()}
	}
	return lines
}

var iniBlank = regexp.MustCompile(`^[ \t]*(?:[#;].*)?\n?$`)

// insert puts lines below the section's last line that says something.
func (ini *iniText) insert(lines []string) {
	if len(lines) == 0 {
		return
	}
	at := len(ini.section)
	for at > 0 && iniBlank.MatchString(ini.section[at-1]) {
		at--
	}
	ini.section = slices.Insert(ini.section, at, lines...)
	ini.msg = "option added"
}

// remove takes out the option's lines, or the section.
func (ini *iniText) remove() {
	if ini.Option == "" {
		if ini.found && len(ini.section) > 0 {
			ini.section, ini.msg = nil, "section removed"
		}
		return
	}
	old := len(ini.section)
	ini.section = slices.DeleteFunc(ini.section, func(l string) bool {
		m := optionLine(ini.active, l)
		return m != nil && (ini.Exclusive || slices.Contains(ini.values, m[1]))
	})
	if len(ini.section) != old {
		ini.msg = "option changed"
	}
}
