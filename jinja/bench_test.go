package jinja

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The same files are measured with Python's Jinja2 by bench/jinja/measure.py.
const benchDir = "../bench/jinja/"

func benchFile(b testing.TB, name string) []byte {
	data, err := os.ReadFile(benchDir + name)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func benchExpressions(b testing.TB, e *Environment) []*Expr {
	var xs []*Expr
	for line := range strings.Lines(string(benchFile(b, "expressions.txt"))) {
		for n := range 20 {
			x, err := e.CompileExpr(strings.ReplaceAll(strings.TrimSpace(line), "@", strconv.Itoa(n)))
			if err != nil {
				b.Fatal(line, err)
			}
			xs = append(xs, x)
		}
	}
	return xs
}

func BenchmarkTemplate(b *testing.B) {
	vars := freshVars(b, benchFile(b, "vars.json"))
	tmpl := compile(b, &Environment{Options: Options{TrimBlocks: true}}, string(benchFile(b, "template.j2")))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tmpl.Render(context.Background(), vars); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkThousandExpressions(b *testing.B) {
	vars := freshVars(b, benchFile(b, "vars.json"))
	xs := benchExpressions(b, &Environment{})
	if len(xs) != 1000 {
		b.Fatal(len(xs), "expressions")
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, x := range xs {
			if _, err := x.Eval(context.Background(), vars); err != nil {
				b.Fatal(err)
			}
		}
	}
}
