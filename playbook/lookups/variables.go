package lookups

import (
	"fmt"

	"gplay/internal/pyregex"
	"gplay/internal/source"
	"gplay/jinja"
)

func vars(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	o := read(options, "default")
	otherwise, hasDefault := o.given.Get("default")
	if o.err != nil {
		return nil, o.err
	}
	for _, term := range terms {
		if _, isText := term.(string); !isText {
			if _, isUndefined := term.(*jinja.Undefined); !isUndefined {
				return nil, fmt.Errorf("Invalid setting identifier, \"%s\" is not a string, its a <class '%s'>", jinja.Str(term), jinja.TypeName(term))
			}
		}
	}
	return each(terms, func(name string) ([]any, error) {
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
		return nil, fmt.Errorf("%s", msg)
	})
}

func varNames(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	if o := read(options); o.err != nil {
		return nil, o.err
	}
	names := c.VarNames()
	return each(terms, func(pattern string) ([]any, error) {
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

func inventoryHostnames(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	if o := read(options); o.err != nil {
		return nil, o.err
	}
	return each(terms, func(pattern string) ([]any, error) {
		names, err := c.Hosts(pattern)
		return asValues(names), err
	})
}
