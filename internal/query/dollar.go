package query

import (
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

// spellings are the operators of other query languages, in lower case without punctuation.
// An empty Op stands for one that has no equivalent here.
var spellings = map[string]Op{
	"and": And, "or": Or, "nor": Not, "not": Not,
	"eq": Eq, "ne": Ne, "gt": Gt, "lt": Lt, "gte": Gte, "lte": Lte, "ge": Gte, "le": Lte,
	"=": Eq, "==": Eq, "!=": Ne, "<>": Ne, ">": Gt, "<": Lt, ">=": Gte, "<=": Lte,
	"in": In, "nin": NotIn, "notin": NotIn, "contains": Contains, "startswith": StartsWith, "endswith": EndsWith,
	"regex": Regex, "exists": Exists, "isnull": IsNull, "null": IsNull, "text": Words, "search": Words,
	"equals": Eq, "notequals": Ne, "greaterthan": Gt, "lessthan": Lt,
	"all": "", "any": "", "between": "", "elemmatch": "", "expr": "", "jsonschema": "", "like": "", "ilike": "", "mod": "",
	"options": "", "size": "", "type": "", "where": "",
}

// spelling returns the operator that a name of another language stands for.
func spelling(name string) (Op, bool) {
	op := spellings[bare(name)]
	return op, op != ""
}

// bare returns an operator's name without punctuation.
func bare(name string) string {
	return strings.NewReplacer("$", "", "_", "", "-", "", " ", "").Replace(strings.ToLower(name))
}

// isDollar reports whether a name after a dollar is an operator of another language, and
// not a member such as $ref.
func isDollar(name string) bool {
	_, ok := spellings[bare(name)]
	return ok
}

// dollarText says what to write instead of a name with a dollar.
func dollarText(name string) string {
	op, ok := spelling(name)
	if ok {
		return "unknown operator " + value.Show(name) + "; write " + value.Show(string(op))
	}
	return unknownOp(Op(name))
}

// hasDollar reports whether the value of a condition holds operators, as in {"$gt": 5},
// after adding each as a fault.
func (c *compiler) hasDollar(at value.Path, e *Expr) (found bool) {
	object, _ := e.Value.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		rest, ok := strings.CutPrefix(name, "$")
		if !ok || !isDollar(rest) {
			continue
		}
		found = true
		text := dollarText(name)
		if op, ok := spelling(name); ok && !op.isGroup() {
			form := map[string]any{memberField: e.Path, memberOperator: string(op), memberValue: object[name]}
			text = "unknown operator " + value.Show(name) + "; write " + cutText(string(value.Append(nil, form)))
		}
		c.add(slices.Clip(at).Member(name), ruleUnknown, "%s", text)
	}
	return found
}

// cutText shortens a text for a message.
func cutText(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
