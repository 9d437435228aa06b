package jinja

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxWidth is the widest field that formatting makes.
const maxWidth = 1 << 20

// spec is a format specification: Python's mini-language, or a % conversion.
type spec struct {
	fill      rune
	align     byte // < > ^ = or 0
	sign      byte // + - space or 0
	noNegZero bool
	alt       bool
	zero      bool
	width     int
	group     byte // , _ or 0
	precision int  // -1: none
	verb      byte // 0: none
	escape    bool // texts that are put in
}

func parseSpec(s, kind string) (spec, error) {
	p := spec{fill: ' ', precision: -1}
	invalid := valueErrorf("Invalid format specifier '%s' for object of type '%s'", s, kind)
	filled := false
	if r, n := utf8.DecodeRuneInString(s); n > 0 && len(s) > n && strings.IndexByte("<>^=", s[n]) >= 0 {
		p.fill, p.align, filled = r, s[n], true
		s = s[n+1:]
	} else if s != "" && strings.IndexByte("<>^=", s[0]) >= 0 {
		p.align = s[0]
		s = s[1:]
	}
	take := func(chars string) byte {
		if s != "" && strings.IndexByte(chars, s[0]) >= 0 {
			c := s[0]
			s = s[1:]
			return c
		}
		return 0
	}
	p.sign = take("+- ")
	p.noNegZero = take("z") != 0
	p.alt = take("#") != 0
	if take("0") != 0 {
		p.zero = true
		if !filled {
			p.fill = '0'
		}
		if p.align == 0 {
			p.align = '='
		}
	}
	var err error
	if p.width, s, err = takeNumber(s); err != nil {
		return p, err
	}
	p.width = max(p.width, 0)
	p.group = take(",_")
	if other := take(",_"); p.group != 0 && other != 0 {
		if other == p.group {
			return p, valueErrorf("Cannot specify '%c' with '%c'.", other, other)
		}
		return p, valueErrorf("Cannot specify both ',' and '_'.")
	}
	if take(".") != 0 {
		if p.precision, s, err = takeNumber(s); err != nil {
			return p, err
		}
		if p.precision < 0 {
			return p, valueErrorf("Format specifier missing precision")
		}
	}
	if len(s) > 1 {
		return p, invalid
	}
	if s != "" {
		p.verb = s[0]
	}
	return p, nil
}

// takeNumber takes digits from the front of s; -1 where there are none.
func takeNumber(s string) (n int, rest string, err error) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 {
		return -1, s, nil
	}
	n, err = strconv.Atoi(s[:i])
	if err != nil || n > maxWidth {
		return 0, s, valueErrorf("Too many decimal digits in format string")
	}
	return n, s[i:], nil
}

// formatValue is Python's format(v, spec).
func formatValue(v any, text string) (string, error) {
	if u, ok := v.(*Undefined); ok && !u.soft {
		return "", &undefinedError{u}
	}
	if text == "" {
		return strOf(v)
	}
	p, err := parseSpec(text, typeName(v))
	if err != nil {
		return "", err
	}
	switch x := v.(type) {
	case string:
		return p.text(x, v)
	case Text:
		return p.text(x.Value, v)
	case Markup:
		return p.text(string(x), v)
	case int, bool, *big.Int, float64:
		if err := p.groups(); err != nil {
			return "", err
		}
		if f, ok := x.(float64); ok {
			return p.float(f)
		}
		return p.number(x)
	}
	return "", typeErrorf("unsupported format string passed to %s.__format__", typeName(v))
}

// groups is an error where the type has no groups of digits.
func (p spec) groups() error {
	if p.group != 0 && p.verb == 'n' {
		return valueErrorf("Cannot specify '%c' with 'n'.", p.group)
	}
	return nil
}

func (p spec) unknown(v any) error {
	return valueErrorf("Unknown format code '%c' for object of type '%s'", p.verb, typeName(v))
}

// text formats s, the text of v.
func (p spec) text(s string, v any) (string, error) {
	switch {
	case p.verb != 0 && p.verb != 's':
		return "", p.unknown(v)
	case p.sign != 0:
		return "", valueErrorf("Sign not allowed in string format specifier")
	case p.alt:
		return "", valueErrorf("Alternate form (#) not allowed in string format specifier")
	case p.align == '=' && !p.zero:
		return "", valueErrorf("'=' alignment not allowed in string format specifier")
	case p.group != 0:
		return "", valueErrorf("Cannot specify '%c' with 's'.", p.group)
	}
	if p.align == '=' {
		p.align = '<'
	}
	if p.precision >= 0 {
		s = cut(s, 0, p.precision)
	}
	return p.pad("", s, '<'), nil
}

// pad fills the field: sign and prefix stay left of what = puts in.
func (p spec) pad(prefix, body string, otherwise byte) string {
	n := p.width - runeLen(prefix) - runeLen(body)
	if n <= 0 {
		return prefix + body
	}
	align := p.align
	if align == 0 {
		align = otherwise
	}
	fill := string(p.fill)
	switch align {
	case '<':
		return prefix + body + strings.Repeat(fill, n)
	case '^':
		return strings.Repeat(fill, n/2) + prefix + body + strings.Repeat(fill, n-n/2)
	case '=':
		return prefix + strings.Repeat(fill, n) + body
	}
	return strings.Repeat(fill, n) + prefix + body
}

func (p spec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case p.sign == '+' || p.sign == ' ':
		return string(p.sign)
	}
	return ""
}

var bases = map[byte]struct {
	base   int
	prefix string
}{'d': {10, ""}, 'n': {10, ""}, 0: {10, ""}, 'b': {2, "0b"}, 'o': {8, "0o"}, 'x': {16, "0x"}, 'X': {16, "0X"}}

// number formats an integer.
func (p spec) number(v any) (string, error) {
	b := toBig(v)
	if p.verb == 'c' {
		if p.group != 0 {
			return "", valueErrorf("Cannot specify '%c' with 'c'.", p.group)
		}
		if p.precision >= 0 {
			return "", valueErrorf("Precision not allowed in integer format specifier")
		}
		if p.sign != 0 {
			return "", valueErrorf("Sign not allowed with integer format specifier 'c'")
		}
		if p.alt {
			return "", valueErrorf("Alternate form (#) not allowed with integer format specifier 'c'")
		}
		if !b.IsInt64() || b.Int64() < 0 || b.Int64() > utf8.MaxRune {
			return "", Exceptionf("OverflowError", "%%c arg not in range(0x110000)")
		}
		return p.pad("", string(rune(b.Int64())), '>'), nil
	}
	base, ok := bases[p.verb]
	if !ok {
		if strings.IndexByte("eEfFgG%", p.verb) < 0 {
			return "", p.unknown(v)
		}
		f, _ := toFloat(v)
		return p.float(f)
	}
	if p.precision >= 0 {
		return "", valueErrorf("Precision not allowed in integer format specifier")
	}
	if p.group == ',' && base.base != 10 {
		return "", valueErrorf("Cannot specify ',' with '%c'.", p.verb)
	}
	digits := new(big.Int).Abs(b).Text(base.base)
	if p.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	prefix := p.signOf(b.Sign() < 0)
	if p.alt {
		prefix += base.prefix
	}
	step := 3
	if base.base != 10 {
		step = 4
	}
	digits = p.grouped(digits, "", len(prefix), step)
	return p.pad(prefix, digits, '>'), nil
}

// grouped puts separators between digits; zeros that fill the field count.
func (p spec) grouped(digits, rest string, taken, step int) string {
	if p.group == 0 {
		return digits + rest
	}
	if p.fill == '0' && p.align == '=' {
		room := p.width - taken - len(rest)
		for len(digits)+(len(digits)-1)/step < room {
			digits = "0" + digits
		}
	}
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%step == 0 {
			b.WriteByte(p.group)
		}
		b.WriteRune(c)
	}
	return b.String() + rest
}

// float formats a float.
func (p spec) float(f float64) (string, error) {
	body, err := p.digits(math.Abs(f))
	if err != nil {
		return "", err
	}
	negative := math.Signbit(f) && !math.IsNaN(f)
	if negative && p.noNegZero && strings.Trim(body, "0.") == "" {
		negative = false
	}
	sign := p.signOf(negative)
	if i := strings.IndexFunc(body, func(r rune) bool { return r < '0' || r > '9' }); i != 0 && p.group != 0 {
		if i < 0 {
			i = len(body)
		}
		body = p.grouped(body[:i], body[i:], len(sign), 3)
	}
	return p.pad(sign, body, '>'), nil
}

// digits is the text of a float that is not negative.
func (p spec) digits(f float64) (string, error) {
	upper := p.verb >= 'A' && p.verb <= 'Z'
	suffix := ""
	verb := p.verb | 0x20
	precision := p.precision
	switch p.verb {
	case 0:
		switch {
		case precision >= 0:
			return generalFloat(f, precision, p.alt, true), nil
		case p.alt:
			return pointed(formatFloat(f)), nil
		}
		return formatFloat(f), nil
	case '%':
		f, suffix, verb = f*100, "%", 'f'
	case 'n':
		verb = 'g'
	case 'e', 'E', 'f', 'F', 'g', 'G':
	default:
		return "", p.unknown(f)
	}
	if precision < 0 {
		precision = 6
	}
	var s string
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		s = formatFloat(f)
	case verb == 'g':
		s = generalFloat(f, precision, p.alt, false)
	default:
		s = strconv.FormatFloat(f, verb, precision, 64)
		if p.alt {
			s = pointed(s)
		}
	}
	if upper {
		s = strings.ToUpper(s)
	}
	return s + suffix, nil
}

// generalFloat is C's %g. With repr set a number without exponent keeps at
// least one digit behind its point.
func generalFloat(f float64, precision int, alt, repr bool) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return formatFloat(f)
	}
	precision = max(precision, 1)
	s := strconv.FormatFloat(f, 'e', precision-1, 64)
	mantissa, exponent, _ := strings.Cut(s, "e")
	x, _ := strconv.Atoi(exponent)
	limit := precision
	if repr {
		limit = precision - 1
	}
	if x < -4 || x >= limit {
		if alt {
			return pointed(s)
		}
		return trimZeros(mantissa) + "e" + exponent
	}
	s = strconv.FormatFloat(f, 'f', max(precision-1-x, 0), 64)
	if alt {
		return pointed(s)
	}
	s = trimZeros(s)
	if repr && !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// pointed is a number with a point, which # asks for; nan and inf have none.
func pointed(s string) string {
	mantissa, exponent, hasExponent := strings.Cut(s, "e")
	if strings.ContainsAny(mantissa, ".n") {
		return s
	}
	if hasExponent {
		return mantissa + ".e" + exponent
	}
	return mantissa + "."
}

func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// percentFormat is Python's format % values.
func percentFormat(format string, values any) (any, error) {
	p := percent{values: values, next: -1}
	v, err := p.format(format)
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (p *percent) format(format string) (string, error) {
	switch v := p.values.(type) {
	case Tuple:
		p.tuple, p.next = v, 0
	case *group:
		p.tuple, p.next = v.Pair(), 0
	}
	var b strings.Builder
	whole := format
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			b.WriteString(format)
			break
		}
		b.WriteString(format[:i])
		text, rest, err := p.conversion(format[i+1:])
		if err == errConversion {
			at := len(whole) - len(rest)
			r := firstRune(rest)
			shown := r
			if r > 0x7e {
				shown = '?'
			}
			return "", valueErrorf("unsupported format character '%c' (0x%x) at index %d", shown, r, runeLen(whole[:at]))
		}
		if err != nil {
			return "", err
		}
		b.WriteString(text)
		if b.Len() > maxSize {
			return "", errTooLarge
		}
		format = rest
	}
	if !p.finished() {
		return "", typeErrorf("not all arguments converted during %s formatting", p.kind())
	}
	return b.String(), nil
}

var errConversion = errors.New("unsupported format character")

// percent is one use of %.
type percent struct {
	values any
	tuple  Tuple
	next   int // in tuple; -1: values is the only one and not yet used, -2: used
	named  bool
	bytes  bool // the format is bytes
	markup bool // it is Markup
}

func (p *percent) kind() string {
	if p.bytes {
		return "bytes"
	}
	return "string"
}

func (p *percent) finished() bool {
	if p.next >= 0 {
		return p.next == len(p.tuple)
	}
	if p.next == -2 || p.named {
		return true
	}
	switch p.values.(type) {
	case []byte:
		return !p.bytes
	case Mapping, *List, *Range, *Undefined:
		return true
	}
	return false
}

func (p *percent) take() (any, error) {
	switch {
	case p.next >= 0 && p.next < len(p.tuple):
		p.next++
		return p.tuple[p.next-1], nil
	case p.next == -1:
		p.next = -2
		return p.values, nil
	}
	return nil, typeErrorf("not enough arguments for format string")
}

// conversion formats one value; s begins behind the %.
func (p *percent) conversion(s string) (text, rest string, err error) {
	if rest, ok := strings.CutPrefix(s, "%"); ok {
		return "%", rest, nil
	}
	var value any
	named := false
	if strings.HasPrefix(s, "(") {
		if value, s, err = p.key(s); err != nil {
			return "", "", err
		}
		named = true
	}
	sp := spec{fill: ' ', align: '>', precision: -1}
	for ; s != "" && strings.IndexByte("-+ #0", s[0]) >= 0; s = s[1:] {
		switch s[0] {
		case '-':
			sp.align = '<'
		case '+':
			sp.sign = '+'
		case ' ':
			if sp.sign == 0 {
				sp.sign = ' '
			}
		case '#':
			sp.alt = true
		case '0':
			sp.zero = true
		}
	}
	if sp.width, s, err = p.count(s); err != nil {
		return "", "", err
	}
	if sp.width < -1 {
		sp.align, sp.width = '<', -sp.width
	}
	if strings.HasPrefix(s, ".") {
		if sp.precision, s, err = p.count(s[1:]); err != nil {
			return "", "", err
		}
		sp.precision = max(sp.precision, 0)
	}
	s = strings.TrimLeft(s, "hlL")
	if s == "" {
		return "", "", valueErrorf("incomplete format")
	}
	at := s
	r, n := utf8.DecodeRuneInString(s)
	s = s[n:]
	verbs := "diouxXeEfFgGcrsa"
	if p.bytes {
		verbs += "b"
	}
	if !named {
		if value, err = p.take(); err != nil {
			return "", "", err
		}
	}
	if r > 0x7f || strings.IndexByte(verbs, byte(r)) < 0 {
		return "", at, errConversion
	}
	sp.verb = byte(r)
	if p.bytes {
		if value, err = sp.intoBytes(value); err != nil {
			return "", "", err
		}
	}
	sp.escape = p.markup
	text, err = sp.convert(value)
	return text, s, err
}

// key takes (name) and gives the value of that name.
func (p *percent) key(s string) (any, string, error) {
	m, ok := p.values.(Mapping)
	if !ok {
		return nil, "", typeErrorf("format requires a mapping")
	}
	end := strings.IndexByte(s, ')')
	if end < 0 {
		return nil, "", valueErrorf("incomplete format key")
	}
	p.named = true
	v, ok, err := mappingGet(m, s[1:end])
	if err == nil && !ok {
		err = Exceptionf("KeyError", "%s", Repr(s[1:end]))
	}
	return v, s[end+1:], err
}

// count takes a width or precision; -1 where there is none.
func (p *percent) count(s string) (int, string, error) {
	if !strings.HasPrefix(s, "*") {
		return takeNumber(s)
	}
	v, err := p.take()
	if err != nil {
		return 0, "", err
	}
	n, ok := v.(int)
	if !ok {
		return 0, "", typeErrorf("* wants int")
	}
	if n > maxWidth || n < -maxWidth {
		return 0, "", errTooLarge
	}
	return n, s[1:], nil
}

// intoBytes makes ready a value that goes into bytes.
func (p *spec) intoBytes(v any) (any, error) {
	switch p.verb {
	case 's', 'b':
		b, ok := v.([]byte)
		if !ok {
			return nil, typeErrorf("%%b requires a bytes-like object, or an object that implements __bytes__, not '%s'", typeName(v))
		}
		p.verb = 's'
		return string(b), nil
	case 'r':
		p.verb = 'a'
	}
	return v, nil
}

// convert formats a value by a % conversion.
func (p spec) convert(v any) (string, error) {
	if u, ok := v.(*Undefined); ok && !u.soft {
		if p.verb != 'r' && p.verb != 'a' {
			return "", &undefinedError{u}
		}
		return fmt.Sprintf("AnsibleUndefined(hint=None, obj=missing, name=%s)", Repr(u.Name)), nil
	}
	switch p.verb {
	case 's', 'r', 'a':
		text, err := strOf(v)
		if p.verb != 's' {
			text, err = reprOf(v)
		}
		if p.verb == 'a' {
			text = asciiOnly(text)
		}
		if _, safe := v.(Markup); p.escape && !(safe && p.verb == 's') {
			text = string(escape(text))
		}
		if p.precision >= 0 {
			text = cut(text, 0, p.precision)
		}
		return p.pad("", text, '>'), err
	case 'c':
		return p.character(v)
	case 'd', 'i', 'u', 'o', 'x', 'X':
		return p.integer(v)
	}
	f, ok := toFloat(v)
	if !ok {
		return "", typeErrorf("must be real number, not %s", typeName(v))
	}
	p.zeroFill()
	return p.float(f)
}

func (p *spec) zeroFill() {
	if p.zero && p.align == '>' {
		p.fill, p.align = '0', '='
	}
}

func (p spec) character(v any) (string, error) {
	if s, ok := text(v); ok && runeLen(s) == 1 {
		return p.pad("", s, '>'), nil
	}
	n, ok := toInt(v)
	if !ok {
		return "", typeErrorf("%%c requires int or char")
	}
	if n < 0 || n > utf8.MaxRune {
		return "", Exceptionf("OverflowError", "%%c arg not in range(0x110000)")
	}
	return p.pad("", string(rune(n)), '>'), nil
}

func (p spec) integer(v any) (string, error) {
	decimal := p.verb == 'd' || p.verb == 'i' || p.verb == 'u'
	if f, ok := v.(float64); ok && decimal {
		n, err := intOfFloat(f)
		if err != nil {
			return "", err
		}
		v = n
	}
	b := toBig(v)
	if b == nil {
		kind := "a real number"
		if !decimal {
			kind = "an integer"
		}
		return "", typeErrorf("%%%c format: %s is required, not %s", p.verb, kind, typeName(v))
	}
	if decimal {
		p.verb = 'd'
	}
	base := bases[p.verb]
	digits := new(big.Int).Abs(b).Text(base.base)
	if p.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	if n := p.precision - len(digits); n > 0 {
		digits = strings.Repeat("0", n) + digits
	}
	prefix := p.signOf(b.Sign() < 0)
	if p.alt {
		prefix += base.prefix
	}
	p.zeroFill()
	return p.pad(prefix, digits, '>'), nil
}

func intOfFloat(f float64) (any, error) {
	switch {
	case math.IsNaN(f):
		return nil, valueErrorf("cannot convert float NaN to integer")
	case math.IsInf(f, 0):
		return nil, Exceptionf("OverflowError", "cannot convert float infinity to integer")
	}
	b, _ := big.NewFloat(math.Trunc(f)).Int(nil)
	return normalBig(b), nil
}

func asciiOnly(s string) string {
	if isASCII(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, "\\x%02x", r)
		case r <= 0xffff:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			fmt.Fprintf(&b, "\\U%08x", r)
		}
	}
	return b.String()
}

// percentBytes is bytes % values.
func percentBytes(format []byte, values any) (any, error) {
	p := percent{values: values, next: -1, bytes: true}
	v, err := p.format(string(format))
	if err != nil {
		return nil, err
	}
	return []byte(v), nil
}

// percentMarkup is Markup % values: what is put in is escaped.
func percentMarkup(_ *Context, format Markup, values any) (any, error) {
	p := percent{values: values, next: -1, markup: true}
	switch values.(type) {
	case *List, *Range, []byte:
		p.named = true // none of them has to be used
	}
	v, err := p.format(string(format))
	if err != nil {
		return nil, err
	}
	return Markup(v), nil
}

// strFormat is str.format.
func strFormat(c *Context, self any, args *Args) (any, error) {
	s, _ := text(self)
	f := formatter{args: args.Positional, auto: -1}
	if args.Keywords != nil {
		f.named = args.Keywords
	}
	_, f.markup = self.(Markup)
	out, err := f.format(s, 0)
	// As in Python, a single value that the format leaves as it is stays safe.
	if f.markup || f.kept != "" && string(f.kept) == out {
		return Markup(out), err
	}
	return out, err
}

// Format is str.format of text with named values.
func Format(text string, named Mapping) (string, error) {
	f := formatter{named: named, auto: -1}
	return f.format(text, 0)
}

// strFormatMap is str.format_map.
func strFormatMap(c *Context, self any, args *Args) (any, error) {
	bound, err := args.Bind("mapping")
	if err != nil {
		return nil, err
	}
	m, ok := bound[0].(Mapping)
	if !ok {
		return nil, typeErrorf("'%s' object is not subscriptable", typeName(bound[0]))
	}
	s, _ := text(self)
	f := formatter{named: m, auto: -1, mapOnly: true}
	out, err := f.format(s, 0)
	return out, err
}

// formatter is one use of str.format.
type formatter struct {
	args    []any
	named   Mapping
	auto    int // the last automatic number; -1 none yet, -2 numbered by hand
	markup  bool
	mapOnly bool   // format_map: only names
	kept    Markup // the last value that a specification left as it was
}

func (f *formatter) format(s string, depth int) (string, error) {
	if depth > 1 {
		return "", valueErrorf("Max string recursion exceeded")
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		j := strings.IndexAny(s[i:], "{}")
		if j < 0 {
			b.WriteString(s[i:])
			break
		}
		b.WriteString(s[i : i+j])
		i += j
		if i+1 < len(s) && s[i+1] == s[i] {
			b.WriteByte(s[i])
			i += 2
			continue
		}
		if s[i] == '}' {
			return "", valueErrorf("Single '}' encountered in format string")
		}
		end := matching(s, i)
		if end < 0 {
			if i+1 == len(s) {
				return "", valueErrorf("Single '{' encountered in format string")
			}
			return "", valueErrorf("expected '}' before end of string")
		}
		text, err := f.field(s[i+1:end], depth)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
		if b.Len() > maxSize {
			return "", errTooLarge
		}
		i = end + 1
	}
	return b.String(), nil
}

// matching finds the brace that closes the one at i; brackets hide braces
// inside of them.
func matching(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// field formats name!conversion:spec.
func (f *formatter) field(s string, depth int) (string, error) {
	name, conversion, format := splitField(s)
	if strings.Count(name, "[") > strings.Count(name, "]") {
		return "", valueErrorf("expected '}' before end of string")
	}
	v, err := f.lookup(name)
	if err != nil {
		return "", err
	}
	switch {
	case strings.HasSuffix(s, "!"):
		return "", valueErrorf("unmatched '{' in format spec")
	case utf8.RuneCountInString(conversion) > 1:
		return "", valueErrorf("expected ':' after conversion specifier")
	}
	switch conversion {
	case "":
	case "s":
		v, err = strOf(v)
	case "r":
		v, err = reprOf(v)
	case "a":
		var text string
		text, err = reprOf(v)
		v = asciiOnly(text)
	default:
		return "", valueErrorf("Unknown conversion specifier %s", conversion)
	}
	if err != nil {
		return "", err
	}
	if strings.Contains(format, "{") {
		if format, err = f.format(format, depth+1); err != nil {
			return "", err
		}
	}
	out, err := formatValue(v, format)
	if m, ok := v.(Markup); ok && format != "" && out == string(m) {
		f.kept = m
	}
	if _, safe := v.(Markup); f.markup && !safe {
		out = string(escape(out))
	}
	return out, err
}

func splitField(s string) (name, conversion, format string) {
	brackets := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '[':
			brackets++
		case s[i] == ']' && brackets > 0:
			brackets--
		case brackets > 0:
		case s[i] == ':':
			return s[:i], "", s[i+1:]
		case s[i] == '!':
			conversion, format, _ = strings.Cut(s[i+1:], ":")
			return s[:i], conversion, format
		}
	}
	return s, "", ""
}

// lookup finds the value of a field's name: first, then .attribute or [item].
func (f *formatter) lookup(name string) (any, error) {
	end := strings.IndexAny(name, ".[")
	first, rest := name, ""
	if end >= 0 {
		first, rest = name[:end], name[end:]
	}
	v, err := f.first(first)
	for err == nil && rest != "" {
		if rest[0] == '[' {
			key, after, ok := strings.Cut(rest[1:], "]")
			if !ok {
				return nil, valueErrorf("Missing ']' in format string")
			}
			rest = after
			v, err = formatItem(v, key)
			continue
		}
		rest = rest[1:]
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		attr := rest[:end]
		rest = rest[end:]
		var ok bool
		if u, undefined := v.(*Undefined); undefined {
			return nil, &undefinedError{u}
		}
		owner := v
		if v, ok = attributeOnly(owner, attr); !ok {
			return nil, fmt.Errorf("'%s' object has no attribute '%s'", typeName(owner), attr)
		}
	}
	return v, err
}

func formatItem(object any, key string) (any, error) {
	if key == "" {
		return nil, valueErrorf("Empty attribute in format string")
	}
	var k any = key
	if n, rest, err := takeNumber(key); err == nil && n >= 0 && rest == "" {
		k = n
	}
	if u, ok := object.(*Undefined); ok {
		return nil, &undefinedError{u}
	}
	if m, ok := object.(Mapping); ok {
		v, ok, err := mappingGet(m, k)
		if err == nil && !ok {
			err = Exceptionf("KeyError", "%s", Repr(k))
		}
		return v, err
	}
	v, ok := itemAt(object, k)
	switch _, number := k.(int); {
	case ok:
		return v, nil
	case number:
		return nil, Exceptionf("IndexError", "%s index out of range", typeName(object))
	case typeName(object) == "str":
		return nil, typeErrorf("string indices must be integers, not 'str'")
	}
	return nil, typeErrorf("%s indices must be integers or slices, not str", typeName(object))
}

func (f *formatter) first(name string) (any, error) {
	n, rest, err := takeNumber(name)
	if err != nil {
		return nil, err
	}
	switch {
	case f.mapOnly && (name == "" || n >= 0 && rest == ""):
		return nil, valueErrorf("Format string contains positional fields")
	case name == "":
		if f.auto == -2 {
			return nil, valueErrorf("cannot switch from manual field specification to automatic field numbering")
		}
		f.auto++
		n = f.auto
	case n >= 0 && rest == "":
		if f.auto >= 0 {
			return nil, valueErrorf("cannot switch from automatic field numbering to manual field specification")
		}
		f.auto = -2
	default:
		if f.named != nil {
			if v, ok, err := mappingGet(f.named, name); ok || err != nil {
				return v, err
			}
		}
		return nil, Exceptionf("KeyError", "%s", Repr(name))
	}
	if n >= len(f.args) {
		return nil, Exceptionf("IndexError", "Replacement index %d out of range for positional args tuple", n)
	}
	return f.args[n], nil
}
