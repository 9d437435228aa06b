package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gplay/internal/source"
	"gplay/modules"
	"gplay/playbook/actions"
	"gplay/playbook/runner"
)

func docCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doc [MODULE]",
		Short: "Say what a module or action does and which arguments it takes",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := index()
			if len(args) == 1 {
				var err error
				if text, err = describe(args[0]); err != nil {
					return err
				}
			}
			_, err := io.WriteString(cmd.OutOrStdout(), text)
			return err
		},
	}
}

// index lists all modules and actions, a line each.
func index() string {
	docs := map[string]string{}
	for _, m := range modules.All {
		docs[m.Name] = m.Doc
	}
	for _, a := range actions.All {
		if !a.Module {
			docs[a.Name] = a.Doc
		}
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		fmt.Fprintf(&b, "%-24s %s\n", name, docs[name])
	}
	return b.String()
}

func describe(name string) (string, error) {
	canonical, known := runner.Known(name)
	if a := actions.Find(canonical); a != nil && !a.Module {
		return fmt.Sprintf("%s: %s\n\n  arguments: %s\n", a.Name, a.Doc, strings.Join(a.Params, ", ")), nil
	}
	if m := modules.Find(canonical); m != nil {
		return document(m), nil
	}
	if known {
		return fmt.Sprintf("%s is a part of the language of playbooks\n", canonical), nil
	}
	return "", &source.Error{Msg: fmt.Sprintf("there is no module %q", name), Hint: source.DidYouMean(name, runner.Names())}
}

func document(m *modules.Module) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", m.Name, m.Doc)
	if len(m.Aliases) > 0 {
		fmt.Fprintf(&b, "also: %s\n", strings.Join(m.Aliases, ", "))
	}
	writeParams(&b, m.Params(), "  ")
	return b.String()
}

// writeParams lists arguments by name, and their suboptions below them.
func writeParams(b *strings.Builder, params []modules.Param, indent string) {
	params = slices.Clone(params)
	slices.SortFunc(params, func(a, b modules.Param) int { return strings.Compare(a.Name, b.Name) })
	for _, p := range params {
		fmt.Fprintf(b, "\n%s%s (%s", indent, p.Name, p.Type)
		if p.Elements != "" {
			fmt.Fprintf(b, " of %s", p.Elements)
		}
		b.WriteString(")")
		if p.Required {
			b.WriteString(", required")
		}
		if p.Default != nil && fmt.Sprint(p.Default) != "" {
			fmt.Fprintf(b, ", default %v", p.Default)
		}
		if len(p.Choices) > 0 {
			fmt.Fprintf(b, ", one of %s", strings.Join(p.Choices, ", "))
		}
		if len(p.Aliases) > 0 {
			fmt.Fprintf(b, ", also %s", strings.Join(p.Aliases, ", "))
		}
		fmt.Fprintf(b, "\n%s    %s\n", indent, p.Doc)
		writeParams(b, p.Options, indent+"    ")
	}
}
