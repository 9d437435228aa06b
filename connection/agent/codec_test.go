package agent

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"testing"
)

func TestValuesTravel(t *testing.T) {
	huge, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	type text string
	three := 3
	for _, test := range []struct{ in, want any }{
		{nil, nil},
		{true, true},
		{false, false},
		{0, 0},
		{math.MinInt64, math.MinInt64},
		{uint64(math.MaxUint64), new(big.Int).SetUint64(math.MaxUint64)},
		{int32(-5), -5},
		{huge, huge},
		{1.0, 1.0},
		{math.Inf(-1), math.Inf(-1)},
		{"", ""},
		{"\xff\x00é", "\xff\x00é"},
		{[]byte("b\xff"), "b\xff"},
		{text("t"), "t"},
		{&three, 3},
		{(*int)(nil), nil},
		{json.Number("12"), 12},
		{json.Number("12.5"), 12.5},
		{[]any{}, []any{}},
		{[]string{"a"}, []any{"a"}},
		{map[string]any{}, map[string]any{}},
		{map[string][]int{"a": {1}}, map[string]any{"a": []any{1}}},
		{map[int]string{1: "a"}, map[string]any{"1": "a"}},
		{struct {
			A int     `json:"a"`
			B float64 `json:"b"`
		}{1, 2.5}, map[string]any{"a": 1, "b": 2.5}},
	} {
		body, err := appendValue(nil, test.in)
		if err != nil {
			t.Errorf("%#v: %v", test.in, err)
			continue
		}
		if got, err := decodeValue(body); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%#v arrived as %#v %v, want %#v", test.in, got, err, test.want)
		}
	}
	if _, err := appendValue(nil, map[string]any{"f": func() {}}); err == nil {
		t.Error("a function was sent")
	}
}

func FuzzDecode(f *testing.F) {
	body, err := appendValue(nil, map[string]any{"a": []any{1, 2.5, "x", nil, true, new(big.Int)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte{tagList, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := decodeValue(body)
		if err != nil {
			if !errors.Is(err, errBroken) {
				t.Errorf("%v", err)
			}
			return
		}
		if _, err := appendValue(nil, v); err != nil {
			t.Errorf("%#v cannot be sent again: %v", v, err)
		}
	})
}

func BenchmarkValue(b *testing.B) {
	v := map[string]any{"changed": true, "stdout_lines": []any{"one", "two"}, "rc": 0, "invocation": map[string]any{"module_args": map[string]any{"path": "/etc/motd", "mode": "0644"}}}
	for b.Loop() {
		body, err := appendValue(nil, v)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := decodeValue(body); err != nil {
			b.Fatal(err)
		}
	}
}
