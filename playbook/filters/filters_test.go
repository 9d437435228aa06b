package filters

import (
	"context"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"gplay/internal/yaml"
	"gplay/jinja"
)

func environment() *jinja.Environment {
	return &jinja.Environment{Filters: Filters(), Tests: Tests(), Lenient: Lenient}
}

func variables(t *testing.T) jinja.Vars {
	t.Helper()
	data, err := os.ReadFile("testdata/vars.yml")
	if err != nil {
		t.Fatal(err)
	}
	v, err := yaml.Load("vars.yml", data, yaml.Options{Data: true})
	if err != nil {
		t.Fatal(err)
	}
	vars := jinja.Vars{}
	for k, item := range v.(*jinja.Dict).All() {
		vars[k.(string)] = item
	}
	return vars
}

func evaluate(env *jinja.Environment, scope jinja.Scope, text string) string {
	expr, err := env.CompileExpr(text)
	if err != nil {
		return "ERROR " + err.Error()
	}
	v, err := expr.Eval(context.Background(), scope)
	if err != nil {
		return "ERROR " + err.Error()
	}
	return jinja.Str(v)
}

func TestMistakesAreExplained(t *testing.T) {
	env, scope := environment(), variables(t)
	for _, c := range []struct{ expr, want string }{
		{"missing|to_json", "'missing' is undefined"},
		{"missing|mandatory", "Mandatory variable 'missing'  not defined."},
		{"missing|mandatory(msg='give it')", "give it"},
		{"d|combine(5)", "failed to combine variables, expected dicts but got a 'dict' and a 'int': \n"},
		{"d|combine(e, deep=true)", "'recursive' and 'list_merge' are the only valid keyword arguments"},
		{"['/a', 'b']|commonpath", "Can't mix absolute and relative paths"},
		{"[]|commonpath", "commonpath() arg is an empty sequence"},
		{"'/a'|commonpath", "|commonpath expects sequence, got <class 'str'> instead."},
		{"5 is timedout", "The 'timedout' test expects a dictionary"},
		{"5|dict2items", "dict2items requires a dictionary, got <class 'int'> instead."},
		{"'a'|items2dict", "items2dict requires a list, got <class 'str'> instead."},
		{"users|subelements('nosuch')", "could not find 'nosuch' key in iterated item"},
		{"[{'id':1},{'id':1}]|rekey_on_member('id')", "Key 1 is not unique, cannot correctly turn into dict"},
		{"'x'|hash('md55')", "unsupported hash type md55"},
		{"'x'|password_hash('rot13')", "crypt.crypt does not support 'rot13' algorithm"},
		{"'x'|password_hash('sha512', 'no spaces')", "invalid characters in salt"},
		{"'('|regex_replace('(')", "regular expression"},
		{"'x'|regex_search('x', 'y')", "Unknown argument"},
		{"'{'|from_json", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
		{"'x'|to_datetime", "time data 'x' does not match format '%Y-%m-%d %H:%M:%S'"},
		{"'x'|strftime('noon')", "Invalid value for epoch value (noon)"},
		{"'10 apples'|human_to_bytes", "human_to_bytes() can't interpret following string: 10 apples"},
		{"-1|log", "math domain error"},
		{"'x'|pow(2)", "pow() can only be used on numbers"},
		{"0|random", "empty range for randrange()"},
		{"[]|random", "Cannot choose from an empty sequence"},
		{"range(100)|permutations|length", "the result has more than"},
		{"'http://x:port/'|urlsplit", "Port could not be cast to integer value as 'port'"},
		{"'a' is version('', '>')", "Version parameter to compare against cannot be empty"},
		{"'1.a' is version('1.1', '>')", "Version comparison failed: '<' not supported between instances of 'str' and 'int'"},
		{"'1' is version('2', 'about')", "Invalid operator type (about)"},
		{"'1' is version('2', strict=true)", "invalid version number '1'"},
		{"5 is changed", "The 'changed' test expects a dictionary"},
		{"users|json_query('[')", "JMESPathError in json_query filter plugin"},
		{"'10.0.0.1'|ipaddr('nosuch')", "unknown filter type: nosuch"},
	} {
		if got := evaluate(env, scope, c.expr); !strings.HasPrefix(got, "ERROR ") || !strings.Contains(got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.expr, got, c.want)
		}
	}
}

func TestWhatAnsibleHereCannotTell(t *testing.T) {
	env, scope := environment(), variables(t)
	scope["keyed"] = jinja.NewList(
		jinja.NewDict("k0_x0", "A0", "k1_x1", "B0", "k2_x2", jinja.NewList("C0")),
		jinja.NewDict("k0_x0", "A1", "k1_x1", "B1", "other", 5),
	)
	for _, c := range []struct{ expr, want string }{
		// Tests as filters, until Ansible 2.8.
		{"result_ok|changed", "True"},
		{"result_ok|success", "True"},
		{"result_failed|failed", "True"},
		{"result_skipped|skipped", "True"},
		{"'14.04'|version_compare('12.04', '>=')", "True"},
		{"'foobar'|search('bar')", "True"},
		{"'foobar'|match('bar')", "False"},
		// What came after 2.14, by Python's os.path and the documentation.
		{"['/a/b/c', '/a/b/d']|commonpath", "/a/b"},
		{"['/a/b', '/ab']|commonpath", "/"},
		{"['a/./b', 'a/b/c/']|commonpath", "a/b"},
		{"['/a']|commonpath", "/a"},
		{"['a', 'b']|commonpath", ""},
		{"'/a/../b//c/.'|normpath", "/b/c"},
		{"''|normpath", "."},
		{"'//a/b'|normpath", "//a/b"},
		{"'///a'|normpath", "/a"},
		{"'../a/..'|normpath", ".."},
		{"{'timedout': {'period': 5}} is timedout", "True"},
		{"{'timedout': false} is timedout", "False"},
		{"{} is timedout", "False"},
		// JMESPath's own specification.
		{"users|json_query('[*].name')", "['alice', 'bob', 'Carol']"},
		{"users|json_query('[?uid > `5`].uid')", "[10, 33]"},
		{"users|community.general.json_query('[?name==`bob`] | [0].groups')", "[]"},
		{"d|json_query('nosuch')", "None"},
		// Filters that are newer than it: what their documentation says.
		{"keyed|community.general.keep_keys(target=['k0_x0', 'k1_x1'])", "[{'k0_x0': 'A0', 'k1_x1': 'B0'}, {'k0_x0': 'A1', 'k1_x1': 'B1'}]"},
		{"keyed|community.general.keep_keys('other')", "[{}, {'other': 5}]"},
		{"keyed|community.general.keep_keys(target=['k0', 'k2'], matching_parameter='starts_with')", "[{'k0_x0': 'A0', 'k2_x2': ['C0']}, {'k0_x0': 'A1'}]"},
		{"keyed|community.general.remove_keys(target='_x[01]', matching_parameter='regex')", "[{'k0_x0': 'A0', 'k1_x1': 'B0', 'k2_x2': ['C0']}, {'k0_x0': 'A1', 'k1_x1': 'B1', 'other': 5}]"},
		{"keyed|community.general.remove_keys(target='^k[01]_x[01]', matching_parameter='regex')", "[{'k2_x2': ['C0']}, {'other': 5}]"},
		{"keyed|community.general.remove_keys(target=['x1', 'x2'], matching_parameter='ends_with')", "[{'k0_x0': 'A0'}, {'k0_x0': 'A1', 'other': 5}]"},
		{"keyed|community.general.keep_keys(target=['a', 'b'], matching_parameter='regex')", "ERROR target has to be one regular expression, not 2"},
		{"keyed|community.general.keep_keys(target=['a'], matching_parameter='equality')", `ERROR matching_parameter is equal, starts_with, ends_with or regex, not "equality"`},
		{"keyed|community.general.keep_keys", "ERROR target has to be a string or a list of them"},
		{"5|community.general.keep_keys('a')", "ERROR a list of dicts is expected, not int"},
		{"[{1: 2}]|community.general.keep_keys('a')", "ERROR the keys have to be text, not 1"},
		{"keyed|community.general.replace_keys(target=[{'before': 'k0_x0', 'after': 'a'}, {'before': 'other', 'after': 'b'}])", "[{'a': 'A0', 'k1_x1': 'B0', 'k2_x2': ['C0']}, {'a': 'A1', 'k1_x1': 'B1', 'b': 5}]"},
		{"keyed|community.general.replace_keys(target=[{'before': 'k', 'after': 'x'}], matching_parameter='starts_with')", "[{'x': ['C0']}, {'x': 'B1', 'other': 5}]"},
		{"keyed|community.general.replace_keys(target=[{'before': 'k'}])", "ERROR target has to be a list of dicts with before and after"},
		{"[1, 2]|community.general.lists_union([2, 3], [4, 4])", "[1, 2, 3, 4]"},
		{"[3, 1, 2, 2]|community.general.lists_intersect([2, 3])", "[3, 2]"},
		{"[1, 2, 3]|community.general.lists_difference([2], [3])", "[1]"},
		{"[1, 2]|community.general.lists_symmetric_difference([2, 3])", "[1, 3]"},
		{"[[1, 2], [2, 3]]|community.general.lists_union(flatten=true)", "[1, 2, 3]"},
		{"[1]|community.general.lists_union(5)", "ERROR the lists must be lists, not int"},
	} {
		if got := evaluate(env, scope, c.expr); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.expr, got, c.want)
		}
	}
}

func TestBcryptIsAcceptedByAnother(t *testing.T) {
	env, scope := environment(), variables(t)
	for _, expr := range []string{
		"'secret'|password_hash('bcrypt', 'abcdefghijklmnopqrstuu', rounds=4)", "'secret'|password_hash('blowfish', rounds=5)",
	} {
		hash := evaluate(env, scope, expr)
		if err := bcrypt.CompareHashAndPassword([]byte(hash), []byte("secret")); err != nil {
			t.Errorf("%s gives %s: %v", expr, hash, err)
		}
	}
}
