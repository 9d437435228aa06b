// Command gplay runs Ansible playbooks.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gplay/connection/agent"
	"gplay/internal/source"
	"gplay/internal/vault"
	"gplay/playbook"
	"gplay/playbook/runner"
	"gplay/playbook/vars"
)

// coreVersion is the ansible-core whose playbook language this is.
const coreVersion = "2.18.0"

func main() {
	if agent.Asked(os.Args[1:]) {
		os.Exit(agent.Main(os.Args[2:], agent.Modules))
	}
	os.Exit(gplay(os.Args[1:]))
}

func gplay(args []string) int {
	ctx, stop := interruptible()
	defer stop()
	code := runner.ExitOK
	root := command(filepath.Base(os.Args[0]), &code)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if errors.Is(err, context.Canceled) { // which was said
		return runner.ExitInterrupted
	}
	if err != nil {
		fmt.Fprint(os.Stderr, "ERROR! "+known(err)+source.Describe(err))
	}
	if err != nil && code == runner.ExitOK {
		return exitCode(err)
	}
	return code
}

// known is what Ansible calls an error, above what gplay says of it.
func known(err error) string {
	if words := source.Known(err); words != "" {
		return words + "\n\n"
	}
	return ""
}

// usage is an error of the command line.
type usage struct{ error }

// badValue is an error of an option's value.
type badValue struct{ error }

// exitCode is ansible-playbook's: 2 for the command line, 5 for a value there, 4 for what is wrong
// in a source file, 250 for a cache of facts that is not there, 1 for what is
// missing and all else.
func exitCode(err error) int {
	var use usage
	var value badValue
	var placed *source.Error
	var undefined *vars.Undefined
	var cache cacheFault
	var prompt *runner.PromptError
	switch {
	case errors.As(err, &placed) && errors.As(placed.Err, &undefined): // in the name of what is imported
		return runner.ExitError
	case errors.As(err, &prompt):
		return runner.ExitError
	case errors.As(err, &use):
		return 2
	case errors.As(err, &value):
		return 5
	case errors.As(err, &cache):
		return 250
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, playbook.ErrRoleCircle), errors.Is(err, playbook.ErrOther), vault.IsLocked(err):
		return runner.ExitError
	case errors.As(err, &placed):
		return 4
	}
	return runner.ExitError
}

// interruptible is a context that the first Ctrl-C ends; the second one ends
// the program.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		fmt.Fprintln(os.Stderr, " [ERROR]: User interrupted execution")
		cancel()
		close(interrupted)
		if _, ok := <-signals; ok {
			os.Exit(runner.ExitInterrupted)
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}

// command is what the program does under a name: that of one of Ansible's
// commands, or its own.
func command(name string, code *int) *cobra.Command {
	var cmd *cobra.Command
	version := coreVersion
	switch {
	case name == "ansible":
		cmd = adhocCommand(code)
	case strings.HasPrefix(name, "ansible-") && name != "ansible-playbook":
		cmd, version = unknownCommand(name), ""
	default:
		cmd = playbookCommand(code)
	}
	cmd.Version, cmd.SilenceUsage, cmd.SilenceErrors = version, true, true
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage{plainWords(cmd, err)} })
	cmd.SetVersionTemplate(versionText() + "\n")
	cmd.CompletionOptions.DisableDefaultCmd = true
	return cmd
}

// plainWords is what is wrong with an option, err being the library's word for
// it: its name, that it has no value, or that the value does not fit.
func plainWords(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Errorf("there is no option -%s", unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		msg := "there is no option --" + unknown.GetSpecifiedName()
		if near := source.Nearest(unknown.GetSpecifiedName(), optionNames(cmd)); near != "" {
			msg += fmt.Sprintf(", did you mean --%s?", near)
		}
		return errors.New(msg)
	case errors.As(err, &bare):
		return fmt.Errorf("--%s needs a value", bare.GetFlag().Name)
	case errors.As(err, &bad) && bad.GetFlag().Value.Type() == "int":
		return fmt.Errorf("--%s is %q: it must be a whole number", bad.GetFlag().Name, bad.GetValue())
	case errors.As(err, &bad) && bad.GetFlag().Value.Type() == "bool":
		return fmt.Errorf("--%s takes no value", bad.GetFlag().Name)
	}
	return err
}

func optionNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

func versionText() string { return filepath.Base(os.Args[0]) + " [core " + coreVersion + "]" }

// unknownCommand refuses to be one of Ansible's commands that gplay does not
// have.
func unknownCommand(name string) *cobra.Command {
	return &cobra.Command{Use: name, DisableFlagParsing: true, RunE: func(*cobra.Command, []string) error {
		return usage{fmt.Errorf("gplay does not do what %s does", name)}
	}}
}

func playbookCommand(code *int) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "gplay PLAYBOOK...",
		Short: "Run Ansible playbooks: one program, no Python anywhere",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage{errors.New("gplay needs a playbook: gplay site.yml -i hosts (gplay --help tells more)")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			*code, err = o.run(cmd.Context(), args)
			return err
		},
	}
	o.define(cmd.Flags())
	cmd.AddCommand(docCommand())
	return cmd
}
