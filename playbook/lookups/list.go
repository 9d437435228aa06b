package lookups

import (
	"maps"
	"slices"
	"strings"
)

// All are the lookups by their short names.
var All = map[string]Lookup{
	"cartesian":           plain(cartesian),
	"config":              config,
	"consul_kv":           consulKV,
	"csvfile":             csvFile,
	"dict":                plain(dict),
	"env":                 env,
	"file":                file,
	"fileglob":            fileGlob,
	"filetree":            fileTree,
	"first_found":         firstFound,
	"flattened":           plain(flattened),
	"indexed_items":       plain(indexedItems),
	"ini":                 iniFile,
	"inventory_hostnames": inventoryHostnames,
	"items":               plain(items),
	"lines":               lines,
	"list":                plain(list),
	"nested":              plain(nested),
	"password":            password,
	"pipe":                pipe,
	"random_choice":       plain(randomChoice),
	"sequence":            sequence,
	"subelements":         plain(subelements),
	"template":            template,
	"together":            plain(together),
	"unvault":             unvault,
	"url":                 url,
	"varnames":            varNames,
	"vars":                vars,
}

// Find gives the lookup of a name, short or with its collection.
func Find(name string) (Lookup, bool) {
	for _, collection := range []string{"ansible.builtin.", "ansible.legacy.", "community.general."} {
		name = strings.TrimPrefix(name, collection)
	}
	l, ok := All[name]
	return l, ok
}

// Names are the short names, sorted.
func Names() []string { return slices.Sorted(maps.Keys(All)) }
