package runner_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gplay/inventory"
	"gplay/playbook/callback"
	"gplay/playbook/runner"
)

func ExamplePlay() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	site := filepath.Join(dir, "site.yml")
	if err := os.WriteFile(site, []byte("- hosts: localhost\n  gather_facts: no\n  tasks: [{debug: {msg: hello}}]\n"), 0o600); err != nil {
		panic(err)
	}
	inv, err := inventory.Load([]string{"localhost,"}, inventory.Options{})
	if err != nil {
		panic(err)
	}
	show, err := callback.New("oneline", callback.Options{Out: os.Stdout, Err: os.Stderr})
	if err != nil {
		panic(err)
	}
	code, err := runner.Play(context.Background(), site, runner.Options{Inventory: inv, Callback: show})
	fmt.Println(code, err)
	// Output:
	// localhost | SUCCESS => {    "changed": false,    "msg": "hello"}
	// 0 <nil>
}
