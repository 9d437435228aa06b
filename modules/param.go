package modules

import (
	"fmt"
	"reflect"
	"strings"
)

// Param is one argument of a module, for its documentation.
type Param struct {
	Name     string
	Aliases  []string
	Type     string // Ansible's: str, bool, int, float, list, dict, path, raw, bytes, json
	Elements string // the type of a list's elements
	Required bool
	Choices  []string
	Default  any // nil when there is none
	Secret   bool
	Doc      string
	Options  []Param // suboptions of a dict, or of a list's dicts
	Rules    Rules   // of the suboptions

	mode   bool // a file's permissions
	texts  bool // a dict whose values are text
	unseen bool // not shown in invocation, but no secret either: a file's content
}

// Params are the module's arguments, in the order they are declared.
func (m *Module) Params() []Param { return m.public() }

// internal arguments pass from an action to the host's half of its module.
func (p Param) internal() bool { return strings.HasPrefix(p.Name, "_") }

var modeType = reflect.TypeFor[Mode]()

// paramsOf reads the tags of a struct, and its values as defaults.
func paramsOf(v reflect.Value) []Param {
	var params []Param
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			params = append(params, paramsOf(v.Field(i))...)
			continue
		}
		if f.Tag.Get("arg") == "" {
			panic(fmt.Sprintf("%s.%s has no arg tag", v.Type(), f.Name))
		}
		params = append(params, paramOf(f, v.Field(i)))
	}
	return params
}

func paramOf(f reflect.StructField, v reflect.Value) Param {
	p := Param{
		Name:     f.Tag.Get("arg"),
		Aliases:  split(f.Tag.Get("alias")),
		Choices:  split(f.Tag.Get("choices")),
		Required: f.Tag.Get("required") == "true",
		Secret:   f.Tag.Get("secret") == "true",
		Doc:      f.Tag.Get("doc"),
		unseen:   f.Tag.Get("secret") == "content",
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	p.Type, p.mode = typeName(t), t == modeType
	p.texts = t.Kind() == reflect.Map && t.Elem().Kind() == reflect.String
	elem := t
	if p.Type == "list" {
		elem = t.Elem()
		p.Elements = typeName(elem)
	}
	if named := f.Tag.Get("type"); named != "" {
		if p.Type == "list" {
			p.Elements = named
		} else {
			p.Type = named
		}
	}
	if elem.Kind() == reflect.Struct && elem != modeType {
		p.Options = paramsOf(reflect.Zero(elem))
	}
	p.Default = defaultOf(f, v)
	return p
}

func defaultOf(f reflect.StructField, v reflect.Value) any {
	if d, ok := f.Tag.Lookup("default"); ok {
		return d
	}
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Bool:
		if f.Type.Kind() != reflect.Pointer && f.Tag.Get("required") != "true" {
			return v.Bool()
		}
	case reflect.Struct:
		if m, ok := v.Interface().(Mode); ok && m.Given() {
			return m.String()
		}
		return nil
	}
	if v.IsZero() {
		return nil
	}
	return plain(v.Interface())
}

func typeName(t reflect.Type) string {
	if t == modeType {
		return "raw"
	}
	switch t.Kind() {
	case reflect.String:
		return "str"
	case reflect.Bool:
		return "bool"
	case reflect.Int, reflect.Int64:
		return "int"
	case reflect.Float64:
		return "float"
	case reflect.Slice:
		return "list"
	case reflect.Map, reflect.Struct:
		return "dict"
	case reflect.Interface:
		return "raw"
	}
	panic(fmt.Sprintf("no argument can have the type %s", t))
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
