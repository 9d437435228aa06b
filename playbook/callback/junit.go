package callback

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/runner"
	"gplay/playbook/vars"
)

// junit writes what became of each task on each host as a JUnit file.
type junit struct {
	silent
	dir, relativeTo, prefix    string
	outOfTree                  string
	byFile, hideArgs           bool
	failOnChange, failOnIgnore bool
	withoutSetup               bool
	book, play                 string
	tasks                      []*junitTask
	byID                       map[*playbook.Task]*junitTask
}

type junitTask struct {
	name, play, path, action string
	start                    time.Time
	cases                    []*junitCase
}

// junitCase is one task on one host.
type junitCase struct {
	host, status string
	data         *jinja.Dict
	text         string // of an include
	end          time.Time
}

func newJUnit(d *display) *junit {
	set := func(name, otherwise string) string { return d.setting("JUNIT_"+name, "", "", otherwise) }
	on := func(name, otherwise string) bool { return strings.EqualFold(set(name, otherwise), "true") }
	return &junit{
		silent: silent{d}, byID: map[*playbook.Task]*junitTask{},
		dir: expandHome(set("OUTPUT_DIR", "~/.ansible.log")), relativeTo: set("TASK_RELATIVE_PATH", ""),
		prefix: set("TEST_CASE_PREFIX", ""), outOfTree: set("REPLACE_OUT_OF_TREE_PATH", ""),
		byFile: on("TASK_CLASS", "false"), hideArgs: on("HIDE_TASK_ARGUMENTS", "false"),
		failOnChange: on("FAIL_ON_CHANGE", "false"), failOnIgnore: on("FAIL_ON_IGNORE", "false"),
		withoutSetup: strings.EqualFold(set("INCLUDE_SETUP_TASKS_IN_REPORT", "true"), "false"),
	}
}

func (j *junit) PlaybookStart(pb *playbook.Playbook) {
	j.book = strings.TrimSuffix(pb.Name(), filepath.Ext(pb.Name()))
}

func (j *junit) PlayStart(play *runner.PlayInfo) { j.play = play.Name }

func (j *junit) TaskStart(task *runner.TaskInfo) {
	if j.byID[task.Task] != nil {
		return
	}
	t := &junitTask{name: strings.TrimSpace(task.Name), play: j.play, path: place(task.Pos), action: task.Action, start: time.Now()}
	if !task.NoLog && !j.hideArgs {
		t.name = strings.TrimSpace(t.name + " " + argsText(task.Task))
	}
	j.byID[task.Task] = t
	j.tasks = append(j.tasks, t)
}

// argsText are a task's arguments as written.
func argsText(t *playbook.Task) string {
	var parts []string
	file := ""
	for k, v := range t.Args.All() {
		part := "=" + writtenText(v)
		if k == "file" && (t.Action == "include_tasks" || t.Action == "import_tasks") { // Ansible has it as free text
			file = "_raw_params" + part
			continue
		}
		parts = append(parts, jinja.Str(k)+part)
	}
	if file != "" {
		parts = append(parts, file)
	}
	return strings.Join(parts, ", ")
}

func writtenText(v any) string { return jinja.Str(vars.AsWritten(v)) }

func (j *junit) Result(r *runner.Result) {
	switch {
	case r.Status == runner.Unreachable:
	case r.Status == runner.Skipped:
		j.add(r, "skipped")
	case r.Status == runner.Failed && (!r.Ignored || j.failOnIgnore):
		j.add(r, "failed")
	case r.Status == runner.Changed && j.failOnChange:
		j.add(r, "failed")
	default:
		j.add(r, "ok")
	}
}

// add notes a result. Names of tasks can say that a failure is expected, or
// that it counts for the opposite.
func (j *junit) add(r *runner.Result, status string) {
	t := j.byID[r.Task.Task]
	if t == nil {
		return
	}
	switch {
	case status == "failed" && strings.Contains(t.name, "EXPECTED FAILURE"):
		status = "ok"
	case status != "skipped" && strings.Contains(t.name, "TOGGLE RESULT"):
		status = map[string]string{"ok": "failed", "failed": "ok"}[status]
	}
	if strings.HasPrefix(t.name, j.prefix) || status == "failed" {
		t.cases = append(t.cases, &junitCase{host: r.Host, status: status, data: r.Data, end: time.Now()})
	}
}

func (j *junit) Included(task *runner.TaskInfo, file string, hosts []string, _ string) {
	t := j.byID[task.Task]
	if t == nil || !strings.HasPrefix(t.name, j.prefix) {
		return
	}
	line := fmt.Sprintf("%s (args={} vars={}): [%s]", file, strings.Join(hosts, ", "))
	for _, c := range t.cases {
		if c.status == "included" {
			c.text += "\n" + line
			return
		}
	}
	t.cases = append(t.cases, &junitCase{host: "include", status: "included", text: line, end: time.Now()})
}

func (j *junit) Stats(*runner.Stats) {
	var w junitWriter
	for _, t := range j.tasks {
		if j.withoutSetup && (t.action == "setup" || t.action == "gather_facts") {
			continue
		}
		for _, c := range t.cases {
			j.write(&w, t, c)
		}
	}
	file := filepath.Join(j.dir, fmt.Sprintf("%s-%d.%06d.xml", j.book, time.Now().Unix(), time.Now().Nanosecond()/1000))
	err := os.MkdirAll(j.dir, 0o777)
	if err == nil {
		err = os.WriteFile(file, []byte(j.Secrets.hide(w.document(j.book))), 0o666)
	}
	if err != nil {
		j.Warning("the JUnit report cannot be written: " + err.Error())
	}
}

var lineOfFile = regexp.MustCompile(`\.yml:[0-9]+$`)

// class is where a task stands, as the settings want it.
func (j *junit) class(path string) string {
	if j.relativeTo != "" && path != "" {
		if rel, err := filepath.Rel(absolute(j.relativeTo), path); err == nil {
			path = rel
		}
	}
	if j.outOfTree != "" && strings.HasPrefix(path, "../") {
		path = j.outOfTree + filepath.Base(path)
	}
	if j.byFile {
		path = lineOfFile.ReplaceAllString(path, "")
	}
	return path
}

func (j *junit) write(w *junitWriter, t *junitTask, c *junitCase) {
	name := fmt.Sprintf("[%s] %s: %s", c.host, t.play, t.name)
	w.begin(j.class(t.path), name, c.end.Sub(t.start))
	dump := c.text
	if c.data != nil {
		dump = j.lines(c.data)
	}
	switch c.status {
	case "skipped":
		reason, ok := c.data.Get("skip_reason")
		if !ok {
			reason = "skipped"
		}
		w.element("skipped", "", jinja.Str(reason))
		w.skipped++
	case "failed":
		msg, ok := c.data.Get("msg")
		if !ok {
			rc, _ := c.data.Get("rc")
			if rc == nil {
				rc = 0
			}
			msg = "rc=" + jinja.Str(rc)
		}
		w.element("failure", fmt.Sprintf(` message="%s" type="failure"`, xmlText(jinja.Str(msg))), dump)
		w.failures++
	default:
		w.element("system-out", "", dump)
	}
	w.end()
}

// junitWriter collects the test cases of a report.
type junitWriter struct {
	body                     strings.Builder
	tests, failures, skipped int
	total                    time.Duration
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

func (w *junitWriter) begin(class, name string, took time.Duration) {
	w.tests++
	w.total += took
	fmt.Fprintf(&w.body, "\t\t<testcase classname=\"%s\" name=\"%s\" time=\"%s\">\n", xmlText(class), xmlText(name), seconds(took))
}

func (w *junitWriter) element(name, attributes, text string) {
	fmt.Fprintf(&w.body, "\t\t\t<%s%s>%s</%s>\n", name, attributes, xmlText(text), name)
}

func (w *junitWriter) end() { w.body.WriteString("\t\t</testcase>\n") }

func (w *junitWriter) document(name string) string {
	counts := fmt.Sprintf(`disabled="0" errors="0" failures="%d"`, w.failures)
	total := seconds(w.total)
	suites := fmt.Sprintf(`%s tests="%d" time="%s"`, counts, w.tests, total)
	suite := fmt.Sprintf(`%s name="%s" skipped="%d" tests="%d" time="%s"`, counts, xmlText(name), w.skipped, w.tests, total)
	return "<?xml version=\"1.0\" ?>\n<testsuites " + suites + ">\n\t<testsuite " + suite + ">\n" + w.body.String() + "\t</testsuite>\n</testsuites>\n"
}

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", ">", "&gt;")

// xmlText is text as XML holds it, in attributes and elsewhere.
func xmlText(text string) string {
	return xmlEscapes.Replace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' {
			return '\ufffd'
		}
		return r
	}, text))
}
