package agent

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
)

// The tags of values on the wire. JSON would lose the difference between 1
// and 1.0, and bytes of a command's output that are no UTF-8.
const (
	tagNil byte = iota
	tagFalse
	tagTrue
	tagInt
	tagFloat
	tagBig
	tagString
	tagList
	tagMap
)

var errBroken = errors.New("broken message")

// appendValue adds v as it goes over the wire. What is no plain value goes as
// its JSON would.
func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, tagNil), nil
	case bool:
		if v {
			return append(b, tagTrue), nil
		}
		return append(b, tagFalse), nil
	case int:
		return binary.AppendVarint(append(b, tagInt), int64(v)), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(b, tagFloat), math.Float64bits(v)), nil
	case string:
		return appendString(append(b, tagString), v), nil
	case *big.Int:
		return appendString(append(b, tagBig), v.String()), nil
	case []any:
		return appendList(b, v)
	case map[string]any:
		return appendMap(b, v)
	case json.Number:
		return appendNumber(b, v)
	}
	return appendReflected(b, reflect.ValueOf(v))
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendList(b []byte, list []any) ([]byte, error) {
	b = binary.AppendUvarint(append(b, tagList), uint64(len(list)))
	var err error
	for _, item := range list {
		if b, err = appendValue(b, item); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendMap(b []byte, m map[string]any) ([]byte, error) {
	b = binary.AppendUvarint(append(b, tagMap), uint64(len(m)))
	var err error
	for key, value := range m {
		if b, err = appendValue(appendString(b, key), value); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendNumber(b []byte, n json.Number) ([]byte, error) {
	if whole, ok := new(big.Int).SetString(n.String(), 10); ok {
		if whole.IsInt64() {
			return appendValue(b, int(whole.Int64()))
		}
		return appendValue(b, whole)
	}
	f, err := n.Float64()
	if err != nil {
		return nil, err
	}
	return appendValue(b, f)
}

func appendReflected(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Bool:
		return appendValue(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return appendValue(b, int(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if u := v.Uint(); u > math.MaxInt64 {
			return appendValue(b, new(big.Int).SetUint64(u))
		}
		return appendValue(b, int(v.Uint()))
	case reflect.Float32, reflect.Float64:
		return appendValue(b, v.Float())
	case reflect.String:
		return appendValue(b, v.String())
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			return appendValue(b, string(v.Bytes()))
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = v.Index(i).Interface()
		}
		return appendList(b, list)
	case reflect.Map:
		if v.Type().Key().Kind() == reflect.String {
			m := make(map[string]any, v.Len())
			for it := v.MapRange(); it.Next(); {
				m[it.Key().String()] = it.Value().Interface()
			}
			return appendMap(b, m)
		}
	case reflect.Pointer:
		if v.IsNil() {
			return appendValue(b, nil)
		}
		return appendValue(b, v.Elem().Interface())
	}
	return appendJSON(b, v.Interface())
}

func appendJSON(b []byte, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("a value that cannot be sent: %w", err)
	}
	plain, err := fromJSON(text)
	if err != nil {
		return nil, err
	}
	return appendValue(b, plain)
}

// decodeValue reads what appendValue made; whole numbers are int or *big.Int.
func decodeValue(b []byte) (any, error) {
	d := decoder{b}
	v, err := d.value(0)
	if err == nil && len(d.rest) > 0 {
		err = errBroken
	}
	return v, err
}

// deepest is how far values may nest, so that no message can exhaust the stack.
const deepest = 10000

type decoder struct{ rest []byte }

func (d *decoder) value(depth int) (any, error) {
	if len(d.rest) == 0 || depth > deepest {
		return nil, errBroken
	}
	tag := d.rest[0]
	d.rest = d.rest[1:]
	switch tag {
	case tagNil:
		return nil, nil
	case tagFalse, tagTrue:
		return tag == tagTrue, nil
	case tagInt:
		return d.int()
	case tagFloat:
		return d.float()
	case tagString:
		return d.string()
	case tagBig:
		return d.big()
	case tagList:
		return d.list(depth)
	case tagMap:
		return d.dict(depth)
	}
	return nil, errBroken
}

func (d *decoder) int() (any, error) {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		return nil, errBroken
	}
	d.rest = d.rest[n:]
	return int(v), nil
}

func (d *decoder) float() (any, error) {
	if len(d.rest) < 8 {
		return nil, errBroken
	}
	bits := binary.BigEndian.Uint64(d.rest)
	d.rest = d.rest[8:]
	return math.Float64frombits(bits), nil
}

// length reads a length of things that each take at least one byte.
func (d *decoder) length() (int, error) {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > uint64(len(d.rest)-n) {
		return 0, errBroken
	}
	d.rest = d.rest[n:]
	return int(v), nil
}

func (d *decoder) string() (string, error) {
	n, err := d.length()
	if err != nil {
		return "", err
	}
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s, nil
}

func (d *decoder) big() (any, error) {
	s, err := d.string()
	if err != nil {
		return nil, err
	}
	v, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return nil, errBroken
	}
	return v, nil
}

func (d *decoder) list(depth int) (any, error) {
	n, err := d.length()
	if err != nil {
		return nil, err
	}
	list := make([]any, n)
	for i := range list {
		if list[i], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (d *decoder) dict(depth int) (any, error) {
	n, err := d.length()
	if err != nil {
		return nil, err
	}
	m := make(map[string]any, n)
	for range n {
		key, err := d.string()
		if err != nil {
			return nil, err
		}
		if m[key], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// fromJSON reads JSON, whole numbers as such.
func fromJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}
