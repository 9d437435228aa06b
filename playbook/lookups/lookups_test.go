package lookups

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gplay/internal/yaml"
	"gplay/jinja"
	"gplay/playbook/filters"
)

// world is a playbook in testdata that calls lookups.
type world struct {
	env  *jinja.Environment
	vars jinja.Vars
	ctx  *Context
}

func newWorld(t *testing.T) *world {
	t.Helper()
	data, err := os.ReadFile("testdata/vars.yml")
	if err != nil {
		t.Fatal(err)
	}
	v, err := yaml.Load("vars.yml", data, yaml.Options{Data: true})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{vars: jinja.Vars{}}
	var names []string
	for k, item := range v.(*jinja.Dict).All() {
		w.vars[k.(string)] = item
		names = append(names, k.(string))
	}
	w.env = &jinja.Environment{Filters: filters.Filters(), Tests: filters.Tests(), Globals: map[string]any{
		"query":  jinja.Func(func(_ *jinja.Context, a *jinja.Args) (any, error) { return w.query(a) }),
		"lookup": jinja.Func(func(_ *jinja.Context, a *jinja.Args) (any, error) { return w.lookup(a) }),
	}}
	w.ctx = &Context{
		Context:  context.Background(),
		Dirs:     []string{dir},
		Var:      w.vars.Lookup,
		VarNames: func() []string { return names },
		Render:   w.render,
		Hosts:    func([]string) ([]string, error) { return []string{"localhost"}, nil },
	}
	return w
}

func (w *world) query(a *jinja.Args) (any, error) {
	l, ok := Find(a.Positional[0].(string))
	if !ok {
		return nil, fmt.Errorf("there is no lookup %v", a.Positional[0])
	}
	options := a.Keywords
	if options == nil {
		options = jinja.NewDict()
	}
	values, err := l(w.ctx, a.Positional[1:], options)
	return jinja.NewList(values...), err
}

func (w *world) lookup(a *jinja.Args) (any, error) {
	v, err := w.query(a)
	if l, ok := v.(*jinja.List); ok && len(l.Items) == 1 {
		return l.Items[0], err
	}
	return v, err
}

func (w *world) render(_, file, text string, extra *jinja.Dict, o jinja.Options) (any, error) {
	env := *w.env
	env.Options = o
	env.Options.KeepTrailingNewline = true // as the playbook's own rendering does
	tmpl, err := env.Compile(file, text)
	if err != nil {
		return nil, err
	}
	scope := jinja.Vars{}
	for k, v := range w.vars {
		scope[k] = v
	}
	for k, v := range extra.All() {
		scope[k.(string)] = v
	}
	return tmpl.Render(context.Background(), scope)
}

func (w *world) eval(text string) string {
	expr, err := w.env.CompileExpr(text)
	if err != nil {
		return "ERROR " + err.Error()
	}
	v, err := expr.Eval(context.Background(), w.vars)
	if err != nil {
		return "ERROR " + err.Error()
	}
	return jinja.Str(v)
}

func TestLookupMistakesAreExplained(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ query, want string }{
		{"query('file', 'nosuch')", "could not locate file in lookup: nosuch (looked for "},
		{"query('pipe', 'echo why >&2; exit 3')", "lookup_plugin.pipe(echo why >&2; exit 3) returned 3: why"},
		{"query('vars', 'db_hots')", `No variable found with this name: db_hots, did you mean "db_host"?`},
		{"query('dict', 5)", "with_dict expects a dict"},
		{"query('first_found', 'no', 'nope')", "No file was found when using first_found."},
		{"query('sequence', 'start=1')", "must specify count or end in with_sequence"},
		{"query('sequence', 'start=1 end=2 count=3')", "can't specify both count and end in with_sequence"},
		{"query('sequence', 'start=5 end=2')", "to count backwards make stride negative"},
		{"query('sequence', 'end=x')", "can't parse end=x as integer"},
		{"query('sequence', 'end=5 fromat=x')", `unrecognized arguments to with_sequence: ['fromat']`},
		{"query('sequence', '99999999')", "the sequence has more than 4194304 items"},
		{"query('subelements', users, 'keys')", "could not find 'keys' key in iterated item"},
		{"query('subelements', users)", "subelements lookup expects a list of two or three items"},
		{"query('ini', 'user', section='no', file='users.ini')", "No section 'no' in users.ini"},
		{"query('ini', 'user wrong=x section=no file=users.ini')", "wrong is not a valid option."},
		{"query('ini', 'a', section='other', file='double.ini')", "Duplicate option in 'double.ini': While reading from '<???>' [line  6]: option 'name' in section 'people' already exists"},
		{"query('csvfile', 'Li', file='elements.csv', delimiter=',', col=9)", `csvfile: list index out of range: the row of "Li" has no column 9`},
		{"query('url', 'http://127.0.0.1:1/')", "Failed lookup url for http://127.0.0.1:1/ : "},
		{"query('password', '/dev/null lenght=5')", `Unrecognized parameter(s) given to password lookup: lenght`},
	} {
		if got := w.eval(c.query); !strings.HasPrefix(got, "ERROR ") || !strings.Contains(got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}

func TestUnknownOptionsAreWarnedOf(t *testing.T) {
	w := newWorld(t)
	var warned []string
	w.ctx.Warn = func(msg string) { warned = append(warned, msg) }
	got := w.eval("query('file', 'a.txt', rstripp=true)")
	if want := `it has no option "rstripp", did you mean "rstrip"?`; strings.HasPrefix(got, "ERROR") || !slices.Equal(warned, []string{want}) {
		t.Errorf("got %s with the warnings %q, want %q", got, warned, want)
	}
}

func TestURLWithAnUntrustedCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	w := newWorld(t)
	got, want := w.eval(fmt.Sprintf("lookup('url', '%s')", server.URL)), "ERROR Error validating the server's certificate for "+server.URL+": x509: "
	if !strings.HasPrefix(got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := w.eval(fmt.Sprintf("lookup('url', '%s', validate_certs=false)", server.URL)); got != "hello" {
		t.Errorf("without validation: %s", got)
	}
}

func TestPasswordStaysInItsFile(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "new/secret")
	query := func(more string) string {
		t.Helper()
		got := w.eval(fmt.Sprintf("lookup('password', '%s'%s)", file, more))
		if strings.HasPrefix(got, "ERROR") {
			t.Fatal(got)
		}
		return got
	}
	plain := query("")
	if len(plain) != 20 || query("") != plain {
		t.Errorf("%q, then %q", plain, query(""))
	}
	hash := query(", encrypt='sha512_crypt'")
	if !strings.HasPrefix(hash, "$6$") || query(", encrypt='sha512_crypt'") != hash {
		t.Errorf("%q, then another", hash)
	}
	data, err := os.ReadFile(file)
	salt := strings.Split(hash, "$")[3] // after the scheme and the rounds
	if want := plain + " salt=" + salt + "\n"; err != nil || string(data) != want {
		t.Errorf("the file holds %q, want %q (%v)", data, want, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if query("") != plain {
		t.Error("the plain password has changed")
	}
}

func TestFirstFoundTakesFilesByName(t *testing.T) {
	w := newWorld(t)
	if got := w.eval("query('first_found', files=['no', 'a.txt'], paths=['files'])|map('basename')|list"); got != "['a.txt']" {
		t.Error(got)
	}
}

func TestEveryLookupIsFound(t *testing.T) {
	for _, name := range Names() {
		for _, prefix := range []string{"", "ansible.builtin."} {
			if _, ok := Find(prefix + name); !ok {
				t.Errorf("%s%s is not found", prefix, name)
			}
		}
	}
	if names := Names(); !slices.IsSorted(names) || len(names) != len(All) {
		t.Error(names)
	}
}
