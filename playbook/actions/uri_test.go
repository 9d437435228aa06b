package actions

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gplay/jinja"
)

// TestURIOffersFiles: a form's fields that name a file of the controller send
// that; those with a content of their own do not.
func TestURIOffersFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f.txt"), []byte("file"), 0o600); err != nil {
		t.Fatal(err)
	}
	form := func(filename string) *jinja.Dict {
		return jinja.NewDict(
			"text", "t",
			"sent", jinja.NewDict("filename", filename),
			"inline", jinja.NewDict("filename", "none.txt", "content", "c"),
		)
	}
	for name, test := range map[string]struct {
		args  *jinja.Dict
		want  []string
		fails bool
	}{
		"form":      {args: jinja.NewDict("body_format", "form-multipart", "body", form("f.txt")), want: []string{"body/sent"}},
		"missing":   {args: jinja.NewDict("body_format", "form-multipart", "body", form("nosuch")), fails: true},
		"of a host": {args: jinja.NewDict("body_format", "form-multipart", "body", form("nosuch"), "remote_src", true)},
		"json":      {args: jinja.NewDict("body_format", "json", "body", form("f.txt"))},
		"source":    {args: jinja.NewDict("src", "f.txt"), want: []string{"src"}},
	} {
		t.Run(name, func(t *testing.T) {
			var offered []string
			c := &Call{Args: test.args, Dirs: []string{dir}, Module: func(_ context.Context, _ string, _ *jinja.Dict, files map[string]File) (*jinja.Dict, error) {
				offered = slices.Sorted(maps.Keys(files))
				return jinja.NewDict(), nil
			}}
			if _, err := uri.Run(context.Background(), c); (err != nil) != test.fails {
				t.Errorf("the error is %v", err)
			}
			if !slices.Equal(offered, test.want) {
				t.Errorf("%q are offered, want %q", offered, test.want)
			}
		})
	}
}
