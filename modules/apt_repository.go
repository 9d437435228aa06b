package modules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"gplay/modules/facts"
	"gplay/modules/host"
)

// AptRepository manages apt's sources.
var AptRepository = define("apt_repository", "add or remove a source of packages for apt", aptRepositoryArgs{
	State: "present", UpdateCache: true, UpdateCacheRetries: 5, UpdateCacheRetryMaxDelay: 12, InstallPythonApt: true, ValidateCerts: true,
}, aptRepository)

type aptRepositoryArgs struct {
	Repo                     string `arg:"repo" required:"true" doc:"The source as sources.list has it, or ppa:OWNER/NAME."`
	State                    string `arg:"state" choices:"absent,present" doc:"Whether it is to be there."`
	Mode                     Mode   `arg:"mode" doc:"The permissions of the file."`
	UpdateCache              bool   `arg:"update_cache" alias:"update-cache" doc:"Refresh the lists of packages after a change."`
	UpdateCacheRetries       int    `arg:"update_cache_retries" doc:"How often to try that."`
	UpdateCacheRetryMaxDelay int    `arg:"update_cache_retry_max_delay" doc:"Seconds between tries at most."`
	Filename                 string `arg:"filename" doc:"The file in sources.list.d, without .list."`
	Codename                 string `arg:"codename" doc:"The release that a PPA is taken for; the host's own when not given."`
	InstallPythonApt         bool   `arg:"install_python_apt" doc:"Accepted: nothing of Python is needed."`
	ValidateCerts            bool   `arg:"validate_certs" doc:"Check the certificate of the server that a PPA's key comes from."`
}

const sourcesDir = "/etc/apt/sources.list.d"

func aptRepository(ctx context.Context, c *Call, a aptRepositoryArgs) (Result, error) {
	if a.Repo == "" {
		return nil, errors.New("Please set argument 'repo' to a non-empty value")
	}
	line, fileFor := a.Repo, a.Repo
	ppa, isPPA := strings.CutPrefix(a.Repo, "ppa:")
	if isPPA {
		if a.Codename == "" {
			a.Codename = facts.Detect(c).Release
		}
		line = ppaLine(ppa, a.Codename)
		fileFor = a.Repo + "_" + a.Codename
	}
	source := parseSource(line)
	if !source.valid || !source.enabled {
		return nil, fmt.Errorf("Invalid repository string: %s", a.Repo)
	}
	files, err := readSources(c)
	if err != nil {
		return nil, err
	}
	var edits []sourceEdit
	if a.State == "present" {
		edits = files.with(source, a.sourceFile(fileFor))
	} else {
		edits = files.without(source)
	}
	result := Result{"repo": a.Repo, "state": a.State, "sources_added": []any{}, "sources_removed": []any{}}
	if isPPA && len(edits) > 0 && a.State == "present" {
		if err := addPPAKey(ctx, c, ppa, a.ValidateCerts); err != nil {
			return nil, err
		}
	}
	for _, e := range edits {
		if e.after == "" {
			result["sources_removed"] = append(result["sources_removed"].([]any), e.file)
		} else if e.before == nil {
			result["sources_added"] = append(result["sources_added"].([]any), e.file)
		}
	}
	return result, a.apply(ctx, c, edits)
}

// apply writes the files, and puts them back when apt cannot use them.
func (a aptRepositoryArgs) apply(ctx context.Context, c *Call, edits []sourceEdit) error {
	for _, e := range edits {
		if err := c.Change(e.diff(), func(w host.Writer) error { return e.write(c, w, a.Mode) }); err != nil {
			return err
		}
	}
	if len(edits) == 0 || !a.UpdateCache {
		return nil
	}
	return c.Upkeep(func(w host.Writer) error {
		retries := aptArgs{UpdateCacheRetries: a.UpdateCacheRetries, UpdateCacheRetryMaxDelay: a.UpdateCacheRetryMaxDelay, LockTimeout: 60}
		err := refreshAptLists(ctx, w, retries)
		if err != nil {
			for _, e := range edits {
				err = errors.Join(err, e.undo(w))
			}
		}
		return err
	})
}

// aptSource is a line of a sources.list.
type aptSource struct {
	valid, enabled bool
	source         string // with single blanks, without comment
}

func parseSource(line string) aptSource {
	line = strings.TrimSpace(line)
	s := aptSource{enabled: true}
	if rest, off := strings.CutPrefix(line, "#"); off {
		s.enabled = false
		line = rest
	}
	line, _, _ = strings.Cut(line, "#")
	words := strings.Fields(line)
	s.source = strings.Join(words, " ")
	s.valid = len(words) > 1 && (words[0] == "deb" || words[0] == "deb-src")
	return s
}

// sourceFiles are the lines of all sources.list files, in the order in which
// apt reads them.
type sourceFiles struct {
	names []string
	text  map[string]string
}

func readSources(c *Call) (sourceFiles, error) {
	files := sourceFiles{text: map[string]string{}}
	names := []string{"/etc/apt/sources.list"}
	entries, err := c.ReadDir(sourcesDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return files, err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".list") {
			names = append(names, path.Join(sourcesDir, e.Name()))
		}
	}
	for _, name := range names {
		data, err := c.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return files, err
		}
		files.names = append(files.names, name)
		files.text[name] = string(data)
	}
	return files, nil
}

// sourceEdit is one file as it is (nil when it is missing) and as it is to be
// ("" when it is to go).
type sourceEdit struct {
	file   string
	before *string
	after  string
}

func (f sourceFiles) edit(file, after string) sourceEdit {
	e := sourceEdit{file: file, after: after}
	if text, exists := f.text[file]; exists {
		e.before = &text
	}
	return e
}

// with adds a source: where it is switched off it is switched on, else it
// comes to the end of its file.
func (f sourceFiles) with(wanted aptSource, file string) []sourceEdit {
	for _, name := range f.names {
		for line := range strings.Lines(f.text[name]) {
			s := parseSource(line)
			if s.valid && s.source == wanted.source && s.enabled {
				return nil
			}
			if s.valid && s.source == wanted.source {
				on := strings.TrimLeft(strings.TrimLeft(line, " \t"), "# ")
				return []sourceEdit{f.edit(name, strings.Replace(f.text[name], line, on, 1))}
			}
		}
	}
	text := f.text[file]
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return []sourceEdit{f.edit(file, text+wanted.source+"\n")}
}

func (f sourceFiles) without(unwanted aptSource) []sourceEdit {
	var edits []sourceEdit
	for _, name := range f.names {
		lines := slices.Collect(strings.Lines(f.text[name]))
		kept := slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
			s := parseSource(line)
			return s.valid && s.enabled && s.source == unwanted.source
		})
		if len(kept) < len(lines) {
			edits = append(edits, f.edit(name, strings.Join(kept, "")))
		}
	}
	return edits
}

func (e sourceEdit) diff() Diff {
	const nothing = "/dev/null"
	before, after := Titled{nothing, ""}, Titled{e.file, e.after}
	if e.before != nil {
		before = Titled{e.file, *e.before}
	}
	if e.after == "" {
		after.Header = nothing
	}
	return Diff{"", before, after}
}

func (e sourceEdit) write(c *Call, w host.Writer, mode Mode) error {
	if e.after == "" {
		return w.Remove(e.file)
	}
	attr := host.KeepAll
	if e.before == nil {
		attr.Mode = 0o644
	}
	if mode.Given() {
		attr.Mode = mode.Apply(0o644, false, c.Umask())
	}
	return w.WriteFile(e.file, strings.NewReader(e.after), attr)
}

func (e sourceEdit) undo(w host.Writer) error {
	if e.before == nil {
		return w.Remove(e.file)
	}
	return w.WriteFile(e.file, strings.NewReader(*e.before), host.KeepAll)
}

var (
	sourceOptions = regexp.MustCompile(`\[[^\]]+\]`)
	urlScheme     = regexp.MustCompile(`\w+://`)
	nameSigns     = regexp.MustCompile(`[^a-zA-Z0-9]+`)
)

// sourceFile names the file for a source after its address.
func (a aptRepositoryArgs) sourceFile(line string) string {
	if strings.HasPrefix(a.Filename, "/") {
		return strings.TrimSuffix(a.Filename, ".list") + ".list"
	}
	if a.Filename != "" {
		return path.Join(sourcesDir, a.Filename+".list")
	}
	words := strings.Fields(urlScheme.ReplaceAllString(sourceOptions.ReplaceAllString(line, ""), ""))
	words = slices.DeleteFunc(words, func(w string) bool { return w == "deb" || w == "deb-src" })
	name := words[0]
	if _, after, found := strings.Cut(name, "@"); found {
		name = after // no password in a file's name
	}
	return path.Join(sourcesDir, strings.Trim(nameSigns.ReplaceAllString(name, "_"), "_")+".list")
}

func ppaLine(ppa, codename string) string {
	owner, name := ppaParts(ppa)
	return fmt.Sprintf("deb http://ppa.launchpad.net/%s/%s/ubuntu %s main", owner, name, codename)
}

func ppaParts(ppa string) (owner, name string) {
	owner, name, found := strings.Cut(ppa, "/")
	if !found {
		name = "ppa"
	}
	return owner, name
}

const ppaKeyServer = "hkps://keyserver.ubuntu.com"

// addPPAKey has apt trust the key that Launchpad says a PPA is signed with.
func addPPAKey(ctx context.Context, c *Call, ppa string, verify bool) error {
	owner, name := ppaParts(ppa)
	data, err := httpGetAll(ctx, fmt.Sprintf("https://launchpad.net/api/1.0/~%s/+archive/%s", owner, name), verify)
	if err != nil {
		return fmt.Errorf("failed to fetch PPA information, error was: %w", err)
	}
	var info struct {
		Fingerprint string `json:"signing_key_fingerprint"`
	}
	if err := json.Unmarshal(data, &info); err != nil || info.Fingerprint == "" {
		return fmt.Errorf("failed to fetch PPA information, error was: Launchpad names no key for ppa:%s", ppa)
	}
	_, err = aptKey(ctx, c, aptKeyArgs{ID: info.Fingerprint, KeyServer: ppaKeyServer, State: "present", ValidateCerts: verify})
	return err
}
