package vars

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"gplay/internal/source"
	"gplay/internal/vault"
	"gplay/jinja"
	"gplay/playbook/lookups"
)

// The functions of this file word the faults of templates as Ansible does,
// for results that are registered.

// known gives a fault the words by which it is known.
func known(err error, words string) error {
	if placed, ok := err.(*source.Error); ok {
		placed.Known = words
	}
	return err
}

// uncompiled is the fault of text that cannot be compiled.
func uncompiled(text string, err error) string {
	msg := faultText(err)
	return fmt.Sprintf("template error while templating string: %s. String: %s. %s", msg, text, msg)
}

func faultText(err error) string {
	var none *jinja.NoSuch
	if errors.As(err, &none) {
		return couldNotLoad(none.Name)
	}
	return err.Error()
}

// ConditionError is the fault of a condition that has no value.
type ConditionError struct {
	Condition string
	Err       error
}

func (e *ConditionError) Error() string {
	msg := e.Err.Error()
	var undefined *Undefined
	if errors.As(e.Err, &undefined) {
		msg = fmt.Sprintf("error while evaluating conditional (%s): %s", e.Condition, msg)
	}
	return fmt.Sprintf("The conditional check '%s' failed. The error was: %s", e.Condition, msg)
}

func (e *ConditionError) Unwrap() error { return e.Err }

// failedCheck is the fault of a condition that cannot be compiled, which
// Ansible does as a part of a template, or asks for a name that there is not;
// "" where err is another.
func (s *Scope) failedCheck(condition string, err error) string {
	whole := "{% if " + condition + " %} True {% else %} False {% endif %}"
	msg := knownWords(err)
	if _, err := s.expr(condition); err != nil {
		if _, again := s.templar.env.Compile("", whole); again != nil {
			err = again
		}
		msg = uncompiled(whole, err)
	}
	var placed *source.Error
	switch {
	case msg != "":
	case errors.As(err, &placed): // of a variable
		msg = placed.Known
	case jinja.IsTypeError(err):
		msg = typeErrorIn(whole, err)
	}
	if msg == "" {
		return ""
	}
	return fmt.Sprintf("The conditional check '%s' failed. The error was: %s", condition, msg)
}

// unknownName is the fault of a template that has asked for a filter or test
// by a name that there is not; "" where err is another.
func unknownName(err error) string {
	var none *jinja.NoSuch
	if !errors.As(err, &none) {
		return ""
	}
	return couldNotLoad(none.Name) + "\n  line 0"
}

// typeErrorIn is a TypeError that a template raises.
func typeErrorIn(template string, err error) string {
	return fmt.Sprintf("Unexpected templating type error occurred on (%s): %v", template, err)
}

// twice are words for err with err once more, as Ansible ends its errors.
func twice(words string, err error) string { return words + ". " + err.Error() }

// lookupFault is the fault of a lookup in a template.
type lookupFault struct {
	name string
	err  error
}

func (e *lookupFault) Error() string { return fmt.Sprintf("the lookup %s failed: %v", e.name, e.err) }
func (e *lookupFault) Unwrap() error { return e.err }

// lookedFor is what gplay adds to the fault of a file that there is not, of a
// column, or of a command.
var lookedFor = regexp.MustCompile(` \(looked for .*\)$|: the row of .* has no column -?\d+$|(?s)(^lookup_plugin\.\w+\(.*\) returned -?\d+): .*$`)

// LookupWords is the fault of a lookup as Ansible words it.
func LookupWords(err error) string { return lookedFor.ReplaceAllString(err.Error(), "$1") }

// knownWords are Ansible's words for faults that it names otherwise than gplay;
// "" where it does not.
func knownWords(err error) string {
	var lookup *lookupFault
	if !errors.As(err, &lookup) {
		return unknownName(err)
	}
	var placed *source.Error
	if errors.As(lookup.err, &placed) { // of a template that it has rendered
		return placed.Known
	}
	if _, ok := lookups.Find(lookup.name); !ok {
		return fmt.Sprintf("lookup plugin (%s) not found", lookup.name)
	}
	msg := LookupWords(lookup.err)
	if foreseen(lookup.name, msg) {
		return msg
	}
	return unhandled(lookup.name, lookupClass(lookup.err), msg) + ". " + msg
}

// foreseen reports whether a fault is one of the lookup's own, and no unhandled
// exception in Ansible.
func foreseen(lookup, msg string) bool {
	return strings.HasPrefix(msg, "Invalid value ") || lookup == "first_found" || lookup == "config" || lookup == "ini" && iniFault.MatchString(msg)
}

var iniFault = regexp.MustCompile(`^(Duplicate option|No section|No key) | is not a valid option\.$`)

const ansibleError = "ansible.errors.AnsibleError"

func unhandled(lookup, class, msg string) string {
	return fmt.Sprintf("An unhandled exception occurred while running the lookup plugin '%s'. Error was a <class '%s'>, original message: %s", lookup, class, msg)
}

// ignoredFault is what errors='warn' says.
func ignoredFault(lookup string, err error) string {
	msg := LookupWords(err)
	if foreseen(lookup, msg) {
		return "Lookup failed but the error is being ignored: " + msg
	}
	return unhandled(lookup, lookupClass(err), msg)
}

// lookupClass is the class of the exception that a lookup's fault is.
func lookupClass(err error) string {
	if vault.IsLocked(err) {
		return "ansible.parsing.vault.AnsibleVaultError"
	}
	return cmp.Or(jinja.ExceptionClass(err), ansibleError)
}

var (
	qualified = regexp.MustCompile(`^[\pL\pN_]+(\.[\pL\pN_]+){2,}$`)
	// collections have filters or tests here.
	collections = []string{"ansible.builtin.", "ansible.legacy.", "ansible.utils.", "ansible.netcommon.", "community.general."}
)

func couldNotLoad(name string) string {
	full := name
	if !strings.Contains(name, ".") {
		full = collections[0] + name
	}
	why := name
	switch {
	case !qualified.MatchString(full):
		why = "invalid plugin name: " + full
	case !hasAnyPrefix(full, collections):
		namespace, rest, _ := strings.Cut(full, ".")
		collection, _, _ := strings.Cut(rest, ".")
		why = fmt.Sprintf("Invalid plugin FQCN (%s): unable to locate collection %s.%s", name, namespace, collection)
	}
	return fmt.Sprintf("Could not load \"%s\": '%s'", name, why)
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// FileFault is the fault of rendering a template file, as Ansible's template
// action words it: with the class of its exception before it.
func FileFault(err error) error {
	var placed *source.Error
	if !errors.As(err, &placed) {
		return err
	}
	named := *placed
	var undefined *Undefined
	switch {
	case errors.As(err, &undefined):
		named.Known = "AnsibleUndefinedVariable: " + placed.Msg
	case placed.Known != "" && placed.Known == unknownName(err):
		named.Known = "TemplateSyntaxError: " + placed.Known
	default:
		class := faultClass(placed, err)
		named.Known = class[strings.LastIndex(class, ".")+1:] + ": " + words(placed)
	}
	return &named
}

// words are Ansible's for a fault, or gplay's where they are the same.
func words(e *source.Error) string {
	var template *jinja.NotFound
	switch {
	case e.Known != "":
		return e.Known
	case errors.As(e, &template):
		return template.Words
	}
	return e.Msg
}

// faultClass is the class of the exception that a fault in a template is. What
// Ansible words itself is its own error; what filters and tests find fault with
// is a filter's, unless Python raises it.
func faultClass(e *source.Error, err error) string {
	if e.Known != "" {
		return ansibleError
	}
	if class := jinja.ExceptionClass(err); class != "" {
		return class
	}
	return "ansible.errors.AnsibleFilterError"
}

// wrap makes err, the fault of a variable that a template uses, the error that
// Ansible makes of any exception but one of an undefined variable.
func wrap(err error, raw any) {
	var e *source.Error
	if !errors.As(err, &e) || errors.Is(err, context.Canceled) {
		return
	}
	ansibles(e, fmt.Sprintf("An unhandled exception occurred while templating '%s'. Error was a <class '%s'>, original message: %s",
		jinja.Str(AsWritten(raw)), faultClass(e, err), words(e)))
}

// wrapLookup makes err, the fault of a template that a lookup has rendered, the
// lookup's own.
func wrapLookup(err error, lookup string) {
	var e *source.Error
	if !errors.As(err, &e) || errors.Is(err, context.Canceled) {
		return
	}
	msg := words(e)
	ansibles(e, unhandled(lookup, faultClass(e, err), msg)+". "+msg)
}

// ansibles makes e an error of Ansible's, which is no longer Python's.
func ansibles(e *source.Error, words string) { e.Known, e.Err = words, nil }
