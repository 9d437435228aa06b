package oracle

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var showErrors = flag.Bool("errors", false, "print both messages of each expression that is an error")

// row is one expression of a table.
type row struct {
	place string // file:line
	expr  string
	// ours is what gplay gives where that differs, for the reason in why.
	ours, why string
}

// Table compares what eval gives for each expression in the files with what
// Ansible gives. A file has an expression a line; lines that begin with # are
// comments. Where gplay differs on purpose, two lines that begin with a tab
// follow: "gplay: TEXT" (or "gplay: ERROR part of the message") and "why:
// REASON".
func Table(t *testing.T, w World, pattern string, eval func(expr string) Outcome) {
	t.Helper()
	Need(t)
	rows := readTable(t, pattern)
	exprs := make([]string, len(rows))
	for i, r := range rows {
		exprs[i] = r.expr
	}
	differing, errors := 0, 0
	for i, want := range Expressions(t, w, exprs) {
		r, got := rows[i], eval(rows[i].expr)
		same := got.Text == want.Text && (got.Error == "") == (want.Error == "") && got.Undefined == want.Undefined
		if want.Error != "" {
			errors++
		}
		if *showErrors && want.Error != "" && got.Error != "" {
			t.Logf("%s: %s\n ours: %s\ntheirs: %s", r.place, r.expr, got.Error, want.Error)
		}
		switch {
		case r.why == "" && !same:
			t.Errorf("%s: %s\n got %s\nwant %s", r.place, r.expr, got, want)
		case r.why != "" && same:
			t.Errorf("%s: %s gives what Ansible gives, so it does not differ", r.place, r.expr)
		case r.why != "" && !r.fits(got):
			t.Errorf("%s: %s\n got %s\nwant %s", r.place, r.expr, got, r.ours)
		}
		if r.why != "" {
			differing++
		}
	}
	t.Logf("%d expressions, of which %d are errors and %d differ on purpose", len(rows), errors, differing)
}

func (r row) fits(got Outcome) bool {
	if part, isError := strings.CutPrefix(r.ours, "ERROR "); isError {
		return got.Error != "" && strings.Contains(got.Error, part)
	}
	return got.Error == "" && got.Text == r.ours
}

func (o Outcome) String() string {
	switch {
	case o.Undefined:
		return "UNDEFINED " + o.Error
	case o.Error != "":
		return "ERROR " + o.Error
	}
	return o.Text
}

func readTable(t *testing.T, pattern string) []row {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no table %s", pattern)
	}
	var rows []row
	seen := map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
			place := filepath.Base(file) + ":" + strconv.Itoa(i+1)
			switch {
			case line == "" || strings.HasPrefix(line, "#"):
			case strings.HasPrefix(line, "\tgplay: "):
				rows[len(rows)-1].ours = line[len("\tgplay: "):]
			case strings.HasPrefix(line, "\twhy: "):
				rows[len(rows)-1].why = line[len("\twhy: "):]
			case strings.HasPrefix(line, "\t"):
				t.Fatalf("%s: neither an expression nor gplay: or why:", place)
			case seen[line] != "":
				t.Errorf("%s: %s stands in %s too", place, line, seen[line])
			default:
				seen[line] = place
				rows = append(rows, row{place: place, expr: line})
			}
		}
	}
	for _, r := range rows {
		if (r.ours == "") != (r.why == "") {
			t.Fatalf("%s: a difference needs both gplay: and why:", r.place)
		}
	}
	return rows
}
