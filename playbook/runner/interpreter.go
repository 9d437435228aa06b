package runner

import (
	"slices"
	"strings"

	"gplay/jinja"
)

// discovered is the fact by which Ansible remembers the Python that it found.
const discovered = "discovered_interpreter_python"

// wantsPython reports whether Ansible would look for the Python of the host
// that a module runs on: none is named, and none was found before.
func (x *execution) wantsPython(s *settings, module string) bool {
	if x.foundPython || s.delegates && !s.delegateFacts || slices.Contains([]string{"raw", "script", "program"}, module) {
		return false
	}
	named := x.Interpreter
	if v, ok, err := s.vars.Setting("ansible_python_interpreter"); ok && err == nil {
		named = jinja.Str(v)
	}
	if named != "" && !strings.HasPrefix(named, "auto") {
		return false
	}
	_, known := x.store.Facts(s.delegate).Get(discovered)
	return !known
}

// tellPython adds the Python that was found to the facts of a result.
func (x *execution) tellPython(s *settings, data *jinja.Dict) {
	if s.python == "" || data == nil {
		return
	}
	x.foundPython = true
	v, _ := data.Get("ansible_facts")
	facts, ok := v.(*jinja.Dict)
	if !ok {
		facts = jinja.NewDict()
		data.Set("ansible_facts", facts)
	}
	facts.Set(discovered, s.python)
	s.python = "" // the next try knows it
}
