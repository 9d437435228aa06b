package jinja_test

import (
	"context"
	"fmt"

	"gplay/jinja"
)

func ExampleEnvironment_Compile() {
	env := &jinja.Environment{
		Filters: map[string]jinja.Filter{
			"shout": func(_ *jinja.Context, value any, _ *jinja.Args) (any, error) {
				return jinja.Str(value) + "!", nil
			},
		},
	}
	tmpl, err := env.Compile("hello", "{% for name in names %}{{ loop.index }}. {{ name | shout }}\n{% endfor %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := tmpl.Render(context.Background(), jinja.Vars{"names": jinja.NewList("Ann", "Bob")})
	fmt.Print(text, err)
	// Output:
	// 1. Ann!
	// 2. Bob!
	// <nil>
}
