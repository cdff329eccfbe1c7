package assertion_test

import (
	"fmt"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/pattern"
)

func ExampleCompile() {
	a, err := assertion.Compile(map[string]any{"minLength": 3, "pattern": "^a+$"}, assertion.LatestRules)
	if err != nil {
		panic(err)
	}
	for _, f := range a.Check("b", new(pattern.Allowance)) {
		fmt.Println(f.Rule, "-", f.Message)
	}
	// Output:
	// minLength - at least 3 characters expected, got 1
	// pattern - must match "^a+$", got "b"
}

func ExampleCheckDocument() {
	doc := map[string]any{"properties": map[string]any{
		"title": map[string]any{"type": "string", "required": "yes", "default": nil},
	}}
	for _, f := range assertion.CheckDocument(doc) {
		fmt.Println(f.Path, f.Rule, "-", f.Message)
	}
	// Output:
	// [properties title required] type - boolean expected, got "yes"
}
