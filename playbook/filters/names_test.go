package filters

import (
	"testing"

	"gplay/internal/oracle"
)

// left are filters and tests of collections that gplay has not, and why.
var left = map[string]string{
	"community.general.hashids_decode":    "needs a library of its own",
	"community.general.hashids_encode":    "needs a library of its own",
	"community.general.jc":                "a parser for each of hundreds of programs",
	"community.general.a_module":          "asks which plugins are installed, and gplay has none",
	"ansible.utils.consolidate":           "of network devices",
	"ansible.utils.param_list_compare":    "of network devices",
	"ansible.utils.validate":              "needs plugins of Python",
	"ansible.netcommon.comp_type5":        "of network devices",
	"ansible.netcommon.hash_salt":         "of network devices",
	"ansible.netcommon.parse_cli":         "of network devices",
	"ansible.netcommon.parse_xml":         "of network devices",
	"ansible.netcommon.type5_pw":          "of network devices",
	"ansible.netcommon.vlan_expander":     "of network devices",
	"ansible.netcommon.vlan_parser":       "of network devices",
	"ansible.netcommon.parse_cli_textfsm": "of network devices",
}

// TestEveryNameIsThere asks Ansible what there is.
func TestEveryNameIsThere(t *testing.T) {
	env := environment()
	for _, collection := range []string{"ansible.builtin", "ansible.utils", "ansible.netcommon", "community.general"} {
		for kind, use := range map[string]string{"filter": "x|", "test": "x is "} {
			if kind == "test" && collection == "ansible.netcommon" {
				continue // it has none
			}
			for _, name := range oracle.Names(t, kind, collection) {
				full := collection + "." + name
				for _, called := range []string{name, full} {
					_, err := env.CompileExpr(use + called)
					switch why := left[full]; {
					case err != nil && why == "":
						t.Errorf("there is no %s %s", kind, called)
					case err == nil && why != "":
						t.Errorf("the %s %s is there, and stands in the list of those that are not", kind, called)
					}
				}
			}
		}
	}
	// What came after core 2.14.
	for _, name := range []string{"commonpath", "normpath", "ansible.builtin.commonpath", "ansible.builtin.normpath"} {
		if _, err := env.CompileExpr("x|" + name); err != nil {
			t.Errorf("there is no filter %s", name)
		}
	}
	for _, name := range []string{"timedout", "ansible.builtin.timedout"} {
		if _, err := env.CompileExpr("x is " + name); err != nil {
			t.Errorf("there is no test %s", name)
		}
	}
}
