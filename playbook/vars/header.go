package vars

import (
	"fmt"
	"strings"

	"gplay/internal/pyliteral"
	"gplay/jinja"
)

const headerMark = "#jinja2:"

// header applies a template's own first line of options, and gives the text of
// the other lines.
func header(text string, o *jinja.Options) (string, error) {
	if !strings.HasPrefix(text, headerMark) {
		return text, nil
	}
	line, rest, _ := strings.Cut(text, "\n")
	for pair := range strings.SplitSeq(strings.TrimPrefix(line, headerMark), ",") {
		name, value, ok := strings.Cut(pair, ":")
		if !ok {
			return "", fmt.Errorf("failed to parse jinja2 override '%s'. Did you use something different from colon as key-value separator?", strings.TrimSpace(pair))
		}
		literal, ok := pyliteral.Parse(strings.TrimSpace(value))
		if !ok {
			return "", fmt.Errorf("the template's #jinja2: header has %s where a literal of Python is expected, such as True or '[['", strings.TrimSpace(value))
		}
		if err := option(o, strings.TrimSpace(name), literal); err != nil {
			return "", err
		}
	}
	return rest, nil
}

func option(o *jinja.Options, name string, value any) error {
	texts := map[string]*string{
		"block_start_string": &o.BlockStart, "block_end_string": &o.BlockEnd, "variable_start_string": &o.VariableStart,
		"variable_end_string": &o.VariableEnd, "comment_start_string": &o.CommentStart, "comment_end_string": &o.CommentEnd,
		"line_statement_prefix": &o.LineStatement, "line_comment_prefix": &o.LineComment, "newline_sequence": &o.NewlineSequence,
	}
	bools := map[string]*bool{"trim_blocks": &o.TrimBlocks, "lstrip_blocks": &o.LstripBlocks, "keep_trailing_newline": &o.KeepTrailingNewline}
	switch {
	case texts[name] != nil:
		*texts[name] = jinja.Str(value)
	case bools[name] != nil:
		*bools[name] = jinja.Truth(value)
	default:
		return fmt.Errorf("the template's #jinja2: header has the unknown option %q", name)
	}
	return nil
}
