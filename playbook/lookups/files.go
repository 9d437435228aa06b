package lookups

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gplay/internal/vault"
	"gplay/jinja"
	"gplay/playbook/filters"
)

// find gives the path of a file that is looked for in the subdirectory of
// each directory and in the directory itself; ok is false when it is nowhere.
func (c *Context) find(name, subdir string) (path string, ok bool) {
	for _, candidate := range c.candidates(name, subdir) {
		if _, err := os.Stat(candidate); err == nil {
			return candidate, true
		}
	}
	return "", false
}

func (c *Context) candidates(name, subdir string) []string {
	if name == "~" || strings.HasPrefix(name, "~/") {
		if home, err := os.UserHomeDir(); err == nil {
			name = filepath.Join(home, name[1:])
		}
	}
	if filepath.IsAbs(name) {
		return []string{filepath.Clean(name)}
	}
	var all []string
	for _, dir := range c.Dirs {
		if first, _, _ := strings.Cut(name, "/"); first != subdir {
			all = append(all, join(filepath.Join(dir, subdir), name))
		}
		all = append(all, join(dir, name))
	}
	return all
}

// join puts a path before a name as they are written, as Ansible's results have
// them.
func join(path, name string) string {
	switch {
	case filepath.IsAbs(name) || path == "":
		return name
	case strings.HasSuffix(path, "/"):
		return path + name
	}
	return path + "/" + name
}

// baseDir is the playbook's directory, where commands run and passwords lie.
func (c *Context) baseDir() string {
	if len(c.Dirs) == 0 {
		return "."
	}
	return c.Dirs[len(c.Dirs)-1]
}

func (c *Context) read(name, subdir string) (text, path string, err error) {
	path, ok := c.find(name, subdir)
	if !ok || name == "" && subdir == "files" {
		fault := "could not locate file in lookup: " + name
		if subdir == "templates" {
			fault = fmt.Sprintf("the template file %s could not be found for the lookup", name)
		}
		return "", "", fmt.Errorf("%s (looked for %s)", fault, strings.Join(c.candidates(name, subdir), ", "))
	}
	data, err := c.Vault.ReadFile(path)
	if errors.Is(err, vault.ErrNoPassword) { // which Ansible says without the file
		err = vault.ErrNoPassword
	}
	return string(data), path, err
}

// noFile is the fault of a term that names no file.
func noFile(term any) error {
	if !jinja.Truth(term) {
		return fmt.Errorf("could not locate file in lookup: %s", jinja.Str(term))
	}
	return lacks("startswith")(term)
}

func file(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	o := read(c, options, "lstrip", "rstrip")
	lstrip, rstrip := o.truth("lstrip", false), o.truth("rstrip", true)
	if o.err != nil {
		return nil, o.err
	}
	return each(terms, noFile, func(name string) ([]any, error) {
		text, _, err := c.read(name, "files")
		if lstrip {
			text = strings.TrimLeftFunc(text, isSpace)
		}
		if rstrip {
			text = strings.TrimRightFunc(text, isSpace)
		}
		return []any{text}, err
	})
}

func template(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	o := read(c, options, "convert_data", "template_vars", "jinja2_native",
		"variable_start_string", "variable_end_string", "comment_start_string", "comment_end_string")
	delimiters := jinja.Options{
		VariableStart: o.text("variable_start_string", ""), VariableEnd: o.text("variable_end_string", ""),
		CommentStart: o.text("comment_start_string", ""), CommentEnd: o.text("comment_end_string", ""),
		TrimBlocks: true,
	}
	convert := o.truth("convert_data", true)
	native := o.truth("jinja2_native", false)
	extra := o.dict("template", "template_vars")
	if o.err != nil {
		return nil, o.err
	}
	return each(terms, lacks("startswith"), func(name string) ([]any, error) {
		text, path, err := c.read(name, "templates")
		if err != nil {
			return nil, err
		}
		v := any(text)
		if hasMarks(text, delimiters) {
			v, err = c.Render(name, path, text, extra, delimiters)
			if s, ok := v.(string); ok && convert {
				v = converted(s)
			}
		}
		if !convert || c.Native && !native {
			v = jinja.Text{Value: jinja.Str(v), Class: filters.UnsafeNativeText}
		}
		return []any{v}, err
	})
}

// hasMarks reports whether text may be a template; what is none stays text.
func hasMarks(text string, o jinja.Options) bool {
	return strings.Contains(text, "{%") || strings.Contains(text, cmp.Or(o.VariableStart, "{{")) || strings.Contains(text, cmp.Or(o.CommentStart, "{#"))
}

// unvault gives the text of a file, decrypted where it is encrypted.
func unvault(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	read(c, options)
	return each(terms, lacks("startswith"), func(name string) ([]any, error) {
		text, _, err := c.read(name, "files")
		return []any{text}, err
	})
}

func fileGlob(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	read(c, options)
	return each(terms, noPath, func(pattern string) ([]any, error) {
		for _, candidate := range c.globs(pattern) {
			if files := filters.GlobFiles(candidate); len(files) > 0 {
				return asValues(files), nil
			}
		}
		return nil, nil
	})
}

// globs are the patterns that one stands for: below the directory that it
// names, which is no pattern itself, else below each that is searched.
func (c *Context) globs(pattern string) []string {
	slash := strings.LastIndexByte(pattern, '/')
	if slash < 0 {
		return c.candidates(pattern, "files")
	}
	dir, ok := c.find(cmp.Or(pattern[:slash], "/"), "files")
	if !ok {
		return nil
	}
	return []string{strings.TrimSuffix(dir, "/") + pattern[slash:]}
}

func firstFound(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	// files= and paths= may be given by name as well as in a term.
	if len(terms) == 0 && options.Len() > 0 {
		terms = []any{options}
	}
	search, skip, err := searchList(c, terms, options)
	if err != nil {
		return nil, err
	}
	for _, name := range search {
		if path, ok := c.find(name, cmp.Or(c.Subdir, "files")); ok {
			return []any{path}, nil
		}
	}
	if skip {
		return nil, nil
	}
	return nil, fmt.Errorf("No file was found when using first_found. (looked for %s)", strings.Join(search, ", "))
}

// searchList gives the files that the terms of first_found name, in order.
func searchList(c *Context, terms []any, options *jinja.Dict) (search []string, skip bool, err error) {
	for _, term := range terms {
		given := options
		switch term := term.(type) {
		case *jinja.Dict:
			given = term
		case *jinja.List:
			more, skips, err := searchList(c, term.Items, options)
			if err != nil {
				return nil, false, err
			}
			search, skip = append(search, more...), skips
			continue
		case string:
		case *jinja.Undefined:
			return nil, false, jinja.UndefinedError(term)
		default:
			return nil, false, fmt.Errorf("Invalid term supplied, can handle string, mapping or list of strings but got: <class '%s'> for %s", jinja.TypeName(term), jinja.Repr(term))
		}
		o := read(c, given, "files", "paths", "skip")
		files, paths := o.names("files", ",;"), o.names("paths", ",:;")
		skip = o.truth("skip", false)
		if o.err != nil {
			return nil, false, o.err
		}
		switch {
		case len(paths) > 0:
			for _, path := range paths {
				for _, name := range files {
					search = append(search, join(path, name))
				}
			}
		case len(files) > 0:
			search = files
		default:
			search = append(search, jinja.Str(term))
		}
	}
	return search, skip, nil
}

// names are the texts of an option of first_found.
func (s *settings) names(name, separators string) []string {
	v := s.value(name, nil)
	switch v.(type) {
	case nil, string, *jinja.List, *jinja.Undefined:
	default:
		s.wrongType("first_found", name, "list", v)
	}
	return s.splitOn(v, separators)
}

// splitOn takes a text, or the texts of a list, apart at the separators.
func (s *settings) splitOn(v any, separators string) []string {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
		return strings.Split(strings.Map(func(r rune) rune {
			if strings.ContainsRune(separators, r) {
				return ','
			}
			return r
		}, v), ",")
	case *jinja.List:
		var all []string
		for _, item := range v.Items {
			if item == "" { // as a path it is that of the search itself
				all = append(all, "")
			}
			all = append(all, s.splitOn(item, separators)...)
		}
		return all
	case *jinja.Undefined:
		s.err = jinja.UndefinedError(v)
	}
	return nil
}
