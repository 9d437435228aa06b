package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"gplay/jinja"
	"gplay/playbook"
	"gplay/playbook/runner"
)

// list prints what the playbooks would run, as ansible-playbook does.
func (o *options) list(ctx context.Context, books []*playbook.Playbook, r *runner.Runner) error {
	for i, pb := range books {
		plays, err := r.List(ctx, pb)
		if err != nil {
			return err
		}
		r.Callback.Verbose(0, "\nplaybook: "+o.book(i, pb))
		for n, l := range plays {
			r.Callback.Verbose(0, o.listedPlay(n+1, l))
			if o.listTasks || o.listTags {
				r.Callback.Verbose(0, o.listedTasks(l))
			}
		}
	}
	return nil
}

// checkSyntax finds what only templates can tell, and names the playbooks.
func (o *options) checkSyntax(ctx context.Context, books []*playbook.Playbook, r *runner.Runner) error {
	for _, pb := range books {
		if err := r.CheckHosts(ctx, pb); err != nil {
			return err
		}
	}
	for i, pb := range books {
		r.Callback.Verbose(0, "\nplaybook: "+o.book(i, pb))
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

func (o *options) listedPlay(n int, l runner.Listing) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n  play #%d (%s): %s\tTAGS: [%s]", n, l.Pattern, l.Name, strings.Join(l.Tags, ","))
	if o.listHosts {
		fmt.Fprintf(&b, "\n    pattern: %s\n    hosts (%d):", jinja.Repr(l.Patterns), len(l.Hosts))
		for _, h := range l.Hosts {
			b.WriteString("\n      " + h)
		}
	}
	return b.String()
}

func (o *options) listedTasks(l runner.Listing) string {
	var b strings.Builder
	if o.listTasks {
		b.WriteString("    tasks:\n")
		for _, t := range l.Tasks {
			fmt.Fprintf(&b, "      %s\tTAGS: [%s]\n", t.Name, strings.Join(t.Tags, ", "))
		}
	}
	if o.listTags {
		fmt.Fprintf(&b, "      TASK TAGS: [%s]\n", strings.Join(l.TaskTags, ", "))
	}
	return b.String()
}
