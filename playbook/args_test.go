package playbook

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The results were compared with ansible-core 2.14's parse_kv.
func TestParsePairs(t *testing.T) {
	tests := []struct {
		text    string
		command bool
		want    string
	}{
		{"a=b c='d e' f=\"g h\"", false, `a="b" c="d e" f="g h"`},
		{"src={{ x }} dest={{ a | default('b c') }}", false, `src="{{ x }}" dest="{{ a | default('b c') }}"`},
		{"a={% if x %}1{% else %}2 3{% endif %}", false, `a="{% if x %}1{% else %}2" free "3{% endif %}"`},
		{"echo a=b chdir=/tmp  two   spaces creates=x", true, `chdir="/tmp" creates="x" free "echo a=b two   spaces"`},
		{"line one \\\n  line two", true, `free "line one  line two"`},
		{"first\nsecond\n", true, `free "first\nsecond\n"`},
		{`a=\n\t\x41\u00e9 b=c\\d`, false, `a="Aé" b="c\\d"`},
		{`k\=v =y a=b=c x=`, false, `a="b=c" x="" free "k=v =y"`},
		{`msg='it\'s' other="say \"hi\""`, false, `msg="it's" other="say \"hi\""`},
		{"name=a\n  state=b", false, `name="a" state="b"`},
		{`grep "a  b" 'c'`, true, `free "grep \"a  b\" 'c'"`},
		{"", false, ""},
		{`echo "open`, true, "error: a quote or a template ({{, {%) is opened here and not closed"},
		{"echo {{ open", true, "error: a quote or a template ({{, {%) is opened here and not closed"},
		{"  two", true, "error: arguments cannot begin with more than one space"},
	}
	for _, tt := range tests {
		if got := pairsText(tt.text, tt.command); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func pairsText(text string, command bool) string {
	pairs, free, _, err := parsePairs(text, command)
	if err != nil {
		return "error: " + err.Error()
	}
	var parts []string
	for _, p := range pairs {
		parts = append(parts, fmt.Sprintf("%s=%q", p.key, p.value))
	}
	if free != "" {
		parts = append(parts, fmt.Sprintf("free %q", free))
	}
	return strings.Join(parts, " ")
}

func BenchmarkLoad(b *testing.B) {
	var text strings.Builder
	text.WriteString("- hosts: all\n  tasks:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "    - name: task %d {{ x }}\n      copy: src=a%[1]d dest=\"{{ dir }}/b\" mode=0644\n      when: a == %[1]d\n      tags: [a, b]\n", i)
	}
	file := filepath.Join(b.TempDir(), "site.yml")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Load(file, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
