package runner

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"gplay/internal/source"
	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/lookups"
	"gplay/playbook/vars"
)

// Play runs one playbook file: all that another Go program needs. The error
// is what kept it from running; the exit code says how the hosts fared.
func Play(ctx context.Context, file string, o Options) (code int, err error) {
	r := New(o)
	defer r.Close()
	if err := r.CheckLimit(); err != nil {
		return ExitError, err
	}
	pb, err := r.Load(ctx, file)
	if err != nil {
		return ExitError, err
	}
	return r.Run(ctx, pb)
}

// Load reads and checks a playbook: every file, keyword, module and argument
// that can be known before anything runs.
func (r *Runner) Load(ctx context.Context, file string) (*playbook.Playbook, error) {
	o := r.loadOptions(ctx)
	if err := exists(file, o); err != nil {
		return nil, err
	}
	if found := playbook.Find(file, o); found != "" {
		file = found
	}
	pb, err := playbook.Load(file, o)
	return r.checked(pb, err)
}

// Exists tells whether there is a playbook of that name, before any runs.
func (r *Runner) Exists(file string) error { return exists(file, r.loadOptions(context.Background())) }

func exists(file string, o playbook.Options) error {
	if playbook.Find(file, o) != "" {
		return nil
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return &source.Error{Msg: fmt.Sprintf("the playbook: %s could not be found", file), Err: fs.ErrNotExist}
	case !info.Mode().IsRegular() && info.Mode()&fs.ModeNamedPipe == 0:
		return &source.Error{Msg: fmt.Sprintf("the playbook: %s does not appear to be a file", file), Err: fs.ErrNotExist}
	}
	return nil
}

// LoadText is Load of text that stands in no file: name is what errors call
// it, and where other files are looked for from.
func (r *Runner) LoadText(ctx context.Context, name string, text []byte) (*playbook.Playbook, error) {
	pb, err := playbook.LoadText(name, text, r.loadOptions(ctx))
	return r.checked(pb, err)
}

// known is Known without the modules that are rejected.
func (r *Runner) known(name string) (canonical string, ok bool) {
	canonical, ok = Known(name)
	if slices.Contains(r.Rejected, canonical) {
		return name, false
	}
	return canonical, ok
}

// elsewhere is Elsewhere without what gplay has itself: that is rejected.
func (r *Runner) elsewhere(name string) (collection string, ok bool) {
	if _, has := Known(name); has {
		return "", false
	}
	return Elsewhere(name)
}

func (r *Runner) loadOptions(ctx context.Context) playbook.Options {
	return playbook.Options{
		RolesPath: r.RolesPath, CollectionsPath: r.CollectionsPath, Library: r.Library, ExtraVars: r.ExtraVars, DuplicateKeys: r.DuplicateKeys, MergeDicts: r.Templar.MergeDicts, Action: r.known, Elsewhere: r.elsewhere, Keywords: r.Keywords, Actions: Names(), Lookups: lookups.Names(),
		Template: func(v *jinja.Dict, value any) (any, error) {
			groups := func() any { return r.Inventory.GroupsDict() }
			magic := vars.Lazy{"groups": groups, "omit": func() any { return vars.Omit }}
			return r.Templar.NewScope(ctx, magic, r.RunVars, r.ExtraVars, v).Template(value)
		},
		Vault: r.Templar.Vault, Warn: r.Callback.Warning, Deprecated: r.Callback.Deprecated,
		Imported: func(file string) { r.tell(func(c Callback) { c.Verbose(2, "statically imported: "+file) }) },
	}
}

func (r *Runner) checked(pb *playbook.Playbook, err error) (*playbook.Playbook, error) {
	if err != nil {
		return nil, err
	}
	deprecate(pb, r.Callback.Deprecated)
	if r.ListOnly {
		r.foretell(pb)
		return pb, nil
	}
	if err := Check(pb); err != nil {
		return pb, err
	}
	return pb, available(pb)
}
