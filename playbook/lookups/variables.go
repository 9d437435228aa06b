package lookups

import (
	"fmt"

	"gplay/internal/pyregex"
	"gplay/internal/source"
	"gplay/jinja"
)

func vars(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	o := read(c, options, "default")
	otherwise, hasDefault := o.given.Get("default")
	if o.err != nil {
		return nil, o.err
	}
	if err := namesOnly(terms, "its a"); err != nil {
		return nil, err
	}
	return each(terms, nil, func(name string) ([]any, error) {
		v, ok, err := c.Var(name)
		if _, undefined := v.(*jinja.Undefined); undefined {
			ok = false
		}
		switch {
		case err == nil && ok:
			return []any{v}, nil
		case hasDefault && otherwise != nil:
			return []any{otherwise}, nil
		case err != nil:
			return nil, err
		}
		msg := "No variable found with this name: " + name
		if near := source.Nearest(name, c.VarNames()); near != "" {
			msg += fmt.Sprintf(", did you mean %q?", near)
		}
		return nil, jinja.UndefinedError(&jinja.Undefined{Name: name, Hint: msg})
	})
}

// namesOnly refuses numbers and the like where names are asked for.
func namesOnly(terms []any, words string) error {
	for _, term := range terms {
		switch term.(type) {
		case string, *jinja.Undefined:
		default:
			return fmt.Errorf("Invalid setting identifier, \"%s\" is not a string, %s <class '%s'>", jinja.Str(term), words, jinja.TypeName(term))
		}
	}
	return nil
}

func varNames(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	read(c, options)
	if err := namesOnly(terms, "it is a"); err != nil {
		return nil, err
	}
	names := c.VarNames()
	return each(terms, nil, func(pattern string) ([]any, error) {
		re, err := pyregex.Compile(pattern, 0)
		if err != nil {
			return nil, fmt.Errorf("Unable to use \"%s\" as a search parameter: %w", pattern, err)
		}
		var found []any
		for _, name := range names {
			ok, err := pyregex.Found(re.Search(name))
			if err != nil {
				return nil, err
			}
			if ok {
				found = append(found, name)
			}
		}
		return found, nil
	})
}

// inventoryHostnames are the hosts of the terms as parts of one pattern.
func inventoryHostnames(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	read(c, options)
	if len(terms) == 0 {
		return nil, nil
	}
	parts := make([]string, len(terms))
	for i, term := range terms {
		switch v := term.(type) {
		case *jinja.Undefined:
			return nil, jinja.UndefinedError(v)
		case *jinja.List, *jinja.Dict:
			return nil, jinja.Exceptionf("TypeError", "unhashable type: '%s'", jinja.TypeName(v))
		}
		parts[i] = jinja.Str(term)
	}
	names, err := c.Hosts(parts)
	return asValues(names), err
}
