package modules

import (
	"fmt"
	"regexp"
	"time"

	"gplay/modules/host"
)

const defaultTimeFormat = "%Y%m%d%H%M.%S"

// timeArgs are file's arguments for a file's times.
type timeArgs struct {
	ModificationTime string `arg:"modification_time" doc:"preserve, now, or a time in modification_time_format."`
	ModFormat        string `arg:"modification_time_format" doc:"As strptime has it."`
	AccessTime       string `arg:"access_time" doc:"preserve, now, or a time in access_time_format."`
	AccessFormat     string `arg:"access_time_format" doc:"As strptime has it."`
}

// times are what a file's times are to be; the zero Time leaves one.
type times struct {
	mtime, atime time.Time
}

// times reads the arguments; touch sets what is not given to now.
func (a timeArgs) times(touch bool) (t times, err error) {
	now := time.Now()
	read := func(text, format string) (time.Time, error) {
		switch {
		case text == "now" || text == "" && touch:
			return now, nil
		case text == "preserve" || text == "":
			return time.Time{}, nil
		}
		return parseTime(text, format)
	}
	if t.mtime, err = read(a.ModificationTime, a.ModFormat); err != nil {
		return t, err
	}
	t.atime, err = read(a.AccessTime, a.AccessFormat)
	return t, err
}

// change adds what is to change of a file's times.
func (t times) change(ch *attrChange, path string, info host.Info) {
	mtime, atime := t.mtime, t.atime
	mtimeSame := mtime.IsZero() || mtime.Equal(info.ModTime())
	atimeSame := atime.IsZero() || atime.Equal(info.Atime)
	if mtimeSame && atimeSame {
		return
	}
	if !mtimeSame {
		ch.before["mtime"], ch.after["mtime"] = epoch(info.ModTime()), epoch(mtime)
	}
	if !atimeSame {
		ch.before["atime"], ch.after["atime"] = epoch(info.Atime), epoch(atime)
	}
	ch.do = append(ch.do, func(w host.Writer) error { return t.set(w, path, info) })
}

func (t times) set(w host.Writer, path string, info host.Info) error {
	mtime, atime := t.mtime, t.atime
	if mtime.IsZero() {
		mtime = info.ModTime()
	}
	if atime.IsZero() {
		atime = info.Atime
	}
	return w.Chtimes(path, atime, mtime)
}

// epoch is a time as Python's float of seconds.
func epoch(t time.Time) float64 {
	return float64(t.Unix()) + float64(1e-9*float64(t.Nanosecond())) // rounded twice, as Python does
}

var timeLayouts = map[string]string{
	"%Y": "2006", "%y": "06", "%m": "01", "%d": "02", "%H": "15", "%I": "03", "%M": "04", "%S": "05",
	"%b": "Jan", "%B": "January", "%a": "Mon", "%A": "Monday", "%p": "PM", "%z": "-0700", "%Z": "MST",
	"%j": "002", "%f": "000000", "%%": "%",
}

var timeField = regexp.MustCompile(`%.`)

// parseTime reads a local time in a format of strptime.
func parseTime(text, format string) (time.Time, error) {
	layout := timeField.ReplaceAllStringFunc(format, func(f string) string {
		if l, ok := timeLayouts[f]; ok {
			return l
		}
		return f
	})
	t, err := time.ParseInLocation(layout, text, time.Local)
	if err != nil {
		return t, fmt.Errorf("Error while obtaining timestamp for time %s using format %s: time data %s does not match format %s",
			text, format, pyQuote(text), pyQuote(format))
	}
	return t, nil
}
