package yaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"gplay/internal/source"
)

// parseJSON reads c's text as JSON, whose numbers and escapes are not YAML's.
func parseJSON(c *converter) (*Node, error) {
	dec := json.NewDecoder(bytes.NewReader(c.src.data))
	dec.UseNumber()
	p := &jsonParser{c: c, dec: dec}
	n, err := p.value()
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errTrailing
	}
	return n, nil
}

var errTrailing = errors.New("text after the JSON value")

type jsonParser struct {
	c    *converter
	dec  *json.Decoder
	at   int // the offset that line and col belong to
	line int // from 0
	col  int // from 0
}

// next gives the next token and where it begins.
func (p *jsonParser) next() (json.Token, source.Pos, error) {
	data := p.c.src.data
	start := int(p.dec.InputOffset())
	for start < len(data) && strings.IndexByte(" \t\r\n,:", data[start]) >= 0 {
		start++
	}
	token, err := p.dec.Token()
	between := data[p.at:start]
	if nl := bytes.LastIndexByte(between, '\n'); nl >= 0 {
		p.line += bytes.Count(between, []byte("\n"))
		p.col = utf8.RuneCount(between[nl+1:])
	} else {
		p.col += utf8.RuneCount(between)
	}
	p.at = start
	return token, source.Pos{File: p.c.src.file, Line: p.line + p.c.src.line + 1, Col: p.col + 1}, err
}

func (p *jsonParser) value() (*Node, error) {
	token, pos, err := p.next()
	if err != nil {
		return nil, err
	}
	return p.of(token, pos)
}

func (p *jsonParser) of(token json.Token, pos source.Pos) (*Node, error) {
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return p.object(pos)
		}
		return p.array(pos)
	case json.Number:
		return &Node{Pos: pos, Len: len(t), Value: jsonNumber(string(t))}, nil
	case string:
		n := &Node{Pos: pos, Len: utf8.RuneCountInString(t) + 2, Value: t, src: p.c.src}
		if !p.c.opts.Data && IsTemplate(t) {
			n.Value = &Template{Text: t, Pos: pos, src: p.c.src}
		}
		return n, nil
	}
	return &Node{Pos: pos, Len: 4, Value: token}, nil
}

func (p *jsonParser) object(pos source.Pos) (*Node, error) {
	n := &Node{Kind: Map, Pos: pos}
	index := map[string]int{}
	for p.dec.More() {
		token, at, err := p.next()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string)
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		pair := Pair{&Node{Pos: at, Len: utf8.RuneCountInString(key) + 2, Value: key}, value}
		if i, ok := index[key]; ok {
			n.Pairs[i] = pair
			continue
		}
		index[key] = len(n.Pairs)
		n.Pairs = append(n.Pairs, pair)
	}
	_, _, err := p.next()
	return n, err
}

func (p *jsonParser) array(pos source.Pos) (*Node, error) {
	n := &Node{Kind: List, Pos: pos}
	for p.dec.More() {
		item, err := p.value()
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, item)
	}
	_, _, err := p.next()
	return n, err
}

func jsonNumber(s string) any {
	if strings.ContainsAny(s, ".eE") {
		f, _ := strconv.ParseFloat(s, 64)
		return f
	}
	if i, err := strconv.Atoi(s); err == nil {
		return i
	}
	n, _ := new(big.Int).SetString(s, 10)
	return n
}
