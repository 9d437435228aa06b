package playbook

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"sort"
	"strconv"
	"strings"

	"gplay/internal/source"
	"gplay/internal/yaml"
)

// kind is a set of the nodes that keywords stand in.
type kind int

const (
	inPlay kind = 1 << iota
	inRole
	inBlock
	inTask
	inHandler
	inImport // import_playbook
)

const anyTask = inTask | inHandler

func (k kind) String() string {
	return map[kind]string{inPlay: "play", inRole: "role", inBlock: "block", inTask: "task", inHandler: "handler", inImport: "playbook import"}[k]
}

// keyword is one line of the language's keyword table.
type keyword struct {
	in kind
	// check gives the value as it is kept, and says what is expected when it is
	// something else: without a value the playbook cannot be loaded, with one
	// the fault is that of the play or task that needs it.
	check func(n *yaml.Node) (value any, expected string)
	// passed is set for what tasks take over from the nodes around them.
	passed bool
}

const everywhere = inPlay | inRole | inBlock | anyTask

var keywords = map[string]keyword{
	"name": {everywhere | inImport, checkText, false},
	"vars": {everywhere | inImport, nil, false},
	"tags": {everywhere | inImport, checkTags, true},
	"when": {inRole | inBlock | anyTask | inImport, checkCondition, true},

	"any_errors_fatal":   {everywhere, checkBool, true},
	"become":             {everywhere, checkBool, true},
	"become_exe":         {everywhere, checkText, true},
	"become_flags":       {everywhere, checkText, true},
	"become_method":      {everywhere, checkText, true},
	"become_user":        {everywhere, checkText, true},
	"check_mode":         {everywhere, checkBool, true},
	"collections":        {everywhere, checkStrictTexts, true},
	"connection":         {everywhere, checkText, true},
	"debugger":           {everywhere, checkText, true},
	"diff":               {everywhere, checkBool, true},
	"environment":        {everywhere, checkDicts, true},
	"ignore_errors":      {everywhere, checkBool, true},
	"ignore_unreachable": {everywhere, checkBool, true},
	"module_defaults":    {everywhere, checkDefaults, true},
	"no_log":             {everywhere, checkBool, true},
	"port":               {everywhere, checkInt, true},
	"remote_user":        {everywhere, checkText, true},
	"run_once":           {everywhere, checkBool, true},
	"throttle":           {everywhere, checkInt, true},
	"timeout":            {everywhere, checkInt, true},

	"delegate_facts": {inRole | inBlock | anyTask, checkBool, true},
	"delegate_to":    {inRole | inBlock | anyTask, checkText, true},
	"notify":         {inBlock | anyTask, checkNames, true},

	"fact_path":           {inPlay, checkText, false},
	"force_handlers":      {inPlay, checkBool, false},
	"gather_facts":        {inPlay, checkBool, false},
	"gather_subset":       {inPlay, checkNames, false},
	"gather_timeout":      {inPlay, checkInt, false},
	"handlers":            {inPlay, nil, false},
	"hosts":               {inPlay, nil, false},
	"max_fail_percentage": {inPlay, checkPercent, false},
	"order":               {inPlay, checkOrder, false},
	"post_tasks":          {inPlay, nil, false},
	"pre_tasks":           {inPlay, nil, false},
	"roles":               {inPlay, nil, false},
	"serial":              {inPlay, checkSerial, false},
	"strategy":            {inPlay, checkText, false},
	"tasks":               {inPlay, nil, false},
	"vars_files":          {inPlay, checkVarsFiles, false},
	"vars_prompt":         {inPlay, checkVarsPrompt, false},
	"validate_argspec":    {inPlay, checkAny, false},

	"block":  {inBlock, nil, false},
	"rescue": {inBlock, nil, false},
	"always": {inBlock, nil, false},

	"action":       {anyTask, nil, false},
	"args":         {anyTask, nil, false},
	"async":        {anyTask, checkInt, false},
	"changed_when": {anyTask, checkCondition, false},
	"delay":        {anyTask, checkNumber, false},
	"failed_when":  {anyTask, checkCondition, false},
	"local_action": {anyTask, nil, false},
	"loop":         {anyTask, nil, false},
	"loop_control": {anyTask, nil, false},
	"poll":         {anyTask, checkInt, false},
	"register":     {anyTask, nil, false},
	"retries":      {anyTask, checkInt, false},
	"until":        {anyTask, checkCondition, false},
	"listen":       {inHandler, checkStrictTexts, false},

	"import_playbook": {inImport, nil, false},
}

// IsReserved reports whether a variable has a name that the language or
// templates use for something of their own.
func IsReserved(name string) bool {
	switch name {
	case "vars":
		return false
	case "cycler", "dict", "joiner", "lipsum", "namespace", "range", "with_":
		return true
	}
	kw, ok := keywords[name]
	return ok && kw.in&(inPlay|inRole|inBlock|inTask) != 0
}

// keywordNames are the keywords of a kind of node, for hints.
func keywordNames(k kind) []string {
	var names []string
	for name, kw := range keywords {
		if kw.in&k != 0 {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// wrongValue is the error about a keyword's value.
func wrongValue(key string, n *yaml.Node, expected string) *source.Error {
	return &source.Error{Pos: n.Pos, Len: n.Len, Msg: fmt.Sprintf("%s wants %s, not %s", key, expected, n.Describe())}
}

const (
	aBool   = "yes or no"
	anInt   = "a whole number"
	aNumber = "a number"
)

func isTemplate(n *yaml.Node) bool {
	_, ok := n.Value.(*yaml.Template)
	return ok
}

func checkAny(n *yaml.Node) (any, string) { return n.Any(), "" }

// checkText takes a scalar. A number or boolean is the text it was meant as.
func checkText(n *yaml.Node) (any, string) {
	switch v := n.Value.(type) {
	case string, *yaml.Template:
		return v, ""
	case int, float64, *big.Int:
		return fmt.Sprint(v), ""
	case bool:
		if v {
			return "True", ""
		}
		return "False", ""
	}
	return nil, "text"
}

func checkTexts(n *yaml.Node) (any, string) {
	return textsThat(n, func(item *yaml.Node) bool { _, bad := checkText(item); return bad == "" })
}

// textsThat takes a text or a list of them, each of which has to pass.
func textsThat(n *yaml.Node, pass func(*yaml.Node) bool) (any, string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.List {
		items = n.Items
	}
	for _, item := range items {
		if !pass(item) {
			return nil, "text or a list of texts"
		}
	}
	return n.Any(), ""
}

// checkNames is checkTexts for names that only a run looks for.
func checkNames(n *yaml.Node) (any, string) {
	_, bad := checkTexts(n)
	return n.Any(), bad
}

// checkStrictTexts is checkTexts without numbers and booleans: of what is read
// before anything runs, Ansible takes texts alone.
func checkStrictTexts(n *yaml.Node) (any, string) { return textsThat(n, isName) }

// checkTags takes text, or a list of whatever.
func checkTags(n *yaml.Node) (any, string) {
	if _, text := n.String(); !text && n.Kind != yaml.List {
		return nil, "text or a list of texts"
	}
	return n.Any(), ""
}

// truths are the words that Ansible takes for a boolean.
var truths = map[string]bool{
	"yes": true, "on": true, "1": true, "true": true, "t": true, "y": true,
	"no": false, "off": false, "0": false, "false": false, "f": false, "n": false,
}

func checkBool(n *yaml.Node) (any, string) {
	switch v := n.Value.(type) {
	case bool, *yaml.Template:
		return v, ""
	case string:
		if b, ok := truths[strings.ToLower(strings.TrimSpace(v))]; ok {
			return b, ""
		}
	case int:
		if v == 0 || v == 1 {
			return v == 1, ""
		}
	case float64:
		if v == 0 || v == 1 {
			return v == 1, ""
		}
	}
	return n.Any(), aBool
}

// checkInt takes what Python makes a whole number of: True is 1, 1.5 is 1.
func checkInt(n *yaml.Node) (any, string) {
	switch v := n.Value.(type) {
	case int, *yaml.Template:
		return v, ""
	case bool:
		if v {
			return 1, ""
		}
		return 0, ""
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return int(v), ""
		}
	case string:
		if i, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
			return i, ""
		}
	}
	return n.Any(), anInt
}

func checkNumber(n *yaml.Node) (any, string) {
	if f, ok := n.Value.(float64); ok {
		return f, ""
	}
	v, bad := checkInt(n)
	if s, ok := n.Value.(string); ok && bad != "" {
		if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return f, ""
		}
	}
	if bad != "" {
		bad = aNumber
	}
	return v, bad
}

func checkPercent(n *yaml.Node) (any, string) {
	if s, ok := n.Value.(string); ok {
		if _, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "%"), 64); err == nil {
			return s, ""
		}
	}
	v, bad := checkNumber(n)
	if bad != "" {
		bad = "a percentage"
	}
	return v, bad
}

// checkSerial takes numbers and percentages, one or a list of them.
func checkSerial(n *yaml.Node) (any, string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.List {
		items = n.Items
	}
	for _, item := range items {
		if _, bad := checkPercent(item); bad != "" {
			return n.Any(), "a number, a percentage, or a list of them"
		}
	}
	return n.Any(), ""
}

var orders = []string{"inventory", "reverse_inventory", "reverse_sorted", "shuffle", "sorted"}

func checkOrder(n *yaml.Node) (any, string) {
	s, _ := n.Value.(string)
	for _, o := range orders {
		if s == o {
			return s, ""
		}
	}
	if isTemplate(n) {
		return n.Value, ""
	}
	return n.Any(), "one of " + strings.Join(orders, ", ")
}

// checkCondition takes an expression, a boolean, or a list of them.
func checkCondition(n *yaml.Node) (any, string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.List {
		items = n.Items
	}
	for _, item := range items {
		if item.Kind != yaml.Scalars {
			return n.Any(), "an expression or a list of expressions"
		}
	}
	return n.Any(), ""
}

// checkDicts takes a dict, a template, or a list of them.
func checkDicts(n *yaml.Node) (any, string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.List {
		items = n.Items
	}
	for _, item := range items {
		if item.Kind != yaml.Map && !isTemplate(item) {
			return n.Any(), "a dict, a template that gives one, or a list of them"
		}
	}
	return n.Any(), ""
}

// checkDefaults takes dicts by the names of modules, which no template makes.
func checkDefaults(n *yaml.Node) (any, string) {
	if isTemplate(n) || n.Kind == yaml.List && slices.ContainsFunc(n.Items, isTemplate) {
		return nil, "a dict by the names of modules or groups, or a list of such dicts; only its values may be templates"
	}
	if _, bad := checkDicts(n); bad != "" {
		return nil, bad
	}
	return n.Any(), ""
}

// checkVarsFiles takes file names; a list in the list is of alternatives.
func checkVarsFiles(n *yaml.Node) (any, string) {
	if n.Kind == yaml.List {
		for _, item := range n.Items {
			if _, bad := checkTexts(item); bad != "" {
				return nil, "a list of file names"
			}
		}
		return n.Any(), ""
	}
	return checkTexts(n)
}

func checkVarsPrompt(n *yaml.Node) (any, string) {
	const expected = "a list of dicts that have a name"
	if n.Kind != yaml.List {
		return nil, expected
	}
	for _, item := range n.Items {
		if item.Get("name").Null() {
			return nil, expected
		}
	}
	return n.Any(), ""
}
