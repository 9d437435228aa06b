package runner

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"

	"gplay/playbook"
)

// ansibleModules are the short names that ansible-core 2.14 knows, a line for
// each collection that has them today.
//
//go:embed ansible_modules.txt
var ansibleModules string

// collectionOf maps the short names of ansibleModules to their collections.
var collectionOf = sync.OnceValue(func() map[string]string {
	of := map[string]string{}
	for line := range strings.Lines(ansibleModules) {
		collection, names, _ := strings.Cut(line, ":")
		for name := range strings.FieldsSeq(names) {
			of[name] = collection
		}
	}
	return of
})

var qualified = regexp.MustCompile(`^[a-z_]\w*\.[a-z_]\w*(\.[a-z_]\w*)+$`)

// Elsewhere tells whether a name that Known does not know may be a module of
// Ansible's, and of which collection. What collections hold nobody can say
// without having them, so every name that has one in front may be.
func Elsewhere(name string) (collection string, ok bool) {
	short := playbook.Builtin(name)
	if collection, ok = collectionOf()[short]; ok {
		return collection, true
	}
	if short != name || !qualified.MatchString(name) {
		return "", false
	}
	return name[:strings.LastIndexByte(name, '.')], true
}
