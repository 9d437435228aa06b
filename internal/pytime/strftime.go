package pytime

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// directives are Strftime's, but for those that are a Go layout.
var directives = map[byte]func(t time.Time) string{
	'%': func(time.Time) string { return "%" },
	'n': func(time.Time) string { return "\n" },
	't': func(time.Time) string { return "\t" },
	'C': func(t time.Time) string { return fmt.Sprintf("%02d", t.Year()/100) },
	'G': func(t time.Time) string { y, _ := t.ISOWeek(); return strconv.Itoa(y) },
	'I': func(t time.Time) string { return fmt.Sprintf("%02d", (t.Hour()+11)%12+1) },
	'U': func(t time.Time) string { return fmt.Sprintf("%02d", (t.YearDay()+6-int(t.Weekday()))/7) },
	'V': func(t time.Time) string { _, w := t.ISOWeek(); return fmt.Sprintf("%02d", w) },
	'W': func(t time.Time) string { return fmt.Sprintf("%02d", (t.YearDay()+6-(int(t.Weekday())+6)%7)/7) },
	'g': func(t time.Time) string { y, _ := t.ISOWeek(); return fmt.Sprintf("%02d", y%100) },
	'j': func(t time.Time) string { return fmt.Sprintf("%03d", t.YearDay()) },
	'k': func(t time.Time) string { return fmt.Sprintf("%2d", t.Hour()) },
	'l': func(t time.Time) string { return fmt.Sprintf("%2d", (t.Hour()+11)%12+1) },
	// Python takes what the clock shows for local time, in whatever zone.
	's': func(t time.Time) string {
		local := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.Local)
		return strconv.FormatInt(local.Unix(), 10)
	},
	'u': func(t time.Time) string { return strconv.Itoa((int(t.Weekday())+6)%7 + 1) },
	'w': func(t time.Time) string { return strconv.Itoa(int(t.Weekday())) },
	'P': func(t time.Time) string { return strings.ToLower(t.Format("PM")) },
	'Y': func(t time.Time) string { return strconv.Itoa(t.Year()) },
	'Z': func(t time.Time) string {
		if name := t.Format("MST"); t.Location() != time.UTC {
			return name
		}
		return "GMT"
	},
}

var layouts = map[byte]string{
	'A': "Monday", 'a': "Mon", 'B': "January", 'b': "Jan", 'h': "Jan", 'D': "01/02/06", 'x': "01/02/06", 'F': "2006-01-02",
	'H': "15", 'M': "04", 'R': "15:04", 'S': "05", 'T': "15:04:05", 'X': "15:04:05", 'c': "Mon Jan _2 15:04:05 2006",
	'd': "02", 'e': "_2", 'm': "01", 'p': "PM", 'r': "03:04:05 PM", 'y': "06", 'z': "-0700",
}

// formatted gives t by the codes of Python's datetime.
func formatted(format string, t time.Time) string {
	format = strings.ReplaceAll(format, "%%", "%%%%")
	if t.Location() == time.UTC { // it has no zone
		format = strings.NewReplacer("%z", "", "%Z", "").Replace(format)
	}
	format = strings.ReplaceAll(format, "%f", fmt.Sprintf("%06d", t.Nanosecond()/1000))
	return Strftime(strings.ReplaceAll(format, "%%%%", "%%"), t)
}

// conversion is one directive of C's strftime: flags, a width, a modifier that
// changes nothing here, and the letter.
var conversion = regexp.MustCompile(`%([-_0^#]*)(\d*)([EO]?)([a-zA-Z%+])`)

// Strftime gives t by the codes of C.
func Strftime(format string, t time.Time) string {
	return conversion.ReplaceAllStringFunc(format, func(whole string) string {
		m := conversion.FindStringSubmatch(whole)
		piece, ok := directive(m[4][0], t)
		if !ok {
			return whole
		}
		return padded(flagged(piece, m[1], m[4][0]), m[1], m[2], m[4][0])
	})
}

func directive(letter byte, t time.Time) (string, bool) {
	if f := directives[letter]; f != nil {
		return f(t), true
	}
	layout := layouts[letter]
	return t.Format(layout), layout != ""
}

// flagged applies the flags that change case and padding.
func flagged(piece, flags string, letter byte) string {
	for _, flag := range flags {
		digits := strings.TrimLeft(piece, "0 ")
		switch {
		case flag == '^':
			piece = strings.ToUpper(piece)
		case flag == '#' && (letter == 'Z' || letter == 'p'):
			piece = strings.ToLower(piece)
		case flag == '#':
			piece = strings.ToUpper(piece)
		case strings.Trim(piece, "0123456789 ") != "": // no number
		case flag == '-':
			piece = cmp.Or(digits, "0")
		case flag == '_':
			piece = strings.Repeat(" ", len(piece)-len(cmp.Or(digits, "0"))) + cmp.Or(digits, "0")
		case flag == '0':
			piece = strings.ReplaceAll(piece, " ", "0")
		}
	}
	return piece
}

// padded fills a piece up to a width: numbers with zeros, all else with spaces.
func padded(piece, flags, width string, letter byte) string {
	n, err := strconv.Atoi(width)
	if err != nil || n > 1024 || strings.Contains(flags, "-") {
		return piece
	}
	with := " "
	number := strings.Trim(piece, "0123456789") == "" && letter != 'e' && letter != 'k' && letter != 'l'
	if strings.Contains(flags, "0") || number && !strings.Contains(flags, "_") {
		with = "0"
	}
	return strings.Repeat(with, max(0, n-len(piece))) + piece
}
