// Package evaluate is gplay's side where tests compare expressions with
// Ansible's. It is apart from package oracle, which tests inside of the packages
// that it needs use too.
package evaluate

import (
	"errors"

	"gplay/internal/oracle"
	"gplay/internal/yaml"
	"gplay/jinja"
	"gplay/playbook/vars"
)

// Expression is what gplay makes of an expression.
func Expression(scope *vars.Scope, expr string) oracle.Outcome {
	v, err := value(scope, expr)
	var undefined *vars.Undefined
	switch {
	case err == nil:
		return oracle.Outcome{Text: jinja.Str(v)}
	case errors.As(err, &undefined):
		return oracle.Outcome{Error: err.Error(), Undefined: true}
	}
	return oracle.Outcome{Error: err.Error()}
}

// value gives the value of an expression with Jinja2's own escapes, as
// Ansible's side does: in {{ }} of a playbook backslashes would stay.
func value(scope *vars.Scope, expr string) (any, error) {
	v, err := scope.Expr("[" + expr + "]")
	var fault *jinja.Error
	if errors.As(err, &fault) && fault.Undefined != nil {
		err = &vars.Undefined{Err: err}
	}
	if err != nil {
		return nil, err
	}
	return scope.With(jinja.NewDict("evaluated", v)).Template(&yaml.Template{Text: "{{ evaluated }}"})
}
