package jinja

import (
	"context"
	"strings"
	"testing"
)

// FuzzRender looks for templates that make the engine panic, or that it does not
// end within its limits, which shows as a hang.
func FuzzRender(f *testing.F) {
	for _, file := range readCases(f) {
		for _, c := range file.cases {
			f.Add(c.template, uint8(0))
		}
	}
	templates := readTemplates(f)
	text, _ := readVars(f)
	f.Fuzz(func(t *testing.T, template string, mode uint8) {
		e := caseEnvironment(nil, templates)
		e.MaxOutput, e.MaxSteps = 1<<16, 1<<16
		e.Options.TrimBlocks = mode&1 != 0
		e.Options.LstripBlocks = mode&2 != 0
		e.Options.Autoescape = mode&4 != 0
		if mode&8 != 0 {
			e.Options.LineStatement, e.Options.LineComment = "%", "##"
		}
		tmpl, err := e.Compile("fuzz", template)
		if err != nil {
			if strings.Contains(err.Error(), "engine failed") {
				t.Fatal(err)
			}
			return
		}
		_, err = tmpl.Render(context.Background(), freshVars(t, []byte(text)))
		if err != nil && strings.Contains(err.Error(), "engine failed") {
			t.Fatal(err)
		}
	})
}
