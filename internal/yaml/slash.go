package yaml

import (
	"bytes"
	"strings"

	yamlv3 "gopkg.in/yaml.v3"
)

// decoder reads the documents of data. The library does not know the escape \/,
// in which it gets a mark for the backslash, a character that is not in data, so
// that all stays in its column. restored takes the marks out of a document.
func decoder(data []byte) (dec *yamlv3.Decoder, restored func(*yamlv3.Node)) {
	if !bytes.Contains(data, []byte(`\/`)) {
		return yamlv3.NewDecoder(bytes.NewReader(data)), func(*yamlv3.Node) {}
	}
	mark := '\uE000' // the first of those for private use
	for bytes.ContainsRune(data, mark) {
		mark++
	}
	data = markSlashes(data, mark)
	return yamlv3.NewDecoder(bytes.NewReader(data)), func(n *yamlv3.Node) { unmarkSlashes(n, string(mark)) }
}

func markSlashes(data []byte, mark rune) []byte {
	var out bytes.Buffer
	escaped := false
	for i, b := range data {
		escaped = b == '\\' && !escaped
		if escaped && i+1 < len(data) && data[i+1] == '/' {
			out.WriteRune(mark)
			continue
		}
		out.WriteByte(b)
	}
	return out.Bytes()
}

func unmarkSlashes(n *yamlv3.Node, mark string) {
	slash := `\/`
	if n.Style&yamlv3.DoubleQuotedStyle != 0 {
		slash = "/"
	}
	n.Value = strings.ReplaceAll(n.Value, mark+"/", slash)
	for _, inner := range n.Content {
		unmarkSlashes(inner, mark)
	}
}
