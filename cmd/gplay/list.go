package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/runner"
)

// list prints what the playbooks would run, as ansible-playbook does.
func (o *options) list(ctx context.Context, books []*playbook.Playbook, r *runner.Runner) error {
	out := bufio.NewWriter(os.Stdout)
	for i, pb := range books {
		plays, err := r.List(ctx, pb)
		if err != nil {
			out.Flush() // the error is what counts
			return err
		}
		fmt.Fprintf(out, "\nplaybook: %s\n", o.book(i, pb))
		for n, l := range plays {
			o.listPlay(out, n+1, l)
		}
	}
	return out.Flush()
}

// checkSyntax finds what only templates can tell, and names the playbooks.
func (o *options) checkSyntax(ctx context.Context, books []*playbook.Playbook, r *runner.Runner) error {
	for _, pb := range books {
		if err := r.CheckHosts(ctx, pb); err != nil {
			return err
		}
	}
	for i, pb := range books {
		fmt.Printf("\nplaybook: %s\n", o.book(i, pb))
	}
	return nil
}

// book is a playbook's name as it was given; the file of one that was named
// with its collection.
func (o *options) book(i int, pb *playbook.Playbook) string {
	if _, err := os.Stat(o.books[i]); err != nil {
		return pb.File
	}
	return o.books[i]
}

func (o *options) listPlay(w io.Writer, n int, l runner.Listing) {
	fmt.Fprintf(w, "\n  play #%d (%s): %s\tTAGS: [%s]\n", n, l.Pattern, l.Name, strings.Join(l.Tags, ","))
	if o.listHosts {
		fmt.Fprintf(w, "    pattern: %s\n    hosts (%d):\n", jinja.Repr(l.Patterns), len(l.Hosts))
		for _, h := range l.Hosts {
			fmt.Fprintf(w, "      %s\n", h)
		}
	}
	if o.listTasks {
		fmt.Fprintln(w, "    tasks:")
		for _, t := range l.Tasks {
			fmt.Fprintf(w, "      %s\tTAGS: [%s]\n", t.Name, strings.Join(t.Tags, ", "))
		}
	}
	if o.listTags {
		fmt.Fprintf(w, "      TASK TAGS: [%s]\n", strings.Join(l.TaskTags, ", "))
	}
}
