package callback

import (
	"fmt"
	"strings"

	"gplay/jinja"
	"gplay/playbook/runner"
)

// newDebug is the default output with texts by themselves, as they are.
func newDebug(d *display) runner.Callback { return &standard{display: d, format: d.textsApart} }

func (d *display) textsApart(r *runner.Result) string {
	data := d.shown(r)
	var texts strings.Builder
	for _, key := range []string{"stdout", "stdout_lines", "stderr", "stderr_lines", "msg", "module_stdout", "module_stderr"} {
		v, _ := data.Get(key)
		data.Delete(key)
		if jinja.Truth(v) && !strings.HasSuffix(key, "_lines") {
			fmt.Fprintf(&texts, "\n\n%s:\n\n%s\n", strings.ToUpper(key), jinja.Str(v))
		}
	}
	indent := 4
	if d.Pretty != nil && !*d.Pretty {
		indent = 0
	}
	return d.formatted(data, indent) + texts.String()
}

// skippy is the default output without what was skipped.
type skippy struct{ *standard }

func (s skippy) ItemResult(r *runner.Result) {
	if r.Status != runner.Skipped {
		s.standard.ItemResult(r)
	}
}

func (s skippy) Result(r *runner.Result) {
	if r.Status != runner.Skipped {
		s.standard.Result(r)
	}
}
